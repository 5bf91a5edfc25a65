//! A file as a bounded source of bytes: read by position, the first 64 KiB kept, the whole amount
//! limited. Never by name.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt as _,
};

use crate::error::in_words;

/// The quick key covers so much of a file.
pub(crate) const HEAD: usize = 64 << 10;
/// Headers and tags of one file; whoever wants more is lying about a length.
const MOST_READ: u64 = 96 << 20;
const WINDOW: usize = 16 << 10;

/// Memory that sources use one after the other, so that each file does not need its own anew.
#[derive(Default)]
pub(crate) struct Room {
    head: Vec<u8>,
    window: Vec<u8>,
}

/// Reads one open file from wherever it is asked to.
pub(crate) struct Source<'f> {
    file: &'f File,
    size: u64,
    head: Vec<u8>,
    window: Vec<u8>,
    window_at: u64,
    position: u64,
    left: u64,
    failure: Option<String>,
}

impl<'f> Source<'f> {
    /// Looks at the size and the head of a regular file.
    pub(crate) fn open(file: &'f File) -> io::Result<Self> {
        Self::open_in(file, &mut Room::default())
    }

    /// The same in memory that [`Self::leave`] gives back.
    pub(crate) fn open_in(file: &'f File, room: &mut Room) -> io::Result<Self> {
        let stat = rustix::fs::fstat(file)?;
        if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let size = stat.st_size.max(0) as u64;
        let mut head = std::mem::take(&mut room.head);
        head.resize(HEAD.min(size as usize), 0);
        let filled = read_at_most(file, &mut head, 0)?;
        head.truncate(filled);
        Ok(Self {
            file,
            size,
            head,
            window: std::mem::take(&mut room.window),
            window_at: 0,
            position: 0,
            left: MOST_READ,
            failure: None,
        })
    }

    /// Gives the memory to the next one.
    pub(crate) fn leave(mut self, room: &mut Room) {
        self.window.clear();
        *room = Room { head: self.head, window: self.window };
    }

    /// Bytes in the file.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The first 64 KiB, or all of it.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Up to `length` bytes from `at`, fewer at the end.
    pub(crate) fn bytes(&mut self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        self.position = at;
        let there = self.size.saturating_sub(at);
        let mut bytes = vec![0; length.min(usize::try_from(there).unwrap_or(usize::MAX))];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.read(&mut bytes[filled..])? {
                0 => break,
                more => filled += more,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// What the disk said when it did not give a part of the file: whatever was made of the rest
    /// says nothing then.
    pub(crate) fn failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// Remembers that the disk failed. Behind the end there is nothing that it would have to give.
    fn note(&mut self, read: io::Result<usize>) -> io::Result<usize> {
        if let Err(error) = &read
            && self.position < self.size
        {
            self.failure = Some(in_words(error));
        }
        read
    }

    fn spend(&mut self, bytes: usize) -> io::Result<()> {
        self.left = self
            .left
            .checked_sub(bytes as u64)
            .ok_or_else(|| io::Error::other("its headers are too large"))?;
        Ok(())
    }
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if let Some(rest) = rest_of(&self.head, 0, self.position) {
            return Ok(self.hand_out(out, rest));
        }
        if rest_of(&self.window, self.window_at, self.position).is_none() {
            if out.len() >= WINDOW {
                self.spend(out.len())?;
                let read = self.note(self.file.read_at(out, self.position))?;
                self.position += read as u64;
                return Ok(read);
            }
            self.spend(WINDOW)?;
            self.window.resize(WINDOW, 0);
            self.window_at = self.position;
            let filled = self.file.read_at(&mut self.window, self.position);
            self.window.truncate(*filled.as_ref().unwrap_or(&0));
            let filled = self.note(filled);
            filled?;
        }
        match rest_of(&self.window, self.window_at, self.position) {
            Some(rest) => Ok(self.hand_out(out, rest)),
            None => Ok(0),
        }
    }
}

/// Which of the kept bytes come next.
#[derive(Clone, Copy)]
enum Kept {
    Head(usize),
    Window(usize),
}

fn rest_of(kept: &[u8], kept_at: u64, position: u64) -> Option<Kept> {
    let offset = usize::try_from(position.checked_sub(kept_at)?).ok()?;
    let kind = if kept_at == 0 { Kept::Head } else { Kept::Window };
    (offset < kept.len()).then(|| kind(offset))
}

impl Source<'_> {
    fn hand_out(&mut self, out: &mut [u8], kept: Kept) -> usize {
        let rest = match kept {
            Kept::Head(offset) => &self.head[offset..],
            Kept::Window(offset) => &self.window[offset..],
        };
        let length = rest.len().min(out.len());
        out[..length].copy_from_slice(&rest[..length]);
        self.position += length as u64;
        length
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn read_at_most(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match file.read_at(&mut out[filled..], at + filled as u64)? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}
