//! PROPPATCH (RFC 4918, 9.2): all or nothing. What clients set is kept as they gave it; what the
//! server itself knows cannot be set.

use actix_web::http::StatusCode;

use super::{
    address::href,
    bodies,
    call::Call,
    failure::Answer,
    guard::Change,
    multistatus::{self, href_of, name_of, propstat},
    properties::Live,
};
use crate::{
    Error,
    drive::{EntryKind, PropertyChange, PropertyName},
};

pub(super) async fn serve(call: &Call<'_>, body: &[u8]) -> Answer {
    let spot = call.spot()?;
    let there = call.there(&spot).await?.ok_or(Error::NotFound("File"))?;
    let changes = bodies::proppatch(body)?;
    let shown = call.judge(&spot, Some(&there)).await?;
    call.require_unlocked(&spot, Change::Content, &shown).await?;
    let (protected, other): (Vec<_>, Vec<_>) =
        changes.iter().map(name).partition(|name| Live::find(name).is_some());
    let (drive, locker) = (&call.services.drive, spot.place.locker);
    let (verdict, why) = if protected.is_empty() {
        match drive.change_properties(&call.principal, locker, &spot.full, &changes).await {
            Ok(()) => (StatusCode::OK, ""),
            Err(Error::StorageFull) => (StatusCode::INSUFFICIENT_STORAGE, ""),
            Err(error) => return Err(error.into()),
        }
    } else {
        (StatusCode::FAILED_DEPENDENCY, "")
    };
    let mut out = String::from("<D:response>");
    href_of(&href(spot.name, &spot.path, there.kind == EntryKind::Folder), &mut out);
    let forbidden = StatusCode::FORBIDDEN;
    propstat(&names(&protected), forbidden, "cannot-modify-protected-property", &mut out);
    propstat(&names(&other), verdict, why, &mut out);
    out.push_str("</D:response>\n");
    Ok(multistatus::whole(&out))
}

fn name(change: &PropertyChange) -> &PropertyName {
    match change {
        PropertyChange::Set(property) => &property.name,
        PropertyChange::Remove(name) => name,
    }
}

/// Each once.
fn names(names: &[&PropertyName]) -> String {
    let mut out = String::new();
    for (at, name) in names.iter().enumerate() {
        if !names[..at].contains(name) {
            name_of(name, &mut out);
        }
    }
    out
}
