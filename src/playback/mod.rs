//! How music gets out: the decision between original and transcode, streams, the transcode cache
//! with its worker processes, and what plays now.

mod budget;
mod cache;
mod clients;
mod decision;
mod download;
mod forms;
mod gain;
mod hls;
mod limits;
mod negotiated;
mod now_playing;
mod open;
mod outputs;
mod pcm;
mod session;
mod stream;
mod tickets;
mod transcode;
mod wish;
mod worker;

pub use budget::Taken;
pub use clients::ClientProfile;
pub use decision::{
    BitrateMode, Capabilities, CodecLimit, Comparison, Direct, Protocol, Quantity, StreamFacts,
    TranscodeTo,
};
pub use forms::{Form, Unasked, forms};
pub use hls::{HlsPart, HlsTicket};
pub use negotiated::{Agreed, Proposal};
pub use now_playing::{NowPlaying, Player};
pub use open::Opened;
pub use outputs::{Command, Entry, Item, Jukebox, Output, Phase, Snapshot, Status, chosen};
pub use pcm::{Decoding, Rest};
pub use session::{Counting, Media, PlayState, Report};
pub use wish::{Gain, Network, Target, Wish, WishFormat};

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use self::now_playing::Finished;

use crate::{
    Error, Result,
    accounts::Principal,
    body::{LiveBody, Meter},
    catalog::{Catalog, Track},
    clock::{self, Clock},
    db::Db,
    events::Events,
    ids::{EpisodeId, TrackId},
    media::{
        format::{Named, named},
        worker::{decoder::Program, sandbox::Sandbox},
    },
};

/// How often it is looked which players vanished, and written what was streamed.
const SWEEP: Duration = Duration::from_mins(1);

/// What the service is built with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program `tunelocker-worker`, and whether to decode where its sandbox cannot be built
    /// whole.
    pub decoder: Program,
    /// Folder of finished transcodes; may vanish while the server is down.
    pub cache: PathBuf,
    /// How many bytes they may take.
    pub cache_bytes: u64,
    /// Transcodes at once, all users together.
    pub transcodes: usize,
    /// Transcodes at once for a user whose plan says nothing.
    pub transcodes_per_user: usize,
    /// Streams at once, all users together.
    pub streams: usize,
    /// Streams at once for a user whose plan says nothing.
    pub streams_per_user: usize,
    /// How long a transcode may wait for its turn.
    pub patience: Duration,
    /// What tickets are signed with; `None` = a new one at each start.
    pub secret: Option<[u8; 32]>,
}

impl Settings {
    /// The defaults over a worker program and a cache folder.
    #[must_use]
    pub fn new(worker: PathBuf, cache: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            decoder: Program { path: worker, sandbox: Sandbox::Required },
            cache,
            cache_bytes: 1 << 30,
            transcodes: (2 * cores).max(4),
            transcodes_per_user: 4,
            streams: 1024,
            streams_per_user: 16,
            patience: Duration::from_secs(10),
            secret: None,
        }
    }
}

/// What runs at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Bodies that are being sent.
    pub streams: usize,
    /// Transcodes under way.
    pub transcodes: usize,
    /// Transcodes that wait for their turn.
    pub waiting: usize,
    /// Worker processes, the warm spare included.
    pub workers: usize,
    /// Bytes in the cache.
    pub cache_bytes: u64,
}

/// The playback service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Playback {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    clock: Clock,
    catalog: Catalog,
    settings: Settings,
    now: now_playing::Store,
    cache: Arc<cache::Cache>,
    starter: Arc<worker::Starter>,
    streams: limits::Gate,
    transcodes: limits::Gate,
    /// Transcodes that others may join, by cache name.
    running: Mutex<HashMap<String, Arc<open::Slot>>>,
    profiles: clients::Known,
    signer: tickets::Signer,
    budget: budget::Budget,
}

impl Playback {
    /// Over the catalogue. Starts no process yet; the first transcode starts the first worker.
    pub fn new(
        db: Db,
        catalog: Catalog,
        clock: Clock,
        events: Events,
        settings: Settings,
    ) -> Result<Self> {
        let cache = cache::Cache::open(settings.cache.clone(), settings.cache_bytes)?;
        let starter = worker::Starter::new(settings.decoder.clone())?;
        let inner = Inner {
            budget: budget::Budget::new(db.clone(), clock.clone()),
            db,
            clock: clock.clone(),
            catalog,
            now: now_playing::Store::new(clock, events),
            cache: Arc::new(cache),
            starter: Arc::new(starter),
            streams: limits::Gate::new("streams"),
            transcodes: limits::Gate::new("transcodes"),
            running: Mutex::default(),
            profiles: clients::Known::default(),
            signer: tickets::Signer::new(settings.secret)?,
            settings,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens a track in the form that fits the wish, the file, and the ceilings of the principal.
    /// `client` is the client's name, for logs. Dropping the answer frees everything.
    pub async fn open(
        &self,
        principal: &Principal,
        track: TrackId,
        wish: &Wish,
        client: &str,
    ) -> Result<Opened> {
        let source = self.inner.catalog.track_source(principal, track).await?;
        self.open_source(principal, &source, wish, client).await
    }

    /// Has a decode worker ready: this listener's line is slow, or he wants less than the original,
    /// and his next press should not wait for a process to start. It ends by itself when it is not
    /// needed for some minutes.
    pub fn expect_transcode(&self, principal: &Principal) {
        tracing::debug!(user = %principal.user, "a transcode is expected");
        self.inner.starter.warm_up();
    }

    /// Says that the principal now hears this track on this client. It ends by itself when the
    /// track would have ended.
    pub async fn set_now_playing(
        &self,
        principal: &Principal,
        track: TrackId,
        client: &str,
    ) -> Result<()> {
        let track = self.inner.catalog.track(principal, track).await?;
        let playing = (Media::Track(track.id), track.duration_ms);
        let finished = self.inner.now.set(principal, playing, client);
        self.record(finished).await
    }

    /// The same for an episode of this length, which the caller knows to be the principal's.
    pub async fn set_episode_playing(
        &self,
        principal: &Principal,
        (episode, duration_ms): (EpisodeId, u64),
        client: &str,
    ) -> Result<()> {
        let playing = (Media::Episode(episode), duration_ms);
        let finished = self.inner.now.set(principal, playing, client);
        self.record(finished).await
    }

    /// Takes in what a player says of itself. What it ended becomes a listen of the history, if
    /// enough of it was heard.
    pub async fn report(
        &self,
        principal: &Principal,
        player: Player<'_>,
        report: &Report,
    ) -> Result<()> {
        let Media::Track(track) = report.media else { return Err(Error::NotFound("Track")) };
        let track = self.inner.catalog.track(principal, track).await?;
        let finished = self.inner.now.report(principal, track.duration_ms, player, report);
        self.record(finished).await
    }

    /// The same about an episode of this length, which the caller knows to be the principal's.
    /// Whether it was a listen is for whoever keeps episodes.
    pub async fn report_episode(
        &self,
        principal: &Principal,
        duration_ms: u64,
        player: Player<'_>,
        report: &Report,
    ) -> Result<()> {
        let finished = self.inner.now.report(principal, duration_ms, player, report);
        self.record(finished).await
    }

    /// Records all of them, and says of the first that failed why. What a full or failing disk
    /// did not take waits for the next sweep.
    async fn record(&self, finished: impl IntoIterator<Item = Finished>) -> Result<()> {
        let mut outcome = Ok(());
        for one in finished.into_iter().filter(|one| one.who.is_person()) {
            let listen = std::slice::from_ref(&one.listen);
            let recorded = self.inner.catalog.record_listens(&one.who, listen).await;
            if let Err(Error::StorageFull | Error::StorageDegraded(_)) = recorded {
                self.inner.now.keep(one);
            }
            outcome = outcome.and(recorded);
        }
        outcome
    }

    /// Ends playbacks whose players vanished, until told to stop; then all of them.
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(clock::beat(SWEEP)).await.is_some() {
            self.record_or_log(self.inner.now.sweep()).await;
            self.write_budget().await;
        }
        self.record_or_log(self.inner.now.end()).await;
        self.write_budget().await;
    }

    async fn write_budget(&self) {
        if let Err(error) = self.inner.budget.write().await {
            tracing::warn!("cannot record what was streamed: {error:?}");
        }
    }

    /// What counts the bytes of a file of this name that is fetched as it is, by the API or WebDAV:
    /// music counts as streamed where an administrator wants that. `TooMany` where the plan's bytes
    /// of the day or month are used up; the sentence says until when.
    pub async fn count_download(&self, principal: &Principal, name: &str) -> Result<Option<Meter>> {
        if !matches!(named(name), Some(Named::Audio)) {
            return Ok(None);
        }
        self.inner.budget.admit_download(principal).await
    }

    /// The same for a whole folder as one archive, which is taken for music.
    pub async fn count_folder(&self, principal: &Principal, body: LiveBody) -> Result<LiveBody> {
        let meter = self.inner.budget.admit_download(principal).await?;
        Ok(LiveBody { stream: open::metered(body.stream, meter), ..body })
    }

    /// What the principal took today and this month.
    pub async fn taken(&self, principal: &Principal) -> Result<Taken> {
        self.inner.budget.taken(principal.user).await
    }

    async fn record_or_log(&self, finished: Vec<Finished>) {
        if let Err(error) = self.record(finished).await {
            tracing::warn!("cannot record what was heard: {error:?}");
        }
    }

    /// What is being heard of that which the principal may see, latest first.
    pub async fn now_playing(&self, principal: &Principal) -> Result<Vec<NowPlaying>> {
        let entries = self.inner.now.entries();
        let tracks = entries.iter().filter_map(|entry| match entry.media() {
            Media::Track(id) => Some(id),
            Media::Episode(_) => None,
        });
        let ids: Vec<TrackId> = tracks.collect();
        let tracks = self.inner.catalog.tracks_by_id(principal, &ids).await?;
        let tracks: HashMap<TrackId, Track> =
            tracks.into_iter().map(|track| (track.id, track)).collect();
        Ok(self.inner.now.join(entries, |media| match media {
            Media::Track(id) => tracks.get(&id).cloned(),
            Media::Episode(_) => None,
        }))
    }

    /// Which episodes of podcasts are being heard, latest first. Who may know of them is for
    /// whoever keeps episodes.
    #[must_use]
    pub fn episodes_playing(&self) -> Vec<NowPlaying<EpisodeId>> {
        let now = &self.inner.now;
        now.join(now.entries(), |media| match media {
            Media::Episode(id) => Some(id),
            Media::Track(_) => None,
        })
    }

    /// What runs at this moment.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            streams: self.inner.streams.count(),
            transcodes: self.inner.transcodes.count(),
            waiting: self.inner.transcodes.waiting(),
            workers: self.inner.starter.running(),
            cache_bytes: self.inner.cache.bytes(),
        }
    }
}
