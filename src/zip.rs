//! A ZIP archive of stored files (APPNOTE 6.3), written while it is sent. Its length is known to
//! the byte before the first one, because nothing is compressed; each file is read once for its
//! checksum, right before it is sent, so that every header is complete and any reader can follow
//! the stream. Members beyond 4 GiB are written as ZIP64.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{Stream, stream::unfold};
use rustix::fs::OFlags;

use crate::{body::Hold, clock::Millis};

/// Bytes a piece.
const PIECE: u64 = 256 << 10;

/// From here on a number needs the 64-bit form.
const LARGE: u64 = 0xffff_ffff;

/// A name may be this long, in bytes; every system takes it.
const NAME: usize = 120;

/// A file to be put in, or a folder: its name ends with a slash then.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name in the archive, `/` between folders; see [`safe_name`].
    pub name: String,
    /// Where its bytes come from.
    pub source: Source,
    /// Its length. One that has another when it is sent breaks the archive off.
    pub len: u64,
    /// When it last changed.
    pub modified_at: Millis,
}

/// Where the bytes of a member come from: opened when its turn comes.
#[derive(Clone)]
pub struct Source(Arc<dyn Fn() -> io::Result<File> + Send + Sync>);

impl Source {
    /// From what a closure opens, for who has rules about that.
    pub fn opened_by(open: impl Fn() -> io::Result<File> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }
}

impl From<PathBuf> for Source {
    /// From a file by its path.
    fn from(path: PathBuf) -> Self {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
        Self::opened_by(move || OpenOptions::new().read(true).custom_flags(flags).open(&path))
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// The length of the archive in bytes.
#[must_use]
pub fn length(members: &[Member]) -> u64 {
    let mut at = 0;
    let mut directory = 0;
    for member in members {
        directory += entry(member, at, 0).len() as u64;
        at += header(member, 0).len() as u64 + member.len;
    }
    at + directory + end(members.len() as u64, at, directory).len() as u64
}

/// The bytes of the archive. `hold` is dropped behind the last one, or with the stream.
pub fn stream(
    members: Vec<Member>,
    hold: Option<Hold>,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let writer = Writer {
        members: members.into_iter(),
        open: None,
        at: 0,
        directory: Vec::new(),
        count: 0,
        is_over: false,
        _hold: hold,
    };
    unfold(writer, async |mut writer| {
        let piece = writer.next().await?;
        writer.is_over |= piece.is_err();
        Some((piece, writer))
    })
}

/// One part of a name that is a name on every system: no separators, no control characters, no
/// device of Windows, not hidden, not too long, never empty.
#[must_use]
pub fn safe_name(text: &str) -> String {
    let is_bad = |letter: char| letter.is_control() || r#"/\:*?"<>|"#.contains(letter);
    let plain: String =
        text.chars().map(|letter| if is_bad(letter) { '_' } else { letter }).collect();
    let mut end = plain.len().min(NAME);
    while !plain.is_char_boundary(end) {
        end -= 1;
    }
    let name = plain[..end].trim().trim_end_matches(['.', ' ']).trim_start_matches('.');
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_device = matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.ends_with(|last: char| last.is_ascii_digit()));
    if name.is_empty() || is_device { format!("_{name}") } else { name.to_owned() }
}

struct Writer {
    members: std::vec::IntoIter<Member>,
    open: Option<Open>,
    /// Bytes so far.
    at: u64,
    directory: Vec<u8>,
    count: u64,
    is_over: bool,
    _hold: Option<Hold>,
}

/// The file that is being sent.
struct Open {
    file: Arc<File>,
    len: u64,
    at: u64,
    checksum: u32,
    sent: crc32fast::Hasher,
}

impl Writer {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.is_over {
            return None;
        }
        let piece = match self.piece().await {
            Ok(Some(piece)) => Ok(piece),
            Ok(None) => match self.begin().await {
                Ok(Some(header)) => Ok(header),
                Ok(None) => {
                    self.is_over = true;
                    let len = self.directory.len() as u64;
                    let mut rest = std::mem::take(&mut self.directory);
                    rest.extend(end(self.count, self.at, len));
                    Ok(rest.into())
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        if let Ok(piece) = &piece {
            self.at += piece.len() as u64;
        }
        Some(piece)
    }

    /// More of the open file.
    async fn piece(&mut self) -> io::Result<Option<Bytes>> {
        let Some(open) = &mut self.open else { return Ok(None) };
        if open.at == open.len {
            if open.sent.clone().finalize() != open.checksum {
                return Err(io::Error::other("a file changed while it was sent"));
            }
            self.open = None;
            return Ok(None);
        }
        let (file, at) = (open.file.clone(), open.at);
        let most = (open.len - at).min(PIECE) as usize;
        let read = tokio::task::spawn_blocking(move || read(&file, at, most));
        let bytes = read.await.map_err(io::Error::other)??;
        open.sent.update(&bytes);
        open.at += bytes.len() as u64;
        Ok(Some(bytes.into()))
    }

    /// The header of the next file.
    async fn begin(&mut self) -> io::Result<Option<Bytes>> {
        let Some(member) = self.members.next() else { return Ok(None) };
        let (source, len) = (member.source.clone(), member.len);
        if member.name.ends_with('/') {
            self.directory.extend(entry(&member, self.at, 0));
            self.count += 1;
            return Ok(Some(header(&member, 0).into()));
        }
        let opened = tokio::task::spawn_blocking(move || open(&source, len));
        let (file, checksum) = opened.await.map_err(io::Error::other)??;
        self.directory.extend(entry(&member, self.at, checksum));
        self.count += 1;
        let sent = crc32fast::Hasher::new();
        self.open = Some(Open { file: Arc::new(file), len, at: 0, checksum, sent });
        Ok(Some(header(&member, checksum).into()))
    }
}

/// Opens a file that is as it was, and reads its checksum.
fn open(source: &Source, len: u64) -> io::Result<(File, u32)> {
    let file = source.0()?;
    let data = file.metadata()?;
    if !data.is_file() || data.len() != len {
        return Err(io::Error::other("a file is not what it was"));
    }
    let mut hasher = crc32fast::Hasher::new();
    let mut at = 0;
    while at < len {
        let bytes = read(&file, at, (len - at).min(PIECE) as usize)?;
        hasher.update(&bytes);
        at += bytes.len() as u64;
    }
    Ok((file, hasher.finalize()))
}

fn read(file: &File, at: u64, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// What stands before a file's bytes (4.3.7).
fn header(member: &Member, checksum: u32) -> Vec<u8> {
    let is_large = LARGE <= member.len;
    let mut out = Vec::with_capacity(64 + member.name.len());
    out.extend_from_slice(b"PK\x03\x04");
    facts(&mut out, member, checksum, is_large);
    short(&mut out, member.name.len());
    short(&mut out, if is_large { 20 } else { 0 });
    out.extend_from_slice(member.name.as_bytes());
    if is_large {
        short(&mut out, 1);
        short(&mut out, 16);
        out.extend_from_slice(&member.len.to_le_bytes());
        out.extend_from_slice(&member.len.to_le_bytes());
    }
    out
}

/// A file's line in the directory (4.3.12). `at`: where its header is.
fn entry(member: &Member, at: u64, checksum: u32) -> Vec<u8> {
    let (is_large, is_far) = (LARGE <= member.len, LARGE <= at);
    let extra = if is_large { 16 } else { 0 } + if is_far { 8 } else { 0 };
    let mut out = Vec::with_capacity(96 + member.name.len());
    out.extend_from_slice(b"PK\x01\x02");
    // Made by Unix, so that the mode below counts.
    out.extend_from_slice(&[45, 3]);
    facts(&mut out, member, checksum, is_large || is_far);
    short(&mut out, member.name.len());
    short(&mut out, if extra == 0 { 0 } else { extra + 4 });
    // Comment, disk, internal attributes.
    out.extend_from_slice(&[0; 6]);
    let mode = if member.name.ends_with('/') { 0o040_755_u32 } else { 0o100_644 };
    out.extend_from_slice(&(mode << 16).to_le_bytes());
    long(&mut out, at);
    out.extend_from_slice(member.name.as_bytes());
    if extra != 0 {
        short(&mut out, 1);
        short(&mut out, extra);
        if is_large {
            out.extend_from_slice(&member.len.to_le_bytes());
            out.extend_from_slice(&member.len.to_le_bytes());
        }
        if is_far {
            out.extend_from_slice(&at.to_le_bytes());
        }
    }
    out
}

/// What header and directory have in common: version, flags, method, time, checksum, lengths.
fn facts(out: &mut Vec<u8>, member: &Member, checksum: u32, is_wide: bool) {
    short(out, if is_wide { 45 } else { 10 });
    // Names are UTF-8; stored.
    short(out, 1 << 11);
    short(out, 0);
    out.extend_from_slice(&dos_time(member.modified_at).to_le_bytes());
    out.extend_from_slice(&checksum.to_le_bytes());
    long(out, member.len);
    long(out, member.len);
}

/// What stands behind the directory (4.3.14 to 4.3.16).
fn end(count: u64, at: u64, len: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(98);
    if LARGE <= at || LARGE <= len || 0xffff <= count {
        out.extend_from_slice(b"PK\x06\x06");
        out.extend_from_slice(&44_u64.to_le_bytes());
        out.extend_from_slice(&[45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [count, count, len, at] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        out.extend_from_slice(&(at + len).to_le_bytes());
        out.extend_from_slice(&1_u32.to_le_bytes());
    }
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    let few = count.min(0xffff) as usize;
    short(&mut out, few);
    short(&mut out, few);
    long(&mut out, len);
    long(&mut out, at);
    short(&mut out, 0);
    out
}

fn short(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u16).to_le_bytes());
}

/// Numbers that do not fit stand in the 64-bit form behind.
fn long(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&(number.min(LARGE) as u32).to_le_bytes());
}

/// Date and time as DOS had them, in UTC; 1980 is its beginning.
fn dos_time(at: Millis) -> u32 {
    let time = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    let time = time.to_zoned(jiff::tz::TimeZone::UTC);
    if !(1980..2108).contains(&time.year()) {
        return 1 << 21 | 1 << 16;
    }
    let part = |number: i8, shift: u32| u32::from(number.unsigned_abs()) << shift;
    u32::from((time.year() - 1980).unsigned_abs()) << 25
        | part(time.month(), 21)
        | part(time.day(), 16)
        | part(time.hour(), 11)
        | part(time.minute(), 5)
        | part(time.second() / 2, 0)
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    fn member(folder: &std::path::Path, name: &str, bytes: &[u8]) -> Member {
        let path = folder.join(name.replace('/', "-"));
        std::fs::write(&path, bytes).unwrap();
        let len = bytes.len() as u64;
        Member { name: name.to_owned(), source: path.into(), len, modified_at: 1_700_000_000_000 }
    }

    async fn whole(members: Vec<Member>) -> io::Result<Vec<u8>> {
        let mut pieces = Box::pin(stream(members, None));
        let mut all = Vec::new();
        while let Some(piece) = pieces.next().await {
            all.extend_from_slice(&piece?);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn it_is_as_long_as_said_and_complete() {
        let folder = tempfile::tempdir().unwrap();
        let big: Vec<u8> = (0..700_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        let members = vec![
            member(folder.path(), "Ärger & Co/01 One.flac", &big),
            member(folder.path(), "Ärger & Co/02 Empty.flac", b""),
            member(folder.path(), "three.mp3", b"three"),
        ];
        let said = length(&members);
        let all = whole(members).await.unwrap();
        assert_eq!(all.len() as u64, said);
        assert!(all.windows(big.len()).any(|window| window == big));
        // 123456789's well-known checksum is read where a reader looks for it.
        let all = whole(vec![member(folder.path(), "x", b"123456789")]).await.unwrap();
        assert_eq!(all[14..18], 0xcbf4_3926_u32.to_le_bytes());
        assert_eq!(whole(Vec::new()).await.unwrap().len() as u64, length(&[]));
    }

    #[tokio::test]
    async fn a_file_that_changed_breaks_it_off() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = member(folder.path(), "one", b"12345");
        one.len = 6;
        assert!(whole(vec![one]).await.is_err());
        let mut gone = member(folder.path(), "two", b"12345");
        gone.source = folder.path().join("nowhere").into();
        assert!(whole(vec![gone]).await.is_err());
    }

    #[test]
    fn large_members_have_wide_numbers() {
        let wide = |len| Member {
            name: "a".to_owned(),
            source: PathBuf::new().into(),
            len,
            modified_at: 1_700_000_000_000,
        };
        assert_eq!(header(&wide(LARGE - 1), 0).len(), 31);
        assert_eq!(header(&wide(LARGE), 0).len(), 51);
        assert_eq!(entry(&wide(5), LARGE, 0).len(), 47 + 12);
        assert_eq!(entry(&wide(LARGE), LARGE, 0).len(), 47 + 28);
        assert_eq!(end(1, LARGE, 5).len(), 98);
        assert_eq!(end(1, 1, 5).len(), 22);
        let far = [wide(LARGE), wide(7)];
        let expected = 51 + LARGE + 31 + 7 + (47 + 20) + (47 + 12) + 98;
        assert_eq!(length(&far), expected);
    }

    #[test]
    fn names_are_safe_everywhere() {
        for (name, safe) in [
            ("All I Want", "All I Want"),
            ("AC/DC", "AC_DC"),
            ("..", "_"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("a\\b", "a_b"),
            ("What?", "What_"),
            ("tab\tnull\0", "tab_null_"),
            ("con", "_con"),
            ("CON.flac", "_CON.flac"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("comet", "comet"),
            ("ends with dots...", "ends with dots"),
            (".hidden", "hidden"),
            ("   ", "_"),
            ("", "_"),
            ("Ōther", "Ōther"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&"ö".repeat(200));
        assert!(long.len() <= NAME && long.chars().all(|letter| letter == 'ö'));
        assert_eq!(dos_time(1_700_000_000_000), 0x576e_b1aa);
        assert_eq!(dos_time(-1), 1 << 21 | 1 << 16);
    }
}
