//! Covers: the picture of an item as bytes, original or scaled. Scaled ones and those taken out
//! of tags are kept as files in the cache, which may vanish at any time; what was asked for just
//! now stays in memory for a minute. Pictures are understood in worker processes only.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, Cover, Item, Picture,
        memory::{Forget as _, Recent},
        mosaic, path_text,
        tracks::sealed,
    },
    error::is_nowhere,
    ids::PictureId,
    media::{
        sealed::Sealed,
        worker::{PicturePlace, Pool},
    },
};

/// Scaled sizes below and above this are of no use to anybody, px.
const EDGES: std::ops::RangeInclusive<u32> = 16..=2_048;
/// The cache folder is brought back under this, bytes.
const FOLDER_BYTES: u64 = 256 << 20;
/// Covers in memory, bytes.
const MEMORY_BYTES: usize = 4 << 20;

/// Where pictures are kept and who understands them.
#[derive(Debug)]
pub(super) struct Covers {
    folder: PathBuf,
    pub(super) pool: Pool,
    memory: Recent<Key, Cover>,
    /// What is being made: who asks for the same meanwhile waits for it.
    making: Mutex<HashMap<Key, Arc<Making>>>,
    grew: AtomicBool,
}

/// A picture and the edge that it is scaled to.
type Key = (PictureId, Wanted);

type Making = OnceCell<Result<Cover, Arc<Error>>>;

/// Pictures are known by what is in them, so no change of the catalogue makes one wrong.
const ALWAYS: i64 = 0;

impl Covers {
    pub(super) fn new(folder: PathBuf, pool: Pool) -> Self {
        Self {
            folder,
            pool,
            memory: Recent::with_room(MEMORY_BYTES),
            making: Mutex::default(),
            grew: AtomicBool::new(true),
        }
    }

    /// A picture from outside, encoded anew.
    pub(super) async fn scaled(&self, picture: Bytes, edge: u32) -> Result<Bytes> {
        self.pool.scale(picture, edge).await
    }

    /// Removes what is kept of these pictures, in whatever size, by their hashes in hex, and all
    /// that is put together of several.
    pub(super) async fn forget(&self, hashes: Vec<String>) -> Result<()> {
        self.memory.forget();
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || forget_in(&folder, &hashes)).await??;
        Ok(())
    }

    /// Lets go of idle pictures and keeps the folder within its size.
    pub(super) async fn tidy(&self) {
        self.memory.forget_idle();
        // What nobody waits for any more was given up half-way.
        self.making
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, making| 1 < Arc::strong_count(making));
        if self.grew.swap(false, Ordering::AcqRel) {
            let folder = self.folder.clone();
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || shrink(&folder)).await {
                tracing::debug!("cannot tidy the cover cache: {error}");
            }
        }
    }
}

/// In which form a cover is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    /// The bytes as they are.
    Original,
    /// A JPEG if it is longer than this, px; else the bytes as they are.
    AtMost(u32),
    /// A baseline JPEG in any case, at most so long, px.
    Jpeg(u32),
}

/// A picture and where its bytes come from.
struct Source {
    id: PictureId,
    hash: String,
    mime: &'static str,
    edge: u32,
    path: PathBuf,
    /// Where the bytes of a lent file are instead.
    lent: Option<Sealed>,
    place: PicturePlace,
}

impl Catalog {
    /// The picture of an item as bytes; `size` is the longest edge in pixels, never scaled up.
    /// NotFound when it has none, Unavailable when its file cannot be read now.
    pub async fn cover(
        &self,
        principal: &Principal,
        item: Item,
        size: Option<u32>,
    ) -> Result<Cover> {
        let wanted = match size {
            None => Wanted::Original,
            Some(size) => Wanted::AtMost(size.clamp(*EDGES.start(), *EDGES.end())),
        };
        self.cover_in(principal, item, wanted).await
    }

    /// The picture of an item as a baseline JPEG whose longest edge is at most `edge` pixels,
    /// whatever it was: for readers that know nothing else. Errors as of [`Catalog::cover`].
    pub async fn cover_as_jpeg(
        &self,
        principal: &Principal,
        item: Item,
        edge: u32,
    ) -> Result<Cover> {
        let edge = edge.clamp(*EDGES.start(), *EDGES.end());
        self.cover_in(principal, item, Wanted::Jpeg(edge)).await
    }

    async fn cover_in(&self, principal: &Principal, item: Item, wanted: Wanted) -> Result<Cover> {
        if let Item::Playlist(id) = item {
            let tiles = self.playlist(principal, id).await?.tiles;
            if !tiles.is_empty() {
                return self.mosaic(&tiles, wanted).await;
            }
        }
        let picture = self.picture_of(principal, item).await?;
        let (covers, key) = (&self.inner.covers, (picture.id, wanted));
        if let Some(cover) = covers.memory.get(ALWAYS, &key) {
            return Ok(cover);
        }
        let lock = || covers.making.lock().unwrap_or_else(PoisonError::into_inner);
        let making = Arc::clone(lock().entry(key).or_default());
        let make = async || self.make_cover(picture.id, wanted).await.map_err(Arc::new);
        let made = making.get_or_init(make).await.clone();
        lock().remove(&key);
        let cover = made.map_err(|shared| again(&shared))?;
        covers.memory.insert(ALWAYS, key, cover.clone(), cover.bytes.len() + 64);
        Ok(cover)
    }

    /// Whether [`Self::cover`] would find one. What is not there has none.
    pub(super) async fn has_cover(&self, principal: &Principal, item: Item) -> Result<bool> {
        match self.picture_of(principal, item).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn picture_of(&self, principal: &Principal, item: Item) -> Result<Picture> {
        let picture = match item {
            Item::Track(id) => self.track(principal, id).await?.picture,
            Item::Album(id) => self.album(principal, id).await?.picture,
            Item::Artist(id) => self.artist(principal, id).await?.picture,
            Item::Folder(id) => self.folder(principal, id).await?.picture,
            Item::Playlist(id) => self.playlist(principal, id).await?.picture,
        };
        picture.ok_or(Error::NotFound("Picture"))
    }

    pub(super) async fn make_cover(&self, id: PictureId, wanted: Wanted) -> Result<Cover> {
        let source = self.picture_source(id).await?;
        let size = match wanted {
            // Bytes that are small enough are sent as they are: never scaled up, never encoded twice.
            Wanted::AtMost(size) if size < source.edge => Some(size),
            Wanted::Jpeg(size) => Some(size),
            Wanted::AtMost(_) | Wanted::Original => None,
        };
        match size {
            None => {
                let bytes = self.original_picture(&source).await?;
                Ok(Cover { bytes, mime: source.mime, tag: source.hash })
            }
            Some(size) => {
                let name = format!("{}-{size}", source.hash);
                let bytes = match self.kept(&name).await {
                    Some(bytes) => bytes,
                    None => {
                        let original = self.original_picture(&source).await?;
                        let scaled = self.inner.covers.pool.scale(original, size).await?;
                        self.keep(&name, scaled.clone()).await;
                        scaled
                    }
                };
                Ok(Cover { bytes, mime: "image/jpeg", tag: name })
            }
        }
    }

    async fn picture_source(&self, id: PictureId) -> Result<Source> {
        let row = sqlx::query!(
            r#"select p.hash, p.mime, p.width, p.height, p.path, p.is_embedded, l.path as library_path,
                      r.target as "target?: Vec<u8>", r.size_bytes as "size?: i64", r.modified_ns as "modified_ns?: i64",
                      r.changed_ns as "changed_ns?: i64", r.content_hash as "content?: Vec<u8>"
               from picture p join library l using (library_id)
               left join shared_library s using (library_id)
               left join drive_file f on f.locker_id = coalesce(l.locker_id, s.locker_id)
                    and f.path = iif(s.path is null, p.path, s.path || '/' || p.path)
               left join drive_reference r using (reference_id) where p.picture_id = ?"#,
            id
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Picture"))?;
        Ok(Source {
            id,
            hash: hex::encode(row.hash),
            mime: mime(&row.mime),
            edge: u32::try_from(row.width.max(row.height)).unwrap_or(u32::MAX),
            path: path_text::decode(&row.library_path).join(path_text::decode(&row.path)),
            lent: sealed(row.target, (row.size, row.modified_ns), (row.changed_ns, row.content)),
            place: if row.is_embedded == 1 { PicturePlace::Embedded } else { PicturePlace::Whole },
        })
    }

    async fn original_picture(&self, source: &Source) -> Result<Bytes> {
        let embedded = matches!(source.place, PicturePlace::Embedded);
        if embedded && let Some(bytes) = self.kept(&source.hash).await {
            return Ok(bytes);
        }
        let (path, lent) = (source.path.clone(), source.lent.clone());
        let open = move || lent.map_or_else(|| open_regular(&path), |lent| lent.open());
        let file = tokio::task::spawn_blocking(open).await?.map_err(|error| {
            tracing::debug!(picture = source.id.0, "cannot open a picture's file: {error}");
            Error::Unavailable("The file that holds this picture cannot be read now".to_owned())
        })?;
        let place = if embedded { PicturePlace::Embedded } else { PicturePlace::Whole };
        let bytes = self.inner.covers.pool.picture(file, place).await?.bytes;
        if embedded {
            self.keep(&source.hash, bytes.clone()).await;
        }
        Ok(bytes)
    }

    /// A file of the cache.
    pub(super) async fn kept(&self, name: &str) -> Option<Bytes> {
        let path = place(&self.inner.covers.folder, name);
        tokio::task::spawn_blocking(move || fs::read(path)).await.ok()?.ok().map(Bytes::from)
    }

    /// Writes a file of the cache, whole or not at all. A full disk costs time later, no answer now.
    pub(super) async fn keep(&self, name: &str, bytes: Bytes) {
        let path = place(&self.inner.covers.folder, name);
        let written = tokio::task::spawn_blocking(move || write_whole(&path, &bytes)).await;
        match written {
            Ok(Ok(())) => self.inner.covers.grew.store(true, Ordering::Release),
            Ok(Err(error)) => tracing::debug!("cannot keep a cover: {error}"),
            Err(error) => tracing::debug!("cannot keep a cover: {error}"),
        }
    }
}

/// Whatever may still lie there must go, so nothing is passed over that only cannot be read.
fn forget_in(folder: &Path, hashes: &[String]) -> std::io::Result<()> {
    match fs::remove_dir_all(folder.join(mosaic::FOLDER)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    for hash in hashes {
        let Some(folder) = place(folder, hash).parent().map(Path::to_owned) else { continue };
        let entries = match fs::read_dir(folder) {
            Err(error) if is_nowhere(&error) => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(hash)) {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// Two digits of the hash make the folder, so that none grows huge.
fn place(folder: &Path, name: &str) -> PathBuf {
    folder.join(name.get(..2).unwrap_or("xx")).join(name)
}

/// Opens without waiting for a FIFO and without following a link out of the library.
fn open_regular(path: &Path) -> std::io::Result<File> {
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC).bits();
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::ErrorKind::InvalidInput.into()) }
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{:08x}", rand::random::<u32>()));
    let result = File::create(&partial)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&partial, path));
    if result.is_err() {
        let _ = fs::remove_file(&partial);
    }
    result
}

/// Removes the oldest files until three quarters of the allowance are left.
fn shrink(folder: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    let mut total = 0;
    let Ok(parts) = fs::read_dir(folder) else { return Ok(()) };
    for part in parts.flatten() {
        let Ok(entries) = fs::read_dir(part.path()) else { continue };
        for entry in entries.flatten() {
            let Ok(facts) = entry.metadata() else { continue };
            total += facts.len();
            files.push((facts.modified()?, facts.len(), entry.path()));
        }
    }
    if total <= FOLDER_BYTES {
        return Ok(());
    }
    files.sort_unstable();
    for (_, size, path) in files {
        if total <= FOLDER_BYTES / 4 * 3 {
            break;
        }
        fs::remove_file(path)?;
        total -= size;
    }
    Ok(())
}

fn mime(text: &str) -> &'static str {
    match text {
        "image/png" => "image/png",
        "image/webp" => "image/webp",
        "image/gif" => "image/gif",
        "image/bmp" => "image/bmp",
        _ => "image/jpeg",
    }
}

/// Several who waited for one picture share its failure; each gets one of his own.
fn again(shared: &Arc<Error>) -> Error {
    match shared.as_ref() {
        Error::NotFound(what) => Error::NotFound(what),
        Error::Unavailable(why) => Error::Unavailable(why.clone()),
        Error::Invalid(why) => Error::Invalid(why.clone()),
        other => Error::Internal(anyhow::anyhow!("{other:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_listed_is_not_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let hash = "ab".repeat(32);
        forget_in(folder.path(), std::slice::from_ref(&hash)).unwrap();
        std::os::unix::fs::symlink("ab", folder.path().join("ab")).unwrap();
        forget_in(folder.path(), &[hash]).unwrap_err();
    }
}
