//! Reads what a listing says is new: opens files, has them understood in worker processes, and
//! puts together what belongs to each. Nothing of a file's content is parsed here.

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
    path::Path,
    sync::Arc,
};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::{
    cue,
    listing::Kind,
    walk::{Lent, absolute, open_folder},
};
use crate::{
    Result,
    catalog::{
        path_text,
        write::{Content, FileFound, FolderFound, FolderPicture, LyricsFound, TrackFound},
    },
    ids::MediaFileId,
    media::{
        lyrics,
        sealed::Sealed,
        tags::{PictureFacts, ReadOptions, Tags},
        text,
        worker::{Pool, ReadItem, Understood, Unreadable},
    },
};

/// Lyrics and cue sheets are small; larger files of that name are something else.
const LARGEST_SIDECAR: u64 = 512 << 10;
/// A larger picture is no cover.
const LARGEST_PICTURE: u64 = 64 << 20;

/// A file to read.
#[derive(Debug, Clone)]
pub(super) struct ToRead {
    pub(super) path: String,
    pub(super) inode: i64,
    pub(super) sidecar_stamp: i64,
    pub(super) moved_from: Option<MediaFileId>,
    /// No row has its path; it may have moved here.
    pub(super) is_added: bool,
    pub(super) sidecars: Vec<(Kind, String)>,
}

/// What there is to do in a folder, or in a part of a large one.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) folder: FolderFound,
    pub(super) files: Vec<ToRead>,
    /// The folder's cover: `None` leaves it, `Some(None)` takes it away.
    #[expect(clippy::option_option, reason = "a folder may keep, change or lose its cover")]
    pub(super) cover: Option<Option<String>>,
    pub(super) artist_picture: Option<String>,
    /// Its fingerprint, when everything in it is in this part or earlier ones.
    pub(super) complete: Option<[u8; 32]>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) folders: Vec<FolderFound>,
    /// Files, and whether they are new to the catalogue.
    pub(super) files: Vec<(FileFound, bool)>,
    pub(super) pictures: Vec<(String, Option<FolderPicture>)>,
    pub(super) artist_pictures: Vec<(String, FolderPicture)>,
    pub(super) complete: Vec<(String, [u8; 32])>,
    pub(super) errors: u64,
}

/// What reads need.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) root: Arc<Path>,
    pub(super) lent: Arc<Lent>,
    pub(super) pool: Pool,
    pub(super) options: Arc<ReadOptions>,
}

/// A [`Part`] whose files are open.
struct OpenedPart {
    /// Without its files and pictures; whether it had a cover still shows.
    part: Part,
    files: Vec<Opened>,
    cover: Option<OpenedPicture>,
    artist_picture: Option<OpenedPicture>,
    /// No file went since the listing, and all could be opened; else the next scan looks again.
    is_whole: bool,
}

struct OpenedPicture {
    path: String,
    /// Until a worker gets it.
    file: Option<File>,
}

/// A file that was opened, or why not.
struct Opened {
    /// What to read.
    to_read: ToRead,
    /// Until a worker gets it.
    file: Result<Option<File>, String>,
    size_bytes: i64,
    modified_ns: i64,
    sidecars: Vec<(Kind, String, Vec<u8>)>,
}

impl Reader {
    /// Reads the files of some folders, all at once. Fails if nobody can read.
    pub(super) async fn read(&self, parts: Vec<Part>) -> Result<Read> {
        let (root, lent) = (Arc::clone(&self.root), Arc::clone(&self.lent));
        let opened = tokio::task::spawn_blocking(move || open_all(&root, &lent, parts));
        let mut opened = opened.await?;
        let mut items = Vec::with_capacity(opened.iter().map(|part| part.files.len()).sum());
        let mut pictures = Vec::new();
        for part in &mut opened {
            items.extend(part.files.iter_mut().filter_map(|file| self.item(file)));
            let wanted = [&mut part.cover, &mut part.artist_picture];
            pictures.extend(wanted.into_iter().flatten().filter_map(|it| it.file.take()));
        }
        let (music, pictures) = self.pool.read(items, pictures).await?;
        let mut answers = Answers { music: music.into_iter(), pictures: pictures.into_iter() };
        let mut read = Read::default();
        for part in opened {
            answers.put_together(part, &mut read);
        }
        Ok(read)
    }

    /// What a worker is to read; `None` if the file cannot be.
    fn item(&self, of: &mut Opened) -> Option<ReadItem> {
        if of.size_bytes == 0 && of.file.is_ok() {
            of.file = Err("The file is empty".to_owned());
        }
        let file = of.file.as_mut().ok()?.take()?;
        let relative_path = path_text::shown(&of.to_read.path);
        Some(ReadItem { file, relative_path, options: Arc::clone(&self.options) })
    }
}

/// What the workers say, in the order of what was opened.
struct Answers {
    music: std::vec::IntoIter<Result<Understood, Unreadable>>,
    pictures: std::vec::IntoIter<Result<PictureFacts, Unreadable>>,
}

impl Answers {
    fn put_together(&mut self, part: OpenedPart, read: &mut Read) {
        let OpenedPart { part, files, cover, artist_picture, is_whole } = part;
        for of in files {
            let content = self.content(&of);
            if let Content::Unreadable(reason) = &content {
                tracing::debug!(path = %of.to_read.path, reason, "a file cannot be read");
                read.errors += 1;
            }
            let is_added = of.to_read.is_added;
            let found = FileFound {
                path: of.to_read.path,
                size_bytes: of.size_bytes,
                modified_ns: of.modified_ns,
                inode: of.to_read.inode,
                sidecar_stamp: of.to_read.sidecar_stamp,
                moved_from: of.to_read.moved_from,
                audio_hash: None,
                content,
            };
            read.files.push((found, is_added));
        }
        let folder = &part.folder.path;
        if part.cover.is_some() {
            let picture = cover.and_then(|cover| self.picture(cover));
            read.pictures.push((folder.clone(), picture));
        }
        if let Some(picture) = artist_picture.and_then(|picture| self.picture(picture)) {
            read.artist_pictures.push((folder.clone(), picture));
        }
        // A file that went meanwhile leaves the folder incomplete; the next scan looks again.
        if let Some(fingerprint) = part.complete.filter(|_| is_whole) {
            read.complete.push((folder.clone(), fingerprint));
        }
        read.folders.push(part.folder);
    }

    fn content(&mut self, of: &Opened) -> Content {
        if let Err(reason) = &of.file {
            return Content::Unreadable(reason.clone());
        }
        match self.music.next() {
            Some(Ok(understood)) => Content::Tracks {
                quick_key: understood.quick_key,
                tracks: tracks(understood.tags, of),
            },
            Some(Err(unreadable)) => Content::Unreadable(unreadable.reason),
            None => Content::Unreadable("The reader gave no answer".to_owned()),
        }
    }

    /// What a picture file is; `None` when it is none.
    fn picture(&mut self, of: OpenedPicture) -> Option<FolderPicture> {
        let facts = self.pictures.next()?.ok()?;
        Some(FolderPicture { path: of.path, facts })
    }
}

/// Opens the files of some folders with what lies beside them. Files that are not there any more
/// are left out.
fn open_all(root: &Path, lent: &Lent, parts: Vec<Part>) -> Vec<OpenedPart> {
    let opened = parts.into_iter().map(|mut part| {
        let folder = Place::open(root, lent, &part.folder.path);
        let wanted = std::mem::take(&mut part.files);
        let mut files = Vec::with_capacity(wanted.len());
        let mut is_whole = true;
        for to_read in wanted {
            match open_one(&folder, to_read) {
                Some(opened) => {
                    // What cannot be opened now may be another time, and looks the same then.
                    is_whole &= opened.file.is_ok();
                    files.push(opened);
                }
                None => is_whole = false,
            }
        }
        let cover = part.cover.iter_mut().find_map(Option::take);
        let cover = cover.and_then(|path| open_picture(&folder, path));
        let picture = part.artist_picture.take();
        let artist_picture = picture.and_then(|path| open_picture(&folder, path));
        OpenedPart { part, files, cover, artist_picture, is_whole }
    });
    opened.collect()
}

fn open_one(folder: &Place<'_>, to_read: ToRead) -> Option<Opened> {
    let (file, size_bytes, modified_ns) = match folder.open_regular(&to_read.path) {
        Ok((file, size, modified)) => (Ok(Some(file)), size as i64, modified),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => (Err(sentence(&error)), 0, 0),
    };
    let sidecars = to_read.sidecars.iter().filter_map(|(kind, path)| {
        let (file, size, _) = folder.open_regular(path).ok()?;
        let mut bytes = Vec::new();
        file.take(LARGEST_SIDECAR).read_to_end(&mut bytes).ok()?;
        (size <= LARGEST_SIDECAR).then(|| (*kind, path.clone(), bytes))
    });
    let sidecars = sidecars.collect();
    Some(Opened { to_read, file, size_bytes, modified_ns, sidecars })
}

fn open_picture(folder: &Place<'_>, path: String) -> Option<OpenedPicture> {
    let (file, size, _) = folder.open_regular(&path).ok()?;
    let fits = 0 < size && size <= LARGEST_PICTURE;
    fits.then_some(OpenedPicture { path, file: Some(file) })
}

/// An open folder: the system finds its files without the way there.
struct Place<'l>(rustix::io::Result<OwnedFd>, &'l Lent);

impl<'l> Place<'l> {
    fn open(root: &Path, lent: &'l Lent, path: &str) -> Self {
        Self(open_folder(&absolute(root, path), path), lent)
    }

    /// Opens a regular file of it for reading, through no link and without waiting for anybody;
    /// gives its size and time too.
    fn open_regular(&self, path: &str) -> io::Result<(File, u64, i64)> {
        if let Some(sealed) = self.1.get(path)
            && let Some(file) = self.open_lent(path, sealed)?
        {
            return Ok((file, sealed.size, sealed.modified_ns));
        }
        let folder = self.0.as_ref().map_err(|error| *error)?;
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder, path_text::decode(name), flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("not a regular file"));
        }
        let modified =
            stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec as i64);
        Ok((File::from(file), stat.st_size as u64, modified))
    }

    /// The bytes of a lent file, if its symlink still is there.
    fn open_lent(&self, path: &str, sealed: &Sealed) -> io::Result<Option<File>> {
        let folder = self.0.as_ref().map_err(|error| *error)?;
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let stat = rustix::fs::statat(folder, path_text::decode(name), AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            return Ok(None);
        }
        sealed.open().map(Some)
    }
}

fn sentence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "The file may not be read".to_owned(),
        _ => format!("The file cannot be opened: {error}"),
    }
}

/// The tracks in a file: one, or those of its cue sheet.
fn tracks(mut tags: Tags, of: &Opened) -> Vec<TrackFound> {
    let embedded = tags.cue_sheet.take();
    let mut sheets = of.sidecars.iter().filter(|(kind, ..)| *kind == Kind::Cue);
    let parts = sheets
        .find_map(|(_, path, bytes)| {
            cue::parts(&tags, &of.to_read.path, path, &text::decode(bytes))
        })
        .or_else(|| cue::embedded_parts(&tags, embedded.as_deref()?));
    if let Some(parts) = parts {
        return parts;
    }
    let lyrics = lyrics_of(&tags, of);
    tags.lyrics.clear();
    vec![TrackFound { cue_index: None, start_ms: 0, tags, lyrics }]
}

/// Lyrics with times first, files before tags.
fn lyrics_of(tags: &Tags, of: &Opened) -> Vec<LyricsFound> {
    let mut found = Vec::new();
    for wanted in [Kind::Lrc, Kind::Text] {
        for (_, path, bytes) in of.sidecars.iter().filter(|(kind, ..)| *kind == wanted) {
            let body = text::decode(bytes);
            found.extend(lyrics_found(&body, None, path));
        }
    }
    for lyrics in &tags.lyrics {
        found.extend(lyrics_found(&lyrics.body, Some(&lyrics.lang), "embedded"));
    }
    found.sort_by_key(|lyrics| !lyrics.is_synced);
    found
}

fn lyrics_found(body: &str, lang: Option<&str>, source: &str) -> Option<LyricsFound> {
    let parsed = lyrics::parse(body);
    if parsed.lines.iter().all(|line| line.text.trim().is_empty()) {
        return None;
    }
    let lang = lang.filter(|lang| !lang.is_empty()).map(str::to_owned).or(parsed.lang);
    Some(LyricsFound {
        lang: lang.unwrap_or_else(|| "und".to_owned()),
        is_synced: parsed.is_synced,
        source: source.to_owned(),
        body: body.to_owned(),
    })
}
