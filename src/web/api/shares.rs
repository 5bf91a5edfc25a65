//! Shares of who is signed in.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, done, item, sent},
};
use crate::{
    Error, Result,
    catalog::{Item, NewShare, Share, ShareChange},
    clock::Millis,
    http::own_address,
    ids::{FolderId, ShareId},
    web::{Handles, failure::Answer},
};

/// A share to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct New {
    items: Vec<String>,
    #[serde(default)]
    description: String,
    /// ms since the epoch.
    expires_at: Option<Millis>,
    password: Option<String>,
    #[serde(default)]
    may_download: bool,
}

/// A change of one; what is left out stays, null takes away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Change {
    description: Option<String>,
    #[serde(default, deserialize_with = "sent")]
    expires_at: Option<Option<Millis>>,
    #[serde(default, deserialize_with = "sent")]
    password: Option<Option<String>>,
    may_download: Option<bool>,
}

/// GET /shares
pub(super) async fn list(request: HttpRequest, caller: Caller, of: Data<Handles>) -> Answer {
    let shares = of.shares.all(&caller.principal).await?;
    let mut shapes = Vec::with_capacity(shares.len());
    for share in &shares {
        shapes.push(shape(&request, &caller, &of, share).await?);
    }
    Ok(all(shapes))
}

/// GET /admin/shares: whose they are and how they are used, not the addresses, which are secrets
/// of their owners.
pub(super) async fn of_everybody(caller: Caller, of: Data<Handles>) -> Answer {
    let shares = of.shares.of_everybody(&caller.principal).await?;
    Ok(all(shares.iter().map(|share| {
        json!({
            "id": share.id.to_string(),
            "owner": share.owner,
            "description": share.description,
            "items": share.items.len(),
            "hasPassword": share.has_password,
            "mayDownload": share.may_download,
            "createdAt": share.created_at,
            "expiresAt": share.expires_at,
            "visitedAt": share.visited_at,
            "visits": share.visit_count,
        })
    })))
}

/// POST /shares
pub(super) async fn create(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    new: Json<New>,
) -> Answer {
    let new = new.into_inner();
    let items: Result<Vec<Item>> = new.items.iter().map(|id| shared(id)).collect();
    let new = NewShare {
        items: items?,
        description: new.description,
        expires_at: new.expires_at,
        password: new.password.filter(|password| !password.is_empty()),
        may_download: new.may_download,
    };
    let share = of.shares.create(&caller.principal, &new).await?;
    Ok(HttpResponse::Created().json(shape(&request, &caller, &of, &share).await?))
}

/// PATCH /shares/ID
pub(super) async fn change(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    change: Json<Change>,
) -> Answer {
    let change = change.into_inner();
    let change = ShareChange {
        description: change.description,
        expires_at: change.expires_at,
        password: change.password,
        may_download: change.may_download,
    };
    of.shares.update(&caller.principal, share(&id)?, &change).await?;
    Ok(done())
}

/// DELETE /shares/ID
pub(super) async fn remove(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.shares.remove(&caller.principal, share(&id)?).await?;
    Ok(done())
}

fn share(id: &str) -> Result<ShareId> {
    ShareId::parse(id).ok_or(Error::NotFound("Share"))
}

fn shared(id: &str) -> Result<Item> {
    FolderId::parse(id).map(Item::Folder).map_or_else(|| item(id), Ok)
}

async fn shape(
    request: &HttpRequest,
    caller: &Caller,
    of: &Handles,
    share: &Share,
) -> Result<Value> {
    let tracks = of.shares.tracks(&caller.principal, share).await?;
    let first = tracks.first();
    Ok(json!({
        "id": share.id.to_string(),
        "url": of.shares.address(share, &own_address(request)),
        "description": share.description,
        "title": title(of, caller, share).await?.or_else(|| first.map(|track| track.title.clone())),
        "cover": tracks.iter().find_map(super::shapes::track_cover),
        "tracks": tracks.len(),
        "hasPassword": share.has_password,
        "mayDownload": share.may_download,
        "createdAt": share.created_at,
        "expiresAt": share.expires_at,
        "visitedAt": share.visited_at,
        "visits": share.visit_count,
    }))
}

/// The name of what is shared, if it is one thing that is still there.
async fn title(of: &Handles, caller: &Caller, share: &Share) -> Result<Option<String>> {
    let who = &caller.principal;
    let name = match share.items.as_slice() {
        [Item::Album(id)] => of.catalog.album(who, *id).await.map(|album| album.name.clone()),
        [Item::Playlist(id)] => of.catalog.playlist(who, *id).await.map(|list| list.name),
        _ => return Ok(None),
    };
    match name {
        Ok(name) => Ok(Some(name)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
