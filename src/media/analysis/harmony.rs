//! Which of the twelve notes sound, and in which key that is.

/// Hz: below, peaks run into each other; above are overtones more than notes.
const FROM: f32 = 180.0;
const TO: f32 = 3_000.0;

/// How much each step of the scale is used (Krumhansl and Kessler).
const MAJOR: [f32; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR: [f32; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
/// Below this likeness to any key there is none.
const IS_KEY: f32 = 0.5;

/// Adds up notes over all frames.
#[derive(Debug)]
pub(super) struct Harmony {
    /// Hz from bin to bin.
    width: f32,
    sums: [f32; 12],
}

/// What the notes say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Key {
    /// 0 to 11 from C for major, 12 to 23 for minor.
    pub(super) key: Option<u8>,
    /// Likeness to the best major key less that to the best minor one.
    pub(super) majorness: f32,
    /// 0: one note alone, 1: all twelve alike.
    pub(super) evenness: f32,
}

impl Harmony {
    pub(super) fn new(bin_width: f32) -> Self {
        Self { width: bin_width, sums: [0.0; 12] }
    }

    /// One frame; only bins that stand above their neighbours are notes.
    pub(super) fn add(&mut self, power: &[f32]) {
        let mut frame = [0.0; 12];
        let first = (FROM / self.width) as usize;
        let last = ((TO / self.width) as usize + 2).min(power.len());
        let bins = power.get(first..last).unwrap_or_default();
        for (at, three) in bins.windows(3).enumerate() {
            if three[0] < three[1] && three[2] <= three[1] && 0.0 < three[1] {
                let bin = (first + at + 1) as f32 + top_of(three);
                // A is 9 semitones above C; 440 Hz is an A.
                let semitones = 12.0 * (bin * self.width / 440.0).log2() + 9.0;
                let note = (semitones.round() as i32).rem_euclid(12) as usize;
                frame[note] += three[1].sqrt();
            }
        }
        let sum: f32 = frame.iter().sum();
        if 1e-6 < sum {
            for (all, one) in self.sums.iter_mut().zip(frame) {
                *all += one / sum;
            }
        }
    }

    pub(super) fn key(&self) -> Key {
        let sum: f32 = self.sums.iter().sum();
        if sum <= 0.0 {
            return Key::default();
        }
        let best = |profile: &[f32; 12]| {
            (0..12_u8)
                .map(|tonic| (likeness(&self.sums, profile, usize::from(tonic)), tonic))
                .fold((f32::MIN, 0), |best, one| if best.0 < one.0 { one } else { best })
        };
        let (major, minor) = (best(&MAJOR), best(&MINOR));
        let entropy: f32 = self
            .sums
            .iter()
            .map(|note| note / sum)
            .filter(|share| 0.0 < *share)
            .map(|share| -share * share.ln())
            .sum();
        let (likeness, key) = if minor.0 < major.0 { major } else { (minor.0, minor.1 + 12) };
        Key {
            key: (IS_KEY < likeness).then_some(key),
            majorness: major.0 - minor.0,
            evenness: entropy / 12.0_f32.ln(),
        }
    }
}

/// Where the top of a peak lies between its bins: bins are wider than low notes, and lie elsewhere
/// at every sample rate.
fn top_of(three: &[f32]) -> f32 {
    let [before, peak, after] = [three[0], three[1], three[2]].map(|power| (power + 1e-12).ln());
    let bend = before - 2.0 * peak + after;
    if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}

/// Correlation of the notes with a profile that begins at `tonic`.
fn likeness(notes: &[f32; 12], profile: &[f32; 12], tonic: usize) -> f32 {
    let mean = |values: &[f32; 12]| values.iter().sum::<f32>() / 12.0;
    let (notes_mean, profile_mean) = (mean(notes), mean(profile));
    let (mut both, mut one, mut other) = (0.0, 0.0, 0.0);
    for at in 0..12 {
        let (a, b) = (notes[(at + tonic) % 12] - notes_mean, profile[at] - profile_mean);
        both += a * b;
        one += a * a;
        other += b * b;
    }
    if one <= 0.0 { 0.0 } else { both / (one * other).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(notes: &[f32]) -> Key {
        let width = 5.0;
        let mut harmony = Harmony::new(width);
        let mut power = vec![0.0; 800];
        for hz in notes {
            power[(hz / width).round() as usize] = 1.0;
        }
        harmony.add(&power);
        harmony.key()
    }

    #[test]
    fn chords_have_keys() {
        // C, E and G, with C twice; A, C and E, with A twice.
        assert_eq!(key_of(&[523.3, 1046.5, 659.3, 784.0]).key, Some(0));
        assert_eq!(key_of(&[440.0, 880.0, 523.3, 659.3]).key, Some(12 + 9));
        assert!(key_of(&[]).key.is_none());
    }

    #[test]
    fn one_note_is_uneven() {
        let one = key_of(&[440.0]).evenness;
        let all: Vec<f32> = (0..12).map(|step| 440.0 * 2.0_f32.powf(step as f32 / 12.0)).collect();
        assert!(one < 0.05 && 0.95 < key_of(&all).evenness);
    }
}
