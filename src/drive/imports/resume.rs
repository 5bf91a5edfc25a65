//! Files and archives of an import that are fetched in pieces: what a broken connection or a stop left
//! of them is known again. A file that changed meanwhile begins anew. An archive is an upload that is
//! unpacked once it is whole.

use super::{
    Imports,
    fetch::{FILE, plain},
    live::Live,
    rows::Known,
};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{
        Appended, Handover, NewUpload, Stored, Target, UploadForm,
        pieces::{Begun, Pieces},
    },
    egress::Answer,
    ids::ImportId,
};

/// What is left of an earlier try.
pub(super) enum Left {
    /// A part, to which the rest is asked for.
    Part(Begun),
    /// All of an archive, by the upload that holds it.
    Archive(String),
}

/// What is whole now.
pub(super) enum Arrived {
    /// It lies in its place.
    File(Stored),
    /// It is to be unpacked: by the upload that holds it.
    Archive(String),
}

impl Arrived {
    /// What was not to be unpacked.
    pub(super) fn file(self) -> Result<Stored> {
        match self {
            Self::File(stored) => Ok(stored),
            Self::Archive(_) => {
                Err(Error::Invalid("An archive in a list is not unpacked".to_owned()))
            }
        }
    }
}

impl Imports {
    /// What is left of an earlier try to fetch a file, if anything is.
    pub(super) async fn begun(
        &self,
        known: &Known,
        principal: &Principal,
        url: &str,
    ) -> Result<Option<Left>> {
        let row = sqlx::query!(
            "select upload_id, validator from import_begun where import_id = ? and url = ?",
            known.id.0,
            url
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        match self.drive.upload(principal, &row.upload_id).await {
            Ok(state)
                if 0 < state.offset && state.offset < state.length && state.etag.is_none() =>
            {
                let (upload, validator) = (row.upload_id, row.validator);
                Ok(Some(Left::Part(Begun { upload, validator, offset: state.offset })))
            }
            Ok(_) => match self.drive.whole_archive(known.user, &row.upload_id).await {
                Ok(_) => Ok(Some(Left::Archive(row.upload_id))),
                Err(Error::NotFound(_)) => self.let_go(known.id, url).await.map(|()| None),
                Err(error) => Err(error),
            },
            Err(Error::NotFound(_) | Error::Expired(_)) => {
                self.let_go(known.id, url).await.map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a file in, and asks for the rest as long as that helps. `Err(answer)`: its server does
    /// not say what is needed for that.
    pub(super) async fn in_pieces(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        (target, form): (&Target, UploadForm),
        (url, answer): (&str, Answer),
    ) -> Result<Result<Arrived, Answer>> {
        let (Some(length @ 1..), Some(validator)) = (answer.length(), answer.validator()) else {
            return Ok(Err(answer));
        };
        let new = NewUpload {
            path: Some(target.path.clone()),
            locker: target.locker,
            condition: target.condition.clone(),
            length,
            metadata: String::new(),
        };
        let source = Some(plain(answer.url()));
        let handover = Handover { source, ..Handover::default() };
        let upload = self.drive.create_upload_for(principal, &new, form, &handover).await?.id;
        self.note_begun(known.id, url, &upload, &validator).await?;
        live.set_received(live.figures().received, Some(length));
        let begun = Begun { upload, validator, offset: 0 };
        self.go_on_with(known, live, principal, begun, (url, answer)).await.map(Ok)
    }

    /// The bytes from where they broke off.
    pub(super) async fn go_on_with(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        begun: Begun,
        (url, answer): (&str, Answer),
    ) -> Result<Arrived> {
        let upload = begun.upload.clone();
        let pieces = self.pieces(principal);
        let arrived = |bytes| live.add_received(bytes);
        match pieces.take_all(begun, (url, answer), arrived).await? {
            Appended::Done(stored) => {
                self.let_go(known.id, url).await?;
                Ok(Arrived::File(stored))
            }
            // It stays until it is unpacked.
            Appended::Archive(_) => Ok(Arrived::Archive(upload)),
            Appended::More(_) | Appended::WrongChecksum => {
                Err(Error::SourceUnreachable("The connection broke off".to_owned()))
            }
        }
    }

    pub(super) fn pieces<'a>(&'a self, principal: &'a Principal) -> Pieces<'a> {
        let (drive, egress) = (&self.drive, &self.egress);
        Pieces { drive, egress, principal, limits: FILE }
    }

    async fn note_begun(
        &self,
        id: ImportId,
        url: &str,
        upload: &str,
        validator: &str,
    ) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into import_begun (import_id, url, upload_id, validator) values (?1, ?2, ?3, ?4)
             on conflict do update set upload_id = ?3, validator = ?4",
            id.0,
            url,
            upload,
            validator
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn let_go(&self, id: ImportId, url: &str) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from import_begun where import_id = ? and url = ?", id.0, url)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// An import is over: what is left of its files goes.
    pub(super) async fn give_up_begun(&self, id: ImportId) -> Result<()> {
        let rows = sqlx::query!(
            r#"select b.url, b.upload_id, i.user_id from import_begun b join import i using (import_id)
               where b.import_id = ?"#,
            id.0
        )
        .fetch_all(self.db.read())
        .await?;
        for row in rows {
            let principal = self.accounts.principal(row.user_id.into()).await?;
            match self.drive.terminate_upload(&principal, &row.upload_id).await {
                Ok(()) | Err(Error::NotFound(_) | Error::Expired(_)) => (),
                Err(error) => return Err(error),
            }
            self.let_go(id, &row.url).await?;
        }
        Ok(())
    }
}
