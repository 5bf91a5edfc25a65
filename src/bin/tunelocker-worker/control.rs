//! The control socket on standard input: one order with two descriptors in, reports out.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::AsFd as _,
};

use anyhow::{Context as _, bail};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};
use tunelocker::media::decode::{MESSAGE, Order, Report};

/// An order with its descriptors.
pub(crate) struct Task {
    pub(crate) order: Order,
    pub(crate) input: File,
    pub(crate) output: File,
}

/// The order, or `None` when the other side has gone without one.
pub(crate) fn next() -> anyhow::Result<Option<Task>> {
    let mut bytes = vec![0; MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let stdin = io::stdin();
    let received = recvmsg(
        stdin.as_fd(),
        &mut [IoSliceMut::new(&mut bytes)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut files = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            files.extend(descriptors.map(File::from));
        }
    }
    let order = serde_json::from_slice(&bytes[..received.bytes]).context("not an order")?;
    let (Some(output), Some(input), 0) = (files.pop(), files.pop(), files.len()) else {
        bail!("an order comes with two descriptors");
    };
    Ok(Some(Task { order, input, output }))
}

/// Tells the daemon.
pub(crate) fn tell(report: &Report) -> anyhow::Result<()> {
    let message = serde_json::to_vec(report)?;
    let stdin = io::stdin();
    send(stdin.as_fd(), &message[..message.len().min(MESSAGE)], SendFlags::NOSIGNAL)?;
    Ok(())
}
