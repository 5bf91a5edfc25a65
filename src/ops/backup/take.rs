//! Takes a snapshot while the server works: the database first, then the files, which may only be
//! newer than what it says of them. A restored server puts its rows right by what it finds.

use std::{
    collections::{HashMap, HashSet},
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use tokio_util::sync::CancellationToken;

use super::{
    Places, cannot,
    layout::{Folder, Line, Partial, Snapshot},
    objects::{Objects, hash_of},
    walk::{Found, modified_ns},
};
use crate::{Error, Result, clock::Millis};

/// Walks until one finds nothing new: what was moved from one folder to another during a walk may
/// have been in neither.
const WALKS: usize = 5;
/// Tries to read a file that is being written by other hands.
const TRIES: usize = 3;
/// Reasons that are kept.
const MOST_SKIPPED: usize = 1000;

/// What is known of a file's content. Keyed by [`key`], so that a million of them take little.
type Known = HashMap<[u8; 16], Content>;

#[derive(Debug, Clone, Copy)]
struct Content {
    size: u64,
    modified_ns: i64,
    hash: [u8; 32],
}

/// How to take it.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) has_files: bool,
    /// Read files again whose size and time are those of the last snapshot.
    pub(super) reads_all: bool,
    pub(super) at: Millis,
}

/// Copies the files, writes the list, and makes the snapshot whole. With it the contents that were
/// not in the last one.
pub(super) fn files(
    places: &Places,
    folder: &Folder,
    partial: Partial,
    how: How,
    stop: &CancellationToken,
) -> Result<(Snapshot, HashSet<[u8; 32]>)> {
    let database = partial.database();
    File::open(&database).and_then(|file| file.sync_all()).map_err(cannot("write", &database))?;
    let mut taking = Taking {
        places,
        objects: Objects::of(&folder.path),
        known: if how.reads_all { Known::new() } else { known(folder)? },
        fresh: HashSet::new(),
        stop,
    };
    let mut tally = Tally::default();
    for _ in 0..WALKS {
        tally = taking.walk(&partial.list(), how.has_files)?;
        if tally.added == 0 {
            break;
        }
    }
    taking.objects.sync()?;
    let snapshot = Snapshot {
        name: partial.name.clone(),
        taken_at: how.at,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        has_files: how.has_files,
        files: tally.files,
        bytes: tally.bytes,
        new_bytes: taking.objects.new_bytes,
        database: hash_of(&database)?,
        list: hash_of(&partial.list())?,
        skipped: tally.skipped,
    };
    partial.finish(&snapshot)?;
    Ok((snapshot, taking.fresh))
}

/// What one walk came to.
#[derive(Debug, Default)]
struct Tally {
    files: u64,
    bytes: u64,
    /// Contents that were not known before it.
    added: u64,
    skipped: Vec<String>,
}

impl Tally {
    fn skip(&mut self, path: &Path, why: &io::Error) {
        if self.skipped.len() < MOST_SKIPPED {
            self.skipped.push(format!("{}: {why}", path.display()));
        }
    }
}

struct Taking<'a> {
    places: &'a Places,
    objects: Objects,
    known: Known,
    /// Contents that were read now.
    fresh: HashSet<[u8; 32]>,
    stop: &'a CancellationToken,
}

impl Taking<'_> {
    fn walk(&mut self, list: &Path, has_files: bool) -> Result<Tally> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(list);
        let mut out = BufWriter::new(file.map_err(cannot("write", list))?);
        let mut tally = Tally::default();
        let mut outcome = Ok(());
        let mut unseen = Vec::new();
        let places = self.places;
        places.walk(
            has_files,
            &mut |found| {
                if outcome.is_ok() {
                    outcome = self.one(&found, &mut out, &mut tally, list);
                }
            },
            &mut |path, error| unseen.push((path.to_owned(), error)),
        );
        outcome?;
        for (path, error) in unseen {
            tally.skip(&path, &error);
        }
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(cannot("write", list))?;
        Ok(tally)
    }

    fn one(
        &mut self,
        found: &Found,
        out: &mut impl Write,
        tally: &mut Tally,
        list: &Path,
    ) -> Result<()> {
        if self.stop.is_cancelled() {
            return Err(Error::Unavailable("The backup was broken off".to_owned()));
        }
        let path = found.spelled();
        let (mut size, mut modified_ns, mut hash) = (found.size, found.modified_ns, None);
        if !found.is_folder {
            let key = key(found.root, &path);
            let content = match self.known.get(&key).filter(|it| it.is_of(found)) {
                Some(content) => *content,
                None => match self.read(found)? {
                    Ok(content) => {
                        tally.added += 1;
                        self.known.insert(key, content);
                        self.fresh.insert(content.hash);
                        content
                    }
                    // It went while this came to it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                    Err(error) => {
                        tally.skip(&found.path, &error);
                        return Ok(());
                    }
                },
            };
            (size, modified_ns) = (content.size, content.modified_ns);
            hash = Some(hex::encode(content.hash));
            tally.files += 1;
            tally.bytes += size;
        }
        let line = Line { root: found.root, path, mode: found.mode, size, modified_ns, hash };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        out.write_all(&text).map_err(cannot("write", list))
    }

    /// Puts a file's content into the store. The inner failure is the file's own.
    fn read(&mut self, found: &Found) -> Result<io::Result<Content>> {
        let mut last = None;
        for _ in 0..TRIES {
            let mut file = match self.places.open(found) {
                Ok(file) => file,
                Err(error) => return Ok(Err(error)),
            };
            let before = file.metadata().map_err(cannot("read", &found.path))?;
            if !before.is_file() {
                return Ok(Err(io::ErrorKind::NotFound.into()));
            }
            let hash = self.objects.add(&mut file)?;
            let after = file.metadata().map_err(cannot("read", &found.path))?;
            let facts = (after.len(), modified_ns(&after));
            let mut bytes = [0; 32];
            hex::decode_to_slice(&hash, &mut bytes).map_err(Error::internal)?;
            let content = Content { size: facts.0, modified_ns: facts.1, hash: bytes };
            if (before.len(), modified_ns(&before)) == facts {
                return Ok(Ok(content));
            }
            last = Some(content);
        }
        // It never held still; what was read is better than nothing.
        Ok(last.ok_or_else(|| io::ErrorKind::NotFound.into()))
    }
}

impl Content {
    fn is_of(&self, found: &Found) -> bool {
        (self.size, self.modified_ns) == (found.size, found.modified_ns)
    }
}

/// What the last snapshot knows, as far as the contents are there.
fn known(folder: &Folder) -> Result<Known> {
    let mut known = Known::new();
    let Some(last) = folder.snapshots()?.pop() else { return Ok(known) };
    let objects = Objects::of(&folder.path);
    folder.lines(&last, |line| {
        let mut hash = [0; 32];
        if let Some(text) = &line.hash
            && hex::decode_to_slice(text, &mut hash).is_ok()
            && objects.has(text)
        {
            let content = Content { size: line.size, modified_ns: line.modified_ns, hash };
            known.insert(key(line.root, &line.path), content);
        }
        Ok(())
    })?;
    Ok(known)
}

fn key(root: super::layout::Root, path: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[root as u8]).update(path.as_bytes());
    let mut key = [0; 16];
    hasher.finalize_xof().fill(&mut key);
    key
}
