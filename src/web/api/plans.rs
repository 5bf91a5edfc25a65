//! Plans, for administrators.

use actix_web::web::{Data, Json, Path};
use serde::Deserialize;
use serde_json::json;

use super::{
    caller::Caller,
    lists::{all, done},
};
use crate::{
    accounts::PlanChange,
    web::{Handles, failure::Answer},
};

/// What a plan is to be. A quota of null is no limit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    label: Option<String>,
    quota: Option<u64>,
}

/// GET /plans
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    caller.principal.require_admin()?;
    let plans = of.accounts.plans(&caller.principal).await?;
    Ok(all(plans.into_iter().map(|plan| {
        json!({ "name": plan.name, "label": plan.label, "quota": plan.quota, "users": plan.users })
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
    let change =
        PlanChange { label: wanted.label, quota: Some(wanted.quota), ..PlanChange::default() };
    of.accounts.set_plan(&caller.principal, &name, &change).await?;
    Ok(done())
}

/// DELETE /plans/NAME
pub(super) async fn remove(caller: Caller, of: Data<Handles>, name: Path<String>) -> Answer {
    of.accounts.remove_plan(&caller.principal, &name).await?;
    Ok(done())
}
