//! Bytes of small text files (lyrics, cue sheets, playlists) as text, whatever wrote them.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Nobody writes longer ones by hand.
pub(crate) const MOST_BYTES: usize = 1 << 20;
pub(crate) const MOST_LINES: usize = 10_000;

/// Text by its byte order mark, else UTF-8, else the encoding of old Western files.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let is_cut = bytes.len() > MOST_BYTES;
    let bytes = &bytes[..bytes.len().min(MOST_BYTES)];
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if is_utf16(bytes) => {
            if bytes[0] == 0 {
                UTF_16BE
            } else {
                UTF_16LE
            }
        }
        // The cut may split a letter.
        None => match std::str::from_utf8(bytes) {
            Ok(_) => UTF_8,
            Err(error) if is_cut && error.error_len().is_none() => UTF_8,
            Err(_) => WINDOWS_1252,
        },
    };
    encoding.decode_with_bom_removal(bytes).0.into_owned()
}

/// Western text in UTF-16 without a mark has a NUL in every other byte.
fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0, second, 0, fourth, ..] if *second != 0 && *fourth != 0)
        || matches!(bytes, [first, 0, third, 0, ..] if *first != 0 && *third != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_reads_the_same() {
        let utf16: Vec<u8> = "café".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let with_mark = [vec![0xff, 0xfe], utf16.clone()].concat();
        let table: &[&[u8]] =
            &["café".as_bytes(), b"\xef\xbb\xbfcaf\xc3\xa9", b"caf\xe9", &utf16, &with_mark];
        for bytes in table {
            assert_eq!(decode(bytes), "café", "{bytes:x?}");
        }
        assert_eq!(decode(b""), "");
    }
}
