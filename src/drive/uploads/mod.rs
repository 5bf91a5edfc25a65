//! Uploads that can be interrupted: made with a length, filled piece by piece, published when the
//! last byte is there. What arrived survives the client, the server and the machine; the room is
//! promised from the first moment. Protocols ([tus](https://tus.io/protocols/resumable-upload))
//! stand on this.

mod append;
mod archive;
mod credit;
mod deferred;
mod expired;
mod hand_over;
mod join;
mod standing;
mod tidy;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    Condition, Drive, Exempt, Handover, RelativePath, Target,
    imports::wrapping,
    put::{blocking, refuse_unless, staging_name},
    reach::Access,
};
use crate::{
    Error, Result,
    accounts::Principal,
    clock::Millis,
    db::Tx,
    ids::{LockerId, UserId},
};

pub use append::{Appended, Checksum};
pub(super) use tidy::TidyAt;

/// How long an upload waits for its next byte.
const PATIENCE: Duration = Duration::from_hours(7 * 24);
/// Uploads of one user that wait.
const MOST_OPEN: i64 = 5_000;

/// How far an upload is.
#[derive(Debug, Clone)]
pub struct UploadState {
    /// Its id.
    pub id: String,
    /// Bytes that are stored.
    pub offset: u64,
    /// Bytes in all; of one whose length is not known yet, those that arrived.
    pub length: u64,
    /// Its length is not known yet.
    pub is_deferred: bool,
    /// A part of another one.
    pub is_part: bool,
    /// What the client said of it.
    pub metadata: String,
    /// The parts that it was joined from, as the client named them.
    pub parts: String,
    /// When it is given up.
    pub expires_at: Millis,
    /// Entity tag of the published file, once it is.
    pub etag: Option<String>,
}

/// An upload to be.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// Where it goes; `None` for a part of another one, which is in `locker` until joined.
    pub path: Option<RelativePath>,
    /// Which locker it counts in.
    pub locker: LockerId,
    /// What must be true of what is there: nothing, or that there is nothing.
    pub condition: Condition,
    /// Bytes in all.
    pub length: u64,
    /// What the client says of it, to be given back.
    pub metadata: String,
}

/// What is special of an upload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UploadForm {
    /// Its length is told later; what arrives is promised as it comes.
    pub is_deferred: bool,
    /// It is an archive that is to be unpacked into the folder that its path is in.
    pub unpacks: bool,
}

/// Who is writing into which upload. A newer writer ends the older one: its connection is
/// probably dead, and only nobody has noticed.
#[derive(Debug, Default)]
pub(super) struct Writers(Mutex<HashMap<String, Arc<Writer>>>);

#[derive(Debug, Default)]
struct Writer {
    stop: Mutex<CancellationToken>,
    /// The running hash of the first so many bytes; none when it must be read again.
    turn: tokio::sync::Mutex<Option<(u64, blake3::Hasher)>>,
}

impl Writers {
    /// The writer's place of an upload, and the token that tells this one to stop.
    fn enter(&self, id: &str) -> (Arc<Writer>, CancellationToken) {
        let mut writers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = Arc::clone(writers.entry(id.to_owned()).or_default());
        drop(writers);
        let stop = CancellationToken::new();
        let mut current = writer.stop.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, stop.clone()).cancel();
        drop(current);
        (writer, stop)
    }

    fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// The row of an upload.
#[derive(Debug)]
struct Row {
    id: String,
    user: UserId,
    locker: LockerId,
    reservation: Option<i64>,
    path: String,
    only_new: bool,
    /// BLAKE3 of all of it, known before it is put in its place.
    hash: Option<[u8; 32]>,
    unpacks: bool,
    /// What else is known of it, where it is fetched or handed over.
    handover: Handover,
    state: UploadState,
}

impl Drive {
    /// Promises the room and makes an empty upload; refused as a `PUT` of that length would be.
    pub async fn create_upload(
        &self,
        principal: &Principal,
        new: &NewUpload,
    ) -> Result<UploadState> {
        self.create_upload_of(principal, new, UploadForm::default()).await
    }

    /// The same for one that is special. Nothing is promised yet to one whose length comes later.
    pub async fn create_upload_of(
        &self,
        principal: &Principal,
        new: &NewUpload,
        form: UploadForm,
    ) -> Result<UploadState> {
        self.create_upload_for(principal, new, form, &Handover::default()).await
    }

    /// The same for one that is fetched or handed over. Nothing is promised to one that does not
    /// count.
    pub(super) async fn create_upload_for(
        &self,
        principal: &Principal,
        new: &NewUpload,
        form: UploadForm,
        handover: &Handover,
    ) -> Result<UploadState> {
        if form.unpacks && new.path.is_none() {
            return Err(Error::Invalid("Parts are not unpacked, only what they make".to_owned()));
        }
        let length = if form.is_deferred { 0 } else { new.length };
        let root = RelativePath::root();
        let wanted = new.path.as_ref().unwrap_or(&root);
        let (locker, spelled) = self.reach(principal, new.locker, wanted, Access::Write).await?;
        let path = match &new.path {
            None => String::new(),
            Some(path) if path.is_root() => {
                return Err(Error::Invalid("Say which file this is".to_owned()));
            }
            Some(_) => spelled.as_str().to_owned(),
        };
        if replaces(new, form) {
            let before = self.row_as_it_lies(&locker, &path).await?;
            refuse_unless(&new.condition, before.as_ref())?;
        }
        let id = staging_name()?;
        let (disk, staging) = (self.disk.clone(), staging_of(&id));
        // The row is what says that the file is no leftover, so the file comes first, and for sure:
        // who is told of an upload finds it, whatever becomes of the power.
        let staged = blocking(move || {
            let staged = disk.stage(&staging, Some(length))?;
            staged.sync_name()?;
            Ok(staged)
        })
        .await?;
        let new = &NewUpload { length, ..new.clone() };
        let place = (locker.id, path.as_str());
        let state = self.insert_upload(principal, place, new, (form, handover), &id).await?;
        staged.keep();
        self.sweep_gone().await?;
        Ok(state)
    }

    async fn insert_upload(
        &self,
        principal: &Principal,
        (locker, path): (LockerId, &str),
        new: &NewUpload,
        (form, handover): (UploadForm, &Handover),
        id: &str,
    ) -> Result<UploadState> {
        let now = self.clock.now();
        let expires_at = now.saturating_add(PATIENCE.as_millis() as Millis);
        let length = i64::try_from(new.length)
            .map_err(|_| Error::Invalid("That size is not possible".to_owned()))?;
        let (is_part, only_new) = (new.path.is_none(), new.condition == Condition::Absent);
        // Until the row is there, nobody else gets the credit.
        let is_exempt = handover.exempt.is_some();
        let needs_credit = replaces(new, form) && !is_exempt;
        let taken = if needs_credit { self.take_place(locker, path) } else { None };
        let mut tx = self.db.write().await?;
        let open = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from upload where user_id = ? and etag is null"#,
            principal.user
        )
        .fetch_one(&mut *tx)
        .await?;
        if MOST_OPEN <= open {
            return Err(Error::TooMany {
                message: "Too many uploads are waiting to be finished".to_owned(),
                retry_after: Duration::from_mins(10),
            });
        }
        let credit = match taken {
            Some(_) => self.free_credit(&mut tx, locker, path, id).await?,
            None => 0,
        };
        // An archive never comes to lie there.
        let unneeded = if form.unpacks { wrapping(new.length) } else { credit };
        let promised = if is_exempt { 0 } else { new.length.saturating_sub(unneeded) };
        let exempt = handover.exempt.map(Exempt::as_str);
        let credit = i64::try_from(credit).map_err(Error::internal)?;
        let reservation = self.accounts.promise(&mut tx, locker, promised, &staging_of(id)).await?;
        sqlx::query!(
            "insert into upload (upload_id, user_id, locker_id, reservation_id, path, is_part,
                 only_new, length, metadata, created_at, expires_at, is_deferred, unpacks, credit_bytes,
                 source, exempt, delivery_item_id)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            id,
            principal.user,
            locker,
            reservation,
            path,
            is_part,
            only_new,
            length,
            new.metadata,
            now,
            expires_at,
            form.is_deferred,
            form.unpacks,
            credit,
            handover.source,
            exempt,
            handover.item
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        drop(taken);
        Ok(UploadState {
            id: id.to_owned(),
            offset: 0,
            length: new.length,
            is_deferred: form.is_deferred,
            is_part,
            metadata: new.metadata.clone(),
            parts: String::new(),
            expires_at,
            etag: None,
        })
    }

    /// How far an upload is. Whoever still writes into it is told to stop, so that the figure
    /// stays true.
    pub async fn upload(&self, principal: &Principal, id: &str) -> Result<UploadState> {
        self.own_upload(principal, id).await?;
        let (writer, _) = self.uploads.enter(id);
        let _turn = writer.turn.lock().await;
        Ok(self.own_upload(principal, id).await?.state)
    }

    /// Gives an upload up: its bytes and its promise are gone. A published file stays.
    pub async fn terminate_upload(&self, principal: &Principal, id: &str) -> Result<()> {
        self.own_upload(principal, id).await?;
        let (writer, _) = self.uploads.enter(id);
        let turn = writer.turn.lock().await;
        self.drop_upload(id).await?;
        drop(turn);
        self.uploads.forget(id);
        Ok(())
    }

    /// The row of an upload that is the principal's and not given up.
    async fn own_upload(&self, principal: &Principal, id: &str) -> Result<Row> {
        let row = self.upload_row(id).await?;
        let row = row.filter(|row| row.user == principal.user && principal.is_person());
        match row {
            Some(row) if self.clock.now() < row.state.expires_at => Ok(row),
            Some(_) => Err(Error::Expired("This upload")),
            None => Err(self.why_gone(principal, id).await?),
        }
    }

    async fn upload_row(&self, id: &str) -> Result<Option<Row>> {
        let row = sqlx::query!(
            r#"select upload_id, user_id, locker_id, reservation_id, path, is_part as "is_part!: bool",
                      only_new as "only_new!: bool", length, received, content_hash, metadata, parts, etag,
                      expires_at, is_deferred as "is_deferred!: bool", unpacks as "unpacks!: bool",
                      source, exempt, delivery_item_id
               from upload where upload_id = ?"#,
            id
        )
        .fetch_optional(self.db.read())
        .await?;
        Ok(row.map(|row| Row {
            id: row.upload_id.clone(),
            user: row.user_id.into(),
            locker: row.locker_id.into(),
            reservation: row.reservation_id,
            path: row.path,
            only_new: row.only_new,
            hash: row.content_hash.and_then(|hash| hash.try_into().ok()),
            unpacks: row.unpacks,
            handover: Handover {
                exempt: row.exempt.as_deref().and_then(Exempt::parse),
                item: row.delivery_item_id,
                source: row.source,
            },
            state: UploadState {
                id: row.upload_id,
                offset: row.received.unsigned_abs(),
                length: row.length.unsigned_abs(),
                is_deferred: row.is_deferred,
                is_part: row.is_part,
                metadata: row.metadata,
                parts: row.parts,
                expires_at: row.expires_at,
                etag: row.etag,
            },
        }))
    }

    /// Row, promise and bytes of an upload go.
    async fn drop_upload(&self, id: &str) -> Result<()> {
        let mut tx = self.db.write().await?;
        self.forget_upload(&mut tx, id).await?;
        tx.commit().await?;
        let (disk, staging) = (self.disk.clone(), staging_of(id));
        blocking(move || disk.discard(&staging)).await
    }

    /// The rows of an upload and what was promised to it; its bytes are [`Self::drop_upload`]'s, or
    /// the next start's.
    pub(in crate::drive) async fn forget_upload(&self, tx: &mut Tx, id: &str) -> Result<()> {
        let reservation =
            sqlx::query_scalar!("select reservation_id from upload where upload_id = ?", id)
                .fetch_optional(&mut **tx)
                .await?
                .flatten();
        if let Some(reservation) = reservation {
            self.accounts.unpromise(tx, reservation).await?;
        }
        sqlx::query!("delete from upload where upload_id = ?", id).execute(&mut **tx).await?;
        Ok(())
    }
}

/// Whether it comes to lie where a file may be: parts and archives do not.
fn replaces(new: &NewUpload, form: UploadForm) -> bool {
    new.path.is_some() && !form.unpacks
}

/// The name of an upload's file in staging.
fn staging_of(id: &str) -> String {
    format!("{}{id}", super::disk::LASTING)
}

impl Row {
    fn target(&self) -> Target {
        Target {
            locker: self.locker,
            path: RelativePath::from_disk(self.path.clone()),
            condition: if self.only_new { Condition::Absent } else { Condition::None },
        }
    }
}
