//! Dead properties (RFC 4918, 4): what clients keep beside a file or folder, and nobody here
//! understands. They go where the file goes.

use std::collections::HashMap;

use super::{Drive, RelativePath, reach::Access, rows::inside};
use crate::{Error, Result, accounts::Principal, db::Tx, ids::LockerId};

/// Properties of one file or folder.
const MOST_PROPERTIES: i64 = 256;
/// Bytes of all properties of one file or folder.
const MOST_BYTES: i64 = 128 << 10;

/// A name in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PropertyName {
    /// The namespace; may be ''.
    pub namespace: String,
    /// The local name.
    pub name: String,
}

/// A property as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// What it is called.
    pub name: PropertyName,
    /// The whole element, with every namespace that it uses.
    pub element: String,
}

/// One step of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyChange {
    /// Sets it, whatever it was.
    Set(Property),
    /// Removes it; one that is not there is fine.
    Remove(PropertyName),
}

impl Drive {
    /// The properties of one file or folder.
    pub async fn properties(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<Vec<Property>> {
        let (locker, path) = self.reach(principal, locker, path, Access::Read).await?;
        let path = path.as_str();
        let rows = sqlx::query!(
            "select namespace, name, element from drive_property where locker_id = ? and path = ?",
            locker.id.0,
            path
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.into_iter().map(|row| property(row.namespace, row.name, row.element)).collect())
    }

    /// The properties of everything right in a folder, by the name of the entry.
    pub async fn properties_in(
        &self,
        principal: &Principal,
        locker: LockerId,
        folder: &RelativePath,
    ) -> Result<HashMap<String, Vec<Property>>> {
        let (locker, folder) = self.reach(principal, locker, folder, Access::Read).await?;
        let (first, last) = match folder.as_str() {
            // The root's own stand at ''.
            "" => ("\u{1}".to_owned(), "\u{10ffff}".to_owned()),
            folder => inside(folder),
        };
        let skipped = if folder.is_root() { 0 } else { first.chars().count() };
        let skipped = i64::try_from(skipped).unwrap_or(0);
        let rows = sqlx::query!(
            r#"select substr(path, ?4 + 1) as "entry!: String", namespace, name, element
               from drive_property
               where locker_id = ?1 and ?2 <= path and path < ?3
                 and instr(substr(path, ?4 + 1), '/') = 0"#,
            locker.id.0,
            first,
            last,
            skipped
        )
        .fetch_all(self.db.read())
        .await?;
        let mut found: HashMap<String, Vec<Property>> = HashMap::new();
        for row in rows {
            let property = property(row.namespace, row.name, row.element);
            found.entry(row.entry).or_default().push(property);
        }
        Ok(found)
    }

    /// Changes properties of a file or folder that is there, in order, all or none.
    pub async fn change_properties(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        changes: &[PropertyChange],
    ) -> Result<()> {
        let (locker, path) = self.reach(principal, locker, path, Access::Write).await?;
        let path = path.as_str();
        let mut tx = self.db.write().await?;
        for change in changes {
            match change {
                PropertyChange::Set(Property { name, element }) => sqlx::query!(
                    "insert into drive_property (locker_id, path, namespace, name, element)
                     values (?, ?, ?, ?, ?)
                     on conflict (locker_id, path, namespace, name) do update set element = excluded.element",
                    locker.id.0,
                    path,
                    name.namespace,
                    name.name,
                    element
                )
                .execute(&mut *tx)
                .await?,
                PropertyChange::Remove(name) => sqlx::query!(
                    "delete from drive_property
                     where locker_id = ? and path = ? and namespace = ? and name = ?",
                    locker.id.0,
                    path,
                    name.namespace,
                    name.name
                )
                .execute(&mut *tx)
                .await?,
            };
        }
        let kept = sqlx::query!(
            r#"select count(*) as "count!: i64",
                      coalesce(sum(octet_length(element)), 0) as "bytes!: i64"
               from drive_property where locker_id = ? and path = ?"#,
            locker.id.0,
            path
        )
        .fetch_one(&mut *tx)
        .await?;
        if MOST_PROPERTIES < kept.count || MOST_BYTES < kept.bytes {
            return Err(Error::StorageFull);
        }
        tx.commit().await?;
        Ok(())
    }

    /// What goes away takes its properties along, and those of what is in it.
    pub(super) async fn drop_properties(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
    ) -> Result<()> {
        let (first, last) = inside(path);
        sqlx::query!(
            "delete from drive_property
             where locker_id = ?1 and (path = ?2 or (?3 <= path and path < ?4))",
            locker.0,
            path,
            first,
            last
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Copies the properties of a file, or of a folder and all that is in it, over those at the
    /// target.
    pub(super) async fn copy_properties(
        &self,
        tx: &mut Tx,
        (from_locker, from): (LockerId, &str),
        (to_locker, to): (LockerId, &str),
    ) -> Result<()> {
        self.drop_properties(tx, to_locker, to).await?;
        let (first, last) = inside(from);
        sqlx::query!(
            "insert into drive_property (locker_id, path, namespace, name, element)
             select ?5, ?6 || substr(path, length(?2) + 1), namespace, name, element
             from drive_property
             where locker_id = ?1 and (path = ?2 or (?3 <= path and path < ?4))",
            from_locker.0,
            from,
            first,
            last,
            to_locker.0,
            to
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

fn property(namespace: String, name: String, element: String) -> Property {
    Property { name: PropertyName { namespace, name }, element }
}
