//! The sender: takes each account from where it was to where the history is, in batches, with
//! patience when a service is away. Stars are compared with what the service was told.

use std::collections::HashMap;

use tokio::sync::broadcast::error::RecvError;

use super::{
    super::{Shared, back_off, lastfm::Trouble},
    Scrobbling, Service, Told,
};
use crate::{
    Error, Result,
    accounts::Feature,
    clock::{self, Millis},
    events::Event,
    ids::{TrackId, UserId},
};

/// What both services take at once.
const BATCH: i64 = 50;
/// How often the history is looked at while nobody knocks.
const TICK: std::time::Duration = std::time::Duration::from_mins(1);
const FIRST_WAIT: i64 = 30_000;
const LONGEST_WAIT: i64 = 2 * 3_600_000;
/// Stars that are passed on in one go.
const STARS: i64 = 50;

/// An account with its credential open.
#[derive(Debug, Clone)]
struct Account {
    user: UserId,
    service: Service,
    secret: String,
    listen_id: i64,
    sends_stars: bool,
    created_at: Millis,
}

impl Scrobbling {
    /// Passes listens and stars on, for ever.
    pub(in super::super) async fn keep_sending(&self) {
        loop {
            if let Err(error) = self.send_due().await {
                tracing::error!("listens could not be passed on: {error:?}");
            }
            tokio::select! {
                () = clock::beat(TICK) => (),
                () = self.0.listens.notified() => (),
            }
        }
    }

    /// Tells what is heard now, for ever.
    pub(in super::super) async fn keep_telling(&self) {
        let mut events = self.0.of.events.subscribe();
        let mut told = HashMap::new();
        loop {
            match events.recv().await {
                // Told while something was missed: both.
                Ok(Event::NowPlayingChanged) | Err(RecvError::Lagged(_)) => {
                    if let Err(error) = self.tell_now(&mut told).await {
                        tracing::debug!("what plays could not be told: {error:?}");
                    }
                    self.0.listens.notify_one();
                }
                Ok(Event::ListensRecorded { .. }) => self.0.listens.notify_one(),
                Ok(_) => (),
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn send_due(&self) -> Result<()> {
        if !self.0.is_on(Feature::Scrobbling).await? {
            return Ok(());
        }
        for account in self.open_accounts().await? {
            match self.send_all(&account).await {
                Ok(()) => (),
                Err(Stopped::Trouble(trouble)) => {
                    self.note_trouble(account.user, account.service, &trouble).await?;
                }
                // One user's trouble is not that of the others.
                Err(Stopped::Ours(error)) => {
                    tracing::error!(user = %account.user, "listens wait: {error:?}");
                }
            }
        }
        Ok(())
    }

    /// Accounts that may be tried now.
    async fn open_accounts(&self) -> Result<Vec<Account>> {
        let now = self.0.now();
        let rows = sqlx::query!(
            r#"select user_id, service, sealed, listen_id, sends_stars, created_at
               from scrobble_account where is_broken = 0 and next_try_at <= ?"#,
            now
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        let mut open = Vec::new();
        for row in rows {
            let user = UserId(row.user_id);
            let Some(service) = Service::named(&row.service) else { continue };
            let Some(secret) = self.0.of.accounts.unseal(user, &row.sealed) else {
                // A database without its key file: nothing can be sent until that is back.
                let sentence = "The server cannot open its key to it; connect this account again";
                self.note_trouble(user, service, &Trouble::Later(sentence.to_owned())).await?;
                continue;
            };
            let (listen_id, created_at) = (row.listen_id, row.created_at);
            let sends_stars = row.sends_stars != 0;
            open.push(Account { user, service, secret, listen_id, sends_stars, created_at });
        }
        Ok(open)
    }

    async fn send_all(&self, account: &Account) -> Result<(), Stopped> {
        let principal = self.0.of.accounts.principal(account.user).await?;
        let mut at = account.listen_id;
        loop {
            let (listens, last) = self.pending(account.user, at).await?;
            if listens.is_empty() {
                break;
            }
            // Heard while the user wanted it kept to himself: never told.
            let refused = if principal.abilities.scrobbling {
                Some(self.0.submit(account, &listens).await?)
            } else {
                None
            };
            self.note_sent(account, last, refused.map(|refused| (listens.len() as u64, refused)))
                .await?;
            at = last;
        }
        if account.sends_stars && principal.abilities.scrobbling {
            self.send_stars(account).await?;
        }
        Ok(())
    }

    /// The next listens after `at`, and the last one's place in the history. What was brought along
    /// from another server is old, and told long since.
    async fn pending(&self, user: UserId, at: i64) -> Result<(Vec<Told>, i64)> {
        let rows = sqlx::query!(
            "select l.listen_id, l.at, t.title, t.display_artist, t.album_name, t.display_album_artist,
                    t.number, t.duration_ms, t.mbid_recording, a.mbid as release_mbid
             from listen l join track t using (track_id) left join album a using (album_id)
             where l.user_id = ? and l.listen_id > ? and l.source <> 'import' order by l.listen_id limit ?",
            user,
            at,
            BATCH
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        let last = rows.last().map_or(at, |row| row.listen_id);
        let told = rows.into_iter().map(|row| Told {
            at: row.at,
            title: row.title,
            artist: row.display_artist,
            album: row.album_name,
            album_artist: row.display_album_artist,
            number: row.number,
            duration_ms: row.duration_ms,
            mbid: row.mbid_recording,
            release_mbid: row.release_mbid,
        });
        Ok((told.collect(), last))
    }

    /// Loves what was starred since the account was connected, and takes back what is starred no
    /// more.
    async fn send_stars(&self, account: &Account) -> Result<(), Stopped> {
        let service = account.service.name();
        let rows = sqlx::query!(
            r#"select t.track_id as "track_id!: i64", t.title, t.display_artist, t.mbid_recording, 1 as "is_loved!: i64"
               from annotation n join track t on t.track_id = n.item_id
               where n.user_id = ?1 and n.kind = 'track' and n.starred_at >= ?3
                 and not exists (select 1 from scrobble_love v where v.user_id = ?1 and v.service = ?2
                                 and v.track_id = t.track_id)
               union all
               select t.track_id, t.title, t.display_artist, t.mbid_recording, 0
               from scrobble_love v join track t using (track_id)
               where v.user_id = ?1 and v.service = ?2
                 and not exists (select 1 from annotation n where n.user_id = ?1 and n.kind = 'track'
                                 and n.item_id = t.track_id and n.starred_at is not null)
               limit ?4"#,
            account.user,
            service,
            account.created_at,
            STARS
        )
        .fetch_all(self.0.of.db.read())
        .await
        .map_err(Error::from)?;
        for row in rows {
            let (track, is_loved) = (TrackId(row.track_id), row.is_loved != 0);
            let told = Told {
                title: row.title,
                artist: row.display_artist,
                mbid: row.mbid_recording,
                ..Told::default()
            };
            match self.0.love(account, &told, is_loved).await {
                // What it does not know it need not be asked again.
                Ok(()) | Err(Stopped::Trouble(Trouble::Refused(_))) => (),
                Err(stopped) => return Err(stopped),
            }
            self.note_love(account, track, is_loved).await?;
        }
        Ok(())
    }

    async fn note_love(&self, account: &Account, track: TrackId, is_loved: bool) -> Result<()> {
        let service = account.service.name();
        let mut tx = self.0.of.db.write().await?;
        if is_loved {
            sqlx::query!(
                "insert into scrobble_love (user_id, service, track_id) select user_id, service, ?3
                 from scrobble_account where user_id = ?1 and service = ?2 on conflict do nothing",
                account.user,
                service,
                track
            )
            .execute(&mut *tx)
            .await?;
        } else {
            sqlx::query!(
                "delete from scrobble_love where user_id = ? and service = ? and track_id = ?",
                account.user,
                service,
                track
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Moves the account's place in the history; `counts` are how many were sent and how many of
    /// them were not wanted.
    async fn note_sent(
        &self,
        account: &Account,
        last: i64,
        counts: Option<(u64, u64)>,
    ) -> Result<()> {
        let (sent, refused) = counts.unwrap_or_default();
        let accepted = i64::try_from(sent.saturating_sub(refused)).unwrap_or(0);
        let refused = i64::try_from(refused).unwrap_or(0);
        let (now, service) = (self.0.now(), account.service.name());
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update scrobble_account set listen_id = ?3, sent = sent + ?4, refused = refused + ?5,
                    sent_at = iif(?4 > 0, ?6, sent_at), failures = 0, next_try_at = 0, error = ''
             where user_id = ?1 and service = ?2",
            account.user,
            service,
            last,
            accepted,
            refused,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn note_trouble(&self, user: UserId, service: Service, trouble: &Trouble) -> Result<()> {
        let (service, sentence) = (service.name(), trouble.sentence());
        tracing::debug!(%user, service, sentence, "listens wait");
        let is_broken = i64::from(matches!(trouble, Trouble::Credential(_)));
        let mut tx = self.0.of.db.write().await?;
        let failures = sqlx::query_scalar!(
            r#"update scrobble_account set failures = failures + 1, error = ?3, is_broken = ?4
               where user_id = ?1 and service = ?2 returning failures as "failures!: i64""#,
            user,
            service,
            sentence,
            is_broken
        )
        .fetch_optional(&mut *tx)
        .await?;
        let next = self.0.now() + back_off(failures.unwrap_or(1), FIRST_WAIT, LONGEST_WAIT);
        sqlx::query!(
            "update scrobble_account set next_try_at = ?3 where user_id = ?1 and service = ?2",
            user,
            service,
            next
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Tells each service what its user hears now, once for each beginning. What cannot be told
    /// now is not worth telling later.
    async fn tell_now(
        &self,
        told: &mut HashMap<(UserId, Service), (TrackId, Millis)>,
    ) -> Result<()> {
        if !self.0.is_on(Feature::Scrobbling).await? {
            return Ok(());
        }
        for account in self.open_accounts().await? {
            let principal = match self.0.of.accounts.principal(account.user).await {
                // Gone in this moment.
                Err(Error::NotFound(_)) => continue,
                known => known?,
            };
            let playing = self.0.of.playback.now_playing(&principal).await?;
            let Some(own) = playing.iter().find(|entry| entry.user == account.user) else {
                continue;
            };
            let now = (own.media.id, own.started_at);
            let before = told.insert((account.user, account.service), now);
            if before == Some(now) || !principal.abilities.scrobbling {
                continue;
            }
            let track = &own.media;
            let listen = Told {
                at: own.started_at,
                title: track.title.clone(),
                artist: track.display_artist.clone(),
                album: track.album_name.clone(),
                album_artist: track.display_album_artist.clone(),
                number: track.number.map(i64::from),
                duration_ms: i64::try_from(track.duration_ms).unwrap_or(0),
                mbid: track.mbid.clone(),
                release_mbid: None,
            };
            match self.0.tell(&account, &listen).await {
                Ok(()) | Err(Stopped::Trouble(_)) => (),
                Err(Stopped::Ours(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Why the sender stopped with an account.
enum Stopped {
    /// The service.
    Trouble(Trouble),
    /// Us.
    Ours(Error),
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Shared {
    /// Sends a batch. One that is refused whole is sent one by one, so that a single odd listen
    /// does not hold the others. Gives how many were not wanted.
    async fn submit(&self, account: &Account, listens: &[Told]) -> Result<u64, Stopped> {
        match self.submit_batch(account, listens).await {
            Err(Stopped::Trouble(Trouble::Refused(_))) => (),
            other => return other,
        }
        let mut refused = 0;
        for one in listens {
            refused += match self.submit_batch(account, std::slice::from_ref(one)).await {
                Err(Stopped::Trouble(Trouble::Refused(_))) => 1,
                other => other?,
            };
        }
        Ok(refused)
    }

    async fn submit_batch(&self, account: &Account, listens: &[Told]) -> Result<u64, Stopped> {
        let secret = &account.secret;
        Ok(match account.service {
            Service::LastFm => {
                self.lastfm_submit(&self.lastfm_keys().await?, secret, listens).await?
            }
            Service::ListenBrainz => self.listenbrainz_submit(secret, listens).await?,
        })
    }

    async fn tell(&self, account: &Account, listen: &Told) -> Result<(), Stopped> {
        let secret = &account.secret;
        match account.service {
            Service::LastFm => self.lastfm_now(&self.lastfm_keys().await?, secret, listen).await?,
            Service::ListenBrainz => self.listenbrainz_now(secret, listen).await?,
        }
        Ok(())
    }

    async fn love(&self, account: &Account, told: &Told, is_loved: bool) -> Result<(), Stopped> {
        let secret = &account.secret;
        match account.service {
            Service::LastFm => {
                self.lastfm_love(&self.lastfm_keys().await?, secret, told, is_loved).await?;
            }
            Service::ListenBrainz => self.listenbrainz_love(secret, told, is_loved).await?,
        }
        Ok(())
    }

    async fn lastfm_keys(&self) -> Result<crate::accounts::LastFmKeys, Stopped> {
        let keys = self.of.accounts.lastfm_keys().await?;
        keys.ok_or_else(|| {
            Trouble::Later("An administrator has to enter Last.fm's API key again".to_owned())
                .into()
        })
    }
}
