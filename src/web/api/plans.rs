//! Plans, for administrators.

use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    caller::Caller,
    lists::{all, done, sent},
};
use crate::{
    accounts::{Caps, PlanChange},
    web::{Handles, failure::Answer},
};

/// What a plan is to be; what is left out stays. A quota of null is no limit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    label: Option<String>,
    /// Bytes. A new plan needs it.
    #[serde(default, deserialize_with = "sent")]
    quota: Option<Option<u64>>,
    limits: Option<Limits>,
}

/// Ceilings of playing; null is no limit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Limits {
    /// kbit/s.
    bitrate: Option<u32>,
    /// At once.
    streams: Option<u32>,
    /// At once.
    transcodes: Option<u32>,
    /// Bytes of streams a day.
    #[serde(default)]
    day_bytes: Option<u64>,
    /// Bytes of streams a month.
    #[serde(default)]
    month_bytes: Option<u64>,
    /// All streams of a user together, kbit/s.
    #[serde(default)]
    rate: Option<u32>,
}

/// GET /plans
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    caller.principal.require_admin()?;
    let plans = of.accounts.plans(&caller.principal).await?;
    Ok(all(plans.into_iter().map(|plan| {
        let limits = Limits {
            bitrate: plan.caps.max_bitrate_kbps,
            streams: plan.caps.max_streams,
            transcodes: plan.caps.max_transcodes,
            day_bytes: plan.caps.day_bytes,
            month_bytes: plan.caps.month_bytes,
            rate: plan.caps.rate_kbps,
        };
        json!({
            "name": plan.name, "label": plan.label, "quota": plan.quota, "users": plan.users,
            "limits": limits,
        })
    })))
}

/// PUT /plans/NAME
pub(super) async fn set(
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
    wanted: Json<Wanted>,
) -> Answer {
    let wanted = wanted.into_inner();
    let caps = wanted.limits.map(|limits| Caps {
        max_bitrate_kbps: limits.bitrate,
        max_streams: limits.streams,
        max_transcodes: limits.transcodes,
        day_bytes: limits.day_bytes,
        month_bytes: limits.month_bytes,
        rate_kbps: limits.rate,
    });
    let change = PlanChange { label: wanted.label, quota: wanted.quota, caps };
    of.accounts.set_plan(&caller.principal, &name, &change).await?;
    Ok(done())
}

/// DELETE /plans/NAME
pub(super) async fn remove(caller: Caller, of: Data<Handles>, name: Path<String>) -> Answer {
    of.accounts.remove_plan(&caller.principal, &name).await?;
    Ok(done())
}
