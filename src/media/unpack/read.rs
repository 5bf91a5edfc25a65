//! The worker's side: reads an archive and offers what is in it. Whatever the archive says, no
//! more bytes and entries come out than were ordered.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek as _, Write},
};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::{Entry, EntryKind, LONGEST_NAME, Line, Order};

/// What unpackers may keep in memory of what they have unpacked.
const WINDOW: u64 = 128 << 20;
/// Read at a time.
const BUFFER: usize = 256 << 10;
const TOO_MUCH: &str = "More comes out of this archive than can be right";

/// Where the tar's mark stands, and what it is.
const TAR_MARK: (usize, &[u8]) = (257, b"ustar");

/// Why an archive ended before its time.
enum Stop {
    /// The archive's fault: a sentence.
    Archive(String),
    /// The daemon is gone, or wants no more.
    Line(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Line(error)
    }
}

/// What the file is, by its first bytes.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    Zip,
    Tar,
    Gzip,
    Zstd,
    Xz,
}

/// Offers everything in an archive over the line, until its end.
pub(in crate::media) fn read<S: Read + Write>(
    archive: File,
    line: &mut Line<S>,
    order: Order,
) -> io::Result<()> {
    match unpack(archive, line, order) {
        Ok(()) => line.end(None),
        Err(Stop::Archive(problem)) => line.end(Some(&problem)),
        Err(Stop::Line(error)) => Err(error),
    }
}

fn unpack<S: Read + Write>(
    mut archive: File,
    line: &mut Line<S>,
    order: Order,
) -> Result<(), Stop> {
    let mut head = Vec::with_capacity(512);
    archive.rewind().map_err(unreadable)?;
    (&mut archive).take(512).read_to_end(&mut head).map_err(unreadable)?;
    archive.rewind().map_err(unreadable)?;
    let reader = BufReader::with_capacity(BUFFER, archive);
    match form(&head)? {
        Form::Zip => from_zip(reader, line, order),
        Form::Tar => from_tar(reader, line, order),
        Form::Gzip => from_tar(MultiGzDecoder::new(reader), line, order),
        Form::Zstd => {
            let decoder = StreamingDecoder::new_with_max_window_size(reader, WINDOW)
                .map_err(|error| Stop::Archive(format!("It cannot be read: {error}")))?;
            from_tar(decoder, line, order)
        }
        Form::Xz => {
            let window = (WINDOW >> 10) as u32;
            from_tar(XzReader::new_mem_limit(reader, true, window), line, order)
        }
    }
}

fn form(head: &[u8]) -> Result<Form, Stop> {
    let (at, mark) = TAR_MARK;
    Ok(match head {
        // The second is one with nothing in it.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Form::Zip,
        [0x1f, 0x8b, ..] => Form::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Form::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Form::Xz,
        [b'R', b'a', b'r', b'!', ..] | [b'7', b'z', 0xbc, 0xaf, ..] => {
            return Err(Stop::Archive("Archives of rar and 7z are not unpacked here".to_owned()));
        }
        _ if head.get(at..).is_some_and(|rest| rest.starts_with(mark)) => Form::Tar,
        _ => {
            return Err(Stop::Archive(
                "This is no archive of a kind that is unpacked here: zip, tar, tar.gz, tar.zst, tar.xz"
                    .to_owned(),
            ));
        }
    })
}

fn from_zip<S: Read + Write>(
    reader: impl BufRead + io::Seek,
    line: &mut Line<S>,
    order: Order,
) -> Result<(), Stop> {
    let broken =
        |error: zip::result::ZipError| Stop::Archive(format!("It cannot be read: {error}"));
    let mut archive = ZipArchive::new(reader).map_err(broken)?;
    if order.entries < archive.len() {
        return Err(Stop::Archive(too_many(order.entries)));
    }
    let mut left = order.bytes;
    for at in 0..archive.len() {
        let entry = zip_entry(&archive, at).map_err(broken)?;
        // Only files are taken.
        if !line.offer(&entry)? || entry.kind != EntryKind::File {
            continue;
        }
        if left < entry.size {
            line.close(Some(TOO_MUCH))?;
            return Err(Stop::Archive(TOO_MUCH.to_owned()));
        }
        left -= entry.size;
        let problem = match archive.by_index(at) {
            Ok(mut file) => line.pour(&mut file, entry.size)?.err(),
            Err(error) => Some(error.to_string()),
        };
        line.close(problem.as_deref())?;
    }
    Ok(())
}

fn zip_entry<R: Read + io::Seek>(
    archive: &ZipArchive<R>,
    at: usize,
) -> Result<Entry, zip::result::ZipError> {
    let file = archive.by_index_data(at)?;
    // Many packers write UTF-8 and do not say so.
    let name = match std::str::from_utf8(file.name_raw()) {
        Ok(name) => name.to_owned(),
        Err(_) => file.name()?.into_owned(),
    };
    let kind = match file.unix_mode().map(|mode| mode & 0o170_000) {
        _ if file.is_symlink() => EntryKind::Link,
        _ if file.is_dir() => EntryKind::Folder,
        Some(0o010_000 | 0o020_000 | 0o060_000 | 0o140_000) => EntryKind::Special,
        _ if file.encrypted() => EntryKind::Locked,
        _ => match file.compression() {
            CompressionMethod::Stored | CompressionMethod::Deflated => EntryKind::File,
            _ => EntryKind::Unknown,
        },
    };
    Ok(Entry { name: bounded(name), kind, size: file.size() })
}

fn from_tar<S: Read + Write>(
    reader: impl Read,
    line: &mut Line<S>,
    order: Order,
) -> Result<(), Stop> {
    // Headers and what is passed over count, too.
    let overhead = 2048 * order.entries as u64;
    let bounded_reader = Bounded { inner: reader, left: order.bytes.saturating_add(overhead) };
    let mut archive = tar::Archive::new(bounded_reader);
    let mut count = 0;
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        count += 1;
        if order.entries < count {
            return Err(Stop::Archive(too_many(order.entries)));
        }
        let kind = match entry.header().entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                EntryKind::File
            }
            tar::EntryType::Directory => EntryKind::Folder,
            tar::EntryType::Symlink | tar::EntryType::Link => EntryKind::Link,
            // Says something about the archive or the next entry.
            tar::EntryType::XGlobalHeader | tar::EntryType::XHeader => continue,
            _ => EntryKind::Special,
        };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let told = Entry { name: bounded(name), kind, size: entry.size() };
        if !line.offer(&told)? || told.kind != EntryKind::File {
            continue;
        }
        let problem = line.pour(&mut entry, told.size)?.err();
        line.close(problem.as_deref())?;
    }
    Ok(())
}

/// Ends in an error once too much came out of it.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(TOO_MUCH))?;
        Ok(read)
    }
}

/// A name that is too long is refused as such; it needs not be whole for that.
fn bounded(mut name: String) -> String {
    let mut end = name.len().min(LONGEST_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

fn too_many(most: usize) -> String {
    format!("There are more than {most} entries in it")
}

fn unreadable(error: io::Error) -> Stop {
    Stop::Archive(match error.to_string() {
        text if text == TOO_MUCH => text,
        text => format!("It cannot be read: {text}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::fuzz;

    #[test]
    fn archives_are_known_by_their_first_bytes() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (head, known) in [
            (&b"PK\x03\x04rest"[..], Some(Form::Zip)),
            (b"PK\x05\x06", Some(Form::Zip)),
            (b"\x1f\x8b\x08", Some(Form::Gzip)),
            (b"\x28\xb5\x2f\xfd", Some(Form::Zstd)),
            (b"\xfd7zXZ\0", Some(Form::Xz)),
            (&tar, Some(Form::Tar)),
            (b"Rar!", None),
            (b"fLaC", None),
            (b"", None),
        ] {
            assert_eq!(form(head).ok(), known, "{head:?}");
        }
    }

    fn comes_out(archive: &[u8], order: Order) -> (usize, u64) {
        fuzz::comes_out(archive, order).unwrap()
    }

    fn samples() -> Vec<Vec<u8>> {
        let files = [("a/one.flac", vec![1_u8; 3000]), ("two", Vec::new()), ("three", vec![3; 9])];
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in &files {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
        }
        let tar = tar.into_inner().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).unwrap();
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        let zstd = ruzstd::encoding::compress_to_vec(tar.as_slice(), level);
        vec![zip.finish().unwrap().into_inner(), tar, gzip.finish().unwrap(), zstd]
    }

    #[test]
    fn everything_comes_out_of_a_good_archive_and_no_more_than_ordered() {
        for sample in samples() {
            assert_eq!(comes_out(&sample, Order { bytes: 3009, entries: 3 }), (3, 3009));
            let (entries, _) = comes_out(&sample, Order { bytes: 3009, entries: 2 });
            assert!(entries <= 2);
            let few = Order { bytes: 100, entries: 3 };
            assert!(comes_out(&sample, few).1 <= 100 + 2048 * 3);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(200))]

        /// Whatever is wrong in it, it is read within its bounds or refused.
        #[test]
        fn a_damaged_archive_stays_within_its_bounds(
            which in 0_usize..4,
            hits in proptest::collection::vec((proptest::prelude::any::<u16>(), proptest::prelude::any::<u8>()), 1..12),
            cut in proptest::option::of(proptest::prelude::any::<u16>()),
        ) {
            let mut archive = samples().swap_remove(which);
            for (at, byte) in hits {
                let at = at as usize % archive.len();
                archive[at] = byte;
            }
            if let Some(cut) = cut {
                archive.truncate(cut as usize % archive.len());
            }
            let order = Order { bytes: 4000, entries: 5 };
            let (entries, bytes) = comes_out(&archive, order);
            proptest::prop_assert!(entries <= 5 && bytes <= 4000 + 2048 * 5);
        }
    }

    #[test]
    fn a_bound_is_a_bound() {
        let mut bounded = Bounded { inner: io::repeat(1), left: 1000 };
        let mut all = Vec::new();
        assert_eq!(bounded.read_to_end(&mut all).unwrap_err().to_string(), TOO_MUCH);
        assert!(all.len() <= 1000);
        let mut exact = Bounded { inner: &b"12345"[..], left: 5 };
        assert_eq!(exact.read_to_end(&mut Vec::new()).unwrap(), 5);
    }
}
