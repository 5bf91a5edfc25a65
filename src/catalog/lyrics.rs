//! Lyrics of a track as found when it was read.

use crate::{
    Result,
    accounts::Principal,
    catalog::{Catalog, Lyrics},
    ids::TrackId,
    media,
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
                let parsed = media::lyrics::parse(&row.body);
                let start = |ms: Option<u64>| ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
                Lyrics {
                    lang: row.lang,
                    is_synced: parsed.is_synced,
                    lines: parsed
                        .lines
                        .into_iter()
                        .map(|line| (start(line.start_ms), line.text))
                        .collect(),
                    offset_ms: parsed.offset_ms,
                }
            })
            .filter(|lyrics| !lyrics.lines.is_empty())
            .collect())
    }
}
