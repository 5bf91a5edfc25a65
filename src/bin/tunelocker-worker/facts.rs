//! What a probe asks of an open file: names, length, texts.
#![expect(unsafe_code, reason = "libav has fields that its wrapper does not reach")]

use std::time::{Duration, Instant};

use ffmpeg_next::{ffi, format::stream::Disposition, media};

use crate::source::Source;

/// Nobody waits longer for a length that has to be counted.
const COUNTING: Duration = Duration::from_secs(10);
/// More texts than any tagger writes, and longer ones.
const MOST_TEXTS: usize = 1000;
const MOST_TEXT: usize = 64 << 10;

impl Source {
    /// Whether there are moving pictures beside the sound; a cover does not move.
    pub(crate) fn is_film(&self) -> bool {
        self.input.streams().any(|stream| {
            stream.parameters().medium() == media::Type::Video
                && !stream.disposition().contains(Disposition::ATTACHED_PIC)
        })
    }

    /// libav's name of the container, or several with commas.
    pub(crate) fn container_name(&self) -> String {
        self.input.format().name().to_owned()
    }

    /// libav's name of the decoder.
    pub(crate) fn codec_name(&self) -> String {
        self.decoder.codec().map(|codec| codec.name().to_owned()).unwrap_or_default()
    }

    /// Bits a sample, where the header says.
    pub(crate) fn bits(&self) -> Option<u32> {
        let stream = self.input.stream(self.stream)?;
        // SAFETY: the pointer is the live stream's; the fields are plain numbers.
        let (raw, coded) = unsafe {
            let parameters = (*stream.as_ptr()).codecpar;
            ((*parameters).bits_per_raw_sample, (*parameters).bits_per_coded_sample)
        };
        let bits = if 0 < raw { raw } else { coded };
        u32::try_from(bits).ok().filter(|bits| (1..=64).contains(bits))
    }

    /// How long it is: as the header says, else counted to the end, else as libav guesses.
    pub(crate) fn duration_ms(&mut self) -> u64 {
        // SAFETY: the pointer is the open input's; the field is a plain enum.
        let method = unsafe { (*self.input.as_ptr()).duration_estimation_method };
        let is_guess = method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE;
        let stated = u64::try_from(self.input.duration()).unwrap_or(0) / 1000;
        if 0 < stated && !is_guess {
            return stated;
        }
        self.counted_ms().unwrap_or(stated)
    }

    /// Where the last packet ends; `None` where no packet tells, or there are too many.
    fn counted_ms(&mut self) -> Option<u64> {
        let begun = Instant::now();
        let base = self.time_base();
        let mut end = 0;
        while self.packet.read(&mut self.input).is_ok() {
            if self.packet.stream() == self.stream
                && let Some(at) = self.packet.pts().or_else(|| self.packet.dts())
            {
                end = end.max(at.saturating_add(self.packet.duration().max(0)));
            }
            if COUNTING < begun.elapsed() {
                return None;
            }
        }
        let ticks = i128::from(end) - i128::from(self.start.max(0));
        let ms =
            ticks * i128::from(base.numerator()) * 1000 / i128::from(base.denominator().max(1));
        u64::try_from(ms).ok().filter(|ms| 0 < *ms)
    }

    /// Everything that is said about the file and its sound.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let own = self.input.stream(self.stream);
        let own =
            own.iter().flat_map(|stream| stream.metadata().iter().map(owned).collect::<Vec<_>>());
        let all = self.input.metadata();
        all.iter()
            .map(owned)
            .chain(own)
            .filter(|(_, value)| value.len() <= MOST_TEXT)
            .take(MOST_TEXTS)
            .collect()
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
