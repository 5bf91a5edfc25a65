//! The door through which the fuzz targets reach the readers of files. No part of its interface.

use std::{
    fs::File,
    io::{self, Read, Write},
};

use super::{
    source::{Room, Source},
    tags::{self, ReadOptions},
    understand::understand,
    unpack::{self, Line, Order, Unpacked},
};

/// Takes an archive apart as a worker does: no more entries and bytes come out than were ordered,
/// and it ends in its end.
///
/// # Panics
/// If one of that is not so.
pub fn archive(bytes: &[u8]) {
    let order = Order { bytes: 100_000, entries: 20 };
    let (entries, came) = comes_out(bytes, order).expect("the line cannot break");
    assert!(entries <= order.entries);
    assert!(came <= order.bytes + 2048 * order.entries as u64);
}

/// Reads what a file says about itself, and the picture in it.
///
/// # Panics
/// If the file cannot be made in memory.
pub fn tags(bytes: &[u8]) {
    let file = in_memory(bytes).expect("a file in memory");
    let path = "Artist/1999 Album/01 Title.mp3";
    if let Ok(found) = understand(&file, path, &ReadOptions::default(), &mut Room::default()) {
        assert_eq!(found.size, bytes.len() as u64);
    }
    if let Ok(mut source) = Source::open(&file) {
        let _ = tags::picture(&mut source);
    }
}

/// How many entries and bytes come out of an archive if all of it is taken.
pub(super) fn comes_out(archive: &[u8], order: Order) -> io::Result<(usize, u64)> {
    let mut taker = Taker::default();
    unpack::read(in_memory(archive)?, &mut Line::new(&mut taker), order)?;
    let mut said = taker.0.as_slice();
    let (mut entries, mut bytes) = (0, 0);
    loop {
        match unpack::hear(&mut said)? {
            Unpacked::Entry(_) => entries += 1,
            Unpacked::Bytes(piece) => bytes += piece.len() as u64,
            Unpacked::Whole | Unpacked::Broken(_) => (),
            Unpacked::End(_) => break,
        }
    }
    if !said.is_empty() {
        return Err(io::Error::other("something was said behind the end"));
    }
    Ok((entries, bytes))
}

fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("bytes", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file)
}

/// The daemon's side in memory: takes everything, and keeps what is said.
#[derive(Default)]
struct Taker(Vec<u8>);

impl Read for Taker {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        into.fill(1);
        Ok(into.len())
    }
}

impl Write for Taker {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
