//! Walk and diff: which folders are not as the catalogue remembers them, and which of their files
//! must be read. A folder whose fingerprint is the remembered one costs its listing and no more.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Ingest, ScanKind,
    diff::{Change, Known, diff},
    finish::Gone,
    listing::{Kind, Listing},
    read::{Part, ToRead},
    scan::{Found, Order, Portions},
    status::Tracker,
    walk::{Depth, Lent, Step, walk},
};
use crate::{
    Result,
    catalog::write::{FileGone, FolderFound},
    db::Db,
    ids::LibraryId,
};

/// A folder row: its id and the fingerprint of its listing.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownFolder {
    pub(super) id: i64,
    fingerprint: Option<[u8; 32]>,
}

/// Folder rows by path.
pub(super) type KnownFolders = HashMap<String, KnownFolder>;

/// What a walk saw.
#[derive(Debug, Default)]
pub(super) struct WalkEnd {
    /// Folder rows that it did not come by.
    pub(super) unseen: Vec<(String, i64)>,
    /// Playlist files.
    pub(super) playlists: Vec<String>,
    /// Files that may be music.
    pub(super) audio: u64,
    /// Folders that could not be listed.
    pub(super) troubles: Vec<String>,
}

/// A listing that differs, and the row of its folder.
type Different = (Listing, Option<KnownFolder>);

/// The first two steps of a scan.
pub(super) struct Changes {
    pub(super) db: Db,
    pub(super) root: Arc<Path>,
    pub(super) lent: Arc<Lent>,
    pub(super) order: Order,
    pub(super) tracker: Tracker,
    pub(super) stop: CancellationToken,
}

impl Ingest {
    /// The folder rows that a scan may come by.
    pub(super) async fn known_folders(
        &self,
        library: LibraryId,
        order: &Order,
    ) -> Result<KnownFolders> {
        // In text order everything below `a` lies between `a/` and `a0`.
        let (from, below, after) =
            (&order.from, format!("{}/", order.from), format!("{}0", order.from));
        let rows = sqlx::query!(
            "select folder_id, path, fingerprint from folder
             where library_id = ?1 and (?2 = '' or path = ?2 or (?3 < path and path < ?4))",
            library,
            from,
            below,
            after
        )
        .fetch_all(self.db.read())
        .await?;
        let known = rows.into_iter().map(|row| {
            let fingerprint = row.fingerprint.and_then(|bytes| bytes.try_into().ok());
            (row.path, KnownFolder { id: row.folder_id, fingerprint })
        });
        Ok(known.collect())
    }
}

impl Changes {
    /// Walks, compares, and sends portions of what must be read.
    pub(super) async fn find(
        self,
        known: KnownFolders,
        send: mpsc::Sender<Vec<Part>>,
    ) -> Result<Found> {
        let (tell, mut told) = mpsc::channel::<Different>(32);
        let counts = Arc::new(Counts::default());
        let walking = {
            let (root, order) = (Arc::clone(&self.root), self.order.clone());
            let lent = Arc::clone(&self.lent);
            let (counts, stop) = (Arc::clone(&counts), self.stop.clone());
            tokio::task::spawn_blocking(move || {
                walk_all(&root, &lent, &order, known, &counts, &tell, &stop)
            })
        };
        let mut gone = Gone::default();
        let mut portions = Portions::default();
        'walk: while let Some((listing, folder)) = told.recv().await {
            let Some(part) = self.compare(&listing, folder, &mut gone).await? else { continue };
            counts.report(&self.tracker, part.files.len() as u64);
            for portion in portions.add(part) {
                // Nobody reads any more: the scan was stopped or failed.
                if send.send(portion).await.is_err() {
                    break 'walk;
                }
            }
        }
        drop(told);
        if let Some(portion) = portions.take() {
            let _ = send.send(portion).await;
        }
        let end = walking.await?;
        counts.report(&self.tracker, 0);
        Ok((end, gone))
    }

    /// What there is to do in a folder; `None` if nothing ever was nor is in it.
    async fn compare(
        &self,
        listing: &Listing,
        folder: Option<KnownFolder>,
        gone: &mut Gone,
    ) -> Result<Option<Part>> {
        let has_audio = listing.audio().next().is_some();
        let (cover, artist_picture) = (listing.cover(), listing.artist_picture());
        let has_playlist = listing.of(Kind::Playlist).next().is_some();
        let has_picture = cover.is_some() || artist_picture.is_some();
        if folder.is_none() && !has_audio && !has_picture && !has_playlist {
            return Ok(None);
        }
        let known = match folder {
            Some(folder) => self.known_files(folder.id).await?,
            None => Vec::new(),
        };
        let found = diff(listing, &known, self.order.kind);
        let beside = listing.sidecars();
        let files = found.read.iter().map(|(at, change, stamp)| {
            let entry = &listing.entries[*at];
            let sidecars = beside.get(entry.name.as_str()).into_iter().flatten();
            ToRead {
                path: listing.path_of(&entry.name),
                inode: entry.inode,
                sidecar_stamp: *stamp,
                moved_from: match change {
                    Change::Moved(id) => Some(*id),
                    Change::Added | Change::Changed => None,
                },
                is_added: *change == Change::Added,
                sidecars: sidecars.map(|it| (it.kind, listing.path_of(&it.name))).collect(),
            }
        });
        let files = files.collect();
        let is_complete = found.gone.is_empty();
        for (id, name) in found.gone {
            gone.files.push(FileGone { id, path: listing.path_of(&name) });
        }
        if !is_complete {
            gone.folders_to_complete.push((listing.path.clone(), listing.fingerprint));
        }
        Ok(Some(Part {
            folder: FolderFound { path: listing.path.clone(), modified_ns: listing.modified_ns },
            files,
            cover: Some(cover.map(|entry| listing.path_of(&entry.name))),
            artist_picture: artist_picture.map(|entry| listing.path_of(&entry.name)),
            complete: is_complete.then_some(listing.fingerprint),
        }))
    }

    async fn known_files(&self, folder: i64) -> Result<Vec<Known>> {
        let rows = sqlx::query!(
            "select media_file_id, path, size_bytes, modified_ns, inode, sidecar_stamp
             from media_file where folder_id = ?",
            folder
        )
        .fetch_all(self.db.read())
        .await?;
        let known = rows.into_iter().map(|row| Known {
            id: row.media_file_id.into(),
            name: row.path.rsplit_once('/').map_or(row.path.as_str(), |(_, name)| name).to_owned(),
            size_bytes: row.size_bytes,
            modified_ns: row.modified_ns,
            inode: row.inode,
            sidecar_stamp: row.sidecar_stamp,
        });
        Ok(known.collect())
    }
}

/// Figures of the walk, which runs on a thread of its own.
#[derive(Debug, Default)]
struct Counts {
    folders: AtomicU64,
    audio: AtomicU64,
}

impl Counts {
    fn report(&self, tracker: &Tracker, to_read: u64) {
        let folders = self.folders.load(Ordering::Relaxed);
        tracker.walked(folders, self.audio.load(Ordering::Relaxed), to_read);
    }
}

/// Walks on this thread and tells of folders that differ.
fn walk_all(
    root: &Path,
    lent: &Lent,
    order: &Order,
    mut known: KnownFolders,
    counts: &Counts,
    tell: &mpsc::Sender<Different>,
    stop: &CancellationToken,
) -> WalkEnd {
    let mut end = WalkEnd::default();
    walk(root, &order.from, order.depth, lent, |step| {
        let listing = match step {
            Step::Folder(listing) => listing,
            Step::Trouble { path, reason } => {
                tracing::warn!("{reason}");
                end.troubles.push(path);
                return ControlFlow::Continue(());
            }
        };
        let folder = known.remove(&listing.path);
        counts.folders.fetch_add(1, Ordering::Relaxed);
        end.audio += listing.audio().count() as u64;
        counts.audio.store(end.audio, Ordering::Relaxed);
        end.playlists.extend(listing.of(Kind::Playlist).map(|entry| listing.path_of(&entry.name)));
        let is_known = folder.is_some_and(|it| it.fingerprint == Some(listing.fingerprint));
        let is_same = is_known && order.kind == ScanKind::Changes;
        if stop.is_cancelled() || (!is_same && tell.blocking_send((listing, folder)).is_err()) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    if order.depth == Depth::One {
        // Other folders below were not looked for.
        let is_gone = |path: &String| {
            order.gone.iter().any(|gone| path == gone || path.starts_with(&format!("{gone}/")))
        };
        known.retain(|path, _| *path == order.from || is_gone(path));
    }
    end.unseen = known.into_iter().map(|(path, folder)| (path, folder.id)).collect();
    end
}
