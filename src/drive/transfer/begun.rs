//! Moves that a crash cut short. What is to happen is written before the disk is touched; at a start
//! the disk says how far it came: what was renamed is counted, so that nothing that was known of the
//! files is forgotten, and what was not is put back.

use std::{collections::HashMap, io};

use super::{Cleared, Transfer};
use crate::{
    Error, Result,
    db::Tx,
    drive::{
        Condition, Drive, RelativePath,
        disk::{Found, Spot},
        put::blocking,
    },
    error::is_nowhere,
    ids::{LockerId, UserId},
};

/// A move that is written down, by its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun(i64);

/// Its row.
struct Row {
    id: i64,
    source: i64,
    from: String,
    target: i64,
    to: String,
    user: i64,
    spot: Option<Spot>,
    facts: (u64, i64),
    is_folder: bool,
}

impl Transfer {
    /// Writes down what is to happen, with what makes room for it and where that goes.
    pub(super) async fn write_down(&self, room: Option<(&Found, &Spot)>) -> Result<Begun> {
        let (from, to) = (self.from.as_str(), self.to.as_str());
        let spot = room.map(|(_, spot)| spot);
        let (kept, shelf, name) =
            (spot.map(|it| &it.id), spot.map(|it| &it.shelf), spot.map(|it| &it.name));
        let is_folder = room.map(|(there, _)| there.is_folder);
        let size = room.map(|(there, _)| i64::try_from(there.size).unwrap_or(i64::MAX));
        let modified_ns = room.map(|(there, _)| there.modified_ns);
        let mut tx = self.drive.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into drive_move (source_id, source_path, target_id, target_path, user_id, kept_id, shelf,
                   name, is_folder, size_bytes, modified_ns)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning drive_move_id as "id!: i64""#,
            self.source.id.0,
            from,
            self.target.id.0,
            to,
            self.user.0,
            kept,
            shelf,
            name,
            is_folder,
            size,
            modified_ns
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Begun(id))
    }
}

impl Drive {
    /// It is over, one way or the other.
    pub(super) async fn strike_out(&self, tx: &mut Tx, begun: Begun) -> Result<()> {
        sqlx::query!("delete from drive_move where drive_move_id = ?", begun.0)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// The same, where nothing else is to be written.
    pub(super) async fn take_back(&self, begun: Begun) -> Result<()> {
        let mut tx = self.db.write().await?;
        self.strike_out(&mut tx, begun).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Finishes or takes back what a crash or a failing disk cut short, before anything else looks
    /// at the disk. Whoever moves something has the turns of its lockers meanwhile: what is still
    /// written down when this has them is nobody's.
    pub(in crate::drive) async fn finish_moves(&self) -> Result<()> {
        let rows = sqlx::query!(
            r#"select drive_move_id as "id!: i64", source_id, source_path, target_id, target_path, user_id,
                      kept_id, shelf, name, is_folder as "is_folder?: bool", size_bytes, modified_ns
               from drive_move order by drive_move_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        for row in rows {
            let spot = match (row.kept_id, row.shelf, row.name) {
                (Some(id), Some(shelf), Some(name)) => Some(Spot { shelf, id, name }),
                _ => None,
            };
            let facts = (row.size_bytes.unwrap_or(0).unsigned_abs(), row.modified_ns.unwrap_or(0));
            let row = Row {
                id: row.id,
                source: row.source_id,
                from: row.source_path,
                target: row.target_id,
                to: row.target_path,
                user: row.user_id,
                spot,
                facts,
                is_folder: row.is_folder.unwrap_or(false),
            };
            let id = row.id;
            let _turns = self.lock_both(row.source.into(), row.target.into()).await;
            if !self.is_begun(id).await? {
                continue;
            }
            match self.finish_move(row).await {
                // A locker that is gone took everything along.
                Err(Error::NotFound(_)) => self.take_back(Begun(id)).await?,
                done => done?,
            }
        }
        Ok(())
    }

    async fn is_begun(&self, id: i64) -> Result<bool> {
        Ok(sqlx::query_scalar!(
            r#"select exists (select 1 from drive_move where drive_move_id = ?) as "is_begun!: bool""#,
            id
        )
        .fetch_one(self.db.read())
        .await?)
    }

    async fn finish_move(&self, row: Row) -> Result<()> {
        let begun = Begun(row.id);
        let transfer = Transfer {
            drive: self.clone(),
            source: self.accounts.any_locker(LockerId(row.source)).await?,
            from: RelativePath::from_disk(row.from),
            target: self.accounts.any_locker(LockerId(row.target)).await?,
            to: RelativePath::from_disk(row.to),
            condition: Condition::None,
            user: UserId(row.user),
        };
        let from = (transfer.source.path.clone(), transfer.from.as_str().to_owned());
        let to = (transfer.target.path.clone(), transfer.to.as_str().to_owned());
        let (disk, shelf) = (self.disk.clone(), row.spot.clone());
        // What is lent from a watched folder looks the same at both ends; its row is at the source.
        let lent = self.lent_at(transfer.source.id, transfer.from.as_str()).await?;
        let there = self.lent_at(transfer.target.id, transfer.to.as_str()).await?;
        let (is_at_source, is_at_target, is_kept) = blocking(move || {
            let is_kept = match &shelf {
                Some(spot) => is_there(disk.shelved_files(spot, &HashMap::new()))?,
                None => false,
            };
            Ok((
                is_there(disk.look(&from.0, &from.1, lent.as_ref()))?,
                is_there(disk.look(&to.0, &to.1, lent.as_ref().or(there.as_ref())))?,
                is_kept,
            ))
        })
        .await?;
        let (is_folder, facts) = (row.is_folder, row.facts);
        let spot = row.spot.filter(|_| is_kept);
        let cleared = spot.map(|spot| Cleared { spot, is_folder, facts, is_linked: false });
        if is_at_source || !is_at_target {
            // It never left, or other hands took it away: whatever made room comes back.
            if let Some(cleared) = &cleared {
                transfer.make_good(cleared, is_at_target).await?;
            }
            return self.take_back(begun).await;
        }
        tracing::warn!(
            from = transfer.from.as_str(),
            to = transfer.to.as_str(),
            "a move that was cut short is finished"
        );
        let (_, _, charge) = self.sum_rows(transfer.source.id, transfer.from.as_str()).await?;
        transfer.count_move(cleared.as_ref(), None, charge, begun).await
    }
}

impl Transfer {
    /// What is on the shelf goes back to the target, or away where it is still there under its name.
    async fn make_good(&self, cleared: &Cleared, is_at_target: bool) -> Result<()> {
        let (disk, spot) = (self.drive.disk.clone(), cleared.spot.clone());
        let (folder, path) = (self.target.path.clone(), self.to.as_str().to_owned());
        blocking(move || {
            if is_at_target {
                let below = spot.folder();
                // Something else: it is found on the shelf, and kept.
                if !disk.is_same_file((&below, &spot.name), (&folder, &path)) {
                    return Ok(());
                }
            } else {
                disk.unshelve(&spot, &folder, &path)?;
            }
            disk.erase(&spot)
        })
        .await
    }
}

fn is_there<T>(looked: io::Result<T>) -> io::Result<bool> {
    match looked {
        Ok(_) => Ok(true),
        Err(error) if is_nowhere(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
