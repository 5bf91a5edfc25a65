//! Files of a locker: `PUT`, `GET`, `HEAD` and `DELETE` of `/files/PATH?locker=me|household`.
//! `GET` of a folder lists it; `PUT` of a path that ends with a slash makes one; `POST` moves.

use std::io;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::{
        Method, StatusCode,
        header::{self, HeaderName},
    },
    web::{Data, Json, Payload, Query},
};
use futures_util::StreamExt as _;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::caller::Caller;
use crate::{
    Error,
    accounts::{Locker, LockerKind},
    body::FileBody,
    clock::iso,
    drive::{
        Condition, Content, Entry, EntryKind, NameProblem, OpenFile, RelativePath, Stored, Target,
    },
    http::{file::respond, headers::attachment},
    ids::LockerId,
    web::{
        Handles,
        failure::{Answer, Failure},
    },
};

/// Which locker: `me` (the default), `household`, or an id.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[serde(default)]
    locker: Option<String>,
}

/// Where a file or folder shall be.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    to: String,
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
    let locker = locker(&caller, &of, &which).await?;
    match of.drive.open_path(&caller.principal, locker.id, &path).await? {
        Content::File(file) => Ok(download(&request, file)),
        Content::Folder(_) if request.method() == Method::HEAD => {
            Ok(HttpResponse::Ok().content_type("application/json").finish())
        }
        Content::Folder(entries) => {
            let entries: Vec<Value> = entries.iter().map(entry).collect();
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
    let path = match path(&request) {
        Ok(path) => path,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let locker = locker(&caller, &of, &which).await?;
    if request.uri().path().ends_with('/') {
        of.drive.make_folder(&caller.principal, locker.id, &path).await?;
        return Ok(HttpResponse::Created().finish());
    }
    if request.headers().contains_key(header::CONTENT_RANGE) {
        return Err(Failure(Error::Invalid("A file is sent whole here".to_owned())));
    }
    let declared = text(&request, &header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let condition = condition(&request);
    let target = Target { locker: locker.id, path, condition: condition.clone() };
    let body = body.map(|piece| piece.map_err(io::Error::other));
    match of.drive.put(&caller.principal, &target, declared, body).await {
        Ok(stored) => Ok(stored_answer(&stored)),
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
    let locker = locker(&caller, &of, &which).await?;
    let condition = condition(&request);
    match of.drive.remove(&caller.principal, locker.id, &path, &condition).await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
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
    let locker = locker(&caller, &of, &which).await?;
    of.drive.rename(&caller.principal, locker.id, &from, &to).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// From the address itself: decoded once, by nobody else before.
fn path(request: &HttpRequest) -> Result<RelativePath, NameProblem> {
    let raw = request.uri().path().split_once("/files/").map_or("", |(_, path)| path);
    let text = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| NameProblem { rule: "encoding", sentence: "A name is not UTF-8" })?;
    RelativePath::parse(&text)
}

async fn locker(caller: &Caller, of: &Handles, which: &Which) -> Result<Locker, Failure> {
    locker_of(caller, of, which.locker.as_deref()).await
}

/// The locker that a caller names: `me` (the default), `household`, or an id.
pub(super) async fn locker_of(
    caller: &Caller,
    of: &Handles,
    which: Option<&str>,
) -> Result<Locker, Failure> {
    let lockers = of.accounts.lockers(&caller.principal).await?;
    let fits = |locker: &Locker| match which {
        None | Some("me") => locker.kind == LockerKind::User,
        Some("household") => locker.kind == LockerKind::Household,
        Some(id) => LockerId::parse(id) == Some(locker.id),
    };
    lockers.into_iter().find(fits).ok_or(Failure(Error::NotFound("Locker")))
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
fn download(request: &HttpRequest, opened: OpenFile) -> HttpResponse {
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

fn entry(entry: &Entry) -> Value {
    json!({
        "name": entry.name,
        "kind": match entry.kind {
            EntryKind::File => "file",
            EntryKind::Folder => "folder",
        },
        "size": entry.size,
        "modified": iso(entry.modified_at),
        "etag": entry.etag,
    })
}

fn stored_answer(stored: &Stored) -> HttpResponse {
    let status = if stored.is_new { StatusCode::CREATED } else { StatusCode::OK };
    HttpResponse::build(status).insert_header((header::ETAG, format!("\"{}\"", stored.etag))).json(
        json!({
            "path": stored.path.as_str(),
            "size": stored.size,
            "hash": hex::encode(stored.hash),
            "etag": stored.etag,
        }),
    )
}

/// A conflict with a condition that the client set is its own answer.
pub(super) fn refused(error: Error, condition: &Condition) -> HttpResponse {
    match error {
        Error::Conflict(detail) if *condition != Condition::None => problem(
            StatusCode::PRECONDITION_FAILED,
            &json!({ "type": "precondition_failed", "status": 412, "detail": detail }),
        ),
        error => {
            let is_early = matches!(
                error,
                Error::QuotaExceeded { .. } | Error::GraceOver { .. } | Error::StorageFull
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

fn problem(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type("application/problem+json").body(body.to_string())
}
