//! MKCOL and DELETE (RFC 4918, 9.3 and 9.6). What is deleted lies in the trash for a while, as
//! from everywhere else.

use actix_web::{HttpResponse, http::StatusCode};

use super::{
    call::Call,
    failure::{Answer, Failure},
    guard::Change,
    headers::{self, Depth},
    multistatus,
};
use crate::{
    Error,
    drive::{Condition, EntryKind},
};

pub(super) async fn make(call: &Call<'_>) -> Answer {
    let spot = call.new_spot()?;
    let there = call.there(&spot).await?;
    if spot.path.is_root() || there.is_some() {
        let sentence = "Something of that name is there already";
        return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, sentence));
    }
    let shown = call.judge(&spot, None).await?;
    call.require_unlocked(&spot, Change::Member, &shown).await?;
    call.require_parent(&spot).await?;
    let drive = &call.services.drive;
    let made = drive.make_folder(&call.principal, spot.place.locker, &spot.full).await;
    made.map_err(|error| Failure::from(error).conflict_is(StatusCode::METHOD_NOT_ALLOWED))?;
    Ok(HttpResponse::Created().finish())
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let spot = call.spot()?;
    if spot.path.is_root() {
        return Err(Failure::forbidden("A locker or shared folder itself is not deleted here"));
    }
    let there = call.there(&spot).await?.ok_or(Error::NotFound("File"))?;
    if headers::depth(call.request.headers(), Depth::Infinity)? != Depth::Infinity
        && there.kind == EntryKind::Folder
    {
        return Err(Failure::invalid("A folder is deleted with all that is in it"));
    }
    let shown = call.judge(&spot, Some(&there)).await?;
    let locked = call.require_unlocked(&spot, Change::Tree, &shown).await?;
    if !locked.is_empty() {
        return Ok(multistatus::failed(&locked));
    }
    // What is said of a folder was judged already; of a file it is judged again in its moment.
    let condition = match there.kind {
        EntryKind::File => headers::condition(call.request.headers()),
        EntryKind::Folder => Condition::None,
    };
    let drive = &call.services.drive;
    let gone = drive.trash(&call.principal, spot.place.locker, &spot.full, &condition).await;
    gone.map_err(|error| Failure::from(error).conflict_is(StatusCode::PRECONDITION_FAILED))?;
    Ok(HttpResponse::NoContent().finish())
}
