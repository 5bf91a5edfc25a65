//! Bytes on their way out, with what a face must say about them: an open file or a running
//! stream. Services make them, `http` answers with them; neither needs to know the other.

use std::{any::Any, borrow::Cow, fmt, fs::File, io, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::Stream;

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
    pub stream: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
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
