//! Exactness: where a transcode begins in a long file, how long results are to the sample, what
//! headers say, and that tracks follow each other without a gap.

use std::{process::Command, time::Duration};

use tunelocker::{
    catalog::TrackFacts,
    playback::{BitrateMode, ClientProfile, Opened, Target, Wish},
};

use super::{
    Stage, bytes,
    sound::{AMPLITUDE, LENGTH, Sound, tone, turning},
    track,
};

fn facts(seconds: f64) -> TrackFacts {
    TrackFacts {
        container: "other".to_owned(),
        codec: "other".to_owned(),
        duration_ms: (seconds * 1000.0) as u64,
        sample_rate: 44_100,
        channels: 2,
        bit_depth: 16,
        bitrate_kbps: 700,
        ..TrackFacts::default()
    }
}

/// Half a minute into files of each kind, the sound is where it should be to 20 ms.
#[tokio::test(flavor = "multi_thread")]
async fn an_offset_is_exact_to_20_ms_in_every_kind_of_file() {
    let stage = Stage::new().await;
    let sources: [(&str, &[&str]); 6] = [
        ("cbr.mp3", &["-b:a", "128k"]),
        ("vbr.mp3", &["-q:a", "4"]),
        ("plain.mp3", &["-q:a", "4", "-write_xing", "0"]),
        ("a.flac", &["-sample_fmt", "s16"]),
        ("a.ogg", &["-c:a", "libvorbis"]),
        ("a.m4a", &["-c:a", "aac"]),
    ];
    for (at, (name, arguments)) in sources.into_iter().enumerate() {
        let folder = stage.folder.path();
        let path = turning(folder, name, (44_100, 2), (31.7, 33.5), arguments);
        let track = track(&path, facts(33.5));
        // Every target for one source, and two targets for each.
        let targets =
            [Target::Mp3, Target::Opus, Target::Aac, Target::M4a, Target::Flac, Target::Wav];
        for target in targets.into_iter().filter(|target| name == "a.flac" || target.is_lossless())
        {
            let offset = Duration::from_millis(30_250 + 111 * at as u64);
            let wish = Wish { offset, ..Wish::to(target) };
            let sound = Sound::of(&stage.hear(&track, &wish).await, target.suffix());
            // Without its header nobody knows that an MP3 begins with the encoder's start-up.
            let start_up = if name == "plain.mp3" { 1105.0 / 44_100.0 } else { 0.0 };
            let off = sound.turn() - (31.7 + start_up - offset.as_secs_f64());
            println!("{name} to {target:?}: {:+.1} ms", off * 1000.0);
            assert!(off.abs() < 0.02, "{name} to {target:?}: off by {off}");
        }
    }
}

/// Targets that can say it are as long as the sound, to the sample.
#[tokio::test(flavor = "multi_thread")]
async fn lengths_are_exact_to_the_sample() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "a.wav", 44_100, 2, &["-c:a", "pcm_s16le"]);
    let track = track(&path, facts(LENGTH));
    for (target, samples) in [
        (Target::Mp3, 176_400),
        (Target::Opus, 192_000),
        (Target::Flac, 176_400),
        (Target::Wav, 176_400),
        (Target::L16, 176_400),
    ] {
        let sound = Sound::of(&stage.hear(&track, &Wish::to(target)).await, target.suffix());
        assert_eq!(sound.samples.len(), samples, "{target:?}");
    }
    // What follows the last sample of AAC is cut by players that read the edit list; it is less
    // than a packet, and in front there is nothing.
    let heard = stage.hear(&track, &Wish::to(Target::M4a)).await;
    let sound = Sound::of(&heard, "m4a");
    println!("m4a: {} samples", sound.samples.len());
    assert!((176_400..176_400 + 1024).contains(&sound.samples.len()), "{}", sound.samples.len());
    assert!((sound.turn() - 1.5).abs() < 0.005, "{}", sound.turn());
    let file = tempfile::Builder::new().suffix(".m4a").tempfile().unwrap();
    std::fs::write(file.path(), &heard).unwrap();
    let said = probe(file.path(), "format=duration");
    // This reader counts the start-up, whatever the edit list says.
    let start_up = 1024.0 / 44_100.0;
    assert!((said.parse::<f64>().unwrap() - LENGTH - start_up).abs() < 0.001, "{said}");
}

fn probe(path: &std::path::Path, entries: &str) -> String {
    let done = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "a:0", "-show_entries", entries])
        .args(["-of", "default=nw=1:nk=1"])
        .arg(path)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// Opus: pre-skip in the header, and a last granule that ends with the sound.
#[tokio::test(flavor = "multi_thread")]
async fn opus_says_what_to_skip_and_where_it_ends() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &["-sample_fmt", "s16"]);
    let heard = stage.hear(&track(&path, facts(LENGTH)), &Wish::to(Target::Opus)).await;
    let head = heard.windows(8).position(|window| window == b"OpusHead").unwrap();
    let skip = u64::from(u16::from_le_bytes([heard[head + 10], heard[head + 11]]));
    let last = heard.windows(4).rposition(|window| window == b"OggS").unwrap();
    let granule = u64::from_le_bytes(heard[last + 6..last + 14].try_into().unwrap());
    assert!(skip >= 120, "{skip}");
    assert_eq!(granule - skip, 192_000);
    assert_eq!(heard[last + 5] & 4, 4, "the last page says that it is the last");
}

/// A variable bitrate is known when it is over: the kept file says all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_mp3_of_variable_bitrate_has_a_whole_header() {
    let stage = Stage::new().await;
    let admin = tunelocker::accounts::Principal {
        role: tunelocker::accounts::Role::Admin,
        ..super::listener(1)
    };
    let profile = ClientProfile {
        mode: BitrateMode::Variable,
        plays: vec!["mp3".to_owned()],
        ..ClientProfile::default()
    };
    stage.playback.set_client_profile(&admin, &profile).await.unwrap();
    let folder = stage.folder.path();
    let path = turning(folder, "a.wav", (44_100, 2), (12.0, 20.0), &["-c:a", "pcm_s16le"]);
    let track = track(&path, facts(20.0));
    let live = stage.hear(&track, &Wish::default()).await;
    assert_eq!(Sound::of(&live, "mp3").samples.len(), 882_000, "gapless already while it is made");
    stage.eventually("it is kept", |stage| stage.cached() == 1).await;
    let again = stage.open(&track, &Wish::default()).await.unwrap();
    assert!(matches!(again, Opened::File(_)));
    let kept = bytes(again).await;
    assert_eq!(kept.len(), live.len());
    let tag = kept.windows(4).position(|window| window == b"Xing").expect("a Xing header");
    let word = |at: usize| u32::from_be_bytes(kept[tag + at..tag + at + 4].try_into().unwrap());
    assert_eq!(word(4), 15, "frames, bytes, contents, quality");
    assert_eq!(word(12) as usize, kept.len());
    assert_eq!(u64::from(word(8)), (882_000_u64 + 1152).div_ceil(1152));
    assert!(kept[tag + 16..tag + 116].is_sorted());
    let sound = Sound::of(&kept, "mp3");
    assert_eq!(sound.samples.len(), 882_000);
    assert!((sound.turn() - 12.0).abs() < 0.01);
    // A promised length needs a constant one.
    let wish = Wish { estimate_length: true, ..Wish::default() };
    let promised = stage.hear(&track, &wish).await;
    assert!(!promised.windows(4).any(|window| window == b"Xing"));
}

/// Two tracks cut from one recording, each made into MP3 and put together again: one tone.
#[tokio::test(flavor = "multi_thread")]
async fn tracks_follow_each_other_without_a_gap() {
    let stage = Stage::new().await;
    let folder = stage.folder.path();
    let path = turning(folder, "a.wav", (44_100, 2), (100.0, 4.0), &["-c:a", "pcm_s16le"]);
    for target in [Target::Mp3, Target::Opus] {
        let mut joined = Vec::new();
        let mut rate = 0;
        for range in [(0, 2000), (2000, 4000)] {
            let mut part = track(&path, facts(2.0));
            part.range_ms = Some(range);
            let sound = Sound::of(&stage.hear(&part, &Wish::to(target)).await, target.suffix());
            rate = sound.rate;
            joined.extend(sound.samples);
        }
        let sound = Sound { rate, channels: 1, codec: String::new(), samples: joined };
        assert!((sound.duration() - 4.0).abs() < 1e-9, "{target:?}: {}", sound.duration());
        for at in [1.95, 1.97, 1.99, 2.0, 2.02, 2.04] {
            let amplitude = sound.amplitude(1000.0, at, at + 0.01);
            println!("{target:?} at {at}: {amplitude}");
            assert!((amplitude - AMPLITUDE).abs() < 0.12, "{target:?}: {amplitude} at {at}");
        }
        let whole = sound.amplitude(1000.0, 1.5, 2.5);
        assert!((whole - AMPLITUDE).abs() < 0.02, "{target:?}: out of step: {whole}");
    }
}

/// Who asks for at most so much gets no more, whatever the music: tones and noise cost an encoder
/// of unbounded rate far more than it was told.
#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept_by_every_encoder() {
    let stage = Stage::new().await;
    let path = stage.folder.path().join("dense.wav");
    let chord = (1..30).map(|n| format!("sin(2*PI*{}*t)", 110 * n + 7 * n * n % 90));
    let dense = format!(
        "aevalsrc=0.02*({})+0.05*random(0):s=44100:d=20",
        chord.collect::<Vec<_>>().join("+")
    );
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &dense, "-ac", "2"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let track = track(&path, facts(20.0));
    for target in [Target::Opus, Target::Mp3, Target::Aac] {
        for most in [64, 128] {
            let wish = Wish { max_bitrate_kbps: Some(most), ..Wish::to(target) };
            let heard = stage.hear(&track, &wish).await.len() as f64 * 8.0 / 20_000.0;
            println!("{target:?} at most {most}: {heard:.1} kbit/s");
            assert!(heard < f64::from(most) * 1.08, "{target:?}: {heard} of {most} kbit/s");
        }
    }
}
