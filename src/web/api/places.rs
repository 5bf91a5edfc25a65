//! Where files may be: the own locker, the household's, folders that others share; sharing one's
//! own; and finding files in all of them.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    files::{name_invalid, place_id, place_of},
    lists::{all, done},
    lockers,
};
use crate::{
    Error,
    drive::{EntryKind, FolderShare, Hit, Place, PlaceKind, RelativePath},
    ids::FolderShareId,
    web::{Handles, failure::Answer, query::Query},
};

/// Most hits of a search.
const MOST_HITS: usize = 200;

/// Which place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    locker: Option<String>,
}

/// What to look for, and in which place; in all of them when none is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    q: String,
    locker: Option<String>,
}

/// A folder, and who shall see it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sharing {
    locker: Option<String>,
    path: String,
    user: String,
    #[serde(default)]
    write: bool,
}

/// GET /places
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let places = of.drive.places(&caller.principal).await?;
    Ok(all(places.iter().map(shape)))
}

/// GET /file-search?q=WORDS
pub(super) async fn find(caller: Caller, of: Data<Handles>, wanted: Query<Wanted>) -> Answer {
    let only = match wanted.locker.as_deref() {
        Some(which) => Some(place_of(&caller, &of, Some(which)).await?),
        None => None,
    };
    // One more than is shown tells that there are more.
    let most = MOST_HITS + 1;
    let (places, hits) = of.drive.find(&caller.principal, only.as_ref(), &wanted.q, most).await?;
    let items: Vec<Value> = hits.iter().take(MOST_HITS).map(|found| hit(found, &places)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "more": MOST_HITS < hits.len() })))
}

/// GET /folder-shares
pub(super) async fn shares(caller: Caller, of: Data<Handles>, which: Query<Which>) -> Answer {
    let place = place_of(&caller, &of, which.locker.as_deref()).await?;
    let shares = of.drive.folder_shares(&caller.principal, place.locker).await?;
    Ok(all(shares.iter().map(share)))
}

/// PUT /folder-shares
pub(super) async fn share_folder(caller: Caller, of: Data<Handles>, wish: Json<Sharing>) -> Answer {
    let place = place_of(&caller, &of, wish.locker.as_deref()).await?;
    let path = match RelativePath::called(&wish.path) {
        Ok(path) => path.below(&place.base),
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let (principal, user) = (&caller.principal, wish.user.trim());
    let made = of.drive.share_folder(principal, place.locker, &path, user, wish.write).await?;
    Ok(HttpResponse::Ok().json(share(&made)))
}

/// DELETE /folder-shares/ID
pub(super) async fn unshare(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = FolderShareId::parse(&id).ok_or(Error::NotFound("Share"))?;
    of.drive.unshare_folder(&caller.principal, id).await?;
    Ok(done())
}

fn shape(place: &Place) -> Value {
    let (kind, owner) = match &place.kind {
        PlaceKind::Own => ("user", None),
        PlaceKind::Household => ("household", None),
        PlaceKind::Shared { owner, .. } => ("shared", Some(owner)),
    };
    json!({
        "id": place_id(place),
        "kind": kind,
        "name": place.name,
        "owner": owner,
        "write": place.may_write,
        "usage": place.usage.as_ref().map(lockers::usage),
    })
}

fn hit(hit: &Hit, places: &[Place]) -> Value {
    let place = &places[hit.place];
    let is_file = hit.kind == EntryKind::File;
    json!({
        "locker": place_id(place),
        "place": place.name,
        "path": hit.path.as_str(),
        "name": hit.path.name(),
        "kind": if is_file { "file" } else { "folder" },
        "size": hit.size,
        "modified": is_file.then_some(hit.modified_at),
    })
}

fn share(share: &FolderShare) -> Value {
    json!({
        "id": share.id.to_string(),
        "locker": share.locker.to_string(),
        "path": share.path.as_str(),
        "user": share.user,
        "write": share.may_write,
    })
}
