//! Recording listens, once and only once. The same listen may come several times: an offline
//! app's batch is sent again, a request is repeated after a timeout, and an app that reports its
//! playback scrobbles it as well (C33).

use std::collections::HashMap;

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Catalog, Item, Listen, ListenSource, Track, annotations::require_person, marks::kind,
    },
    clock::Millis,
    db::Tx,
    events::Event,
    ids::UserId,
};

/// Listens that are written at once.
const BATCH: usize = 500;
/// An untimed listen that comes again within half of the track, and within this, is a repetition.
const REPEATED_WITHIN: Millis = 4 * 60 * 1000;
/// How far the clocks of a scrobble and of a report of the same listen may lie apart, before its
/// beginning and after its end.
const BEFORE: Millis = 5_000;
const AFTER: Millis = 60_000;

impl Catalog {
    /// Records listens; one (user, track, time) counts once however often it comes, and one that
    /// an app both scrobbled and reported too. Tracks that the principal may not see are skipped.
    /// Of a long batch each part is a change of its own: an app that was away for a year does not
    /// hold up everybody's writes, and a part that comes again counts no more.
    pub async fn record_listens(&self, principal: &Principal, listens: &[Listen]) -> Result<()> {
        require_person(principal)?;
        for part in listens.chunks(BATCH) {
            self.record_part(principal, part).await?;
        }
        Ok(())
    }

    async fn record_part(&self, principal: &Principal, listens: &[Listen]) -> Result<()> {
        let ids: Vec<_> = listens.iter().map(|listen| listen.track).collect();
        let visible = self.tracks_by_id(principal, &ids).await?;
        let visible: HashMap<_, _> = visible.iter().map(|track| (track.id, track)).collect();
        let now = self.clock.now();
        let mut heard = Vec::new();
        let mut tx = self.db.write().await?;
        for listen in listens {
            let Some(track) = visible.get(&listen.track).copied() else { continue };
            let at = listen.at.unwrap_or(now);
            if is_known(&mut tx, principal.user, track, listen, at).await? {
                continue;
            }
            let (client, source) = (shortened(&listen.client), listen.source.as_str());
            let heard_ms = listen.heard_ms.map(|heard| heard as i64);
            sqlx::query!(
                "insert into listen (user_id, track_id, at, client, source, heard_ms, ended_at)
                 values (?, ?, ?, ?, ?, ?, ?)",
                principal.user,
                listen.track,
                at,
                client,
                source,
                heard_ms,
                listen.ended_at
            )
            .execute(&mut *tx)
            .await?;
            let album = track.album.map(Item::Album);
            let artists = track.artists.iter().map(|artist| Item::Artist(artist.id));
            for item in [Item::Track(track.id)].into_iter().chain(album).chain(artists) {
                count_play(&mut tx, principal.user, item, at).await?;
                heard.push(item);
            }
        }
        tx.commit().await?;
        if !heard.is_empty() {
            self.marked(principal.user, &heard).await?;
            self.events.publish(Event::ListensRecorded { user: principal.user });
        }
        Ok(())
    }
}

/// Whether this listen is in the history already, told the same way or the other.
async fn is_known(
    tx: &mut Tx,
    user: UserId,
    track: &Track,
    listen: &Listen,
    at: Millis,
) -> Result<bool> {
    let same = sqlx::query_scalar!(
        "select listen_id from listen
         where user_id = ?1 and track_id = ?2 and (at = ?3 or twin_at = ?3) limit 1",
        user,
        track.id,
        at
    )
    .fetch_optional(&mut **tx)
    .await?;
    if same.is_some() {
        return Ok(true);
    }
    let length = i64::try_from(track.duration_ms).unwrap_or(i64::MAX / 4);
    let client = shortened(&listen.client);
    let source = listen.source.as_str();
    if listen.at.is_none() {
        let since = at - (length / 2).min(REPEATED_WITHIN);
        let repeated = sqlx::query_scalar!(
            "select listen_id from listen where user_id = ? and track_id = ? and client = ?
             and (source = ? or twin_at is not null) and coalesce(twin_at, at) > ? limit 1",
            user,
            track.id,
            client,
            source,
            since
        )
        .fetch_optional(&mut **tx)
        .await?;
        if repeated.is_some() {
            return Ok(true);
        }
    }
    match listen.source {
        ListenSource::Scrobble => is_reported(tx, user, track, &client, at).await,
        ListenSource::Report => is_scrobbled(tx, user, track, listen, &client, at).await,
        ListenSource::Player | ListenSource::Jukebox | ListenSource::Import => Ok(false),
    }
}

/// Whether the client reported the playback that it now scrobbles. Apps scrobble under the time of
/// the beginning or of the end.
async fn is_reported(
    tx: &mut Tx,
    user: UserId,
    track: &Track,
    client: &str,
    at: Millis,
) -> Result<bool> {
    let length = i64::try_from(track.duration_ms).unwrap_or(i64::MAX / 4);
    let twin = sqlx::query_scalar!(
        "select listen_id from listen
         where user_id = ?1 and track_id = ?2 and client = ?3 and source = 'report'
           and twin_at is null and at - ?5 <= ?4 and ?4 <= coalesce(ended_at, at + ?6) + ?7
         order by at desc limit 1",
        user,
        track.id,
        client,
        at,
        BEFORE,
        length,
        AFTER
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(twin) = twin else { return Ok(false) };
    sqlx::query!("update listen set twin_at = ? where listen_id = ?", at, twin)
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

/// The other way round: the scrobble came first. It learns how long was heard.
async fn is_scrobbled(
    tx: &mut Tx,
    user: UserId,
    track: &Track,
    listen: &Listen,
    client: &str,
    at: Millis,
) -> Result<bool> {
    let length = i64::try_from(track.duration_ms).unwrap_or(i64::MAX / 4);
    let (from, to) = (at - BEFORE, listen.ended_at.unwrap_or(at + length) + AFTER);
    let twin = sqlx::query_scalar!(
        "select listen_id from listen
         where user_id = ? and track_id = ? and client = ? and source = 'scrobble'
           and twin_at is null and at between ? and ?
         order by at limit 1",
        user,
        track.id,
        client,
        from,
        to
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(twin) = twin else { return Ok(false) };
    let heard_ms = listen.heard_ms.map(|heard| heard as i64);
    sqlx::query!(
        "update listen set twin_at = ?, heard_ms = ?, ended_at = ? where listen_id = ?",
        at,
        heard_ms,
        listen.ended_at,
        twin
    )
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// One more finished listen; the last one's time stays the latest, whatever order they come in.
async fn count_play(tx: &mut Tx, user: UserId, item: Item, at: i64) -> Result<()> {
    let (kind, row) = kind(item);
    sqlx::query!(
        "insert into annotation (user_id, kind, item_id, play_count, played_at) values (?1, ?2, ?3, 1, ?4)
         on conflict do update set play_count = play_count + 1, played_at = max(coalesce(played_at, ?4), ?4)",
        user,
        kind,
        row,
        at
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn shortened(client: &str) -> String {
    client.chars().take(100).collect()
}
