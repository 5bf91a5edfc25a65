//! A file as a response body that the kernel sends by itself: no byte passes through here. What
//! is not in memory is read by a blocking thread first, so that the one who sends never waits for
//! a disk.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::fs::FileExt,
    },
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use rustix::io::{ReadWriteFlags, preadv2};
use tokio::{io::Interest, net::TcpStream, task::JoinHandle};

use super::{connection::Sending, pieces::tell, wire::Flushed};
use crate::body::{Hold, Meter};

/// Bytes that are looked after at once: sent in one go, or read into memory in one go.
const WINDOW: u64 = 1 << 20;
/// The kernel reads ahead at least so far, so looking at one byte of each such stretch tells
/// whether all are in memory.
const STRETCH: u64 = 128 * 1024;
/// Below this the usual way is as cheap.
pub(super) const WORTH_IT: u64 = 128 * 1024;

/// A window of a file on its way to a socket.
pub(super) struct Straight {
    file: Arc<File>,
    at: u64,
    end: u64,
    /// Up to here it is in memory, or was a moment ago.
    cached: u64,
    socket: Socket,
    flushed: Arc<Flushed>,
    is_begun: bool,
    is_blocked: bool,
    reading: Option<JoinHandle<io::Result<()>>>,
    meter: Option<Meter>,
    _hold: Option<Hold>,
}

/// The client's socket; watched for room from the first time that there is none.
enum Socket {
    Bare(Arc<OwnedFd>),
    Watched(TcpStream),
}

impl Straight {
    pub(super) fn new(
        file: File,
        start: u64,
        end: u64,
        (hold, meter): (Option<Hold>, Option<Meter>),
        socket: Arc<OwnedFd>,
        flushed: Arc<Flushed>,
    ) -> Self {
        Self {
            file: Arc::new(file),
            at: start,
            end,
            cached: start,
            socket: Socket::Bare(socket),
            flushed,
            is_begun: false,
            is_blocked: false,
            reading: None,
            meter,
            _hold: hold,
        }
    }

    /// Makes sure that the next window is in memory.
    fn poll_cached(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reading.is_none() {
            let window = self.at..self.end.min(self.at + WINDOW);
            if is_in_memory(&self.file, window.clone()) {
                self.cached = window.end;
                return Poll::Ready(Ok(()));
            }
            let file = Arc::clone(&self.file);
            self.reading =
                Some(tokio::task::spawn_blocking(move || bring_into_memory(&file, window)));
        }
        if let Some(reading) = &mut self.reading {
            let read = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
            read.map_err(io::Error::other)??;
            self.cached = self.end.min(self.at + WINDOW);
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what the socket takes; pending when it has no room.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wanted = usize::try_from(self.cached - self.at).unwrap_or(usize::MAX);
        loop {
            let mut at = self.at;
            let sent = match &self.socket {
                Socket::Bare(socket) => send(socket.as_fd(), &self.file, &mut at, wanted),
                Socket::Watched(socket) => {
                    if socket.poll_write_ready(cx)?.is_pending() {
                        self.is_blocked = true;
                        return Poll::Pending;
                    }
                    socket.try_io(Interest::WRITABLE, || {
                        send(socket.as_fd(), &self.file, &mut at, wanted)
                    })
                }
            };
            match sent {
                // The file became shorter under us: the promise of the length is broken, and only
                // closing the connection says so.
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {
                    if let Some(meter) = &self.meter {
                        meter.count(at - self.at);
                    }
                    self.at = at;
                    self.is_blocked = false;
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Socket::Bare(socket) = &self.socket {
                        let socket = std::net::TcpStream::from(socket.try_clone()?);
                        self.socket = Socket::Watched(TcpStream::from_std(socket)?);
                    }
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Sending for Straight {
    fn waits_for_client(&self) -> bool {
        self.is_blocked
    }
}

impl MessageBody for Straight {
    type Error = io::Error;

    /// The head tells the length; to the dispatcher it is a stream of no bytes.
    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        let this = self.get_mut();
        if !this.is_begun {
            this.is_begun = true;
            this.flushed.expect();
        }
        ready!(this.flushed.poll(cx));
        if this.end <= this.at {
            return Poll::Ready(None);
        }
        if this.cached <= this.at
            && let Err(error) = ready!(this.poll_cached(cx))
        {
            return Poll::Ready(Some(Err(error)));
        }
        if let Err(error) = ready!(this.poll_send(cx)) {
            return Poll::Ready(Some(Err(error)));
        }
        if this.end <= this.at {
            return Poll::Ready(None);
        }
        // Others may want this thread too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn send(socket: BorrowedFd<'_>, file: &File, at: &mut u64, wanted: usize) -> io::Result<usize> {
    Ok(rustix::fs::sendfile(socket, file, Some(at), wanted)?)
}

/// Whether reading would not wait for a disk. A file system that cannot tell says no.
fn is_in_memory(file: &File, window: std::ops::Range<u64>) -> bool {
    let is_there = |at: u64| {
        let mut byte = [0];
        let read = preadv2(file, &mut [IoSliceMut::new(&mut byte)], at, ReadWriteFlags::NOWAIT);
        matches!(read, Ok(1))
    };
    window.clone().step_by(STRETCH as usize).all(is_there) && is_there(window.end - 1)
}

fn bring_into_memory(file: &File, window: std::ops::Range<u64>) -> io::Result<()> {
    let mut buffer = vec![0; STRETCH as usize];
    let mut at = window.start;
    while at < window.end {
        let wanted = buffer.len().min((window.end - at) as usize);
        match file.read_at(&mut buffer[..wanted], at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => at += read as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => {
                tell(file, &error);
                return Err(error);
            }
        }
    }
    Ok(())
}
