//! Bytes on their way into staging: promised before they are written, hashed while they are.

use std::{
    io::{self, Write as _},
    pin::pin,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::{Drive, disk::Staged, ground::Ground, put::blocking};
use crate::{Error, Result, accounts::Reservation};

/// How much an upload of unknown length reserves at a time.
pub(super) const STEP: u64 = 256 * 1024;
/// Written at a time: one hop to a thread for so many bytes.
const PIECE: usize = 512 * 1024;

/// An upload while its bytes come in.
pub(super) struct Receiving<'a> {
    pub(super) drive: &'a Drive,
    pub(super) declared: Option<u64>,
    pub(super) is_exempt: bool,
    pub(super) reservation: Reservation,
    /// Bytes that need no room: those that are replaced.
    pub(super) credit: u64,
    pub(super) received: u64,
    /// Whether it may go on.
    pub(super) ground: Ground,
}

impl Receiving<'_> {
    /// Everything into staging and onto the disk, with its hash.
    pub(super) async fn receive(
        &mut self,
        staging: &str,
        body: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<(Staged, [u8; 32])> {
        let (disk, name, declared) = (self.drive.disk.clone(), staging.to_owned(), self.declared);
        let mut writer = blocking(move || {
            let staged = disk.stage(&name, declared)?;
            let is_declared = declared.is_some();
            Ok(Writer { staged, is_declared, hasher: blake3::Hasher::new() })
        })
        .await?;
        let mut body = pin!(body);
        let (mut pieces, mut held) = (Vec::new(), 0);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| ended_early())?;
            self.admit(piece.len() as u64).await?;
            held += piece.len();
            pieces.push(piece);
            if PIECE <= held {
                writer = writer.write(std::mem::take(&mut pieces)).await?;
                held = 0;
            }
        }
        if self.declared.is_some_and(|declared| declared != self.received) {
            return Err(ended_early());
        }
        writer.finish(pieces).await
    }

    /// Makes sure that so many more bytes are promised, and that the upload may go on at all.
    async fn admit(&mut self, more: u64) -> Result<()> {
        self.received += more;
        self.promise().await?;
        self.ground.admit(self.drive, self.received, self.reservation.bytes()).await
    }

    async fn promise(&mut self) -> Result<()> {
        if let Some(declared) = self.declared {
            return if self.received <= declared {
                Ok(())
            } else {
                Err(Error::TooLarge("There are more bytes than were announced".to_owned()))
            };
        }
        if self.is_exempt {
            return Ok(());
        }
        let missing =
            self.received.saturating_sub(self.credit).saturating_sub(self.reservation.bytes());
        if missing == 0 {
            return Ok(());
        }
        if STEP <= missing || self.reservation.extend(STEP).await.is_err() {
            // Not a whole step, but perhaps what is really needed.
            self.reservation.extend(missing).await?;
        }
        // What gave way to it makes room on the disk, too.
        self.drive.sweep_gone().await
    }
}

/// The staged file with its running hash.
struct Writer {
    staged: Staged,
    /// The room for all of it was looked for when it began.
    is_declared: bool,
    hasher: blake3::Hasher,
}

impl Writer {
    async fn write(mut self, pieces: Vec<Bytes>) -> Result<Self> {
        blocking(move || {
            if !self.is_declared {
                self.staged.require_room(pieces.iter().map(|piece| piece.len() as u64).sum())?;
            }
            for piece in pieces {
                self.hasher.update(&piece);
                self.staged.file.write_all(&piece)?;
            }
            Ok(self)
        })
        .await
    }

    async fn finish(self, pieces: Vec<Bytes>) -> Result<(Staged, [u8; 32])> {
        let Self { staged, hasher, .. } = self.write(pieces).await?;
        blocking(move || {
            staged.file.sync_all()?;
            Ok((staged, *hasher.finalize().as_bytes()))
        })
        .await
    }
}

fn ended_early() -> Error {
    Error::Invalid("The upload ended before its last byte".to_owned())
}
