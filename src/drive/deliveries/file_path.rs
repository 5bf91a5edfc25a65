//! Paths of this machine as text and back, those too whose names are not UTF-8.

use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use serde::{Deserialize as _, Deserializer, Serializer};

const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&percent_encode(path.as_os_str().as_encoded_bytes(), ESCAPED))
}

pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(from)?;
    Ok(OsString::from_vec(percent_decode_str(&text).collect()).into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::super::ItemSource;

    #[test]
    fn a_path_of_any_bytes_comes_back() {
        for bytes in ["/drop/ann/B\u{f6}rk 100%".into(), b"/drop/ann/J\xf3ga.mp3\n".to_vec()] {
            let source = ItemSource::File(std::ffi::OsString::from_vec(bytes).into());
            let text = serde_json::to_string(&source).unwrap();
            assert_eq!(serde_json::from_str::<ItemSource>(&text).unwrap(), source, "{text}");
        }
    }
}
