//! Playback listened to: what comes out is decoded by another program and measured.

mod bounds;
mod degraded;
mod exact;
mod listen;
mod listens;
mod loudness;
mod outputs;
mod queue;
mod refusals;
pub(crate) mod sound;
mod trouble;

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use tunelocker::{
    accounts::{Abilities, Accounts, Caps, NewUser, Principal, Role, Scope},
    body::LiveBody,
    catalog::{Catalog, Track, TrackFacts, TrackSource},
    clock::Clock,
    db::Db,
    events::Events,
    ids::{LibraryId, TrackId, UserId},
    media::worker::Pool,
    playback::{Opened, Playback, Settings, Wish},
};

/// A playback service over a temporary folder, without a server.
pub(crate) struct Stage {
    pub(crate) playback: Playback,
    pub(crate) folder: tempfile::TempDir,
    db: Db,
}

impl Stage {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("tunelocker.db")).await.unwrap();
        let events = Events::default();
        let pool = Pool::new(env!("CARGO_BIN_EXE_tunelocker").into(), 1);
        let cache = folder.path().join("cache");
        let catalog =
            Catalog::open(db.clone(), Clock::System, events.clone(), cache, pool).await.unwrap();
        let mut settings = Settings::new(
            env!("CARGO_BIN_EXE_tunelocker-worker").into(),
            folder.path().join("transcodes"),
        );
        change(&mut settings);
        let playback = Playback::new(db.clone(), catalog, Clock::System, events, settings).unwrap();
        Self { playback, folder, db }
    }

    /// Makes a user, for what hangs on one.
    async fn person(&self) -> i64 {
        let (folder, db) = (self.folder.path(), self.db.clone());
        let (keys, drive) = (folder.join("keys"), folder.join("drive"));
        let accounts =
            Accounts::open(db, Clock::System, Events::default(), &keys, drive).await.unwrap();
        let new = NewUser::new("ann", "correct horse battery");
        accounts.create_user(&accounts.operator(), &new).await.unwrap().0
    }

    async fn open(&self, source: &TrackSource, wish: &Wish) -> tunelocker::Result<Opened> {
        self.playback.open_source(&listener(1), source, wish, "test").await
    }

    /// Everything that comes for a wish.
    async fn hear(&self, source: &TrackSource, wish: &Wish) -> Vec<u8> {
        bytes(self.open(source, wish).await.unwrap()).await
    }

    /// Files in the cache folder.
    fn cached(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("transcodes")).unwrap().count()
    }

    /// Waits until something is so; fails after a while.
    async fn eventually(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..1000 {
            if is_so(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never: {what}; {:?}, {} files", self.playback.load(), self.cached());
    }
}

fn listener(user: i64) -> Principal {
    Principal {
        user: UserId(user),
        name: "listener".into(),
        role: Role::User,
        scope: Scope::Full,
        libraries: Arc::new([LibraryId(1)]),
        caps: Caps::default(),
        abilities: Abilities::default(),
    }
}

/// A track made by hand.
fn track(path: &Path, facts: TrackFacts) -> TrackSource {
    let data = std::fs::metadata(path).unwrap();
    let facts =
        TrackFacts { id: TrackId(1), size_bytes: data.len(), content_type: "audio/x", ..facts };
    TrackSource { track: Track::from(facts), path: path.to_owned(), lent: None, range_ms: None }
}

async fn bytes(opened: Opened) -> Vec<u8> {
    match opened {
        Opened::File(mut body) => {
            let mut all = Vec::new();
            std::io::Read::read_to_end(&mut body.file, &mut all).unwrap();
            assert_eq!(all.len() as u64, body.len);
            all
        }
        Opened::Live(body) => live(body).await.unwrap(),
    }
}

async fn live(mut body: LiveBody) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(piece) = body.stream.next().await {
        all.extend_from_slice(&piece?);
    }
    if let Some(len) = body.len {
        assert_eq!(all.len() as u64, len, "the promised length");
    }
    Ok(all)
}
