//! Reading everything by itself, about once a month: slowly, and on from where it was, whatever
//! happened meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{Damage, Pace, Scrubbed, rows::After};
use crate::{
    Result,
    clock::{Millis, beat},
    drive::Drive,
};

/// How often it looks whether it is time.
const LOOK: Duration = Duration::from_hours(1);
/// From the end of one reading to the next.
const EVERY: Millis = 30 * 24 * 3600 * 1000;
/// Where it is kept.
const STATE: &str = "drive.scrub";
/// What administrators are told of it under.
const NOTICE: &str = "damage";
/// Files that the notice and the panel name.
const NAMED: i64 = 20;

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubState {
    /// When the reading began that is under way, ms since the epoch.
    pub began_at: Option<Millis>,
    /// When the last one ended; on a new drive, when it came to be.
    pub ended_at: Option<Millis>,
    /// Files that were read, by the one that is under way or else by the last.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    after: After,
}

impl Drive {
    /// Reads when it is time, until `stop`.
    pub(in crate::drive) async fn keep_scrubbing(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(beat(LOOK)).await.is_some() {
            if let Some(Err(error)) = stop.run_until_cancelled(self.scrub_if_due()).await {
                tracing::error!("what is kept could not be read: {error:?}");
            }
        }
    }

    /// Reads everything, if it is time; goes on where it was broken off. Done by itself; whoever
    /// cannot wait may ask for it.
    pub async fn scrub_if_due(&self) -> Result<()> {
        let now = self.clock.now();
        let mut state = self.scrub_state().await?;
        let Some(ended_at) = state.ended_at else {
            // What is new did not have the time to rot.
            state.ended_at = Some(now);
            return self.keep_scrub_state(&state).await;
        };
        if !self.is_writable().await? || (state.began_at.is_none() && now - ended_at < EVERY) {
            return Ok(());
        }
        if state.began_at.is_none() {
            state = ScrubState {
                began_at: Some(now),
                ended_at: Some(ended_at),
                ..ScrubState::default()
            };
        }
        let scrub = self.scrub();
        loop {
            let rows = scrub.rows(&state.after).await?;
            let Some(last) = rows.last() else { break };
            state.after = last.after();
            let mut scrubbed = Scrubbed::default();
            for row in rows {
                match scrub.one(&row, Pace::Slow, &mut scrubbed).await? {
                    Some(damage) => self.note_damage(row.locker, &damage).await?,
                    None => self.forget_damage(&row.place()).await?,
                }
            }
            state.files += scrubbed.files;
            state.bytes += scrubbed.bytes;
            self.keep_scrub_state(&state).await?;
        }
        self.forget_older_damage(state.began_at.unwrap_or(now)).await?;
        state = ScrubState {
            began_at: None,
            ended_at: Some(self.clock.now()),
            after: After::default(),
            ..state
        };
        self.keep_scrub_state(&state).await?;
        self.tell_of_damage().await
    }

    /// How far it is.
    pub async fn scrub_state(&self) -> Result<ScrubState> {
        Ok(self.db.meta_of(STATE).await?.unwrap_or_default())
    }

    /// Files that are known to be damaged: how many, and a sentence for each of the first.
    pub async fn damaged(&self) -> Result<(u64, Vec<String>)> {
        let count = sqlx::query_scalar!(r#"select count(*) as "count!: i64" from drive_damage"#)
            .fetch_one(self.db.read())
            .await?;
        let named =
            sqlx::query_scalar!("select detail from drive_damage order by place limit ?", NAMED)
                .fetch_all(self.db.read())
                .await?;
        Ok((count.unsigned_abs(), named))
    }

    async fn keep_scrub_state(&self, state: &ScrubState) -> Result<()> {
        self.db.keep_meta_of(STATE, state).await
    }

    async fn note_damage(&self, locker: i64, damage: &Damage) -> Result<()> {
        let (detail, now) = (damage.sentence(), self.clock.now());
        tracing::error!("{detail}");
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into drive_damage (place, locker_id, detail, found_at) values (?1, ?2, ?3, ?4)
             on conflict (place) do update set detail = ?3, found_at = ?4",
            damage.place,
            locker,
            detail,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.tell_of_damage().await
    }

    async fn forget_damage(&self, place: &str) -> Result<()> {
        let is_known = sqlx::query_scalar!(
            r#"select exists (select 1 from drive_damage where place = ?) as "is!: bool""#,
            place
        )
        .fetch_one(self.db.read())
        .await?;
        if !is_known {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from drive_damage where place = ?", place).execute(&mut *tx).await?;
        tx.commit().await
    }

    /// What this reading did not find again is not there any more.
    async fn forget_older_damage(&self, began_at: Millis) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from drive_damage where found_at < ?", began_at)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    async fn tell_of_damage(&self) -> Result<()> {
        let (count, named) = self.damaged().await?;
        let text = match (count, named.first()) {
            (1, Some(first)) => Some(format!("A file that is kept here is damaged. {first}")),
            (2.., Some(first)) => Some(format!(
                "{count} files that are kept here are damaged; `tunelocker doctor --read-data` names them. The first: {first}"
            )),
            _ => None,
        };
        self.accounts.tell_administrators(NOTICE, text.as_deref()).await
    }
}
