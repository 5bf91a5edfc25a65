//! From a track and a wish to a body: the decision carried out.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, PoisonError},
    time::Duration,
};

use rustix::fs::OFlags;

use super::{
    Playback, Wish,
    decision::{Decision, Profile, Reason, decide},
    stream::follow,
    transcode::{Order, Phase, Transcode},
};
use crate::{
    Error, Result,
    accounts::Principal,
    body::{FileBody, LiveBody},
    catalog::TrackSource,
};

/// A worker may compute this long whatever the length of the track, and a fifth of the track's
/// length beyond.
const COMPUTING_AT_LEAST: Duration = Duration::from_secs(20);

/// Encoders put silence in front and behind; an estimate without room for it would cut the end.
const ESTIMATE_MARGIN_MS: u64 = 110;

/// A track's bytes, ready to be sent.
#[derive(Debug)]
pub enum Opened {
    /// All there: an original or a finished transcode; ranges are possible.
    File(FileBody),
    /// A transcode that is being made.
    Live(LiveBody),
}

impl Playback {
    /// Opens a track whose place is known already. `open` is the door for everybody else.
    pub async fn open_source(
        &self,
        principal: &Principal,
        source: &TrackSource,
        wish: &Wish,
        client: &str,
    ) -> Result<Opened> {
        let track = &source.track.facts;
        let is_part = source.range_ms.is_some();
        let decision = decide(track, is_part, wish, principal.caps);
        let permit = self.inner.streams.enter(
            principal.user,
            principal.caps.max_streams.map_or(self.inner.settings.streams_per_user, of),
            self.inner.settings.streams,
        )?;
        tracing::debug!(track = %track.id, client, ?decision, "opening");
        let path = source.path.clone();
        let (file, len) = tokio::task::spawn_blocking(move || open_regular(&path)).await??;
        match decision {
            Decision::Original(_) => Ok(Opened::File(FileBody {
                file,
                len,
                content_type: track.content_type.into(),
                etag: format!("{:x}-{:x}-{len:x}", track.id.0, track.modified_ns),
                modified_at: Some(track.modified_ns / 1_000_000),
                duration: Some(Duration::from_millis(track.duration_ms)),
                hold: Some(Box::new(permit)),
            })),
            Decision::Transcode(profile, reason) => {
                let opening = Opening { source, wish, profile, reason };
                let name = opening.cache_name(len);
                if let Some((file, len)) = self.inner.cache.get(&name) {
                    let mut body = opening.cached(file, len, &name);
                    body.hold = Some(Box::new(permit));
                    return Ok(Opened::File(body));
                }
                let transcode = self.transcode(principal, &opening, name, file)?;
                let exact = started(&transcode).await?;
                Ok(Opened::Live(LiveBody {
                    content_type: opening.profile.content_type(),
                    len: exact.or_else(|| opening.estimate()),
                    duration: Some(opening.duration()),
                    stream: Box::pin(follow(
                        transcode,
                        exact.or_else(|| opening.estimate()),
                        permit,
                    )),
                }))
            }
        }
    }

    /// The transcode of this name that runs, or a new one.
    fn transcode(
        &self,
        principal: &Principal,
        opening: &Opening<'_>,
        name: String,
        source: File,
    ) -> Result<Arc<Transcode>> {
        let inner = &self.inner;
        let mut running = inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        let same = running.get(&name).and_then(std::sync::Weak::upgrade);
        if let Some(transcode) = same.filter(|transcode| transcode.is_sound()) {
            return Ok(transcode);
        }
        let permit = inner.transcodes.enter(
            principal.user,
            principal.caps.max_transcodes.map_or(inner.settings.transcodes_per_user, of),
            inner.settings.transcodes,
        )?;
        let (start_us, end_us) = opening.range_us();
        let order = Order {
            job: opening.profile.job(start_us, end_us),
            source,
            // From the middle on it is rarely asked for twice.
            keep_as: opening.wish.offset.is_zero().then(|| name.clone()),
            computing: COMPUTING_AT_LEAST + opening.duration() / 5,
        };
        let transcode =
            Transcode::start(order, inner.starter.clone(), inner.cache.clone(), permit)?;
        running.retain(|_, transcode| 0 < transcode.strong_count());
        running.insert(name, Arc::downgrade(&transcode));
        Ok(transcode)
    }
}

/// A transcode that was decided on.
struct Opening<'a> {
    source: &'a TrackSource,
    wish: &'a Wish,
    profile: Profile,
    reason: Reason,
}

impl Opening<'_> {
    /// Where to begin and end in the file, µs.
    fn range_us(&self) -> (u64, Option<u64>) {
        let (begin, end) = match self.source.range_ms {
            Some((begin, end)) => (begin.saturating_mul(1000), Some(end.saturating_mul(1000))),
            None => (0, None),
        };
        let offset = u64::try_from(self.wish.offset.as_micros()).unwrap_or(u64::MAX);
        (begin.saturating_add(offset), end)
    }

    /// What is left from the offset on.
    fn duration(&self) -> Duration {
        Duration::from_millis(self.source.track.duration_ms).saturating_sub(self.wish.offset)
    }

    /// The length that Subsonic's `estimateContentLength` asks for: time by bitrate.
    fn estimate(&self) -> Option<u64> {
        let kbps = self.profile.bitrate_kbps.filter(|_| self.wish.estimate_length)?;
        let duration = u64::try_from(self.duration().as_millis()).ok()?;
        (0 < duration).then(|| (duration + ESTIMATE_MARGIN_MS) * u64::from(kbps) / 8)
    }

    /// The same for the same bytes made into the same thing, and for nothing else.
    fn cache_name(&self, len: u64) -> String {
        let track = &self.source.track;
        let (start, end) = self.range_us();
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"transcode 1\n");
        hasher.update(self.source.path.as_os_str().as_encoded_bytes());
        let facts = format!("\n{len} {} {start} {end:?} {:?}", track.modified_ns, self.profile);
        hasher.update(facts.as_bytes());
        let hash = hasher.finalize().to_hex();
        format!("{}.{}", &hash[..32], self.profile.target.suffix())
    }

    fn cached(&self, file: File, len: u64, name: &str) -> FileBody {
        tracing::debug!(track = %self.source.track.id, reason = ?self.reason, "from the cache");
        FileBody {
            file,
            len,
            content_type: self.profile.content_type(),
            etag: name.split('.').next().unwrap_or_default().to_owned(),
            modified_at: Some(self.source.track.modified_ns / 1_000_000),
            duration: Some(self.duration()),
            hold: None,
        }
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

/// Opens a file that is one: no pipe that would wait for a writer, no device.
fn open_regular(path: &Path) -> Result<(File, u64)> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path);
    let file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::Unavailable("The file of this track is not there at the moment".to_owned())
        }
        io::ErrorKind::PermissionDenied => {
            Error::Unavailable("The server may not read the file of this track".to_owned())
        }
        _ => error.into(),
    })?;
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(Error::Unavailable("This track is not a plain file any more".to_owned()));
    }
    Ok((file, data.len()))
}

fn of(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
