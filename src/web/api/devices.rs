//! Devices seen on the LAN, for administrators.

use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::{
    caller::Caller,
    lists::{all, done},
};
use crate::{
    Error,
    accounts::DeviceChange,
    ids::{LanDeviceId, UserId},
    web::{Handles, failure::Answer},
};

/// A change; what is left out stays. A user of null is the household.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Change {
    name: Option<String>,
    blocked: Option<bool>,
    numbers_titles: Option<bool>,
    hides_length: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    user: Option<Bound>,
}

/// Whom a device shall act as.
enum Bound {
    Household,
    User(String),
}

/// Tells null, which is the household, from absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bound>, D::Error> {
    let user = Option::<String>::deserialize(from)?;
    Ok(Some(user.map_or(Bound::Household, Bound::User)))
}

/// GET /devices
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let devices = of.accounts.devices(&caller.principal).await?;
    Ok(all(devices.into_iter().map(|one| {
        json!({
            "id": one.id.to_string(), "address": one.address, "userAgent": one.user_agent,
            "name": one.name, "blocked": one.blocked_at.is_some(),
            "numbersTitles": one.options.numbers_titles, "hidesLength": one.options.hides_length,
            "user": one.user.map(|(id, _)| id.to_string()), "seenAt": one.seen_at,
        })
    })))
}

/// PATCH /devices/ID
pub(super) async fn change(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    change: Json<Change>,
) -> Answer {
    let id = LanDeviceId::parse(&id).ok_or(Error::NotFound("Device"))?;
    let change = change.into_inner();
    let user = match change.user {
        None => None,
        Some(Bound::Household) => Some(None),
        Some(Bound::User(user)) => Some(Some(UserId::parse(&user).ok_or(Error::NotFound("User"))?)),
    };
    let Change { name, blocked: is_blocked, numbers_titles, hides_length, .. } = change;
    let change = DeviceChange { name, is_blocked, user, numbers_titles, hides_length };
    of.accounts.update_device(&caller.principal, id, &change).await?;
    Ok(done())
}
