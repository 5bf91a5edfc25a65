//! Reads what a listing says is new: has files understood in worker processes, and puts together
//! what belongs to each. Nothing of a file's content is parsed here.

use std::{path::Path, sync::Arc};

use super::{
    cue,
    listing::Kind,
    open::{Opened, OpenedPart, OpenedPicture, open_all},
    walk::Lent,
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
        tags::{PictureFacts, ReadOptions, Tags},
        text,
        worker::{Pool, ReadItem, Understood, Unreadable},
    },
};

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
    /// Folders of which not everything could be read just now: the next scan looks again, whatever
    /// else says that they are complete.
    pub(super) incomplete: Vec<String>,
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
        let OpenedPart { part, files, cover, artist_picture, mut is_whole } = part;
        for mut of in files {
            let content = self.content(&mut of);
            is_whole &= of.is_whole;
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
            match cover.map(|cover| self.picture(cover)).transpose() {
                Ok(picture) => read.pictures.push((folder.clone(), picture.flatten())),
                Err(Unread) => is_whole = false,
            }
        }
        match artist_picture.map(|picture| self.picture(picture)).transpose() {
            Ok(Some(Some(picture))) => read.artist_pictures.push((folder.clone(), picture)),
            Ok(_) => (),
            Err(Unread) => is_whole = false,
        }
        if !is_whole {
            read.incomplete.push(folder.clone());
        } else if let Some(fingerprint) = part.complete {
            read.complete.push((folder.clone(), fingerprint));
        }
        read.folders.push(part.folder);
    }

    fn content(&mut self, of: &mut Opened) -> Content {
        if let Err(reason) = &of.file {
            return Content::Unreadable(reason.clone());
        }
        match self.music.next() {
            Some(Ok(understood)) => Content::Tracks {
                quick_key: understood.quick_key,
                tracks: tracks(understood.tags, of),
            },
            Some(Err(unreadable)) => {
                if unreadable.is_unread {
                    of.forget();
                }
                Content::Unreadable(unreadable.reason)
            }
            None => Content::Unreadable("The reader gave no answer".to_owned()),
        }
    }

    /// What a picture file is; `None` when it is none.
    fn picture(&mut self, of: OpenedPicture) -> Result<Option<FolderPicture>, Unread> {
        match self.pictures.next() {
            Some(Ok(facts)) => Ok(Some(FolderPicture { path: of.path, facts })),
            Some(Err(unreadable)) if unreadable.is_unread => Err(Unread),
            Some(Err(_)) | None => Ok(None),
        }
    }
}

/// The disk did not give it, which says nothing about what it is.
struct Unread;

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
