//! `rows` (hidden): a catalogue of as many tracks as are wanted, through the write side that a
//! scan uses but without any file, so that lists can be measured at a million tracks. The library
//! looks like one whose disk is not there: its music is listed and does not play.

use std::path::Path;

use anyhow::Context as _;

use super::failure::Failure;
use crate::{
    app::{self, Services},
    catalog::{
        path_text,
        write::{Batch, Content, FileFound, FolderFound, FolderPicture, TrackFound},
    },
    clock::Clock,
    config::Config,
    ids::LibraryId,
    media::tags::{Audio, PictureFacts, Tags},
};

const TRACKS_OF_ALBUM: u64 = 10;
const ALBUMS_OF_ARTIST: u64 = 2;
/// Albums in one transaction.
const PORTION: u64 = 200;

/// Adds a library at `path`; a second one has the same albums again.
pub(super) fn write(config: &Config, path: &Path, tracks: u64) -> Result<(), Failure> {
    app::block_on(async {
        let services = Services::open(config, Clock::System).await?;
        let library = library(&services, path).await?;
        let albums = tracks.div_ceil(TRACKS_OF_ALBUM);
        let mut next = 0;
        while next < albums {
            let end = albums.min(next + PORTION);
            let mut batch = Batch::default();
            for album in next..end {
                let left = tracks - album * TRACKS_OF_ALBUM;
                add(&mut batch, album, left.min(TRACKS_OF_ALBUM));
            }
            services.catalog.apply(library, &batch).await.context("cannot write rows")?;
            next = end;
        }
        services.catalog.settle().await.context("cannot work out what artists did")?;
        services.db.close().await;
        Ok(())
    })
}

/// The library's row, as a scan would leave it that found files.
async fn library(services: &Services, path: &Path) -> anyhow::Result<LibraryId> {
    let path = std::path::absolute(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let path = path_text::encode_path(&path);
    let mut tx = services.db.write().await.context("cannot write")?;
    let id = sqlx::query_scalar!(
        r#"insert into library (name, kind, path, is_shared, is_on_lan, was_seen_full, created_at)
           values (?, 'folder', ?, 1, 1, 1, 0) returning library_id as "id!: i64""#,
        name,
        path
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(id.into())
}

fn add(batch: &mut Batch, album: u64, tracks: u64) {
    let artist = album / ALBUMS_OF_ARTIST;
    let (by, title) = (name(artist, 2), name(album + 7_000_003, 2));
    let folder = format!("{by} {artist}/{title} {album}");
    batch.folders.push(FolderFound { path: folder.clone(), modified_ns: 1 });
    let cover = FolderPicture {
        path: format!("{folder}/cover.jpg"),
        facts: PictureFacts {
            hash: blake3::hash(&album.to_le_bytes()).to_hex().to_string(),
            mime: "image/jpeg".to_owned(),
            width: 600,
            height: 600,
            size_bytes: 60_000,
        },
    };
    batch.pictures.push((folder.clone(), Some(cover)));
    for number in 1..=tracks {
        let track = album * TRACKS_OF_ALBUM + number;
        let song = name(track + 90_000_049, 3);
        let mut artists = vec![format!("{by} {artist}")];
        if track.is_multiple_of(20) {
            let guest = mix(track) % (artist + 1);
            artists.push(format!("{} {guest}", name(guest, 2)));
        }
        let tags = Tags {
            audio: Audio {
                container: "flac".to_owned(),
                codec: "flac".to_owned(),
                duration_ms: 120_000 + mix(track) % 300_000,
                bitrate_kbps: 900,
                sample_rate: 44_100,
                channels: 2,
                bit_depth: 16,
                profile: String::new(),
            },
            title: Some(song.clone()),
            display_artist: Some(artists.join(" feat. ")),
            artists,
            album: Some(title.clone()),
            album_artists: vec![format!("{by} {artist}")],
            number: Some(number as u32),
            number_total: Some(tracks as u32),
            disc: Some(1),
            date: Some((1950 + mix(album) % 75).to_string()),
            genres: vec![name(mix(album + 5) % 40, 1)],
            composers: if track.is_multiple_of(10) {
                vec![format!("{} {artist}", name(artist, 2))]
            } else {
                Vec::new()
            },
            ..Tags::default()
        };
        let found = TrackFound { cue_index: None, start_ms: 0, tags, lyrics: Vec::new() };
        let key = blake3::hash(&track.to_le_bytes());
        batch.files.push(FileFound {
            path: format!("{folder}/{number:02} {song}.flac"),
            size_bytes: 20_000_000 + track as i64,
            modified_ns: 1,
            inode: track as i64,
            sidecar_stamp: 0,
            moved_from: None,
            audio_hash: None,
            content: Content::Tracks { quick_key: *key.as_bytes(), tracks: vec![found] },
        });
    }
}

/// The same number gives the same name, of words that many share.
fn name(number: u64, words: u64) -> String {
    const BEGIN: [&str; 24] = [
        "Al", "Be", "Cor", "Da", "El", "Fen", "Gar", "Hol", "In", "Jo", "Kar", "Lo", "Mar", "Nor",
        "Ol", "Pe", "Qui", "Ro", "Sil", "Tor", "Ul", "Ve", "Win", "Zan",
    ];
    const END: [&str; 24] = [
        "bar", "con", "der", "dra", "fall", "gen", "ger", "hill", "kin", "lan", "light", "ma",
        "mond", "na", "ner", "ra", "rin", "sa", "ston", "ta", "ton", "vel", "ver", "wood",
    ];
    let mut text = String::new();
    for word in 0..words {
        let chance = mix(number.wrapping_mul(31) + word);
        if 0 < word {
            text.push(' ');
        }
        text.push_str(BEGIN[(chance % 24) as usize]);
        text.push_str(END[(chance / 24 % 24) as usize]);
        if 2 < words {
            text.push_str(END[(chance / 576 % 24) as usize]);
        }
    }
    text
}

/// Spreads numbers out (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
