//! The rows of imports and of what became of their files.

use super::{
    Destination, Import, ImportItem, ImportState, Imports, MOST_OPEN, OwnLocks, Problem, live::Live,
};
use crate::{
    Error, Result,
    accounts::Principal,
    clock::Millis,
    drive::RelativePath,
    ids::{ImportId, UserId},
};

/// What is over is remembered so long.
const KEPT: Millis = 30 * 24 * 3600 * 1000;
/// Imports in a list.
const MOST_LISTED: i64 = 200;
/// Files of one import in an answer.
const MOST_ITEMS: i64 = 100_000;

/// An import as it is carried out.
pub(super) struct Known {
    pub(super) id: ImportId,
    pub(super) user: UserId,
    pub(super) into: Destination,
    pub(super) url: Option<String>,
    pub(super) upload: Option<String>,
}

impl Imports {
    pub(super) async fn insert(
        &self,
        principal: &Principal,
        into: &Destination,
        name: &str,
        url: Option<&str>,
        state: ImportState,
    ) -> Result<ImportId> {
        let now = self.clock.now();
        let (target, state) = (into.folder.as_str(), state.as_str());
        let mut tx = self.db.write().await?;
        let open = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from import where user_id = ? and ended_at is null"#,
            principal.user.0
        )
        .fetch_one(&mut *tx)
        .await?;
        if MOST_OPEN <= open {
            return Err(Error::TooMany {
                message: "Too many imports are waiting".to_owned(),
                retry_after: std::time::Duration::from_mins(1),
            });
        }
        let id = sqlx::query_scalar!(
            r#"insert into import (user_id, locker_id, target, place, folder, only_new, url, name, state, created_at)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning import_id as "id!: i64""#,
            principal.user.0,
            into.locker.0,
            target,
            into.place,
            into.shown,
            into.only_new,
            url,
            name,
            state,
            now
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(id.into())
    }

    /// The import of a whole upload, made if there is none.
    pub(super) async fn of_upload(
        &self,
        user: UserId,
        upload: &str,
        (place, folder): (&str, &str),
    ) -> Result<ImportId> {
        let archive = self.drive.whole_archive(user, upload).await?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let known = sqlx::query_scalar!(
            r#"select import_id as "id!: i64" from import where upload_id = ?"#,
            upload
        )
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(id) = known {
            return Ok(id.into());
        }
        let id = sqlx::query_scalar!(
            r#"insert into import (user_id, locker_id, target, place, folder, only_new, upload_id, name, state, created_at)
               values (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?) returning import_id as "id!: i64""#,
            user.0,
            archive.locker.0,
            archive.folder,
            place,
            folder,
            archive.only_new,
            upload,
            archive.name,
            now
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(id.into())
    }

    /// Whole archives that a crash kept from being unpacked.
    pub(super) async fn adopt_uploads(&self) -> Result<()> {
        for (user, upload) in self.drive.whole_archives().await? {
            self.of_upload(user, &upload, ("", "")).await?;
        }
        Ok(())
    }

    /// Those that are not over, the oldest first.
    pub(super) async fn open_ones(&self) -> Result<Vec<Known>> {
        let ids = sqlx::query_scalar!(
            r#"select import_id as "id!: i64" from import where ended_at is null order by import_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        let mut open = Vec::with_capacity(ids.len());
        for id in ids {
            open.push(self.known(id.into()).await?);
        }
        Ok(open)
    }

    pub(super) async fn known(&self, id: ImportId) -> Result<Known> {
        let row = sqlx::query!(
            r#"select user_id, locker_id, target, place, folder, only_new as "only_new!: bool", url, upload_id
               from import where import_id = ?"#,
            id.0
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Import"))?;
        Ok(Known {
            id,
            user: row.user_id.into(),
            into: Destination {
                locker: row.locker_id.into(),
                folder: RelativePath::from_disk(row.target),
                place: row.place,
                shown: row.folder,
                only_new: row.only_new,
                own_locks: OwnLocks::Heed,
            },
            url: row.url,
            upload: row.upload_id,
        })
    }

    /// From its beginning: what a run before this one wrote down is forgotten.
    pub(super) async fn begin(&self, id: ImportId) -> Result<Known> {
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from import_item where import_id = ?", id.0).execute(&mut *tx).await?;
        tx.commit().await?;
        self.known(id).await
    }

    pub(super) async fn set_state(&self, id: ImportId, state: ImportState) -> Result<()> {
        let state = state.as_str();
        let mut tx = self.db.write().await?;
        sqlx::query!("update import set state = ? where import_id = ?", state, id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn rename(&self, id: ImportId, name: &str) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!("update import set name = ? where import_id = ?", name, id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes down what became of a file.
    pub(super) async fn note(&self, id: ImportId, live: &Live, item: &ImportItem) -> Result<()> {
        live.count(item);
        let size = item.size.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
        let hash = item.hash.as_ref().map(<[u8; 32]>::as_slice);
        let none = Problem::default();
        let problem = item.problem.as_ref().unwrap_or(&none);
        // Of what is stored, else of what stands in the way.
        let etag = item.etag.as_ref().or(problem.etag.as_ref());
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into import_item (import_id, path, size_bytes, content_hash, etag, word, rule, problem)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
            id.0,
            item.path,
            size,
            hash,
            etag,
            problem.word,
            problem.rule,
            problem.detail
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// How it ended, with its last figures.
    pub(super) async fn write_end(
        &self,
        id: ImportId,
        live: &Live,
        state: ImportState,
        problem: Option<&Problem>,
    ) -> Result<()> {
        let (figures, now, state) = (live.figures(), self.clock.now(), state.as_str());
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let (received, total) = (signed(figures.received), figures.total.map(signed));
        let (stored, refused) = (signed(figures.stored), signed(figures.refused));
        let (word, detail) = problem.map_or(("", ""), |it| (it.word.as_str(), it.detail.as_str()));
        let in_the_way = problem.and_then(|it| it.etag.as_deref());
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update import set state = ?, received = ?, total = ?, stored = ?, refused = ?, word = ?,
                 problem = ?, in_the_way = ?, ended_at = ? where import_id = ?",
            state,
            received,
            total,
            stored,
            refused,
            word,
            detail,
            in_the_way,
            now,
            id.0
        )
        .execute(&mut *tx)
        .await?;
        let upload = sqlx::query_scalar!("select upload_id from import where import_id = ?", id.0)
            .fetch_one(&mut *tx)
            .await?;
        if let Some(upload) = upload {
            self.drive.forget_upload(&mut tx, &upload).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn state(&self, id: ImportId) -> Result<Import> {
        let row = sqlx::query!(
            "select url, name, place, folder, state, received, total, stored, refused, word, problem,
                    in_the_way, created_at, ended_at
             from import where import_id = ?",
            id.0
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Import"))?;
        let problem = (!row.word.is_empty()).then_some(Problem {
            word: row.word,
            rule: String::new(),
            detail: row.problem,
            etag: row.in_the_way,
        });
        let mut import = Import {
            id,
            url: row.url,
            name: row.name,
            place: row.place,
            folder: row.folder,
            state: ImportState::parse(&row.state),
            received: row.received.unsigned_abs(),
            total: row.total.map(i64::unsigned_abs),
            stored: row.stored.unsigned_abs(),
            refused: row.refused.unsigned_abs(),
            problem,
            created_at: row.created_at,
            ended_at: row.ended_at,
        };
        if let Some(live) = self.live(id).filter(|_| row.ended_at.is_none()) {
            let figures = live.figures();
            (import.received, import.total) = (figures.received, figures.total);
            (import.stored, import.refused) = (figures.stored, figures.refused);
        }
        Ok(import)
    }

    pub(super) async fn items(&self, id: ImportId) -> Result<Vec<ImportItem>> {
        let rows = sqlx::query!(
            "select path, size_bytes, content_hash, etag, word, rule, problem from import_item
             where import_id = ? order by import_item_id limit ?",
            id.0,
            MOST_ITEMS
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let (etag, in_the_way) =
                    if row.word.is_empty() { (row.etag, None) } else { (None, row.etag) };
                ImportItem {
                    path: row.path,
                    size: row.size_bytes.map(i64::unsigned_abs),
                    hash: row.content_hash.and_then(|hash| hash.try_into().ok()),
                    etag,
                    problem: (!row.word.is_empty()).then_some(Problem {
                        word: row.word,
                        rule: row.rule,
                        detail: row.problem,
                        etag: in_the_way,
                    }),
                }
            })
            .collect())
    }

    pub(super) async fn of_user(&self, user: UserId) -> Result<Vec<Import>> {
        let ids = sqlx::query_scalar!(
            r#"select import_id as "id!: i64" from import where user_id = ?
               order by import_id desc limit ?"#,
            user.0,
            MOST_LISTED
        )
        .fetch_all(self.db.read())
        .await?;
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            all.push(self.state(id.into()).await?);
        }
        Ok(all)
    }

    pub(super) async fn require_own(&self, principal: &Principal, id: ImportId) -> Result<()> {
        let owner = sqlx::query_scalar!("select user_id from import where import_id = ?", id.0)
            .fetch_optional(self.db.read())
            .await?;
        if owner == Some(principal.user.0) && principal.is_person() {
            Ok(())
        } else {
            Err(Error::NotFound("Import"))
        }
    }

    pub(super) async fn forget(&self, id: ImportId) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from import where import_id = ?", id.0).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn forget_old(&self) -> Result<()> {
        let before = self.clock.now() - KEPT;
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from import where ended_at < ?", before).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}
