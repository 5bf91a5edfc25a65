//! Every format that is told apart, made by FFmpeg (or by hand where it can't), read back.

use std::{fs, path::Path, process::Command};

use tunelocker::media::format::Named;

use super::{pool, read, tone};
use crate::harness::{ape, dsd};

const TAGS: &[&str] = &[
    "-metadata",
    "title=Träume",
    "-metadata",
    "artist=Someone",
    "-metadata",
    "album=The Album",
    "-metadata",
    "album_artist=Somebody",
    "-metadata",
    "track=3/9",
    "-metadata",
    "date=2001",
    "-metadata",
    "genre=Rock",
];

/// Name, arguments, container, codec, rate, bits, whether FFmpeg tags it.
type Row<'r> = (&'r str, &'r [&'r str], &'r str, &'r str, u32, u32, bool);

const TABLE: &[Row<'_>] = &[
    ("a.mp3", &["-c:a", "libmp3lame"], "mp3", "mp3", 44100, 0, true),
    ("b.mp2", &["-c:a", "mp2"], "mp3", "mp2", 44100, 0, false),
    ("a.flac", &["-sample_fmt", "s16"], "flac", "flac", 44100, 16, true),
    ("a.oga", &["-c:a", "flac", "-sample_fmt", "s16", "-f", "ogg"], "ogg", "flac", 44100, 16, true),
    ("a.ogg", &["-c:a", "libvorbis"], "ogg", "vorbis", 44100, 0, true),
    ("a.opus", &["-c:a", "libopus"], "ogg", "opus", 48000, 0, true),
    ("a.spx", &["-c:a", "libspeex", "-ar", "32000"], "ogg", "speex", 32000, 0, true),
    ("a.m4a", &["-c:a", "aac"], "mp4", "aac", 44100, 0, true),
    ("b.m4a", &["-c:a", "alac", "-sample_fmt", "s16p"], "mp4", "alac", 44100, 16, true),
    ("a.aac", &["-c:a", "aac", "-f", "adts"], "adts", "aac", 44100, 0, false),
    ("a.wav", &["-c:a", "pcm_s16le"], "wav", "pcm", 44100, 16, true),
    ("b.wav", &["-c:a", "pcm_s24le"], "wav", "pcm", 44100, 24, true),
    ("a.aiff", &["-c:a", "pcm_s16be", "-write_id3v2", "1"], "aiff", "pcm", 44100, 16, true),
    ("a.wv", &["-c:a", "wavpack", "-sample_fmt", "s16p"], "wavpack", "wavpack", 44100, 16, true),
    ("a.wma", &["-c:a", "wmav2"], "asf", "wma", 44100, 0, true),
    ("a.mka", &["-c:a", "libvorbis"], "matroska", "vorbis", 44100, 0, true),
    ("b.mka", &["-c:a", "flac", "-sample_fmt", "s16"], "matroska", "flac", 44100, 16, true),
    ("a.webm", &["-c:a", "libopus"], "matroska", "opus", 48000, 0, true),
];

#[tokio::test]
async fn every_format_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    let mut wrong = Vec::new();
    for (name, arguments, container, codec, rate, bits, is_tagged) in TABLE {
        let path = tone(folder.path(), name, &[*arguments, TAGS].concat());
        // The name must not matter.
        let hidden = folder.path().join(format!("{name}.nothing"));
        fs::rename(path, &hidden).unwrap();
        let tags = match read(&pool, &hidden).await {
            Ok(understood) => understood.tags,
            Err(unreadable) => {
                wrong.push(format!("{name}: {}", unreadable.reason));
                continue;
            }
        };
        let audio = &tags.audio;
        let is =
            (audio.container.as_str(), audio.codec.as_str(), audio.sample_rate, audio.channels);
        if is != (*container, *codec, *rate, 2) || audio.bit_depth != *bits {
            wrong.push(format!("{name}: {audio:?}"));
        }
        if !(900..1200).contains(&audio.duration_ms) || audio.bitrate_kbps == 0 {
            wrong.push(format!("{name}: {} ms, {} kbit/s", audio.duration_ms, audio.bitrate_kbps));
        }
        if *is_tagged {
            let texts = (tags.title.as_deref(), tags.album.as_deref(), tags.date.as_deref());
            if texts != (Some("Träume"), Some("The Album"), Some("2001"))
                || tags.artists != ["Someone"]
                || tags.genres != ["Rock"]
                || tags.number != Some(3)
            {
                wrong.push(format!(
                    "{name}: {texts:?} {:?} {:?} {:?}",
                    tags.artists, tags.genres, tags.number
                ));
            }
        } else if tags.title.is_none() {
            wrong.push(format!("{name}: no title"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn direct_stream_digital_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    let silence = vec![0x69; 2_822_400 / 8];
    for (name, bytes) in
        [("a.dsf", dsd::dsf(&silence, &id3())), ("a.dff", dsd::dff(&silence, &id3()))]
    {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let tags = read(&pool, &path).await.unwrap().tags;
        let audio = &tags.audio;
        assert_eq!(audio.container, name[2..]);
        assert_eq!((audio.codec.as_str(), audio.sample_rate), ("dsd", 2_822_400));
        assert_eq!((audio.channels, audio.bit_depth, audio.duration_ms), (2, 1, 1000));
        assert_eq!(tags.title.as_deref(), Some("Bits"));
    }
}

#[tokio::test]
async fn monkeys_audio_and_musepack_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    let tone: Vec<i16> =
        (0..44_100_u32).map(|at| ((f64::from(at) * 0.142_476).sin() * 10_000.0) as i16).collect();
    let path = folder.path().join("a.ape");
    fs::write(&path, [ape::encode(&tone, 44_100), ape_tag()].concat()).unwrap();
    let tags = read(&pool, &path).await.unwrap().tags;
    let audio = &tags.audio;
    assert_eq!((audio.container.as_str(), audio.codec.as_str()), ("ape", "ape"));
    assert_eq!((audio.sample_rate, audio.channels, audio.bit_depth), (44_100, 2, 16));
    assert!(audio.duration_ms.abs_diff(1000) <= 1, "{audio:?}");
    assert_eq!((tags.title.as_deref(), tags.number), (Some("Tag of Apes"), Some(3)));

    let wave = super::tone(folder.path(), "a.wav", &[]);
    let path = folder.path().join("a.mpc");
    let title = ["--artist", "Someone", "--title", "Träume", "--track", "3/9"];
    let made = Command::new("mpcenc").args(["--silent"]).args(title).arg(wave).arg(&path).output();
    assert!(made.as_ref().unwrap().status.success(), "{made:?}");
    let tags = read(&pool, &path).await.unwrap().tags;
    let audio = &tags.audio;
    assert_eq!((audio.container.as_str(), audio.codec.as_str()), ("musepack", "musepack"));
    assert_eq!((audio.sample_rate, audio.channels, audio.bit_depth), (44_100, 2, 0));
    assert!(audio.duration_ms.abs_diff(1000) <= 30, "{audio:?}");
    assert_eq!((tags.title.as_deref(), tags.number), (Some("Träume"), Some(3)));
    assert_eq!(tags.artists, ["Someone"]);
}

/// An APEv2 tag: items, then a footer.
fn ape_tag() -> Vec<u8> {
    let items = [("Title", "Tag of Apes"), ("Track", "3/9")].map(|(name, value)| {
        let length = (value.len() as u32).to_le_bytes();
        [&length[..], &[0; 4], name.as_bytes(), b"\0", value.as_bytes()].concat()
    });
    let mut tag = items.concat();
    let length = tag.len() as u32 + 32;
    tag.extend(b"APETAGEX");
    for number in [2000, length, items.len() as u32, 0, 0, 0] {
        tag.extend(number.to_le_bytes());
    }
    tag
}

#[tokio::test]
async fn what_is_not_music_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    let film = folder.path().join("film.mkv");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=size=64x64:duration=1"])
        .args(["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "flac"])
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    let files: &[(&str, &[u8])] = &[
        ("empty.mp3", b""),
        ("text.mp3", b"this is not music\n"),
        ("picture.flac", b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        ("header.ogg", b"OggS\0\x02"),
        ("header.wma", &ASF),
        ("header.mka", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x80"),
        ("header.dsf", b"DSD \x1c\0\0\0\0\0\0\0"),
        ("header.dff", b"FRM8\0\0\0\0\0\0\0\x04DSD "),
    ];
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let names = files.iter().map(|(name, _)| *name).chain(["film.mkv"]);
    for name in names {
        let unreadable = read(&pool, &folder.path().join(name)).await.unwrap_err();
        assert!(unreadable.reason.starts_with("It"), "{name}: {}", unreadable.reason);
    }
}

/// Bought with a lock on it: who has it learns why it does not play, and from whom it came.
#[tokio::test]
async fn copy_protection_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    let changed = |name: &str, to: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let arguments: &[&str] = if name.ends_with("wma") { &["-c:a", "wmav2"] } else { &[] };
        let mut bytes = fs::read(tone(folder.path(), name, arguments)).unwrap();
        change(&mut bytes);
        fs::write(folder.path().join(to), bytes).unwrap();
    };
    let put = |bytes: &mut Vec<u8>, old: &[u8], new: &[u8]| {
        let at = bytes.windows(old.len()).rposition(|found| found == old).unwrap();
        bytes[at..at + old.len()].copy_from_slice(new);
    };
    changed("a.m4a", "song.m4p", &|bytes| put(bytes, b"mp4a", b"drms"));
    changed("b.m4a", "book.aax", &|bytes| bytes[4..12].copy_from_slice(b"ftypaax "));
    // The header grows by one object that says how the sound is encrypted.
    changed("a.wma", "song.wma", &|bytes| {
        let id = *b"\xfb\xb3\x11\x22\x23\xbd\xd2\x11\xb4\xb7\x00\xa0\xc9\x55\xfc\x6e";
        let object = [&id[..], &28_u64.to_le_bytes(), &[0; 4]].concat();
        let size = u64::from_le_bytes(*bytes[16..].first_chunk().unwrap()) + 28;
        bytes[16..24].copy_from_slice(&size.to_le_bytes());
        bytes[24] += 1;
        bytes.splice(30..30, object);
    });
    fs::write(folder.path().join("book.aa"), b"\0\0\x10\0\x57\x90\x75\x36\0\0\0\x01").unwrap();
    let table = [
        ("song.m4p", "FairPlay"),
        ("song.wma", "Windows Media DRM"),
        ("book.aax", "Audible"),
        ("book.aa", "Audible"),
    ];
    for (name, by) in table {
        assert_eq!(tunelocker::media::format::named(name), Some(Named::Audio), "{name}");
        let reason = read(&pool, &folder.path().join(name)).await.unwrap_err().reason;
        assert!(reason.starts_with("It is copy-protected") && reason.contains(by), "{reason}");
    }
    read(&pool, &folder.path().join("a.m4a")).await.unwrap();
}

const ASF: [u8; 16] = *b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";

/// An ID3v2.4 tag with a title.
fn id3() -> Vec<u8> {
    let frame = [b"TIT2\0\0\0\x05\0\0\x03", &b"Bits"[..]].concat();
    let head = [b"ID3\x04\0\0\0\0\0", &[frame.len() as u8][..]].concat();
    [head, frame].concat()
}

#[tokio::test]
async fn lists_of_an_image_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let sheet = "FILE \"x.flac\" WAVE\n TRACK 01 AUDIO\n  INDEX 01 00:00:00\n";
    let path = tone(folder.path(), "a.flac", &["-metadata", &format!("CUESHEET={sheet}")]);
    let tags = read(&pool(1), Path::new(&path)).await.unwrap().tags;
    let sheet = tunelocker::media::cue::parse(&tags.cue_sheet.unwrap()).unwrap();
    assert_eq!(sheet.files[0].tracks.len(), 1);
}
