//! Who calls the API: the one extractor of its credentials. A session cookie (changes only from
//! our own pages), or Basic or Bearer with an app password for scripts. The judging is done by
//! `accounts`.

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web::Data,
};
use futures_util::future::LocalBoxFuture;

use crate::{
    Error, Result,
    accounts::{Credentials, Principal},
    error::AuthFailure,
    http::{credentials, origin},
    web::{Handles, failure::Failure, guard},
};

/// The session's cookie over plain http, where `__Host-` would be refused by browsers.
pub(in crate::web) const COOKIE: &str = "tl_session";
/// The session's cookie over https.
pub(in crate::web) const SECURE_COOKIE: &str = "__Host-tl_session";
/// Where our pages put the token that proves them ours.
pub(in crate::web) const CSRF_HEADER: &str = "X-CSRF-Token";

/// A caller that `accounts` knows.
#[derive(Debug, Clone)]
pub(in crate::web) struct Caller {
    /// Whom the request acts for.
    pub(in crate::web) principal: Principal,
    /// The session's cookie, if that is what it came with.
    pub(in crate::web) cookie: Option<String>,
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(recognise(&request).await?) })
    }
}

async fn recognise(request: &HttpRequest) -> Result<Caller> {
    let handles = request
        .app_data::<Data<Handles>>()
        .ok_or_else(|| Error::Unavailable("The server is starting".to_owned()))?;
    let origin = origin(request);
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let given = value.to_str().ok().and_then(credentials).ok_or(AuthFailure::Wrong)?;
        let principal = handles.accounts.authenticate(given, &origin).await?;
        return Ok(Caller { principal, cookie: None });
    }
    let cookie = session_cookie(request).ok_or(AuthFailure::Missing)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        let token = request.headers().get(CSRF_HEADER).and_then(|token| token.to_str().ok());
        guard::same_site(request, &cookie, token)?;
    }
    let credentials = Credentials::Session(cookie.clone());
    let principal = handles.accounts.authenticate(credentials, &origin).await?;
    Ok(Caller { principal, cookie: Some(cookie) })
}

/// The value of the session's cookie.
pub(in crate::web) fn session_cookie(request: &HttpRequest) -> Option<String> {
    let cookie = request.cookie(SECURE_COOKIE).or_else(|| request.cookie(COOKIE))?;
    Some(cookie.value().to_owned())
}
