//! Files that somebody hands over, on their way to their place: what else is known of them (that they
//! do not count, of which order they are, where they come from) is written down before the rename, so
//! that a crash right after it forgets nothing and no order brings a file twice.

use std::io;

use super::{
    Drive,
    disk::{self, digest},
    exempt::{Exempt, Handover},
    put::blocking,
};
use crate::{
    Result,
    accounts::Change,
    db::Tx,
    error::is_nowhere,
    ids::{LockerId, UserId},
};

/// A placing that is written down, by its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placing(i64);

impl Drive {
    /// Writes it down, where there is something to remember.
    pub(super) async fn remember_placing(
        &self,
        locker: LockerId,
        path: &str,
        hash: &[u8; 32],
        user: UserId,
        handover: &Handover,
    ) -> Result<Option<Placing>> {
        let Handover { exempt, item, source } = handover;
        if exempt.is_none() && item.is_none() && source.is_none() {
            return Ok(None);
        }
        let (hash, exempt) = (hash.as_slice(), exempt.map(Exempt::as_str));
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into drive_handover (locker_id, path, content_hash, user_id, exempt, source, delivery_item_id)
               values (?, ?, ?, ?, ?, ?, ?) returning drive_handover_id as "id!: i64""#,
            locker.0,
            path,
            hash,
            user.0,
            exempt,
            source,
            item
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(Placing(id)))
    }

    async fn is_placing(&self, id: i64) -> Result<bool> {
        Ok(sqlx::query_scalar!(
            r#"select exists (select 1 from drive_handover where drive_handover_id = ?) as "is_placing!: bool""#,
            id
        )
        .fetch_one(self.db.read())
        .await?)
    }

    /// It is over, one way or the other.
    pub(super) async fn forget_placing(&self, tx: &mut Tx, placing: Option<Placing>) -> Result<()> {
        if let Some(Placing(id)) = placing {
            sqlx::query!("delete from drive_handover where drive_handover_id = ?", id)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// After a crash, or when a disk that failed is well again: what came to its place is what it was
    /// to be. Whoever places something has its locker's turn meanwhile: what is still written down when
    /// this has it is nobody's.
    pub(super) async fn finish_placings(&self) -> Result<()> {
        let rows = sqlx::query!(
            r#"select g.drive_handover_id as "id!: i64", g.locker_id as "locker!: i64", l.path as "folder!: String",
                      g.path, g.content_hash, g.user_id, g.exempt, g.source, g.delivery_item_id
               from drive_handover g join locker l using (locker_id) order by g.drive_handover_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        for row in rows {
            let lock = self.lock(LockerId(row.locker));
            let _turn = lock.lock().await;
            if !self.is_placing(row.id).await? {
                continue;
            }
            let locker = self.accounts.any_locker(LockerId(row.locker)).await?;
            if let Err(error) = self.adopt_row(&locker, &row.path).await {
                // A disk that cannot read it now may at the next start; nothing else waits for it.
                tracing::error!(
                    path = row.path,
                    "what came to its place cannot be seen: {error:?}"
                );
                continue;
            }
            let (on, path) = (self.disk.clone(), row.path.clone());
            let found = blocking(move || {
                let opened = on.locker(&row.folder).and_then(|root| disk::open_file(&root, &path));
                match opened {
                    Ok((file, ..)) => digest(&file, None, |_| true),
                    Err(error)
                        if is_nowhere(&error) || error.kind() == io::ErrorKind::IsADirectory =>
                    {
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            })
            .await;
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    tracing::error!(
                        path = row.path,
                        "what came to its place cannot be read: {error}"
                    );
                    continue;
                }
            };
            let is_it = found.is_some_and(|it| it.content.as_slice() == row.content_hash);
            let (locker, path) = (LockerId(row.locker), row.path.as_str());
            let handover = Handover {
                exempt: row.exempt.as_deref().and_then(Exempt::parse),
                item: row.delivery_item_id,
                source: row.source,
            };
            let mut tx = self.db.write().await?;
            if is_it {
                let goes = self.charge_of(&mut tx, locker, path).await?;
                sqlx::query!(
                    "update drive_file set content_hash = ? where locker_id = ? and path = ?",
                    row.content_hash,
                    locker.0,
                    path
                )
                .execute(&mut *tx)
                .await?;
                self.note_handover(&mut tx, locker, path, &handover).await?;
                let comes = self.charge_of(&mut tx, locker, path).await?;
                if comes != goes {
                    let user = UserId(row.user_id);
                    let reason = if handover.item.is_some() { "delivery" } else { "import" };
                    let change = Change { user, reason, path };
                    self.accounts.recount(&mut tx, locker, (comes, goes), change).await?;
                }
            }
            self.forget_placing(&mut tx, Some(Placing(row.id))).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
