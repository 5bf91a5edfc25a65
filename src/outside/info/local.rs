//! `artist.nfo` and `album.nfo` beside the music, read when they are asked for: a small file, and
//! always as it is now.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::Info;
use crate::{
    accounts::Principal,
    catalog::path_text,
    ids::{AlbumId, ArtistId},
    media::nfo::{self, Nfo},
};

/// Longest file that is read.
const LONGEST: u64 = 256 * 1024;
/// Albums of an artist whose folders are looked at.
const ALBUMS: i64 = 8;

impl Info {
    /// The artist's, in a folder of one of his albums or the folder above it.
    pub(super) async fn artist_nfo(&self, principal: &Principal, id: ArtistId) -> Option<Nfo> {
        let visible = principal.libraries_json();
        let rows = sqlx::query!(
            "select distinct l.path as root, f.path from album_artist w
             join album a using (album_id) join folder f on f.folder_id = a.folder_id
             join library l on l.library_id = f.library_id
             where w.artist_id = ?1 and w.position = 0
               and a.library_id in (select value from json_each(?2)) limit ?3",
            id,
            visible,
            ALBUMS
        )
        .fetch_all(self.0.of.db.read())
        .await
        .ok()?;
        let mut places = Vec::new();
        for row in rows {
            // In the root of a library lie many artists; no file there is one's own.
            let own = Some(row.path.as_str());
            let above = row.path.rsplit_once('/').map(|(above, _)| above);
            for folder in [above, own].into_iter().flatten().filter(|path| !path.is_empty()) {
                let root = path_text::decode(&row.root);
                let place = root.join(path_text::decode(folder)).join("artist.nfo");
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        first(places).await
    }

    /// The album's, in its folder.
    pub(super) async fn album_nfo(&self, id: AlbumId) -> Option<Nfo> {
        let row = sqlx::query!(
            "select l.path as root, f.path from album a join folder f on f.folder_id = a.folder_id
             join library l on l.library_id = f.library_id where a.album_id = ?",
            id
        )
        .fetch_optional(self.0.of.db.read())
        .await
        .ok()??;
        let folder = path_text::decode(&row.root).join(path_text::decode(&row.path));
        first(vec![folder.join("album.nfo")]).await
    }
}

/// The first of these files that is one and makes sense.
async fn first(places: Vec<PathBuf>) -> Option<Nfo> {
    let read = move || places.iter().find_map(|place| nfo::read(&contents(place)?));
    tokio::task::spawn_blocking(read).await.ok()?
}

/// A small regular file's bytes, through no link and without waiting for anybody.
fn contents(path: &Path) -> Option<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(CWD, path, flags, Mode::empty()).ok()?);
    let stat = rustix::fs::fstat(&file).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
