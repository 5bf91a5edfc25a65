//! An archive on its way into staging. It is only passing through, so what makes it larger than
//! its contents needs no room: a file that fits is not refused because it came in an archive.

use std::{fs::File, io};

use bytes::Bytes;
use futures_util::Stream;

use super::{Destination, Imports};
use crate::{
    Result,
    accounts::Principal,
    drive::{
        disk::Staged,
        ground::{Becomes, Ground},
        put::staging_name,
        reach::Access,
        receive::Receiving,
    },
};

/// Headers, directory and padding of a small archive.
const WRAPPING: u64 = 1 << 20;
/// And of a large one: a twentieth.
const WRAPPING_PART: u64 = 20;

/// An archive in staging. Dropping it removes it.
pub(super) struct Received {
    /// Removes the file from staging when it is dropped.
    _staged: Staged,
    pub(super) file: File,
    pub(super) size: u64,
}

/// How much of an archive need not fit: the wrapping of what is in it.
pub(in crate::drive) fn wrapping(length: u64) -> u64 {
    length.min(WRAPPING + length / WRAPPING_PART)
}

impl Imports {
    /// Takes an archive in as any upload. Its room is given back before anything of it is stored.
    pub(super) async fn receive(
        &self,
        principal: &Principal,
        into: &Destination,
        declared: Option<u64>,
        body: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<Received> {
        let drive = &self.drive;
        let (locker, folder) =
            drive.reach(principal, into.locker, &into.folder, Access::Write).await?;
        let staging = staging_name()?;
        let credit = declared.map_or(WRAPPING, wrapping);
        let promised = declared.map_or(0, |declared| declared - credit);
        let reservation = self.accounts.reserve(locker.id, promised, &staging).await?;
        drive.sweep_gone().await?;
        let whose = (principal.user, locker.id);
        let ground = Ground::at(whose, &folder, Becomes::Archive, 0);
        let mut receiving = Receiving {
            drive,
            declared,
            is_exempt: false,
            reservation,
            credit,
            received: 0,
            ground,
        };
        let received = Box::pin(receiving.receive(&staging, body)).await;
        let Receiving { reservation, received: size, .. } = receiving;
        reservation.release().await?;
        let (staged, _) = received?;
        let file = staged.file.try_clone()?;
        Ok(Received { _staged: staged, file, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wrapping_needs_no_room() {
        for (length, free) in
            [(0, 0), (1000, 1000), (1 << 20, 1 << 20), (2 << 20, (1 << 20) + (2 << 20) / 20)]
        {
            assert_eq!(wrapping(length), free, "{length}");
        }
    }
}
