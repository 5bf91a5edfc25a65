//! Files of a place: `PUT`, `GET`, `HEAD` and `DELETE` of `/files/PATH?locker=me|household|ID`, the
//! id of a locker or of a folder that is shared. `GET` of a folder lists it, or brings it as a zip;
//! `PUT` of a path that ends with a slash makes one; `PUT` of an archive with `unpack=true` puts what
//! is in it into the folder of the path; `POST` moves or copies (or brings many files, see
//! [`super::many`]); `DELETE` moves to the trash.

use std::io;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::{
        Method, StatusCode,
        header::{self, HeaderName},
    },
    web::{Data, Json, Payload},
};
use futures_util::StreamExt as _;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{caller::Caller, imports, kept::kept};
use crate::{
    Error,
    body::{FileBody, Meter},
    drive::{
        Condition, Content, Entry, EntryKind, NameProblem, OpenFile, Place, PlaceKind,
        RelativePath, Stored, Target,
    },
    http::{file::respond, headers::attachment, live},
    ids::LockerId,
    web::{
        Handles,
        failure::{Answer, Failure, problem_as},
        query::Query,
    },
};

/// Which place, and how its answer is wanted.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    locker: Option<String>,
    /// `zip`: a folder as an archive. `stat`: what the path is, without its bytes or entries.
    r#as: Option<String>,
    /// An archive that is sent becomes what is in it.
    #[serde(default)]
    unpack: bool,
    /// Not to the trash.
    #[serde(default)]
    forever: bool,
    /// Although an app of one's own holds a lock on it.
    #[serde(default, rename = "despiteLock")]
    despite_lock: bool,
}

/// Where a file or folder shall be.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    to: String,
    /// Another place than the one that it is in.
    locker: Option<String>,
    /// Leave it where it is, too.
    #[serde(default)]
    copy: bool,
    /// Take the place of what is at the target.
    #[serde(default)]
    replace: bool,
}

impl Which {
    /// Refuses to change what an app of the caller's holds a lock on, unless he says that he means it.
    async fn heed_own_lock(
        &self,
        caller: &Caller,
        of: &Handles,
        (locker, path): (LockerId, &RelativePath),
    ) -> Result<(), Failure> {
        if self.despite_lock {
            return Ok(());
        }
        Ok(of.drive.refuse_own_lock(&caller.principal, locker, path).await?)
    }
}

/// GET and HEAD /files/PATH
pub(super) async fn show(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    which: Query<Which>,
) -> Answer {
    let path = match path(&request) {
        Ok(path) => path,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let place = place_of(&caller, &of, which.locker.as_deref()).await?;
    let (locker, inner) = (place.locker, path.below(&place.base));
    match which.r#as.as_deref() {
        None => (),
        Some("stat") => {
            let found = of.drive.stat(&caller.principal, locker, &inner).await?;
            let mut shape = entry(&found);
            shape["path"] = json!(path.as_str());
            shape["source"] = json!(found.source);
            return Ok(HttpResponse::Ok().json(shape));
        }
        Some("zip") => {
            let (name, body) = of.drive.zip_folder(&caller.principal, locker, &inner).await?;
            let body = of.playback.count_folder(&caller.principal, body).await?;
            let mut answer = live::respond(&request, body);
            answer.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(&name));
            return Ok(answer);
        }
        Some(_) => return Err(Failure(Error::Invalid("as is zip or stat".to_owned()))),
    }
    match of.drive.open_path(&caller.principal, locker, &inner).await? {
        Content::File(file) if request.method() == Method::HEAD => {
            Ok(download(&request, file, None))
        }
        Content::File(file) => {
            let meter = of.playback.count_download(&caller.principal, file.path.name()).await?;
            Ok(download(&request, file, meter))
        }
        Content::Folder(_) if request.method() == Method::HEAD => {
            Ok(HttpResponse::Ok().content_type("application/json").finish())
        }
        Content::Folder(entries) => {
            let why = of.catalog.unreadable_in(&caller.principal, locker, inner.as_str()).await?;
            let shape = |one: &Entry| {
                let mut shape = entry(one);
                shape["unplayable"] = json!(why.get(&one.name));
                shape
            };
            let entries: Vec<Value> = entries.iter().map(shape).collect();
            Ok(HttpResponse::Ok().json(json!({ "path": path.as_str(), "entries": entries })))
        }
    }
}

/// PUT /files/PATH
pub(super) async fn store(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    which: Query<Which>,
    body: Payload,
) -> Answer {
    let path = match new_path(&request) {
        Ok(path) => path,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let place = place_of(&caller, &of, which.locker.as_deref()).await?;
    let inner = path.below(&place.base);
    if request.uri().path().ends_with('/') {
        return match of.drive.make_folder(&caller.principal, place.locker, &inner).await {
            Ok(()) => Ok(HttpResponse::Created().finish()),
            Err(error) => in_the_way(error, &caller, &of, (place.locker, &inner)).await,
        };
    }
    if request.headers().contains_key(header::CONTENT_RANGE) {
        return Err(Failure(Error::Invalid("A file is sent whole here".to_owned())));
    }
    which.heed_own_lock(&caller, &of, (place.locker, &inner)).await?;
    let declared = text(&request, &header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let condition = condition(&request);
    if which.unpack {
        let into = imports::destination(&place, &path.parent().unwrap_or(RelativePath::root()))
            .only_new(condition == Condition::Absent)
            .despite_lock(which.despite_lock);
        return imports::unpack(&caller, &of, &into, path.name(), declared, body).await;
    }
    let target = Target { locker: place.locker, path: inner.clone(), condition: condition.clone() };
    let body = body.map(|piece| piece.map_err(io::Error::other));
    match of.drive.put(&caller.principal, &target, declared, body).await {
        Ok(stored) => Ok(stored_answer(&stored, &place)),
        Err(error @ Error::Exists { .. }) if condition == Condition::None => {
            in_the_way(error, &caller, &of, (place.locker, &inner)).await
        }
        Err(error) => Ok(refused(error, &condition)),
    }
}

/// DELETE /files/PATH
pub(super) async fn remove(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    which: Query<Which>,
) -> Answer {
    let path = match path(&request) {
        Ok(path) => path,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let place = place_of(&caller, &of, which.locker.as_deref()).await?;
    let (condition, inner) = (condition(&request), path.below(&place.base));
    which.heed_own_lock(&caller, &of, (place.locker, &inner)).await?;
    if which.forever {
        return Ok(
            match of.drive.remove(&caller.principal, place.locker, &inner, &condition).await {
                Ok(()) => HttpResponse::NoContent().finish(),
                Err(error) => refused(error, &condition),
            },
        );
    }
    match of.drive.trash(&caller.principal, place.locker, &inner, &condition).await {
        Ok(trashed) => Ok(HttpResponse::Ok().json(kept(&trashed, &place))),
        Err(error) => Ok(refused(error, &condition)),
    }
}

/// POST /files/PATH {"to": PATH}
pub(super) async fn rename(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    which: Query<Which>,
    wish: Json<Move>,
) -> Answer {
    let (from, to) = match (path(&request), RelativePath::parse(&wish.to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(problem), _) | (_, Err(problem)) => return Ok(name_invalid(&problem)),
    };
    let source = place_of(&caller, &of, which.locker.as_deref()).await?;
    let target = match &wish.locker {
        Some(locker) => place_of(&caller, &of, Some(locker)).await?,
        None => source.clone(),
    };
    let condition = if wish.replace { Condition::None } else { Condition::Absent };
    let from = from.below(&source.base);
    let to = Target { locker: target.locker, path: to.below(&target.base), condition };
    which.heed_own_lock(&caller, &of, (to.locker, &to.path)).await?;
    if !wish.copy {
        which.heed_own_lock(&caller, &of, (source.locker, &from)).await?;
    }
    let moved = if wish.copy {
        of.drive.copy_to(&caller.principal, source.locker, &from, &to).await
    } else {
        of.drive.move_to(&caller.principal, source.locker, &from, &to).await
    };
    match moved {
        Ok(moved) => {
            let mut answer =
                if moved.is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
            Ok(answer.json(json!({
                "path": shown(&moved.path, &target),
                "files": moved.files,
                "size": moved.size,
                "replaced": !moved.is_new,
            })))
        }
        Err(error @ Error::Exists { .. }) => {
            in_the_way(error, &caller, &of, (to.locker, &to.path)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Something that is there: what it is, by its entity tag; a folder has none.
async fn in_the_way(
    error: Error,
    caller: &Caller,
    of: &Handles,
    (locker, path): (LockerId, &RelativePath),
) -> Answer {
    let Error::Exists { sentence, etag: None } = error else { return Err(error.into()) };
    let there = of.drive.stat(&caller.principal, locker, path).await;
    let etag = there.ok().and_then(|there| there.etag);
    Err(Error::Exists { sentence, etag }.into())
}

/// From the address itself: decoded once, by nobody else before. It may be there.
pub(super) fn path(request: &HttpRequest) -> Result<RelativePath, NameProblem> {
    let raw = request.uri().path().split_once("/files/").map_or("", |(_, path)| path);
    let text = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| NameProblem { rule: "encoding", sentence: "A name is not UTF-8" })?;
    RelativePath::called(&text)
}

/// The same where something is put there: every way in takes that name.
pub(super) fn new_path(request: &HttpRequest) -> Result<RelativePath, NameProblem> {
    let path = path(request)?;
    path.judge()?;
    Ok(path)
}

/// The place that a caller names: `me` (the default), `household`, or the id of a locker or of a
/// shared folder.
pub(super) async fn place_of(
    caller: &Caller,
    of: &Handles,
    which: Option<&str>,
) -> Result<Place, Failure> {
    let places = of.drive.places(&caller.principal).await?;
    let fits = |place: &Place| match which {
        None | Some("me") => place.kind == PlaceKind::Own,
        Some("household") => place.kind == PlaceKind::Household,
        Some(id) => place_id(place) == id,
    };
    places.into_iter().find(fits).ok_or(Failure(Error::NotFound("Locker")))
}

/// The id that a place goes by.
pub(super) fn place_id(place: &Place) -> String {
    match &place.kind {
        PlaceKind::Own | PlaceKind::Household => place.locker.to_string(),
        PlaceKind::Shared { id, .. } => id.to_string(),
    }
}

/// A path of a locker as it is called in a place.
pub(super) fn shown<'a>(path: &'a RelativePath, place: &Place) -> &'a str {
    let rest = path.as_str().strip_prefix(place.base.as_str()).unwrap_or_default();
    rest.trim_start_matches('/')
}

fn text<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// `If-None-Match: *` and `If-Match`; weak tags never match.
fn condition(request: &HttpRequest) -> Condition {
    if text(request, &header::IF_NONE_MATCH) == Some("*") {
        return Condition::Absent;
    }
    match text(request, &header::IF_MATCH) {
        None => Condition::None,
        Some("*") => Condition::Present,
        Some(tags) => Condition::Match(
            tags.split(',').map(|tag| tag.trim().trim_matches('"').to_owned()).collect(),
        ),
    }
}

/// User files are never shown as pages of ours.
pub(super) fn download(
    request: &HttpRequest,
    opened: OpenFile,
    meter: Option<Meter>,
) -> HttpResponse {
    let name = opened.path.as_str().rsplit('/').next().unwrap_or_default();
    let disposition = attachment(name);
    let body = FileBody {
        file: opened.file,
        len: opened.size,
        content_type: "application/octet-stream".into(),
        etag: opened.etag,
        modified_at: Some(opened.modified_at),
        duration: None,
        hold: None,
        meter,
    };
    let mut answer = respond(request, body);
    let headers = answer.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("private, no-cache"));
    let sandbox = header::HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(header::CONTENT_SECURITY_POLICY, sandbox);
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    answer
}

pub(super) fn entry(entry: &Entry) -> Value {
    json!({
        "name": entry.name,
        "kind": match entry.kind {
            EntryKind::File => "file",
            EntryKind::Folder => "folder",
        },
        "size": entry.size,
        "modified": entry.modified_at,
        "etag": entry.etag,
    })
}

fn stored_answer(stored: &Stored, place: &Place) -> HttpResponse {
    let status = if stored.is_new { StatusCode::CREATED } else { StatusCode::OK };
    HttpResponse::build(status).insert_header((header::ETAG, format!("\"{}\"", stored.etag))).json(
        json!({
            "path": shown(&stored.path, place),
            "size": stored.size,
            "hash": hex::encode(stored.hash),
            "etag": stored.etag,
        }),
    )
}

/// What is there where the client said that nothing may be is its own status (RFC 9110, 13.1.2).
pub(super) fn refused(error: Error, condition: &Condition) -> HttpResponse {
    match error {
        Error::Exists { etag: Some(_), .. } if *condition != Condition::None => {
            let status = StatusCode::PRECONDITION_FAILED;
            problem(status, &problem_as(error, status))
        }
        error => {
            let is_early = matches!(
                error,
                Error::QuotaExceeded { .. }
                    | Error::GraceOver { .. }
                    | Error::StorageFull
                    | Error::StorageDegraded(_)
            );
            let mut answer = Failure(error).error_response();
            if is_early {
                // The body was not read; the connection cannot be used again.
                answer.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
            }
            answer
        }
    }
}

pub(super) fn name_invalid(name: &NameProblem) -> HttpResponse {
    problem(
        StatusCode::BAD_REQUEST,
        &json!({ "type": "name_invalid", "status": 400, "rule": name.rule, "detail": name.sentence }),
    )
}

pub(super) fn problem(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type("application/problem+json").body(body.to_string())
}
