//! The history: what somebody heard, and what it adds up to. Everybody sees their own alone.

use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, Heard, List, ListenSource, Listening, Page, annotations::require_person,
        visible::within,
    },
    clock::Millis,
    events::Event,
    ids::ListenId,
};

/// How many of the most heard there are.
const TOP: i64 = 20;
const DAY: i64 = 24 * 3600 * 1000;

impl Catalog {
    /// The principal's listens of what it may still see, latest first.
    pub async fn history(&self, principal: &Principal, page: Page) -> Result<List<Heard>> {
        require_person(principal)?;
        let from = format!(
            "from listen l join track t using (track_id) where l.user_id = {} and {}",
            principal.user.0,
            within("t.library_id", principal, None)
        );
        let sql = format!(
            "select l.listen_id, l.track_id, l.at, l.client, l.source, l.heard_ms {from}
             order by l.at desc, l.listen_id desc limit {} offset {}",
            page.limit, page.offset
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let total: i64 = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) {from}")))
            .fetch_one(self.db.read())
            .await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.get("track_id")).collect();
        let mut tracks = self.tracks_by_row(principal, &ids).await?.into_iter().peekable();
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let id: i64 = row.get("track_id");
            let Some(track) = tracks.next_if(|track| track.id.0 == id) else { continue };
            items.push(Heard {
                id: ListenId(row.get("listen_id")),
                track,
                at: row.get("at"),
                client: row.get("client"),
                source: ListenSource::from_column(row.get("source")),
                heard_ms: row.get::<Option<i64>, _>("heard_ms").map(|heard| heard.max(0) as u64),
            });
        }
        Ok(List { items, total: u64::try_from(total).unwrap_or(0) })
    }

    /// Takes one listen out of the principal's history, and out of what was counted of it.
    pub async fn remove_listen(&self, principal: &Principal, id: ListenId) -> Result<()> {
        require_person(principal)?;
        let mut tx = self.db.write().await?;
        let track = sqlx::query_scalar!(
            r#"delete from listen where listen_id = ? and user_id = ? returning track_id as "track!: i64""#,
            id,
            principal.user
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("Listen"))?;
        // When each was last heard follows from what is left; counts may be older than the history.
        sqlx::query!(
            "with counted as (
                select 'track' as kind, ?2 as item_id,
                       (select max(at) from listen where user_id = ?1 and track_id = ?2) as at
                union all
                select 'album', t.album_id,
                       (select max(l.at) from listen l join track o using (track_id)
                        where l.user_id = ?1 and o.album_id = t.album_id)
                from track t where t.track_id = ?2 and t.album_id is not null
                union all
                select 'artist', a.artist_id,
                       (select max(l.at) from listen l join track_artist o using (track_id)
                        where l.user_id = ?1 and o.artist_id = a.artist_id and o.role = 'artist')
                from track_artist a where a.track_id = ?2 and a.role = 'artist')
             update annotation set play_count = max(play_count - 1, 0),
                    played_at = coalesce(c.at, iif(play_count > 1, played_at, null))
             from counted c
             where user_id = ?1 and annotation.kind = c.kind and annotation.item_id = c.item_id",
            principal.user,
            track
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.inner.marks.changed();
        self.events.publish(Event::ListensRecorded { user: principal.user });
        Ok(())
    }

    /// What the principal heard from `from` until before `to`. Days are those of a zone that is
    /// `zone` ms ahead of UTC.
    pub async fn listening(
        &self,
        principal: &Principal,
        from: Millis,
        to: Millis,
        zone: i64,
    ) -> Result<Listening> {
        require_person(principal)?;
        let range = format!(
            "from listen l join track t using (track_id)
             where l.user_id = {} and l.at >= {from} and l.at < {to} and {}",
            principal.user.0,
            within("t.library_id", principal, None)
        );
        let sums = sqlx::query(AssertSqlSafe(format!(
            "select count(*) as listens, coalesce(sum(coalesce(l.heard_ms, t.duration_ms)), 0) as heard,
                    count(distinct l.track_id) as tracks {range}"
        )))
        .fetch_one(self.db.read())
        .await?;
        let days = sqlx::query(AssertSqlSafe(format!(
            "select (l.at + {zone}) / {DAY} as day, count(*) as listens {range} group by day order by day"
        )))
        .fetch_all(self.db.read())
        .await?;
        let artists = self
            .most_heard(&format!(
                "select a.artist_id as id, count(*) as listens from
                 (select l.track_id {range}) l
                 join track_artist a on a.track_id = l.track_id and a.role = 'artist'
                 group by a.artist_id"
            ))
            .await?;
        let albums = self
            .most_heard(&format!(
                "select album_id as id, count(*) as listens from
                 (select t.album_id {range} and t.album_id is not null) group by album_id"
            ))
            .await?;
        let tracks = self
            .most_heard(&format!(
                "select track_id as id, count(*) as listens from
                 (select l.track_id {range}) group by track_id"
            ))
            .await?;
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        Ok(Listening {
            listens: number(sums.get("listens")),
            heard_ms: number(sums.get("heard")),
            tracks: number(sums.get("tracks")),
            top_artists: ranked(
                self.artists_by_row(principal, &rows(&artists)).await?,
                &artists,
                |artist| artist.id.0,
            ),
            top_albums: ranked(
                self.albums_by_row(principal, &rows(&albums)).await?,
                &albums,
                |album| album.id.0,
            ),
            top_tracks: ranked(
                self.tracks_by_row(principal, &rows(&tracks)).await?,
                &tracks,
                |track| track.id.0,
            ),
            days: days.iter().map(|row| (row.get("day"), number(row.get("listens")))).collect(),
        })
    }

    /// Ids with how often they were heard, most first.
    async fn most_heard(&self, sql: &str) -> Result<Vec<(i64, u64)>> {
        let sql = format!("{sql} order by listens desc, id limit {TOP}");
        let found = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let pair = |row: &sqlx::sqlite::SqliteRow| {
            (row.get("id"), u64::try_from(row.get::<i64, _>("listens")).unwrap_or(0))
        };
        Ok(found.iter().map(pair).collect())
    }
}

fn rows(counted: &[(i64, u64)]) -> Vec<i64> {
    counted.iter().map(|(row, _)| *row).collect()
}

/// The items that are there with their counts, in the order that they have.
fn ranked<T>(items: Vec<T>, counted: &[(i64, u64)], row: impl Fn(&T) -> i64) -> Vec<(T, u64)> {
    let count = |item: &T| {
        let of = row(item);
        counted.iter().find(|(each, _)| *each == of).map_or(0, |(_, count)| *count)
    };
    items
        .into_iter()
        .map(|item| {
            let count = count(&item);
            (item, count)
        })
        .collect()
}
