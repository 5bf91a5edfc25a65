//! What is in an archive, entry by entry into the locker: judged, taken, stored as any upload.

use std::{fs::File, io};

use futures_util::stream;

use super::{Destination, ImportItem, Imports, Problem, live::Live};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{Handover, RelativePath, Target},
    ids::ImportId,
    media::{
        unpack::{Entry, EntryKind, Order, Unpacked},
        worker::Unpacking,
    },
};

/// Entries of an archive.
const MOST_ENTRIES: usize = 100_000;
/// So much may come out of any archive.
const SURELY_FINE: u64 = 64 << 20;
/// And so many times its size of a large one. Music hardly shrinks; texts do by ten.
const MOST_RATIO: u64 = 100;

/// Whom an archive is unpacked for, and where.
pub(super) struct Unpacker<'a> {
    pub(super) imports: &'a Imports,
    pub(super) id: ImportId,
    pub(super) live: &'a Live,
    pub(super) principal: &'a Principal,
    pub(super) into: &'a Destination,
    /// The address that the archive came from.
    pub(super) source: Option<String>,
}

/// How far the entry that is being stored is.
#[derive(Default)]
struct Progress {
    is_taken: bool,
    is_over: bool,
    bytes: u64,
    problem: Option<String>,
}

impl Unpacker<'_> {
    /// Everything in the archive. An error is about the archive; what is refused of it is not one.
    pub(super) async fn run(&self, archive: File, size: u64) -> Result<()> {
        let bytes = SURELY_FINE.max(size.saturating_mul(MOST_RATIO));
        let order = Order { bytes, entries: MOST_ENTRIES };
        let mut unpacking = self.imports.pool.unpack(archive, order)?;
        // The worker is bound to the order; this is for one that was taken over.
        let (mut entries, mut left) = (0, bytes);
        loop {
            match unpacking.next().await {
                Some(Unpacked::Entry(entry)) => {
                    entries += 1;
                    if MOST_ENTRIES < entries {
                        return Err(unreadable());
                    }
                    if let Some(item) = self.entry(&mut unpacking, &entry, &mut left).await? {
                        self.imports.note(self.id, self.live, &item).await?;
                    }
                }
                Some(Unpacked::End(None)) => return Ok(()),
                Some(Unpacked::End(Some(problem))) => {
                    return Err(Error::UnsupportedArchive(problem));
                }
                _ => return Err(unreadable()),
            }
        }
    }

    /// One entry; `None` where there is nothing to tell.
    async fn entry(
        &self,
        unpacking: &mut Unpacking,
        entry: &Entry,
        left: &mut u64,
    ) -> Result<Option<ImportItem>> {
        // As `tar` writes it when it is given a folder to go to.
        let mut name = entry.name.as_str();
        while let Some(rest) = name.strip_prefix("./") {
            name = rest.trim_start_matches('/');
        }
        let refused = |problem| {
            let (path, size) = (name.to_owned(), Some(entry.size));
            Some(ImportItem { path, size, hash: None, etag: None, problem: Some(problem) })
        };
        let is_folder = entry.kind == EntryKind::Folder;
        if is_folder && (name.is_empty() || name == ".") {
            unpacking.say(false).await?;
            return Ok(None);
        }
        let path = match RelativePath::parse(name) {
            Ok(path) if path.is_root() => Err(Problem::from(&no_name())),
            Ok(path) => Ok(path),
            Err(problem) => Err(Problem::from(&problem)),
        };
        let path = match (path, entry.kind.refusal()) {
            (Err(problem), _) => {
                unpacking.say(false).await?;
                return Ok(refused(problem));
            }
            (_, Some((rule, sentence))) => {
                unpacking.say(false).await?;
                return Ok(refused(Problem::archive(rule, sentence)));
            }
            (Ok(path), None) => path.below(&self.into.folder),
        };
        if is_folder {
            unpacking.say(false).await?;
            let made =
                self.imports.drive.make_folder(self.principal, self.into.locker, &path).await;
            return Ok(made.err().and_then(|error| refused(Problem::from(&error))));
        }
        if *left < entry.size {
            unpacking.say(false).await?;
            let problem = "More comes out of this archive than can be right";
            return Ok(refused(Problem::archive("ratio", problem)));
        }
        *left -= entry.size;
        let heeded = self.into.heed_locks(&self.imports.drive, self.principal, &path).await;
        if let Err(error) = heeded {
            unpacking.say(false).await?;
            return Ok(refused(Problem::from(&error)));
        }
        let stored = self.store(unpacking, entry, path).await?;
        Ok(match stored {
            Ok(stored) => Some(ImportItem {
                path: name.to_owned(),
                size: Some(stored.size),
                hash: Some(stored.hash),
                etag: Some(stored.etag),
                problem: None,
            }),
            Err(problem) => refused(problem),
        })
    }

    /// A file into the locker. Its bytes are asked for once the drive has room for them.
    async fn store(
        &self,
        unpacking: &mut Unpacking,
        entry: &Entry,
        path: RelativePath,
    ) -> Result<Result<crate::drive::Stored, Problem>> {
        let mut progress = Progress::default();
        let target = Target { locker: self.into.locker, path, condition: self.into.condition() };
        let handover = Handover { source: self.source.clone(), ..Handover::default() };
        let body =
            stream::unfold((&mut *unpacking, &mut progress), |(unpacking, progress)| async {
                let piece = next_piece(unpacking, progress, entry.size).await?;
                Some((piece, (unpacking, progress)))
            });
        let drive = &self.imports.drive;
        let stored =
            Box::pin(drive.put_as(self.principal, &target, Some(entry.size), body, handover)).await;
        // What was not asked for is passed over, and what was asked for is heard to its end.
        if !progress.is_taken {
            unpacking.say(false).await?;
        } else if !progress.is_over {
            while let Some(piece) = next_piece(unpacking, &mut progress, entry.size).await {
                if piece.is_err() {
                    break;
                }
            }
        }
        if progress.is_taken && !progress.is_over {
            return Err(unreadable());
        }
        Ok(match (stored, progress.problem) {
            (Ok(stored), _) => Ok(stored),
            (Err(_), Some(problem)) => Err(Problem::archive("broken", &problem)),
            // The rest would fare no better.
            (Err(error @ Error::StorageDegraded(_)), None) => return Err(error),
            (Err(error), None) => {
                if let Error::Internal(cause) = &error {
                    tracing::error!("a file of an archive could not be stored: {cause:#}");
                }
                Err(Problem::from(&error))
            }
        })
    }
}

/// More of the entry that was taken; asks for it at the first time.
async fn next_piece(
    unpacking: &mut Unpacking,
    progress: &mut Progress,
    most: u64,
) -> Option<io::Result<bytes::Bytes>> {
    if progress.is_over {
        return None;
    }
    if !progress.is_taken {
        progress.is_taken = true;
        if unpacking.say(true).await.is_err() {
            return Some(Err(io::ErrorKind::BrokenPipe.into()));
        }
    }
    match unpacking.next().await {
        Some(Unpacked::Bytes(bytes)) if progress.bytes + bytes.len() as u64 <= most => {
            progress.bytes += bytes.len() as u64;
            Some(Ok(bytes))
        }
        Some(Unpacked::Whole) => {
            progress.is_over = true;
            None
        }
        Some(Unpacked::Broken(problem)) => {
            progress.is_over = true;
            progress.problem = Some(problem);
            Some(Err(io::ErrorKind::InvalidData.into()))
        }
        // Out of turn, or gone: nothing more is heard from it.
        _ => Some(Err(io::ErrorKind::BrokenPipe.into())),
    }
}

fn no_name() -> crate::drive::NameProblem {
    crate::drive::NameProblem { rule: "empty", sentence: "A file needs a name" }
}

fn unreadable() -> Error {
    Error::UnsupportedArchive("This archive cannot be read any further".to_owned())
}
