//! Who calls the API: the one extractor of its credentials. A session cookie (changes only from
//! our own pages), or Basic or Bearer with an app password for scripts. The judging is done by
//! `accounts`.

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web::Data,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::LocalBoxFuture;

use crate::{
    Error, Result,
    accounts::{Credentials, Principal},
    error::AuthFailure,
    http::origin,
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
        let credentials = value.to_str().ok().and_then(parse).ok_or(AuthFailure::Wrong)?;
        let principal = handles.accounts.authenticate(credentials, &origin).await?;
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

/// `Basic` takes name and login or app password; `Bearer` an app password alone.
fn parse(authorization: &str) -> Option<Credentials> {
    let (scheme, value) = authorization.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::ApiKey(value.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some(Credentials::Password { user: user.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_headers() {
        let basic = format!("Basic {}", STANDARD.encode("ann:a:b"));
        let Some(Credentials::Password { user, password }) = parse(&basic) else { panic!() };
        assert_eq!((user.as_str(), password.as_str()), ("ann", "a:b"));
        let Some(Credentials::ApiKey(key)) = parse("bearer  abcd") else { panic!() };
        assert_eq!(key, "abcd");
        for wrong in ["", "Basic", "Basic ???", "Digest x", "Basic YW5u"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
