//! Chromaprint of decoded sound: alike for one recording however it was encoded, so that two
//! files can be *suggested* to be the same. It never proves anything.

use std::{fs::File, io::Read as _};

use rusty_chromaprint::{Configuration, Fingerprinter, match_fingerprints};

use super::{Pcm, Unheard};

/// Seconds of sound that a print is made of.
pub const SECONDS: u64 = 120;
/// Channels that anybody has.
const MOST_CHANNELS: u32 = 32;
/// Differing bits of 32 up to which a part is alike; unrelated sound has about half of them.
const ALIKE: f64 = 10.0;

/// The print of 16-bit big-endian samples.
pub(super) fn of_pcm(mut from: File, form: Pcm) -> Result<Vec<u32>, Unheard> {
    let failed = |reason: &str| Unheard::Failed(reason.to_owned());
    if form.channels == 0 || MOST_CHANNELS < form.channels || form.sample_rate == 0 {
        return Err(failed("Its sound has a strange form"));
    }
    let mut printer = Fingerprinter::new(&configuration());
    printer
        .start(form.sample_rate, form.channels)
        .map_err(|_| failed("Its sound has a strange form"))?;
    let frame = 2 * form.channels as usize;
    let mut left = SECONDS * u64::from(form.sample_rate) * frame as u64;
    let mut bytes = vec![0; 4096 * frame];
    let mut samples = Vec::with_capacity(bytes.len() / 2);
    let mut filled = 0;
    while 0 < left {
        let read = from.read(&mut bytes[filled..]).map_err(|error| failed(&error.to_string()))?;
        if read == 0 {
            break;
        }
        filled += read;
        let whole = filled - filled % frame;
        samples.clear();
        let pairs = bytes[..whole].chunks_exact(2);
        samples.extend(pairs.map(|pair| i16::from_be_bytes([pair[0], pair[1]])));
        printer.consume(&samples);
        left = left.saturating_sub(whole as u64);
        bytes.copy_within(whole..filled, 0);
        filled -= whole;
    }
    printer.finish();
    Ok(printer.fingerprint().to_vec())
}

/// Which part of the shorter print the other one has too, 0 to 1.
#[must_use]
pub fn likeness(one: &[u32], other: &[u32]) -> f64 {
    let shorter = one.len().min(other.len());
    if shorter == 0 {
        return 0.0;
    }
    let Ok(segments) = match_fingerprints(one, other, &configuration()) else { return 0.0 };
    let alike: usize =
        segments.iter().filter(|part| part.score < ALIKE).map(|part| part.items_count).sum();
    (alike as f64 / shorter as f64).min(1.0)
}

fn configuration() -> Configuration {
    Configuration::preset_test2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_is_like_itself_and_unlike_noise() {
        let print: Vec<u32> = (0..400_u32).map(|at| at.wrapping_mul(2_654_435_761)).collect();
        assert!(0.95 < likeness(&print, &print));
        let other: Vec<u32> =
            (0..400_u32).map(|at| at.wrapping_mul(40_503) ^ 0xA5A5_1234).collect();
        assert!(likeness(&print, &other) < 0.3, "{}", likeness(&print, &other));
        assert!(likeness(&print, &[]) < 0.1);
    }
}
