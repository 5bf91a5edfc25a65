//! Backups, for administrators: the plan, the snapshots, one now.

use std::path::PathBuf;

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde_json::{Value, json};

use super::{caller::Caller, lists::done};
use crate::{
    Error,
    accounts::BackupPlan,
    ops::backup::{self, Choice, Snapshot},
    web::{Handles, failure::Answer},
};

/// GET /backups
pub(super) async fn show(caller: Caller, of: Data<Handles>) -> Answer {
    caller.principal.require_admin()?;
    let plan = match of.accounts.backup_plan().await {
        // The worry says so.
        Err(Error::Invalid(_)) => None,
        plan => plan?,
    };
    let last = of.accounts.last_backup().await?;
    let folder = plan.as_ref().map_or_else(|| last.folder.clone(), |plan| plan.folder.clone());
    let found = actix_web::web::block(move || backup::snapshots(&PathBuf::from(folder))).await;
    // A disk that is not plugged in has none to show; the worry says what is wrong.
    let snapshots = found.map_err(Error::internal)?.unwrap_or_default();
    Ok(HttpResponse::Ok().json(json!({
        "plan": plan,
        "last": last,
        "running": of.backups.is_running(),
        "worry": of.backups.worry().await?,
        "snapshots": snapshots.iter().rev().map(shape).collect::<Vec<_>>(),
    })))
}

fn shape(snapshot: &Snapshot) -> Value {
    json!({
        "name": snapshot.name,
        "takenAt": snapshot.taken_at,
        "hasFiles": snapshot.has_files,
        "files": snapshot.files,
        "bytes": snapshot.bytes,
        "newBytes": snapshot.new_bytes,
        "skipped": snapshot.skipped,
    })
}

/// PUT /backups/plan
pub(super) async fn set_plan(caller: Caller, of: Data<Handles>, plan: Json<BackupPlan>) -> Answer {
    of.accounts.set_backup_plan(&caller.principal, Some(&plan)).await?;
    Ok(done())
}

/// DELETE /backups/plan
pub(super) async fn end_plan(caller: Caller, of: Data<Handles>) -> Answer {
    of.accounts.set_backup_plan(&caller.principal, None).await?;
    Ok(done())
}

/// POST /backups: one now, as planned. The answer comes at once; `GET` tells how it went.
pub(super) async fn take(caller: Caller, of: Data<Handles>) -> Answer {
    caller.principal.require_admin()?;
    let plan = of.accounts.backup_plan().await?;
    let plan = plan.ok_or_else(|| {
        Error::Conflict("Say first where backups go and what is in them".to_owned())
    })?;
    if of.backups.is_running() {
        return Err(Error::Conflict("A backup is under way".to_owned()).into());
    }
    let backups = of.backups.clone();
    tokio::spawn(async move {
        if let Err(error) = backups.take(&caller.principal, Choice::from(&plan)).await {
            tracing::error!("the backup failed: {error:?}");
        }
    });
    Ok(HttpResponse::Accepted().finish())
}
