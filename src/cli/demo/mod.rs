//! `demo` (hidden): a small library of synthesised pieces, so that a newcomer hears something at
//! once. Three albums by three artists who do not exist, with covers, tags and lyrics.

mod albums;
mod cover;
mod score;
mod voice;

use std::{fs, path::Path};

use anyhow::Context as _;
use lofty::{
    config::WriteOptions,
    picture::{MimeType, Picture, PictureType},
    tag::{Accessor as _, ItemKey, Tag, TagExt as _, TagType},
};

use self::albums::{ALBUMS, Album, Song};
use super::failure::Failure;

/// Samples a second.
const RATE: u32 = 44_100;

/// Writes the library into a folder. What is there already is written again.
pub(super) fn write(folder: &Path) -> Result<(), Failure> {
    for album in ALBUMS {
        let place = folder.join(album.artist).join(album.title);
        write_album(album, &place)
            .with_context(|| format!("cannot write the demo library to {}", folder.display()))?;
    }
    Ok(())
}

fn write_album(album: &Album, place: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(place)?;
    let cover = cover::jpeg(album.colours)?;
    fs::write(place.join("cover.jpg"), &cover)?;
    for (number, song) in (1..).zip(album.songs) {
        let name = format!("{number:02} {}", song.title);
        let file = place.join(format!("{name}.wav"));
        fs::write(&file, wav(&score::render(&song.score)))?;
        tag(album, song, number, &cover).save_to_path(&file, WriteOptions::default())?;
        if !song.lyrics.is_empty() {
            fs::write(place.join(format!("{name}.lrc")), song.lyrics)?;
        }
    }
    Ok(())
}

fn tag(album: &Album, song: &Song, number: u32, cover: &[u8]) -> Tag {
    let mut tag = Tag::new(TagType::Id3v2);
    tag.set_title(song.title.to_owned());
    tag.set_artist(album.artist.to_owned());
    tag.set_album(album.title.to_owned());
    tag.set_genre(album.genre.to_owned());
    tag.set_track(number);
    tag.set_track_total(album.songs.len() as u32);
    tag.insert_text(ItemKey::AlbumArtist, album.artist.to_owned());
    tag.insert_text(ItemKey::RecordingDate, album.year.to_owned());
    let picture = Picture::unchecked(cover.to_vec())
        .pic_type(PictureType::CoverFront)
        .mime_type(MimeType::Jpeg)
        .build();
    tag.push_picture(picture);
    tag
}

/// 16-bit stereo PCM with its header.
fn wav(frames: &[[f32; 2]]) -> Vec<u8> {
    let bytes = frames.len() as u32 * 4;
    let mut file = Vec::with_capacity(44 + bytes as usize);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(RATE * 4).to_le_bytes());
    file.extend_from_slice(b"\x04\0\x10\0data");
    file.extend_from_slice(&bytes.to_le_bytes());
    for sample in frames.iter().flatten() {
        file.extend_from_slice(&((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_sounds() {
        // One with all three voices; rendering is slow in an unoptimised build.
        let song = &ALBUMS[2].songs[1];
        let frames = score::render(&song.score);
        let seconds = frames.len() as f32 / RATE as f32;
        assert!((20.0..90.0).contains(&seconds), "{seconds} s");
        let peak = frames.iter().flatten().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.5..=1.0).contains(&peak), "peak {peak}");
        let power: f32 = frames.iter().flatten().map(|sample| sample * sample).sum();
        let level = (power / (2 * frames.len()) as f32).sqrt();
        assert!(0.02 < level, "level {level}");
    }
}
