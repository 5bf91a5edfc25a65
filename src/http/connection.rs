//! Whether the client is still there. actix looks at a socket only while it reads or writes, so a
//! body that waits, or one whose client stopped reading, would never learn that nobody listens.
//! Each body therefore has a watch that looks at its socket every few seconds.

use std::{
    any::Any,
    io,
    os::fd::{AsFd, OwnedFd},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    HttpRequest,
    body::{BodySize, MessageBody},
    dev::Extensions,
    rt::net::TcpStream,
};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{Shutdown, shutdown},
};
use tokio::{task::JoinHandle, time::Instant};

use super::wire::Flushed;

/// How long a silent client is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often to look whether the socket is closed.
    pub look: Duration,
    /// How long a client may read nothing: a paused player does just that.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { look: Duration::from_secs(5), stall: Duration::from_mins(10) }
    }
}

/// A second handle on the client's socket.
#[derive(Debug, Clone)]
struct Connection {
    socket: Arc<OwnedFd>,
    /// For bodies that write to the socket themselves.
    flushed: Option<Arc<Flushed>>,
    patience: Patience,
}

/// For `HttpServer::on_connect`: remembers the socket for the watches of its bodies.
pub fn watched(
    patience: Patience,
) -> impl Fn(&dyn Any, &mut Extensions) + Clone + Send + Sync + 'static {
    move |stream, data| {
        let plain = stream.downcast_ref::<TcpStream>();
        let secured = || stream.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
        if let Some(stream) = plain.or_else(secured) {
            remember(stream, None, patience, data);
        }
    }
}

/// Remembers the socket of a connection.
pub(super) fn remember(
    stream: &TcpStream,
    flushed: Option<Arc<Flushed>>,
    patience: Patience,
    data: &mut Extensions,
) {
    if let Ok(socket) = stream.as_fd().try_clone_to_owned() {
        data.insert(Connection { socket: Arc::new(socket), flushed, patience });
    }
}

/// The socket, where a body may write to it itself, and how it knows when.
pub(super) fn straight(request: &HttpRequest) -> Option<(Arc<OwnedFd>, Arc<Flushed>)> {
    let connection = request.conn_data::<Connection>()?;
    Some((Arc::clone(&connection.socket), connection.flushed.clone()?))
}

/// What a body says of itself while it is pending.
pub(super) trait Sending {
    /// It has bytes, and the client does not take them.
    fn waits_for_client(&self) -> bool {
        false
    }
}

/// A body that ends with an error as soon as its client is gone or stalls.
pub(super) fn guarded<B>(request: &HttpRequest, body: B) -> Guarded<B> {
    let watch = request.conn_data::<Connection>().cloned().map(Watch::start);
    Guarded { body, watch }
}

/// See [`guarded`].
pub(super) struct Guarded<B> {
    body: B,
    watch: Option<Watch>,
}

impl<B> MessageBody for Guarded<B>
where
    B: MessageBody<Error = io::Error> + Sending + Unpin,
{
    type Error = io::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        let this = self.get_mut();
        if let Some(watch) = &this.watch {
            watch.seen.polled(cx, this.body.waits_for_client());
            if watch.seen.is_gone.load(Ordering::Acquire) {
                return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
            }
        }
        let next = Pin::new(&mut this.body).poll_next(cx);
        if let Some(watch) = &this.watch {
            let is_waiting = next.is_pending() && !this.body.waits_for_client();
            watch.seen.is_waiting.store(is_waiting, Ordering::Release);
        }
        next
    }
}

/// Looks at the socket as long as it lives.
struct Watch {
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

/// What body and watch tell each other.
struct Seen {
    began: Instant,
    /// ms after `began` at which the dispatcher last wanted bytes: it does when it has sent most
    /// of what it had.
    polled_at: AtomicU64,
    /// The dispatcher waits for us, so the client is not the one who stalls.
    is_waiting: AtomicBool,
    is_gone: AtomicBool,
    body: AtomicWaker,
}

impl Seen {
    /// Looking again at a client who takes nothing is no progress.
    fn polled(&self, cx: &mut Context<'_>, waits_for_client: bool) {
        if !waits_for_client {
            self.polled_at.store(self.began.elapsed().as_millis() as u64, Ordering::Release);
        }
        self.body.register(cx.waker());
    }

    fn idle(&self) -> Duration {
        if self.is_waiting.load(Ordering::Acquire) {
            return Duration::ZERO;
        }
        let polled_at = Duration::from_millis(self.polled_at.load(Ordering::Acquire));
        self.began.elapsed().saturating_sub(polled_at)
    }
}

impl Watch {
    fn start(connection: Connection) -> Self {
        let seen = Arc::new(Seen {
            began: Instant::now(),
            polled_at: AtomicU64::new(0),
            is_waiting: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
            body: AtomicWaker::new(),
        });
        let task = tokio::spawn(look(connection, seen.clone()));
        Self { seen, task }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look(connection: Connection, seen: Arc<Seen>) {
    loop {
        tokio::time::sleep(connection.patience.look).await;
        if is_closed(&connection.socket) || connection.patience.stall <= seen.idle() {
            // A dispatcher that waits for the body is woken; one that waits for room in the
            // socket sees the shutdown.
            seen.is_gone.store(true, Ordering::Release);
            let _ = shutdown(&*connection.socket, Shutdown::Both);
            seen.body.wake();
            return;
        }
    }
}

/// The other side has closed or reset. One that only closed its sending half counts as gone:
/// players do not do that.
fn is_closed(socket: &OwnedFd) -> bool {
    let asked = PollFlags::RDHUP;
    let mut sockets = [PollFd::new(socket, asked)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut sockets, Some(&now)) {
        Ok(0) | Err(_) => false,
        Ok(_) => sockets[0]
            .revents()
            .intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
    }
}
