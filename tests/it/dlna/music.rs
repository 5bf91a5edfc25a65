//! A little library of real files, and waiting until the server knows it.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::control::Control;
use crate::harness::{TestApp, music as pictures};

/// Path, artist, album, number, title, genre, date, pitch, seconds.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u32,
    u32,
);

/// What [`write`] writes.
const TRACKS: [Row; 4] = [
    ("alpha/01.flac", "Alpha Band", "Alpha Songs", "1", "Sine One", "Rock", "1999", 440, 12),
    ("alpha/02.flac", "Alpha Band", "Alpha Songs", "2", "Sine Two", "Rock", "1999", 550, 12),
    ("beta/01.mp3", "Beta", "Bêta <&> Tunes", "1", "Bêta & Gamma", "Jazz", "2005-03-04", 660, 3),
    (
        "beta/02.mp3",
        "Beta",
        "Bêta <&> Tunes",
        "2",
        "A \"quoted\" one",
        "Jazz",
        "2005-03-04",
        770,
        3,
    ),
];

/// Writes two albums into a folder: one of FLAC, 24 seconds in all, one of MP3 with everything
/// in its names that XML minds; a cover beside each.
pub(crate) fn write(folder: &Path) {
    for (path, artist, album, number, title, genre, date, pitch, seconds) in TRACKS {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let sound = format!("sine=frequency={pitch}:duration={seconds}:sample_rate=44100");
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i", &sound, "-ac", "2"]);
        for (key, value) in [
            ("title", title),
            ("artist", artist),
            ("album_artist", artist),
            ("album", album),
            ("track", number),
            ("genre", genre),
            ("date", date),
            ("composer", &format!("Composer of {artist}")),
        ] {
            ffmpeg.args(["-metadata", &format!("{key}={value}")]);
        }
        assert!(ffmpeg.arg(path).status().expect("ffmpeg is needed").success());
    }
    // One cover that is large, one that is small and no JPEG at all.
    pictures::write(folder, "alpha/cover.jpg", &pictures::jpeg(1000, [20, 60, 160]));
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(100, 100, image::Rgb([9, 9, 9]))
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    pictures::write(folder, "beta/cover.png", &png.into_inner());
}

/// A server that knows the music of [`write`].
pub(crate) async fn app() -> (TestApp, Control) {
    let music = tempfile::tempdir().unwrap();
    write(music.path());
    let path = music.path().to_owned();
    let app =
        TestApp::spawn_with(move |config| config.libraries.push(("Music".to_owned(), path))).await;
    let control = Control::new(app.lan);
    until_known(&control, 4).await;
    // The files stay as long as the server.
    std::mem::forget(music);
    (app, control)
}

/// Waits until so many tracks are there.
pub(crate) async fn until_known(control: &Control, tracks: u32) {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let known = control.children("tracks", 0, 1, "").await.total;
        if known == tracks {
            return;
        }
        assert!(Instant::now() < end, "the server knows {known} of {tracks} tracks");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
