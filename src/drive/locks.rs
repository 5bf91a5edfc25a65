//! Write locks (RFC 4918, 6 and 7), as clients of the drive ask for them. They outlive a restart
//! and end by time, and two that exclude each other are never given. A lock of somebody else binds
//! at every door. One's own binds the face that hands locks out, which asks for its token; other
//! faces ask [`Drive::refuse_own_lock`], unless their user says that he means it.

use std::time::Duration;

use super::{Drive, RelativePath, reach::Access, rows::inside};
use crate::{
    Error, Result, accounts::Principal, clock::Millis, db::Tx, ids::LockerId, ids::UserId,
};

/// The longest that a lock lasts without being asked for again.
pub const LONGEST_LOCK: Duration = Duration::from_hours(1);
/// Locks that one user may have at once.
const MOST_LOCKS: i64 = 1000;
/// Bytes that a client may say of itself.
const LONGEST_OWNER: usize = 4096;

/// Whom a lock keeps away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockScope {
    /// Everybody else.
    Exclusive,
    /// Everybody who has no shared lock too.
    Shared,
}

/// How far a lock reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockReach {
    /// The file, or the folder with its list of members.
    Itself,
    /// Everything below too.
    Everything,
}

/// A lock that is asked for.
#[derive(Debug, Clone)]
pub struct NewLock {
    /// In which locker.
    pub locker: LockerId,
    /// What is locked; it need not be there.
    pub path: RelativePath,
    /// Whom it keeps away.
    pub scope: LockScope,
    /// How far it reaches.
    pub reach: LockReach,
    /// What the client says of itself, XML.
    pub owner: String,
    /// For how long; cut to [`LONGEST_LOCK`].
    pub lasts: Duration,
}

/// A lock that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// `urn:uuid:…`
    pub token: String,
    /// What is locked, as the locker spells it.
    pub path: RelativePath,
    /// Whose it is.
    pub user: UserId,
    /// Whom it keeps away.
    pub scope: LockScope,
    /// How far it reaches.
    pub reach: LockReach,
    /// What the client said of itself, XML.
    pub owner: String,
    /// When it ends by itself.
    pub expires_at: Millis,
}

impl Lock {
    /// Whether it reaches a path.
    #[must_use]
    pub fn covers(&self, path: &RelativePath) -> bool {
        self.path == *path || (self.reach == LockReach::Everything && path.is_inside(&self.path))
    }
}

/// Locks that have to do with a path.
#[derive(Debug)]
pub struct LocksAround {
    /// The path, as the locker spells it: what the locks are compared with.
    pub path: RelativePath,
    /// On it, above it and below it.
    pub locks: Vec<Lock>,
}

/// What became of a wish for a lock.
#[derive(Debug)]
pub enum Locking {
    /// It holds.
    Taken(Lock),
    /// These are in its way.
    InTheWay(Vec<Lock>),
}

impl Drive {
    /// Locks that have to do with a path: on it, above it, and below it.
    pub async fn locks(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<LocksAround> {
        let (locker, path) = self.reach(principal, locker, path, Access::Read).await?;
        let all = self.all_locks(locker.id).await?;
        let locks = all.into_iter().filter(|lock| concerns(lock, &path)).collect();
        Ok(LocksAround { path, locks })
    }

    /// Takes a lock unless another is in its way. One transaction: of two who ask at once, one
    /// gets it.
    pub async fn take_lock(&self, principal: &Principal, new: &NewLock) -> Result<Locking> {
        let (locker, path) = self.reach(principal, new.locker, &new.path, Access::Lock).await?;
        if LONGEST_OWNER < new.owner.len() {
            return Err(Error::Invalid("The owner of a lock takes too many words".to_owned()));
        }
        let now = self.clock.now();
        let lock = Lock {
            token: token()?,
            path,
            user: principal.user,
            scope: new.scope,
            reach: new.reach,
            owner: new.owner.clone(),
            expires_at: until(now, new.lasts),
        };
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from drive_lock where expires_at <= ?", now).execute(&mut *tx).await?;
        let others = self.locks_in(&mut tx, locker.id).await?;
        let in_the_way = in_the_way(&lock, others);
        if !in_the_way.is_empty() {
            return Ok(Locking::InTheWay(in_the_way));
        }
        let (path, user) = (lock.path.as_str(), lock.user.0);
        let count = sqlx::query_scalar!("select count(*) from drive_lock where user_id = ?", user)
            .fetch_one(&mut *tx)
            .await?;
        if MOST_LOCKS <= count {
            return Err(Error::TooMany {
                message: "You have too many locks; let some go first".to_owned(),
                retry_after: Duration::from_mins(1),
            });
        }
        let is_shared = lock.scope == LockScope::Shared;
        let is_deep = lock.reach == LockReach::Everything;
        sqlx::query!(
            "insert into drive_lock (token, locker_id, path, user_id, is_shared, is_deep, owner, expires_at)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
            lock.token,
            locker.id.0,
            path,
            user,
            is_shared,
            is_deep,
            lock.owner,
            lock.expires_at
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Locking::Taken(lock))
    }

    /// Begins a lock's time again; only its owner may. What does not reach `path` is not found.
    pub async fn refresh_lock(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        token: &str,
        lasts: Duration,
    ) -> Result<Lock> {
        let (locker, path) = self.reach(principal, locker, path, Access::Lock).await?;
        let mut lock = self.own_lock(principal, locker.id, &path, token).await?;
        lock.expires_at = until(self.clock.now(), lasts);
        let mut tx = self.db.write().await?;
        let changed = sqlx::query!(
            "update drive_lock set expires_at = ? where token = ?",
            lock.expires_at,
            lock.token
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        if changed == 0 { Err(Error::NotFound("Lock")) } else { Ok(lock) }
    }

    /// Lets a lock go; only its owner may. What does not reach `path` is not found.
    pub async fn release_lock(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        token: &str,
    ) -> Result<()> {
        let (locker, path) = self.reach(principal, locker, path, Access::Read).await?;
        let lock = self.own_lock(principal, locker.id, &path, token).await?;
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from drive_lock where token = ?", lock.token)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn own_lock(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        token: &str,
    ) -> Result<Lock> {
        let all = self.all_locks(locker).await?;
        let lock = all.into_iter().find(|lock| lock.token == token && lock.covers(path));
        let lock = lock.ok_or(Error::NotFound("Lock"))?;
        if lock.user == principal.user {
            Ok(lock)
        } else {
            Err(Error::Forbidden("That lock is somebody else's".to_owned()))
        }
    }

    pub(super) async fn all_locks(&self, locker: LockerId) -> Result<Vec<Lock>> {
        let now = self.clock.now();
        let rows = sqlx::query_as!(
            Row,
            "select token, path, user_id, is_shared, is_deep, owner, expires_at
             from drive_lock where locker_id = ? and ? < expires_at order by path, token",
            locker.0,
            now
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.into_iter().map(Lock::from).collect())
    }

    async fn locks_in(&self, tx: &mut Tx, locker: LockerId) -> Result<Vec<Lock>> {
        let rows = sqlx::query_as!(
            Row,
            "select token, path, user_id, is_shared, is_deep, owner, expires_at
             from drive_lock where locker_id = ? order by path, token",
            locker.0
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(rows.into_iter().map(Lock::from).collect())
    }

    /// What goes away, or goes elsewhere, is locked no longer, and neither is what is in it (RFC
    /// 4918, 7.5 and 9.6).
    pub(super) async fn drop_locks(&self, tx: &mut Tx, locker: LockerId, path: &str) -> Result<()> {
        let (first, last) = inside(path);
        sqlx::query!(
            "delete from drive_lock where locker_id = ?1 and (path = ?2 or (?3 <= path and path < ?4))",
            locker.0,
            path,
            first,
            last
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

struct Row {
    token: String,
    path: String,
    user_id: i64,
    is_shared: i64,
    is_deep: i64,
    owner: String,
    expires_at: i64,
}

impl From<Row> for Lock {
    fn from(row: Row) -> Self {
        Self {
            token: row.token,
            path: RelativePath::from_disk(row.path),
            user: UserId(row.user_id),
            scope: if row.is_shared == 0 { LockScope::Exclusive } else { LockScope::Shared },
            reach: if row.is_deep == 0 { LockReach::Itself } else { LockReach::Everything },
            owner: row.owner,
            expires_at: row.expires_at,
        }
    }
}

/// On a path, above it or below it; a lock of a folder's own concerns who adds members to it.
fn concerns(lock: &Lock, path: &RelativePath) -> bool {
    lock.covers(path) || lock.path.is_inside(path) || Some(&lock.path) == path.parent().as_ref()
}

/// Two locks exclude each other when they reach the same thing and one of them is exclusive.
fn in_the_way(wanted: &Lock, others: Vec<Lock>) -> Vec<Lock> {
    let meet = |other: &Lock| other.covers(&wanted.path) || wanted.covers(&other.path);
    let exclude =
        |other: &Lock| wanted.scope == LockScope::Exclusive || other.scope == LockScope::Exclusive;
    others.into_iter().filter(|other| meet(other) && exclude(other)).collect()
}

fn until(now: Millis, lasts: Duration) -> Millis {
    let lasts = lasts.clamp(Duration::from_secs(1), LONGEST_LOCK);
    now.saturating_add(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX))
}

/// A random UUID (RFC 9562, 5.4).
fn token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(anyhow::anyhow!("no randomness: {error}")))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    let [a, b, c, d, e] = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(format!("urn:uuid:{a}-{b}-{c}-{d}-{e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(path: &str, scope: LockScope, reach: LockReach) -> Lock {
        Lock {
            token: token().unwrap(),
            path: RelativePath::parse(path).unwrap(),
            user: UserId(1),
            scope,
            reach,
            owner: String::new(),
            expires_at: 0,
        }
    }

    #[test]
    fn what_excludes_what() {
        use LockReach::{Everything, Itself};
        use LockScope::{Exclusive, Shared};
        for (there, wanted, free) in [
            (("a", Exclusive, Itself), ("a", Exclusive, Itself), false),
            (("a", Exclusive, Itself), ("a", Shared, Itself), false),
            (("a", Shared, Itself), ("a", Shared, Everything), true),
            (("a", Shared, Itself), ("a", Exclusive, Itself), false),
            (("a", Exclusive, Itself), ("a/b", Exclusive, Itself), true),
            (("a", Exclusive, Everything), ("a/b/c", Exclusive, Itself), false),
            (("a", Shared, Everything), ("a/b", Shared, Itself), true),
            (("a/b", Exclusive, Itself), ("a", Exclusive, Everything), false),
            (("a/b", Exclusive, Itself), ("a", Exclusive, Itself), true),
            (("a/b", Exclusive, Itself), ("", Shared, Everything), false),
            (("", Exclusive, Everything), ("x", Shared, Itself), false),
            (("a", Exclusive, Everything), ("ab", Exclusive, Everything), true),
        ] {
            let (there, wanted) =
                (lock(there.0, there.1, there.2), lock(wanted.0, wanted.1, wanted.2));
            assert_eq!(
                in_the_way(&wanted, vec![there.clone()]).is_empty(),
                free,
                "{there:?} {wanted:?}"
            );
        }
    }

    #[test]
    fn tokens_are_uuids_of_chance() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), "urn:uuid:".len() + 36);
        assert_eq!(&one[23..24], "4");
    }
}
