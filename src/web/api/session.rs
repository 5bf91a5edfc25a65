//! The person who is signed in, and the browsers where.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    caller::Caller,
    cookies::{form_token, set_session},
    lists::{all, done},
};
use crate::{
    accounts::{Role, UserChange},
    http,
    web::{Handles, failure::Answer, guard},
};

/// Name and password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    name: String,
    password: String,
}

/// What one changes of oneself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Profile {
    display_name: String,
}

/// The old password and the one to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passwords {
    old: String,
    new: String,
}

/// GET /session
pub(super) async fn show(caller: Caller, of: Data<Handles>) -> Answer {
    let user = of.accounts.user(&caller.principal, &caller.principal.name).await?;
    let shown = if user.display_name.is_empty() { &user.name } else { &user.display_name };
    let role = if user.role == Role::Admin { "admin" } else { "user" };
    let token = caller.cookie.as_deref().map(guard::csrf_token);
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({
        "user": { "id": user.id.to_string(), "name": user.name, "displayName": shown, "role": role,
            "avatar": user.avatar_changed_at,
            "may": { "share": user.abilities.share },
            "speakers": user.abilities.jukebox && of.jukebox.is_there() },
        "token": token,
        "version": env!("CARGO_PKG_VERSION"),
    })))
}

/// POST /session
pub(super) async fn sign_in(
    request: HttpRequest,
    of: Data<Handles>,
    fields: Json<SignIn>,
) -> Answer {
    // A JSON body can't come from a form of another site; the Origin is checked where there is one.
    if request.headers().contains_key(header::ORIGIN) {
        guard::same_site(&request, &form_token(&request).unwrap_or_default(), None)?;
    }
    let origin = http::origin(&request);
    let (session, _) = of.sign_in(fields.name.trim(), &fields.password, &origin).await?;
    let mut answer = done();
    set_session(&request, &mut answer, Some(&session))?;
    Ok(answer)
}

/// DELETE /session
pub(super) async fn sign_out(request: HttpRequest, caller: Caller, of: Data<Handles>) -> Answer {
    if let Some(cookie) = caller.cookie {
        of.accounts.sign_out(&cookie).await?;
    }
    let mut answer = done();
    set_session(&request, &mut answer, None)?;
    Ok(answer)
}

/// PATCH /session
pub(super) async fn rename(caller: Caller, of: Data<Handles>, profile: Json<Profile>) -> Answer {
    let change = UserChange {
        display_name: Some(profile.into_inner().display_name),
        ..UserChange::default()
    };
    of.accounts.update_user(&caller.principal, &caller.principal.name, &change).await?;
    Ok(done())
}

/// PUT /session/password: signs in anew, because every other session ends.
pub(super) async fn set_password(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    passwords: Json<Passwords>,
) -> Answer {
    let name = &caller.principal.name;
    let origin = http::origin(&request);
    of.accounts.sign_in(name, &passwords.old, &origin).await?;
    of.accounts.set_password(&caller.principal, name, &passwords.new).await?;
    let (session, _) = of.accounts.sign_in(name, &passwords.new, &origin).await?;
    let mut answer = done();
    set_session(&request, &mut answer, Some(&session))?;
    Ok(answer)
}

/// GET /sessions
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let sessions = of.accounts.sessions(&caller.principal).await?;
    Ok(all(sessions.into_iter().map(|one| {
        json!({ "id": one.id, "userAgent": one.user_agent, "address": one.address, "seenAt": one.seen_at })
    })))
}

/// DELETE /sessions/ID
pub(super) async fn end(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.accounts.end_session(&caller.principal, &id).await?;
    Ok(done())
}
