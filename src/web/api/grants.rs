//! What a quota is made of: grants, and the ledger that explains every figure. One's own, and for
//! administrators anybody's.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, done, sent},
    lockers,
};
use crate::{
    Error,
    accounts::{
        DeletionOrder, Gives, Grant, LedgerRow, Locker, LockerKind, NewGrant, QuotaParts,
        QuotaRules,
    },
    clock::Millis,
    drive::{Exempt, RelativePath},
    ids::{GrantId, LockerId},
    web::{Handles, failure::Answer, query::Query},
};

/// Rows of the ledger in one answer.
const MOST_ROWS: u32 = 200;

/// A grant to make: exactly one of `plan`, `tier` and `bytes`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct New {
    /// At least what this plan allows.
    plan: Option<String>,
    /// At least so many bytes in all.
    tier: Option<u64>,
    /// So many bytes more.
    bytes: Option<u64>,
    starts_at: Option<Millis>,
    /// Null has no end.
    ends_at: Option<Millis>,
    #[serde(default)]
    reason: String,
}

impl New {
    /// As the service takes it.
    pub(super) fn grant(self) -> Result<NewGrant, Error> {
        let gives = match (self.plan, self.tier, self.bytes) {
            (Some(plan), None, None) => Gives::Plan(plan),
            (None, Some(bytes), None) => Gives::Tier(bytes),
            (None, None, Some(bytes)) => Gives::Bytes(bytes),
            _ => {
                return Err(Error::Invalid(
                    "A grant gives one of: a plan, a tier in bytes, more bytes".to_owned(),
                ));
            }
        };
        let (starts_at, ends_at, reason) = (self.starts_at, self.ends_at, self.reason);
        Ok(NewGrant { gives, starts_at, ends_at, reason })
    }
}

/// Another end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Change {
    /// Null has no end.
    #[serde(default, deserialize_with = "sent")]
    ends_at: Option<Option<Millis>>,
}

/// Which part of the ledger.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// `me` (the default), `household`, or an id.
    locker: Option<String>,
    /// Somebody else's, for administrators.
    user: Option<String>,
    /// Rows before this one.
    before: Option<i64>,
    limit: Option<u32>,
}

/// What does not count.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exemption {
    /// The household's locker where no one is named.
    user: Option<String>,
    path: String,
    /// Null counts again.
    reason: Option<Exempt>,
}

/// In which order files would go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    order: DeletionOrder,
}

/// GET /storage: how full one's locker is, and what its quota is made of.
pub(super) async fn storage(caller: Caller, of: Data<Handles>) -> Answer {
    let locker = locker(&caller, &of, None).await?;
    let parts = of.accounts.quota_parts(&caller.principal, &caller.principal.name).await?;
    let mut shape = lockers::shape(&locker);
    shape["parts"] = parts_shape(&parts);
    Ok(HttpResponse::Ok().json(shape))
}

/// GET /users/NAME/storage: the same of anybody, for administrators.
pub(super) async fn storage_of(caller: Caller, of: Data<Handles>, name: Path<String>) -> Answer {
    let usage = of.accounts.usage_of(&caller.principal, &name).await?;
    let parts = of.accounts.quota_parts(&caller.principal, &name).await?;
    let mut shape = lockers::usage(&usage);
    shape["parts"] = parts_shape(&parts);
    Ok(HttpResponse::Ok().json(shape))
}

/// GET /users/NAME/grants
pub(super) async fn list(caller: Caller, of: Data<Handles>, name: Path<String>) -> Answer {
    let grants = of.accounts.grants(&caller.principal, &name).await?;
    Ok(all(grants.iter().map(shape)))
}

/// POST /users/NAME/grants
pub(super) async fn give(
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
    new: Json<New>,
) -> Answer {
    caller.principal.require_admin()?;
    let new = new.into_inner().grant()?;
    let id = of.accounts.give(&caller.principal, &name, &new).await?;
    Ok(HttpResponse::Created().json(json!({ "id": id.to_string() })))
}

/// PATCH /grants/ID
pub(super) async fn change(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    change: Json<Change>,
) -> Answer {
    let id = GrantId::parse(&id).ok_or(Error::NotFound("Grant"))?;
    if let Some(ends_at) = change.ends_at {
        of.accounts.end_grant_at(&caller.principal, id, ends_at).await?;
    }
    Ok(done())
}

/// DELETE /grants/ID
pub(super) async fn take_back(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = GrantId::parse(&id).ok_or(Error::NotFound("Grant"))?;
    of.accounts.take_back(&caller.principal, id).await?;
    Ok(done())
}

/// GET /ledger: why the figures are what they are, the latest first.
pub(super) async fn ledger(caller: Caller, of: Data<Handles>, part: Query<Part>) -> Answer {
    let locker: LockerId = match &part.user {
        Some(user) => of.accounts.locker_of_user(&caller.principal, user).await?,
        None => locker(&caller, &of, part.locker.as_deref()).await?.id,
    };
    let limit = part.limit.unwrap_or(50).clamp(1, MOST_ROWS);
    let rows = of.accounts.ledger(&caller.principal, locker, part.before, limit).await?;
    Ok(all(rows.iter().map(row)))
}

/// PUT /exempt: says of files that they do not count, or that they do.
pub(super) async fn exempt(caller: Caller, of: Data<Handles>, wish: Json<Exemption>) -> Answer {
    let locker = of.accounts.locker_of(&caller.principal, wish.user.as_deref()).await?;
    let path = RelativePath::called(&wish.path)?;
    let files = of.drive.set_exempt(&caller.principal, locker, &path, wish.reason).await?;
    Ok(HttpResponse::Ok().json(json!({ "files": files })))
}

/// GET /notices: what one is told about one's room.
pub(super) async fn notices(caller: Caller, of: Data<Handles>) -> Answer {
    let notices = of.accounts.notices(&caller.principal, false).await?;
    Ok(all(notices.into_iter().map(|notice| {
        json!({ "id": notice.id, "text": notice.text, "at": notice.at, "seenAt": notice.seen_at })
    })))
}

/// POST /notices/ID/seen
pub(super) async fn see_notice(caller: Caller, of: Data<Handles>, id: Path<i64>) -> Answer {
    of.accounts.see_notice(&caller.principal, *id).await?;
    Ok(done())
}

/// GET /quota-rules
pub(super) async fn rules(caller: Caller, of: Data<Handles>) -> Answer {
    caller.principal.require_admin()?;
    Ok(HttpResponse::Ok().json(of.accounts.quota_rules().await?))
}

/// PUT /quota-rules
pub(super) async fn set_rules(
    caller: Caller,
    of: Data<Handles>,
    rules: Json<QuotaRules>,
) -> Answer {
    of.accounts.set_quota_rules(&caller.principal, &rules).await?;
    Ok(done())
}

/// GET /overdue?order=…: what would go after the grace, before anybody switches that on.
pub(super) async fn overdue(caller: Caller, of: Data<Handles>, wish: Query<Wish>) -> Answer {
    let overdue = of.drive.overdue(&caller.principal, wish.order).await?;
    Ok(all(overdue.iter().map(|one| {
        let file = |(path, bytes): &(String, u64)| json!({ "path": path, "bytes": bytes });
        let files: Vec<Value> = one.files.iter().map(file).collect();
        json!({ "user": one.user, "excess": one.excess, "files": files })
    })))
}

/// The locker that a caller names: `me` (the default), `household`, or an id.
async fn locker(caller: &Caller, of: &Handles, which: Option<&str>) -> Result<Locker, Error> {
    let lockers = of.accounts.lockers(&caller.principal).await?;
    let fits = |locker: &Locker| match which {
        None | Some("me") => locker.kind == LockerKind::User,
        Some("household") => locker.kind == LockerKind::Household,
        Some(id) => LockerId::parse(id) == Some(locker.id),
    };
    lockers.into_iter().find(fits).ok_or(Error::NotFound("Locker"))
}

/// A grant as the panel shows it.
pub(super) fn shape(grant: &Grant) -> Value {
    let (kind, plan) = match &grant.gives {
        Gives::Plan(plan) => ("set-tier", Some(plan)),
        Gives::Tier(_) => ("set-tier", None),
        Gives::Bytes(_) => ("add-bytes", None),
    };
    json!({
        "id": grant.id.to_string(), "user": grant.user, "kind": kind, "plan": plan,
        "bytes": grant.bytes, "startsAt": grant.starts_at, "endsAt": grant.ends_at,
        "reason": grant.reason, "origin": grant.origin.as_str(), "createdAt": grant.created_at,
        "removedAt": grant.removed_at, "active": grant.is_active,
    })
}

fn parts_shape(parts: &QuotaParts) -> Value {
    json!({
        "plan": parts.plan, "planQuota": parts.plan_bytes, "quota": parts.quota,
        "grants": parts.grants.iter().map(shape).collect::<Vec<_>>(),
        "next": parts.next.map(|(at, quota)| json!({ "at": at, "quota": quota })),
    })
}

fn row(row: &LedgerRow) -> Value {
    json!({
        "id": row.id, "at": row.at, "user": row.user, "bytes": row.bytes, "exempt": row.exempt,
        "reclaimable": row.reclaimable, "reason": row.reason, "path": row.path, "note": row.note,
    })
}
