//! Artists.

use std::{ops::Deref, sync::Arc};

use super::{Annotation, Picture};
use crate::ids::ArtistId;

/// An artist named beside a work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtistRef {
    /// Its id.
    pub id: ArtistId,
    /// As credited.
    pub name: Arc<str>,
}

/// An artist.
#[derive(Debug, Clone, Default)]
pub struct ArtistFacts {
    /// Its id.
    pub id: ArtistId,
    /// Shown name.
    pub name: String,
    /// Sort tag, else the name.
    pub sort_name: String,
    /// Folded, leading article dropped: what lists and index letters are made from.
    pub order_key: String,
    /// MusicBrainz artist id.
    pub mbid: Option<String>,
    /// Own picture, else that of an album.
    pub picture: Option<Picture>,
    /// Visible albums where it is album artist.
    pub album_count: u32,
    /// Visible tracks in any role.
    pub track_count: u32,
    /// All roles in the visible catalogue: `artist`, `albumartist`, `composer`, ...
    pub roles: Arc<[String]>,
}

/// An artist as one principal sees it. Derefs to the shared [`ArtistFacts`].
#[derive(Debug, Clone, Default)]
pub struct Artist {
    /// What is the same for everybody.
    pub facts: Arc<ArtistFacts>,
    /// The principal's.
    pub annotation: Annotation,
}

impl Deref for Artist {
    type Target = ArtistFacts;

    fn deref(&self) -> &ArtistFacts {
        &self.facts
    }
}

impl From<ArtistFacts> for Artist {
    fn from(facts: ArtistFacts) -> Self {
        Self { facts: Arc::new(facts), ..Self::default() }
    }
}

/// Somebody who took part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributor {
    /// `composer`, `conductor`, `performer`, ...
    pub role: String,
    /// The instrument, or ''.
    pub sub_role: String,
    /// Who.
    pub artist: ArtistRef,
}
