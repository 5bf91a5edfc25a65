//! Where one may put files, and how much room is left.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, done},
};
use crate::{
    Error,
    accounts::{Locker, LockerKind, Usage},
    web::{Handles, failure::Answer},
};

/// GET /lockers
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let lockers = of.accounts.lockers(&caller.principal).await?;
    Ok(all(lockers.iter().map(shape)))
}

/// Another plan for the household's locker.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    plan: String,
}

/// GET /household: how full the household's locker is, and its plan.
pub(super) async fn household(caller: Caller, of: Data<Handles>) -> Answer {
    let found = of.accounts.household_room(&caller.principal).await?;
    let found = found.ok_or(Error::NotFound("Household locker"))?;
    let mut shape = usage(&found.usage);
    shape["plan"] = json!(found.plan);
    Ok(HttpResponse::Ok().json(shape))
}

/// PUT /household {"plan"}
pub(super) async fn set_household(
    caller: Caller,
    of: Data<Handles>,
    wanted: Json<Wanted>,
) -> Answer {
    of.accounts.set_household_plan(&caller.principal, &wanted.plan).await?;
    Ok(done())
}

/// A locker as the panel shows it.
pub(super) fn shape(locker: &Locker) -> Value {
    let mut shape = usage(&locker.usage);
    shape["id"] = json!(locker.id.to_string());
    shape["name"] = json!(locker.name);
    shape["library"] = json!(locker.library.to_string());
    shape["kind"] = json!(match locker.kind {
        LockerKind::User => "user",
        LockerKind::Household => "household",
    });
    shape
}

/// Bytes; no quota is null.
pub(super) fn usage(usage: &Usage) -> Value {
    json!({
        "quota": usage.quota, "used": usage.used, "reserved": usage.reserved,
        "exempt": usage.exempt, "reclaimable": usage.reclaimable,
        "overSince": usage.over_since, "graceEnds": usage.grace_ends,
    })
}
