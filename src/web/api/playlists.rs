//! Playlists.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    caller::Caller,
    lists::{all, done, track_ids},
    shapes,
};
use crate::{
    Error, Result,
    catalog::PlaylistChange,
    ids::PlaylistId,
    web::{Handles, failure::Answer},
};

/// A playlist to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    name: String,
    #[serde(default)]
    tracks: Vec<String>,
}

/// A change of one; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    name: Option<String>,
    comment: Option<String>,
    public: Option<bool>,
    #[serde(default)]
    add: Vec<String>,
    /// Positions, from 0.
    #[serde(default)]
    remove: Vec<u32>,
}

/// GET /playlists
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let lists = of.catalog.playlists(&caller.principal).await?;
    Ok(all(lists.iter().map(shapes::playlist)))
}

/// POST /playlists
pub(super) async fn create(caller: Caller, of: Data<Handles>, new: Json<New>) -> Answer {
    let tracks = track_ids(&new.tracks)?;
    let id = of.catalog.create_playlist(&caller.principal, &new.name, &tracks).await?;
    Ok(HttpResponse::Created().json(json!({ "id": id.to_string() })))
}

/// GET /playlists/ID
pub(super) async fn one(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = playlist(&id)?;
    let list = of.catalog.playlist(&caller.principal, id).await?;
    let tracks = of.catalog.playlist_tracks(&caller.principal, id).await?;
    Ok(HttpResponse::Ok().json(shapes::whole_playlist(&list, &tracks)))
}

/// PATCH /playlists/ID
pub(super) async fn change(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    change: Json<Change>,
) -> Answer {
    let change = change.into_inner();
    let change = PlaylistChange {
        add: track_ids(&change.add)?,
        name: change.name,
        comment: change.comment,
        is_public: change.public,
        replace: None,
        remove: change.remove,
    };
    of.catalog.update_playlist(&caller.principal, playlist(&id)?, &change).await?;
    Ok(done())
}

/// DELETE /playlists/ID
pub(super) async fn remove(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.catalog.remove_playlist(&caller.principal, playlist(&id)?).await?;
    Ok(done())
}

fn playlist(id: &str) -> Result<PlaylistId> {
    PlaylistId::parse(id).ok_or(Error::NotFound("Playlist"))
}
