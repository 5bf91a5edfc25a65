//! HLS by those who play it: ffmpeg, and hls.js in Chromium.

use std::{path::Path, process::Command};

use reqwest::header;

use super::House;
use crate::playback::sound::Sound;

/// Length of the track: five segments, the last one short.
const SECONDS: f64 = 25.5;

/// A household with one tone of 1 kHz.
async fn household() -> House {
    let music = tempfile::tempdir().unwrap().keep();
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg(format!("aevalsrc=0.5*sin(2*PI*1000*t)|0.5*sin(2*PI*1000*t):s=44100:d={SECONDS}"))
        .args(["-metadata", "title=Tone", "-sample_fmt", "s16"])
        .arg(music.join("tone.flac"))
        .status()
        .unwrap();
    assert!(made.success());
    let house = House::over(music, |config, music| {
        config.libraries.push(("Music".to_owned(), music.to_owned()));
    })
    .await;
    house.wait_for_scan().await;
    house
}

/// Everything that ffmpeg hears of an address.
async fn decoded(url: &str) -> (Sound, String) {
    let url = url.to_owned();
    tokio::task::spawn_blocking(move || {
        let file = tempfile::Builder::new().suffix(".wav").tempfile().unwrap();
        let done = Command::new("ffmpeg")
            .args(["-v", "warning", "-nostdin", "-y", "-i", &url, "-c:a", "pcm_f32le"])
            .arg(file.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        (Sound::of(&std::fs::read(file.path()).unwrap(), "wav"), said)
    })
    .await
    .unwrap()
}

/// How far each sample is from what the two before it say of a pure 1 kHz tone.
fn jumps(sound: &Sound) -> Vec<f32> {
    let turn = 2.0 * (2.0 * std::f32::consts::PI * 1000.0 / sound.rate as f32).cos();
    sound.samples.windows(3).map(|three| (three[2] - turn * three[1] + three[0]).abs()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_hls_is_whole_and_without_clicks() {
    let house = household().await;
    let id = house.ann.id("song", "Tone").await;
    let answer = house.ann.get("hls.m3u8", &format!("id={id}&bitRate=160")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/vnd.apple.mpegurl");
    let playlist = answer.text().await.unwrap();
    assert!(!playlist.contains(&house.ann.secret) && !playlist.contains("u=ann"), "{playlist}");
    let durations: f64 = playlist
        .lines()
        .filter_map(|line| line.strip_prefix("#EXTINF:")?.trim_end_matches(',').parse::<f64>().ok())
        .sum();
    assert!((durations - SECONDS).abs() < 1e-6, "{durations}");
    assert_eq!(playlist.matches(".m4s").count(), 5);

    let (sound, said) = decoded(&house.ann.url("hls.m3u8", &format!("id={id}&bitRate=160"))).await;
    assert!(said.is_empty(), "ffmpeg complains: {said}");
    let off = sound.duration() - SECONDS;
    println!("off by {:.3} ms", off * 1000.0);
    assert!(off.abs() < 0.024, "off by {off}");
    let (start, end) = (2048, sound.samples.len() - 4096);
    let jumps = &jumps(&sound)[start..end];
    let worst = |range: &[f32]| range.iter().copied().fold(0.0, f32::max);
    let segment = (6 * 44_100_usize).div_ceil(1024) * 1024;
    let mut elsewhere = jumps.to_vec();
    let mut at_joints = 0.0_f32;
    for joint in 1..=4 {
        let at = joint * segment - start;
        at_joints = at_joints.max(worst(&jumps[at - 2200..at + 2200]));
        elsewhere[at - 2200..at + 2200].fill(0.0);
    }
    println!("largest jump {at_joints:.6} at joints, {:.6} elsewhere", worst(&elsewhere));
    // A lost or repeated sample would be a jump of 0.07 and more.
    assert!(at_joints < 0.01, "a click of {at_joints} at a joint");
    for at in 0..(SECONDS as u32 - 1) {
        let amplitude = sound.amplitude(1000.0, f64::from(at) + 0.1, f64::from(at) + 0.9);
        assert!((amplitude - 0.5).abs() < 0.01, "{amplitude} at {at}");
    }

    // From the middle on it is made without what is before.
    let url = house.ann.url("hls.m3u8", &format!("id={id}&bitRate=96"));
    let probed = tokio::task::spawn_blocking(move || {
        Command::new("ffprobe")
            .args(["-v", "error", "-show_entries", "format=duration,nb_streams", "-of", "csv=p=0"])
            .args(["-read_intervals", "13%+1", "-i", &url])
            .output()
            .unwrap()
    });
    let probed = probed.await.unwrap();
    let said = String::from_utf8_lossy(&probed.stdout).into_owned();
    let seconds: f64 = said.trim().rsplit(',').next().unwrap().parse().expect(&said);
    assert!(probed.status.success() && (seconds - SECONDS).abs() < 0.001, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_hls_addresses_stand_for_the_caller_alone() {
    let house = household().await;
    let id = house.bob.id("song", "Tone").await;
    let master = house.bob.get("hls", &format!("id={id}&bitRate=64&bitRate=192@480x360")).await;
    let master = master.text().await.unwrap();
    assert_eq!(master.matches("#EXT-X-STREAM-INF:BANDWIDTH=").count(), 2, "{master}");
    let variant = master.lines().last().unwrap().to_owned();
    let rest = house.app.url("/rest/");
    let get = async |path: &str| reqwest::get(format!("{rest}{path}")).await.unwrap();
    let list = get(&variant).await.text().await.unwrap();
    assert!(list.contains("URI=\"init.mp4\"") && list.contains("\n4.m4s\n"), "{list}");
    let folder = variant.strip_suffix("index.m3u8").unwrap();
    let init = get(&format!("{folder}init.mp4")).await;
    assert_eq!(init.headers()[header::CONTENT_TYPE], "audio/mp4");
    assert_eq!(init.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(init.bytes().await.unwrap()[4..8], *b"ftyp");
    // Made, then from the cache: the same bytes, a length, and ranges.
    let first = get(&format!("{folder}4.m4s")).await;
    let length = first.content_length().unwrap();
    let first = first.bytes().await.unwrap();
    assert_eq!(first.len() as u64, length);
    let again = get(&format!("{folder}4.m4s")).await;
    assert_eq!(again.headers()[header::ACCEPT_RANGES], "bytes");
    assert!(again.bytes().await.unwrap() == first);

    for wrong in ["5.m4s", "x.m4s", "-1.m4s", "init.mp5", ""] {
        assert_eq!(get(&format!("{folder}{wrong}")).await.status(), 404, "{wrong}");
    }
    let mut changed = folder.to_owned();
    changed.replace_range(10..11, if &changed[10..11] == "A" { "B" } else { "A" });
    assert_eq!(get(&format!("{changed}0.m4s")).await.status(), 404);
    assert_eq!(get("hls/").await.status(), 404);
    // A user who is shut out has nothing more of it.
    let operator = house.app.services.accounts.operator();
    let shut_out =
        tunelocker::accounts::UserChange { is_disabled: Some(true), ..Default::default() };
    house.app.services.accounts.update_user(&operator, "bob", &shut_out).await.unwrap();
    assert_eq!(get(&format!("{folder}0.m4s")).await.status(), 404);
    // The file changed: the address is over.
    let id = house.ann.id("song", "Tone").await;
    let list = house.ann.get("hls.m3u8", &format!("id={id}")).await.text().await.unwrap();
    let segment = list.lines().find(|line| line.ends_with("/1.m4s")).unwrap().to_owned();
    assert_eq!(get(&segment).await.status(), 200);
    assert_eq!(house.ann.refused("hls.m3u8", "id=tr-999").await, 70);
    assert_eq!(house.ann.refused("hls.m3u8", &format!("id={id}&bitRate=many")).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_hls_plays_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        root.join(".cache/web/node_modules/hls.js").exists(),
        "hls.js is missing; run tests/setup.sh node"
    );
    let house = household().await;
    let id = house.ann.id("song", "Tone").await;
    for query in ["bitRate=128", "bitRate=64&bitRate=256"] {
        let url = house.ann.url("hls.m3u8", &format!("id={id}&{query}"));
        let output = tokio::task::spawn_blocking(move || {
            let script = root.join("tests/web/hls.mjs");
            Command::new("node").arg(script).arg(url).arg(SECONDS.to_string()).output().unwrap()
        });
        let output = output.await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        println!("{query}: {said}");
        assert!(output.status.success() && said.ends_with("all done\n"), "{said}\n{complained}");
    }
}
