//! Each source format turned into each target, and heard.

use std::{fs, path::Path, process::Command, time::Duration};

use tunelocker::{
    catalog::TrackFacts,
    playback::{Target, Wish},
};

use super::{
    Stage,
    sound::{AMPLITUDE, LENGTH, Sound, TURN, samples, signal, tone},
    track,
};
use crate::harness::{ape, dsd};

/// A source format.
struct Source {
    name: &'static str,
    /// As it comes out of the decoder.
    rate: u32,
    channels: u32,
    bits: u32,
    made: Made,
    targets: &'static [Target],
}

/// Everything there is.
const ALL: &[Target] =
    &[Target::Opus, Target::Mp3, Target::Aac, Target::M4a, Target::Flac, Target::Wav];
/// For sources that differ by their decoder alone.
const FEW: &[Target] = &[Target::Opus, Target::Mp3];

/// Who makes the file.
enum Made {
    /// `ffmpeg` with these arguments.
    ByFfmpeg(&'static [&'static str]),
    /// We do, into this file.
    ByHand(fn(&Path)),
}

/// What a target must come out as: codec, rate, channels.
fn expected(target: Target, source: &Source) -> (&'static str, u32, u32) {
    let common = match source.rate {
        88_200 | 352_800 => 44_100,
        rate if 48_000 < rate => 48_000,
        rate => rate,
    };
    match target {
        Target::Opus => ("opus", 48_000, source.channels),
        Target::Mp3 => ("mp3", common, source.channels),
        Target::Aac | Target::M4a => ("aac", common, source.channels),
        Target::Flac => ("flac", source.rate, source.channels),
        Target::Wav => ("pcm_s16le", common, source.channels),
        Target::L16 => unreachable!("heard by itself"),
    }
}

async fn hear_all(source: Source) {
    let stage = Stage::new().await;
    let path = match source.made {
        Made::ByFfmpeg(arguments) => {
            tone(stage.folder.path(), source.name, source.rate, source.channels, arguments)
        }
        Made::ByHand(make) => {
            let path = stage.folder.path().join(source.name);
            make(&path);
            path
        }
    };
    let facts = TrackFacts {
        // Its length is taken from what the tags' reader found.
        container: if source.name.ends_with(".mpc") { "musepack" } else { "other" }.to_owned(),
        codec: "other".to_owned(),
        duration_ms: (LENGTH * 1000.0) as u64,
        sample_rate: source.rate,
        channels: source.channels,
        bit_depth: source.bits,
        ..TrackFacts::default()
    };
    let track = track(&path, facts);
    // These containers count packets, not samples, and FFmpeg's encoder of Windows Media tells
    // nobody of its delay.
    let is_vague = source.name.ends_with(".wma") || source.name.ends_with(".mpc");
    let (slack, length_slack) = match source.bits {
        _ if source.name.ends_with(".mpc") => (0.1, 0.02),
        _ if is_vague => (0.1, 0.1),
        // A filter of its own comes before that of the resampler.
        1 => (0.035, 0.05),
        _ => (0.02, 0.05),
    };
    for &target in source.targets {
        let what = format!("{} to {target:?}", source.name);
        let sound = Sound::of(&stage.hear(&track, &Wish::to(target)).await, target.suffix());
        let (codec, rate, channels) = expected(target, &source);
        assert_eq!(
            (sound.codec.as_str(), sound.rate, sound.channels),
            (codec, rate, channels),
            "{what}"
        );
        let off = sound.duration() - LENGTH;
        println!("{what}: {:+.1} ms", off * 1000.0);
        assert!(off.abs() < length_slack, "{what}: {:+.1} ms", off * 1000.0);
        let turn = sound.turn();
        // ADTS alone cannot say that its first packet is the encoder's start-up.
        let start_up = if target == Target::Aac { 1024.0 / f64::from(rate) } else { 0.0 };
        assert!((turn - start_up - TURN).abs() < slack, "{what}: turns at {turn}");
        for (frequency, from, to) in [(1000.0, 0.2, 1.2), (2000.0, 1.8, 3.8)] {
            let amplitude = sound.amplitude(frequency, from, to);
            assert!((amplitude - AMPLITUDE).abs() < 0.03, "{what}: {frequency} Hz at {amplitude}");
        }
        // No hole anywhere, the edges of lossy codecs aside.
        let mut at = 0.06;
        while at + 0.05 < sound.duration() - 0.06 {
            let frequency = if at + 0.05 < turn - 0.03 { 1000.0 } else { 2000.0 };
            let is_clear = at + 0.05 < turn - 0.03 || turn + 0.05 < at;
            if is_clear {
                let amplitude = sound.amplitude(frequency, at, at + 0.05);
                assert!(0.4 < amplitude, "{what}: a hole at {at}: {amplitude}");
            }
            at += 0.05;
        }

        let offset = Duration::from_millis(1_234);
        let wish = Wish { offset, ..Wish::to(target) };
        let sound = Sound::of(&stage.hear(&track, &wish).await, target.suffix());
        let off = sound.duration() - (LENGTH - 1.234);
        println!("{what} from 1.234 s: {:+.1} ms, turns at {}", off * 1000.0, sound.turn());
        assert!(off.abs() < length_slack, "{what} from an offset: {:+.1} ms", off * 1000.0);
        let turn = sound.turn();
        assert!((turn - (TURN - 1.234)).abs() < slack, "{what} from an offset: turns at {turn}");
    }
    stage
        .eventually("all workers but the spare end", |stage| stage.playback.load().workers <= 1)
        .await;
}

macro_rules! sources {
    ($targets:ident; $($test:ident: $name:literal, $rate:literal Hz, $channels:literal channels, $bits:literal bits, [$($argument:literal),*];)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            hear_all(Source {
                name: $name,
                rate: $rate,
                channels: $channels,
                bits: $bits,
                made: Made::ByFfmpeg(&[$($argument),*]),
                targets: $targets,
            })
            .await;
        })*
    };
}

sources! {
    ALL;
    hears_mp3: "a.mp3", 44_100 Hz, 2 channels, 0 bits, ["-b:a", "256k"];
    hears_mp3_vbr_mono: "b.mp3", 44_100 Hz, 1 channels, 0 bits, ["-q:a", "4"];
    hears_flac: "a.flac", 44_100 Hz, 2 channels, 16 bits, ["-sample_fmt", "s16"];
    hears_flac_24_192: "b.flac", 192_000 Hz, 2 channels, 24 bits,
        ["-sample_fmt", "s32", "-bits_per_raw_sample", "24"];
    hears_vorbis: "a.ogg", 44_100 Hz, 2 channels, 0 bits, ["-c:a", "libvorbis", "-q:a", "6"];
    hears_opus: "a.opus", 48_000 Hz, 2 channels, 0 bits, ["-c:a", "libopus", "-b:a", "160k"];
    hears_aac: "a.m4a", 44_100 Hz, 2 channels, 0 bits, ["-c:a", "aac", "-b:a", "192k"];
    hears_alac: "b.m4a", 44_100 Hz, 2 channels, 16 bits, ["-c:a", "alac", "-sample_fmt", "s16p"];
    hears_wav: "a.wav", 48_000 Hz, 2 channels, 16 bits, ["-c:a", "pcm_s16le"];
    hears_aiff: "a.aiff", 44_100 Hz, 2 channels, 24 bits, ["-c:a", "pcm_s24be"];
    hears_wavpack: "a.wv", 88_200 Hz, 2 channels, 24 bits, ["-c:a", "wavpack", "-sample_fmt", "s32p"];
}

sources! {
    FEW;
    hears_wma: "a.wma", 44_100 Hz, 2 channels, 0 bits, ["-c:a", "wmav2", "-b:a", "192k"];
    hears_matroska: "a.mka", 44_100 Hz, 2 channels, 0 bits, ["-c:a", "libvorbis", "-q:a", "6"];
    hears_matroska_flac: "b.mka", 48_000 Hz, 2 channels, 16 bits,
        ["-c:a", "flac", "-sample_fmt", "s16"];
    hears_true_audio: "a.tta", 44_100 Hz, 2 channels, 16 bits, ["-c:a", "tta", "-sample_fmt", "s16"];
}

#[tokio::test(flavor = "multi_thread")]
async fn hears_monkeys_audio() {
    hear_all(Source {
        name: "a.ape",
        rate: 44_100,
        channels: 2,
        targets: FEW,
        bits: 16,
        made: Made::ByHand(|path| fs::write(path, ape::encode(&samples(44_100), 44_100)).unwrap()),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hears_musepack() {
    hear_all(Source {
        name: "a.mpc",
        rate: 44_100,
        channels: 2,
        targets: FEW,
        bits: 0,
        made: Made::ByHand(|path| {
            let wave = tone(path.parent().unwrap(), "mpc.wav", 44_100, 2, &[]);
            let made = Command::new("mpcenc").arg("--silent").arg(wave).arg(path).output();
            assert!(made.as_ref().unwrap().status.success(), "{made:?}");
        }),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hears_dsf() {
    hear_all(Source {
        name: "a.dsf",
        rate: 352_800,
        channels: 2,
        targets: FEW,
        bits: 1,
        made: Made::ByHand(|path| {
            fs::write(path, dsd::dsf(&dsd::modulate(LENGTH, signal), &[])).unwrap();
        }),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hears_dff() {
    hear_all(Source {
        name: "a.dff",
        rate: 352_800,
        channels: 2,
        targets: FEW,
        bits: 1,
        made: Made::ByHand(|path| {
            fs::write(path, dsd::dff(&dsd::modulate(LENGTH, signal), &[])).unwrap();
        }),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lossless_is_lossless() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "a.wav", 44_100, 2, &["-c:a", "pcm_s16le"]);
    let facts =
        TrackFacts { bit_depth: 16, sample_rate: 44_100, channels: 2, ..TrackFacts::default() };
    let track = track(&path, facts);
    let original = Sound::of(&std::fs::read(&path).unwrap(), "wav");
    for target in [Target::Flac, Target::Wav, Target::L16] {
        let made = Sound::of(&stage.hear(&track, &Wish::to(target)).await, target.suffix());
        assert!(made.samples == original.samples, "{target:?} differs");
    }
    let wish = Wish { offset: Duration::from_secs(1), ..Wish::to(Target::Flac) };
    let made = Sound::of(&stage.hear(&track, &wish).await, "flac");
    assert!(made.samples == original.samples[44_100..], "an offset is exact to the sample");
}

#[tokio::test(flavor = "multi_thread")]
async fn part_of_an_image_is_cut_to_the_sample() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "image.flac", 44_100, 2, &["-sample_fmt", "s16"]);
    let facts = TrackFacts {
        container: "flac".to_owned(),
        codec: "flac".to_owned(),
        bit_depth: 16,
        sample_rate: 44_100,
        channels: 2,
        duration_ms: 1000,
        ..TrackFacts::default()
    };
    let mut track = track(&path, facts);
    track.range_ms = Some((1000, 2000));
    let original = Sound::of(&std::fs::read(&path).unwrap(), "flac");
    let made = Sound::of(&stage.hear(&track, &Wish::default()).await, "flac");
    assert_eq!(made.samples.len(), 44_100);
    assert!(made.samples == original.samples[44_100..88_200]);
    let wish = Wish { offset: Duration::from_millis(250), ..Wish::original() };
    let made = Sound::of(&stage.hear(&track, &wish).await, "flac");
    assert!(made.samples == original.samples[55_125..88_200]);
    let sound = Sound::of(&stage.hear(&track, &Wish::to(Target::Mp3)).await, "mp3");
    assert!((sound.duration() - 1.0).abs() < 0.05, "{}", sound.duration());
}
