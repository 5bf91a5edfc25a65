//! The plain transport below HTTP. It tells a body when everything that the dispatcher wrote is
//! in the kernel's hands: from then on the body may write to the socket itself, which lets the
//! kernel send files without a copy. Encrypted connections cannot do this and do not try.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use actix_web::rt::net::TcpStream;
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket as the dispatcher sees it.
pub(super) struct Wire {
    stream: TcpStream,
    flushed: Arc<Flushed>,
}

/// Whether the dispatcher's buffer is empty.
#[derive(Debug, Default)]
pub(super) struct Flushed {
    is_flushed: AtomicBool,
    body: AtomicWaker,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, flushed: Arc::default() }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(super) fn flushed(&self) -> Arc<Flushed> {
        Arc::clone(&self.flushed)
    }
}

impl Flushed {
    /// For a body that is about to write by itself: something may be in the dispatcher's buffer,
    /// the answer's head at least.
    pub(super) fn expect(&self) {
        self.is_flushed.store(false, Ordering::Release);
    }

    /// Ready as soon as the dispatcher has flushed since [`Self::expect`].
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_flushed.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        self.body.register(cx.waker());
        Poll::Pending
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// The dispatcher calls it when its buffer is empty, and not before.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.flushed.is_flushed.swap(true, Ordering::AcqRel) {
            self.flushed.body.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
