//! A file as a response body, in large pieces with few hops: what is in the page cache is read
//! where we stand, the rest on a blocking thread; one buffer serves the whole answer.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    os::{fd::AsRawFd as _, unix::fs::FileExt},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use rustix::io::{ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use super::connection::Sending;
use crate::body::{Hold, Meter};

/// Bytes a piece. Together with what the dispatcher may already hold it stays below the size at
/// which actix gives its write buffer back, so nothing is allocated anew for each piece.
const PIECE: usize = 96 * 1024;

/// A window of a file.
pub(super) struct Pieces {
    file: Arc<File>,
    at: u64,
    end: u64,
    spare: Arc<Spare>,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
    meter: Option<Meter>,
    /// The time that the last piece must be worth before the next one goes out.
    paced: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _hold: Option<Hold>,
}

/// The buffer that is not in use.
type Spare = Mutex<Option<Vec<u8>>>;

/// A filled part of the buffer; dropping it gives the buffer back.
struct Piece {
    buffer: Vec<u8>,
    home: Arc<Spare>,
}

impl Pieces {
    pub(super) fn new(
        file: File,
        start: u64,
        end: u64,
        hold: Option<Hold>,
        meter: Option<Meter>,
    ) -> Self {
        Self {
            file: Arc::new(file),
            at: start,
            end,
            spare: Arc::default(),
            reading: None,
            meter,
            paced: None,
            _hold: hold,
        }
    }

    fn take_buffer(&self) -> Vec<u8> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut buffer = spare.unwrap_or_default();
        let wanted = PIECE.min(usize::try_from(self.end - self.at).unwrap_or(PIECE));
        buffer.resize(wanted, 0);
        buffer
    }

    fn give(&mut self, buffer: Vec<u8>) -> Bytes {
        let len = buffer.len() as u64;
        self.at += len;
        if let Some(meter) = &self.meter {
            meter.count(len);
            self.paced = meter.pace.clone().map(|pace| {
                let wait = async move { pace.wait(len).await };
                Box::pin(wait) as Pin<Box<dyn Future<Output = ()> + Send>>
            });
        }
        Bytes::from_owner(Piece { buffer, home: self.spare.clone() })
    }
}

impl Sending for Pieces {}

impl MessageBody for Pieces {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.end - self.at)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        let this = self.get_mut();
        if let Some(paced) = &mut this.paced {
            ready!(paced.as_mut().poll(cx));
            this.paced = None;
        }
        if let Some(reading) = &mut this.reading {
            let read = ready!(Pin::new(reading).poll(cx));
            this.reading = None;
            let buffer = read.map_err(io::Error::other)??;
            return Poll::Ready(Some(Ok(this.give(buffer))));
        }
        if this.end <= this.at {
            return Poll::Ready(None);
        }
        let mut buffer = this.take_buffer();
        let slices = &mut [IoSliceMut::new(&mut buffer)];
        match preadv2(&*this.file, slices, this.at, ReadWriteFlags::NOWAIT) {
            Ok(read) if 0 < read => {
                buffer.truncate(read);
                return Poll::Ready(Some(Ok(this.give(buffer))));
            }
            // Not in memory, or a file system that cannot tell: somebody else may wait for it.
            Ok(_) | Err(_) => (),
        }
        let (file, at) = (this.file.clone(), this.at);
        let mut reading = tokio::task::spawn_blocking(move || {
            let read = read_some(&file, &mut buffer, at)?;
            buffer.truncate(read);
            Ok(buffer)
        });
        let read = Pin::new(&mut reading).poll(cx);
        this.reading = Some(reading);
        let read = ready!(read);
        this.reading = None;
        let buffer = read.map_err(io::Error::other)??;
        Poll::Ready(Some(Ok(this.give(buffer))))
    }
}

/// Reads as much as there is. Nothing means that the file became shorter under us: the promise of
/// the length is broken, and only closing the connection says so.
fn read_some(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            result => return result.inspect_err(|error| tell(file, error)),
        }
    }
}

/// Names a file that its disk does not give: whoever listens only hears that it ends.
pub(super) fn tell(file: &File, error: &io::Error) {
    let place = format!("/proc/self/fd/{}", file.as_raw_fd());
    let place = std::fs::read_link(place).unwrap_or_default();
    tracing::error!(file = %place.display(), "a file cannot be read: {error}; `tunelocker doctor --read-data` looks whether there are more");
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = Some(buffer);
    }
}
