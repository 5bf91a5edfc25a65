//! The protocol's types as it names them, made from the catalogue's. One model serves JSON and
//! XML. Scalars stand before children. What OpenSubsonic added is always there, empty if need be
//! ("supported means present"); what Subsonic had is left out when unknown.

mod album;
mod artist;
mod date;
mod directory;
mod info;
mod kept;
mod lists;
mod lyrics;
mod path;
mod playlist;
mod podcast;
mod song;
mod sonic;
mod user;

pub(super) use album::AlbumId3;
pub(super) use artist::{ArtistId3, FolderArtist};
pub(super) use date::{Date, ItemDate};
pub(super) use directory::{Directory, DirectoryChild};
pub(super) use info::{AlbumInfo, ArtistInfo, SimilarArtist, ThreeSizes};
pub(super) use lists::{Mapped, Names, Refs, listed};
pub(super) use lyrics::{Detail, OldLyrics, StructuredLyrics};
pub(super) use playlist::Playlist;
pub(super) use podcast::{PodcastChannel, PodcastEpisode, RadioStation};
pub(super) use song::{PlayingSong, Song, Songs};
pub(super) use sonic::Sonic;
pub(super) use user::User;

/// Whole seconds, as the protocol counts lengths.
pub(super) fn seconds(milliseconds: u64) -> u64 {
    (milliseconds + 500) / 1000
}

/// `None` for 0, so that it is left out.
pub(super) fn known(number: u32) -> Option<u32> {
    (number != 0).then_some(number)
}

/// `None` for no text, so that it is left out.
pub(super) fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
