//! Lyrics of a track as found when it was read.

use crate::{
    Result,
    accounts::Principal,
    catalog::{Catalog, Lyrics},
    ids::TrackId,
    media,
};

impl Catalog {
    /// Lyrics of a track, every layer of each: synced ones first, of each what is sung before its
    /// translations. Empty if there are none.
    pub async fn lyrics(&self, principal: &Principal, id: TrackId) -> Result<Vec<Lyrics>> {
        self.track(principal, id).await?;
        let rows = sqlx::query!(
            "select lang, body from lyrics where track_id = ? order by is_synced desc, position",
            id
        )
        .fetch_all(self.db.read())
        .await?;
        let layers = rows.into_iter().flat_map(|row| {
            let layers = media::lyrics::layers(&row.body).into_iter();
            layers.map(move |words| Lyrics {
                // The row tells the language of what is sung; the rest tells its own.
                lang: match (words.kind, &words.lang) {
                    (media::lyrics::Kind::Main, _) => row.lang.clone(),
                    (_, Some(lang)) => lang.clone(),
                    (_, None) => "und".to_owned(),
                },
                words,
            })
        });
        Ok(layers.filter(|lyrics| !lyrics.words.lines.is_empty()).collect())
    }
}
