//! Artists like another: those whose tracks lie near his, and whom tags and listening name.

use std::collections::{HashMap, HashSet};

use super::may_see;
use crate::{
    Result,
    accounts::Principal,
    catalog::{Artist, Catalog, Item, identity::is_various, visible::json_ids},
    ids::ArtistId,
};

/// Tracks near each of the artist's that are looked at.
const NEAR: usize = 150;
/// What tags and listening count beside sound.
const TAGS: f32 = 0.5;
/// Artists that these name.
const BY_TAGS: usize = 200;

impl Catalog {
    /// At most `count` artists like this one, most alike first; only those of whom the principal
    /// may see something.
    pub async fn similar_artists(
        &self,
        principal: &Principal,
        artist: ArtistId,
        count: u32,
    ) -> Result<Vec<Artist>> {
        self.artist(principal, artist).await?;
        let mut scores: HashMap<i64, f32> = HashMap::new();
        let by_tags = self.artists_by_tags(principal, artist, BY_TAGS).await?;
        for (rank, one) in by_tags.iter().enumerate() {
            *scores.entry(*one).or_default() += TAGS * (1.0 - rank as f32 / by_tags.len() as f32);
        }
        if let Some(seeds) = self.seeds(principal, Item::Artist(artist)).await? {
            for (one, weight) in self.artists_by_sound(principal, &seeds).await? {
                *scores.entry(one).or_default() += weight;
            }
        }
        scores.remove(&artist.0);
        let mut order: Vec<(i64, f32)> = scores.into_iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        // A few more, for not all of them are anybody, and some nobody may see.
        let rows: Vec<i64> =
            order.into_iter().map(|(id, _)| id).take(count as usize + 20).collect();
        let mut artists = self.artists_by_row(principal, &rows).await?;
        artists.retain(|artist| !is_various(&artist.name) && !artist.name.starts_with('['));
        artists.truncate(count as usize);
        Ok(artists)
    }

    /// How near the tracks of others are, the nearest of each counting most; 1.0 is the best.
    async fn artists_by_sound(
        &self,
        principal: &Principal,
        seeds: &[i64],
    ) -> Result<Vec<(i64, f32)>> {
        let matrix = self.matrix().await?;
        let rows: Vec<_> = seeds.iter().filter_map(|seed| matrix.row(*seed).copied()).collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let own: HashSet<i64> = seeds.iter().copied().collect();
        let who = principal.clone();
        let near = tokio::task::spawn_blocking(move || {
            let see = |library| may_see(&who, library);
            rows.iter()
                .flat_map(|row| matrix.nearest(row, NEAR, see, |id| own.contains(&id)))
                .collect::<Vec<_>>()
        })
        .await?;
        let tracks = json_ids(near.iter().map(|near| near.id));
        let credits = sqlx::query!(
            r#"select track_id, artist_id from track_artist
               where role = 'artist' and track_id in (select value from json_each(?))"#,
            tracks
        )
        .fetch_all(self.db.read())
        .await?;
        let mut artists_of: HashMap<i64, Vec<i64>> = HashMap::new();
        for credit in credits {
            artists_of.entry(credit.track_id).or_default().push(credit.artist_id);
        }
        let mut found: HashMap<i64, Vec<f32>> = HashMap::new();
        for near in near {
            for artist in artists_of.get(&near.id).into_iter().flatten() {
                found.entry(*artist).or_default().push(near.similarity);
            }
        }
        // One hit by chance is worth less than several; a hundred are not worth a hundred times.
        let scored = found.into_iter().map(|(artist, mut hits)| {
            hits.sort_by(|a, b| b.total_cmp(a));
            let weights = [0.5, 0.25, 0.15, 0.1];
            (artist, hits.iter().zip(weights).map(|(hit, weight)| hit * weight).sum())
        });
        Ok(scored.collect())
    }
}
