//! After a crash, or after other hands: the files on the disk are the truth, and rows and figures
//! are made to fit. A locker whose folder is gone altogether is left alone: its disk is not
//! mounted.

use std::{collections::HashMap, io};

use super::{
    Drive,
    disk::{self, Disk, Found, LentFiles, SHELVES},
    lost::Lost,
    put::blocking,
    references::lent_of_locker,
    standing::Standing,
};
use crate::{
    Result,
    accounts::{Change, Charge},
    clock::iso,
    events::Event,
    ids::{LockerId, UserId},
};

/// Rows in one transaction.
const BATCH: usize = 500;

/// How a row must change.
pub(super) enum Fix {
    /// On the disk without a row, or other than the row says: path, size, time.
    Write(String, u64, i64),
    /// A row without its file.
    Missing(String),
    /// A row of a lent file that has bytes of its own now: size and time. A crash came before the
    /// row.
    Real(String, u64, i64),
    /// A file that was missing is there again: as it was, or a lent one's symlink.
    Back(String),
}

impl Drive {
    /// Every locker, at start and now and then. A drive that is not mounted or fails is left alone.
    pub async fn reconcile(&self) -> Result<()> {
        match self.standing().await? {
            Standing::Sound => (),
            Standing::Unmounted => {
                tracing::error!(
                    "the drive is not the one that the files were stored on; is its disk mounted? Nothing was changed, and nothing can be stored"
                );
                return Ok(());
            }
            Standing::Degraded(what) => {
                tracing::error!("the disk of the drive failed: {what}; nothing was changed");
                return Ok(());
            }
        }
        self.put_orphans_away().await?;
        let lockers =
            sqlx::query!("select locker_id, path from locker where path not like 'removed/%'")
                .fetch_all(self.db.read())
                .await?;
        for locker in lockers {
            self.reconcile_locker(LockerId(locker.locker_id), locker.path).await?;
        }
        Ok(())
    }

    async fn reconcile_locker(&self, locker: LockerId, folder: String) -> Result<()> {
        let lock = self.lock(locker);
        let _turn = lock.lock().await;
        let is_there = disk::is_there(&self.disk.absolute(&folder)?);
        if !is_there && self.has_rows(locker).await? {
            tracing::warn!(
                "the folder {folder} of the drive is not there; is its disk mounted? Nothing was changed"
            );
            return Ok(());
        }
        if is_there {
            self.clear_placing(locker, &folder).await?;
        }
        let mut lost = self.reconcile_shelves(locker, &folder).await?;
        let mut rows = self.all_rows(locker).await?;
        let lent = lent_of_locker(&self.db, locker).await?;
        let (disk, place) = (self.disk.clone(), folder.clone());
        let (found, links) = blocking(move || {
            disk.make_locker(&place)?;
            let (found, mut links) = walk(&disk, &place, &lent)?;
            for file in found.iter().filter(|(_, file)| file.is_lent) {
                let text = disk.link_text(&place, &file.0)?;
                // Something else came to its place.
                if text.is_some_and(|text| text != lent[&file.0].sealed.path) {
                    links.push(file.0.clone());
                }
            }
            Ok((found, links))
        })
        .await?;
        let adopted = self.adopt_links(locker, &folder, &links, &mut lost).await?;
        let mut fixes = Vec::new();
        for path in &adopted {
            rows.remove(path);
        }
        for (path, found) in found.into_iter().filter(|(path, _)| !adopted.contains(path)) {
            fixes.extend(fix_of(&path, &found, rows.remove(&path).as_ref()));
        }
        let gone = rows.into_iter().filter(|(_, row)| row.presence == Presence::There);
        let gone: Vec<String> = gone.map(|(path, _)| path).collect();
        lost.extend(self.lost_from(locker, &gone).await?);
        fixes.extend(gone.into_iter().map(Fix::Missing));
        if fixes.is_empty() && adopted.is_empty() {
            return Ok(());
        }
        tracing::info!(
            changes = fixes.len() + adopted.len(),
            "the folder {folder} of the drive was changed by other hands"
        );
        for batch in fixes.chunks(BATCH) {
            self.fix(locker, batch, &mut lost).await?;
        }
        self.events.publish(Event::DriveChanged { locker, path: String::new() });
        self.accounts.tell_usage(locker).await
    }

    /// Whether anything lies in a locker, or did and can come back.
    async fn has_rows(&self, locker: LockerId) -> Result<bool> {
        let any = sqlx::query_scalar!(
            r#"select exists (select 1 from drive_file where locker_id = ?1)
                   or exists (select 1 from drive_kept where locker_id = ?1) as "any!: bool""#,
            locker.0
        )
        .fetch_one(self.db.read())
        .await?;
        Ok(any)
    }

    async fn all_rows(&self, locker: LockerId) -> Result<HashMap<String, Seen>> {
        let rows = sqlx::query!(
            r#"select path, size_bytes, modified_ns, missing_at, reference_id is not null as "is_lent!: bool"
               from drive_file where locker_id = ?"#,
            locker.0
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let presence =
                    if row.missing_at.is_some() { Presence::Missing } else { Presence::There };
                let (size, modified_ns) = (row.size_bytes.unsigned_abs(), row.modified_ns);
                (row.path, Seen { size, modified_ns, presence, is_lent: row.is_lent })
            })
            .collect())
    }

    /// One batch, one transaction: rows, figures and the ledger together.
    /// What is found and was lost from a shelf or another path a moment ago came from there.
    pub(super) async fn fix(
        &self,
        locker: LockerId,
        fixes: &[Fix],
        lost: &mut Vec<Lost>,
    ) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        for fix in fixes {
            let back = self.if_back(&mut tx, locker, fix).await?;
            let fix = back.as_ref().unwrap_or(fix);
            let back = match fix {
                Fix::Write(_, size, modified_ns) => {
                    let is_it = |lost: &Lost| {
                        lost.reference_id.is_none()
                            && (lost.size_bytes.unsigned_abs(), lost.modified_ns)
                                == (*size, *modified_ns)
                    };
                    lost.iter().position(is_it).map(|at| lost.swap_remove(at))
                }
                Fix::Missing(_) | Fix::Real(..) | Fix::Back(_) => None,
            };
            let (path, comes, reason) = match fix {
                Fix::Write(path, size, _) => {
                    let comes = back.as_ref().map_or_else(|| Charge::counted(*size), Lost::charge);
                    (path, comes, "found")
                }
                Fix::Missing(path) => (path, Charge::default(), "missing"),
                // It counts what it counted.
                Fix::Real(path, size, modified_ns) => {
                    self.write_found_real(&mut tx, locker, path, *size, *modified_ns).await?;
                    continue;
                }
                Fix::Back(path) => {
                    (path, self.charge_if_back(&mut tx, locker, path).await?, "found")
                }
            };
            let goes = self.charge_of(&mut tx, locker, path).await?;
            match fix {
                Fix::Write(path, size, modified_ns) => {
                    self.write_row(&mut tx, locker, path, *size, *modified_ns, None).await?;
                    if let Some(back) = &back {
                        self.remember_lost(&mut tx, locker, path, back).await?;
                    }
                }
                Fix::Real(..) => (),
                Fix::Back(path) => {
                    sqlx::query!(
                        "update drive_file set missing_at = null where locker_id = ? and path = ?",
                        locker.0,
                        path
                    )
                    .execute(&mut *tx)
                    .await?;
                }
                Fix::Missing(path) => {
                    sqlx::query!(
                        "update drive_file set missing_at = ? where locker_id = ? and path = ?",
                        now,
                        locker.0,
                        path
                    )
                    .execute(&mut *tx)
                    .await?;
                }
            }
            let change = Change { user: UserId(0), reason, path };
            self.accounts.recount(&mut tx, locker, (comes, goes), change).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Lockers of users that were removed go to `removed/NAME-DATE`; nothing is deleted, unless an
    /// administrator said so.
    pub(super) async fn put_orphans_away(&self) -> Result<()> {
        let orphans = sqlx::query!(
            r#"select locker_id, path, is_erased as "is_erased: bool" from locker
               where kind = 'user' and user_id is null and path like 'lockers/%'"#
        )
        .fetch_all(self.db.read())
        .await?;
        for orphan in orphans {
            let user = orphan.path.trim_start_matches("lockers/");
            let date: String = iso(self.clock.now()).chars().take(10).collect();
            // The row's number makes it unique when a name comes and goes twice a day.
            let name = format!("{user}-{date}-{}", orphan.locker_id);
            // What goes there has to stand on its own.
            if !orphan.is_erased
                && let Err(error) = self.make_locker_real(orphan.locker_id.into()).await
            {
                tracing::error!(
                    "the files of {user} stay where they are: some of their bytes lie in a watched folder and could not be copied: {error:#}"
                );
                continue;
            }
            // Whoever changes something in it sees it at one place or the other.
            let lock = self.lock(orphan.locker_id.into());
            let turn = lock.lock().await;
            self.put_shelves_away(orphan.locker_id, user, &name).await?;
            let (disk, path, target) = (self.disk.clone(), orphan.path.clone(), name.clone());
            blocking(move || match disk.put_away(&path, &target) {
                // Moved before a crash came between disk and row.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
                moved => moved,
            })
            .await?;
            let path = format!("removed/{name}");
            let absolute = self.disk.absolute(&path)?.to_string_lossy().into_owned();
            let mut tx = self.db.write().await?;
            sqlx::query!("update locker set path = ? where locker_id = ?", path, orphan.locker_id)
                .execute(&mut *tx)
                .await?;
            sqlx::query!(
                "update library set path = ?, name = ?, is_active = 0 where locker_id = ?",
                absolute,
                path,
                orphan.locker_id
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            drop(turn);
            tracing::info!("the files of {user} are now in {path}");
        }
        self.erase_orphans().await
    }
}

impl Drive {
    /// Trash and versions of a removed user go with the locker: another user of that name must not
    /// find them. Their rows stay, for take-downs.
    async fn put_shelves_away(&self, locker: i64, user: &str, name: &str) -> Result<()> {
        for shelf in SHELVES {
            let (disk, path, target) =
                (self.disk.clone(), format!("{shelf}/{user}"), format!("{name}-{shelf}"));
            blocking(move || match disk.put_away(&path, &target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
                moved => moved,
            })
            .await?;
        }
        let mut tx = self.db.write().await?;
        for shelf in SHELVES {
            let (old, new) = (format!("{shelf}/{user}"), format!("removed/{name}-{shelf}"));
            sqlx::query!(
                "update drive_kept set shelf = ? where locker_id = ? and shelf = ?",
                new,
                locker,
                old
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Whether a row's file was there when last looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    Missing,
}

/// What a row says of its file.
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) modified_ns: i64,
    pub(super) presence: Presence,
    pub(super) is_lent: bool,
}

/// How the row of a file that was found must change, if it must.
pub(super) fn fix_of(path: &str, found: &Found, row: Option<&Seen>) -> Option<Fix> {
    let (path, size, modified_ns) = (path.to_owned(), found.size, found.modified_ns);
    match row {
        Some(row) if found.is_lent => {
            (row.presence == Presence::Missing).then_some(Fix::Back(path))
        }
        Some(row) if row.is_lent && row.size == size && row.presence == Presence::There => {
            Some(Fix::Real(path, size, modified_ns))
        }
        Some(row)
            if !row.is_lent
                && (row.size, row.modified_ns, row.presence)
                    == (size, modified_ns, Presence::There) =>
        {
            None
        }
        _ => Some(Fix::Write(path, size, modified_ns)),
    }
}

/// Every file of a locker with its path, and the paths of symlinks that no row tells of.
pub(super) fn walk(
    disk: &Disk,
    folder: &str,
    lent: &LentFiles,
) -> io::Result<(Vec<(String, Found)>, Vec<String>)> {
    let root = disk.locker(folder)?;
    let (mut files, mut links) = (Vec::new(), Vec::new());
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let below = |name: &str| {
            if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
        };
        let lent = |name: &str| {
            let path = below(name);
            let found = lent.get(&path);
            if found.is_none() {
                links.push(path);
            }
            found
        };
        let listed = match disk::list_with(&root, &folder, lent) {
            // Removed while walking.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            listed => listed?,
        };
        for found in listed {
            let path = below(&found.name);
            if found.is_folder {
                folders.push(path);
            } else {
                files.push((path, found));
            }
        }
    }
    Ok((files, links))
}
