//! One frame of sound as a spectrum, and what is seen in it: mel bands, cepstrum, tone against
//! noise. Every figure is in Hz and seconds, never in bins and samples, so that the same sound at
//! another sample rate gives the same values.

use std::{f32::consts::PI, sync::Arc};

use rustfft::{Fft, FftPlanner, num_complex::Complex32};

/// Mel bands between [`LOWEST`] and [`HIGHEST`].
pub(super) const BANDS: usize = 32;
/// Cepstral coefficients, with the first, which is only loudness.
pub(super) const COEFFICIENTS: usize = 13;
/// Octaves in which tone is told from noise.
pub(super) const OCTAVES: usize = 5;
/// Hz.
const LOWEST: f32 = 40.0;
/// Hz. What lossy encoders throw away lies above.
const HIGHEST: f32 = 8_000.0;
/// Hz, where the octaves begin.
const FIRST_OCTAVE: f32 = 200.0;
/// Length of a frame, at 44.1 kHz in samples.
const FRAME: u64 = 2048;
const HOP: u64 = 1024;
const OF_RATE: u64 = 44_100;
/// Power that counts as nothing, about -90 dB of full scale.
const FLOOR: f32 = 1e-9;

/// Makes spectra of frames at one sample rate.
pub(super) struct Spectrum {
    rate: f32,
    fft: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
    scale: f32,
    mel: Vec<Band>,
    octaves: [std::ops::Range<usize>; OCTAVES],
    cosines: [[f32; BANDS]; COEFFICIENTS],
    work: Vec<Complex32>,
    scratch: Vec<Complex32>,
    power: Vec<f32>,
}

/// A triangle over some bins.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

/// What one frame shows.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Power of the mel bands, natural logarithm.
    pub(super) log_mel: [f32; BANDS],
    /// Cepstrum.
    pub(super) cepstrum: [f32; COEFFICIENTS],
    /// Peak over mean in each octave, natural logarithm: tones stand out, noise does not.
    pub(super) crest: [f32; OCTAVES],
    /// Geometric over arithmetic mean of the bands, natural logarithm: 0 is flat.
    pub(super) flatness: f32,
    /// Where the weight lies, in bands.
    pub(super) centroid: f32,
    /// Power of all bands.
    pub(super) power: f32,
}

impl Spectrum {
    pub(super) fn new(rate: u32) -> Self {
        let length = smooth(u64::from(rate) * FRAME / OF_RATE);
        let fft = FftPlanner::new().plan_fft_forward(length);
        let window: Vec<f32> = (0..length)
            .map(|at| 0.5 - 0.5 * (2.0 * PI * at as f32 / length as f32).cos())
            .collect();
        let sum: f32 = window.iter().sum();
        let width = rate as f32 / length as f32;
        let bins = length / 2;
        let bin = |hz: f32| ((hz / width).round() as usize).min(bins);
        let edge = |at: usize| {
            let (low, high) = (to_mel(LOWEST), to_mel(HIGHEST));
            from_mel(low + (high - low) * at as f32 / (BANDS + 1) as f32)
        };
        let mel = (0..BANDS).map(|at| Band::new(edge(at), edge(at + 1), edge(at + 2), width, bins));
        Self {
            rate: rate as f32,
            scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            fft,
            window,
            scale: (2.0 / sum).powi(2),
            mel: mel.collect(),
            octaves: std::array::from_fn(|at| {
                let low = FIRST_OCTAVE * (1 << at) as f32;
                bin(low)..bin(2.0 * low)
            }),
            cosines: std::array::from_fn(|k| {
                let norm = if k == 0 { 1.0 / BANDS as f32 } else { 2.0 / BANDS as f32 };
                std::array::from_fn(|b| {
                    norm.sqrt() * (PI * k as f32 * (b as f32 + 0.5) / BANDS as f32).cos()
                })
            }),
            work: vec![Complex32::default(); length],
            power: vec![0.0; bin(HIGHEST).max(1)],
        }
    }

    /// Samples in a frame.
    pub(super) fn length(&self) -> usize {
        self.window.len()
    }

    /// Samples from one frame to the next.
    pub(super) fn hop(&self) -> usize {
        ((self.rate as u64 * HOP / OF_RATE) as usize).max(1)
    }

    /// Frames a second.
    pub(super) fn frame_rate(&self) -> f32 {
        self.rate / self.hop() as f32
    }

    /// Hz from one bin of [`Self::power`] to the next.
    pub(super) fn bin_width(&self) -> f32 {
        self.rate / self.window.len() as f32
    }

    /// Power of each bin of the last frame.
    pub(super) fn power(&self) -> &[f32] {
        &self.power
    }

    /// Looks at one frame of [`Self::length`] samples.
    pub(super) fn see(&mut self, samples: &[f32]) -> Frame {
        for ((out, sample), window) in self.work.iter_mut().zip(samples).zip(&self.window) {
            *out = Complex32::new(sample * window, 0.0);
        }
        self.fft.process_with_scratch(&mut self.work, &mut self.scratch);
        for (power, bin) in self.power.iter_mut().zip(&self.work) {
            *power = bin.norm_sqr() * self.scale;
        }
        let mut linear = [0.0; BANDS];
        for (out, band) in linear.iter_mut().zip(&self.mel) {
            let bins = self.power.get(band.first..).unwrap_or_default();
            *out = bins.iter().zip(&band.weights).map(|(power, weight)| power * weight).sum();
        }
        let log_mel = linear.map(|power| (power + FLOOR).ln());
        let power: f32 = linear.iter().sum();
        let mean = power / BANDS as f32;
        let weighted: f32 = linear.iter().enumerate().map(|(at, power)| at as f32 * power).sum();
        Frame {
            cepstrum: std::array::from_fn(|k| {
                self.cosines[k].iter().zip(&log_mel).map(|(cosine, log)| cosine * log).sum()
            }),
            crest: std::array::from_fn(|at| self.crest(at)),
            flatness: log_mel.iter().sum::<f32>() / BANDS as f32 - (mean + FLOOR).ln(),
            centroid: weighted / (power + FLOOR),
            power,
            log_mel,
        }
    }

    fn crest(&self, octave: usize) -> f32 {
        let bins = self.power.get(self.octaves[octave].clone()).unwrap_or_default();
        if bins.is_empty() {
            return 0.0;
        }
        let peak = bins.iter().copied().fold(0.0, f32::max);
        let mean = bins.iter().sum::<f32>() / bins.len() as f32;
        ((peak + FLOOR / 100.0) / (mean + FLOOR / 100.0)).ln()
    }
}

impl Band {
    fn new(low: f32, centre: f32, high: f32, width: f32, bins: usize) -> Self {
        let first = (low / width).ceil() as usize;
        let last = ((high / width).floor() as usize).min(bins.saturating_sub(1));
        let weight = |bin: usize| {
            let hz = bin as f32 * width;
            if hz < centre { (hz - low) / (centre - low) } else { (high - hz) / (high - centre) }
        };
        let mut weights: Vec<f32> = (first..=last).map(|bin| weight(bin).max(0.0)).collect();
        // A narrow band may fall between two bins: it takes the nearest.
        if weights.iter().sum::<f32>() < 0.05 && first < bins {
            return Self {
                first: ((centre / width).round() as usize).min(bins),
                weights: vec![0.5],
            };
        }
        weights.truncate(bins.saturating_sub(first));
        Self { first, weights }
    }
}

fn to_mel(hz: f32) -> f32 {
    2595.0 * (1.0 + hz / 700.0).log10()
}

fn from_mel(mel: f32) -> f32 {
    700.0 * (10.0_f32.powf(mel / 2595.0) - 1.0)
}

/// The number nearest to this that is a product of 2, 3 and 5: lengths that transform fast.
fn smooth(wanted: u64) -> usize {
    let is_smooth = |mut number: u64| {
        for factor in [2, 3, 5] {
            while number.is_multiple_of(factor) {
                number /= factor;
            }
        }
        number == 1
    };
    let wanted = wanted.max(64);
    let near = (0..wanted).flat_map(|by| [wanted + by, wanted - by]);
    near.into_iter().find(|number| is_smooth(*number)).unwrap_or(wanted) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hz: f32) -> Frame {
        let mut spectrum = Spectrum::new(rate);
        let samples: Vec<f32> = (0..spectrum.length())
            .map(|at| 0.5 * (2.0 * PI * hz * at as f32 / rate as f32).sin())
            .collect();
        spectrum.see(&samples)
    }

    #[test]
    fn a_tone_looks_the_same_at_every_rate() {
        let (one, other) = (tone(44_100, 1000.0), tone(48_000, 1000.0));
        assert!((one.centroid - other.centroid).abs() < 0.2, "{one:?}\n{other:?}");
        assert!((one.power - other.power).abs() < 0.05 * one.power);
        let high = tone(96_000, 4000.0);
        assert!(one.centroid + 5.0 < high.centroid);
        assert!(2.0 < one.crest[2], "1 kHz stands out in its octave: {:?}", one.crest);
    }

    #[test]
    fn silence_has_no_wild_values() {
        for rate in [1_000, 8_000, 44_100, 192_000, 384_000] {
            let mut spectrum = Spectrum::new(rate);
            let frame = spectrum.see(&vec![0.0; spectrum.length()]);
            assert!(frame.cepstrum.iter().chain(&frame.crest).all(|value| value.is_finite()));
            assert!(frame.flatness.abs() < 0.01 && frame.power < 1e-12, "{rate}: {frame:?}");
        }
    }

    #[test]
    fn lengths_are_near_and_fast() {
        assert_eq!(smooth(2048), 2048);
        assert_eq!(smooth(2229), 2250);
        assert_eq!(smooth(0), 64);
    }
}
