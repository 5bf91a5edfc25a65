//! Makes sound with the `ffmpeg` command line, and measures what came back.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Amplitude of the test tone.
pub(crate) const AMPLITUDE: f64 = 0.5;

/// When the tone turns from 1 kHz to 2 kHz, in seconds.
pub(crate) const TURN: f64 = 1.5;

/// Length of the test tone in seconds.
pub(crate) const LENGTH: f64 = 4.0;

/// A tone of 1 kHz that turns to 2 kHz, made by `ffmpeg` with these arguments for its output.
pub(crate) fn tone(
    folder: &Path,
    name: &str,
    rate: u32,
    channels: u32,
    arguments: &[&str],
) -> PathBuf {
    turning(folder, name, (rate, channels), (TURN, LENGTH), arguments)
}

/// The same that turns at another time and is as long as you like: rate and channels, turn and
/// length in seconds.
pub(crate) fn turning(
    folder: &Path,
    name: &str,
    (rate, channels): (u32, u32),
    (turn, length): (f64, f64),
    arguments: &[&str],
) -> PathBuf {
    let path = folder.join(name);
    let one = format!("{AMPLITUDE}*if(lt(t\\,{turn})\\,sin(2*PI*1000*t)\\,sin(2*PI*2000*t))");
    let all = vec![one; channels as usize].join("|");
    let source = format!("aevalsrc={all}:s={rate}:d={length}");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", &source])
        .args(arguments)
        .arg(&path)
        .status()
        .expect("ffmpeg is installed");
    assert!(made.success());
    path
}

/// Sound that is hard to encode, in turns of three seconds: many loud tones, noise, both, clicks.
pub(crate) fn hard(folder: &Path, name: &str, length: f64) -> PathBuf {
    let path = folder.join(name);
    let tones =
        "(sin(2*PI*220*t)+sin(2*PI*1318*t)+sin(2*PI*2489*t)+sin(2*PI*5274*t)+sin(2*PI*9397*t))/5";
    let part = |noise: &str| {
        format!(
            "if(lt(mod(t\\,12)\\,3)\\,{tones}\\,if(lt(mod(t\\,12)\\,6)\\,{noise}\\,\
             if(lt(mod(t\\,12)\\,9)\\,({tones}+{noise})/2\\,lt(mod(t\\,0.1)\\,0.002)*{noise})))"
        )
    };
    let both = [part("(2*random(0)-1)"), part("(2*random(1)-1)")].join("|");
    let source = format!("aevalsrc={both}:s=44100:d={length}");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", &source])
        .arg(&path)
        .status()
        .expect("ffmpeg is installed");
    assert!(made.success());
    path
}

/// The same tone at a time in seconds, for files that are made by hand.
pub(crate) fn signal(time: f64) -> f64 {
    let frequency = if time < TURN { 1000.0 } else { 2000.0 };
    AMPLITUDE * (2.0 * std::f64::consts::PI * frequency * time).sin()
}

/// All of it as 16 bit samples.
pub(crate) fn samples(rate: u32) -> Vec<i16> {
    let count = (LENGTH * f64::from(rate)) as u32;
    let at = |index: u32| signal(f64::from(index) / f64::from(rate));
    (0..count).map(|index| (at(index) * 32_767.0).round() as i16).collect()
}

/// Decoded sound.
#[derive(Debug)]
pub(crate) struct Sound {
    pub(crate) rate: u32,
    pub(crate) channels: u32,
    pub(crate) codec: String,
    /// The first channel.
    pub(crate) samples: Vec<f32>,
}

impl Sound {
    /// Decodes bytes by another program than ours.
    pub(crate) fn of(bytes: &[u8], suffix: &str) -> Self {
        let file = tempfile::Builder::new().suffix(&format!(".{suffix}")).tempfile().unwrap();
        file.as_file().write_all(bytes).unwrap();
        let raw = ["-f", "s16be", "-ar", "44100", "-ac", "2"];
        let extra: &[&str] = if suffix == "l16" { &raw } else { &[] };
        let probed = Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", "a:0"])
            .args(["-show_entries", "stream=codec_name,sample_rate,channels", "-of", "csv=p=0"])
            .args(extra)
            .arg(file.path())
            .output()
            .unwrap();
        assert!(probed.status.success(), "{}", String::from_utf8_lossy(&probed.stderr));
        let line = String::from_utf8(probed.stdout).unwrap();
        let words: Vec<&str> = line.trim().split(',').collect();
        let [codec, rate, channels] = words[..] else { panic!("not audio: {line:?}") };
        let (rate, channels) = (rate.parse().unwrap(), channels.parse().unwrap());
        let decoded = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin"])
            .args(extra)
            .arg("-i")
            .arg(file.path())
            .args(["-f", "f32le", "-c:a", "pcm_f32le", "-"])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(decoded.status.success());
        let samples = decoded
            .stdout
            .chunks_exact(4 * channels as usize)
            .map(|frame| f32::from_le_bytes(frame[..4].try_into().unwrap()))
            .collect();
        Self { rate, channels, codec: codec.to_owned(), samples }
    }

    /// Seconds.
    pub(crate) fn duration(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// Amplitude of a sine of `frequency` between two times (Goertzel's sum, plain).
    pub(crate) fn amplitude(&self, frequency: f64, from: f64, to: f64) -> f64 {
        let at = |time: f64| ((time * f64::from(self.rate)) as usize).min(self.samples.len());
        let window = &self.samples[at(from)..at(to)];
        assert!(!window.is_empty(), "nothing between {from} and {to}");
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (index, sample) in window.iter().enumerate() {
            let phase =
                2.0 * std::f64::consts::PI * frequency * index as f64 / f64::from(self.rate);
            real += f64::from(*sample) * phase.cos();
            imaginary += f64::from(*sample) * phase.sin();
        }
        2.0 * real.hypot(imaginary) / window.len() as f64
    }

    /// When the tone turns: the first 5 ms in which 2 kHz is stronger than 1 kHz.
    pub(crate) fn turn(&self) -> f64 {
        let step = 0.005;
        let mut from = 0.0;
        while from + step <= self.duration() {
            let second = self.amplitude(2000.0, from, from + step);
            if self.amplitude(1000.0, from, from + step) < second && AMPLITUDE / 4.0 < second {
                return from;
            }
            from += step / 5.0;
        }
        panic!("it never turns to 2 kHz");
    }
}
