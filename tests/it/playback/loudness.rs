//! Loudness correction in transcodes, measured.

use tunelocker::{
    catalog::{ReplayGain, TrackFacts},
    playback::{Gain, Target, Wish},
};

use super::{
    Stage, listener,
    sound::{AMPLITUDE, LENGTH, Sound, tone},
    track,
};

#[tokio::test(flavor = "multi_thread")]
async fn transcodes_are_turned_up_and_down_without_clipping() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &["-sample_fmt", "s16"]);
    let quieter = ReplayGain {
        track_gain: Some(-6.0),
        track_peak: Some(0.5),
        album_gain: Some(-12.0),
        album_peak: Some(0.5),
    };
    let louder =
        ReplayGain { track_gain: Some(12.0), track_peak: Some(0.5), ..ReplayGain::default() };
    let unmeasured = ReplayGain { track_gain: Some(12.0), ..ReplayGain::default() };
    let half = 10.0_f64.powf(-6.0 / 20.0);
    for (gain, known, target, expected) in [
        (Gain::Off, quieter, Target::Wav, 1.0),
        (Gain::Track, quieter, Target::Wav, half),
        (Gain::Album, quieter, Target::Wav, half * half),
        (Gain::Auto, quieter, Target::Opus, half * half),
        (Gain::Track, quieter, Target::Mp3, half),
        // Only as loud as its peak allows.
        (Gain::Track, louder, Target::Flac, 2.0),
        (Gain::Auto, ReplayGain::default(), Target::Flac, 1.0),
    ] {
        let facts = TrackFacts {
            gain: known,
            duration_ms: (LENGTH * 1000.0) as u64,
            bit_depth: 16,
            sample_rate: 44_100,
            channels: 2,
            ..TrackFacts::default()
        };
        let source = track(&path, facts);
        let wish = Wish { gain: Some(gain), ..Wish::to(target) };
        let sound = Sound::of(&stage.hear(&source, &wish).await, target.suffix());
        let amplitude = sound.amplitude(2000.0, 1.8, 3.8) / AMPLITUDE;
        println!("{gain:?} {target:?}: {amplitude:.4} for {expected:.4}");
        assert!((amplitude / expected - 1.0).abs() < 0.02, "{gain:?} {target:?}: {amplitude}");
        assert!((sound.turn() - 1.5).abs() < 0.02);
    }
    // Nobody measured its peak: four times as loud would be twice full scale, so peaks are held.
    let facts = TrackFacts {
        gain: unmeasured,
        duration_ms: (LENGTH * 1000.0) as u64,
        bit_depth: 16,
        ..TrackFacts::default()
    };
    let source = track(&path, facts);
    let wish = Wish { gain: Some(Gain::Track), ..Wish::to(Target::Flac) };
    let sound = Sound::of(&stage.hear(&source, &wish).await, "flac");
    let peak = sound.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    println!("peak {peak}, turn {}", sound.turn());
    assert!((0.9..0.999).contains(&peak), "{peak}");
    assert!(0.85 < sound.amplitude(2000.0, 2.0, 3.8));
    // The limiter looks ahead without shifting the sound or losing its end.
    assert!((sound.turn() - 1.5).abs() < 0.005, "{}", sound.turn());
    assert_eq!(sound.samples.len(), 176_400);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_gets_what_the_user_chose() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &["-sample_fmt", "s16"]);
    let facts = TrackFacts {
        gain: ReplayGain { track_gain: Some(-6.0), ..ReplayGain::default() },
        duration_ms: (LENGTH * 1000.0) as u64,
        ..TrackFacts::default()
    };
    let source = track(&path, facts);
    let user = listener(stage.person().await);
    stage.playback.set_gain(&user, Gain::Auto).await.unwrap();
    assert_eq!(stage.playback.gain_of(&user).await.unwrap(), Gain::Auto);
    let wish = Wish::to(Target::Wav);
    for (who, expected) in [(user, 0.5 * AMPLITUDE), (listener(99), AMPLITUDE)] {
        let opened = stage.playback.open_source(&who, &source, &wish, "test").await.unwrap();
        let sound = Sound::of(&super::bytes(opened).await, "wav");
        let amplitude = sound.amplitude(2000.0, 1.8, 3.8);
        assert!((amplitude / expected - 1.0).abs() < 0.02, "{amplitude} for {expected}");
    }
    assert!(stage.playback.set_gain(&listener(0), Gain::Track).await.is_err());
}
