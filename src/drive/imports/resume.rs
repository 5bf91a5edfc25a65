//! Files and archives that are fetched in pieces: where their server says how long they are and by
//! what it knows them again, what arrived is kept when the connection breaks or this server stops,
//! and the rest alone is asked for (RFC 9110, 13.1.5 and 14.2). A file that changed meanwhile begins
//! anew. An archive is an upload that is unpacked once it is whole.

use std::{pin::pin, time::Duration};

use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::{Imports, fetch::plain, live::Live, rows::Known};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{Appended, Handover, NewUpload, Stored, Target, UploadForm},
    egress::Answer,
    ids::ImportId,
};

/// Pieces on their way from the network to the disk.
const UNDER_WAY: usize = 8;
/// A connection that breaks is made again so often, as long as something arrives each time.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// What a broken connection left.
pub(super) struct Begun {
    /// The upload of the drive that holds it.
    upload: String,
    /// By what the file is known again.
    pub(super) validator: String,
    /// Bytes that arrived.
    pub(super) offset: u64,
}

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
        let source = plain(answer.url());
        let new = NewUpload {
            path: Some(target.path.clone()),
            locker: target.locker,
            condition: target.condition.clone(),
            length,
            metadata: String::new(),
        };
        let upload = self.drive.create_upload_of(principal, &new, form).await?.id;
        self.note_begun(known.id, url, &upload, &validator).await?;
        live.set_received(live.figures().received, Some(length));
        let begun = Begun { upload, validator, offset: 0 };
        self.go_on_with(known, live, principal, begun, (url, answer), &source).await.map(Ok)
    }

    /// The bytes from where they broke off.
    pub(super) async fn go_on_with(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        mut begun: Begun,
        (url, answer): (&str, Answer),
        source: &str,
    ) -> Result<Arrived> {
        let mut answer = answer;
        for tried in 1.. {
            let taken = self.take(live, principal, &begun, answer).await?;
            let arrived = match taken {
                Appended::Done(stored) => {
                    self.note_source(&stored, known, source).await?;
                    self.let_go(known.id, url).await?;
                    return Ok(Arrived::File(stored));
                }
                // It stays until it is unpacked.
                Appended::Archive(_) => return Ok(Arrived::Archive(begun.upload)),
                Appended::More(arrived) => arrived,
                Appended::WrongChecksum => begun.offset,
            };
            if tried == TRIES || arrived == begun.offset {
                break;
            }
            begun.offset = arrived;
            tokio::time::sleep(PAUSE).await;
            answer = self.ask_rest(url, &begun).await?;
            if !answer.is_rest(begun.offset) {
                break;
            }
        }
        Err(Error::SourceUnreachable("The connection broke off".to_owned()))
    }

    async fn take(
        &self,
        live: &Live,
        principal: &Principal,
        begun: &Begun,
        answer: Answer,
    ) -> Result<Appended> {
        let (sender, body) = mpsc::channel(UNDER_WAY);
        // A task of its own: it writes down what arrived even when this one is dropped.
        let (drive, who, id) = (self.drive.clone(), principal.clone(), begun.upload.clone());
        let appending = tokio::spawn(drive.append_upload(who, id, begun.offset, None, body));
        let mut pieces = pin!(answer.stream());
        while let Some(Ok(piece)) = pieces.next().await {
            live.add_received(piece.len() as u64);
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        drop(sender);
        appending.await?
    }

    async fn note_source(&self, stored: &Stored, known: &Known, source: &str) -> Result<()> {
        let handover = Handover { source: Some(source.to_owned()), ..Handover::default() };
        let (locker, path) = (known.into.locker, stored.path.as_str());
        let mut tx = self.db.write().await?;
        self.drive.note_handover(&mut tx, locker, path, &handover).await?;
        tx.commit().await?;
        Ok(())
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
