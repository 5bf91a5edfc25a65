//! Onsets and the beat: how strongly something begins, and at which distances it does so again.

use super::{spectrum::BANDS, statistics::Spread};

/// Ranges of beats a minute whose strength is kept each.
pub(super) const TEMPI: usize = 6;
const EDGES: [f32; TEMPI + 1] = [40.0, 60.0, 80.0, 100.0, 130.0, 170.0, 240.0];
/// Below this likeness to itself a beat later there is no beat.
const IS_BEAT: f32 = 0.12;
/// Beats a minute that are believed most, and how much less in an octave from there.
const LIKELY: f32 = 115.0;
const OCTAVE: f32 = 0.9;

/// Onset strength, frame by frame.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    last: Option<[f32; BANDS]>,
    onsets: Vec<f32>,
}

/// What was found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beat {
    /// Beats a minute.
    pub(super) bpm: Option<f32>,
    /// Mean onset strength.
    pub(super) strength: f32,
    /// How unevenly strong onsets are.
    pub(super) unevenness: f32,
    /// Likeness to itself at the best distance in each range of tempi.
    pub(super) tempi: [f32; TEMPI],
}

impl Rhythm {
    /// What begins in this frame: all that got louder since the last one.
    pub(super) fn add(&mut self, log_mel: &[f32; BANDS]) {
        let onset = self.last.map_or(0.0, |last| {
            let rises = log_mel.iter().zip(last).map(|(now, before)| (now - before).max(0.0));
            rises.sum::<f32>() / BANDS as f32
        });
        self.onsets.push(onset);
        self.last = Some(*log_mel);
    }

    pub(super) fn beat(&self, frame_rate: f32) -> Beat {
        let mut spread = Spread::default();
        self.onsets.iter().for_each(|onset| spread.add(*onset));
        let mut beat = Beat {
            strength: spread.mean(),
            unevenness: spread.deviation() / (spread.mean() + 0.02),
            ..Beat::default()
        };
        // Smoothed a little, for a beat rarely is a whole number of frames long.
        let level: Vec<f32> = self
            .onsets
            .windows(3)
            .map(|three| (three[0] + 2.0 * three[1] + three[2]) / 4.0 - spread.mean())
            .collect();
        let power: f32 = level.iter().map(|value| value * value).sum();
        let lag_of = |bpm: f32| frame_rate * 60.0 / bpm;
        let longest = lag_of(EDGES[0]).ceil() as usize;
        if level.len() < 2 * longest || power <= 0.0 {
            return beat;
        }
        let mut best = (IS_BEAT, None);
        let shortest = lag_of(EDGES[TEMPI]).floor().max(1.0) as usize;
        for lag in shortest..=longest {
            let alike: f32 = level.iter().zip(&level[lag..]).map(|(a, b)| a * b).sum();
            let alike = alike / power * level.len() as f32 / (level.len() - lag) as f32;
            let bpm = frame_rate * 60.0 / lag as f32;
            let range = EDGES[1..TEMPI].iter().take_while(|edge| **edge <= bpm).count();
            beat.tempi[range] = beat.tempi[range].max(alike);
            let octaves = (bpm / LIKELY).log2() / OCTAVE;
            let believed = alike * (-0.5 * octaves * octaves).exp();
            if best.0 < believed {
                best = (believed, Some(bpm));
            }
        }
        beat.bpm = best.1;
        beat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clicks(bpm: f32) -> Beat {
        let frame_rate = 43.0;
        let every = frame_rate * 60.0 / bpm;
        let mut rhythm = Rhythm::default();
        for frame in 0..1500 {
            let is_click = (frame as f32 % every) < 1.0;
            rhythm.add(&[if is_click { 0.0 } else { -10.0 }; BANDS]);
        }
        rhythm.beat(frame_rate)
    }

    #[test]
    fn clicks_have_their_tempo() {
        for bpm in [90.0, 120.0, 140.0] {
            let beat = clicks(bpm);
            let found = beat.bpm.unwrap();
            assert!((found - bpm).abs() < 0.04 * bpm, "{found} for {bpm}");
        }
    }

    #[test]
    fn a_steady_sound_has_no_beat() {
        let mut rhythm = Rhythm::default();
        (0..1000).for_each(|_| rhythm.add(&[-3.0; BANDS]));
        let beat = rhythm.beat(43.0);
        assert!(beat.bpm.is_none() && beat.tempi.iter().all(|tempo| tempo.abs() < 1e-6));
        assert!(Rhythm::default().beat(43.0).bpm.is_none());
    }
}
