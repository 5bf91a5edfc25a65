//! The chat of the house, and pictures of its people.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, Json, Path},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    caller::Caller,
    lists::{all, done},
};
use crate::{
    clock::Millis,
    web::{Handles, failure::Answer, pictures, query::Query},
};

/// What was said since when.
#[derive(Deserialize)]
pub(super) struct Since {
    #[serde(default)]
    since: Millis,
}

/// Something to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    message: String,
}

/// GET /chat
pub(super) async fn list(caller: Caller, of: Data<Handles>, query: Query<Since>) -> Answer {
    let messages = of.accounts.chat(&caller.principal, query.since).await?;
    Ok(all(messages
        .iter()
        .map(|one| json!({ "user": one.user_name, "avatar": one.avatar_changed_at, "at": one.at, "message": one.message }))))
}

/// POST /chat
pub(super) async fn say(caller: Caller, of: Data<Handles>, message: Json<Message>) -> Answer {
    of.accounts.say(&caller.principal, &message.message).await?;
    Ok(done())
}

/// GET /avatars/NAME
pub(super) async fn avatar(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
) -> Answer {
    let picture = of.catalog.avatar(&caller.principal, &name).await?;
    Ok(pictures::send(&request, picture, pictures::Keep::Ask))
}

/// PUT /avatar
pub(super) async fn set_avatar(caller: Caller, of: Data<Handles>, picture: Bytes) -> Answer {
    of.catalog.set_avatar(&caller.principal, picture).await?;
    Ok(done())
}

/// DELETE /avatar
pub(super) async fn remove_avatar(caller: Caller, of: Data<Handles>) -> Answer<HttpResponse> {
    of.catalog.remove_avatar(&caller.principal).await?;
    Ok(done())
}
