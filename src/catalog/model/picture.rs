//! Pictures.

use crate::ids::PictureId;

/// A picture that something has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Its id.
    pub id: PictureId,
    /// First four bytes of the content hash: 8 hex digits of a coverArt id, so that clients
    /// refresh when the picture changes.
    pub hash: u32,
}

/// Bytes of a picture.
#[derive(Debug, Clone)]
pub struct Cover {
    /// The bytes.
    pub bytes: bytes::Bytes,
    /// Their type.
    pub mime: &'static str,
    /// For the ETag: content hash and size.
    pub tag: String,
}

impl Picture {
    /// From a row and the hexadecimal digits of the first four bytes.
    pub(crate) fn from_hex(id: Option<i64>, digits: Option<&str>) -> Option<Self> {
        Some(Self { id: id?.into(), hash: u32::from_str_radix(digits?, 16).ok()? })
    }

    /// From the columns of an outer join.
    pub(crate) fn from_row(id: Option<i64>, hash: Option<&[u8]>) -> Option<Self> {
        let bytes: [u8; 4] = hash?.get(..4)?.try_into().ok()?;
        Some(Self { id: id?.into(), hash: u32::from_be_bytes(bytes) })
    }
}
