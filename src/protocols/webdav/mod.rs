//! WebDAV, classes 1 and 2 (RFC 4918), with quotas (RFC 4331), below `/dav/`: lockers and shared
//! folders as a drive of Windows, macOS, GNOME, rclone or davfs2. Reading order: [`address`],
//! [`headers`] and [`if_header`] take a request apart; [`call`] is one request of somebody known;
//! [`guard`] judges conditions and locks; the files named after methods answer; [`failure`] and
//! [`multistatus`] spell.
//!
//! This is our own and no crate's: what is ready-made reads XML by recursion (a small request ends
//! the process), keeps locks in memory alone, and knows neither quotas to the byte nor our entity
//! tags. All bytes go through the same services as everywhere else.

mod address;
mod bodies;
mod call;
mod collections;
mod copy_move;
mod failure;
#[doc(hidden)]
pub mod fuzz;
mod get;
mod guard;
mod headers;
mod if_header;
mod locking;
mod multistatus;
mod names;
mod properties;
mod propfind;
mod proppatch;
mod put;

use actix_web::{
    HttpRequest, HttpResponse, guard as only,
    http::{Method, StatusCode, header},
    web::{self, Data, Payload, ServiceConfig},
};

use self::{
    call::Call,
    failure::{Answer, Failure},
};
use crate::{accounts::Accounts, clock::Clock, drive::Drive, playback::Playback};

/// Every method of this face.
const ALLOW: &str =
    "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK";

/// The services behind this face. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Services {
    /// Who may do what.
    pub accounts: Accounts,
    /// What is kept.
    pub drive: Drive,
    /// What counts music that is fetched.
    pub playback: Playback,
    /// What time it is.
    pub clock: Clock,
    /// The address that people use, if the operator named one.
    pub public_url: Option<String>,
}

/// Adds the routes.
pub fn configure(routes: &mut ServiceConfig, services: &Services) {
    // Windows asks the root of the server what it can do before it looks below.
    let root = web::resource("/").guard(only::Options()).to(|| async { options() });
    let dav = web::scope(address::ROOT)
        .app_data(Data::new(services.clone()))
        .default_service(web::to(serve));
    routes.service(root).service(dav);
}

async fn serve(request: HttpRequest, body: Payload, services: Data<Services>) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return options();
    }
    let answer = answer(&request, body, &services).await;
    answer.unwrap_or_else(|failure| {
        // Bytes of a file that nobody wants are not waited for.
        let is_unread = request.method() == Method::PUT && headers::has_body(request.headers());
        if is_unread { failure.closing().answer() } else { failure.answer() }
    })
}

fn options() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("DAV", "1, 2"))
        // Without it, Office and Windows speak FrontPage first.
        .insert_header(("MS-Author-Via", "DAV"))
        .insert_header((header::ALLOW, ALLOW))
        .finish()
}

async fn answer(request: &HttpRequest, body: Payload, services: &Services) -> Answer {
    let call = Call::open(request, services).await?;
    let method = request.method().as_str();
    let has_body = headers::has_body(request.headers());
    if has_body && !matches!(method, "PUT" | "PROPFIND" | "PROPPATCH" | "LOCK") {
        let sentence = "This method takes no body";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence).closing());
    }
    match method {
        "GET" | "HEAD" => get::serve(&call).await,
        "PUT" => put::serve(&call, body).await,
        "DELETE" => collections::delete(&call).await,
        "MKCOL" => collections::make(&call).await,
        "PROPFIND" => propfind::serve(&call, &bodies::receive(body).await?).await,
        "PROPPATCH" => proppatch::serve(&call, &bodies::receive(body).await?).await,
        "COPY" => copy_move::copy(&call).await,
        "MOVE" => copy_move::relocate(&call).await,
        "LOCK" => locking::lock(&call, &bodies::receive(body).await?).await,
        "UNLOCK" => locking::unlock(&call).await,
        _ => Ok(HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, ALLOW)).finish()),
    }
}
