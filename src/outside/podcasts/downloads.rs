//! Downloads into lockers. The rows say what is wanted; a file is streamed through the drive, which
//! reserves and charges ([`super::fetch`]), then looked at by a worker, because a feed's word is no proof of sound.
//! What is beyond a channel's retention goes away again.

use futures_util::{StreamExt as _, stream};

use super::{Podcasts, fetch::Begun};
use crate::{
    Error, Result,
    accounts::{Abilities, Feature, LockerKind, Principal},
    clock,
    drive::{Condition, RelativePath},
    ids::{EpisodeId, LockerId, UserId},
    media::worker::{ReadItem, ReadOptions, Understood},
    outside::back_off,
};

/// Files that are fetched at once.
const AT_ONCE: usize = 2;
/// A file that fails so often is given up.
const MOST_TRIES: i64 = 5;
const FIRST_WAIT: i64 = 60_000;
const LONGEST_WAIT: i64 = 6 * 3_600_000;
const DAY: i64 = 86_400_000;
const TICK: std::time::Duration = std::time::Duration::from_mins(1);

/// A download that is due.
pub(super) struct Due {
    pub(super) user: UserId,
    pub(super) episode: EpisodeId,
    pub(super) url: String,
    pub(super) media_type: String,
    /// What a broken connection left.
    pub(super) begun: Option<Begun>,
}

/// A file that is in place and was understood.
struct Arrived {
    locker: LockerId,
    path: RelativePath,
    size: u64,
    modified_ns: i64,
    understood: Understood,
}

impl Podcasts {
    /// Asks for an episode's file.
    pub async fn download(&self, principal: &Principal, id: EpisodeId) -> Result<()> {
        self.require(principal).await?;
        let episode = self.own_episode(principal, id).await?;
        if episode.file.is_some() {
            return Ok(());
        }
        // Whoever asks is told at once what would be found out later.
        let locker = self.own_locker(principal).await?;
        self.0.of.accounts.require_room(locker, episode.size_bytes.max(1)).await?;
        let now = self.0.now();
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "insert into podcast_download (user_id, episode_id, status, changed_at) values (?1, ?2, 'wanted', ?3)
             on conflict do update set status = 'wanted', tries = 0, next_try_at = 0, error = '', changed_at = ?3
             where status <> 'downloading'",
            principal.user,
            id,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.0.downloads.notify_one();
        Ok(())
    }

    /// Removes an episode's file, or the wish for it.
    pub async fn delete_episode(&self, principal: &Principal, id: EpisodeId) -> Result<()> {
        self.require(principal).await?;
        self.own_episode(principal, id).await?;
        self.remove_file(principal, id).await?;
        self.forget_begun(principal.user, id).await?;
        let now = self.0.now();
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "insert into podcast_download (user_id, episode_id, status, changed_at) values (?1, ?2, 'deleted', ?3)
             on conflict do update set status = 'deleted', error = '', changed_at = ?3",
            principal.user,
            id,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Downloads what is wanted, for ever.
    pub(in super::super) async fn keep_downloading(&self) {
        // What a crash or stop interrupted begins again.
        if let Err(error) = self.want_again(None).await {
            tracing::error!("interrupted downloads could not be found: {error:?}");
        }
        loop {
            match self.download_due().await {
                Ok(()) => (),
                Err(error) => tracing::error!("podcasts could not be downloaded: {error:?}"),
            }
            tokio::select! {
                () = clock::beat(TICK) => (),
                () = self.0.downloads.notified() => (),
            }
        }
    }

    /// Makes what is under way wanted again: all, or this one, later.
    async fn want_again(&self, one: Option<&Due>) -> Result<()> {
        let (user, episode) = (one.map(|due| due.user), one.map(|due| due.episode));
        let later = self.0.now() + FIRST_WAIT;
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update podcast_download set status = 'wanted', next_try_at = iif(?1 is null, next_try_at, ?3)
             where status = 'downloading' and (?1 is null or user_id = ?1 and episode_id = ?2)",
            user,
            episode,
            later
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn download_due(&self) -> Result<()> {
        if !self.0.is_on(Feature::Podcasts).await? {
            return Ok(());
        }
        let now = self.0.now();
        let rows = sqlx::query!(
            r#"select d.user_id as "user_id!", d.episode_id as "episode_id!", e.audio_url, e.audio_type,
                      d.upload_id, d.validator
               from podcast_download d join podcast_episode e using (episode_id)
               where d.status = 'wanted' and d.next_try_at <= ?
               order by d.changed_at, e.published_at desc limit 200"#,
            now
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        let due = rows.into_iter().map(|row| Due {
            user: row.user_id.into(),
            episode: row.episode_id.into(),
            url: row.audio_url,
            media_type: row.audio_type,
            begun: row.upload_id.map(|upload| Begun { upload, validator: row.validator }),
        });
        stream::iter(due)
            .for_each_concurrent(AT_ONCE, |due| async move {
                if let Err(error) = Box::pin(self.download_one(&due)).await {
                    tracing::error!(episode = %due.episode, "a download could not be noted: {error:?}");
                    // Else it would be under way until a restart.
                    if let Err(error) = self.want_again(Some(&due)).await {
                        tracing::error!(episode = %due.episode, "nor wanted again: {error:?}");
                    }
                }
            })
            .await;
        self.retain().await
    }

    async fn download_one(&self, due: &Due) -> Result<()> {
        if !self.begin(due).await? {
            return Ok(());
        }
        let principal = self.owner(due.user).await?;
        match self.fetch(&principal, due).await {
            Ok(arrived) => {
                if !self.finish(due, &arrived).await? {
                    // Removed while it came in.
                    self.unlink(&principal, arrived.locker, &arrived.path).await?;
                }
                Ok(())
            }
            Err(error) => self.fail(due, &error).await,
        }
    }

    /// The user, with the right to add files: being subscribed is that right here.
    async fn owner(&self, user: UserId) -> Result<Principal> {
        let principal = self.0.of.accounts.principal(user).await?;
        let abilities = Abilities { upload: true, ..principal.abilities };
        Ok(Principal { abilities, ..principal })
    }

    async fn own_locker(&self, principal: &Principal) -> Result<LockerId> {
        let lockers = self.0.of.accounts.lockers(principal).await?;
        let locker = lockers.into_iter().find(|locker| locker.kind == LockerKind::User);
        Ok(locker.ok_or(Error::NotFound("Locker"))?.id)
    }

    async fn fetch(&self, principal: &Principal, due: &Due) -> Result<Arrived> {
        let episode = self.own_episode(principal, due.episode).await?;
        let locker = self.own_locker(principal).await?;
        let path = self.put(principal, locker, &episode, due).await?;
        let arrived = self.understand(principal, locker, path.clone()).await;
        if arrived.is_err() {
            self.unlink(principal, locker, &path).await?;
        }
        arrived
    }

    async fn understand(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: RelativePath,
    ) -> Result<Arrived> {
        let open = self.0.of.drive.open_file(principal, locker, &path).await?;
        let modified_ns = rustix::fs::fstat(&open.file)
            .map_or(open.modified_at * 1_000_000, |stat| {
                stat.st_mtime.saturating_mul(1_000_000_000) + stat.st_mtime_nsec as i64
            });
        let item = ReadItem {
            file: open.file,
            relative_path: path.as_str().to_owned(),
            options: ReadOptions::default().into(),
        };
        let understood = self.0.of.pool.understand(vec![item]).await?.pop();
        match understood {
            Some(Ok(understood)) => {
                Ok(Arrived { locker, path, size: open.size, modified_ns, understood })
            }
            Some(Err(unreadable)) => {
                Err(Error::Invalid(format!("This is no sound: {}", unreadable.reason)))
            }
            None => Err(Error::Unavailable("The reader gave no answer".to_owned())),
        }
    }

    /// Takes it on; false if it is not wanted any more.
    async fn begin(&self, due: &Due) -> Result<bool> {
        let now = self.0.now();
        let mut tx = self.0.of.db.write().await?;
        let taken = sqlx::query!(
            "update podcast_download set status = 'downloading', changed_at = ?3
             where user_id = ?1 and episode_id = ?2 and status = 'wanted'",
            due.user,
            due.episode,
            now
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        Ok(taken > 0)
    }

    /// Notes the file; false if it is not wanted any more.
    async fn finish(&self, due: &Due, arrived: &Arrived) -> Result<bool> {
        let audio = &arrived.understood.tags.audio;
        let (now, path) = (self.0.now(), arrived.path.as_str());
        let size = i64::try_from(arrived.size).unwrap_or(i64::MAX);
        let duration = i64::try_from(audio.duration_ms).unwrap_or(i64::MAX);
        let mut tx = self.0.of.db.write().await?;
        let noted = sqlx::query!(
            "update podcast_download set status = 'completed', locker_id = ?3, path = ?4, size_bytes = ?5,
                    modified_ns = ?6, container = ?7, codec = ?8, bitrate_kbps = ?9, sample_rate = ?10,
                    channels = ?11, duration_ms = ?12, tries = 0, next_try_at = 0, error = '', changed_at = ?13
             where user_id = ?1 and episode_id = ?2 and status = 'downloading'",
            due.user,
            due.episode,
            arrived.locker,
            path,
            size,
            arrived.modified_ns,
            audio.container,
            audio.codec,
            audio.bitrate_kbps,
            audio.sample_rate,
            audio.channels,
            duration,
            now
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        Ok(noted > 0)
    }

    /// Notes a failure: again later if that may help, else for good.
    async fn fail(&self, due: &Due, error: &Error) -> Result<()> {
        if let Error::Internal(cause) = error {
            tracing::error!(episode = %due.episode, "a download failed: {cause:#}");
        }
        let reason = error.to_string();
        let may_pass =
            matches!(error, Error::Unavailable(_) | Error::StorageDegraded(_) | Error::Internal(_));
        let now = self.0.now();
        let mut tx = self.0.of.db.write().await?;
        let tries = sqlx::query_scalar!(
            r#"update podcast_download set tries = tries + 1, error = ?3, changed_at = ?4
               where user_id = ?1 and episode_id = ?2 and status = 'downloading'
               returning tries as "tries!: i64""#,
            due.user,
            due.episode,
            reason,
            now
        )
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(tries) = tries {
            let again = may_pass && tries < MOST_TRIES;
            let status = if again { "wanted" } else { "error" };
            let next = now + back_off(tries, FIRST_WAIT, LONGEST_WAIT);
            sqlx::query!(
                "update podcast_download set status = ?3, next_try_at = ?4 where user_id = ?1 and episode_id = ?2",
                due.user,
                due.episode,
                status,
                next
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        if tries.is_none_or(|tries| !may_pass || MOST_TRIES <= tries) {
            self.forget_begun(due.user, due.episode).await?;
        }
        Ok(())
    }

    /// Removes the file of an episode, if there is one.
    pub(super) async fn remove_file(&self, principal: &Principal, id: EpisodeId) -> Result<()> {
        let row = sqlx::query!(
            r#"select locker_id as "locker_id!: i64", path from podcast_download
               where user_id = ? and episode_id = ? and status = 'completed' and locker_id is not null"#,
            principal.user,
            id
        )
        .fetch_optional(self.0.of.db.read())
        .await?;
        let Some(row) = row else { return Ok(()) };
        let Ok(path) = RelativePath::parse(&row.path) else { return Ok(()) };
        let owner = self.owner(principal.user).await?;
        self.unlink(&owner, row.locker_id.into(), &path).await
    }

    async fn unlink(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<()> {
        match self.0.of.drive.remove(principal, locker, path, &Condition::None).await {
            // Somebody was faster.
            Ok(()) | Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes what is beyond the retention of its channel. Starred episodes stay.
    async fn retain(&self) -> Result<()> {
        let now = self.0.now();
        let rows = sqlx::query!(
            r#"select user_id as "user_id!: i64", episode_id as "episode_id!: i64" from (
                   select d.user_id, d.episode_id, c.keep_newest, c.keep_days, e.published_at, m.starred_at,
                          row_number() over (partition by c.channel_id
                                             order by e.published_at desc, e.episode_id desc) as place
                   from podcast_channel c
                   join podcast_episode e using (feed_id)
                   join podcast_download d on d.user_id = c.user_id and d.episode_id = e.episode_id
                        and d.status = 'completed'
                   left join podcast_mark m on m.user_id = d.user_id and m.episode_id = d.episode_id)
               where starred_at is null
                 and (place > keep_newest or published_at < ?1 - keep_days * ?2)"#,
            now,
            DAY
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        for row in rows {
            let (user, episode) = (UserId(row.user_id), EpisodeId(row.episode_id));
            let principal = self.owner(user).await?;
            self.remove_file(&principal, episode).await?;
            let mut tx = self.0.of.db.write().await?;
            sqlx::query!(
                "update podcast_download set status = 'deleted', changed_at = ?3
                 where user_id = ?1 and episode_id = ?2 and status = 'completed'",
                user,
                episode,
                now
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
