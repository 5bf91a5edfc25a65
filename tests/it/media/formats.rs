//! Every format that is told apart, made by FFmpeg (or by hand where it can't), read back.

use std::{fs, path::Path};

use super::{pool, read, tone};

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
    for (name, bytes) in [("a.dsf", dsf()), ("a.dff", dff())] {
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

const ASF: [u8; 16] = *b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";

/// One second of silence in two channels of DSD64, and a tag.
fn dsf() -> Vec<u8> {
    let sound = vec![0x69; 2 * 2_822_400 / 8];
    let tag_at = 28 + 52 + 12 + sound.len() as u64;
    let tag = id3();
    let mut file = b"DSD ".to_vec();
    file.extend(28u64.to_le_bytes());
    file.extend((tag_at + tag.len() as u64).to_le_bytes());
    file.extend(tag_at.to_le_bytes());
    file.extend(b"fmt ");
    file.extend(52u64.to_le_bytes());
    for number in [1u32, 0, 2, 2, 2_822_400, 1] {
        file.extend(number.to_le_bytes());
    }
    file.extend(2_822_400u64.to_le_bytes());
    file.extend(4096u32.to_le_bytes());
    file.extend(0u32.to_le_bytes());
    file.extend(b"data");
    file.extend((12 + sound.len() as u64).to_le_bytes());
    file.extend(sound);
    file.extend(tag);
    file
}

fn dff() -> Vec<u8> {
    let chunk = |id: &[u8], body: &[u8]| {
        [id, &(body.len() as u64).to_be_bytes(), body, &vec![0; body.len() % 2]].concat()
    };
    let rate = chunk(b"FS  ", &2_822_400u32.to_be_bytes());
    let channels = chunk(b"CHNL", b"\0\x02SLFTSRGT");
    let properties = chunk(b"PROP", &[b"SND ", &rate[..], &channels].concat());
    let sound = chunk(b"DSD ", &vec![0x69; 2 * 2_822_400 / 8]);
    let body = [b"DSD ", &properties[..], &sound, &chunk(b"ID3 ", &id3())].concat();
    chunk(b"FRM8", &body)
}

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
