//! Covers as DLNA has them: the sizes that are offered, each a baseline JPEG under the profile
//! that it truly fits, and their addresses.

use crate::{
    catalog::{Item, Picture},
    ids::TrackId,
};

/// A size of a cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// The profile whose bounds it keeps.
    pub(crate) profile: &'static str,
    /// Longest edge at most, px.
    pub(crate) edge: u32,
}

/// At most 160 x 160.
pub(crate) const THUMBNAIL: Size = Size { profile: "JPEG_TN", edge: 160 };
/// At most 640 x 480, whichever way round the picture is.
pub(crate) const SMALL: Size = Size { profile: "JPEG_SM", edge: 480 };
/// At most 1024 x 768.
pub(crate) const MEDIUM: Size = Size { profile: "JPEG_MED", edge: 768 };
/// All of them, the smallest first.
pub(crate) const SIZES: [Size; 3] = [THUMBNAIL, SMALL, MEDIUM];

/// The fourth field of an image's protocolInfo: no ranges, converted, for interactive and
/// background transfer.
pub(crate) fn features(size: Size) -> String {
    format!(
        "DLNA.ORG_PN={};DLNA.ORG_OP=00;DLNA.ORG_CI=1;DLNA.ORG_FLAGS=00F00000000000000000000000000000",
        size.profile
    )
}

/// Where a cover is: the hash makes clients fetch a changed picture anew.
pub(crate) fn path(item: Item, picture: Picture, size: Size) -> String {
    let (prefix, row) = match item {
        Item::Track(id) => (TrackId::PREFIX, id.0),
        Item::Album(id) => (crate::ids::AlbumId::PREFIX, id.0),
        Item::Artist(id) => (crate::ids::ArtistId::PREFIX, id.0),
        Item::Folder(id) => (crate::ids::FolderId::PREFIX, id.0),
        Item::Playlist(id) => (crate::ids::PlaylistId::PREFIX, id.0),
    };
    format!("/art/{prefix}.{row}-{:08x}-{}.jpg", picture.hash, size.edge)
}

/// Reads the last part of [`path`]: whose cover, and in which size.
pub(crate) fn parse(name: &str) -> Option<(Item, Size)> {
    let mut parts = name.strip_suffix(".jpg")?.split('-');
    let (id, _hash, edge) = (parts.next()?, parts.next()?, parts.next()?);
    let size = SIZES.into_iter().find(|size| edge.parse() == Ok(size.edge))?;
    let item = TrackId::parse(id)
        .map(Item::Track)
        .or_else(|| crate::ids::AlbumId::parse(id).map(Item::Album))
        .or_else(|| crate::ids::ArtistId::parse(id).map(Item::Artist))
        .or_else(|| crate::ids::FolderId::parse(id).map(Item::Folder))
        .or_else(|| crate::ids::PlaylistId::parse(id).map(Item::Playlist))?;
    parts.next().is_none().then_some((item, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AlbumId, PictureId};

    #[test]
    fn art_paths_go_there_and_back() {
        let picture = Picture { id: PictureId(1), hash: 0xab };
        let path = super::path(Item::Album(AlbumId(12)), picture, THUMBNAIL);
        assert_eq!(path, "/art/al.12-000000ab-160.jpg");
        let name = path.strip_prefix("/art/").unwrap();
        assert_eq!(parse(name), Some((Item::Album(AlbumId(12)), THUMBNAIL)));
        for wrong in ["", "al.12.jpg", "al.12-0-161.jpg", "al.12-0-160-1.jpg", "xx.1-0-160.jpg"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
