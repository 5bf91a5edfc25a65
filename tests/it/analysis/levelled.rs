//! What was measured is what transcodes are turned up and down by, as far as nothing clips.

use std::process::Command;

use tunelocker::playback::{Gain, Opened, Target, Wish};

use super::{administrator, all_of, hearing, tracks, until};
use crate::playback::sound::Sound;

#[tokio::test(flavor = "multi_thread")]
async fn analysis_levels_transcodes_without_clipping() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Files without a word on their loudness: loud; quiet; and quiet with one loud moment, which
    // leaves no room to turn it up as far as its loudness asks for.
    for (name, sound) in [
        ("Loud", "0.9*sin(2*PI*1000*t)"),
        ("Quiet", "0.02*sin(2*PI*1000*t)"),
        ("Peaky", "if(between(t,2,2.01),0.5,0.02)*sin(2*PI*1000*t)"),
    ] {
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i"])
            .arg(format!("aevalsrc='{sound}|{sound}':s=44100:d=5"))
            .args(["-metadata", &format!("title={name}"), "-sample_fmt", "s16"])
            .arg(folder.path().join(format!("{name}.flac")))
            .status();
        assert!(made.unwrap().success());
    }
    let app = hearing(folder.path(), data.path(), true).await;
    let ann = administrator(&app).await;
    until(&app, &ann, "the end", all_of(3)).await;
    for track in tracks(&app, &ann).await {
        let (gain, peak) = (track.gain.track_gain.unwrap(), track.gain.track_peak.unwrap());
        let wish = Wish { gain: Some(Gain::Track), ..Wish::to(Target::Flac) };
        let opened = app.services.playback.open(&ann, track.id, &wish, "test").await.unwrap();
        let Opened::Live(mut body) = opened else { panic!("it was not made anew") };
        let mut bytes = Vec::new();
        while let Some(piece) = futures_util::StreamExt::next(&mut body.stream).await {
            bytes.extend_from_slice(&piece.unwrap());
        }
        let sound = Sound::of(&bytes, "flac");
        let before = if track.title == "Loud" { 0.9 } else { 0.02 };
        let turned = 20.0 * (sound.amplitude(1000.0, 0.5, 1.5) / before).log10();
        let room = -20.0 * peak.log10();
        println!("{}: gain {gain} dB, room {room:.2} dB, turned by {turned:.2} dB", track.title);
        assert!((turned - gain.min(room)).abs() < 0.2, "{}", track.title);
        let highest = sound.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!(highest <= 1.0, "{}: {highest}", track.title);
        match &*track.title {
            "Loud" => assert!(gain < -10.0),
            "Quiet" => assert!(10.0 < gain && gain < room, "it has the room it needs"),
            _ => assert!(room < gain && 0.98 < highest, "as loud as its loudest moment allows"),
        }
    }
}
