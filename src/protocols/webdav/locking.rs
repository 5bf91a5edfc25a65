//! LOCK and UNLOCK (RFC 4918, 9.10 and 9.11), and how a lock is told of.

use std::fmt::Write as _;

use actix_web::{HttpResponse, http::StatusCode};
use bytes::Bytes;

use super::{
    address::href,
    bodies::{self, LockInfo},
    call::{Call, Spot},
    failure::{Answer, Failure},
    guard::Change,
    headers::{self, Depth},
    if_header::If,
    multistatus,
    properties::{Live, Resource},
};
use crate::{
    Error,
    clock::Millis,
    drive::{Condition, Entry, Lock, LockReach, LockScope, Locking, NewLock, RelativePath, Target},
    xml::escape,
};

pub(super) async fn lock(call: &Call<'_>, body: &[u8]) -> Answer {
    let spot = call.spot()?;
    let there = call.there(&spot).await?;
    match bodies::lockinfo(body)? {
        None => refresh(call, &spot, there.as_ref()).await,
        Some(info) => take(call, &spot, there, info).await,
    }
}

async fn take(call: &Call<'_>, spot: &Spot<'_>, there: Option<Entry>, info: LockInfo) -> Answer {
    let headers = call.request.headers();
    let reach = match headers::depth(headers, Depth::Infinity)? {
        Depth::Zero => LockReach::Itself,
        Depth::Infinity => LockReach::Everything,
        Depth::One => return Err(Failure::invalid("A lock is of depth 0 or infinity")),
    };
    let shown = call.judge(spot, there.as_ref()).await?;
    if there.is_none() {
        spot.path.judge()?;
        call.require_unlocked(spot, Change::Member, &shown).await?;
        call.require_parent(spot).await?;
    }
    let (drive, principal) = (&call.services.drive, &call.principal);
    let new = NewLock {
        locker: spot.place.locker,
        path: spot.full.clone(),
        scope: info.scope,
        reach,
        owner: info.owner,
        lasts: headers::timeout(headers),
    };
    let lock = match drive.take_lock(principal, &new).await? {
        Locking::Taken(lock) => lock,
        Locking::InTheWay(locks) => return in_the_way(call, spot, &locks),
    };
    let is_new = there.is_none();
    // What is not there is made, empty, so that the name is taken (RFC 4918, 7.3).
    if is_new && let Err(error) = make_empty(call, spot).await {
        drive.release_lock(principal, spot.place.locker, &spot.full, &lock.token).await?;
        return Err(error);
    }
    let mut answer = discovery(call, spot, is_new).await?;
    let token = format!("<{}>", lock.token);
    let token = actix_web::http::header::HeaderValue::from_str(&token)
        .map_err(|error| Error::internal(anyhow::Error::from(error)))?;
    answer
        .headers_mut()
        .insert(actix_web::http::header::HeaderName::from_static("lock-token"), token);
    Ok(answer)
}

async fn make_empty(call: &Call<'_>, spot: &Spot<'_>) -> Answer<()> {
    if call.request.uri().path().ends_with('/') {
        return Err(Failure::new(StatusCode::CONFLICT, "There is no such folder"));
    }
    let nothing = futures_util::stream::empty::<std::io::Result<Bytes>>();
    let (locker, path) = (spot.place.locker, spot.full.clone());
    let target = Target { locker, path, condition: Condition::Absent };
    call.services.drive.put(&call.principal, &target, Some(0), nothing).await?;
    Ok(())
}

/// The address itself is taken, or something below it (RFC 4918, 9.10.6 and 9.10.9).
fn in_the_way(call: &Call<'_>, spot: &Spot<'_>, locks: &[Lock]) -> Answer {
    let above: Vec<&Lock> = locks.iter().filter(|lock| !lock.path.is_inside(&spot.full)).collect();
    if !above.is_empty() {
        let roots: Vec<String> = above.iter().map(|lock| root_of(lock, spot)).collect();
        return Err(Failure::locked("no-conflicting-lock", &roots));
    }
    let below = locks.iter().map(|lock| (root_of(lock, spot), StatusCode::LOCKED));
    let own = (call.request.uri().path().to_owned(), StatusCode::FAILED_DEPENDENCY);
    Ok(multistatus::failed(&below.chain([own]).collect::<Vec<_>>()))
}

/// Begins the time of a lock again (RFC 4918, 9.10.2): `If` says which.
async fn refresh(call: &Call<'_>, spot: &Spot<'_>, there: Option<&Entry>) -> Answer {
    let headers = call.request.headers();
    let text = headers::word(headers, "if")
        .ok_or_else(|| Failure::invalid("Say which lock to take, or by If which one to keep"))?;
    let header = If::parse(text).map_err(|_| Failure::invalid("If cannot be understood"))?;
    call.judge(spot, there).await?;
    let lasts = headers::timeout(headers);
    let (drive, principal) = (&call.services.drive, &call.principal);
    for token in header.tokens() {
        match drive.refresh_lock(principal, spot.place.locker, &spot.full, token, lasts).await {
            Err(Error::NotFound(_)) => (),
            refreshed => {
                refreshed?;
                return discovery(call, spot, false).await;
            }
        }
    }
    Err(Failure::precondition_failed("There is no such lock here")
        .because("lock-token-matches-request-uri"))
}

pub(super) async fn unlock(call: &Call<'_>) -> Answer {
    let spot = call.spot()?;
    let token = headers::lock_token(call.request.headers())?;
    let drive = &call.services.drive;
    match drive.release_lock(&call.principal, spot.place.locker, &spot.full, token).await {
        Err(Error::NotFound(_)) => {
            Err(Failure::new(StatusCode::CONFLICT, "There is no such lock here")
                .because("lock-token-matches-request-uri"))
        }
        released => {
            released?;
            Ok(HttpResponse::NoContent().finish())
        }
    }
}

/// All locks that reach a spot, as the answer to `LOCK` tells them.
async fn discovery(call: &Call<'_>, spot: &Spot<'_>, is_new: bool) -> Answer {
    let around = call.locks(spot).await?;
    let entry = Entry {
        name: String::new(),
        kind: crate::drive::EntryKind::File,
        size: 0,
        modified_at: 0,
        created_at: None,
        etag: None,
        source: None,
    };
    let mut resource = Resource::of(&entry, None, call.services.clock.now());
    resource.locks = covering(&around.locks, &around.path, spot);
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:prop xmlns:D=\"DAV:\">");
    resource.write(Live::LockDiscovery, &mut out);
    out.push_str("</D:prop>\n");
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).content_type(multistatus::TYPE).body(out))
}

/// The locks that reach a path, with what each locks as an address.
pub(super) fn covering<'a>(
    locks: &'a [Lock],
    path: &RelativePath,
    spot: &Spot<'_>,
) -> Vec<(&'a Lock, String)> {
    locks.iter().filter(|lock| lock.covers(path)).map(|lock| (lock, root_of(lock, spot))).collect()
}

/// What a lock locks, as an address of the place that it is looked at from. What lies above a
/// shared folder is not shown.
pub(super) fn root_of(lock: &Lock, spot: &Spot<'_>) -> String {
    let base = &spot.place.base;
    let path = if base.is_root() {
        lock.path.clone()
    } else {
        lock.path.within(base).unwrap_or_else(RelativePath::root)
    };
    href(spot.name, &path, path.is_root())
}

/// Appends `activelock` (RFC 4918, 14.1).
pub(super) fn active_lock(lock: &Lock, root: &str, now: Millis, out: &mut String) {
    let scope = match lock.scope {
        LockScope::Exclusive => "exclusive",
        LockScope::Shared => "shared",
    };
    let depth = match lock.reach {
        LockReach::Itself => "0",
        LockReach::Everything => "infinity",
    };
    let seconds = lock.expires_at.saturating_sub(now).max(0).saturating_add(999) / 1000;
    let _ = write!(
        out,
        "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/></D:lockscope>\
         <D:depth>{depth}</D:depth>{}<D:timeout>Second-{seconds}</D:timeout><D:locktoken><D:href>",
        lock.owner
    );
    escape(&lock.token, out);
    out.push_str("</D:href></D:locktoken><D:lockroot><D:href>");
    escape(root, out);
    out.push_str("</D:href></D:lockroot></D:activelock>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        drive::{Place, PlaceKind},
        ids::{LockerId, UserId},
        xml::{Rules, read},
    };

    fn lock(path: &str) -> Lock {
        Lock {
            token: "urn:uuid:1".to_owned(),
            path: RelativePath::parse(path).unwrap(),
            user: UserId(1),
            scope: LockScope::Shared,
            reach: LockReach::Everything,
            owner: "<o:owner xmlns:o=\"DAV:\">me &amp; you</o:owner>".to_owned(),
            expires_at: 90_500,
        }
    }

    #[test]
    fn a_lock_is_told_whole() {
        let mut out = String::from("<x xmlns:D='DAV:'>");
        active_lock(&lock("a"), "/dav/ann/a", 500, &mut out);
        out.push_str("</x>");
        let document = read(out.as_bytes(), &Rules::STRICT).unwrap();
        let active = document.child("D:activelock").unwrap();
        assert_eq!(active.child("D:timeout").unwrap().text, "Second-90");
        assert_eq!(active.child("D:depth").unwrap().text, "infinity");
        assert_eq!(active.child("o:owner").unwrap().text, "me & you");
        assert_eq!(
            active.child("D:locktoken").unwrap().child("D:href").unwrap().text,
            "urn:uuid:1"
        );
        assert!(active.child("D:lockscope").unwrap().child("D:shared").is_some());
    }

    #[test]
    fn what_lies_above_a_shared_folder_is_not_shown() {
        let place = |base: &str| Place {
            kind: PlaceKind::Own,
            name: "Music".to_owned(),
            locker: LockerId(1),
            base: RelativePath::parse(base).unwrap(),
            may_write: true,
            usage: None,
        };
        let (own, shared) = (place(""), place("ours/Music"));
        for (place, path, expected) in [
            (&own, "ours/Music/a b", "/dav/Music/ours/Music/a%20b"),
            (&own, "", "/dav/Music/"),
            (&shared, "ours/Music/a b", "/dav/Music/a%20b"),
            (&shared, "ours/Music", "/dav/Music/"),
            (&shared, "ours", "/dav/Music/"),
            (&shared, "", "/dav/Music/"),
        ] {
            let path_of_spot = RelativePath::root();
            let full = place.base.clone();
            let spot = Spot { name: "Music", place, path: path_of_spot, full };
            assert_eq!(root_of(&lock(path), &spot), expected, "{path}");
        }
    }
}
