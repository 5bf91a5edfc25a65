//! Imports carried out: begun, ended, cancelled, and gone on with when the server starts again.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    Destination, ImportState, Imports, Problem, entries::Unpacker, live::Live, rows::Known,
    sent::Received,
};
use crate::{Error, Result, accounts::Principal, clock, ids::ImportId};

/// How often what nobody carries is looked for.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

impl Imports {
    /// Goes on with what a stopped server or a failing disk left, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let disks = [self.drive.disk.storage(), self.db.storage()];
        let [mut files, mut rows] = disks.map(crate::storage::Storage::subscribe);
        while !stop.is_cancelled() {
            if let Err(error) = self.go_on().await {
                tracing::error!("imports could not be gone on with: {error:?}");
            }
            tokio::select! {
                Ok(()) = files.changed() => (),
                Ok(()) = rows.changed() => (),
                // A disk that is mounted late says nothing.
                () = clock::beat(LOOK_AGAIN) => (),
                () = stop.cancelled() => (),
            }
        }
        for live in self.running() {
            // It is found as it was by the next start.
            live.leave();
        }
    }

    /// Knows again, before anybody may ask, what a stopped server left to be gone on with.
    pub async fn adopt(&self) -> Result<()> {
        self.forget_old().await?;
        self.adopt_uploads().await
    }

    /// What nobody carries.
    async fn go_on(&self) -> Result<()> {
        if !self.drive.is_writable().await? {
            return Ok(());
        }
        let beginning = self.beginning.lock().await;
        let mut left = Vec::new();
        for known in self.open_ones().await? {
            left.extend(self.go_live_once(known.id).map(|live| (known, live)));
        }
        drop(beginning);
        for (known, live) in left {
            let id = known.id;
            // It came to its end while this looked, or cannot be known: then it is looked for again.
            if !self.state(id).await.is_ok_and(|state| state.ended_at.is_none()) {
                self.no_longer(id);
                continue;
            }
            if known.url.is_some() {
                tokio::spawn(self.clone().carry_url(id, live));
            } else if known.upload.is_some() {
                tokio::spawn(self.clone().carry_upload(id, live));
            } else {
                let detail = "The server stopped in the middle of it; send it again";
                let error = Error::Unavailable(detail.to_owned());
                self.end(id, &live, &Err(error)).await;
            }
        }
        Ok(())
    }

    /// An address, to its end.
    pub(super) async fn carry_url(self, id: ImportId, live: Arc<Live>) {
        let work = async {
            let _turn = self.fetching.acquire().await;
            let known = self.begin(id).await?;
            let principal = self.accounts.principal(known.user).await?;
            self.fetch_all(&known, &live, &principal).await
        };
        let done = live.stop().run_until_cancelled(Box::pin(work)).await;
        if !self.waits_for_the_disk(id, done.as_ref()) {
            self.finish(id, &live, done).await;
        }
    }

    /// An archive that was sent in one go, to its end.
    pub(super) async fn carry_sent(
        self,
        id: ImportId,
        live: Arc<Live>,
        principal: Principal,
        into: Destination,
        received: Received,
    ) {
        let work = async {
            let _turn = self.unpacking.acquire().await;
            self.unpack_file(id, &live, (&principal, &into), None, &received).await
        };
        let done = live.stop().run_until_cancelled(Box::pin(work)).await;
        self.finish(id, &live, done).await;
    }

    /// An archive that was a resumable upload, to its end; then the upload is gone.
    pub(super) async fn carry_upload(self, id: ImportId, live: Arc<Live>) {
        let work = async {
            let _turn = self.unpacking.acquire().await;
            let known = self.begin(id).await?;
            let principal = self.accounts.principal(known.user).await?;
            self.unpack_arrived(&known, &live, &principal, known.upload(), None).await
        };
        let done = live.stop().run_until_cancelled(Box::pin(work)).await;
        if live.is_left() || self.waits_for_the_disk(id, done.as_ref()) {
            return;
        }
        // Its end and that the upload is gone are one change; the bytes go behind it.
        self.finish(id, &live, done).await;
        if let Ok(known) = self.known(id).await
            && let Err(error) = self.drive.drop_whole_upload(known.upload()).await
        {
            tracing::error!("an unpacked archive could not be removed: {error:?}");
        }
    }

    /// Whether it failed with a disk that fails: then it is not over, and gone on with when the disk
    /// was tried and is well, or at the next start.
    fn waits_for_the_disk(&self, id: ImportId, done: Option<&Result<()>>) -> bool {
        let Some(Err(error)) = done else { return false };
        let disks = [self.drive.disk.storage(), self.db.storage()];
        if disks.iter().all(|disk| disk.fault().is_none()) {
            return false;
        }
        tracing::warn!(import = %id, "an import waits until the disk is well: {error}");
        self.no_longer(id);
        true
    }

    /// Ends one that waits.
    pub(super) async fn give_up(&self, id: ImportId) {
        if let Some(live) = self.go_live_once(id) {
            self.finish(id, &live, None).await;
        }
    }

    /// A received archive into the locker.
    pub(super) async fn unpack_file(
        &self,
        id: ImportId,
        live: &Live,
        (principal, into): (&Principal, &Destination),
        source: Option<String>,
        received: &Received,
    ) -> Result<()> {
        let file = received.file.try_clone()?;
        self.unpacker(id, live, (principal, into), source).run(file, received.size).await
    }

    pub(super) fn unpacker<'a>(
        &'a self,
        id: ImportId,
        live: &'a Live,
        (principal, into): (&'a Principal, &'a Destination),
        source: Option<String>,
    ) -> Unpacker<'a> {
        Unpacker { imports: self, id, live, principal, into, source }
    }

    /// The last row of it. `None`: its user ended it.
    async fn finish(&self, id: ImportId, live: &Live, done: Option<Result<()>>) {
        if live.is_left() {
            return;
        }
        if let Err(error) = self.give_up_begun(id).await {
            tracing::error!(import = %id, "what is left of an import could not be removed: {error:?}");
        }
        match done {
            Some(done) => self.end(id, live, &done).await,
            None => self.close(id, live, ImportState::Cancelled, None).await,
        }
    }

    async fn end(&self, id: ImportId, live: &Live, done: &Result<()>) {
        match done {
            Ok(()) => self.close(id, live, ImportState::Done, None).await,
            Err(error) => {
                if let Error::Internal(cause) = error {
                    tracing::error!(import = %id, "an import failed: {cause:#}");
                }
                self.close(id, live, ImportState::Failed, Some(&Problem::from(error))).await;
            }
        }
    }

    async fn close(
        &self,
        id: ImportId,
        live: &Live,
        state: ImportState,
        problem: Option<&Problem>,
    ) {
        if let Err(error) = self.write_end(id, live, state, problem).await {
            tracing::error!(import = %id, "the end of an import could not be written: {error:?}");
        }
        self.no_longer(id);
    }
}

impl Known {
    /// The upload that it is of; '' for none.
    fn upload(&self) -> &str {
        self.upload.as_deref().unwrap_or_default()
    }
}
