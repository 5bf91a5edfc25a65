//! Messages between the daemon and a worker: a length, a kind, how many descriptors travel along,
//! and the payload. Both sides distrust lengths; the daemon distrusts everything.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, IoSliceMut, Read},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

/// As many descriptors as one message may carry.
pub(super) const MOST_DESCRIPTORS: usize = 64;
/// Nothing that is sent is larger: pictures have a lower limit of their own.
pub(super) const MOST_BYTES: usize = 64 << 20;
const HEAD: usize = 6;

/// What a message asks for, or what it answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Look at every file sent along: read its tags, or what picture it is.
    Understand = 1,
    /// Take the front cover out of the file sent along.
    EmbeddedPicture = 2,
    /// The file sent along is a picture.
    WholePicture = 3,
    /// Scale the picture in the payload.
    Scale = 4,
    /// It worked.
    Answer = 5,
    /// It did not; the payload is a sentence.
    Refusal = 6,
    /// A new worker waits; the payload says which walls are around it.
    Ready = 7,
    /// Hear the file sent along, with its decoded sound behind it if the order says so.
    Analyse = 8,
    /// A refusal, but the decode worker may know more; the payload is a sentence.
    Pass = 9,
    /// The payload is a podcast's feed.
    Feed = 10,
    /// Hash the encoded sound of the file sent along.
    AudioHash = 11,
    /// The fingerprint of the decoded sound that comes from the pipe sent along.
    Fingerprint = 12,
    /// Take the archive sent along apart, over the line sent behind it.
    Unpack = 13,
    /// Put the four pictures in the payload together.
    Mosaic = 14,
    /// A refusal because the disk did not give the file; the payload is a sentence.
    Unread = 15,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        use Kind::{
            Analyse, Answer, AudioHash, EmbeddedPicture, Feed, Fingerprint, Mosaic, Pass, Ready,
            Refusal, Scale, Understand, Unpack, Unread, WholePicture,
        };
        let pictures = [EmbeddedPicture, WholePicture, Scale, Mosaic];
        let asked =
            [Understand, Analyse, AudioHash, Fingerprint, Feed, Unpack].into_iter().chain(pictures);
        asked.chain([Answer, Refusal, Ready, Pass, Unread]).find(|kind| *kind as u8 == byte)
    }
}

/// One message, taken off the wire.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) payload: Vec<u8>,
    pub(super) descriptors: Vec<OwnedFd>,
}

/// Starts a message in `out` and returns where its length has to be filled in.
pub(super) fn begin(out: &mut Vec<u8>, kind: Kind, descriptors: usize) -> usize {
    let start = out.len();
    out.extend([0, 0, 0, 0, kind as u8, descriptors as u8]);
    start
}

/// Fills in the length of the message that began at `start`.
pub(super) fn end(out: &mut [u8], start: usize) {
    let length = (out.len() - start - HEAD) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Sends whole messages; the descriptors travel with the first byte.
pub(super) fn send(
    socket: &UnixStream,
    mut bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("too many descriptors for one message"));
    }
    while !bytes.is_empty() {
        let sent = rustix::io::retry_on_intr(|| {
            rustix::net::sendmsg(
                socket.as_fd(),
                &[IoSlice::new(bytes)],
                &mut control,
                SendFlags::NOSIGNAL,
            )
        })?;
        control.clear();
        bytes = &bytes[sent..];
    }
    Ok(())
}

/// The receiving end of a worker: bytes and descriptors as they come, messages as they are whole.
pub(super) struct Receiver<'s> {
    socket: BorrowedFd<'s>,
    bytes: Vec<u8>,
    taken: usize,
    descriptors: VecDeque<OwnedFd>,
}

impl<'s> Receiver<'s> {
    pub(super) fn new(socket: BorrowedFd<'s>) -> Self {
        Self { socket, bytes: Vec::new(), taken: 0, descriptors: VecDeque::new() }
    }

    /// The next message; `None` once the other side is gone.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.whole()? {
                return Ok(Some(frame));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn whole(&mut self) -> io::Result<Option<Frame>> {
        let rest = &self.bytes[self.taken..];
        let Some((length, kind, descriptors)) = head(rest)? else { return Ok(None) };
        let Some(payload) = rest.get(HEAD..HEAD + length) else { return Ok(None) };
        if self.descriptors.len() < descriptors {
            return Err(io::Error::other("descriptors are missing"));
        }
        let frame = Frame {
            kind,
            payload: payload.to_vec(),
            descriptors: self.descriptors.drain(..descriptors).collect(),
        };
        self.taken += HEAD + length;
        Ok(Some(frame))
    }

    fn fill(&mut self) -> io::Result<bool> {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        let filled = self.bytes.len();
        let wanted = head(&self.bytes)?.map_or(0, |(length, ..)| HEAD + length);
        self.bytes.resize((filled + (16 << 10)).max(wanted), 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::io::retry_on_intr(|| {
            rustix::net::recvmsg(
                self.socket,
                &mut [IoSliceMut::new(&mut self.bytes[filled..])],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            )
        })?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        self.bytes.truncate(filled + received.bytes);
        Ok(received.bytes > 0)
    }
}

/// Reads one message without descriptors, as the daemon does.
pub(super) fn read(from: &mut impl Read) -> io::Result<(Kind, Vec<u8>)> {
    let mut bytes = [0; HEAD];
    from.read_exact(&mut bytes)?;
    let (length, kind, _) = head(&bytes)?.expect("all bytes of a head are there");
    // The length is a claim: memory is taken as bytes arrive.
    let mut payload = Vec::with_capacity(length.min(64 << 10));
    if from.take(length as u64).read_to_end(&mut payload)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((kind, payload))
}

fn head(bytes: &[u8]) -> io::Result<Option<(usize, Kind, usize)>> {
    let Some(&[a, b, c, d, kind, descriptors]) = bytes.first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    match Kind::of(kind) {
        Some(kind) if length <= MOST_BYTES => Ok(Some((length, kind, descriptors as usize))),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "not a message of a worker")),
    }
}
