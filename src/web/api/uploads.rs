//! Resumable uploads by tus 1.0.0 (<https://tus.io/protocols/resumable-upload>): core, creation,
//! creation-with-upload, creation-defer-length, expiration, checksum, termination, concatenation. `Upload-Metadata` says
//! where a file goes: `path` (or `relativePath`, `filename`, `name`), `locker` (`me`, `household`
//! or an id), `ifAbsent` (`true`: never replace) and `unpack` (`true`: an archive, whose contents go
//! into the folder of the path; `Tunelocker-Import` names the import that tells of them).

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue, HttpDate},
    },
    middleware::DefaultHeaders,
    web::{self, Data, Path, Payload, ServiceConfig},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::{
    caller::Caller,
    files::{name_invalid, place_id, place_of, refused},
    uploader::Uploader,
};
use crate::{
    Error, Result,
    accounts::Principal,
    clock::Millis,
    drive::{
        Appended, Checksum, Condition, NewUpload, RelativePath, Stored, UploadForm, UploadState,
    },
    web::{
        Handles,
        failure::{Answer, Failure},
    },
};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation";
const BODY: &str = "application/offset+octet-stream";
/// tus: "Checksum Mismatch".
const WRONG_CHECKSUM: u16 = 460;
/// Metadata is kept and given back, so it has an end.
const LONGEST_METADATA: usize = 8192;
/// What a page of another origin may send and read; it has to bring its own credential.
const SENT: &str = "Authorization,Content-Type,Tus-Resumable,Upload-Length,Upload-Offset,Upload-Defer-Length,Upload-Metadata,Upload-Concat,Upload-Checksum,X-HTTP-Method-Override,X-Requested-With";
const READ: &str = "Location,Tus-Resumable,Tus-Version,Tus-Extension,Tus-Checksum-Algorithm,Upload-Offset,Upload-Length,Upload-Defer-Length,Upload-Metadata,Upload-Expires,Upload-Concat,ETag,Retry-After,Tunelocker-Import";

/// The routes below `/api/v1/uploads`.
pub(super) fn configure(routes: &mut ServiceConfig) {
    let always = DefaultHeaders::new()
        .add(("Tus-Resumable", VERSION))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .add((header::ACCESS_CONTROL_EXPOSE_HEADERS, READ));
    routes.service(
        web::scope("/uploads")
            .wrap(always)
            .route("", web::method(Method::OPTIONS).to(options))
            .route("", web::post().to(create))
            .route("/{id}", web::method(Method::OPTIONS).to(options))
            .route("/{id}", web::to(one)),
    );
}

/// OPTIONS: what we can; needs no credential, as preflights bring none.
async fn options() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header(("Tus-Version", VERSION))
        .insert_header(("Tus-Extension", EXTENSIONS))
        .insert_header(("Tus-Checksum-Algorithm", Checksum::ALGORITHMS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST,HEAD,PATCH,DELETE,OPTIONS"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, SENT))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"))
        .finish()
}

/// POST /uploads
async fn create(
    request: HttpRequest,
    uploader: Uploader,
    of: Data<Handles>,
    body: Payload,
) -> Answer {
    let Uploader { caller, is_shop } = uploader;
    if let Some(answer) = wrong_version(&request) {
        return Ok(answer);
    }
    let metadata = text(&request, "upload-metadata").unwrap_or_default();
    let wish = Wish::parse(metadata)?;
    let concat = text(&request, "upload-concat").unwrap_or_default();
    // What a shop sends is a part until a delivery names it, whatever its client calls it.
    let is_part = concat == "partial" || is_shop;
    if is_shop && concat.starts_with("final") {
        let sentence = "What a delivery key sent is joined by the delivery that names it";
        return Err(Error::Forbidden(sentence.to_owned()).into());
    }
    let path = match wish.path.as_deref().filter(|_| !is_part).map(RelativePath::parse) {
        Some(Err(problem)) => return Ok(name_invalid(&problem)),
        Some(Ok(path)) => Some(path),
        None if is_part => None,
        None => return Err(invalid("Upload-Metadata has to say the path or filename").into()),
    };
    let at = place_of(&caller, &of, wish.locker.as_deref().filter(|_| !is_shop)).await?;
    let path = path.map(|path| path.below(&at.base));
    if let Some(path) = &path
        && !request.query_string().split('&').any(|pair| pair == "despiteLock=true")
    {
        of.drive.refuse_own_lock(&caller.principal, at.locker, path).await?;
    }
    let condition = if wish.only_new { Condition::Absent } else { Condition::None };
    let mut new =
        NewUpload { path, locker: at.locker, condition, length: 0, metadata: metadata.to_owned() };
    let condition = new.condition.clone();

    if let Some(parts) = concat.strip_prefix("final;") {
        if wish.unpacks {
            return Err(invalid("What is joined from parts is not unpacked").into());
        }
        let ids: Vec<String> = parts.split(' ').filter_map(id_of).collect();
        return Ok(match of.drive.join_uploads(&caller.principal, &new, &ids, concat).await {
            Ok((id, stored)) => {
                let mut answer = HttpResponse::Created();
                answer.insert_header((header::LOCATION, place(&id)));
                with_stored(&mut answer, &stored).finish()
            }
            Err(error) => refused(error, &condition),
        });
    }
    if !matches!(concat, "" | "partial") {
        return Err(invalid("Upload-Concat is partial or final;...").into());
    }
    let is_deferred = text(&request, "upload-defer-length") == Some("1");
    new.length = match text(&request, "upload-length").map(str::parse) {
        None if is_deferred && !is_part => 0,
        Some(Ok(length)) if !is_deferred => length,
        _ => return Err(invalid("Upload-Length is missing, or no number").into()),
    };
    let form = UploadForm { is_deferred, unpacks: wish.unpacks };
    let state = match of.drive.create_upload_of(&caller.principal, &new, form).await {
        Ok(state) => state,
        Err(error) => return Ok(refused(error, &condition)),
    };
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, place(&state.id)));
    answer.insert_header(("Upload-Expires", date(state.expires_at)));
    let has_body = text(&request, "content-type") == Some(BODY);
    // What has no bytes is whole at once.
    if !has_body && (0 < new.length || is_part || is_deferred) {
        return Ok(answer.insert_header(("Upload-Offset", "0")).finish());
    }
    let checksum = match has_body.then(|| checksum(&request)).transpose()?.flatten() {
        Some(Err(answer)) => return Ok(answer),
        Some(Ok(checksum)) => Some(checksum),
        None => None,
    };
    let body = if has_body { Some(body) } else { None };
    let appended = append(&of, &caller.principal, &state.id, 0, checksum, body).await;
    match appended {
        Ok(appended) => told(answer, appended, &state.id, &caller, &of).await,
        Err(error) => Ok(refused(error, &condition)),
    }
}

/// HEAD, PATCH, DELETE /uploads/ID; POST with `X-HTTP-Method-Override`.
async fn one(
    request: HttpRequest,
    uploader: Uploader,
    of: Data<Handles>,
    id: Path<String>,
    body: Payload,
) -> Answer {
    if let Some(answer) = wrong_version(&request) {
        return Ok(answer);
    }
    let method = match text(&request, "x-http-method-override") {
        Some(method) if request.method() == Method::POST => method,
        _ => request.method().as_str(),
    };
    let id = id.into_inner();
    uploader.require(&of, &id).await?;
    let caller = uploader.caller;
    match method {
        "HEAD" => Ok(shown(&of.drive.upload(&caller.principal, &id).await?)),
        "DELETE" => {
            of.drive.terminate_upload(&caller.principal, &id).await?;
            Ok(HttpResponse::NoContent().finish())
        }
        "PATCH" => patch(&request, caller, &of, id, body).await,
        _ => Ok(HttpResponse::MethodNotAllowed()
            .insert_header((header::ALLOW, "HEAD, PATCH, DELETE, OPTIONS"))
            .finish()),
    }
}

async fn patch(
    request: &HttpRequest,
    caller: Caller,
    of: &Handles,
    id: String,
    body: Payload,
) -> Answer {
    if text(request, "content-type") != Some(BODY) {
        return Ok(HttpResponse::UnsupportedMediaType().finish());
    }
    let offset = text(request, "upload-offset")
        .and_then(|offset| offset.parse().ok())
        .ok_or_else(|| invalid("Upload-Offset is missing, or no number"))?;
    let checksum = match checksum(request)? {
        Some(Err(answer)) => return Ok(answer),
        Some(Ok(checksum)) => Some(checksum),
        None => None,
    };
    if let Some(length) = text(request, "upload-length") {
        let length = length.parse().map_err(|_| invalid("Upload-Length is no number"))?;
        of.drive.set_upload_length(&caller.principal, &id, length).await?;
    }
    match append(of, &caller.principal, &id, offset, checksum, Some(body)).await {
        Ok(appended) => told(HttpResponse::NoContent(), appended, &id, &caller, of).await,
        // Only who wants nothing to be there is told of a file that is.
        Err(error) => Ok(refused(error, &Condition::Absent)),
    }
}

/// Hands the body on to a task that comes to its end whatever the client does.
async fn append(
    of: &Handles,
    principal: &Principal,
    id: &str,
    offset: u64,
    checksum: Option<Checksum>,
    body: Option<Payload>,
) -> Result<Appended> {
    let (tell, told) = mpsc::channel::<Bytes>(8);
    let (principal, id) = (principal.clone(), id.to_owned());
    let appending =
        tokio::spawn(of.drive.clone().append_upload(principal, id, offset, checksum, told));
    if let Some(mut body) = body {
        // A body that breaks off ends like any other: what came is kept.
        while let Some(Ok(piece)) = body.next().await {
            if tell.send(piece).await.is_err() {
                break;
            }
        }
    }
    drop(tell);
    appending.await?
}

async fn told(
    mut answer: actix_web::HttpResponseBuilder,
    appended: Appended,
    id: &str,
    caller: &Caller,
    of: &Handles,
) -> Answer {
    Ok(match appended {
        Appended::More(offset) => {
            answer.insert_header(("Upload-Offset", offset.to_string())).finish()
        }
        Appended::Done(stored) => with_stored(&mut answer, &stored).finish(),
        Appended::Archive(size) => {
            let state = of.drive.upload(&caller.principal, id).await?;
            let wish = Wish::parse(&state.metadata)?;
            let place = place_of(caller, of, wish.locker.as_deref()).await?;
            let folder = wish.path.as_deref().and_then(|path| path.rsplit_once('/'));
            let shown = (place_id(&place), folder.map_or("", |(folder, _)| folder));
            let shown = (shown.0.as_str(), shown.1);
            let import = of.imports.unpack_upload(&caller.principal, id, shown).await?;
            answer
                .insert_header(("Upload-Offset", size.to_string()))
                .insert_header(("Tunelocker-Import", import.id.to_string()))
                .finish()
        }
        Appended::WrongChecksum => {
            // 460 has no name in HTTP; every number of three digits is a status.
            let status = StatusCode::from_u16(WRONG_CHECKSUM).unwrap_or(StatusCode::CONFLICT);
            let detail = "The bytes do not have the announced checksum";
            let mut answer = HttpResponse::build(status);
            answer.reason("Checksum Mismatch").content_type("application/problem+json").body(
                serde_json::json!({ "type": "checksum_mismatch", "status": WRONG_CHECKSUM, "detail": detail })
                    .to_string(),
            )
        }
    })
}

fn with_stored<'a>(
    answer: &'a mut actix_web::HttpResponseBuilder,
    stored: &Stored,
) -> &'a mut actix_web::HttpResponseBuilder {
    answer
        .insert_header(("Upload-Offset", stored.size.to_string()))
        .insert_header((header::ETAG, format!("\"{}\"", stored.etag)))
}

fn shown(state: &UploadState) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header(("Upload-Offset", state.offset.to_string()))
        .insert_header(("Upload-Expires", date(state.expires_at)));
    answer.insert_header(if state.is_deferred {
        ("Upload-Defer-Length", "1".to_owned())
    } else {
        ("Upload-Length", state.length.to_string())
    });
    if !state.metadata.is_empty() {
        answer.insert_header(("Upload-Metadata", state.metadata.clone()));
    }
    if state.is_part {
        answer.insert_header(("Upload-Concat", "partial"));
    } else if !state.parts.is_empty() {
        answer.insert_header(("Upload-Concat", state.parts.clone()));
    }
    if let Some(etag) = &state.etag {
        answer.insert_header((header::ETAG, format!("\"{etag}\"")));
    }
    answer.finish()
}

/// The answer to a client of another version of the protocol.
fn wrong_version(request: &HttpRequest) -> Option<HttpResponse> {
    (text(request, "tus-resumable") != Some(VERSION)).then(|| {
        HttpResponse::PreconditionFailed().insert_header(("Tus-Version", VERSION)).finish()
    })
}

/// `Upload-Checksum: algorithm base64`; the inner error answers an algorithm that we lack.
fn checksum(request: &HttpRequest) -> Result<Option<Result<Checksum, HttpResponse>>> {
    let Some(value) = text(request, "upload-checksum") else { return Ok(None) };
    let (algorithm, sum) = value
        .split_once(' ')
        .ok_or_else(|| invalid("Upload-Checksum is an algorithm and a sum"))?;
    let sum = STANDARD.decode(sum.trim()).map_err(|_| invalid("Upload-Checksum is not base64"))?;
    Ok(Some(Checksum::new(algorithm, sum).ok_or_else(|| {
        Failure(invalid("This server does not know that checksum")).error_response()
    })))
}

/// What `Upload-Metadata` asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    path: Option<String>,
    locker: Option<String>,
    only_new: bool,
    unpacks: bool,
}

impl Wish {
    /// `key base64,key base64,...`; a value may be missing.
    fn parse(metadata: &str) -> Result<Self> {
        if LONGEST_METADATA < metadata.len() {
            return Err(invalid("Upload-Metadata is too long"));
        }
        let mut pairs = Vec::new();
        for pair in metadata.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value =
                STANDARD.decode(value.trim()).ok().and_then(|it| String::from_utf8(it).ok());
            pairs.push((
                key,
                value.ok_or_else(|| invalid("Upload-Metadata is not base64 of UTF-8"))?,
            ));
        }
        let of = |key: &str| {
            let found = pairs.iter().find(|(each, _)| *each == key);
            found
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty() && value != "null")
        };
        Ok(Self {
            path: ["path", "relativePath", "filename", "name"].into_iter().find_map(of),
            locker: of("locker"),
            only_new: of("ifAbsent").as_deref() == Some("true"),
            unpacks: of("unpack").as_deref() == Some("true"),
        })
    }
}

/// As HTTP writes dates.
fn date(at: Millis) -> HttpDate {
    let since = std::time::Duration::from_millis(at.max(0).unsigned_abs());
    HttpDate::from(std::time::SystemTime::UNIX_EPOCH + since)
}

fn place(id: &str) -> String {
    format!("/api/v1/uploads/{id}")
}

/// The id at the end of an upload's address, whole or a path.
fn id_of(address: &str) -> Option<String> {
    let id = address.trim().trim_end_matches('/').rsplit('/').next()?;
    (!id.is_empty()).then(|| id.to_owned())
}

fn text<'a>(request: &'a HttpRequest, name: &'static str) -> Option<&'a str> {
    let value: &HeaderValue = request.headers().get(HeaderName::from_static(name))?;
    value.to_str().ok().map(str::trim)
}

fn invalid(text: &str) -> Error {
    Error::Invalid(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_says_where_a_file_goes() {
        let encoded = |text: &str| STANDARD.encode(text);
        let line = format!(
            "filename {},path {},locker {},ifAbsent {},empty",
            encoded("b.mp3"),
            encoded("Ä/b.mp3"),
            encoded("household"),
            encoded("true")
        );
        let wish = Wish::parse(&line).unwrap();
        let expected = Wish {
            path: Some("Ä/b.mp3".to_owned()),
            locker: Some("household".to_owned()),
            only_new: true,
            unpacks: false,
        };
        assert_eq!(wish, expected);
        let relative = format!("relativePath {},filename {}", encoded("null"), encoded("x"));
        assert_eq!(Wish::parse(&relative).unwrap().path.as_deref(), Some("x"));
        assert_eq!(Wish::parse("").unwrap(), Wish::default());
        assert!(Wish::parse("path !!!").is_err());
        assert!(Wish::parse(&format!("path {}", STANDARD.encode([0xFF]))).is_err());
    }

    #[test]
    fn parts_are_named_by_address_or_path() {
        for address in ["/api/v1/uploads/ab12", "http://box:4040/api/v1/uploads/ab12", "ab12"] {
            assert_eq!(id_of(address).as_deref(), Some("ab12"), "{address}");
        }
        assert_eq!(id_of(""), None);
    }
}
