//! The body of a transcode under way: follows the growing file, keeps to a promised length to the
//! byte, and carries the stream's permit.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream::unfold};
use tokio::sync::watch;

use super::{
    limits::Permit,
    transcode::{Phase, Progress, Transcode},
};

/// Bytes a piece.
const PIECE: u64 = 64 << 10;

struct Follower {
    transcode: Arc<Transcode>,
    progress: watch::Receiver<Progress>,
    at: u64,
    /// What was promised: cut or filled with zeros to it.
    len: Option<u64>,
    is_over: bool,
    _permit: Permit,
}

/// The bytes of `transcode` as they come, `len` of them if one is given.
pub(super) fn follow(
    transcode: Arc<Transcode>,
    len: Option<u64>,
    permit: Permit,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let progress = transcode.follow();
    let follower = Follower { transcode, progress, at: 0, len, is_over: false, _permit: permit };
    unfold(follower, async |mut follower| {
        let piece = follower.next().await?;
        follower.is_over = piece.is_err();
        Some((piece, follower))
    })
}

impl Follower {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if self.is_over || self.len == Some(self.at) {
                return None;
            }
            let Progress { len, phase } = self.progress.borrow_and_update().clone();
            let end = self.len.map_or(len, |promised| promised.min(len));
            if self.at < end {
                return Some(self.read(end).await);
            }
            match phase {
                Phase::Done => return self.len.map(|promised| Ok(self.fill(promised))),
                Phase::Failed(reason) => return Some(Err(io::Error::other(reason.to_string()))),
                Phase::Starting | Phase::Running(_) => {
                    if self.progress.changed().await.is_err() {
                        return Some(Err(io::ErrorKind::BrokenPipe.into()));
                    }
                }
            }
        }
    }

    async fn read(&mut self, end: u64) -> io::Result<Bytes> {
        let (transcode, at) = (self.transcode.clone(), self.at);
        let most = usize::try_from((end - at).min(PIECE)).unwrap_or(0);
        let read = tokio::task::spawn_blocking(move || transcode.read(at, most));
        let bytes = read.await.map_err(io::Error::other)??;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += bytes.len() as u64;
        Ok(bytes.into())
    }

    fn fill(&mut self, promised: u64) -> Bytes {
        let missing = (promised - self.at).min(PIECE);
        self.at += missing;
        Bytes::from(vec![0; usize::try_from(missing).unwrap_or(0)])
    }
}
