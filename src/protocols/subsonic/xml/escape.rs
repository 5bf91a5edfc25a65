//! Text as XML allows it.

use std::fmt;

/// Appends text with what XML reserves escaped and what XML 1.0 forbids replaced.
pub(in super::super) fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut last = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let (with, length): (&[u8], usize) = match byte {
            b'&' => (b"&amp;", 1),
            b'<' => (b"&lt;", 1),
            b'>' => (b"&gt;", 1),
            b'"' => (b"&quot;", 1),
            b'\n' => (b"&#10;", 1),
            b'\t' => (b"&#9;", 1),
            b'\r' => (b"&#13;", 1),
            0..=0x1f => ("\u{fffd}".as_bytes(), 1),
            0xef if matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => {
                ("\u{fffd}".as_bytes(), 3)
            }
            _ => continue,
        };
        out.extend_from_slice(&bytes[last..at]);
        out.extend_from_slice(with);
        last = at + length;
    }
    out.extend_from_slice(&bytes[last..]);
}

/// Escapes what a `Display` writes piece by piece.
pub(super) struct Escaped<'a>(pub(super) &'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        escape(self.0, piece);
        Ok(())
    }
}
