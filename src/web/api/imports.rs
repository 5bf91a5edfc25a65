//! Imports: `POST /imports {"url", "locker", "folder"}` fetches a track, an archive or a list of
//! tracks; `GET /imports` and `GET /imports/ID` tell how far they are; `DELETE /imports/ID` ends or
//! forgets one. Archives that are sent become imports, too.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Json, Path, Payload},
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    files::{name_invalid, place_id, place_of},
    lists::done,
};
use crate::{
    Error,
    drive::{Destination, Import, ImportItem, NewImport, OwnLocks, Place, Problem, RelativePath},
    ids::ImportId,
    web::{Handles, failure::Answer},
};

/// What to fetch, and where it goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    url: String,
    locker: Option<String>,
    #[serde(default)]
    folder: String,
    #[serde(default, rename = "ifAbsent")]
    if_absent: bool,
}

/// POST /imports
pub(super) async fn fetch(caller: Caller, of: Data<Handles>, wanted: Json<Wanted>) -> Answer {
    let folder = match RelativePath::parse(&wanted.folder) {
        Ok(folder) => folder,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let place = place_of(&caller, &of, wanted.locker.as_deref()).await?;
    let into = destination(&place, &folder).only_new(wanted.if_absent);
    let new = NewImport { url: wanted.url.clone(), into };
    let import = of.imports.fetch(&caller.principal, &new).await?;
    Ok(HttpResponse::Accepted().json(shape(&import)))
}

/// GET /imports
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let imports = of.imports.list(&caller.principal).await?;
    let may_fetch = of.imports.may_fetch().await?;
    let items: Vec<Value> = imports.iter().map(shape).collect();
    Ok(HttpResponse::Ok().json(json!({ "mayFetch": may_fetch, "items": items })))
}

/// GET /imports/ID
pub(super) async fn one(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = ImportId::parse(&id).ok_or(Error::NotFound("Import"))?;
    let (import, items) = of.imports.one(&caller.principal, id).await?;
    Ok(HttpResponse::Ok().json(whole(&import, &items)))
}

/// DELETE /imports/ID
pub(super) async fn cancel(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = ImportId::parse(&id).ok_or(Error::NotFound("Import"))?;
    of.imports.cancel(&caller.principal, id).await?;
    Ok(done())
}

/// An archive that is the body of a request: what became of everything in it.
pub(super) async fn unpack(
    caller: &Caller,
    of: &Handles,
    into: &Destination,
    name: &str,
    declared: Option<u64>,
    body: Payload,
) -> Answer {
    let body = body.map(|piece| piece.map_err(std::io::Error::other));
    let import = of.imports.unpack(&caller.principal, into, name, declared, body).await?;
    let (import, items) = of.imports.one(&caller.principal, import.id).await?;
    let status = match &import.problem {
        Some(problem) if import.stored == 0 && problem.word == "storage_degraded" => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Some(_) if import.stored == 0 => StatusCode::UNPROCESSABLE_ENTITY,
        None if import.refused == 0 => StatusCode::CREATED,
        _ => StatusCode::MULTI_STATUS,
    };
    let mut answer = whole(&import, &items);
    if !status.is_success()
        && let Some(problem) = &import.problem
    {
        // A problem like any other, with what else is known beside it.
        answer["type"] = json!(problem.word);
        answer["status"] = json!(status.as_u16());
        answer["detail"] = json!(problem.detail);
        return Ok(super::files::problem(status, &answer));
    }
    Ok(HttpResponse::build(status).json(answer))
}

/// A folder of a place as where an import goes; what is there is replaced.
pub(super) fn destination(place: &Place, folder: &RelativePath) -> Destination {
    Destination {
        locker: place.locker,
        folder: folder.below(&place.base),
        place: place_id(place),
        shown: folder.as_str().to_owned(),
        only_new: false,
        own_locks: OwnLocks::Heed,
    }
}

impl Destination {
    /// Refuse what is there already, or not.
    #[must_use]
    pub(super) fn only_new(self, only_new: bool) -> Self {
        Self { only_new, ..self }
    }

    /// Replace also what an app of the user's own has locked, or not.
    #[must_use]
    pub(super) fn despite_lock(self, despite_lock: bool) -> Self {
        let own_locks = if despite_lock { OwnLocks::Ignore } else { OwnLocks::Heed };
        Self { own_locks, ..self }
    }
}

/// An import without its files.
pub(super) fn shape(import: &Import) -> Value {
    json!({
        "id": import.id.to_string(),
        "url": import.url,
        "name": import.name,
        "locker": import.place,
        "folder": import.folder,
        "state": import.state.as_str(),
        "over": import.state.is_over(),
        "received": import.received,
        "total": import.total,
        "stored": import.stored,
        "refused": import.refused,
        "problem": import.problem.as_ref().map(problem),
        "created": import.created_at,
        "ended": import.ended_at,
    })
}

fn whole(import: &Import, items: &[ImportItem]) -> Value {
    let mut answer = shape(import);
    let root = RelativePath::root();
    answer["items"] = items.iter().map(|one| item(one, &root)).collect();
    answer
}

/// What became of a file, its path below `folder`.
pub(super) fn item(item: &ImportItem, folder: &RelativePath) -> Value {
    let path = match folder.as_str() {
        "" => item.path.clone(),
        folder => format!("{folder}/{}", item.path),
    };
    json!({
        "path": path,
        "size": item.size,
        "hash": item.hash.map(hex::encode),
        "etag": item.etag,
        "problem": item.problem.as_ref().map(problem),
    })
}

pub(super) fn problem(problem: &Problem) -> Value {
    let mut shape = json!({ "type": problem.word, "detail": problem.detail });
    if !problem.rule.is_empty() {
        shape["rule"] = json!(problem.rule);
    }
    if let Some(etag) = &problem.etag {
        shape["etag"] = json!(etag);
    }
    shape
}
