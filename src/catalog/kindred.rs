//! Artists like another, and what a directory is in the view by tags: found from tags, from who
//! plays with whom, and from what the household hears.

use sqlx::AssertSqlSafe;

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Catalog, Folder, Item,
        identity::VARIOUS_ARTISTS,
        marks::kind,
        visible::{literal, within},
    },
    ids::{AlbumId, ArtistId, FolderId},
};

/// Genres of an artist that count.
const GENRES: u32 = 4;

impl Catalog {
    /// Artists like this one, the nearest first: those whose albums are of the same genres, those
    /// named beside him on a track, and those whom the same people hear.
    pub(super) async fn artists_by_tags(
        &self,
        principal: &Principal,
        artist: ArtistId,
        count: usize,
    ) -> Result<Vec<i64>> {
        let (albums, tracks) =
            (within("a.library_id", principal, None), within("t.library_id", principal, None));
        let id = artist.0;
        let sql = format!(
            "with seed as (
                select genre from (
                    select a.genre from album_artist aa join album a using (album_id)
                    where aa.artist_id = {id} and a.track_count > 0 and {albums}
                    union all
                    select t.genre from (select distinct track_id from track_artist where artist_id = {id} limit 200)
                           join track t using (track_id)
                    where t.missing_at is null and {tracks})
                where genre <> '' group by genre order by count(*) desc, genre limit {GENRES}),
             near as (
                select aa.artist_id, 4.0 * count(*) / (1 + (select count(*) from album_artist o where o.artist_id = aa.artist_id)) as weight
                from album a join album_artist aa using (album_id)
                where a.genre in (select genre from seed) and a.track_count > 0 and {albums}
                group by aa.artist_id
                union all
                select other.artist_id, 3.0 from track_artist mine
                       join track t using (track_id)
                       join track_artist other on other.track_id = mine.track_id and other.role = 'artist'
                where mine.artist_id = {id} and mine.role = 'artist' and t.missing_at is null and {tracks}
                group by other.artist_id
                union all
                select other.item_id, 0.5 * count(*) from annotation mine
                       join annotation other on other.user_id = mine.user_id and other.kind = 'artist'
                where mine.kind = 'artist' and mine.item_id = {id} and mine.play_count > 0 and other.play_count > 0
                group by other.item_id)
             select r.artist_id from near n join artist r on r.artist_id = n.artist_id
             where r.artist_id <> {id} and r.name <> {various}
             group by r.artist_id order by sum(n.weight) desc, r.order_key, r.artist_id limit {count}",
            various = literal(VARIOUS_ARTISTS)
        );
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?)
    }

    /// The album that most of what lies in a directory is on.
    pub async fn folder_album(
        &self,
        principal: &Principal,
        folder: FolderId,
    ) -> Result<Option<AlbumId>> {
        let by = "select t.album_id from";
        let row = self.most_frequent(principal, folder, by, "t.album_id").await?;
        Ok(row.map(AlbumId))
    }

    /// The album artist of most of what lies in a directory.
    pub async fn folder_artist(
        &self,
        principal: &Principal,
        folder: FolderId,
    ) -> Result<Option<ArtistId>> {
        let by = "select aa.artist_id from album_artist aa join";
        let row = self.most_frequent(principal, folder, by, "aa.artist_id").await?;
        Ok(row.map(ArtistId))
    }

    /// Directories that the principal has starred, the latest first.
    pub async fn starred_folders(&self, principal: &Principal) -> Result<Vec<Folder>> {
        let (kind, _) = kind(Item::Folder(FolderId(0)));
        let condition = format!(
            "f.folder_id in (select item_id from annotation
                where user_id = {} and kind = '{kind}' and starred_at is not null)",
            principal.user.0
        );
        let mut folders = self.read_folders(principal, &condition).await?;
        folders.sort_by_key(|folder| std::cmp::Reverse((folder.annotation.starred_at, folder.id)));
        Ok(folders)
    }

    async fn most_frequent(
        &self,
        principal: &Principal,
        folder: FolderId,
        select: &str,
        column: &str,
    ) -> Result<Option<i64>> {
        self.folder(principal, folder).await?;
        let join = if select.ends_with("join") { "on t.album_id = aa.album_id" } else { "" };
        let sql = format!(
            "with recursive below(id) as (select {} union
                select f.folder_id from folder f join below on f.parent_id = below.id)
             {select} track t {join}
             where t.folder_id in (select id from below) and t.missing_at is null
               and t.album_id is not null and {}
             group by {column} order by count(*) desc, {column} limit 1",
            folder.0,
            within("t.library_id", principal, None)
        );
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_optional(self.db.read()).await?)
    }
}
