//! Uploads: reserved, staged, hashed, on the disk, in place, counted; then answered.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::Stream;

use super::{
    Condition, Drive, Handover, Origin, RelativePath,
    disk::{self, Spot, Staged},
    ground::{Becomes, Ground},
    kept::{Keeping, KeptKind, new_spot},
    placing::Placing,
    reach::Access,
    receive::Receiving,
    references::Lendable,
    rows::{Known, Row},
};
use crate::{
    Error, Result,
    accounts::{Change, Locker, Principal, Reservation},
    events::Event,
    ids::{LockerId, UserId},
};

/// Where a file goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// Which locker; [`crate::accounts::Accounts::lockers`] lists those that one may write to.
    pub locker: LockerId,
    /// Where in it.
    pub path: RelativePath,
    /// What must be true of what is there.
    pub condition: Condition,
}

/// A file that is safely stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Where it is, as the locker spells it.
    pub path: RelativePath,
    /// Bytes.
    pub size: u64,
    /// BLAKE3 of the whole file.
    pub hash: [u8; 32],
    /// Entity tag without quotes; changes with every replacement.
    pub etag: String,
    /// Whether nothing was there before.
    pub is_new: bool,
}

impl Drive {
    /// Takes a file in: reserved, staged, hashed, on disk and in place before this returns.
    /// Dropping the future gives everything back. `declared` is the length when it is known; what
    /// does not fit is then refused before `body` is read.
    pub async fn put(
        &self,
        principal: &Principal,
        target: &Target,
        declared: Option<u64>,
        body: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<Stored> {
        self.put_as(principal, target, declared, body, Handover::default()).await
    }

    /// The same for a file that is handed over: one that does not count needs no room.
    pub(super) async fn put_as(
        &self,
        principal: &Principal,
        target: &Target,
        declared: Option<u64>,
        body: impl Stream<Item = io::Result<Bytes>>,
        handover: Handover,
    ) -> Result<Stored> {
        let (locker, path) =
            self.reach(principal, target.locker, &target.path, Access::Write).await?;
        if target.path.is_root() {
            return Err(Error::Invalid("Say which file this is".to_owned()));
        }
        let before = self.row_as_it_lies(&locker, path.as_str()).await?;
        refuse_unless(&target.condition, before.as_ref())?;
        let credit = self.credit(locker.id, path.as_str(), before.as_ref()).await?;
        let staging = staging_name()?;
        let is_exempt = handover.exempt.is_some();
        let promised = match declared {
            Some(declared) if !is_exempt => declared.saturating_sub(credit.bytes),
            _ => 0,
        };
        let reservation = self.accounts.reserve(locker.id, promised, &staging).await?;
        self.sweep_gone().await?;
        let mut upload = Receiving {
            drive: self,
            declared,
            is_exempt,
            reservation,
            credit: credit.bytes,
            received: 0,
            ground: Ground::at(
                (principal.user, locker.id),
                &path,
                Becomes::File {
                    condition: target.condition.clone(),
                    handover: handover.clone(),
                    declared,
                },
                0,
            ),
        };
        // On the heap: whoever waits for an upload has it in his own future.
        let received = Box::pin(upload.receive(&staging, body)).await;
        let Receiving { reservation, received: length, .. } = upload;
        let (staged, hash) = match received {
            Ok(received) => received,
            Err(error) => {
                // Before the answer, so that a second try finds the room free.
                reservation.release().await?;
                return Err(error);
            }
        };
        let publishing = Publishing {
            drive: self.clone(),
            locker,
            path,
            condition: target.condition.clone(),
            user: principal.user,
            reservation,
            received: length,
            hash,
            upload: None,
            handover,
            lendable: None,
        };
        // It runs to its end even if the client goes away now: between the rename and the row
        // there is no good place to stop.
        let published = tokio::spawn(publishing.run(staged)).await?;
        drop(credit);
        published
    }

    /// Replacing a file needs room only for the difference; of several uploads of one file, one
    /// gets that credit.
    async fn credit(&self, locker: LockerId, path: &str, before: Option<&Row>) -> Result<Credit> {
        let size = before.map_or(0, |row| row.charge.counted);
        let place = if 0 < size { self.take_place(locker, path) } else { None };
        // Looked up when the place is taken: from here on no upload that can go on gets it.
        let is_free = place.is_some() && !self.is_credit_held(locker, path).await?;
        Ok(Credit { bytes: if is_free { size } else { 0 }, _place: place })
    }

    /// The right to give out the credit for what is at a path; `None` while another has it.
    pub(super) fn take_place(&self, locker: LockerId, path: &str) -> Option<TakenPlace> {
        let taken = Arc::clone(&self.credits);
        let key = (locker, path.to_owned());
        let is_first = taken.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        is_first.then_some(TakenPlace { key, taken })
    }
}

/// Bytes of a file that is about to be replaced.
struct Credit {
    bytes: u64,
    _place: Option<TakenPlace>,
}

/// A place whose credit is in one hand, until this is dropped.
pub(super) struct TakenPlace {
    key: (LockerId, String),
    taken: Arc<Mutex<HashSet<(LockerId, String)>>>,
}

impl Drop for TakenPlace {
    fn drop(&mut self) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// A received file on its way to its place.
pub(super) struct Publishing {
    pub(super) drive: Drive,
    pub(super) locker: Locker,
    pub(super) path: RelativePath,
    pub(super) condition: Condition,
    pub(super) user: UserId,
    pub(super) reservation: Reservation,
    pub(super) received: u64,
    pub(super) hash: [u8; 32],
    /// The resumable upload that it was, to be marked as published with it.
    pub(super) upload: Option<String>,
    /// What else is known of it, where somebody handed it over.
    pub(super) handover: Handover,
    /// The file of a watched folder that it may point at.
    pub(super) lendable: Option<Lendable>,
}

impl Publishing {
    pub(super) async fn run(self, staged: Staged) -> Result<Stored> {
        match self.publish(staged).await {
            Ok((etag, is_new)) => self.tell(etag, is_new).await,
            // An upload that outlives the server keeps its room until it is given up.
            Err(error) if self.upload.is_some() => {
                self.reservation.close();
                Err(error)
            }
            Err(error) => {
                self.reservation.release().await?;
                Err(error)
            }
        }
    }

    /// In place and counted, or as if nothing had been.
    async fn publish(&self, staged: Staged) -> Result<(String, bool)> {
        self.drive.refuse_taken_down(&self.hash, &staged.file).await?;
        let lock = self.drive.lock(self.locker.id);
        let _turn = lock.lock().await;
        let before = self.drive.adopt_row(&self.locker, self.path.as_str()).await?;
        refuse_unless(&self.condition, before.as_ref())?;
        let before = self.with_hash(before).await?;
        let spot = self.spot(before.as_ref())?;
        let (user, handover) = (self.user, &self.handover);
        let (drive, id, at) = (&self.drive, self.locker.id, self.path.as_str());
        let placing = drive.remember_placing(id, at, &self.hash, user, handover).await?;
        let done = self.place(staged, before.as_ref(), spot, placing).await;
        // Where the disk failed nobody knows yet whether it is in its place; that is found out later.
        if done.is_err() && placing.is_some() && drive.is_well().await {
            let mut tx = drive.db.write().await?;
            drive.forget_placing(&mut tx, placing).await?;
            tx.commit().await?;
        }
        done
    }

    /// The rename, and the transaction that counts it.
    async fn place(
        &self,
        staged: Staged,
        before: Option<&Row>,
        spot: Option<Spot>,
        placing: Option<Placing>,
    ) -> Result<(String, bool)> {
        let (on, folder) = (self.drive.disk.clone(), self.locker.path.clone());
        let (path, place) = (self.path.as_str().to_owned(), spot.clone());
        let lent = before.as_ref().and_then(|row| row.lent.clone());
        if staged.origin == Origin::Reference {
            // A crash from here on leaves a symlink that the next start knows for what it is.
            self.drive.note_placing(self.locker.id, self.path.as_str()).await?;
        }
        let (placed, bytes, linked) = blocking(move || {
            let (_, modified_ns) = disk::file_facts(&staged.file)?;
            let quick_key = disk::quick_key(&staged.file)?;
            let bytes = Known { modified_ns, quick_key, origin: staged.origin };
            let linked = match &place {
                Some(place) => on.link_out(&folder, &path, place, lent.as_ref())?,
                None => None,
            };
            match (staged.place(&on, &folder, &path), &place) {
                (Err(error), Some(place)) => on.erase(place).and(Err(error)),
                (placed, _) => Ok((placed?, bytes, linked)),
            }
        })
        .await?;
        if before.is_none() && placed.has_replaced_file() {
            // Other hands were faster by a moment: what they brought is nobody's to throw away.
            blocking(move || placed.undo()).await?;
            return Err(Error::Conflict("Something came to lie there meanwhile".to_owned()));
        }
        // Where the disk has no links, the replaced file follows when all is settled.
        let follows = linked.is_none() && before.is_some() && placed.has_replaced();
        let kept = spot.as_ref().filter(|_| linked.is_some() || follows);
        let counted = self.count(before, &bytes, kept, linked, placing).await;
        let (on, path, place) = (self.drive.disk.clone(), self.path.clone(), spot.clone());
        match counted {
            Ok(etag) => {
                // Only now is the replaced file let go.
                blocking(move || {
                    let mut placed = placed;
                    if let Some(place) = place.filter(|_| follows) {
                        placed.shelve(&on, path.as_str(), &place)?;
                    }
                    Ok(())
                })
                .await?;
                Ok((etag, before.is_none()))
            }
            Err(error) => {
                blocking(move || {
                    placed.undo()?;
                    place.map_or(Ok(()), |place| on.erase(&place))
                })
                .await?;
                Err(error)
            }
        }
    }

    /// What is there may be what comes: a crash left it without its hash, or other hands brought it.
    async fn with_hash(&self, before: Option<Row>) -> Result<Option<Row>> {
        let Some(row) = before else { return Ok(None) };
        if row.hash.is_some() || row.size != self.received {
            return Ok(Some(row));
        }
        let (on, folder, path) =
            (self.drive.disk.clone(), self.locker.path.clone(), self.path.as_str().to_owned());
        let found = blocking(move || {
            let opened = on.locker(&folder).and_then(|root| disk::open_file(&root, &path));
            // What cannot be read is another file, and kept as one.
            Ok(opened.and_then(|(file, ..)| disk::digest(&file, None, |_| true)).ok().flatten())
        })
        .await?;
        Ok(Some(Row { hash: found.map(|it| it.content.to_vec()), ..row }))
    }

    /// Where what is replaced will be kept; other bytes than those that come, and some.
    fn spot(&self, before: Option<&Row>) -> Result<Option<Spot>> {
        let is_same = |row: &Row| row.hash.as_deref() == Some(self.hash.as_slice());
        if before.is_some_and(|row| row.size == 0 || is_same(row)) {
            return Ok(None);
        }
        new_spot(&self.locker, KeptKind::Version, self.path.as_str()).map(Some)
    }

    /// The one transaction: row, version, ledger and figures.
    async fn count(
        &self,
        before: Option<&Row>,
        bytes: &Known,
        kept: Option<&Spot>,
        on_disk: Option<(u64, i64)>,
        placing: Option<Placing>,
    ) -> Result<String> {
        let (drive, locker, path) = (&self.drive, self.locker.id, self.path.as_str());
        let goes = before.map(|row| row.charge).unwrap_or_default();
        let stays = before.is_some_and(|row| row.stays_exempt(self.received, &self.hash));
        let comes = if stays { goes } else { self.handover.charge(self.received) };
        let moves = (comes, goes);
        let most = drive.accounts.keep_rules().await?.versions;
        let reason = self.handover.reason(bytes.origin);
        let change = Change { user: self.user, reason, path };
        let mut tx = drive.db.write().await?;
        drive.accounts.settle(&mut tx, &self.reservation, moves, change).await?;
        if let Some(spot) = kept {
            let keeping = Keeping { locker, path, spot, is_folder: false, user: self.user };
            let size = drive.insert_kept(&mut tx, &keeping, on_disk).await?;
            drive.accounts.count_reclaimable(&mut tx, locker, size).await?;
            drive.limit_versions(&mut tx, locker, path, most).await?;
        }
        let etag = drive
            .write_row(&mut tx, locker, path, self.received, bytes.modified_ns, Some(&self.hash))
            .await?;
        drive.write_bytes(&mut tx, locker, path, bytes).await?;
        if let Some(lendable) = self.lendable.as_ref().filter(|_| bytes.origin == Origin::Reference)
        {
            drive
                .write_reference(&mut tx, locker, path, lendable, (self.hash, self.received), bytes)
                .await?;
        }
        drive.note_handover(&mut tx, locker, path, &self.handover).await?;
        drive.forget_placing(&mut tx, placing).await?;
        if let Some(upload) = &self.upload {
            sqlx::query!(
                "update upload set etag = ?, reservation_id = null where upload_id = ?",
                etag,
                upload
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(etag)
    }

    async fn tell(self, etag: String, is_new: bool) -> Result<Stored> {
        self.reservation.close();
        let path = self.path.as_str().to_owned();
        self.drive.events.publish(Event::DriveChanged { locker: self.locker.id, path });
        self.drive.accounts.tell_usage(self.locker.id).await?;
        self.drive.sweep_gone().await?;
        Ok(Stored { path: self.path, size: self.received, hash: self.hash, etag, is_new })
    }
}

/// Disk work on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?.map_err(super::disk_error)
}

/// Two uploads never share one.
pub(super) fn staging_name() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(anyhow::anyhow!("no randomness: {error}")))?;
    Ok(hex::encode(bytes))
}

pub(super) fn refuse_unless(condition: &Condition, there: Option<&Row>) -> Result<()> {
    condition.require(there.map(|row| row.etag.as_str()))
}
