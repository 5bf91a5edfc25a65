//! Hears decoded sound as it comes: loudness of all of it, features of the middle five minutes.
//! Memory is bounded by those.

use std::collections::VecDeque;

use ebur128::{EbuR128, Mode};

use super::{
    Loudness, Sound,
    harmony::Harmony,
    rhythm::Rhythm,
    spectrum::{COEFFICIENTS, OCTAVES, Spectrum},
    statistics::{Spread, quantile},
    vector::{DELTAS, Findings, features},
};

/// Seconds that features are taken from. A symphony's character shows within these, and its cost
/// ends with them.
const LISTENED: u64 = 300;
/// Power of a frame that is silence, about -80 dB.
const SILENCE: f32 = 1e-8;
/// Fewer frames with sound say nothing: about a second.
const FEWEST_FRAMES: usize = 40;
/// Frames over which the change of timbre is taken: about 70 ms.
const DELTA: usize = 3;

/// Hears one piece.
pub(super) struct Ear {
    meter: Option<EbuR128>,
    channels: usize,
    spectrum: Spectrum,
    harmony: Harmony,
    rhythm: Rhythm,
    timbre: Timbre,
    levels: Vec<f32>,
    mono: Vec<f32>,
    /// Samples until the features begin, and of them from there.
    skip: u64,
    left: u64,
}

/// Timbre over all frames.
#[derive(Default)]
struct Timbre {
    cepstrum: [Spread; COEFFICIENTS],
    deltas: [Spread; DELTAS],
    crest: [Spread; OCTAVES],
    flatness: Spread,
    centroid: Spread,
    before: VecDeque<[f32; COEFFICIENTS]>,
}

impl Ear {
    /// For sound of this form; `frames` is how long it is, if that is known.
    pub(super) fn new(rate: u32, channels: usize, frames: Option<u64>) -> Self {
        let mode = Mode::I | Mode::LRA | Mode::SAMPLE_PEAK | Mode::HISTOGRAM;
        let spectrum = Spectrum::new(rate);
        let left = LISTENED * u64::from(rate);
        Self {
            meter: EbuR128::new(channels as u32, rate, mode).ok(),
            channels: channels.max(1),
            harmony: Harmony::new(spectrum.bin_width()),
            rhythm: Rhythm::default(),
            timbre: Timbre::default(),
            levels: Vec::new(),
            mono: Vec::with_capacity(4 * spectrum.length()),
            skip: frames.map_or(0, |frames| frames.saturating_sub(left) / 2),
            left,
            spectrum,
        }
    }

    /// The next samples, interleaved. Values that are no numbers become silence in place.
    pub(super) fn hear(&mut self, samples: &mut [f32]) {
        for sample in samples.iter_mut().filter(|sample| !sample.is_finite()) {
            *sample = 0.0;
        }
        if let Some(meter) = &mut self.meter
            && meter.add_frames_f32(samples).is_err()
        {
            self.meter = None;
        }
        let frames = (samples.len() / self.channels) as u64;
        let skipped = self.skip.min(frames);
        self.skip -= skipped;
        let taken = (frames - skipped).min(self.left);
        self.left -= taken;
        if taken == 0 {
            return;
        }
        let from = skipped as usize * self.channels;
        let scale = 1.0 / self.channels as f32;
        let mix = samples[from..].chunks_exact(self.channels).take(taken as usize);
        self.mono.extend(mix.map(|frame| frame.iter().sum::<f32>() * scale));
        self.look();
    }

    fn look(&mut self) {
        let (length, hop) = (self.spectrum.length(), self.spectrum.hop());
        let mut at = 0;
        while at + length <= self.mono.len() {
            let frame = self.spectrum.see(&self.mono[at..at + length]);
            self.rhythm.add(&frame.log_mel);
            if SILENCE < frame.power {
                self.levels.push(10.0 * frame.power.log10());
                self.harmony.add(self.spectrum.power());
                self.timbre.add(&frame);
            }
            at += hop;
        }
        self.mono.drain(..at);
    }

    /// What it was.
    pub(super) fn end(mut self) -> (Option<Loudness>, Option<Sound>) {
        (self.meter.as_ref().and_then(loudness), self.sound())
    }

    fn sound(&mut self) -> Option<Sound> {
        if self.levels.len() < FEWEST_FRAMES {
            return None;
        }
        self.levels.sort_by(f32::total_cmp);
        let level = |share| quantile(&self.levels, share);
        let beat = self.rhythm.beat(self.spectrum.frame_rate());
        let key = self.harmony.key();
        let timbre = &self.timbre;
        let findings = Findings {
            cepstrum: &timbre.cepstrum,
            deltas: &timbre.deltas,
            crest: &timbre.crest,
            flatness: &timbre.flatness,
            centroid: &timbre.centroid,
            dynamics: [level(0.95) - level(0.5), level(0.5) - level(0.1)],
            beat: &beat,
            key: &key,
        };
        Some(Sound { features: features(&findings), bpm: beat.bpm, key: key.key })
    }
}

impl Timbre {
    fn add(&mut self, frame: &super::spectrum::Frame) {
        for (spread, value) in self.cepstrum.iter_mut().zip(frame.cepstrum) {
            spread.add(value);
        }
        for (spread, value) in self.crest.iter_mut().zip(frame.crest) {
            spread.add(value);
        }
        self.flatness.add(frame.flatness);
        self.centroid.add(frame.centroid);
        if self.before.len() == DELTA
            && let Some(before) = self.before.pop_front()
        {
            for ((spread, now), before) in self.deltas.iter_mut().zip(frame.cepstrum).zip(before) {
                spread.add(now - before);
            }
        }
        self.before.push_back(frame.cepstrum);
    }
}

fn loudness(meter: &EbuR128) -> Option<Loudness> {
    let lufs = meter.loudness_global().ok().filter(|lufs| lufs.is_finite())?;
    let range_lu = meter.loudness_range().ok().filter(|range| range.is_finite()).unwrap_or(0.0);
    let peaks = (0..meter.channels()).filter_map(|channel| meter.sample_peak(channel).ok());
    let peak = peaks.fold(0.0, f64::max);
    Some(Loudness { lufs, range_lu, peak })
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn hear(
        rate: u32,
        seconds: f32,
        sample: impl Fn(f32) -> f32,
    ) -> (Option<Loudness>, Option<Sound>) {
        let frames = (seconds * rate as f32) as usize;
        let mut ear = Ear::new(rate, 2, Some(frames as u64));
        for start in (0..frames).step_by(1000) {
            let mut block: Vec<f32> = (start..(start + 1000).min(frames))
                .flat_map(|at| [sample(at as f32 / rate as f32); 2])
                .collect();
            ear.hear(&mut block);
        }
        ear.end()
    }

    /// The reference signal of EBU Tech 3341, case 1: 1 kHz at -23 dBFS in both channels is -23 LUFS.
    #[test]
    fn the_reference_tone_has_its_loudness() {
        let level = 10.0_f32.powf(-23.0 / 20.0);
        let (loudness, sound) = hear(48_000, 5.0, |time| level * (TAU * 1000.0 * time).sin());
        let loudness = loudness.unwrap();
        assert!((loudness.lufs + 23.0).abs() < 0.1, "{loudness:?}");
        assert!((loudness.peak - f64::from(level)).abs() < 0.001);
        assert!(sound.is_some());
    }

    #[test]
    fn silence_and_clicks_sound_like_nothing() {
        assert_eq!(hear(44_100, 3.0, |_| 0.0), (None, None));
        assert_eq!(hear(44_100, 0.1, |_| 0.5).1, None);
        let (_, sound) = hear(8_000, 3.0, |time| if time < 1.0 { f32::NAN } else { time.sin() });
        assert!(sound.is_some());
    }
}
