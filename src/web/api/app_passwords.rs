//! One secret an app.

use actix_web::{
    HttpResponse,
    http::header,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    caller::Caller,
    lists::{all, done},
};
use crate::{
    Error,
    ids::AppPasswordId,
    web::{Handles, failure::Answer},
};

/// What to call it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    label: String,
}

/// GET /app-passwords
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let passwords = of.accounts.app_passwords(&caller.principal).await?;
    Ok(all(passwords.into_iter().map(|one| {
        json!({
            "id": one.id.to_string(), "label": one.label, "createdAt": one.created_at,
            "usedAt": one.used_at, "usedBy": one.used_by, "usedFrom": one.used_from,
        })
    })))
}

/// POST /app-passwords: the only answer that ever holds the secret.
pub(super) async fn create(caller: Caller, of: Data<Handles>, new: Json<New>) -> Answer {
    let made = of.accounts.create_app_password(&caller.principal, &new.label).await?;
    let body = json!({ "id": made.id.to_string(), "secret": made.secret });
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(body))
}

/// DELETE /app-passwords/ID
pub(super) async fn revoke(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = AppPasswordId::parse(&id).ok_or(Error::NotFound("App password"))?;
    of.accounts.revoke_app_password(&caller.principal, id).await?;
    Ok(done())
}
