//! Parts that were uploaded side by side, joined to one file (tus "concatenation").

use std::io;

use super::{NewUpload, Row, staging_of};
use crate::{
    Error, Result,
    accounts::{Charge, Principal},
    drive::{
        Drive, RelativePath, Stored,
        disk::Staged,
        put::{blocking, refuse_unless, staging_name},
        reach::Access,
    },
};

/// More parts than any client makes.
const MOST_PARTS: usize = 1_000;

/// What parts are joined to.
struct Whole {
    id: String,
    path: RelativePath,
    parts: Vec<Row>,
    /// The parts as the client named them.
    named: String,
}

impl Drive {
    /// Joins whole parts, in order, to the upload `new` and publishes it; the parts are gone then.
    /// `named` is how the client named them, to be given back. The id of the joined upload and
    /// what was published.
    pub async fn join_uploads(
        &self,
        principal: &Principal,
        new: &NewUpload,
        parts: &[String],
        named: &str,
    ) -> Result<(String, Stored)> {
        let Some(path) = new.path.as_ref().filter(|path| !path.is_root()) else {
            return Err(Error::Invalid("Say which file this is".to_owned()));
        };
        if parts.is_empty() || MOST_PARTS < parts.len() {
            return Err(Error::Invalid(format!("A file is joined from 1 to {MOST_PARTS} parts")));
        }
        let mut rows: Vec<Row> = Vec::with_capacity(parts.len());
        for part in parts {
            let row = self.own_upload(principal, part).await?;
            if !row.state.is_part || row.state.offset != row.state.length {
                return Err(Error::Invalid("Only parts that are whole can be joined".to_owned()));
            }
            if rows.iter().any(|other| other.id == row.id) || row.locker != new.locker {
                return Err(Error::Invalid("Parts are joined once, in their locker".to_owned()));
            }
            rows.push(row);
        }
        let (locker, path) = self.reach(principal, new.locker, path, Access::Write).await?;
        let before = self.row_as_it_lies(&locker, path.as_str()).await?;
        refuse_unless(&new.condition, before.as_ref())?;
        let length: u64 = rows.iter().map(|row| row.state.length).sum();
        // Parts that cannot be published now stay: the quota may have shrunk since they came, and what
        // they need may be made free.
        let goes = before.map(|row| row.charge).unwrap_or_default();
        let settled = (Charge::counted(length), goes);
        self.accounts.require_settled(locker.id, length, settled).await?;

        let id = staging_name()?;
        let (disk, staging) = (self.disk.clone(), staging_of(&id));
        let names: Vec<String> = rows.iter().map(|row| staging_of(&row.id)).collect();
        let staged = blocking(move || {
            let mut staged = disk.stage(&staging, Some(length))?;
            for name in &names {
                io::copy(&mut disk.reopen(name)?, &mut staged.file)?;
            }
            staged.file.sync_all()?;
            staged.sync_name()?;
            Ok(staged)
        })
        .await?;
        let whole = Whole { id: id.clone(), path, parts: rows, named: named.to_owned() };
        // To its end even if the client goes away now: from the transaction on, what was joined is
        // all that there is of the parts.
        let publishing = self.clone().publish_joined(principal.clone(), new.clone(), whole, staged);
        Ok((id, tokio::spawn(publishing).await??))
    }

    async fn publish_joined(
        self,
        principal: Principal,
        new: NewUpload,
        whole: Whole,
        staged: Staged,
    ) -> Result<Stored> {
        self.replace_parts(&principal, &new, &whole).await?;
        staged.keep();
        for row in &whole.parts {
            let (disk, staging) = (self.disk.clone(), staging_of(&row.id));
            blocking(move || disk.discard(&staging)).await?;
            self.uploads.forget(&row.id);
        }
        let row = self.upload_row(&whole.id).await?.ok_or(Error::NotFound("Upload"))?;
        self.publish_upload(&principal, row, None).await
    }

    /// One transaction: the parts go, the whole comes, and what was promised stays promised.
    async fn replace_parts(
        &self,
        principal: &Principal,
        new: &NewUpload,
        Whole { id, path, parts: rows, named }: &Whole,
    ) -> Result<()> {
        let path = path.as_str();
        let now = self.clock.now();
        let length: u64 = rows.iter().map(|row| row.state.length).sum();
        let length = i64::try_from(length)
            .map_err(|_| Error::Invalid("That size is not possible".to_owned()))?;
        let only_new = new.condition == crate::drive::Condition::Absent;
        let expires_at = rows.iter().map(|row| row.state.expires_at).max().unwrap_or(now);
        let reservations: Vec<i64> = rows.iter().filter_map(|row| row.reservation).collect();
        let mut tx = self.db.write().await?;
        let reservation =
            self.accounts.merge_promises(&mut tx, &reservations, &staging_of(id)).await?;
        for row in rows {
            let gone = sqlx::query!("delete from upload where upload_id = ?", row.id)
                .execute(&mut *tx)
                .await?;
            if gone.rows_affected() == 0 {
                return Err(Error::NotFound("Upload"));
            }
        }
        sqlx::query!(
            "insert into upload (upload_id, user_id, locker_id, reservation_id, path, is_part, only_new,
                 length, received, metadata, parts, created_at, expires_at)
             values (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?7, ?8, ?9, ?10, ?11)",
            id,
            principal.user,
            new.locker,
            reservation,
            path,
            only_new,
            length,
            new.metadata,
            named,
            now,
            expires_at
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
