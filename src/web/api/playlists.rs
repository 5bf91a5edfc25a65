//! Playlists.

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
    web::{Bytes, Data, Json, Path},
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
    catalog::{PlaylistChange, PlaylistMember, Rules, SmartOperator, smart_fields},
    http::headers::attachment,
    ids::PlaylistId,
    media::playlist_file::{self, Syntax},
    web::{Handles, failure::Answer, query::Query},
};

/// A playlist to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    name: String,
    #[serde(default)]
    tracks: Vec<String>,
    #[serde(default)]
    comment: String,
    /// Rules instead of tracks.
    rules: Option<serde_json::Value>,
}

/// A change of one; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    name: Option<String>,
    comment: Option<String>,
    public: Option<bool>,
    open: Option<bool>,
    rules: Option<serde_json::Value>,
    members: Option<Vec<Member>>,
    #[serde(default)]
    add: Vec<String>,
    /// Positions, from 0.
    #[serde(default)]
    remove: Vec<u32>,
}

/// Somebody with whom it is shared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    name: String,
    #[serde(default)]
    edit: bool,
}

/// How a file of a playlist is named and written.
#[derive(Deserialize)]
pub(super) struct FileKind {
    format: Option<String>,
    name: Option<String>,
}

impl FileKind {
    fn syntax(&self) -> Result<Syntax> {
        let format = self.format.as_deref().unwrap_or("m3u8");
        Syntax::of_name(&format!("x.{format}"))
            .ok_or_else(|| Error::Invalid(format!("{format:?} is none of m3u8, pls, xspf")))
    }
}

/// GET /playlists
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let lists = of.catalog.playlists(&caller.principal).await?;
    Ok(all(lists.iter().map(shapes::playlist)))
}

/// POST /playlists
pub(super) async fn create(caller: Caller, of: Data<Handles>, new: Json<New>) -> Answer {
    let tracks = track_ids(&new.tracks)?;
    let id = match &new.rules {
        Some(rules) => {
            let rules = Rules::parse(rules)?;
            let who = &caller.principal;
            of.catalog.create_smart_playlist(who, &new.name, &new.comment, &rules).await?
        }
        None => of.catalog.create_playlist(&caller.principal, &new.name, &tracks).await?,
    };
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
        is_open: change.open,
        rules: change.rules.as_ref().map(Rules::parse).transpose()?,
        members: change.members.map(|members| {
            let member = |it: Member| PlaylistMember { name: it.name, may_edit: it.edit };
            members.into_iter().map(member).collect()
        }),
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

/// GET /playlists/ID/file?format=m3u8|pls|xspf
pub(super) async fn export(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    kind: Query<FileKind>,
) -> Answer {
    let syntax = kind.syntax()?;
    let file = of.catalog.export_playlist(&caller.principal, playlist(&id)?).await?;
    let (suffix, mime) = match syntax {
        Syntax::M3u => ("m3u8", "application/vnd.apple.mpegurl; charset=utf-8"),
        Syntax::Pls => ("pls", "audio/x-scpls; charset=utf-8"),
        Syntax::Xspf => ("xspf", "application/xspf+xml; charset=utf-8"),
    };
    let name = format!("{}.{suffix}", file.name.as_deref().unwrap_or("playlist"));
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(mime)))
        .insert_header((header::CONTENT_DISPOSITION, attachment(&name)))
        .body(playlist_file::write(syntax, &file)))
}

/// POST /playlists/file?format=m3u8|pls|xspf&name=NAME with the file as body
pub(super) async fn import(
    caller: Caller,
    of: Data<Handles>,
    kind: Query<FileKind>,
    body: Bytes,
) -> Answer {
    let file = playlist_file::parse(kind.syntax()?, &body);
    let name = kind.name.as_deref().unwrap_or("Playlist");
    let made = of.catalog.import_playlist(&caller.principal, name, &file).await?;
    let unmatched: Vec<_> = made
        .unmatched
        .iter()
        .map(|entry| json!({ "position": entry.position, "text": entry.text }))
        .collect();
    Ok(HttpResponse::Created().json(json!({
        "id": made.id.to_string(), "matched": made.matched, "unmatched": unmatched,
    })))
}

/// GET /smart-fields: what rules can speak of, for editors.
pub(super) async fn fields(_: Caller) -> Answer {
    let fields = smart_fields().iter().map(|field| {
        let fits =
            |(name, it): &(&'static str, SmartOperator)| it.fits(field.kind).then_some(*name);
        let operators: Vec<_> = SmartOperator::ALL.iter().filter_map(fits).collect();
        json!({ "name": field.name, "kind": field.kind.name(), "operators": operators })
    });
    Ok(all(fields))
}

fn playlist(id: &str) -> Result<PlaylistId> {
    PlaylistId::parse(id).ok_or(Error::NotFound("Playlist"))
}
