//! Pieces of made-up bands: each band has its own tempo, scale, register, instrument and drums;
//! each piece its own notes. Written as WAVE, so that nothing of the code under test helps.

use std::{
    f32::consts::TAU,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const RATE: u32 = 44_100;
/// Seconds of a piece.
const LENGTH: f32 = 5.0;

/// How a band sounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Band {
    pub(crate) name: &'static str,
    pub(crate) genre: &'static str,
    /// Notes a second.
    pace: f32,
    /// MIDI number of the lowest note.
    low: f32,
    /// Steps that its tunes use.
    scale: &'static [u8],
    /// Loudness of overtones, from the root on.
    overtones: &'static [f32],
    /// How fast notes die away, a second.
    decay: f32,
    /// Loudness of the drums.
    drums: f32,
}

pub(crate) const BANDS: &[Band] = &[
    Band {
        name: "Slow Bells",
        genre: "Ambient",
        pace: 1.0,
        low: 67.0,
        scale: &[0, 2, 4, 7, 9],
        overtones: &[1.0, 0.0, 0.5, 0.0, 0.0, 0.3],
        decay: 1.2,
        drums: 0.0,
    },
    Band {
        name: "The Square Brothers",
        genre: "Electronic",
        pace: 6.0,
        low: 45.0,
        scale: &[0, 3, 5, 7, 10],
        overtones: &[1.0, 0.0, 0.33, 0.0, 0.2, 0.0, 0.14, 0.0, 0.11],
        decay: 6.0,
        drums: 0.25,
    },
    Band {
        name: "Low Drone",
        genre: "Drone",
        pace: 0.5,
        low: 33.0,
        scale: &[0, 5, 7],
        overtones: &[1.0, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15],
        decay: 0.2,
        drums: 0.0,
    },
    Band {
        name: "Rattle",
        genre: "Percussion",
        pace: 3.0,
        low: 55.0,
        scale: &[0, 1, 4, 6, 8],
        overtones: &[1.0, 0.4, 0.1],
        decay: 10.0,
        drums: 0.7,
    },
];

impl Band {
    /// One of its pieces as `FOLDER/NAME.wav`, without tags.
    pub(crate) fn piece(&self, folder: &Path, name: &str, seed: u32) -> PathBuf {
        let frames = (LENGTH * RATE as f32) as usize;
        let mut dice = Dice(seed.wrapping_mul(2_654_435_761) | 1);
        let mut mix = vec![0.0_f32; frames];
        let pace = self.pace * (0.92 + 0.16 * dice.next());
        let every = (RATE as f32 / pace) as usize;
        for start in (0..frames).step_by(every) {
            let step = self.scale[(dice.next() * self.scale.len() as f32) as usize];
            let octave = if dice.next() < 0.25 { 12.0 } else { 0.0 };
            let hz = 440.0 * ((self.low + f32::from(step) + octave - 69.0) / 12.0).exp2();
            for (at, sample) in mix[start..].iter_mut().take(2 * every.max(20_000)).enumerate() {
                let time = at as f32 / RATE as f32;
                let tone: f32 = (1_u8..)
                    .zip(self.overtones)
                    .map(|(number, gain)| gain * (TAU * hz * f32::from(number) * time).sin())
                    .sum();
                *sample += 0.2 * tone * (-self.decay * time).exp();
            }
            for (at, sample) in mix[start..].iter_mut().take(4000).enumerate() {
                *sample += self.drums * (dice.next() - 0.5) * (-(at as f32) / 900.0).exp();
            }
        }
        let peak = mix.iter().fold(0.01_f32, |peak, sample| peak.max(sample.abs()));
        let scale = 20_000.0 / peak;
        let bytes = 2 * frames as u32;
        let mut out = b"RIFF".to_vec();
        out.extend((36 + bytes).to_le_bytes());
        out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        out.extend(RATE.to_le_bytes());
        out.extend((2 * RATE).to_le_bytes());
        out.extend(b"\x02\0\x10\0data");
        out.extend(bytes.to_le_bytes());
        out.extend(mix.iter().flat_map(|sample| ((sample * scale) as i16).to_le_bytes()));
        fs::create_dir_all(folder).unwrap();
        let path = folder.join(name).with_extension("wav");
        fs::write(&path, out).unwrap();
        path
    }
}

/// Encodes a file as its new suffix says, with these tags.
pub(crate) fn encode(from: &Path, to: &Path, more: &[&str], tags: &[(&str, &str)]) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(from).args(["-map_metadata", "-1"]);
    for (name, value) in tags {
        command.arg("-metadata").arg(format!("{name}={value}"));
    }
    let made = command.args(more).arg(to).status().unwrap();
    assert!(made.success(), "{}", to.display());
}

/// Numbers from 0 to 1 that are the same every time (xorshift).
struct Dice(u32);

impl Dice {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }
}
