//! A small library whose tones tell which track is heard.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Two albums that browsers play and one track that they don't, with a cover.
pub(super) fn library(root: &Path) {
    let first = root.join("Amber Vale/First Light");
    for (number, tone) in [(1, 440), (2, 550), (3, 660)] {
        let file = first.join(format!("0{number} Light {number}.flac"));
        tone_file(&file, tone, 8, &tags(&format!("Light {number}"), "First Light", number));
    }
    let second = root.join("Amber Vale/Second Sun");
    for (number, tone) in [(1, 330), (2, 495)] {
        let file = second.join(format!("0{number} Sun {number}.mp3"));
        tone_file(&file, tone, 8, &tags(&format!("Sun {number}"), "Second Sun", number));
    }
    let third = root.join("Harbor Sable/Tapes");
    tone_file(&third.join("01 Only Decoded.wv"), 770, 8, &tags("Only Decoded", "Tapes", 1));
    for (folder, colour) in [(&first, "0x0B3A53"), (&second, "0xE9C46A")] {
        picture(&folder.join("cover.jpg"), colour);
    }
}

/// The files that are uploaded: by the button, and by dropping.
pub(super) fn uploads(root: &Path) -> (PathBuf, PathBuf) {
    let (carried, dropped) = (root.join("carried in.flac"), root.join("dropped in.mp3"));
    tone_file(&carried, 880, 6, &tags("Carried In", "New Things", 1));
    tone_file(&dropped, 990, 6, &tags("Dropped In", "New Things", 2));
    (carried, dropped)
}

fn tags(title: &str, album: &str, number: u32) -> Vec<(&'static str, String)> {
    vec![
        ("title", title.to_owned()),
        ("album", album.to_owned()),
        ("artist", "Amber Vale".to_owned()),
        ("album_artist", "Amber Vale".to_owned()),
        ("track", number.to_string()),
        ("date", "2019".to_owned()),
        ("genre", "Electronic".to_owned()),
    ]
}

fn tone_file(file: &Path, tone: u32, seconds: u32, tags: &[(&str, String)]) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i"]);
    ffmpeg.arg(format!("sine=frequency={tone}:duration={seconds}:sample_rate=44100,volume=4"));
    for (name, value) in tags {
        ffmpeg.args(["-metadata", &format!("{name}={value}")]);
    }
    run(ffmpeg.arg(file));
}

fn picture(file: &Path, colour: &str) {
    let source =
        format!("color=c={colour}:s=600x600,drawbox=x=150:y=150:w=300:h=300:color=0xE76F51:t=fill");
    run(Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", &source, "-frames:v", "1"])
        .arg(file));
}

fn run(command: &mut Command) {
    let status = command.status().expect("ffmpeg runs");
    assert!(status.success(), "{command:?}");
}
