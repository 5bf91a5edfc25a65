//! What an artist is best known for in this household.

use sqlx::AssertSqlSafe;

use crate::{
    Result,
    accounts::Principal,
    catalog::{Catalog, Track, visible::within},
    ids::ArtistId,
};

impl Catalog {
    /// Tracks of an artist: those that the household listens to most, then those it starred or
    /// rated, then those that are on several albums, newest first. The same song comes once.
    pub async fn top_tracks(
        &self,
        principal: &Principal,
        artist: ArtistId,
        count: u32,
    ) -> Result<Vec<Track>> {
        let sql = format!(
            "select track_id from (
                select t.track_id, t.year, t.album_id, t.disc, t.number,
                       coalesce(n.plays, 0) as plays, coalesce(n.stars, 0) as stars, coalesce(n.rating, 0) as rating,
                       row_number() over (partition by t.order_key
                            order by coalesce(n.plays, 0) desc, coalesce(n.stars, 0) desc, t.track_id) as turn,
                       count(*) over (partition by t.order_key) as times
                from track t
                    left join (select item_id, sum(play_count) as plays, count(starred_at) as stars,
                                      avg(rating) as rating
                               from annotation where kind = 'track' group by item_id) n
                           on n.item_id = t.track_id
                where t.missing_at is null and {} and t.track_id in
                    (select track_id from track_artist where artist_id = {} and role in ('artist', 'albumartist')))
             where turn = 1
             order by plays desc, stars desc, rating desc, times desc, year desc, album_id, disc, number, track_id
             limit {count}",
            within("t.library_id", principal, None),
            artist.0
        );
        let rows: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        self.tracks_by_row(principal, &rows).await
    }
}
