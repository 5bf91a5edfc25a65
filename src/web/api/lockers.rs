//! Where one may put files, and how much room is left.

use actix_web::web::Data;
use serde_json::{Value, json};

use super::{caller::Caller, lists::all};
use crate::{
    accounts::{Locker, LockerKind, Usage},
    web::{Handles, failure::Answer},
};

/// GET /lockers
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let lockers = of.accounts.lockers(&caller.principal).await?;
    Ok(all(lockers.iter().map(shape)))
}

/// A locker as the panel shows it.
pub(super) fn shape(locker: &Locker) -> Value {
    let mut shape = usage(&locker.usage);
    shape["id"] = json!(locker.id.to_string());
    shape["name"] = json!(locker.name);
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
