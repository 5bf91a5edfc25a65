//! The line between the two sides: small framed messages one way, a yes or no the other way. The
//! daemon trusts no length that it reads.

use std::io::{self, Read, Write};

use bytes::Bytes;

use super::{Entry, LONGEST_NAME, Unpacked};

/// Bytes of an entry that are sent at a time.
const PIECE: usize = 64 << 10;
/// No message is longer.
const LONGEST: usize = PIECE + LONGEST_NAME + 64;
const HEAD: usize = 5;

const ENTRY: u8 = 1;
const BYTES: u8 = 2;
const WHOLE: u8 = 3;
const BROKEN: u8 = 4;
const END: u8 = 5;

/// What the daemon says to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::media) enum Said {
    /// Its bytes are wanted.
    Take,
    /// They are not.
    Skip,
}

impl Said {
    /// As it travels.
    pub(in crate::media) fn byte(self) -> [u8; 1] {
        [u8::from(self == Self::Take)]
    }
}

/// The worker's end.
pub(in crate::media) struct Line<S> {
    socket: S,
    buffer: Vec<u8>,
}

impl<S: Read + Write> Line<S> {
    pub(in crate::media) fn new(socket: S) -> Self {
        Self { socket, buffer: Vec::with_capacity(LONGEST) }
    }

    /// Tells of an entry; whether it is wanted.
    pub(super) fn offer(&mut self, entry: &Entry) -> io::Result<bool> {
        let payload = postcard::to_stdvec(entry).map_err(io::Error::other)?;
        self.send(ENTRY, &payload)?;
        let mut said = [0];
        self.socket.read_exact(&mut said)?;
        Ok(said == Said::Take.byte())
    }

    /// Sends what an entry holds: at most `most` bytes, which it should have. An inner error is
    /// about the archive, an outer one about the line.
    pub(super) fn pour(
        &mut self,
        from: &mut impl Read,
        most: u64,
    ) -> io::Result<Result<u64, String>> {
        let mut piece = vec![0; PIECE];
        let mut sent = 0;
        loop {
            let read = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(error.to_string())),
            };
            if most < sent + read as u64 {
                return Ok(Err("There is more in it than the archive says".to_owned()));
            }
            sent += read as u64;
            self.send(BYTES, &piece[..read])?;
        }
        if sent < most {
            return Ok(Err("There is less in it than the archive says".to_owned()));
        }
        Ok(Ok(sent))
    }

    /// The entry is over.
    pub(super) fn close(&mut self, problem: Option<&str>) -> io::Result<()> {
        match problem {
            None => self.send(WHOLE, &[]),
            Some(problem) => self.send(BROKEN, cut(problem)),
        }
    }

    /// The archive is over.
    pub(super) fn end(&mut self, problem: Option<&str>) -> io::Result<()> {
        self.send(END, problem.map_or(&[], cut))
    }

    fn send(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.push(kind);
        self.buffer.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(payload);
        self.socket.write_all(&self.buffer)
    }
}

/// The daemon's end: the next thing that comes.
pub(in crate::media) fn hear(from: &mut impl Read) -> io::Result<Unpacked> {
    let mut head = [0; HEAD];
    from.read_exact(&mut head)?;
    let [kind, a, b, c, d] = head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let nonsense = || io::Error::new(io::ErrorKind::InvalidData, "not a message of a worker");
    if LONGEST < length {
        return Err(nonsense());
    }
    let mut payload = vec![0; length];
    from.read_exact(&mut payload)?;
    Ok(match kind {
        ENTRY => Unpacked::Entry(postcard::from_bytes(&payload).map_err(|_| nonsense())?),
        BYTES if !payload.is_empty() => Unpacked::Bytes(Bytes::from(payload)),
        WHOLE => Unpacked::Whole,
        BROKEN => Unpacked::Broken(sentence(&payload)),
        END => Unpacked::End((!payload.is_empty()).then(|| sentence(&payload))),
        _ => return Err(nonsense()),
    })
}

fn cut(problem: &str) -> &[u8] {
    &problem.as_bytes()[..problem.len().min(300)]
}

/// Shown to people, so without control characters.
fn sentence(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    text.chars().filter(|letter| !letter.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::EntryKind, *};

    /// Both directions in memory.
    struct Both(io::Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Both {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }

    impl Write for Both {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_said_is_heard() {
        let mut line = Line::new(Both(io::Cursor::new(vec![1]), Vec::new()));
        let entry = Entry { name: "a/b".to_owned(), kind: EntryKind::File, size: 3 };
        assert!(line.offer(&entry).unwrap());
        assert_eq!(line.pour(&mut &b"abc"[..], 3).unwrap(), Ok(3));
        line.close(None).unwrap();
        assert!(line.pour(&mut &b"abc"[..], 4).unwrap().is_err());
        line.close(Some("bad")).unwrap();
        line.end(None).unwrap();
        let heard = std::mem::take(&mut line.socket.1);
        let mut heard = heard.as_slice();
        let mut next = || hear(&mut heard).unwrap();
        assert_eq!(next(), Unpacked::Entry(entry));
        assert_eq!(next(), Unpacked::Bytes("abc".into()));
        assert_eq!(next(), Unpacked::Whole);
        assert_eq!(next(), Unpacked::Bytes("abc".into()));
        assert_eq!(next(), Unpacked::Broken("bad".to_owned()));
        assert_eq!(next(), Unpacked::End(None));
        assert!(hear(&mut heard).is_err());
    }

    #[test]
    fn no_more_comes_than_was_said() {
        let mut line = Line::new(Both(io::Cursor::new(Vec::new()), Vec::new()));
        assert!(line.pour(&mut io::repeat(0), 10).unwrap().is_err());
        assert!(line.socket.1.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_heard_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut from = bytes.as_slice();
            while hear(&mut from).is_ok() {}
        }
    }
}
