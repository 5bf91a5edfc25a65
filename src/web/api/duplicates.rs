//! Files that are there more than once: `GET /duplicates?kind=exact|audio|recording`;
//! `POST /duplicates {"what": "keep|link|delete", "kind", "key", "locker", "path"}`;
//! `GET /duplicates/done`; `DELETE /duplicates/done/ID` takes an action back.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{caller::Caller, files::name_invalid};
use crate::{
    Error,
    drive::RelativePath,
    ids::LockerId,
    matching::{Action, ActionDone, DuplicateFile, DuplicateGroup, DuplicateKind, What},
    web::{
        Handles,
        failure::{Answer, Failure},
        query::Query,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kind {
    kind: DuplicateKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    what: What,
    kind: DuplicateKind,
    key: String,
    locker: Option<String>,
    path: Option<String>,
}

/// GET /duplicates
pub(super) async fn list(caller: Caller, of: Data<Handles>, wish: Query<Kind>) -> Answer {
    let groups = of.matching.duplicates(&caller.principal, wish.kind).await?;
    let groups: Vec<Value> = groups.iter().map(group).collect();
    Ok(HttpResponse::Ok().json(json!({ "groups": groups })))
}

/// POST /duplicates
pub(super) async fn act(caller: Caller, of: Data<Handles>, wish: Json<Wish>) -> Answer {
    let Wish { what, kind, key, locker, path } = wish.into_inner();
    let path = match path.as_deref().map(RelativePath::called).transpose() {
        Ok(path) => path,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let locker =
        locker.map(|id| LockerId::parse(&id).ok_or(Error::NotFound("Locker"))).transpose()?;
    let action = Action { what, kind, key, file: locker.zip(path) };
    let id = of.matching.act(&caller.principal, &action).await?;
    Ok(HttpResponse::Created().json(json!({ "id": id })))
}

/// GET /duplicates/done
pub(super) async fn done(caller: Caller, of: Data<Handles>) -> Answer {
    let done = of.matching.done(&caller.principal).await?;
    let done: Vec<Value> = done.iter().map(action).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": done })))
}

/// DELETE /duplicates/done/ID
pub(super) async fn undo(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = id.parse().map_err(|_| Failure(Error::NotFound("Action")))?;
    of.matching.undo(&caller.principal, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn group(group: &DuplicateGroup) -> Value {
    let files: Vec<Value> = group.files.iter().map(file).collect();
    json!({ "kind": group.kind, "key": group.key, "files": files })
}

fn file(file: &DuplicateFile) -> Value {
    json!({
        "library": file.library.to_string(),
        "libraryName": file.library_name,
        "locker": file.locker.map(|locker| locker.to_string()),
        "path": file.path,
        "size": file.size,
        "track": file.track.map(|track| track.to_string()),
        "title": file.title,
        "artist": file.artist,
        "album": file.album,
        "format": file.format,
        "origin": file.origin,
    })
}

fn action(done: &ActionDone) -> Value {
    json!({
        "id": done.id,
        "what": done.what,
        "kind": done.kind,
        "path": done.path,
        "doneAt": done.done_at,
    })
}
