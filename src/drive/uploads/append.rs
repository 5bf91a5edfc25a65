//! Bytes for an upload, and its publication when the last one is there.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
};

use bytes::Bytes;
use md5::Md5;
use sha1::{Digest as _, Sha1};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, Row, staging_of};
use crate::{
    Error, Result,
    accounts::Principal,
    clock::Millis,
    drive::{
        Drive, Stored,
        put::{Publishing, blocking},
        reach::Access,
    },
    storage::Written,
};

/// Written at a time: one hop to a thread for so many bytes.
const PIECE: usize = 512 * 1024;
/// So much may have to be sent again after a power cut.
const CHECKPOINT: u64 = 32 * 1024 * 1024;

/// What came of some bytes.
#[derive(Debug)]
pub enum Appended {
    /// They are stored, and more are to come (or it is a part): bytes stored in all.
    More(u64),
    /// They were the last ones; the file is published.
    Done(Stored),
    /// They are not what the client meant to send, and were thrown away.
    WrongChecksum,
    /// They were the last ones of an archive that is to be unpacked now: bytes stored in all.
    Archive(u64),
}

/// What the bytes of one request must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-1.
    Sha1(Vec<u8>),
    /// MD5.
    Md5(Vec<u8>),
    /// BLAKE3.
    Blake3(Vec<u8>),
}

impl Checksum {
    /// Names for `Tus-Checksum-Algorithm`.
    pub const ALGORITHMS: &'static str = "sha1,md5,blake3";

    /// By the name of its algorithm; `None` for one that we do not know.
    #[must_use]
    pub fn new(algorithm: &str, sum: Vec<u8>) -> Option<Self> {
        Some(match algorithm {
            "sha1" => Self::Sha1(sum),
            "md5" => Self::Md5(sum),
            "blake3" => Self::Blake3(sum),
            _ => return None,
        })
    }
}

/// A checksum on its way.
enum Summing {
    Sha1(Sha1, Vec<u8>),
    Md5(Md5, Vec<u8>),
    Blake3(Box<blake3::Hasher>, Vec<u8>),
}

impl Summing {
    fn new(checksum: Checksum) -> Self {
        match checksum {
            Checksum::Sha1(sum) => Self::Sha1(Sha1::new(), sum),
            Checksum::Md5(sum) => Self::Md5(Md5::new(), sum),
            Checksum::Blake3(sum) => Self::Blake3(Box::default(), sum),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hash, _) => hash.update(bytes),
            Self::Md5(hash, _) => hash.update(bytes),
            Self::Blake3(hash, _) => {
                hash.update(bytes);
            }
        }
    }

    fn fits(self) -> bool {
        match self {
            Self::Sha1(hash, sum) => hash.finalize().as_slice() == sum,
            Self::Md5(hash, sum) => hash.finalize().as_slice() == sum,
            Self::Blake3(hash, sum) => hash.finalize().as_bytes().as_slice() == sum,
        }
    }
}

/// The file of an upload while bytes come in.
struct Growing {
    file: Written,
    hasher: Option<blake3::Hasher>,
    sum: Option<Summing>,
    at: u64,
}

impl Drive {
    /// Stores bytes behind those that are there. `offset` must be where they end. What arrived
    /// before `body` ends is kept, however it ends. Run it as a task of its own: it must come to
    /// its end when the client is gone.
    pub async fn append_upload(
        self,
        principal: Principal,
        id: String,
        offset: u64,
        checksum: Option<Checksum>,
        mut body: mpsc::Receiver<Bytes>,
    ) -> Result<Appended> {
        self.own_upload(&principal, &id).await?;
        self.require_writable().await?;
        let (writer, stop) = self.uploads.enter(&id);
        let mut turn = writer.turn.lock().await;
        let row = self.own_upload(&principal, &id).await?;
        if row.state.offset != offset {
            return Err(Error::OffsetConflict { stored: row.state.offset, sent: offset });
        }
        if row.state.etag.is_some() || !row.state.parts.is_empty() {
            return Err(Error::Forbidden("This upload is finished".to_owned()));
        }
        let hasher = match turn.take() {
            Some((hashed, hasher)) if hashed == offset => Some(hasher),
            _ if offset == 0 => Some(blake3::Hasher::new()),
            _ => None,
        };
        let sum = checksum.map(Summing::new);
        let received = self.receive(&row, hasher, sum, &stop, &mut body).await?;
        let Some((growing, refused)) = received else { return Ok(Appended::WrongChecksum) };
        if let Some(error) = refused {
            *turn = growing.hasher.map(|hasher| (growing.at, hasher));
            return Err(error);
        }
        if growing.at < row.state.length || row.state.is_part || row.state.is_deferred {
            let at = growing.at;
            *turn = growing.hasher.map(|hasher| (at, hasher));
            return Ok(Appended::More(at));
        }
        if row.unpacks {
            return Ok(Appended::Archive(growing.at));
        }
        let hash = growing.hasher.map(|hasher| *hasher.finalize().as_bytes());
        drop(growing.file);
        let published = self.publish_upload(&principal, row, hash).await;
        drop(turn);
        self.uploads.forget(&id);
        Ok(Appended::Done(published?))
    }

    /// Takes bytes in until they end. `None`: the checksum was wrong, and all is as before.
    async fn receive(
        &self,
        row: &Row,
        hasher: Option<blake3::Hasher>,
        sum: Option<Summing>,
        stop: &CancellationToken,
        body: &mut mpsc::Receiver<Bytes>,
    ) -> Result<Option<(Growing, Option<Error>)>> {
        let (disk, staging, at) = (self.disk.clone(), staging_of(&row.id), row.state.offset);
        let mut growing = blocking(move || {
            let mut file = disk.reopen(&staging)?;
            // Behind what is recorded may lie what a crash did not let be recorded.
            file.set_len(at)?;
            file.seek(SeekFrom::Start(at))?;
            Ok(Growing { file, hasher, sum, at })
        })
        .await?;
        let is_checked = growing.sum.is_some();
        let (mut pieces, mut held, mut recorded) = (Vec::new(), 0_usize, at);
        let mut promise = self.promise_of(row).await?;
        let mut ground = row.ground();
        let mut refused = None;
        loop {
            let piece = tokio::select! {
                () = stop.cancelled(), if !body.is_closed() => {
                    // Nothing more comes in; what did is on its way here, and kept.
                    body.close();
                    continue;
                }
                piece = body.recv() => piece,
            };
            let is_end = piece.is_none();
            if let Some(piece) = piece {
                let waiting = (held + piece.len()) as u64;
                let fits = if row.state.is_deferred {
                    self.require_disk(waiting).await
                } else {
                    // Its room was taken when it began.
                    Ok(())
                };
                let admitted = match fits {
                    Ok(()) => promise.admit(self, growing.at + waiting).await,
                    full => full,
                };
                let admitted = match admitted {
                    Ok(()) => {
                        self.may_go_on(row, &mut ground, growing.at + waiting, &promise).await
                    }
                    refused => refused,
                };
                match admitted {
                    Ok(()) => {
                        held += piece.len();
                        pieces.push(piece);
                    }
                    Err(error) => refused = Some(error),
                }
            }
            if PIECE <= held || ((is_end || refused.is_some()) && 0 < held) {
                growing = growing.write(std::mem::take(&mut pieces)).await?;
                held = 0;
            }
            if is_end || refused.is_some() {
                break;
            }
            if CHECKPOINT <= growing.at - recorded && !is_checked {
                growing = self.record(row, growing).await?;
                recorded = growing.at;
            }
        }
        // A body that broke off, or was not taken to its end, cannot be checked; what came of it is
        // thrown away.
        if growing.sum.take().is_some_and(|sum| refused.is_some() || !sum.fits()) {
            blocking(move || growing.file.set_len(at)).await?;
            return refused.map_or(Ok(None), Err);
        }
        Ok(Some((self.record(row, growing).await?, refused)))
    }

    /// Room for bytes that nobody announced, beside what uploads leave to everything else.
    async fn require_disk(&self, bytes: u64) -> Result<()> {
        let disk = self.disk.clone();
        blocking(move || disk.require_free(bytes)).await
    }

    /// On the disk for sure, then in the row; with the hash when all is there.
    async fn record(&self, row: &Row, growing: Growing) -> Result<Growing> {
        let growing = blocking(move || {
            growing.file.sync_data()?;
            Ok(growing)
        })
        .await?;
        let received = i64::try_from(growing.at).unwrap_or(i64::MAX);
        let expires_at = self.clock.now().saturating_add(PATIENCE.as_millis() as Millis);
        let is_whole = growing.at == row.state.length && !row.state.is_part;
        let hash = growing.hasher.as_ref().filter(|_| is_whole).map(blake3::Hasher::finalize);
        let hash = hash.as_ref().map(|hash| hash.as_bytes().as_slice());
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update upload set received = ?1, expires_at = ?2, content_hash = ?3,
                 length = iif(is_deferred, ?1, length) where upload_id = ?4",
            received,
            expires_at,
            hash,
            row.id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(growing)
    }

    /// Puts a whole upload in its place. When that is refused, the upload is over, too.
    pub(super) async fn publish_upload(
        &self,
        principal: &Principal,
        row: Row,
        hash: Option<[u8; 32]>,
    ) -> Result<Stored> {
        let target = row.target();
        let published = self.try_publish(principal, &row, target, hash).await;
        if let Err(error) = &published
            && !matches!(
                error,
                Error::Internal(_)
                    | Error::Unavailable(_)
                    | Error::StorageFull
                    | Error::StorageDegraded(_)
            )
        {
            self.drop_upload(&row.id).await?;
        }
        published
    }

    async fn try_publish(
        &self,
        principal: &Principal,
        row: &Row,
        target: crate::drive::Target,
        hash: Option<[u8; 32]>,
    ) -> Result<Stored> {
        let recipient = principal.as_recipient();
        let principal = if row.handover.item.is_some() { &recipient } else { principal };
        let (locker, path) = self.reach(principal, row.locker, &target.path, Access::Write).await?;
        let (disk, staging) = (self.disk.clone(), staging_of(&row.id));
        let is_recorded = hash.is_some();
        let (staged, hash) = blocking(move || {
            let staged = disk.claim(&staging)?;
            let hash = match hash {
                Some(hash) => hash,
                None => hash_of(&staged.file)?,
            };
            staged.file.sync_all()?;
            Ok((staged, hash))
        })
        .await?;
        if !is_recorded {
            let (mut tx, hash) = (self.db.write().await?, hash.as_slice());
            sqlx::query!("update upload set content_hash = ? where upload_id = ?", hash, row.id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        }
        let reservation = row.reservation.ok_or(Error::NotFound("Upload"))?;
        let publishing = Publishing {
            drive: self.clone(),
            locker,
            path,
            condition: target.condition,
            user: principal.user,
            reservation: self.accounts.adopt(row.locker, reservation).await?,
            received: row.state.length,
            hash,
            upload: Some(row.id.clone()),
            handover: row.handover.clone(),
            lendable: None,
        };
        publishing.run(staged).await
    }
}

impl Growing {
    async fn write(mut self, pieces: Vec<Bytes>) -> Result<Self> {
        blocking(move || {
            for piece in pieces {
                self.file.write_all(&piece)?;
                self.at += piece.len() as u64;
                if let Some(hasher) = &mut self.hasher {
                    hasher.update(&piece);
                }
                if let Some(sum) = &mut self.sum {
                    sum.update(&piece);
                }
            }
            Ok(self)
        })
        .await
    }
}

/// BLAKE3 of a whole file, from its start.
pub(super) fn hash_of(mut file: &File) -> io::Result<[u8; 32]> {
    file.rewind()?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(*hasher.finalize().as_bytes()),
            read => {
                hasher.update(&buffer[..read]);
            }
        }
    }
}
