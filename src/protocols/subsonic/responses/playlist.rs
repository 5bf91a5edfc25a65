//! `Playlist`, alone or with its songs.

use serde::Serialize;

use super::{
    super::{
        id::{CoverId, Id},
        xml::Text,
    },
    Date, Songs, seconds,
};
use crate::{
    catalog::{self, Item},
    ids::PlaylistId,
};

/// A playlist.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Playlist<'a> {
    id: Id<PlaylistId>,
    name: &'a str,
    comment: &'a str,
    owner: &'a str,
    public: bool,
    song_count: u32,
    duration: u64,
    created: Date,
    changed: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
    readonly: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Date>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_user: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Songs<'a>>,
}

impl<'a> Playlist<'a> {
    /// In a list.
    pub(in super::super) fn of(playlist: &'a catalog::Playlist) -> Self {
        Self {
            id: Id(playlist.id),
            name: &playlist.name,
            comment: &playlist.comment,
            owner: &playlist.owner,
            public: playlist.is_public,
            song_count: playlist.track_count,
            duration: seconds(playlist.duration_ms),
            created: Date(playlist.created_at),
            changed: Date(playlist.changed_at),
            cover_art: CoverId::of(Item::Playlist(playlist.id), playlist.picture),
            readonly: playlist.is_readonly,
            valid_until: playlist.valid_until.map(Date),
            allowed_user: playlist.members.iter().map(|member| Text(&member.name)).collect(),
            entry: None,
        }
    }

    /// With its songs.
    pub(in super::super) fn with_songs(playlist: &'a catalog::Playlist, songs: Songs<'a>) -> Self {
        Self { entry: Some(songs), ..Self::of(playlist) }
    }
}
