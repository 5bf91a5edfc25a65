//! The two cookies: the session, and the one that ties a form to the browser that got it.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::OffsetDateTime},
};

use super::caller::{COOKIE, SECURE_COOKIE};
use crate::{
    Error, Result,
    accounts::SessionCookie,
    web::{guard, pages::is_secure},
};

const FORM: &str = "tl_form";

/// Sets the session, or takes it away.
pub(in crate::web) fn set_session(
    request: &HttpRequest,
    answer: &mut HttpResponse,
    session: Option<&SessionCookie>,
) -> Result<()> {
    let secure = is_secure(request);
    let mut cookie = Cookie::build(
        if secure { SECURE_COOKIE } else { COOKIE },
        session.map_or(String::new(), |session| session.value.clone()),
    )
    .path("/")
    .http_only(true)
    .secure(secure)
    .same_site(SameSite::Strict)
    .finish();
    match session {
        None => cookie.make_removal(),
        Some(session) => {
            let end = OffsetDateTime::from_unix_timestamp(session.expires_at / 1000);
            cookie.set_expires(end.map_err(Error::internal)?);
        }
    }
    answer.add_cookie(&cookie).map_err(Error::internal)
}

/// The cookie of this browser's forms if it has none yet, and the token that forms carry with it.
pub(in crate::web) fn form_cookie(request: &HttpRequest) -> (Option<Cookie<'static>>, String) {
    if let Some(value) = form_token(request) {
        return (None, guard::csrf_token(&value));
    }
    let value = hex::encode(rand::random::<[u8; 16]>());
    let token = guard::csrf_token(&value);
    let cookie = Cookie::build(FORM, value)
        .path("/")
        .http_only(true)
        .secure(is_secure(request))
        .same_site(SameSite::Strict)
        .finish();
    (Some(cookie), token)
}

/// What the form cookie holds.
pub(in crate::web) fn form_token(request: &HttpRequest) -> Option<String> {
    request.cookie(FORM).map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty())
}
