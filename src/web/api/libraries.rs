//! Libraries and scans, for administrators.

use std::collections::HashMap;

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, done},
};
use crate::{
    Error,
    accounts::{LibraryAccess, LibraryKind, LibrarySharing},
    catalog::{AlbumFilter, AlbumOrder, Page},
    ids::{LibraryId, UserId},
    ingest::{ScanKind, ScanStatus, Watching},
    web::{Handles, failure::Answer, query::Query},
};

/// Who may see a library, and whether it lends its files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Sharing {
    shared: bool,
    on_lan: bool,
    #[serde(default)]
    granted: Vec<String>,
    /// Whether files of lockers may point at files of this watched folder; as it is if not told.
    lends: Option<bool>,
}

/// Which scan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    full: bool,
}

/// GET /libraries
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let access = of.accounts.library_access(&caller.principal).await?;
    let seen = of.catalog.libraries(&caller.principal).await?;
    let lent_out = of.drive.lent_out(&caller.principal).await?;
    let status = of.ingest.status();
    let unreadable = of.catalog.unreadable_counts(&caller.principal).await?;
    let mut albums = HashMap::new();
    for library in &seen {
        let filter = AlbumFilter { library: Some(library.id), ..AlbumFilter::default() };
        let none = Page { offset: 0, limit: 0 };
        let list = of.catalog.albums(&caller.principal, &filter, AlbumOrder::Name, none).await?;
        albums.insert(library.id, list.total);
    }
    Ok(all(access.iter().map(|one| {
        let known = seen.iter().find(|library| library.id == one.id);
        let watching = status.libraries.get(&one.id).and_then(|scan| match &scan.watching {
            Watching::Swept(why) => Some(why.clone()),
            Watching::Not | Watching::Watched => None,
        });
        let mut shape = shape(one);
        let lent = lent_out.iter().find(|(id, _)| *id == one.id).map(|(_, lent)| lent);
        shape["lends"] = json!(lent.map(|lent| lent.is_allowed));
        shape["lendsFixed"] = json!(lent.is_some_and(|lent| lent.is_configured));
        shape["lent"] = json!(lent.map(|lent| json!({ "files": lent.files, "bytes": lent.bytes })));
        shape["state"] = json!(known.map_or("ok", |library| library.state.as_str()));
        shape["scannedAt"] = json!(known.and_then(|library| library.scanned_at));
        shape["albums"] = json!(albums.get(&one.id));
        shape["watching"] = json!(watching);
        shape["unreadable"] = json!(unreadable.get(&one.id).unwrap_or(&0));
        shape
    })))
}

/// PATCH /libraries/ID
pub(super) async fn share(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    sharing: Json<Sharing>,
) -> Answer {
    let id = LibraryId::parse(&id).ok_or(Error::NotFound("Library"))?;
    let granted = sharing.granted.iter().map(|id| UserId::parse(id).ok_or(Error::NotFound("User")));
    let granted = granted.collect::<Result<Vec<UserId>, Error>>()?;
    let access = LibrarySharing { is_shared: sharing.shared, is_on_lan: sharing.on_lan, granted };
    of.accounts.share_library(&caller.principal, id, &access).await?;
    if let Some(lends) = sharing.lends {
        of.drive.set_lending(&caller.principal, id, lends).await?;
    }
    Ok(done())
}

/// Which part of a list by path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// The last path of the part before.
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

/// GET /libraries/ID/unreadable
pub(super) async fn unreadable(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    part: Query<Part>,
) -> Answer {
    let id = LibraryId::parse(&id).ok_or(Error::NotFound("Library"))?;
    let limit = part.limit.unwrap_or(100).clamp(1, 500);
    let found = of.catalog.unreadable(&caller.principal, id, &part.after, limit).await?;
    let next = found.files.last().filter(|_| found.files.len() == limit as usize);
    Ok(HttpResponse::Ok().json(json!({
        "items": found.files.iter().map(|file| {
            json!({ "path": file.path, "reason": file.reason, "size": file.size_bytes })
        }).collect::<Vec<_>>(),
        "total": found.total,
        "next": next.map(|file| &file.path),
    })))
}

/// GET /scan
pub(super) async fn scan_state(caller: Caller, of: Data<Handles>) -> Answer {
    caller.principal.require_admin()?;
    Ok(HttpResponse::Ok().json(progress(&of.ingest.status())))
}

/// POST /scan
pub(super) async fn scan(caller: Caller, of: Data<Handles>, wanted: Json<Wanted>) -> Answer {
    let kind = if wanted.full { ScanKind::Full } else { ScanKind::Changes };
    of.ingest.start_scan(&caller.principal, kind)?;
    Ok(HttpResponse::Accepted().json(progress(&of.ingest.status())))
}

/// All libraries' scans as the one bar that the panel shows.
pub(super) fn progress(status: &ScanStatus) -> Value {
    let all = || status.libraries.values();
    let phase =
        all().map(|scan| scan.phase).filter(|phase| phase.name() != "idle").min_by_key(|phase| {
            match phase.name() {
                "reading" => 0,
                "finishing" => 1,
                _ => 2,
            }
        });
    json!({
        "running": status.is_scanning,
        "phase": phase.map_or("idle", |phase| phase.name()),
        "seen": status.files,
        "done": all().map(|scan| scan.read).sum::<u64>(),
        "total": all().map(|scan| scan.to_read).sum::<u64>(),
        "unreadable": all().map(|scan| scan.errors).sum::<u64>(),
        "finishedAt": status.last_scan_at,
    })
}

fn shape(one: &LibraryAccess) -> Value {
    json!({
        "id": one.id.to_string(),
        "name": one.name,
        "kind": one.kind,
        "path": one.path.display().to_string(),
        "shared": one.is_shared,
        "onLan": one.is_on_lan,
        "granted": one.granted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "changeable": one.kind != LibraryKind::Locker,
    })
}
