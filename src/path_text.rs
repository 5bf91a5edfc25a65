//! Paths as text. The catalogue keeps paths in text columns, but a file's name may be any bytes.
//! Bytes that are no UTF-8 become characters of a private range, one each, and come back exactly.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

/// U+10FF80 to U+10FFFF stand for the bytes 0x80 to 0xFF.
const FIRST: u32 = 0x0010_FF80;
const LAST: u32 = 0x0010_FFFF;

/// The text that stands for these bytes of a path. Plain UTF-8 stays as it is.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && is_plain(text)
    {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if is_stand_in(letter) {
                let mut buffer = [0; 4];
                letter.encode_utf8(&mut buffer).bytes().for_each(|byte| push_byte(&mut text, byte));
            } else {
                text.push(letter);
            }
        }
        chunk.invalid().iter().for_each(|byte| push_byte(&mut text, *byte));
    }
    text
}

/// The path that a text of [`encode`] stands for.
#[must_use]
pub fn decode(text: &str) -> PathBuf {
    if is_plain(text) {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        if is_stand_in(letter) {
            bytes.push((letter as u32 & 0xFF) as u8);
        } else {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
        }
    }
    OsString::from_vec(bytes).into()
}

/// What to show people: bytes that are no text become U+FFFD.
#[must_use]
pub fn shown(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    text.chars().map(|letter| if is_stand_in(letter) { '\u{FFFD}' } else { letter }).collect()
}

/// [`encode`] for a whole path.
#[must_use]
pub fn encode_path(path: &Path) -> String {
    encode(path.as_os_str().as_bytes())
}

/// Whether there is surely no stand-in: their first byte in UTF-8 is not there.
fn is_plain(text: &str) -> bool {
    !text.as_bytes().contains(&0xF4)
}

fn is_stand_in(letter: char) -> bool {
    (FIRST..=LAST).contains(&(letter as u32))
}

fn push_byte(text: &mut String, byte: u8) {
    match char::from_u32(FIRST - 0x80 + u32::from(byte)) {
        Some(letter) if 0x80 <= byte => text.push(letter),
        _ => text.push(char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back() {
        let names: [&[u8]; 6] = [
            b"plain.mp3",
            "caf\u{e9} \u{1F600}".as_bytes(),
            b"bad-\xff\xfe-utf8.mp3",
            b"\x83\x65\x83\x58",
            "\u{10FF85}\u{10FFFF}".as_bytes(),
            b"",
        ];
        for name in names {
            assert_eq!(decode(&encode(name)).as_os_str().as_bytes(), name);
        }
        assert_eq!(encode(b"plain"), "plain");
        assert_eq!(shown(&encode(b"a\xffb")), "a\u{FFFD}b");
    }
}
