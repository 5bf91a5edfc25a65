//! Opens the files of a folder with what lies beside them. What is not there any more is left out;
//! what cannot be opened just now is told apart from that, so that the next scan looks again.

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::{
    listing::Kind,
    read::{Part, ToRead},
    scan::parent,
    walk::{Lent, absolute, open_folder},
};
use crate::{
    catalog::path_text,
    error::{in_words, is_nowhere},
    media::sealed::Sealed,
};

/// Lyrics and cue sheets are small; larger files of that name are something else.
const LARGEST_SIDECAR: u64 = 512 << 10;
/// A larger picture is no cover.
const LARGEST_PICTURE: u64 = 64 << 20;

/// A [`Part`] whose files are open.
pub(super) struct OpenedPart {
    /// Without its files and pictures; whether it had a cover still shows.
    pub(super) part: Part,
    pub(super) files: Vec<Opened>,
    pub(super) cover: Option<OpenedPicture>,
    pub(super) artist_picture: Option<OpenedPicture>,
    /// No file went since the listing, and all pictures could be opened; else the next scan looks
    /// again.
    pub(super) is_whole: bool,
}

/// A picture that was opened.
pub(super) struct OpenedPicture {
    pub(super) path: String,
    /// Until a worker gets it.
    pub(super) file: Option<File>,
}

/// A file that was opened, or why not.
pub(super) struct Opened {
    /// What to read.
    pub(super) to_read: ToRead,
    /// Until a worker gets it.
    pub(super) file: Result<Option<File>, String>,
    pub(super) size_bytes: i64,
    pub(super) modified_ns: i64,
    pub(super) sidecars: Vec<(Kind, String, Vec<u8>)>,
    /// It and all that lies beside it could be read; else the next scan reads it again.
    pub(super) is_whole: bool,
}

impl Opened {
    /// What cannot be read now may be another time, and looks the same then: so it is remembered
    /// as something else than what lies there.
    pub(super) fn forget(&mut self) {
        (self.size_bytes, self.modified_ns, self.is_whole) = (0, 0, false);
    }
}

/// Opens the files of some folders with what lies beside them. Files that are not there any more
/// are left out.
pub(super) fn open_all(root: &Path, lent: &Lent, parts: Vec<Part>) -> Vec<OpenedPart> {
    let opened = parts.into_iter().map(|mut part| {
        let folder = Place::open(root, lent, &part.folder.path);
        let wanted = std::mem::take(&mut part.files);
        let all = wanted.len();
        let files = wanted.into_iter().filter_map(|to_read| open_one(&folder, to_read));
        let files: Vec<Opened> = files.collect();
        let mut is_whole = files.len() == all;
        let cover = part.cover.iter_mut().find_map(Option::take);
        let cover = open_picture(&folder, cover).unwrap_or_else(|_| {
            // The one that is known stays.
            (part.cover, is_whole) = (None, false);
            None
        });
        let artist_picture = part.artist_picture.take();
        let artist_picture = open_picture(&folder, artist_picture).unwrap_or_else(|_| {
            is_whole = false;
            None
        });
        OpenedPart { part, files, cover, artist_picture, is_whole }
    });
    opened.collect()
}

/// A file of a library for reading, through no link and without waiting for anybody.
pub(super) fn open(root: &Path, lent: &Lent, path: &str) -> io::Result<File> {
    Place::open(root, lent, parent(path)).open_regular(path).map(|(file, ..)| file)
}

fn open_one(folder: &Place<'_>, to_read: ToRead) -> Option<Opened> {
    let (file, size_bytes, modified_ns) = match folder.open_regular(&to_read.path) {
        Ok((file, size, modified)) => (Ok(Some(file)), size as i64, modified),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => (Err(sentence("The file", &error)), 0, 0),
    };
    let is_whole = file.is_ok();
    let sidecars = Vec::with_capacity(to_read.sidecars.len());
    let mut opened = Opened { to_read, file, size_bytes, modified_ns, sidecars, is_whole };
    for (kind, path) in std::mem::take(&mut opened.to_read.sidecars) {
        match read_sidecar(folder, &path) {
            Ok(bytes) => opened.sidecars.extend(bytes.map(|bytes| (kind, path, bytes))),
            Err(error) if is_nowhere(&error) => (),
            // Without its sheet the file would be one long track, and the tracks of it gone.
            Err(error) if kind == Kind::Cue => {
                opened.file = Err(sentence("Its cue sheet", &error));
                opened.forget();
            }
            // It plays without its lyrics, but they are looked for again.
            Err(error) => {
                tracing::debug!(path, "lyrics cannot be read: {error}");
                (opened.to_read.sidecar_stamp, opened.is_whole) = (0, false);
            }
        }
    }
    Some(opened)
}

/// The bytes of a small file; `None` for one that is too large to be of that kind.
fn read_sidecar(folder: &Place<'_>, path: &str) -> io::Result<Option<Vec<u8>>> {
    let (file, size, _) = folder.open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_SIDECAR).read_to_end(&mut bytes)?;
    Ok((size <= LARGEST_SIDECAR).then_some(bytes))
}

/// Opens a picture, if there is one that may be a cover.
fn open_picture(folder: &Place<'_>, path: Option<String>) -> io::Result<Option<OpenedPicture>> {
    let Some(path) = path else { return Ok(None) };
    match folder.open_regular(&path) {
        Ok((file, size, _)) => {
            let fits = 0 < size && size <= LARGEST_PICTURE;
            Ok(fits.then_some(OpenedPicture { path, file: Some(file) }))
        }
        Err(error) if is_nowhere(&error) => Ok(None),
        Err(error) => {
            tracing::debug!(path, "a picture cannot be opened: {error}");
            Err(error)
        }
    }
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

fn sentence(what: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!("{what} may not be read"),
        _ => format!("{what} cannot be opened: {}", in_words(error)),
    }
}
