//! Three instruments, each a few lines of arithmetic.

use std::f32::consts::TAU;

use super::RATE;

/// What a note is played on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Voice {
    /// A plucked string (Karplus and Strong).
    Pluck,
    /// A bell (two operators of frequency modulation).
    Bell,
    /// Slow detuned sines.
    Pad,
}

impl Voice {
    /// The samples of one note of about this many seconds.
    pub(super) fn sound(self, frequency: f32, seconds: f32) -> Vec<f32> {
        match self {
            Self::Pluck => pluck(frequency, seconds + 1.2),
            Self::Bell => bell(frequency, seconds + 0.8),
            Self::Pad => pad(frequency, seconds + 0.6),
        }
    }
}

fn pluck(frequency: f32, seconds: f32) -> Vec<f32> {
    let period = (RATE as f32 / frequency).max(2.0) as usize;
    let mut noise = 0x9E37_79B9_u32;
    let mut string: Vec<f32> = (0..period)
        .map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 16) as f32 / 32_768.0 - 1.0
        })
        .collect();
    let frames = frames(seconds);
    (0..frames)
        .map(|at| {
            let (here, next) = (at % period, (at + 1) % period);
            let sample = string[here];
            string[here] = 0.4985 * (sample + string[next]);
            sample * release(at, frames)
        })
        .collect()
}

fn bell(frequency: f32, seconds: f32) -> Vec<f32> {
    let frames = frames(seconds);
    (0..frames)
        .map(|at| {
            let time = at as f32 / RATE as f32;
            let index = 2.2 * (-3.5 * time).exp();
            let modulator = (TAU * frequency * 3.5 * time).sin() * index;
            (TAU * frequency * time + modulator).sin() * (-2.0 * time).exp() * release(at, frames)
        })
        .collect()
}

fn pad(frequency: f32, seconds: f32) -> Vec<f32> {
    let frames = frames(seconds);
    (0..frames)
        .map(|at| {
            let time = at as f32 / RATE as f32;
            let attack = (time / 0.35).min(1.0);
            let sines = [(1.0, 0.5), (1.003, 0.35), (0.997, 0.35), (2.001, 0.12)];
            let sum: f32 = sines
                .iter()
                .map(|(ratio, gain)| (TAU * frequency * ratio * time).sin() * gain)
                .sum();
            sum * attack * release(at, frames)
        })
        .collect()
}

fn frames(seconds: f32) -> usize {
    (seconds * RATE as f32) as usize
}

/// The last half second dies away.
fn release(at: usize, frames: usize) -> f32 {
    ((frames - at) as f32 / (RATE as f32 / 2.0)).min(1.0)
}
