//! Many files in one request: `POST /files/FOLDER` with a form (`curl -F file=@a.flac -F
//! file=@b.flac`), each stored as it comes, with a result for each; and `POST
//! /files/FOLDER?unpack=true` with an archive as its body.

use std::io;

use actix_multipart::Multipart;
use actix_web::{
    HttpRequest, HttpResponse,
    guard::GuardContext,
    http::{StatusCode, header},
    web::{Data, Payload},
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    files::{self, name_invalid, place_of, shown},
    imports,
};
use crate::{
    Error,
    drive::{Condition, NameProblem, RelativePath, Target},
    media::unpack::is_archive_name,
    web::{
        Handles,
        failure::{Answer, Failure, problem_as, problem_of},
        query::Query,
    },
};

/// Which place, and what becomes of what is there or packed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    locker: Option<String>,
    /// Archives become what is in them.
    #[serde(default)]
    unpack: bool,
    /// Refuse what is there already.
    #[serde(default, rename = "ifAbsent")]
    if_absent: bool,
    /// Although an app of one's own holds a lock on it.
    #[serde(default, rename = "despiteLock")]
    despite_lock: bool,
}

/// What became of the files of one request.
#[derive(Default)]
struct Results {
    items: Vec<Value>,
    stored: u64,
    refused: u64,
    /// The status of the first refusal, for a request of which nothing was stored.
    first: Option<StatusCode>,
}

/// A form with files.
pub(super) fn is_form(request: &GuardContext<'_>) -> bool {
    let told = request.head().headers.get(header::CONTENT_TYPE);
    told.and_then(|told| told.to_str().ok()).is_some_and(|told| {
        told.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
    })
}

/// An archive to be unpacked.
pub(super) fn is_archive(request: &GuardContext<'_>) -> bool {
    let query = request.head().uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair == "unpack=true")
}

/// POST /files/FOLDER, an archive
pub(super) async fn unpack(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    how: Query<How>,
    body: Payload,
) -> Answer {
    let folder = match files::new_path(&request) {
        Ok(folder) => folder,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let place = place_of(&caller, &of, how.locker.as_deref()).await?;
    let into = imports::destination(&place, &folder).only_new(how.if_absent);
    let into = into.despite_lock(how.despite_lock);
    let length = request.headers().get(header::CONTENT_LENGTH);
    let declared = length.and_then(|length| length.to_str().ok()?.parse().ok());
    imports::unpack(&caller, &of, &into, "archive", declared, body).await
}

/// POST /files/FOLDER, a form
pub(super) async fn store(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    how: Query<How>,
    mut form: Multipart,
) -> Answer {
    let folder = match files::new_path(&request) {
        Ok(folder) => folder,
        Err(problem) => return Ok(name_invalid(&problem)),
    };
    let place = place_of(&caller, &of, how.locker.as_deref()).await?;
    let mut results = Results::default();
    while let Some(field) = form.next().await {
        let mut field = match field {
            Ok(field) => field,
            Err(error) => {
                // What came before it is stored, and told.
                results.refuse("", Error::Invalid(format!("The form is broken: {error}")));
                break;
            }
        };
        let name = field.content_disposition().and_then(|it| it.get_filename().map(str::to_owned));
        // A field without a file name is a value, and none is asked for.
        let Some(name) = name else {
            while let Some(Ok(_)) = field.next().await {}
            continue;
        };
        let path = match file_path(&name) {
            Ok(path) => path.below(&folder),
            Err(problem) => {
                results.refuse_name(&name, &problem);
                continue;
            }
        };
        let body = field.map(|piece| piece.map_err(|error| io::Error::other(error.to_string())));
        if how.unpack && is_archive_name(&name) {
            let parent = path.parent().unwrap_or(RelativePath::root());
            let into = imports::destination(&place, &parent).only_new(how.if_absent);
            let into = into.despite_lock(how.despite_lock);
            let unpacked =
                of.imports.unpack(&caller.principal, &into, path.name(), None, body).await;
            match unpacked {
                Ok(import) => {
                    let (import, items) = of.imports.one(&caller.principal, import.id).await?;
                    if let Some(problem) = &import.problem {
                        results.refuse_as(path.as_str(), imports::problem(problem));
                    }
                    for item in &items {
                        results.add(imports::item(item, &parent), item.problem.is_none());
                    }
                }
                Err(error) => results.refuse(path.as_str(), error),
            }
            continue;
        }
        let condition = if how.if_absent { Condition::Absent } else { Condition::None };
        let target = Target { locker: place.locker, path: path.below(&place.base), condition };
        if !how.despite_lock
            && let Err(error) =
                of.drive.refuse_own_lock(&caller.principal, target.locker, &target.path).await
        {
            results.refuse(path.as_str(), error);
            continue;
        }
        match of.drive.put(&caller.principal, &target, None, body).await {
            Ok(stored) => results.add(
                json!({
                    "path": shown(&stored.path, &place),
                    "size": stored.size,
                    "hash": hex::encode(stored.hash),
                    "etag": stored.etag,
                    "problem": null,
                }),
                true,
            ),
            Err(error @ Error::Exists { etag: Some(_), .. }) if how.if_absent => {
                let problem = problem_as(error, StatusCode::PRECONDITION_FAILED);
                results.refuse_as(path.as_str(), problem);
            }
            Err(error) => results.refuse(path.as_str(), error),
        }
    }
    if results.items.is_empty() {
        return Err(Failure(Error::Invalid("There is no file in this form".to_owned())));
    }
    Ok(results.answer())
}

/// A file needs a name; some systems send it with their own slashes in front.
fn file_path(name: &str) -> Result<RelativePath, NameProblem> {
    let path = RelativePath::parse(name)?;
    if path.is_root() {
        return Err(NameProblem { rule: "empty", sentence: "A file needs a name" });
    }
    Ok(path)
}

impl Results {
    fn add(&mut self, item: Value, is_stored: bool) {
        self.items.push(item);
        if is_stored {
            self.stored += 1;
        } else {
            self.refused += 1;
            self.first = self.first.or(Some(StatusCode::UNPROCESSABLE_ENTITY));
        }
    }

    fn refuse(&mut self, path: &str, error: Error) {
        self.refuse_as(path, problem_of(error));
    }

    fn refuse_name(&mut self, name: &str, problem: &NameProblem) {
        let problem = json!({
            "type": "name_invalid", "status": 400, "rule": problem.rule, "detail": problem.sentence,
        });
        self.refuse_as(name, problem);
    }

    fn refuse_as(&mut self, path: &str, problem: Value) {
        let status = problem["status"].as_u64().and_then(|it| u16::try_from(it).ok());
        let status = status.and_then(|it| StatusCode::from_u16(it).ok());
        self.first = self.first.or(status);
        self.items.push(json!({ "path": path, "problem": problem }));
        self.refused += 1;
    }

    /// 201 when all is stored, 207 when some is, else as the first refusal.
    fn answer(self) -> HttpResponse {
        let status = match (self.stored, self.refused) {
            (_, 0) => StatusCode::CREATED,
            (0, _) => self.first.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
            _ => StatusCode::MULTI_STATUS,
        };
        HttpResponse::build(status)
            .json(json!({ "stored": self.stored, "refused": self.refused, "items": self.items }))
    }
}
