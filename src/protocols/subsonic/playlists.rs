//! Playlists.

use super::{
    call::{Answer, Call},
    failure::Failure,
    id,
    params::number,
    responses::{Mapped, Playlist, listed},
};
use crate::{catalog::PlaylistChange, ids::PlaylistId};

/// `getPlaylists`: own and shared ones, for an administrator also as another user sees them.
pub(super) async fn get_playlists(call: &Call) -> Answer {
    let whose = call.params.get("username");
    let other = whose.filter(|name| !name.eq_ignore_ascii_case(&call.principal.name));
    let playlists = match other {
        None => call.catalog().playlists(&call.principal).await?,
        Some(_) if !call.principal.is_admin() => {
            return Err(Failure::forbidden("Only an administrator may ask for others"));
        }
        Some(name) => {
            let other = call.accounts().principal_named(name).await?;
            call.catalog().playlists(&other).await?
        }
    };
    call.reply("playlists", &listed("playlist", Mapped(&playlists, Playlist::of)))
}

/// `getPlaylist`.
pub(super) async fn get_playlist(call: &Call) -> Answer {
    reply_playlist(call, id::playlist(&call.params, "id")?).await
}

/// `createPlaylist`: makes one, or replaces all songs of one (C32).
pub(super) async fn create_playlist(call: &Call) -> Answer {
    let songs = id::tracks(&call.params, "songId");
    let id = if call.params.get("playlistId").is_some() {
        let id = id::playlist(&call.params, "playlistId")?;
        let name = call.params.get("name").map(ToOwned::to_owned);
        let change = PlaylistChange { name, replace: Some(songs), ..PlaylistChange::default() };
        call.catalog().update_playlist(&call.principal, id, &change).await?;
        id
    } else {
        let name = call.params.required("name")?;
        call.catalog().create_playlist(&call.principal, name, &songs).await?
    };
    reply_playlist(call, id).await
}

/// `updatePlaylist`: positions to remove are those before the change.
pub(super) async fn update_playlist(call: &Call) -> Answer {
    let params = &call.params;
    let id = id::playlist(params, "playlistId")?;
    let mut remove = Vec::new();
    for text in params.all("songIndexToRemove") {
        remove.push(number("songIndexToRemove", text)?);
    }
    let change = PlaylistChange {
        name: params.get("name").map(ToOwned::to_owned),
        comment: params.text("comment").map(ToOwned::to_owned),
        is_public: params.flag("public")?,
        remove,
        add: id::tracks(params, "songIdToAdd"),
        ..PlaylistChange::default()
    };
    call.catalog().update_playlist(&call.principal, id, &change).await?;
    call.done()
}

/// `deletePlaylist`.
pub(super) async fn delete_playlist(call: &Call) -> Answer {
    let id = id::playlist(&call.params, "id")?;
    call.catalog().remove_playlist(&call.principal, id).await?;
    call.done()
}

async fn reply_playlist(call: &Call, id: PlaylistId) -> Answer {
    let playlist = call.catalog().playlist(&call.principal, id).await?;
    let songs = call.catalog().playlist_tracks(&call.principal, id).await?;
    call.reply("playlist", &Playlist::with_songs(&playlist, call.songs(&songs)))
}
