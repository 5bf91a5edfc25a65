//! Files of orders that shops name by address: fetched behind the answer, in pieces where their server
//! lets them be, and gone on with when this server starts again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::{
    Deliveries, ItemSource,
    rows::{Known, Waiting},
};
use crate::{
    Error, Result,
    accounts::{Feature, Principal},
    drive::{
        Appended, Condition, Handover, NewUpload, Stored, Target, UploadForm,
        pieces::{Begun, Pieces},
    },
    egress::{Answer, Fault, Limits, Wanted},
    ids::{DeliveryId, LockerId},
};

/// Deliveries whose files are being fetched, each with the token that tells of its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashMap<DeliveryId, CancellationToken>>>);

/// One of them; dropping it is its end.
struct Run {
    running: Running,
    id: DeliveryId,
}

impl Running {
    pub(super) fn has(&self, id: DeliveryId) -> bool {
        self.all().contains_key(&id)
    }

    /// Waits until it is over; at once if it is.
    pub(super) async fn ended(&self, id: DeliveryId) {
        let over = self.all().get(&id).cloned();
        if let Some(over) = over {
            over.cancelled().await;
        }
    }

    /// `None` if it runs already.
    fn enter(&self, id: DeliveryId) -> Option<Run> {
        let mut all = self.all();
        if all.contains_key(&id) {
            return None;
        }
        all.insert(id, CancellationToken::new());
        Some(Run { running: self.clone(), id })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<DeliveryId, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(over) = self.running.all().remove(&self.id) {
            over.cancel();
        }
    }
}

impl Deliveries {
    /// Goes on with what a stopped server left, and looks at the folders that shops drop orders into,
    /// until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        match self.fetched_ones().await {
            Ok(open) => open.into_iter().for_each(|known| self.begin(known)),
            Err(error) => tracing::error!("deliveries could not be gone on with: {error:?}"),
        }
        self.watch_drops(&stop).await;
        stop.cancelled().await;
        // They are found as they were by the next start.
        self.stop.cancel();
    }

    /// Fetches what waits of a delivery, and gives what it grants where all of it is there then.
    pub(super) fn begin(&self, known: Known) {
        let Some(run) = self.running.enter(known.id) else { return };
        let (of, stop) = (self.clone(), self.stop.clone());
        tokio::spawn(async move {
            let done = stop.run_until_cancelled(Box::pin(of.fetch_all(&known))).await;
            if let Some(Err(error)) = done {
                tracing::warn!(order = known.order, "a delivery could not be fetched: {error:?}");
            }
            drop(run);
        });
    }

    async fn fetch_all(&self, known: &Known) -> Result<()> {
        let _turn = self.fetching.acquire().await;
        let whose = self.recipient_of(known).await;
        for item in self.waiting(known.id).await? {
            let ItemSource::Url(url) = &item.from else { continue };
            let fetched = match &whose {
                Ok((recipient, locker)) => {
                    self.fetch(known, (recipient, *locker), &item, url).await.err()
                }
                Err(_) => Some(Error::NotFound("User")),
            };
            self.told(item.id, fetched).await?;
        }
        if self.is_whole(known.id).await? { self.finish(known).await } else { Ok(()) }
    }

    /// One file, or the rest of it.
    async fn fetch(
        &self,
        known: &Known,
        (recipient, locker): (&Principal, LockerId),
        item: &Waiting,
        url: &str,
    ) -> Result<Stored> {
        if !self.may_fetch || !self.accounts.is_on(Feature::Deliveries).await? {
            return Err(Error::Forbidden(
                "Fetching deliveries from addresses is switched off on this server".to_owned(),
            ));
        }
        let (drive, egress) = (&self.drive, &self.egress);
        let pieces = Pieces { drive, egress, principal: recipient, limits: Limits::MEDIA };
        let mut answer = None;
        if let Some(begun) = self.left(recipient, item).await? {
            let rest = pieces.ask_rest(url, &begun).await?;
            if rest.is_rest(begun.offset) {
                return self.take(&pieces, begun, (url, rest)).await;
            }
            drive.terminate_upload(recipient, &begun.upload).await?;
            answer = (rest.status() == 200).then_some(rest);
        }
        let answer = match answer {
            Some(answer) => answer,
            None => {
                let answer = egress.ask(Wanted::get(url, Limits::MEDIA)).await;
                answer.map_err(Fault::of_source)?.of_source()?
            }
        };
        let path = self.free_path(locker, &item.path).await?;
        let target = Target { locker, path, condition: Condition::Absent };
        let how = Handover { exempt: known.exempt, item: Some(item.id), source: None };
        let (length, validator) = (answer.length(), answer.validator());
        let (Some(length @ 1..), Some(validator)) = (length, validator) else {
            let body = answer.stream().boxed();
            return Box::pin(drive.put_as(recipient, &target, length, body, how)).await;
        };
        let Target { path, condition, .. } = target;
        let new =
            NewUpload { path: Some(path), locker, condition, length, metadata: String::new() };
        self.note_begun(item.id, &validator).await?;
        let form = UploadForm::default();
        let upload = drive.create_upload_for(recipient, &new, form, &how).await?.id;
        self.take(&pieces, Begun { upload, validator, offset: 0 }, (url, answer)).await
    }

    /// The bytes of an answer. What arrived stays for the next try where the source broke off.
    async fn take(
        &self,
        pieces: &Pieces<'_>,
        begun: Begun,
        (url, answer): (&str, Answer),
    ) -> Result<Stored> {
        let upload = begun.upload.clone();
        let error = match pieces.take_all(begun, (url, answer), |_| ()).await {
            Ok(Appended::Done(stored)) => return Ok(stored),
            Ok(_) => Error::SourceUnreachable("The connection broke off".to_owned()),
            Err(error) => error,
        };
        if !matches!(error, Error::SourceUnreachable(_)) {
            match self.drive.terminate_upload(pieces.principal, &upload).await {
                Ok(()) | Err(Error::NotFound(_) | Error::Expired(_)) => (),
                Err(error) => return Err(error),
            }
        }
        Err(error)
    }

    /// What an earlier try left of a file.
    async fn left(&self, recipient: &Principal, item: &Waiting) -> Result<Option<Begun>> {
        let Some((upload, validator)) = self.begun(item.id).await? else { return Ok(None) };
        match self.drive.upload(recipient, &upload).await {
            Ok(state) if 0 < state.offset && state.offset < state.length => {
                Ok(Some(Begun { upload, validator, offset: state.offset }))
            }
            Ok(_) => {
                self.drive.terminate_upload(recipient, &upload).await?;
                Ok(None)
            }
            Err(Error::NotFound(_) | Error::Expired(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
