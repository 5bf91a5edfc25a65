//! An order carried out: each file stored, then, once all are there, what it grants.

use std::io;

use tokio_util::io::ReaderStream;

use super::{
    Deliveries, ItemSource,
    rows::{Known, Waiting},
};
use crate::{
    Error, Result,
    accounts::{Deliverer, GrantOrigin, LockerKind, NewGrant, Principal},
    clock::Millis,
    drive::{Condition, Exempt, Handover, RelativePath, Stored, Target},
    events::Event,
    ids::{LockerId, UserId},
};

const DAY: Millis = 24 * 3600 * 1000;
/// Names that are tried beside one that is taken.
const MOST_NAMES: u32 = 100;

impl Deliveries {
    /// What is at hand is stored; what has to be fetched is begun with. One bad file never stops the
    /// rest.
    pub(super) async fn carry(&self, known: &Known, by: &Deliverer) -> Result<()> {
        let (recipient, locker) = self.recipient_of(known).await?;
        let (mut is_whole, mut is_to_be_fetched) = (true, false);
        for item in self.waiting(known.id).await? {
            if matches!(item.from, ItemSource::Url(_)) {
                self.wait_again(item.id).await?;
                is_to_be_fetched = true;
                continue;
            }
            let id = item.id;
            let stored = self.store(&recipient, locker, known.exempt, by, item).await;
            is_whole &= self.told(id, stored.err()).await?;
        }
        if is_to_be_fetched {
            self.begin(known.clone());
        } else if is_whole {
            self.finish(known).await?;
        }
        Ok(())
    }

    /// Writes down why a file is not there; whether it is.
    pub(super) async fn told(&self, item: i64, error: Option<Error>) -> Result<bool> {
        let Some(error) = error else { return Ok(true) };
        if let Error::Internal(cause) = &error {
            tracing::error!("a delivered file could not be stored: {cause:#}");
        }
        self.failed(item, &error).await?;
        Ok(false)
    }

    /// Whose it is, and the locker that it goes to.
    pub(super) async fn recipient_of(&self, known: &Known) -> Result<(Principal, LockerId)> {
        let user = known.user.ok_or(Error::NotFound("User"))?;
        let recipient = self.recipient(user).await?;
        let lockers = self.accounts.lockers(&recipient).await?;
        let locker = lockers.iter().find(|locker| locker.kind == LockerKind::User);
        let locker = locker.ok_or(Error::NotFound("Locker"))?.id;
        Ok((recipient, locker))
    }

    /// The recipient, who need not be one who may upload.
    async fn recipient(&self, user: UserId) -> Result<Principal> {
        Ok(self.accounts.principal(user).await?.as_recipient())
    }

    async fn store(
        &self,
        recipient: &Principal,
        locker: LockerId,
        exempt: Option<Exempt>,
        by: &Deliverer,
        item: Waiting,
    ) -> Result<Stored> {
        let path = self.free_path(locker, &item.path).await?;
        let target = Target { locker, path, condition: Condition::Absent };
        let how = Handover { exempt, item: Some(item.id), source: None };
        match item.from {
            ItemSource::Upload(id) => {
                self.drive.hand_over(by.user, &id, recipient, &target, how).await
            }
            ItemSource::Url(_) => {
                Err(Error::internal(anyhow::anyhow!("an address is fetched, not stored")))
            }
            ItemSource::File(_) if by.key.is_some() => {
                Err(Error::Forbidden("Files of the server are not delivered from afar".to_owned()))
            }
            ItemSource::File(path) => {
                let missing = |error: io::Error| {
                    Error::Invalid(format!("{} cannot be read: {error}", path.display()))
                };
                let file = tokio::fs::File::open(&path).await.map_err(missing)?;
                let facts = file.metadata().await.map_err(missing)?;
                if !facts.is_file() {
                    return Err(Error::Invalid(format!("{} is no file", path.display())));
                }
                let body = ReaderStream::with_capacity(file, 256 * 1024);
                self.drive.put_as(recipient, &target, Some(facts.len()), body, how).await
            }
        }
    }

    /// What is there already is never replaced by a delivery: another name is taken.
    pub(super) async fn free_path(
        &self,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<RelativePath> {
        let locker = self.accounts.any_locker(locker).await?;
        let text = path.as_str();
        let (folder, name) = text.rsplit_once('/').unwrap_or(("", text));
        let (stem, suffix) = match name.rsplit_once('.') {
            Some((stem, suffix)) if !stem.is_empty() => (stem, format!(".{suffix}")),
            _ => (name, String::new()),
        };
        for number in 1..=MOST_NAMES {
            let name = match number {
                1 => name.to_owned(),
                number => format!("{stem} ({number}){suffix}"),
            };
            let tried = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if self.drive.row_as_it_lies(&locker, &tried).await?.is_none() {
                return Ok(RelativePath::from_disk(tried));
            }
        }
        Err(Error::Conflict(format!("{text} is there already, many times")))
    }

    /// Once, whoever comes here how often: what it grants, and what the rules add.
    pub(super) async fn finish(&self, known: &Known) -> Result<()> {
        let user = known.user.ok_or(Error::NotFound("User"))?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let finished = sqlx::query!(
            "update delivery set state = 'done', done_at = ? where delivery_id = ? and state = 'open'",
            now,
            known.id.0
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if finished == 0 {
            return Ok(());
        }
        let reason = format!("Order {}", known.order);
        for grant in &known.grants {
            let new = NewGrant {
                gives: grant.gives()?,
                starts_at: None,
                ends_at: grant.days.map(|days| now + Millis::from(days) * DAY),
                reason: reason.clone(),
            };
            let origin = GrantOrigin::Delivery;
            self.accounts.give_in(&mut tx, UserId(0), user, &new, origin).await?;
        }
        let is_album = known.product == super::Product::Album;
        self.accounts.apply_bonus(&mut tx, user, is_album, &reason).await?;
        tx.commit().await?;
        self.drive.events.publish(Event::AccountChanged { user });
        Ok(())
    }
}
