//! Bytes on their way out, with what a face must say about them: an open file or a running
//! stream. Services make them, `http` answers with them; neither needs to know the other.

use std::{
    any::Any,
    borrow::Cow,
    fmt,
    fs::File,
    io,
    num::NonZeroU32,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream::unfold};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::clock::Millis;

/// Something that lives exactly as long as the body that carries it: a permit, a claim on a cache
/// entry. Dropping the body drops it.
pub type Hold = Box<dyn Any + Send>;

/// Bytes that are all there: an original, or a finished transcode. Ranges are possible.
pub struct FileBody {
    /// Open for reading; where it came from no longer matters.
    pub file: File,
    /// Its length in bytes when it was opened.
    pub len: u64,
    /// Exact MIME type.
    pub content_type: Cow<'static, str>,
    /// What changes when the bytes do, without quotes; empty = no ETag.
    pub etag: String,
    /// When the bytes last changed.
    pub modified_at: Option<Millis>,
    /// Length of the sound.
    pub duration: Option<Duration>,
    /// Dropped when the last byte is out or the client is gone.
    pub hold: Option<Hold>,
    /// Told of every byte that goes out, and says how fast they may.
    pub meter: Option<Meter>,
}

/// Bytes that are being made. No ranges.
pub struct LiveBody {
    /// Exact MIME type.
    pub content_type: Cow<'static, str>,
    /// How many bytes will come, exactly, where that is known.
    pub len: Option<u64>,
    /// Length of the sound.
    pub duration: Option<Duration>,
    /// The bytes. Dropping it stops what makes them.
    pub stream: Pieces,
}

/// A stream of pieces, boxed.
pub type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Counts bytes on their way out, and holds them to a pace.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    /// Bytes that went out.
    pub sent: Arc<AtomicU64>,
    /// How fast they may.
    pub pace: Option<Arc<Pace>>,
}

impl Meter {
    /// So many more went out.
    pub fn count(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A stream whose pieces are counted and paced.
    #[must_use]
    pub fn through(self, pieces: Pieces) -> Pieces {
        Box::pin(unfold((pieces, self), async |(mut pieces, meter)| {
            let piece = pieces.next().await?;
            if let Ok(bytes) = &piece {
                meter.count(bytes.len() as u64);
                if let Some(pace) = &meter.pace {
                    pace.wait(bytes.len() as u64).await;
                }
            }
            Some((piece, (pieces, meter)))
        }))
    }
}

/// So many bytes a second, shared by all that go out under it. Five seconds may go ahead, so that
/// a player begins at once.
#[derive(Debug)]
pub struct Pace {
    limiter: DefaultDirectRateLimiter,
    ahead: NonZeroU32,
}

impl Pace {
    /// `rate` is bytes a second.
    #[must_use]
    pub fn new(rate: u64) -> Self {
        let clamped = |bytes: u64| {
            NonZeroU32::new(u32::try_from(bytes).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
        };
        let (rate, ahead) = (clamped(rate), clamped(rate.saturating_mul(5).max(64 * 1024)));
        Self { limiter: RateLimiter::direct(Quota::per_second(rate).allow_burst(ahead)), ahead }
    }

    /// Waits until so many bytes may have gone out.
    pub async fn wait(&self, bytes: u64) {
        let mut left = bytes;
        while let Some(part) =
            NonZeroU32::new(u32::try_from(left.min(self.ahead.get().into())).unwrap_or(u32::MAX))
        {
            // Parts are never larger than what may go ahead, which is all that it refuses.
            let _ = self.limiter.until_n_ready(part).await;
            left -= u64::from(part.get());
        }
    }
}

impl fmt::Debug for FileBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBody")
            .field("len", &self.len)
            .field("content_type", &self.content_type)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LiveBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveBody")
            .field("len", &self.len)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}
