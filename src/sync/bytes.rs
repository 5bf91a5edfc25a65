//! Reads a file on its way out: hashed from its first byte, sent from an offset, at the rate of
//! the gate.

use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{bandwidth::Gate, local::Identity};

/// Read, hashed and sent at a time.
const PIECE: usize = 64 * 1024;

/// What a request brings.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A whole body that is there already.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// What came of reading a file to its end.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Bytes that went out in this body.
    pub(super) sent: Arc<AtomicU64>,
    /// The hash, once the last byte was read and the file was still the same.
    hash: Arc<Mutex<Option<[u8; 32]>>>,
}

impl Outgoing {
    pub(super) fn hash(&self) -> Option<[u8; 32]> {
        *self.hash.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a file from `offset` on. `moved` hears of each piece that goes out.
pub(super) fn of_file(
    place: PathBuf,
    identity: Identity,
    offset: u64,
    gate: Gate,
    moved: impl Fn(u64) + Send + 'static,
) -> (Body, Outgoing) {
    let outgoing = Outgoing::default();
    let (sent, hash) = (Arc::clone(&outgoing.sent), Arc::clone(&outgoing.hash));
    let (tell, told) = mpsc::channel::<io::Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || match read(&place, identity, offset, &tell) {
        Ok(found) => *hash.lock().unwrap_or_else(PoisonError::into_inner) = found,
        Err(error) => {
            let _ = tell.blocking_send(Err(error));
        }
    });
    let pieces = ReceiverStream::new(told).then(move |piece| {
        let gate = gate.clone();
        async move {
            if let Ok(piece) = &piece {
                gate.pass(piece.len()).await;
            }
            piece
        }
    });
    let frames = pieces.map(move |piece| {
        piece.map(|piece| {
            sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
            moved(piece.len() as u64);
            Frame::data(piece)
        })
    });
    (StreamBody::new(frames).boxed_unsync(), outgoing)
}

/// `None` when nobody listens any more.
fn read(
    place: &std::path::Path,
    identity: Identity,
    offset: u64,
    tell: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<Option<[u8; 32]>> {
    let changed = || io::Error::other("the file was changed while it was sent");
    let mut file = File::open(place)?;
    if Identity::of(&file.metadata()?) != identity {
        return Err(changed());
    }
    let mut hasher = blake3::Hasher::new();
    let mut at = 0;
    let mut buffer = vec![0; PIECE];
    while at < identity.size() {
        let most = usize::try_from(identity.size() - at).unwrap_or(PIECE).min(PIECE);
        let read = file.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(changed());
        }
        hasher.update(&buffer[..read]);
        let new = usize::try_from(offset.saturating_sub(at)).unwrap_or(read).min(read);
        at += read as u64;
        if at == identity.size() && Identity::of(&file.metadata()?) != identity {
            return Err(changed());
        }
        if new < read && tell.blocking_send(Ok(Bytes::copy_from_slice(&buffer[new..read]))).is_err()
        {
            return Ok(None);
        }
    }
    Ok(Some(hasher.finalize().into()))
}
