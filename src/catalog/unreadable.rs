//! Files that look like music and cannot be played, and why: for whoever answers for them, which
//! is an administrator for folders and the household's locker, and everybody for his own.

use std::collections::HashMap;

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{Catalog, Unreadable, UnreadableFiles},
    ids::{LibraryId, LockerId},
};

impl Catalog {
    /// Those of a library by path: at most `limit` behind `after`. Of a library that is not the
    /// principal's to answer for, nothing is known.
    pub async fn unreadable(
        &self,
        principal: &Principal,
        library: LibraryId,
        after: &str,
        limit: u32,
    ) -> Result<UnreadableFiles> {
        let is_admin = principal.is_admin();
        let total = sqlx::query_scalar!(
            r#"select (select count(*) from media_file f
                       where f.library_id = b.library_id and f.state = 'unreadable') as "count!: i64"
               from library b left join locker l using (locker_id)
               where b.library_id = ?1 and b.is_active = 1
                 and iif(b.kind = 'locker', l.user_id = ?2, ?3)"#,
            library.0,
            principal.user.0,
            is_admin
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Library"))?;
        let files = sqlx::query_as!(
            Unreadable,
            r#"select path, reason, size_bytes as "size_bytes: u64" from media_file
               where library_id = ? and state = 'unreadable' and path > ? order by path limit ?"#,
            library.0,
            after,
            limit
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(UnreadableFiles { files, total: total.max(0) as u64 })
    }

    /// How many there are, by library; libraries without any are left out. Administrators only.
    pub async fn unreadable_counts(&self, admin: &Principal) -> Result<HashMap<LibraryId, u64>> {
        admin.require_admin()?;
        let rows = sqlx::query!(
            r#"select library_id as "library!: i64", count(*) as "count!: i64" from media_file
               where state = 'unreadable' group by library_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.into_iter().map(|row| (LibraryId(row.library), row.count.max(0) as u64)).collect())
    }

    /// Why files right in this folder of a locker are not playable, by name; nothing of a locker
    /// whose library the principal does not see.
    pub async fn unreadable_in(
        &self,
        principal: &Principal,
        locker: LockerId,
        folder: &str,
    ) -> Result<HashMap<String, String>> {
        // From the folder's slash up to the letter behind it; all of it at the top.
        let (first, last) = match folder {
            "" => (String::new(), "\u{10ffff}".to_owned()),
            folder => (format!("{folder}/"), format!("{folder}0")),
        };
        let seen = principal.libraries_json();
        let rows = sqlx::query!(
            "select f.path, f.reason from library b cross join media_file f using (library_id)
             where b.locker_id = ?1 and b.kind in ('locker', 'household') and f.state = 'unreadable'
               and ?2 <= f.path and f.path < ?3 and instr(substr(f.path, length(?2) + 1), '/') = 0
               and b.library_id in (select value from json_each(?4)) limit 1000",
            locker.0,
            first,
            last,
            seen
        )
        .fetch_all(self.db.read())
        .await?;
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(rows.into_iter().map(|row| (name(&row.path), row.reason)).collect())
    }
}
