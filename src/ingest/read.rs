//! Reads what a listing says is new: opens files, has them understood in worker processes, and
//! puts together what belongs to each. Nothing of a file's content is parsed here.

use std::{fs::File, io::Read as _, path::Path, sync::Arc};

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::{cue, listing::Kind, walk::absolute};
use crate::{
    Result,
    catalog::{
        path_text,
        write::{Content, FileFound, FolderFound, FolderPicture, LyricsFound, TrackFound},
    },
    ids::MediaFileId,
    media::{
        lyrics,
        tags::{PictureFacts, ReadOptions, Tags},
        text,
        worker::{PicturePlace, Pool, ReadItem},
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
    pub(super) pool: Pool,
    pub(super) options: ReadOptions,
}

/// A file that was opened, or why not.
struct Opened {
    /// What to read.
    to_read: ToRead,
    file: Result<File, String>,
    size_bytes: i64,
    modified_ns: i64,
    sidecars: Vec<(Kind, String, Vec<u8>)>,
}

impl Reader {
    /// Reads the files of some folders.
    pub(super) async fn read(&self, parts: Vec<Part>) -> Result<Read> {
        let mut read = Read::default();
        for mut part in parts {
            let files = std::mem::take(&mut part.files);
            let wanted = files.len();
            let root = Arc::clone(&self.root);
            let opened = if files.is_empty() {
                Vec::new()
            } else {
                tokio::task::spawn_blocking(move || open_all(&root, files)).await?
            };
            // A file that went meanwhile leaves the folder incomplete; the next scan looks again.
            let is_whole = opened.len() == wanted;
            self.understand(opened, &mut read).await;
            let path = &part.folder.path;
            match part.cover {
                Some(Some(cover)) => {
                    let picture = self.picture(&cover).await;
                    read.pictures.push((path.clone(), picture));
                }
                Some(None) => read.pictures.push((path.clone(), None)),
                None => (),
            }
            if let Some(picture) = part.artist_picture
                && let Some(picture) = self.picture(&picture).await
            {
                read.artist_pictures.push((path.clone(), picture));
            }
            if let Some(fingerprint) = part.complete.filter(|_| is_whole) {
                read.complete.push((path.clone(), fingerprint));
            }
            read.folders.push(part.folder);
        }
        Ok(read)
    }

    async fn understand(&self, opened: Vec<Opened>, read: &mut Read) {
        let mut items = Vec::with_capacity(opened.len());
        let mut rest = Vec::with_capacity(opened.len());
        for mut of in opened {
            let file = std::mem::replace(&mut of.file, Err(String::new()));
            let problem = match file {
                Ok(_) if of.size_bytes == 0 => Some("The file is empty".to_owned()),
                Ok(file) => {
                    items.push(ReadItem {
                        file,
                        relative_path: path_text::shown(&of.to_read.path),
                        options: self.options.clone(),
                    });
                    None
                }
                Err(reason) => Some(reason),
            };
            rest.push((of, problem));
        }
        let mut answers = self.pool.understand(items).await.into_iter();
        for (of, problem) in rest {
            let content = match problem {
                Some(reason) => Content::Unreadable(reason),
                None => match answers.next() {
                    Some(Ok(understood)) => Content::Tracks {
                        quick_key: understood.quick_key,
                        tracks: tracks(understood.tags, &of),
                    },
                    Some(Err(unreadable)) => Content::Unreadable(unreadable.reason),
                    None => Content::Unreadable("The reader gave no answer".to_owned()),
                },
            };
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
                content,
            };
            read.files.push((found, is_added));
        }
    }

    /// Looks at a picture file; `None` when it is none.
    async fn picture(&self, path: &str) -> Option<FolderPicture> {
        let at = absolute(&self.root, path);
        let open = tokio::task::spawn_blocking(move || open_regular(&at)).await.ok()?;
        let (file, size, _) = open.ok()?;
        if size == 0 || LARGEST_PICTURE < size {
            return None;
        }
        let picture = self.pool.picture(file, PicturePlace::Whole).await.ok()?;
        Some(FolderPicture {
            path: path.to_owned(),
            facts: PictureFacts {
                hash: picture.hash,
                mime: picture.mime,
                width: picture.width,
                height: picture.height,
                size_bytes: picture.bytes.len() as u64,
            },
        })
    }
}

/// Opens files with what lies beside them. Those that are not there any more are left out.
fn open_all(root: &Path, files: Vec<ToRead>) -> Vec<Opened> {
    let mut opened = Vec::with_capacity(files.len());
    for to_read in files {
        let (file, size_bytes, modified_ns) = match open_regular(&absolute(root, &to_read.path)) {
            Ok((file, size, modified)) => (Ok(file), size as i64, modified),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => (Err(sentence(&error)), 0, 0),
        };
        let sidecars = to_read.sidecars.iter().filter_map(|(kind, path)| {
            let (file, size, _) = open_regular(&absolute(root, path)).ok()?;
            let mut bytes = Vec::new();
            file.take(LARGEST_SIDECAR).read_to_end(&mut bytes).ok()?;
            (size <= LARGEST_SIDECAR).then(|| (*kind, path.clone(), bytes))
        });
        let sidecars = sidecars.collect();
        opened.push(Opened { to_read, file, size_bytes, modified_ns, sidecars });
    }
    opened
}

/// Opens a regular file for reading, through no link and without waiting for anybody; gives its
/// size and time too.
fn open_regular(path: &Path) -> std::io::Result<(File, u64, i64)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(CWD, path, flags, Mode::empty())?);
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(std::io::Error::other("not a regular file"));
    }
    let modified =
        stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec as i64);
    Ok((file, stat.st_size as u64, modified))
}

fn sentence(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "The file may not be read".to_owned(),
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
