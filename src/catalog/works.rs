//! What libraries hold of artists, kept in a table beside them. A change marks who is concerned;
//! the first read that needs it works it out, in portions, so that a scan of a million tracks
//! does not count the same artist's works a thousand times.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicI64, Ordering},
};

use tokio::sync::Mutex;

use crate::{Result, catalog::Catalog, db::Tx};

/// Artists in one transaction.
const PORTION: i64 = 2_000;

/// Up to which revision the table is known to be right.
#[derive(Debug)]
pub(super) struct Works {
    settled: AtomicI64,
    turn: Mutex<()>,
}

impl Default for Works {
    fn default() -> Self {
        Self { settled: AtomicI64::new(-1), turn: Mutex::default() }
    }
}

impl Catalog {
    /// Works out what a scan left to be worked out, so that no listener waits for it.
    pub(crate) async fn settle(&self) -> Result<()> {
        self.settle_works().await
    }

    /// Waits until the table is right for the present revision.
    pub(super) async fn settle_works(&self) -> Result<()> {
        let works = &self.inner.works;
        let is_settled = || works.settled.load(Ordering::Acquire) == self.revision().number;
        if is_settled() {
            return Ok(());
        }
        let _turn = works.turn.lock().await;
        if is_settled() {
            return Ok(());
        }
        let revision = self.revision().number;
        let any = sqlx::query_scalar!("select 1 from artist_stale limit 1");
        if any.fetch_optional(self.db.read()).await?.is_some() {
            while self.settle_portion().await? == PORTION as u64 {}
        }
        works.settled.store(revision, Ordering::Release);
        Ok(())
    }

    async fn settle_portion(&self) -> Result<u64> {
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "delete from artist_work where artist_id in
               (select artist_id from artist_stale order by artist_id limit ?)",
            PORTION
        )
        .execute(&mut *tx)
        .await?;
        // The order of the joins is ours to say: from few artists to their many works.
        sqlx::query!(
            "with stale as materialized (select artist_id from artist_stale order by artist_id limit ?)
             insert into artist_work (artist_id, library_id, tracks, albums, roles, picture_id, picture_year,
                                      picture_hash)
             select w.artist_id, w.library_id, w.tracks, coalesce(a.albums, 0), ',' || w.roles || ',',
                    b.picture_id, b.year,
                    (select hex(substr(p.hash, 1, 4)) from picture p where p.picture_id = b.picture_id)
             from (select ta.artist_id, t.library_id, count(distinct ta.track_id) as tracks,
                          group_concat(distinct ta.role) as roles
                   from stale s cross join track_artist ta using (artist_id) cross join track t using (track_id)
                   where t.missing_at is null group by ta.artist_id, t.library_id) w
             left join (select aa.artist_id, b.library_id, count(distinct aa.album_id) as albums
                   from stale s cross join album_artist aa using (artist_id) cross join album b using (album_id)
                   where b.track_count > 0 group by aa.artist_id, b.library_id) a using (artist_id, library_id)
             left join album b on b.album_id = (
                   select c.album_id from album_artist aa cross join album c using (album_id)
                   where aa.artist_id = w.artist_id and c.library_id = w.library_id
                     and c.picture_id is not null and c.track_count > 0
                   order by c.year desc, c.album_id limit 1)",
            PORTION
        )
        .execute(&mut *tx)
        .await?;
        let done = sqlx::query!(
            "delete from artist_stale where artist_id in
               (select artist_id from artist_stale order by artist_id limit ?)",
            PORTION
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        Ok(done)
    }
}

/// Marks artists whose works a change touches.
pub(super) async fn mark(tx: &mut Tx, artists: impl IntoIterator<Item = i64>) -> Result<()> {
    let artists: HashSet<i64> = artists.into_iter().collect();
    if artists.is_empty() {
        return Ok(());
    }
    let artists = super::visible::json_ids(artists);
    sqlx::query!("insert or ignore into artist_stale select value from json_each(?)", artists)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Marks everybody who takes part in these albums or their tracks.
pub(super) async fn mark_albums(tx: &mut Tx, albums: &[i64]) -> Result<()> {
    if albums.is_empty() {
        return Ok(());
    }
    let albums = super::visible::json_ids(albums.iter().copied());
    sqlx::query!(
        "insert or ignore into artist_stale
         select artist_id from album_artist where album_id in (select value from json_each(?1))
         union
         select ta.artist_id from json_each(?1) a cross join track t on t.album_id = a.value
                cross join track_artist ta using (track_id)",
        albums
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Marks everybody who takes part in these tracks.
pub(super) async fn mark_tracks(tx: &mut Tx, tracks: &str) -> Result<()> {
    sqlx::query!(
        "insert or ignore into artist_stale select artist_id from track_artist
         where track_id in (select value from json_each(?))",
        tracks
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
