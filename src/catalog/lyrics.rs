//! Lyrics of a track as found when it was read.

use crate::{
    Result,
    accounts::Principal,
    catalog::{Catalog, Lyrics},
    ids::TrackId,
};

impl Catalog {
    /// Lyrics of a track, synced ones first; empty if there are none.
    pub async fn lyrics(&self, principal: &Principal, id: TrackId) -> Result<Vec<Lyrics>> {
        self.track(principal, id).await?;
        let rows = sqlx::query!(
            "select lang, body from lyrics where track_id = ? order by is_synced desc, position",
            id
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let lines = row.body.lines().map(|line| (None, line.to_owned())).collect();
                Lyrics { lang: row.lang, is_synced: false, lines, offset_ms: 0 }
            })
            .filter(|lyrics| !lyrics.lines.is_empty())
            .collect())
    }
}
