//! The queue of questions: rows that wait, asked one after the other, politely. An answer is kept
//! for a month, "nothing is known" too; a failure is tried again, ever later.

use super::{Info, Learnt, Subject};
use crate::{
    Result,
    accounts::Feature,
    clock,
    ids::{AlbumId, ArtistId},
    outside::{back_off, jitter, lastfm::Trouble},
};

const DAY: i64 = 86_400_000;
/// How long an answer is believed.
const KEPT: i64 = 30 * DAY;
const FIRST_WAIT: i64 = 10 * 60_000;
const LONGEST_WAIT: i64 = 7 * DAY;
/// How often the rows are looked at while nobody knocks.
const TICK: std::time::Duration = std::time::Duration::from_mins(5);

impl Info {
    /// Asks about what waits, for ever.
    pub(in super::super) async fn keep_asking(&self) {
        loop {
            if let Err(error) = self.ask_all().await {
                tracing::error!("artists could not be looked up: {error:?}");
            }
            tokio::select! {
                () = clock::beat(TICK) => (),
                () = self.0.questions.notified() => (),
            }
        }
    }

    /// Puts a question into the queue, unless it waits there already.
    pub(super) async fn enqueue(&self, subject: Subject) -> Result<()> {
        let ((kind, id), now) = (subject.row(), self.0.now());
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "insert into remote_info (kind, item_id, asked_at) values (?1, ?2, ?3)
             on conflict do update set next_at = null, asked_at = ?3 where next_at <= ?3",
            kind,
            id,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.0.questions.notify_one();
        Ok(())
    }

    async fn ask_all(&self) -> Result<()> {
        while self.0.is_on(Feature::Info).await? {
            let row = sqlx::query!(
                r#"select kind as "kind!", item_id as "item_id!" from remote_info
                   where next_at is null order by asked_at limit 1"#
            )
            .fetch_optional(self.0.of.db.read())
            .await?;
            let Some(row) = row else { return Ok(()) };
            let subject = match row.kind.as_str() {
                "artist" => Subject::Artist(ArtistId(row.item_id)),
                _ => Subject::Album(AlbumId(row.item_id)),
            };
            match self.look_up(subject).await? {
                Some(Ok(learnt)) => self.store(subject, &learnt).await?,
                Some(Err(trouble)) => self.note_failure(subject, &trouble).await?,
                None => self.forget(subject).await?,
            }
        }
        Ok(())
    }

    /// Asks; `None` if the subject is gone.
    async fn look_up(&self, subject: Subject) -> Result<Option<Result<Learnt, Trouble>>> {
        Ok(match subject {
            Subject::Artist(id) => {
                let row = sqlx::query!("select name, mbid from artist where artist_id = ?", id)
                    .fetch_optional(self.0.of.db.read())
                    .await?;
                match row {
                    Some(row) => {
                        let keys = self.0.of.accounts.lastfm_keys().await?;
                        Some(self.0.ask_artist(&row.name, row.mbid, keys.as_ref()).await)
                    }
                    None => None,
                }
            }
            Subject::Album(id) => {
                let row = sqlx::query!(
                    "select name, display_artist, mbid from album where album_id = ?",
                    id
                )
                .fetch_optional(self.0.of.db.read())
                .await?;
                match row {
                    Some(row) => {
                        let keys = self.0.of.accounts.lastfm_keys().await?;
                        let (name, artist) = (&row.name, &row.display_artist);
                        Some(self.0.ask_album(name, artist, row.mbid, keys.as_ref()).await)
                    }
                    None => None,
                }
            }
        })
    }

    async fn store(&self, subject: Subject, learnt: &Learnt) -> Result<()> {
        let ((kind, id), now) = (subject.row(), self.0.now());
        let (next, similar) = (now + jitter(KEPT), serde_json::to_string(&learnt.similar)?);
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update remote_info set mbid = ?3, text = ?4, url = ?5, image_url = ?6, similar = ?7, failures = 0,
                    next_at = ?8, fetched_at = ?9
             where kind = ?1 and item_id = ?2",
            kind,
            id,
            learnt.mbid,
            learnt.text,
            learnt.url,
            learnt.image_url,
            similar,
            next,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn note_failure(&self, subject: Subject, trouble: &Trouble) -> Result<()> {
        tracing::debug!(?subject, sentence = trouble.sentence(), "a look-up failed");
        let ((kind, id), now) = (subject.row(), self.0.now());
        let mut tx = self.0.of.db.write().await?;
        let failures = sqlx::query_scalar!(
            r#"update remote_info set failures = failures + 1 where kind = ? and item_id = ?
               returning failures as "failures!: i64""#,
            kind,
            id
        )
        .fetch_optional(&mut *tx)
        .await?;
        let next = now + back_off(failures.unwrap_or(1), FIRST_WAIT, LONGEST_WAIT);
        sqlx::query!(
            "update remote_info set next_at = ?3 where kind = ?1 and item_id = ?2",
            kind,
            id,
            next
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn forget(&self, subject: Subject) -> Result<()> {
        let (kind, id) = subject.row();
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!("delete from remote_info where kind = ? and item_id = ?", kind, id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
