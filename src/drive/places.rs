//! Where somebody may keep or find files: the own locker, the household's, and folders that others
//! shared; and the sharing itself.

use super::{Drive, RelativePath, reach::Access, rows::inside};
use crate::{
    Error, Result,
    accounts::{Locker, LockerKind, Principal, Usage},
    db::Tx,
    events::Event,
    ids::{FolderShareId, LockerId},
};

/// A place of files as its user sees it.
#[derive(Debug, Clone)]
pub struct Place {
    /// What kind it is.
    pub kind: PlaceKind,
    /// "ann" (the own login name), "household", or the shared folder's name.
    pub name: String,
    /// The locker that its files are in and count in.
    pub locker: LockerId,
    /// The folder of the locker that is this place's root.
    pub base: RelativePath,
    /// Whether files may be added and changed.
    pub may_write: bool,
    /// How full the locker is; `None` where it is somebody else's.
    pub usage: Option<Usage>,
}

/// What kind of place it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceKind {
    /// The principal's own locker.
    Own,
    /// The household's.
    Household,
    /// A folder of another user, by login name.
    Shared {
        /// The share.
        id: FolderShareId,
        /// Whose folder it is.
        owner: String,
    },
}

/// A folder that is shared with somebody, as its owner sees it.
#[derive(Debug, Clone)]
pub struct FolderShare {
    /// Its id.
    pub id: FolderShareId,
    /// The locker that the folder is in.
    pub locker: LockerId,
    /// The folder.
    pub path: RelativePath,
    /// Login name of who sees it.
    pub user: String,
    /// Whether that user may add and change files.
    pub may_write: bool,
}

impl Drive {
    /// Every place that the principal may look into: own, household's, shared folders by name.
    pub async fn places(&self, principal: &Principal) -> Result<Vec<Place>> {
        let may_write = principal.abilities.upload && principal.is_person();
        let lockers = self.accounts.lockers(principal).await?;
        let mut places: Vec<Place> =
            lockers.into_iter().map(|locker| place_of(locker, may_write)).collect();
        let shares = sqlx::query!(
            r#"select s.folder_share_id, s.locker_id, s.path, s.may_write as "may_write: bool",
                      coalesce(u.name, 'household') as "owner!: String"
               from folder_share s join locker l on l.locker_id = s.locker_id
               left join user u on u.user_id = l.user_id
               where s.user_id = ? and l.path not like 'removed/%' order by s.path, s.folder_share_id"#,
            principal.user.0
        )
        .fetch_all(self.db.read())
        .await?;
        for share in shares {
            let base = RelativePath::from_disk(share.path);
            places.push(Place {
                kind: PlaceKind::Shared { id: share.folder_share_id.into(), owner: share.owner },
                name: base.name().to_owned(),
                locker: share.locker_id.into(),
                base,
                may_write: may_write && share.may_write,
                usage: None,
            });
        }
        Ok(places)
    }

    /// The place that the principal sees a path of a locker in; of several the widest.
    pub async fn place_at(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<Place> {
        let places = self.places(principal).await?.into_iter();
        places
            .filter(|place| place.locker == locker && path.is_within(place.base.as_str()))
            .min_by_key(|place| place.base.as_str().len())
            .ok_or(Error::NotFound("File"))
    }

    /// The same for something in the trash or an earlier version.
    pub async fn place_of_kept(&self, principal: &Principal, id: &str) -> Result<Place> {
        let kept = self.kept_row(id).await?;
        let place = self.place_at(principal, kept.locker, &kept.path).await;
        place.map_err(|error| match error {
            Error::NotFound(_) => Error::NotFound("Kept file"),
            error => error,
        })
    }

    /// Folders of a locker that are shared with others, by path and name. For who may use the
    /// whole locker.
    pub async fn folder_shares(
        &self,
        principal: &Principal,
        locker: LockerId,
    ) -> Result<Vec<FolderShare>> {
        let locker = self.accounts.locker(principal, locker).await?;
        let rows = sqlx::query!(
            r#"select s.folder_share_id, s.path, s.may_write as "may_write: bool", u.name
               from folder_share s join user u on u.user_id = s.user_id
               where s.locker_id = ? order by s.path, u.name"#,
            locker.id.0
        )
        .fetch_all(self.db.read())
        .await?;
        let shares = rows.into_iter().map(|row| FolderShare {
            id: row.folder_share_id.into(),
            locker: locker.id,
            path: RelativePath::from_disk(row.path),
            user: row.name,
            may_write: row.may_write,
        });
        Ok(shares.collect())
    }

    /// Shares a folder of one's own (an administrator also one of the household's) with a user by
    /// login name, or changes what that user may do there.
    pub async fn share_folder(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        user: &str,
        may_write: bool,
    ) -> Result<FolderShare> {
        let locker = self.sharable(principal, locker).await?;
        let (_, path) = self.reach(principal, locker.id, path, Access::Read).await?;
        if path.is_root() {
            return Err(Error::Invalid("Choose a folder; a whole locker is not shared".to_owned()));
        }
        let there = self.stat(principal, locker.id, &path).await?;
        if there.kind != super::EntryKind::Folder {
            return Err(Error::Invalid("Only folders are shared".to_owned()));
        }
        let (text, now) = (path.as_str(), self.clock.now());
        let mut tx = self.db.write().await?;
        let known = sqlx::query!("select user_id, name from user where name = ?", user)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or(Error::NotFound("User"))?;
        if known.user_id == principal.user.0 {
            return Err(Error::Invalid("This folder is yours already".to_owned()));
        }
        let id = sqlx::query_scalar!(
            r#"insert into folder_share (locker_id, path, user_id, may_write, created_at)
               values (?, ?, ?, ?, ?)
               on conflict (locker_id, path, user_id) do update set may_write = excluded.may_write
               returning folder_share_id as "id!: i64""#,
            locker.id.0,
            text,
            known.user_id,
            may_write,
            now
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        // Its music is seen by that user from now on.
        self.events.publish(Event::LibrariesChanged);
        Ok(FolderShare { id: id.into(), locker: locker.id, path, user: known.name, may_write })
    }

    /// Ends a share: its owner does, or who it was shared with.
    pub async fn unshare_folder(&self, principal: &Principal, id: FolderShareId) -> Result<()> {
        let row = sqlx::query!(
            "select locker_id, user_id from folder_share where folder_share_id = ?",
            id.0
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Share"))?;
        if row.user_id != principal.user.0 {
            let own = self.sharable(principal, row.locker_id.into()).await;
            own.map_err(|error| match error {
                Error::NotFound(_) => Error::NotFound("Share"),
                other => other,
            })?;
        }
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from folder_share where folder_share_id = ?", id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.events.publish(Event::LibrariesChanged);
        Ok(())
    }

    /// A locker whose folders the principal may share.
    async fn sharable(&self, principal: &Principal, locker: LockerId) -> Result<Locker> {
        let locker = self.accounts.writable_locker(principal, locker).await?;
        if locker.kind == LockerKind::Household && !principal.tends_music() {
            return Err(Error::Forbidden(
                "Only an administrator shares the household's folders".to_owned(),
            ));
        }
        Ok(locker)
    }

    /// Shares of a folder that goes, or of folders in it, end.
    pub(super) async fn drop_shares(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
    ) -> Result<()> {
        let (first, last) = inside(path);
        sqlx::query!(
            "delete from folder_share where locker_id = ?1 and (path = ?2 or (?3 <= path and path < ?4))",
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

fn place_of(locker: Locker, may_write: bool) -> Place {
    Place {
        kind: match locker.kind {
            LockerKind::User => PlaceKind::Own,
            LockerKind::Household => PlaceKind::Household,
        },
        name: locker.name,
        locker: locker.id,
        base: RelativePath::root(),
        may_write,
        usage: Some(locker.usage),
    }
}
