//! Archives on their way to what is in them: fetched, in pieces where their server lets them be, and
//! unpacked once they are whole.

use super::{
    ImportState, Imports,
    fetch::{Broken, broke_off, counted, plain},
    live::Live,
    resume::Arrived,
    rows::Known,
};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{RelativePath, Target, UploadForm},
    egress::Answer,
};

/// What an archive is called while it comes in; it never lies in the locker.
const NAME: &str = "archive";

impl Imports {
    /// An archive: taken in, then unpacked, then gone.
    pub(super) async fn archive(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        (url, answer): (&str, Answer),
    ) -> Result<()> {
        let (length, source) = (answer.length(), plain(answer.url()));
        let target = Target {
            locker: known.into.locker,
            path: RelativePath::parse(NAME)?.below(&known.into.folder),
            condition: known.into.condition(),
        };
        let how = (&target, UploadForm { unpacks: true, ..UploadForm::default() });
        let answer = match self.in_pieces(known, live, principal, how, (url, answer)).await? {
            Ok(Arrived::Archive(upload)) => {
                return self.unpack_arrived(known, live, principal, &upload, Some(source)).await;
            }
            Ok(Arrived::File(_)) => return Ok(()),
            Err(answer) => answer,
        };
        live.set_received(0, length);
        let broken = Broken::default();
        let body = counted(answer, live, &broken);
        let received = self.receive(principal, &known.into, length, body).await;
        let received = received.map_err(|error| broke_off(error, &broken))?;
        self.set_state(known.id, ImportState::Unpacking).await?;
        let whose = (principal, &known.into);
        self.unpack_file(known.id, live, whose, Some(source), &received).await
    }

    /// A whole archive that an upload holds, into the locker. The upload is the caller's to remove.
    pub(super) async fn unpack_arrived(
        &self,
        known: &Known,
        live: &Live,
        principal: &Principal,
        upload: &str,
        source: Option<String>,
    ) -> Result<()> {
        self.set_state(known.id, ImportState::Unpacking).await?;
        let opened = self.drive.open_whole_upload(upload).await;
        let (file, size) = opened.map_err(|error| match error {
            Error::NotFound(_) => Error::Unavailable(
                "Not all of this archive is there any more; send it again".to_owned(),
            ),
            error => error,
        })?;
        live.set_received(size, Some(size));
        self.unpacker(known.id, live, (principal, &known.into), source).run(file, size).await
    }
}
