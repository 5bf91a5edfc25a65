//! COPY and MOVE (RFC 4918, 9.8 and 9.9), within a locker and between lockers.

use actix_web::{HttpResponse, http::StatusCode};

use super::{
    address::{Address, Wrong},
    call::{Call, Spot},
    failure::{Answer, Failure},
    guard::{Change, Shown},
    headers::{self, Depth},
    multistatus,
};
use crate::{
    Error,
    drive::{Condition, Entry, EntryKind, PropertyChange, Target},
};

/// Both ends, looked at and judged.
struct Ends<'a> {
    from: Spot<'a>,
    source: Entry,
    to: Spot<'a>,
    target: Option<Entry>,
    shown: Shown,
    condition: Condition,
}

pub(super) async fn copy(call: &Call<'_>) -> Answer {
    let depth = headers::depth(call.request.headers(), Depth::Infinity)?;
    let ends = ends(call).await?;
    let is_over = ends.target.as_ref().is_some_and(|target| {
        target.kind == EntryKind::File && ends.source.kind == EntryKind::File
    });
    let change = match &ends.target {
        Some(_) if is_over => Change::Content,
        Some(_) => Change::Tree,
        None => Change::Member,
    };
    let locked = call.require_unlocked(&ends.to, change, &ends.shown).await?;
    if !locked.is_empty() {
        return Ok(multistatus::failed(&locked));
    }
    match (ends.source.kind, depth) {
        (EntryKind::Folder, Depth::One) => {
            Err(Failure::invalid("A folder is copied alone or with all that is in it"))
        }
        (EntryKind::Folder, Depth::Zero) => alone(call, &ends).await,
        _ => {
            let (from, to) = (&ends.from, target(&ends));
            let drive = &call.services.drive;
            let done = drive.copy_to(&call.principal, from.place.locker, &from.full, &to).await;
            answer(done.map(|done| done.is_new))
        }
    }
}

pub(super) async fn relocate(call: &Call<'_>) -> Answer {
    let depth = headers::depth(call.request.headers(), Depth::Infinity)?;
    let ends = ends(call).await?;
    if depth != Depth::Infinity && ends.source.kind == EntryKind::Folder {
        return Err(Failure::invalid("A folder is moved with all that is in it"));
    }
    if ends.from.path.is_root() {
        return Err(Failure::forbidden("A locker or shared folder itself is not moved here"));
    }
    let change = if ends.target.is_some() { Change::Tree } else { Change::Member };
    let mut locked = call.require_unlocked(&ends.from, Change::Tree, &ends.shown).await?;
    locked.extend(call.require_unlocked(&ends.to, change, &ends.shown).await?);
    if !locked.is_empty() {
        return Ok(multistatus::failed(&locked));
    }
    let (from, to) = (&ends.from, target(&ends));
    let drive = &call.services.drive;
    let done = drive.move_to(&call.principal, from.place.locker, &from.full, &to).await;
    answer(done.map(|done| done.is_new))
}

/// What both have in common: an end to come from and one to go to, and all conditions.
async fn ends<'a>(call: &'a Call<'_>) -> Answer<Ends<'a>> {
    let headers = call.request.headers();
    let from = call.spot()?;
    let destination = headers::word(headers, "destination")
        .ok_or_else(|| Failure::invalid("Destination says where to"))?;
    let to = call.address_of(destination).map_err(|wrong| match wrong {
        Wrong::Elsewhere => {
            Failure::new(StatusCode::BAD_GATEWAY, "Destination is not on this server")
        }
        wrong => wrong.into(),
    })?;
    if let Address::Inside { path, .. } = &to {
        path.judge()?;
    }
    let condition = headers::overwrite(headers)?;
    let source = call.there(&from).await?.ok_or(Error::NotFound("File"))?;
    // A place that cannot be seen is like a folder that is not there.
    let to = call.spot_of(to).map_err(|failure| match failure.status {
        StatusCode::NOT_FOUND => Failure::new(StatusCode::CONFLICT, "There is no such place"),
        _ => failure,
    })?;
    let to = to.filter(|to| !to.path.is_root());
    let to = to.ok_or_else(|| Failure::forbidden("A locker itself is not replaced"))?;
    let is_around = from.place.locker == to.place.locker
        && (from.full == to.full || to.full.is_inside(&from.full) || from.full.is_inside(&to.full));
    if is_around {
        return Err(Failure::forbidden("Source and target are the same, or one lies in the other"));
    }
    let shown = call.judge(&from, Some(&source)).await?;
    call.require_parent(&to).await?;
    let target = call.there(&to).await?;
    if let Some(target) = target.as_ref().filter(|_| condition == Condition::Absent) {
        let refusal = condition.refusal(Some(target.etag.as_deref().unwrap_or_default()));
        return Err(Failure::from(refusal).conflict_is(StatusCode::PRECONDITION_FAILED));
    }
    Ok(Ends { from, source, to, target, shown, condition })
}

fn target(ends: &Ends<'_>) -> Target {
    Target {
        locker: ends.to.place.locker,
        path: ends.to.full.clone(),
        condition: ends.condition.clone(),
    }
}

/// The folder without its members, and what clients keep beside it.
async fn alone(call: &Call<'_>, ends: &Ends<'_>) -> Answer {
    let (drive, principal) = (&call.services.drive, &call.principal);
    let (from, to) = (&ends.from, &ends.to);
    if ends.target.is_some() {
        drive.trash(principal, to.place.locker, &to.full, &Condition::None).await?;
    }
    drive.make_folder(principal, to.place.locker, &to.full).await?;
    let kept = drive.properties(principal, from.place.locker, &from.full).await?;
    let kept: Vec<_> = kept.into_iter().map(PropertyChange::Set).collect();
    drive.change_properties(principal, to.place.locker, &to.full, &kept).await?;
    answer(Ok(ends.target.is_none()))
}

fn answer(done: Result<bool, Error>) -> Answer {
    let done =
        done.map_err(|error| Failure::from(error).conflict_is(StatusCode::PRECONDITION_FAILED));
    Ok(if done? { HttpResponse::Created() } else { HttpResponse::NoContent() }.finish())
}
