//! Subsonic 1.16.1 and OpenSubsonic under `/rest`. Reading order: [`routes`] is the table of
//! contents; [`call`] is one request; the files named after the sections of the specification
//! hold the methods; [`responses`] its types; [`reply`] and [`xml`] the spelling; [`failure`] the
//! refusals. Every answer is an envelope at HTTP 200; nothing here redirects or asks for a login.

mod album_song_lists;
mod bookmarks;
mod browsing;
mod call;
mod chat;
mod failure;
mod format;
#[doc(hidden)]
pub mod fuzz;
mod hls;
mod id;
mod images;
mod internet_radio;
mod jukebox;
mod long;
mod media_annotation;
mod media_library_scanning;
mod media_retrieval;
mod params;
mod playlists;
mod podcasts;
mod reply;
mod responses;
mod routes;
mod searching;
mod sharing;
mod system;
mod transcoding;
mod unoffered;
mod user_management;
mod xml;

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web::{self, Data, Payload, ServiceConfig},
};
use futures_util::StreamExt as _;

pub use call::Services;
pub use routes::methods;

use self::{
    call::{Answer, Call, dialect},
    failure::Failure,
    format::Format,
    params::Params,
    reply::Spelling,
    routes::Access,
};
use crate::http::own_address;

/// Where everything lies.
const ROOT: &str = "/rest";

/// Queues of twenty thousand ids come as forms (C30).
const LONGEST_FORM: usize = 16 << 20;

/// What a client says of itself is shorter.
const LONGEST_JSON: usize = 1 << 20;

/// How long a form may take to arrive.
const FORM_PATIENCE: Duration = Duration::from_mins(2);

/// Adds the routes.
pub fn configure(routes: &mut ServiceConfig, services: &Services) {
    // A plain prefix is found without any pattern.
    let rest = web::scope(ROOT)
        .app_data(Data::new(services.clone()))
        .service(
            web::resource("/image/{name}")
                .route(web::get().to(images::serve))
                .route(web::head().to(images::serve))
                .default_service(web::to(serve)),
        )
        .default_service(web::to(serve));
    routes.service(rest);
}

async fn serve(request: HttpRequest, body: Payload, services: Data<Services>) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return reply::preflight(request.headers());
    }
    let name = below_root(&request);
    if let Some(path) = name.strip_prefix(hls::BASE) {
        let mut response = hls::part(&request, &services, path).await;
        reply::allow_any_origin(response.headers_mut());
        return response;
    }
    let (body, trouble) = match posted(&request, body).await {
        Ok(body) => (body, None),
        Err(failure) => (Posted::Nothing, Some(failure)),
    };
    let (form, json) = match body {
        Posted::Nothing => (String::new(), Vec::new()),
        Posted::Form(form) => (form, Vec::new()),
        Posted::Json(json) => (String::new(), json),
    };
    let params = Params::read(request.query_string(), &form);
    let dialect = dialect(&request, &params);
    let (format, answer) = match (Format::of(&params), trouble) {
        (Err((format, failure)), _) | (Ok(format), Some(failure)) => (format, Err(failure)),
        (Ok(format), None) => {
            let answer = run(&request, &services, params, json, format.clone()).await;
            (format, answer)
        }
    };
    let mut response = answer.unwrap_or_else(|failure| {
        let help = failure.is_about_signing_in().then(|| help_url(&request));
        reply::failure(Spelling { format: &format, dialect }, &failure, help)
    });
    reply::allow_any_origin(response.headers_mut());
    reply::compress(response, request.method(), request.headers())
}

/// What stands behind [`ROOT`] in the address.
fn below_root(request: &HttpRequest) -> &str {
    request.path().strip_prefix(ROOT).unwrap_or_default().trim_start_matches('/')
}

async fn run(
    request: &HttpRequest,
    services: &Data<Services>,
    params: Params,
    json: Vec<u8>,
    format: Format,
) -> Answer {
    let name = below_root(request);
    let name = name.strip_suffix(".view").unwrap_or(name);
    match routes::find(name) {
        Some(Access::Anyone(method)) => {
            method(Spelling { format: &format, dialect: dialect(request, &params) })
        }
        Some(Access::Plain(method)) => {
            method(&Call::open(request, services, params, format).await?)
        }
        Some(Access::Known(method)) => {
            let mut call = Call::open(request, services, params, format).await?;
            call.json = json;
            method(&call).await
        }
        None => Err(Failure::generic(format!("There is no method {name:?} here"))),
    }
}

/// What came in a body.
enum Posted {
    Nothing,
    Form(String),
    Json(Vec<u8>),
}

/// The body of a form, or JSON; other bodies are left alone.
async fn posted(request: &HttpRequest, mut body: Payload) -> Result<Posted, Failure> {
    if request.method() != Method::POST {
        return Ok(Posted::Nothing);
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is = |wanted: &str| {
        kind.is_some_and(|kind| {
            kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
        })
    };
    let is_json = is("application/json");
    if !is_json && kind.is_some() && !is("application/x-www-form-urlencoded") {
        return Ok(Posted::Nothing);
    }
    let (longest, what) = if is_json {
        (LONGEST_JSON, "JSON is longer than 1 MiB")
    } else {
        (LONGEST_FORM, "form is longer than 16 MiB")
    };
    let read = async {
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| Failure::generic("The form did not arrive whole"))?;
            if longest < bytes.len() + piece.len() {
                return Err(Failure::generic(format!("The {what}")));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    };
    let bytes = tokio::time::timeout(FORM_PATIENCE, read)
        .await
        .map_err(|_| Failure::generic("The form took too long to arrive"))??;
    Ok(if is_json {
        Posted::Json(bytes)
    } else {
        Posted::Form(String::from_utf8_lossy(&bytes).into_owned())
    })
}

/// Where people make an app password: the panel, at the address that the app itself used.
fn help_url(request: &HttpRequest) -> String {
    format!("{}/connect", own_address(request))
}
