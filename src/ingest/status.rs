//! How far scans are: figures for the panel, Subsonic and the command line. Only numbers; a
//! listener is told by [`Event::ScanProgress`] and asks here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    clock::Millis,
    events::{Event, Events},
    ids::LibraryId,
};

/// What a scan is doing, in the order of its steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing.
    #[default]
    Idle,
    /// Waiting for its turn.
    Queued,
    /// Listing folders, reading and storing what is new as it comes.
    Reading,
    /// Marking what is gone, completing albums, pictures and playlists.
    Finishing,
}

impl Phase {
    /// One lower-case word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Queued => "queued",
            Self::Reading => "reading",
            Self::Finishing => "finishing",
        }
    }
}

/// How changes of a library are noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Watching {
    /// Not yet, or the library is not there.
    #[default]
    Not,
    /// The system tells of changes.
    Watched,
    /// It cannot, so folders are compared now and then; the sentence says why.
    Swept(String),
}

/// How far the scan of one library is; of the last one when idle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LibraryScan {
    /// What it does now.
    pub phase: Phase,
    /// Folders listed.
    pub folders: u64,
    /// Audio files seen.
    pub seen: u64,
    /// Files read because they were new or changed.
    pub read: u64,
    /// Files known to need reading so far.
    pub to_read: u64,
    /// Files that could not be understood: in this scan while it runs, in the library when idle.
    pub errors: u64,
    /// Why the last scan of all or a part of it came to nothing, as a sentence.
    pub problem: Option<String>,
    /// When it began.
    pub started_at: Option<Millis>,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<Millis>,
    /// How changes are noticed.
    pub watching: Watching,
}

/// All libraries together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanStatus {
    /// A scan runs or waits.
    pub is_scanning: bool,
    /// Audio files seen in this scan, or in all libraries when idle.
    pub files: u64,
    /// Folders, likewise.
    pub folders: u64,
    /// End of the last complete scan.
    pub last_scan_at: Option<Millis>,
    /// One by one.
    pub libraries: BTreeMap<LibraryId, LibraryScan>,
}

/// The figures that scans keep. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    scans: Arc<Mutex<BTreeMap<LibraryId, LibraryScan>>>,
    events: Events,
}

impl Progress {
    pub(super) fn new(events: Events) -> Self {
        Self { scans: Arc::default(), events }
    }

    /// Begins a scan of a library, or of a part of it.
    pub(super) fn begin(&self, library: LibraryId, is_whole: bool, now: Millis) -> Tracker {
        let tracker = Tracker { progress: self.clone(), library, is_whole };
        tracker.update(|scan| {
            if is_whole {
                *scan = LibraryScan {
                    started_at: Some(now),
                    watching: std::mem::take(&mut scan.watching),
                    ..LibraryScan::default()
                };
            }
            scan.phase = Phase::Reading;
            scan.problem = None;
        });
        tracker
    }

    /// A scan came to nothing.
    pub(super) fn refused(&self, library: LibraryId, reason: &str) {
        self.lock().entry(library).or_default().problem = Some(reason.to_owned());
    }

    /// A scan waits for its turn.
    pub(super) fn queued(&self, library: LibraryId) {
        let mut scans = self.lock();
        let scan = scans.entry(library).or_default();
        if scan.phase == Phase::Idle {
            scan.phase = Phase::Queued;
        }
    }

    /// It will not come.
    pub(super) fn not_queued(&self, library: LibraryId) {
        if let Some(scan) = self.lock().get_mut(&library)
            && scan.phase == Phase::Queued
        {
            scan.phase = Phase::Idle;
        }
    }

    /// Figures from before this start.
    pub(super) fn remember(
        &self,
        library: LibraryId,
        files: u64,
        unreadable: u64,
        scanned_at: Option<Millis>,
    ) {
        let mut scans = self.lock();
        let scan = scans.entry(library).or_default();
        scan.seen = files;
        scan.errors = unreadable;
        scan.ended_at = scan.ended_at.or(scanned_at);
    }

    /// How changes of a library are noticed from now on.
    pub(super) fn watching(&self, library: LibraryId, watching: Watching) {
        self.lock().entry(library).or_default().watching = watching;
    }

    /// Whether it was known already that a library cannot be watched.
    pub(super) fn is_swept(&self, library: LibraryId) -> bool {
        let scans = self.lock();
        scans.get(&library).is_some_and(|scan| matches!(scan.watching, Watching::Swept(_)))
    }

    /// Forgets libraries that are not in the list.
    pub(super) fn keep(&self, libraries: &[LibraryId]) {
        self.lock().retain(|library, _| libraries.contains(library));
    }

    pub(super) fn status(&self) -> ScanStatus {
        let libraries = self.lock().clone();
        let is_scanning = libraries.values().any(|scan| scan.phase != Phase::Idle);
        let running = |scan: &&LibraryScan| !is_scanning || scan.phase != Phase::Idle;
        ScanStatus {
            is_scanning,
            files: libraries.values().filter(running).map(|scan| scan.seen).sum(),
            folders: libraries.values().filter(running).map(|scan| scan.folders).sum(),
            last_scan_at: libraries.values().filter_map(|scan| scan.ended_at).max(),
            libraries,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<LibraryId, LibraryScan>> {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The figures of one scan.
#[derive(Debug, Clone)]
pub(super) struct Tracker {
    progress: Progress,
    library: LibraryId,
    is_whole: bool,
}

impl Tracker {
    /// The walk came so far.
    pub(super) fn walked(&self, folders: u64, seen: u64, to_read: u64) {
        self.update(|scan| {
            scan.to_read += to_read;
            if self.is_whole {
                scan.folders = folders;
                scan.seen = seen;
            }
        });
    }

    /// Files were read.
    pub(super) fn read(&self, files: u64, errors: u64) {
        self.update(|scan| {
            scan.read += files;
            scan.errors += errors;
        });
    }

    /// The last step.
    pub(super) fn finishing(&self) {
        self.update(|scan| scan.phase = Phase::Finishing);
    }

    /// Done: so many files are in the library now, and so many of them are unreadable.
    pub(super) fn end(self, files: u64, unreadable: u64, now: Millis) {
        self.update(|scan| {
            scan.phase = Phase::Idle;
            scan.seen = files;
            scan.errors = unreadable;
            if self.is_whole {
                scan.ended_at = Some(now);
            }
        });
    }

    /// Changes the figures and tells listeners.
    fn update(&self, change: impl FnOnce(&mut LibraryScan)) {
        change(self.progress.lock().entry(self.library).or_default());
        self.progress.events.publish(Event::ScanProgress { library: self.library });
    }
}
