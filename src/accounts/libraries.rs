//! Who may see which library: what `Principal::libraries` is made of. The rows themselves are
//! kept by `ingest` (folders of the configuration) and by [`super::lockers`].

use std::path::PathBuf;

use super::{Abilities, Accounts, Principal};
use crate::{
    Error, Result,
    events::Event,
    ids::{LibraryId, UserId},
};

/// What a library is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LibraryKind {
    /// A watched folder, read-only.
    Folder,
    /// One user's locker.
    Locker,
    /// The household's locker.
    Household,
}

/// A library and who may see it, for admins.
#[derive(Debug, Clone)]
pub struct LibraryAccess {
    /// Its row.
    pub id: LibraryId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: LibraryKind,
    /// Where it is.
    pub path: PathBuf,
    /// Seen by everybody.
    pub is_shared: bool,
    /// Offered to LAN devices.
    pub is_on_lan: bool,
    /// Who may see it by grant.
    pub granted: Vec<UserId>,
}

/// Who sees a library.
#[derive(Debug, Clone, Default)]
pub struct LibrarySharing {
    /// Everybody here.
    pub is_shared: bool,
    /// Devices on the LAN.
    pub is_on_lan: bool,
    /// Besides, these.
    pub granted: Vec<UserId>,
}

impl Accounts {
    /// What a user sees: the own locker, what is granted, and what is shared with everybody.
    pub(super) async fn visible_libraries(
        &self,
        user: UserId,
        abilities: Abilities,
    ) -> Result<Vec<LibraryId>> {
        let sees_shared = abilities.sees_shared;
        let ids = sqlx::query_scalar!(
            "select library_id from library where is_active = 1 and (
                 locker_id in (select locker_id from locker where user_id = ?1)
                 or library_id in (select library_id from library_grant where user_id = ?1)
                 or (is_shared = 1 and ?2)
                 -- Folders that others share with him, unless he sees them as part of more.
                 or library_id in (
                     select s.library_id from shared_library s
                     join folder_share f on f.locker_id = s.locker_id and f.path = s.path
                     where f.user_id = ?1
                       and not exists (select 1 from folder_share o
                                       where o.user_id = ?1 and o.locker_id = f.locker_id
                                         and substr(f.path, 1, length(o.path) + 1) = o.path || '/')
                       and not exists (select 1 from library w where w.locker_id = f.locker_id and w.is_active = 1
                                         and ((w.is_shared = 1 and ?2)
                                              or w.library_id in (select library_id from library_grant where user_id = ?1)))))
             order by library_id",
            user.0,
            sees_shared
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(ids.into_iter().map(Into::into).collect())
    }

    /// Every active library with its sharing. Admin only.
    pub async fn library_access(&self, admin: &Principal) -> Result<Vec<LibraryAccess>> {
        admin.require_admin()?;
        let rows = sqlx::query!(
            r#"select library_id, name, kind, path, is_shared, is_on_lan,
                      (select json_group_array(user_id) from library_grant g where g.library_id = b.library_id)
                      as "granted!: String"
               from library b where is_active = 1
                 and library_id not in (select library_id from shared_library) order by library_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(LibraryAccess {
                    id: row.library_id.into(),
                    name: row.name,
                    kind: match row.kind.as_str() {
                        "locker" => LibraryKind::Locker,
                        "household" => LibraryKind::Household,
                        _ => LibraryKind::Folder,
                    },
                    path: row.path.into(),
                    is_shared: row.is_shared != 0,
                    is_on_lan: row.is_on_lan != 0,
                    granted: serde_json::from_str(&row.granted)?,
                })
            })
            .collect()
    }

    /// Says who sees a library. The owner of a locker does it for his own, an admin for the
    /// others; an admin never opens somebody else's locker.
    pub async fn share_library(
        &self,
        principal: &Principal,
        library: LibraryId,
        sharing: &LibrarySharing,
    ) -> Result<()> {
        let mut tx = self.db.write().await?;
        let row = sqlx::query!(
            r#"select b.kind, l.user_id as "owner?: i64" from library b
               left join locker l using (locker_id) where b.library_id = ? and b.is_active = 1
                 and b.library_id not in (select library_id from shared_library)"#,
            library.0
        )
        .fetch_optional(&mut *tx)
        .await?;
        let owns = |row_owner: Option<i64>| row_owner == Some(principal.user.0);
        match row {
            Some(row) if row.kind == "locker" && owns(row.owner) => (),
            Some(row) if row.kind != "locker" && principal.is_admin() => (),
            Some(_) if principal.may_see(library) || principal.is_admin() => {
                return Err(Error::Forbidden(
                    "Only its owner, or for shared libraries an administrator, may do this"
                        .to_owned(),
                ));
            }
            _ => return Err(Error::NotFound("Library")),
        }
        sqlx::query!(
            "update library set is_shared = ?, is_on_lan = ? where library_id = ?",
            sharing.is_shared,
            sharing.is_on_lan,
            library.0
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!("delete from library_grant where library_id = ?", library.0)
            .execute(&mut *tx)
            .await?;
        for user in &sharing.granted {
            sqlx::query!(
                "insert into library_grant (user_id, library_id)
                 select user_id, ?1 from user where user_id = ?2 on conflict do nothing",
                library.0,
                user.0
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.memory.forget_all();
        self.events.publish(Event::LibrariesChanged);
        Ok(())
    }
}
