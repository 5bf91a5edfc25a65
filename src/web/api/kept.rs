//! Trash and versions: what was deleted or replaced, brought back or let go.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    files::{download, name_invalid, place_id, place_of, shown},
    lists::{all, done},
};
use crate::{
    Error,
    accounts::KeepRules,
    drive::{Kept, Place, RelativePath},
    web::{
        Handles,
        failure::{Answer, Failure},
        query::Query,
    },
};

/// Which place, and which file of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    locker: Option<String>,
    #[serde(default)]
    path: String,
}

/// Where it shall come back to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Back {
    to: Option<String>,
}

/// GET /trash
pub(super) async fn trash(caller: Caller, of: Data<Handles>, which: Query<Which>) -> Answer {
    let place = place_of(&caller, &of, which.locker.as_deref()).await?;
    let trashed = of.drive.trashed(&caller.principal, place.locker).await?;
    let inside = trashed.iter().filter(|one| one.path.is_within(place.base.as_str()));
    Ok(all(inside.map(|one| kept(one, &place))))
}

/// DELETE /trash
pub(super) async fn empty(caller: Caller, of: Data<Handles>, which: Query<Which>) -> Answer {
    let place = place_of(&caller, &of, which.locker.as_deref()).await?;
    let gone = of.drive.empty_trash(&caller.principal, place.locker).await?;
    Ok(HttpResponse::Ok().json(json!({ "deleted": gone })))
}

/// GET /trash/ID
pub(super) async fn open_trashed(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
) -> Answer {
    let file = of.drive.open_trashed(&caller.principal, &id).await?;
    Ok(download(&request, file, None))
}

/// POST /trash/ID {"to": PATH}; `to` is in the place that it was in.
pub(super) async fn restore(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    back: Json<Back>,
) -> Answer {
    let to = match back.to.as_deref().map(RelativePath::parse).transpose() {
        Ok(to) => to,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let place = of.drive.place_of_kept(&caller.principal, &id).await?;
    // The place itself is no file of it, whatever it is to its owner.
    if to.as_ref().is_some_and(RelativePath::is_root) {
        return Err(Failure(Error::Forbidden("A place itself is not replaced".to_owned())));
    }
    let to = to.map(|to| to.below(&place.base));
    let path = of.drive.restore(&caller.principal, &id, to.as_ref()).await?;
    Ok(HttpResponse::Ok().json(json!({ "path": shown(&path, &place) })))
}

/// DELETE /trash/ID
pub(super) async fn forget(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.drive.delete_trashed(&caller.principal, &id).await?;
    Ok(done())
}

/// GET /versions?path=PATH
pub(super) async fn versions(caller: Caller, of: Data<Handles>, which: Query<Which>) -> Answer {
    let place = place_of(&caller, &of, which.locker.as_deref()).await?;
    let path = match RelativePath::called(&which.path) {
        Ok(path) => path.below(&place.base),
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let versions = of.drive.versions(&caller.principal, place.locker, &path).await?;
    Ok(all(versions.iter().map(|one| kept(one, &place))))
}

/// GET /versions/ID
pub(super) async fn open_version(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
) -> Answer {
    let file = of.drive.open_version(&caller.principal, &id).await?;
    Ok(download(&request, file, None))
}

/// POST /versions/ID
pub(super) async fn restore_version(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let place = of.drive.place_of_kept(&caller.principal, &id).await?;
    let path = of.drive.restore_version(&caller.principal, &id).await?;
    Ok(HttpResponse::Ok().json(json!({ "path": shown(&path, &place) })))
}

/// DELETE /versions/ID
pub(super) async fn forget_version(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.drive.delete_version(&caller.principal, &id).await?;
    Ok(done())
}

/// GET /keeping
pub(super) async fn rules(_: Caller, of: Data<Handles>) -> Answer {
    Ok(HttpResponse::Ok().json(of.accounts.keep_rules().await?))
}

/// PUT /keeping
pub(super) async fn set_rules(caller: Caller, of: Data<Handles>, rules: Json<KeepRules>) -> Answer {
    of.accounts.set_keep_rules(&caller.principal, *rules).await?;
    Ok(done())
}

/// Something that can come back, as the panel shows it.
pub(super) fn kept(one: &Kept, place: &Place) -> Value {
    json!({
        "id": one.id,
        "locker": place_id(place),
        "path": shown(&one.path, place),
        "name": one.path.name(),
        "kind": if one.is_folder { "folder" } else { "file" },
        "size": one.size,
        "files": one.files,
        "at": one.kept_at,
        "by": one.by,
    })
}
