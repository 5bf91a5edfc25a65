//! Lists that are made while they are written, without a copy in between.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::super::id::Id;
use crate::{catalog::ArtistRef, ids::ArtistId};

/// A slice whose items are turned into their answer's type one by one.
pub(in super::super) struct Mapped<'a, T, R>(
    pub(in super::super) &'a [T],
    pub(in super::super) fn(&'a T) -> R,
);

impl<T, R: Serialize> Serialize for Mapped<'_, T, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

/// A container with one list, as most answers are: `{"song": [...]}`.
pub(in super::super) struct Listed<L> {
    name: &'static str,
    list: L,
}

/// A container that holds `list` under `name`.
pub(in super::super) fn listed<L: Serialize>(name: &'static str, list: L) -> Listed<L> {
    Listed { name, list }
}

impl<L: Serialize> Serialize for Listed<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut container = serializer.serialize_struct("Listed", 1)?;
        container.serialize_field(self.name, &self.list)?;
        container.end()
    }
}

/// `[{"name": ...}]`.
#[derive(Default)]
pub(in super::super) struct Names<'a>(pub(in super::super) &'a [String]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|name| listed("name", name)))
    }
}

/// Artists named beside a work: id and name alone.
#[derive(Default)]
pub(in super::super) struct Refs<'a>(pub(in super::super) &'a [ArtistRef]);

/// One of them.
#[derive(Serialize)]
pub(super) struct Ref<'a> {
    id: Id<ArtistId>,
    name: &'a str,
}

impl<'a> From<&'a ArtistRef> for Ref<'a> {
    fn from(artist: &'a ArtistRef) -> Self {
        Self { id: Id(artist.id), name: &artist.name }
    }
}

impl Serialize for Refs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Ref::from))
    }
}
