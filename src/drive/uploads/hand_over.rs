//! A whole part upload of one account that becomes a file of another: how a shop hands over what
//! it uploaded.

use super::{append::hash_of, staging_of};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{
        Drive, Stored, Target,
        exempt::Handover,
        put::{Publishing, blocking, refuse_unless},
        reach::Access,
    },
    ids::UserId,
};

impl Drive {
    /// Publishes the upload `id` of `from` as a file of `recipient`. The upload is over then, and
    /// what was promised to it is given back.
    pub(in crate::drive) async fn hand_over(
        &self,
        from: UserId,
        id: &str,
        recipient: &Principal,
        target: &Target,
        handover: Handover,
    ) -> Result<Stored> {
        let row = self.upload_row(id).await?.filter(|row| row.user == from);
        let row = row.ok_or(Error::NotFound("Upload"))?;
        if !row.state.is_part || row.state.offset != row.state.length {
            return Err(Error::Invalid(
                "Only part uploads that are whole are handed over".to_owned(),
            ));
        }
        let (locker, path) =
            self.reach(recipient, target.locker, &target.path, Access::Write).await?;
        let before = self.row_as_it_lies(&locker, path.as_str()).await?;
        refuse_unless(&target.condition, before.as_ref())?;
        let promised = if handover.exempt.is_some() { 0 } else { row.state.length };
        let reservation = self.accounts.reserve(locker.id, promised, &staging_of(id)).await?;
        let (disk, staging) = (self.disk.clone(), staging_of(id));
        let (staged, hash) = blocking(move || {
            let staged = disk.claim(&staging)?;
            let hash = hash_of(&staged.file)?;
            staged.file.sync_all()?;
            Ok((staged, hash))
        })
        .await?;
        let publishing = Publishing {
            drive: self.clone(),
            locker,
            path,
            condition: target.condition.clone(),
            user: from,
            reservation,
            received: row.state.length,
            hash,
            upload: None,
            handover,
            lendable: None,
        };
        let stored = tokio::spawn(publishing.run(staged)).await??;
        self.drop_upload(id).await?;
        self.uploads.forget(id);
        Ok(stored)
    }
}
