//! Rows that nothing leads to any more.

use std::collections::HashSet;

use super::rows::list;
use crate::{Result, db::Tx};

/// Removes those of these artists who have no work left, hidden ones included.
pub(super) async fn artists(tx: &mut Tx, candidates: &HashSet<i64>) -> Result<()> {
    if candidates.is_empty() {
        return Ok(());
    }
    let candidates = list(candidates);
    let idle = sqlx::query_scalar!(
        "select artist_id from artist
         where artist_id in (select value from json_each(?))
           and not exists (select 1 from track_artist r where r.artist_id = artist.artist_id)
           and not exists (select 1 from album_artist r where r.artist_id = artist.artist_id)",
        candidates
    )
    .fetch_all(&mut **tx)
    .await?;
    if idle.is_empty() {
        return Ok(());
    }
    let idle = list(idle);
    sqlx::query!("delete from artist_search where rowid in (select value from json_each(?))", idle)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("delete from artist where artist_id in (select value from json_each(?))", idle)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
