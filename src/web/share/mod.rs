//! `/s/TOKEN`: what somebody shares, for people without an account. Every request looks the share
//! up; a share that is not there (never was, expired, revoked) is one and the same page.

mod bytes;
mod page;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    cookie::{Cookie, SameSite, time::Duration},
    http::StatusCode,
    web::{Data, Form, Path, ServiceConfig, post},
};
use serde::Deserialize;

use super::{
    Handles,
    failure::{Answer, Failure},
    pages::is_secure,
};
use crate::{
    Error,
    catalog::{Door, Visit},
    error::AuthFailure,
    http::{origin, own_address, read},
};

/// Where a browser keeps that it gave the password; bound to the share's own path.
const COOKIE: &str = "tl_share";

/// Adds the routes.
pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .route("/s/{token}", read().to(show))
        .route("/s/{token}", post().to(unlock))
        .route("/s/{token}/cover", read().to(bytes::cover))
        .route("/s/{token}/download", read().to(bytes::download_all))
        .route("/s/{token}/tracks/{track}/cover", read().to(bytes::track_cover))
        .route("/s/{token}/tracks/{track}/stream", read().to(bytes::stream))
        .route("/s/{token}/tracks/{track}/download", read().to(bytes::download));
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Fields {
    password: String,
}

async fn show(request: HttpRequest, of: Data<Handles>, token: Path<String>) -> HttpResponse {
    match door(&request, &of, &token).await {
        Ok(Door::Open(visit)) => {
            if let Err(error) = of.shares.visited(&visit.share).await {
                tracing::warn!("cannot count a visit: {error:?}");
            }
            let address = of.shares.address(&visit.share, &own_address(&request));
            page::open(&visit, &address)
        }
        Ok(Door::Locked) => page::locked(&token, None, StatusCode::OK),
        Err(error) => refused(error),
    }
}

async fn unlock(
    request: HttpRequest,
    of: Data<Handles>,
    token: Path<String>,
    fields: Form<Fields>,
) -> Answer {
    let proof = match of.shares.unlock(&token, &fields.password, &origin(&request)).await {
        Ok(proof) => proof,
        Err(error @ Error::Unauthenticated(AuthFailure::Limited(_))) => {
            return Ok(page::locked(&token, Some(&error), StatusCode::TOO_MANY_REQUESTS));
        }
        Err(Error::Unauthenticated(_)) => {
            let wrong = Error::Invalid("That is not the password".to_owned());
            return Ok(page::locked(&token, Some(&wrong), StatusCode::UNAUTHORIZED));
        }
        Err(error) => return Ok(refused(error)),
    };
    let place = format!("/s/{}", *token);
    let cookie = Cookie::build(COOKIE, proof)
        .path(place.clone())
        .http_only(true)
        .secure(is_secure(&request))
        // A link in a message leads here from another site, so not Strict.
        .same_site(SameSite::Lax)
        .max_age(Duration::hours(12))
        .finish();
    let mut answer = super::pages::see(&place);
    answer.add_cookie(&cookie).map_err(Error::internal)?;
    Ok(answer)
}

/// What the address opens for this browser, judged anew.
async fn door(request: &HttpRequest, of: &Handles, token: &str) -> crate::Result<Door> {
    let proof = request.cookie(COOKIE);
    let proof = proof.as_ref().map(Cookie::value);
    of.shares.open(token, proof, &origin(request)).await
}

/// The share behind a request for bytes.
async fn visit(request: &HttpRequest, of: &Handles, token: &str) -> crate::Result<Box<Visit>> {
    match door(request, of, token).await? {
        Door::Open(visit) => Ok(visit),
        Door::Locked => Err(AuthFailure::Missing.into()),
    }
}

/// The one page for what is not there; everything else as it is.
fn refused(error: Error) -> HttpResponse {
    match error {
        Error::NotFound(_) => page::gone(),
        error => Failure(error).error_response(),
    }
}
