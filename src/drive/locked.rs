//! Locks at the doors that do not hand them out: the panel's API, resumable uploads, claims. What an
//! app of somebody else locked is left alone at every door; what an app of one's own locked is
//! changed only if that is meant.

use super::{Drive, Lock, RelativePath, reach::Access};
use crate::{Error, Result, accounts::Principal, clock::Millis, ids::LockerId, ids::UserId};

impl Drive {
    /// Refuses to change something that an app of the principal's own holds a lock on, or on
    /// something in it.
    pub async fn refuse_own_lock(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<()> {
        let around = self.locks(principal, locker, path).await?;
        let is_own = |lock: &&Lock| {
            let concerns = lock.covers(&around.path) || lock.path.is_inside(&around.path);
            lock.user == principal.user && concerns
        };
        let Some(lock) = around.locks.iter().find(is_own) else { return Ok(()) };
        let what = if lock.path == around.path { "This" } else { lock.path.name() };
        let sentence = format!(
            "{what} is open in an app of yours that locked it for up to {} more minutes; close it there first, or say that you mean it",
            minutes(lock.expires_at - self.clock.now())
        );
        Err(Error::Locked { sentence, is_own: true })
    }

    /// Refuses a change that a lock of somebody else forbids.
    pub(super) async fn refuse_locked(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        access: Access,
    ) -> Result<()> {
        if !matches!(access, Access::Write | Access::Change) {
            return Ok(());
        }
        let locks = self.all_locks(locker).await?;
        let Some(lock) = foreign(&locks, path, access, principal.user) else { return Ok(()) };
        let name = sqlx::query_scalar!("select name from user where user_id = ?", lock.user.0)
            .fetch_optional(self.db.read())
            .await?;
        let what = if lock.path == *path { "This" } else { lock.path.name() };
        let sentence = format!(
            "{what} is locked by an app of {} for up to {} more minutes; try again after that",
            name.as_deref().unwrap_or("somebody"),
            minutes(lock.expires_at - self.clock.now())
        );
        Err(Error::Locked { sentence, is_own: false })
    }
}

/// A lock of others that stands against a change: on the path, and where the thing itself goes or
/// moves, on its folder's list of members and on anything in it. Who holds a shared one too may go on.
fn foreign<'a>(
    locks: &'a [Lock],
    path: &RelativePath,
    access: Access,
    user: UserId,
) -> Option<&'a Lock> {
    let against = |path: &RelativePath| {
        let covering = || locks.iter().filter(|lock| lock.covers(path));
        if covering().any(|lock| lock.user == user) { None } else { covering().next() }
    };
    let is_tree = access == Access::Change;
    against(path).or_else(|| against(&path.parent().filter(|_| is_tree)?)).or_else(|| {
        let mut inner = locks.iter().filter(|lock| is_tree && lock.path.is_inside(path));
        inner.find_map(|lock| against(&lock.path))
    })
}

/// Whole minutes, rounded up.
fn minutes(ms: Millis) -> i64 {
    (ms.max(0) + 59_999) / 60_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::{LockReach, LockScope};

    fn lock(path: &str, scope: LockScope, reach: LockReach) -> Lock {
        Lock {
            token: String::new(),
            path: RelativePath::parse(path).unwrap(),
            user: UserId(1),
            scope,
            reach,
            owner: String::new(),
            expires_at: 0,
        }
    }

    #[test]
    fn locks_of_others_stand_against_changes() {
        use LockReach::{Everything, Itself};
        use LockScope::{Exclusive, Shared};
        let theirs = |path, scope, reach| Lock { user: UserId(2), ..lock(path, scope, reach) };
        let path = |text: &str| RelativePath::parse(text).unwrap();
        for (locks, at, access, is_barred) in [
            (vec![theirs("a", Exclusive, Itself)], "a", Access::Write, true),
            (vec![theirs("a", Exclusive, Itself)], "a", Access::Read, false),
            (vec![theirs("a", Exclusive, Itself)], "a/b", Access::Write, false),
            (vec![theirs("a", Exclusive, Itself)], "a/b", Access::Change, true),
            (vec![theirs("a", Exclusive, Everything)], "a/b/c", Access::Write, true),
            (vec![theirs("a/b", Exclusive, Itself)], "a", Access::Write, false),
            (vec![theirs("a/b", Exclusive, Itself)], "a", Access::Change, true),
            (vec![lock("a", Exclusive, Itself)], "a", Access::Change, false),
            (
                vec![theirs("a", Shared, Itself), lock("a", Shared, Itself)],
                "a",
                Access::Write,
                false,
            ),
            (vec![], "a", Access::Change, false),
        ] {
            let found =
                access != Access::Read && foreign(&locks, &path(at), access, UserId(1)).is_some();
            assert_eq!(found, is_barred, "{locks:?} {at}");
        }
        assert_eq!((minutes(1), minutes(60_000), minutes(-5)), (1, 1, 0));
    }
}
