//! From a track and a wish to a body: the decision carried out.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, PoisonError, Weak},
    time::Duration,
};

use rustix::fs::OFlags;

use super::{
    Gain, Playback, Target, Wish, WishFormat,
    decision::{BitrateMode, Case, Decision, Recipe, decide},
    limits::{Most, Permit},
    stream::follow,
    transcode::{Order, Phase, Transcode},
};
use crate::{
    Error, Result,
    accounts::Principal,
    body::{FileBody, LiveBody, Meter, Pieces},
    catalog::TrackSource,
    ids::TrackId,
    media::decode::Cut,
};

/// A worker may compute this long whatever the length of the track, and a fifth of the track's
/// length beyond.
const COMPUTING_AT_LEAST: Duration = Duration::from_secs(20);

/// Encoders put silence in front and behind; an estimate without room for it would cut the end.
const ESTIMATE_MARGIN_MS: u64 = 110;

/// Opus in Ogg: milliseconds a packet, packets a page, the most that the headers of the stream and
/// of a page take.
const PACKET_MS: u64 = 20;
const PACKETS_A_PAGE: u64 = 10;
const OGG_HEAD: u64 = 512;
const PAGE_HEAD: u64 = 27;

/// A track's bytes, ready to be sent.
#[derive(Debug)]
pub enum Opened {
    /// All there: an original or a finished transcode; ranges are possible.
    File(FileBody),
    /// A transcode that is being made.
    Live(LiveBody),
}

/// A transcode that was decided on.
pub(super) struct Making<'a> {
    pub(super) source: &'a TrackSource,
    pub(super) recipe: Recipe,
    pub(super) offset: Duration,
    /// Say a length beforehand.
    pub(super) is_estimated: bool,
    /// Only these packets.
    pub(super) cut: Option<Cut>,
}

/// What has been made of it.
enum Made {
    Whole(File, u64),
    Running(Arc<Transcode>),
}

/// Who wants the same waits here, so that it is made once.
pub(super) type Slot = tokio::sync::Mutex<Weak<Transcode>>;

impl Playback {
    /// Opens a track whose place is known already. `open` is the door for everybody else.
    pub async fn open_source(
        &self,
        principal: &Principal,
        source: &TrackSource,
        wish: &Wish,
        client: &str,
    ) -> Result<Opened> {
        let (decision, why) = self.decision(principal, source, wish, client).await?;
        tracing::debug!(track = %source.track.id, client, why, ?decision, "opening");
        match decision {
            Decision::Original(_) => self.original(principal, source).await,
            Decision::Transcode(recipe, _) => {
                let (offset, is_estimated) = (wish.offset, wish.estimate_length);
                self.make(principal, &Making { source, recipe, offset, is_estimated, cut: None })
                    .await
            }
        }
    }

    /// What would be sent for a wish, and why, as a sentence for people.
    pub async fn explain(
        &self,
        principal: &Principal,
        track: TrackId,
        wish: &Wish,
        client: &str,
    ) -> Result<(WishFormat, String)> {
        let source = self.inner.catalog.track_source(principal, track).await?;
        let (decision, why) = self.decision(principal, &source, wish, client).await?;
        Ok(match decision {
            Decision::Original(_) => (WishFormat::Raw, why),
            Decision::Transcode(recipe, _) => (WishFormat::To(recipe.target), why),
        })
    }

    async fn decision(
        &self,
        principal: &Principal,
        source: &TrackSource,
        wish: &Wish,
        client: &str,
    ) -> Result<(Decision, String)> {
        let client = self.profile_of(client).await?;
        let is_part = source.range_ms.is_some();
        let is_settled = wish.gain.or(client.gain).is_some()
            || (!is_part && wish.format == Some(WishFormat::Raw));
        let gain = if is_settled { Gain::Off } else { self.gain_of(principal).await? };
        let (file, caps) = (&source.track.facts, principal.caps);
        let case = Case { file, is_part, wish, caps, client: &client, gain };
        let decision = decide(&case);
        let why = decision.explain(&case);
        Ok((decision, why))
    }

    async fn original(&self, principal: &Principal, source: &TrackSource) -> Result<Opened> {
        let (permit, meter) = self.admit(principal).await?;
        let (file, len) = open_file(source).await?;
        let track = &source.track.facts;
        Ok(Opened::File(FileBody {
            file,
            len,
            content_type: track.content_type.into(),
            etag: format!("{:x}-{:x}-{len:x}", track.id.0, track.modified_ns),
            modified_at: Some(track.modified_ns / 1_000_000),
            duration: Some(Duration::from_millis(track.duration_ms)),
            hold: Some(Box::new(permit)),
            meter,
        }))
    }

    /// Opens a transcode, made already or being made.
    pub(super) async fn make(&self, principal: &Principal, making: &Making<'_>) -> Result<Opened> {
        let (permit, meter) = self.admit(principal).await?;
        let (file, len) = open_file(making.source).await?;
        let name = making.cache_name(len);
        match self.made(principal, making, &name, file).await? {
            Made::Whole(file, len) => {
                let mut body = making.cached(file, len, &name);
                body.hold = Some(Box::new(permit));
                body.meter = meter;
                Ok(Opened::File(body))
            }
            Made::Running(transcode) => {
                // A cut is short, and whoever plays it wants to know its length.
                let exact = match making.cut {
                    Some(_) => Some(finished(&transcode).await?),
                    None => started(&transcode).await?,
                };
                let len = exact.or_else(|| making.estimate());
                Ok(Opened::Live(LiveBody {
                    content_type: making.recipe.content_type(),
                    len,
                    duration: Some(making.duration()),
                    stream: metered(Box::pin(follow(transcode, len, permit)), meter),
                }))
            }
        }
    }

    /// A place among the streams, and what counts the bytes of this one. Refused where there is
    /// none, or where the plan's bytes of the day or month are used up.
    pub(super) async fn admit(&self, principal: &Principal) -> Result<(Permit, Option<Meter>)> {
        let meter = self.inner.budget.admit(principal).await?;
        Ok((self.stream_permit(principal)?, meter))
    }

    fn stream_permit(&self, principal: &Principal) -> Result<Permit> {
        let settings = &self.inner.settings;
        let own = principal.caps.max_streams.map_or(settings.streams_per_user, of);
        self.inner.streams.enter(principal.user, Most { own, all: settings.streams })
    }

    /// The transcode of this name from the cache, or the one that runs, or a new one.
    async fn made(
        &self,
        principal: &Principal,
        making: &Making<'_>,
        name: &str,
        source: File,
    ) -> Result<Made> {
        let inner = &self.inner;
        if let Some((file, len)) = inner.cache.get(name) {
            return Ok(Made::Whole(file, len));
        }
        let slot = self.slot(name);
        let mut slot = slot.lock().await;
        if let Some(same) = slot.upgrade().filter(|transcode| transcode.is_sound()) {
            return Ok(Made::Running(same));
        }
        if let Some((file, len)) = inner.cache.get(name) {
            return Ok(Made::Whole(file, len));
        }
        let settings = &inner.settings;
        let own = principal.caps.max_transcodes.map_or(settings.transcodes_per_user, of);
        let most = Most { own, all: settings.transcodes };
        let permit = inner.transcodes.wait(principal.user, most, settings.patience).await?;
        let (start_us, end_us) = making.range_us();
        let mut job = making.recipe.job(start_us, end_us);
        job.cut = making.cut;
        let order = Order {
            job,
            source,
            // From the middle on it is rarely asked for twice.
            keep_as: making.offset.is_zero().then(|| name.to_owned()),
            computing: COMPUTING_AT_LEAST + making.duration() / 5,
        };
        let transcode =
            Transcode::start(order, inner.starter.clone(), inner.cache.clone(), permit)?;
        *slot = Arc::downgrade(&transcode);
        Ok(Made::Running(transcode))
    }

    /// Ends what is being made of a file, and removes what was: nobody shall hear it any more.
    pub async fn forget_file(&self, path: &Path) -> Result<()> {
        let beginning = made_of(path);
        let slots: Vec<Arc<Slot>> = {
            let running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
            let of_it = running.iter().filter(|(name, _)| name.starts_with(&beginning));
            of_it.map(|(_, slot)| Arc::clone(slot)).collect()
        };
        for slot in slots {
            if let Some(transcode) = slot.lock().await.upgrade() {
                transcode.end();
            }
        }
        Ok(self.inner.cache.remove_all(&beginning)?)
    }

    fn slot(&self, name: &str) -> Arc<Slot> {
        let mut slots = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| {
            let is_alive = slot.try_lock().map_or(true, |running| 0 < running.strong_count());
            is_alive || 1 < Arc::strong_count(slot)
        });
        slots.entry(name.to_owned()).or_default().clone()
    }
}

impl Making<'_> {
    /// Where to begin and end in the file, µs.
    fn range_us(&self) -> (u64, Option<u64>) {
        let (begin, end) = match self.source.range_ms {
            Some((begin, end)) => (begin.saturating_mul(1000), Some(end.saturating_mul(1000))),
            // Its header counts samples and libav only frames: the end is where the header says.
            None if self.source.track.container == "musepack" => {
                let end = self.source.track.duration_ms.saturating_mul(1000);
                (0, (0 < end).then_some(end))
            }
            None => (0, None),
        };
        let offset = u64::try_from(self.offset.as_micros()).unwrap_or(u64::MAX);
        (begin.saturating_add(offset), end)
    }

    /// What is left from the offset on.
    fn duration(&self) -> Duration {
        Duration::from_millis(self.source.track.duration_ms).saturating_sub(self.offset)
    }

    /// The length that Subsonic's `estimateContentLength` asks for: time by bitrate, and what the
    /// container takes, so that nothing has to be cut off. None for AAC, whose encoder spends bits
    /// as it likes: a length that is not said is better than music that is missing.
    fn estimate(&self) -> Option<u64> {
        let is_possible = self.is_estimated && self.recipe.mode == BitrateMode::Constant;
        let kbps = u64::from(self.recipe.bitrate_kbps.filter(|_| is_possible)?);
        let duration = u64::try_from(self.duration().as_millis()).ok()?;
        let ms = Some(duration).filter(|ms| 0 < *ms)? + ESTIMATE_MARGIN_MS;
        match self.recipe.target {
            Target::Mp3 => Some(ms * kbps / 8),
            Target::Opus if self.recipe.is_rigid => Some(ogg_opus(ms, kbps)),
            _ => None,
        }
    }

    /// The same for the same bytes made into the same thing, and for nothing else. It begins as
    /// all that is made of this file.
    fn cache_name(&self, len: u64) -> String {
        let track = &self.source.track;
        let (start, end) = self.range_us();
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"transcode 2\n");
        let facts = format!(
            "\n{len} {} {start} {end:?} {:?} {:?}",
            track.modified_ns, self.recipe, self.cut
        );
        hasher.update(facts.as_bytes());
        let hash = hasher.finalize().to_hex();
        let beginning = made_of(&self.source.path);
        format!("{beginning}{}.{}", &hash[..32], self.recipe.target.suffix())
    }

    fn cached(&self, file: File, len: u64, name: &str) -> FileBody {
        tracing::debug!(track = %self.source.track.id, "from the cache");
        FileBody {
            file,
            len,
            content_type: self.recipe.content_type(),
            etag: name.split('.').next().unwrap_or_default().to_owned(),
            modified_at: Some(self.source.track.modified_ns / 1_000_000),
            duration: Some(self.duration()),
            hold: None,
            meter: None,
        }
    }
}

/// How the names of everything begin that is made of a file.
fn made_of(path: &Path) -> String {
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    format!("{}-", &hash[..24])
}

/// Bytes that so much Opus of a hard constant bitrate takes in Ogg at most (RFC 3533, 6): each
/// packet with its lacing values, each page with its header.
fn ogg_opus(ms: u64, kbps: u64) -> u64 {
    let packets = ms.div_ceil(PACKET_MS) + 1;
    let packet = (kbps * PACKET_MS).div_ceil(8) + 1;
    let lacing = packet / 255 + 1;
    let pages = packets.div_ceil(PACKETS_A_PAGE) + 2;
    OGG_HEAD + packets * (packet + lacing) + pages * PAGE_HEAD
}

/// Counted and paced, where somebody's bytes are.
pub(super) fn metered(pieces: Pieces, meter: Option<Meter>) -> Pieces {
    match meter {
        Some(meter) => meter.through(pieces),
        None => pieces,
    }
}

/// Waits for the first sound; gives the exact length, where the worker knows it.
async fn started(transcode: &Transcode) -> Result<Option<u64>> {
    let mut progress = transcode.follow();
    let gone = |_| Error::Unavailable("The decoder is shutting down".to_owned());
    let progress =
        progress.wait_for(|now| now.phase != Phase::Starting).await.map_err(gone)?.clone();
    match progress.phase {
        Phase::Running(len) => Ok(len),
        Phase::Done => Ok(Some(progress.len)),
        Phase::Failed(reason) if progress.len == 0 => Err(Error::Unavailable(reason.to_string())),
        Phase::Failed(_) | Phase::Starting => Ok(None),
    }
}

/// Waits for the last sound; gives the length.
async fn finished(transcode: &Transcode) -> Result<u64> {
    let mut progress = transcode.follow();
    let is_over = |phase: &Phase| matches!(phase, Phase::Done | Phase::Failed(_));
    let gone = |_| Error::Unavailable("The decoder is shutting down".to_owned());
    let progress = progress.wait_for(|now| is_over(&now.phase)).await.map_err(gone)?.clone();
    match progress.phase {
        Phase::Failed(reason) => Err(Error::Unavailable(reason.to_string())),
        _ => Ok(progress.len),
    }
}

/// Opens a track's file without holding up others.
pub(super) async fn open_file(source: &TrackSource) -> Result<(File, u64)> {
    let (path, lent) = (source.path.clone(), source.lent.clone());
    tokio::task::spawn_blocking(move || match lent {
        Some(lent) => Ok((lent.open().map_err(unreadable)?, lent.size)),
        None => open_regular(&path),
    })
    .await?
}

/// Opens a file that is one: no pipe that would wait for a writer, no device.
fn open_regular(path: &Path) -> Result<(File, u64)> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path);
    let file = opened.map_err(unreadable)?;
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(Error::Unavailable("This track is not a plain file any more".to_owned()));
    }
    Ok((file, data.len()))
}

fn unreadable(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::Unavailable("The file of this track is not there at the moment".to_owned())
        }
        io::ErrorKind::PermissionDenied => {
            Error::Unavailable("The server may not read the file of this track".to_owned())
        }
        _ => error.into(),
    }
}

fn of(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
