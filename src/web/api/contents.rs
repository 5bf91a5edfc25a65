//! A content by its hash: who has it, and that nobody has it any more. For administrators.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{caller::Caller, lists::all};
use crate::{
    Error,
    drive::{Lies, Owned, TakeDown},
    matching::Extent,
    web::{Handles, failure::Answer, query::Query},
};

/// Somebody's file, or the household's where no one is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    user: Option<String>,
    path: String,
}

/// Why it goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    sound: bool,
}

/// GET /contents?[user=NAME&]path=PATH: the hash of a file that one knows by its name.
pub(super) async fn find(caller: Caller, of: Data<Handles>, named: Query<Named>) -> Answer {
    let path = named.path.trim().trim_matches('/');
    let user = named.user.as_deref().map(str::trim).filter(|user| !user.is_empty());
    let hash = of.drive.content_of(&caller.principal, user, path).await?;
    Ok(HttpResponse::Ok().json(json!({ "hash": hex::encode(hash) })))
}

/// GET /contents/HASH: who has a content, by its BLAKE3 in hex, and how many files nobody hashed
/// yet that may be of it.
pub(super) async fn owners(caller: Caller, of: Data<Handles>, hash: Path<String>) -> Answer {
    let owners = of.drive.owners(&caller.principal, &digest(&hash)?).await?;
    let items: Vec<Value> = owners.files.iter().map(owned).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "unhashed": owners.unhashed })))
}

/// DELETE /contents/HASH?reason=TEXT&sound=BOOL: removes it from every locker, trash and version,
/// with `sound` also what sounds the same, and keeps it away. 202 while files are still to be hashed
/// first.
pub(super) async fn take_down(
    caller: Caller,
    of: Data<Handles>,
    hash: Path<String>,
    why: Query<Why>,
) -> Answer {
    let digest = digest(&hash)?;
    let extent = if why.sound { Extent::Sound } else { Extent::Content };
    let taken = of.matching.take_down(&caller.principal, &digest, &why.reason, extent).await?;
    let mut answer =
        if taken.done_at.is_some() { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(answer.json(shape(&taken)))
}

/// GET /takedowns: what was taken down, and what is under way.
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let found = of.drive.take_downs(&caller.principal).await?;
    Ok(all(found.iter().map(shape)))
}

/// DELETE /takedowns/ID: the content may come back.
pub(super) async fn allow(caller: Caller, of: Data<Handles>, id: Path<i64>) -> Answer {
    let lifted = of.matching.allow_again(&caller.principal, *id).await?;
    Ok(HttpResponse::Ok().json(shape(&lifted)))
}

fn owned(one: &Owned) -> Value {
    json!({
        "in": match one.lies {
            Lies::Locker => "locker",
            Lies::Trash => "trash",
            Lies::Versions => "versions",
            Lies::Folder => "folder",
        },
        "locker": one.locker.map(|locker| locker.to_string()), "user": one.user,
        "path": one.path, "size": one.size,
    })
}

fn shape(one: &TakeDown) -> Value {
    json!({
        "id": one.id, "hash": hex::encode(&one.hash), "reason": one.reason, "by": one.by,
        "createdAt": one.created_at, "doneAt": one.done_at, "files": one.files, "kept": one.kept,
        "bytes": one.bytes, "unread": one.unread, "sound": one.with_sound, "refused": one.refused,
        "liftedAt": one.lifted_at,
    })
}

fn digest(text: &str) -> Result<[u8; 32], Error> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text.trim(), &mut hash)
        .map_err(|_| Error::Invalid("A content is named by 64 hexadecimal digits".to_owned()))?;
    Ok(hash)
}
