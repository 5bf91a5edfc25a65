//! What goes with what, from tags and listening: the most played of an artist, and tracks like
//! another. (Sound features join here when the box computes them.)

use sqlx::AssertSqlSafe;

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Catalog, Item, Track,
        find::folders_below,
        visible::{json_ids, within},
    },
    ids::ArtistId,
};

impl Catalog {
    /// Tracks of an artist, most played by this household first, then by album order.
    pub async fn top_tracks(
        &self,
        principal: &Principal,
        artist: ArtistId,
        count: u32,
    ) -> Result<Vec<Track>> {
        let sql = format!(
            "select t.track_id from track t
                left join (select item_id, sum(play_count) as plays from annotation where kind = 'track' group by item_id) n
                       on n.item_id = t.track_id
             where t.missing_at is null and {} and t.track_id in
                (select track_id from track_artist where artist_id = {} and role in ('artist', 'albumartist'))
             order by coalesce(n.plays, 0) desc, t.year desc, t.album_id, t.disc, t.number, t.track_id limit {count}",
            within("t.library_id", principal, None),
            artist.0
        );
        let rows: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        self.tracks_by_row(principal, &rows).await
    }

    /// Tracks like this item, never itself: those that share genres and artists, then years, with
    /// chance among equals so that a radio does not repeat.
    pub async fn similar_tracks(
        &self,
        principal: &Principal,
        like: Item,
        count: u32,
    ) -> Result<Vec<Track>> {
        let (tracks, artists) = match like {
            Item::Track(id) => (
                format!("select {}", id.0),
                format!(
                    "select artist_id from track_artist where track_id = {} and role = 'artist'",
                    id.0
                ),
            ),
            Item::Album(id) => (
                format!("select track_id from track where album_id = {}", id.0),
                format!("select artist_id from album_artist where album_id = {}", id.0),
            ),
            Item::Artist(id) => (
                format!(
                    "select track_id from track_artist where artist_id = {} and role in ('artist', 'albumartist')",
                    id.0
                ),
                format!("select {}", id.0),
            ),
            Item::Folder(id) => {
                let tracks = format!(
                    "select track_id from track where folder_id in ({})",
                    folders_below(id)
                );
                let artists = artists_of(&tracks);
                (tracks, artists)
            }
            Item::Playlist(id) => {
                let ids = self.playlist_tracks(principal, id).await?;
                let ids = json_ids(ids.iter().map(|track| track.id.0));
                let tracks = format!("select value from json_each('{ids}')");
                let artists = artists_of(&tracks);
                (tracks, artists)
            }
        };
        self.require_seen(principal, like).await?;
        // An artist's or album's radio may hold its own tracks; a track's never holds itself.
        let excluded = match like {
            Item::Track(id) => format!("and t.track_id <> {}", id.0),
            _ => String::new(),
        };
        let sql = format!(
            "with seed_genre as (select distinct genre_id from track_genre where track_id in ({tracks})),
                  near as (
                    select track_id, 2 as weight from track_genre where genre_id in seed_genre
                    union all
                    select track_id, 3 from track_artist where role = 'artist' and artist_id in ({artists}))
             select t.track_id from near join track t using (track_id)
             where t.missing_at is null and {} {excluded}
             group by t.track_id
             order by sum(weight) + (random() & 1023) / 512.0 desc limit {count}",
            within("t.library_id", principal, None)
        );
        let rows: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        self.tracks_by_row(principal, &rows).await
    }
}

/// A statement for the artists of the tracks that another one finds.
fn artists_of(tracks: &str) -> String {
    format!("select artist_id from track_artist where role = 'artist' and track_id in ({tracks})")
}
