//! Lockers: the charged trees of files, one for each user and one for the household.

use super::{Accounts, Principal, Usage};
use crate::{
    Error, Result,
    db::Tx,
    ids::{LibraryId, LockerId, UserId},
};

/// Whose a locker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockerKind {
    /// One user's.
    User,
    /// The household's.
    Household,
}

/// A locker as its user sees it.
#[derive(Debug, Clone)]
pub struct Locker {
    /// Its row.
    pub id: LockerId,
    /// Whose it is.
    pub kind: LockerKind,
    /// The owner's login name, or "household".
    pub name: String,
    /// Folder below the drive root.
    pub path: String,
    /// The library that its music is in.
    pub library: LibraryId,
    /// How full it is.
    pub usage: Usage,
}

impl Accounts {
    /// Lockers that the principal may use: the own one first, then the household's.
    pub async fn lockers(&self, principal: &Principal) -> Result<Vec<Locker>> {
        let (user, visible) = (principal.user.0, principal.libraries_json());
        let rows = sqlx::query!(
            r#"select l.locker_id, l.kind, l.path, b.library_id as "library_id!: i64"
               from locker l
               join library b on b.locker_id = l.locker_id
               where (l.kind = 'user' and l.user_id = ?1)
                  or (l.kind = 'household' and b.library_id in (select value from json_each(?2)))
               order by l.kind = 'household'"#,
            user,
            visible
        )
        .fetch_all(self.db.read())
        .await?;
        let mut lockers = Vec::with_capacity(rows.len());
        for row in rows {
            let is_household = row.kind == "household";
            let id = row.locker_id.into();
            lockers.push(Locker {
                id,
                kind: if is_household { LockerKind::Household } else { LockerKind::User },
                name: if is_household { "household".into() } else { principal.name.to_string() },
                path: row.path,
                library: row.library_id.into(),
                usage: self.figures_of(id).await?.usage(),
            });
        }
        Ok(lockers)
    }

    /// One of them; what the principal may not use is not found.
    pub async fn locker(&self, principal: &Principal, id: LockerId) -> Result<Locker> {
        let lockers = self.lockers(principal).await?;
        lockers.into_iter().find(|locker| locker.id == id).ok_or(Error::NotFound("Locker"))
    }

    /// A locker whatever the caller may see, for who got at it by a shared folder. It bears its
    /// owner's name.
    pub(crate) async fn any_locker(&self, id: LockerId) -> Result<Locker> {
        let owner = sqlx::query!(
            "select l.kind, l.user_id from locker l where l.locker_id = ? and l.path not like 'removed/%'",
            id.0
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Locker"))?;
        let Some(user) = owner.user_id else {
            return self.household_locker(id).await;
        };
        let owner = self.principal(UserId(user)).await?;
        self.locker(&owner, id).await
    }

    /// The household's, as one who may see its library sees it.
    async fn household_locker(&self, id: LockerId) -> Result<Locker> {
        let library = sqlx::query_scalar!(
            r#"select library_id as "id!: i64" from library where locker_id = ?"#,
            id.0
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Locker"))?;
        self.locker(&Principal::household(vec![LibraryId(library)]), id).await
    }

    /// The same, for adding or changing files: needs the ability to upload.
    pub async fn writable_locker(&self, principal: &Principal, id: LockerId) -> Result<Locker> {
        let locker = self.locker(principal, id).await?;
        if principal.abilities.upload && principal.is_person() {
            Ok(locker)
        } else {
            Err(Error::Forbidden("You may not add or change files here".to_owned()))
        }
    }

    /// A user's own locker with its library.
    pub(super) async fn insert_user_locker(
        &self,
        tx: &mut Tx,
        user: UserId,
        name: &str,
    ) -> Result<()> {
        let (path, now) = (format!("lockers/{name}"), self.clock.now());
        let locker = sqlx::query_scalar!(
            r#"insert into locker (kind, user_id, path, created_at) values ('user', ?, ?, ?)
             on conflict (path) do nothing returning locker_id as "id!: i64""#,
            user.0,
            path,
            now
        )
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| {
            Error::Conflict(format!(
                "The files of an earlier user {name} are still being put away; try again in a moment"
            ))
        })?;
        self.insert_library(tx, locker, name, &path, Sharing::Nobody).await
    }

    /// The household's locker, once.
    pub(super) async fn insert_household_locker(
        &self,
        tx: &mut Tx,
        sharing: Sharing,
    ) -> Result<()> {
        let now = self.clock.now();
        let locker = sqlx::query_scalar!(
            r#"insert into locker (kind, plan_id, path, created_at)
             select 'household', plan_id, 'household', ?1 from plan where name = 'Unlimited'
             on conflict (path) do nothing returning locker_id as "id!: i64""#,
            now
        )
        .fetch_optional(&mut **tx)
        .await?;
        match locker {
            Some(locker) => {
                self.insert_library(tx, locker, "Household", "household", sharing).await
            }
            None => Ok(()),
        }
    }

    async fn insert_library(
        &self,
        tx: &mut Tx,
        locker: i64,
        name: &str,
        path: &str,
        sharing: Sharing,
    ) -> Result<()> {
        let kind = if path == "household" { "household" } else { "locker" };
        let folder = self.drive.join(path).to_string_lossy().into_owned();
        let shared = i64::from(matches!(sharing, Sharing::Everybody));
        let now = self.clock.now();
        // Another library may have the name already; ingest gives it a free one.
        let unique = format!("{name} (locker {locker})");
        sqlx::query!(
            "insert into library (name, kind, path, locker_id, is_shared, is_on_lan, created_at)
             values (iif(exists (select 1 from library where name = ?1), ?2, ?1), ?3, ?4, ?5, ?6, ?6, ?7)",
            name,
            unique,
            kind,
            folder,
            locker,
            shared,
            now
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Who sees a new locker's music.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sharing {
    /// Every user and the LAN.
    Everybody,
    /// The owner, or those granted.
    Nobody,
}
