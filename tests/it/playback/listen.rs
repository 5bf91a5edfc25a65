//! Each source format turned into each target, and heard.

use std::time::Duration;

use tunelocker::{
    catalog::TrackFacts,
    playback::{Target, Wish},
};

use super::{
    Stage,
    sound::{AMPLITUDE, LENGTH, Sound, TURN, tone},
    track,
};

/// A source format.
struct Source {
    name: &'static str,
    rate: u32,
    channels: u32,
    bits: u32,
    arguments: &'static [&'static str],
}

/// What a target must come out as: codec, rate, channels.
fn expected(target: Target, source: &Source) -> (&'static str, u32, u32) {
    let common = match source.rate {
        88_200 => 44_100,
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
    let path =
        tone(stage.folder.path(), source.name, source.rate, source.channels, source.arguments);
    let facts = TrackFacts {
        container: "other".to_owned(),
        codec: "other".to_owned(),
        duration_ms: (LENGTH * 1000.0) as u64,
        sample_rate: source.rate,
        channels: source.channels,
        bit_depth: source.bits,
        ..TrackFacts::default()
    };
    let track = track(&path, facts);
    for target in [Target::Opus, Target::Mp3, Target::Aac, Target::M4a, Target::Flac, Target::Wav] {
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
        assert!(off.abs() < 0.05, "{what}: {:+.1} ms", off * 1000.0);
        let turn = sound.turn();
        // ADTS alone cannot say that its first packet is the encoder's start-up.
        let start_up = if target == Target::Aac { 1024.0 / f64::from(rate) } else { 0.0 };
        assert!((turn - start_up - TURN).abs() < 0.02, "{what}: turns at {turn}");
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
        assert!(off.abs() < 0.05, "{what} from an offset: {:+.1} ms", off * 1000.0);
        let turn = sound.turn();
        assert!((turn - (TURN - 1.234)).abs() < 0.02, "{what} from an offset: turns at {turn}");
    }
    stage
        .eventually("all workers but the spare end", |stage| stage.playback.load().workers <= 1)
        .await;
}

macro_rules! sources {
    ($($test:ident: $name:literal, $rate:literal Hz, $channels:literal channels, $bits:literal bits, [$($argument:literal),*];)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            hear_all(Source {
                name: $name,
                rate: $rate,
                channels: $channels,
                bits: $bits,
                arguments: &[$($argument),*],
            })
            .await;
        })*
    };
}

sources! {
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
