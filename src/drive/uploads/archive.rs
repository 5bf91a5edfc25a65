//! Uploads that are archives: whole ones are opened to be unpacked, and gone then.

use std::fs::File;

use super::{Row, staging_of};
use crate::{
    Error, Result,
    drive::{Drive, put::blocking},
    ids::{LockerId, UserId},
};

/// Where an archive is to be unpacked.
#[derive(Debug)]
pub(in crate::drive) struct Archive {
    pub(in crate::drive) locker: LockerId,
    pub(in crate::drive) folder: String,
    pub(in crate::drive) only_new: bool,
    pub(in crate::drive) name: String,
}

impl Row {
    /// Whether it is an archive whose last byte is there.
    fn is_whole_archive(&self) -> bool {
        self.unpacks && !self.state.is_deferred && self.state.offset == self.state.length
    }
}

impl Drive {
    /// A whole archive of a user.
    pub(in crate::drive) async fn whole_archive(&self, user: UserId, id: &str) -> Result<Archive> {
        let row = self.upload_row(id).await?.filter(|row| row.user == user);
        let row = row.filter(Row::is_whole_archive).ok_or(Error::NotFound("Upload"))?;
        let (folder, name) = row.path.rsplit_once('/').unwrap_or(("", &row.path));
        Ok(Archive {
            locker: row.locker,
            folder: folder.to_owned(),
            only_new: row.only_new,
            name: name.to_owned(),
        })
    }

    /// Every whole archive that a client sent, and whose it is.
    pub(in crate::drive) async fn whole_archives(&self) -> Result<Vec<(UserId, String)>> {
        let rows = sqlx::query!(
            "select user_id, upload_id from upload
             where unpacks = 1 and is_deferred = 0 and received = length
               and upload_id not in (select upload_id from import_begun)"
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.into_iter().map(|row| (row.user_id.into(), row.upload_id)).collect())
    }

    /// A whole archive, open, and its size. What was promised to it is given back: from now on
    /// what is in it needs the room.
    pub(in crate::drive) async fn open_whole_upload(&self, id: &str) -> Result<(File, u64)> {
        let row = self.upload_row(id).await?.filter(Row::is_whole_archive);
        let row = row.ok_or(Error::NotFound("Upload"))?;
        let (disk, staging) = (self.disk.clone(), staging_of(id));
        let file = blocking(move || Ok(disk.reopen(&staging)?.into_file())).await?;
        if let Some(reservation) = row.reservation {
            let mut tx = self.db.write().await?;
            sqlx::query!("update upload set reservation_id = null where upload_id = ?", id)
                .execute(&mut *tx)
                .await?;
            self.accounts.unpromise(&mut tx, reservation).await?;
            tx.commit().await?;
        }
        Ok((file, row.state.length))
    }

    /// An unpacked archive goes.
    pub(in crate::drive) async fn drop_whole_upload(&self, id: &str) -> Result<()> {
        self.drop_upload(id).await?;
        self.uploads.forget(id);
        Ok(())
    }
}
