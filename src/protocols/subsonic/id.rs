//! Public ids: a kind prefix and a row id (`al-12`), with `_` and the picture's hash behind a
//! coverArt id. Apps send any kind to any method and put old prefixes before ours (`al-al-12`).

use std::fmt;

use serde::{Serialize, Serializer};

use super::{failure::Failure, params::Params};
use crate::{
    catalog::{Item, Picture},
    ids::{AlbumId, ArtistId, FolderId, LibraryId, PlaylistId, TrackId},
};

/// Prefixes that clients of older servers add to an id themselves (C27).
const FOREIGN_PREFIXES: &[&str] = &["al-", "ar-", "pl-", "tr-", "so-", "mf-"];

/// Reads an id of any kind, with or without a picture's hash behind it.
pub(super) fn item(text: &str) -> Option<Item> {
    let text = text.split_once('_').map_or(text, |(id, _)| id);
    plain(text).or_else(|| {
        let inner = FOREIGN_PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix))?;
        plain(inner)
    })
}

fn plain(text: &str) -> Option<Item> {
    match text.get(..2)? {
        "tr" => TrackId::parse(text).map(Item::Track),
        "al" => AlbumId::parse(text).map(Item::Album),
        "ar" => ArtistId::parse(text).map(Item::Artist),
        "fo" => FolderId::parse(text).map(Item::Folder),
        "pl" => PlaylistId::parse(text).map(Item::Playlist),
        _ => None,
    }
}

/// The hash behind a coverArt id.
pub(super) fn picture_hash(text: &str) -> Option<u32> {
    let (_, hash) = text.split_once('_')?;
    (hash.len() == 8).then(|| u32::from_str_radix(hash, 16).ok()).flatten()
}

/// A music folder where a directory is expected: its plain number.
pub(super) fn library(text: &str) -> Option<LibraryId> {
    let row: i64 = text.parse().ok()?;
    (row > 0).then_some(LibraryId(row))
}

/// The item of a required parameter, or error 10 or 70.
pub(super) fn required(params: &Params, name: &'static str) -> Result<Item, Failure> {
    item(params.required(name)?).ok_or_else(|| Failure::not_found("Item"))
}

/// The track of a required parameter.
pub(super) fn track(params: &Params, name: &'static str) -> Result<TrackId, Failure> {
    match required(params, name)? {
        Item::Track(id) => Ok(id),
        _ => Err(Failure::not_found("Song")),
    }
}

/// The playlist of a required parameter.
pub(super) fn playlist(params: &Params, name: &'static str) -> Result<PlaylistId, Failure> {
    match required(params, name)? {
        Item::Playlist(id) => Ok(id),
        _ => Err(Failure::not_found("Playlist")),
    }
}

/// The tracks of a repeated parameter in order; ids that are no track's are left out, because
/// apps keep ids for years.
pub(super) fn tracks(params: &Params, name: &str) -> Vec<TrackId> {
    params
        .all(name)
        .filter_map(|text| match item(text)? {
            Item::Track(id) => Some(id),
            _ => None,
        })
        .collect()
}

/// An id on its way out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Id<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A coverArt id: changes with the picture, so that apps fetch it again.
#[derive(Debug, Clone, Copy)]
pub(super) struct CoverId {
    item: Item,
    hash: u32,
}

impl CoverId {
    /// The cover of an item that has a picture.
    pub(super) fn of(item: Item, picture: Option<Picture>) -> Option<Self> {
        picture.map(|picture| Self::new(item, picture))
    }

    /// Of this very picture.
    pub(super) fn new(item: Item, picture: Picture) -> Self {
        Self { item, hash: picture.hash }
    }
}

impl fmt::Display for CoverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            Item::Track(id) => id.fmt(f),
            Item::Album(id) => id.fmt(f),
            Item::Artist(id) => id.fmt(f),
            Item::Folder(id) => id.fmt(f),
            Item::Playlist(id) => id.fmt(f),
        }?;
        write!(f, "_{:08x}", self.hash)
    }
}

impl Serialize for CoverId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PictureId;

    #[test]
    fn ids_are_read_with_hash_and_foreign_prefix() {
        assert_eq!(item("al-12"), Some(Item::Album(AlbumId(12))));
        assert_eq!(item("al-12_0a1b2c3d"), Some(Item::Album(AlbumId(12))));
        assert_eq!(item("al-al-12_0a1b2c3d"), Some(Item::Album(AlbumId(12))));
        assert_eq!(item("ar-tr-3"), Some(Item::Track(TrackId(3))));
        assert_eq!(item("pl-7"), Some(Item::Playlist(PlaylistId(7))));
        for wrong in ["", "é", "al", "al-", "12", "al-x", "xx-1", "al-0", "-1", "al-al-al-1"] {
            assert_eq!(item(wrong), None, "{wrong}");
        }
        assert_eq!(library("3"), Some(LibraryId(3)));
        assert_eq!(library("-3"), None);
    }

    #[test]
    fn cover_ids_carry_the_hash() {
        let picture = Picture { id: PictureId(1), hash: 0xabc };
        let id = CoverId::of(Item::Track(TrackId(5)), Some(picture)).unwrap().to_string();
        assert_eq!(id, "tr-5_00000abc");
        assert_eq!(picture_hash(&id), Some(0xabc));
        assert_eq!(picture_hash("tr-5"), None);
        assert!(CoverId::of(Item::Track(TrackId(5)), None).is_none());
    }
}
