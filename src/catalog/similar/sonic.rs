//! Tracks that sound like another, and the way from one sound to another.

use std::{collections::HashSet, sync::Arc};

use super::{
    matrix::{Matrix, between},
    may_see,
};
use crate::{
    Result,
    accounts::Principal,
    catalog::{Catalog, Item, Track},
    ids::TrackId,
};

/// A track beside another.
#[derive(Debug, Clone)]
pub struct SonicMatch {
    /// The track.
    pub track: Track,
    /// 1.0 sounds the same, towards 0.0 as different as can be; `None` where it was found by tags,
    /// because the other or this one was not heard yet.
    pub similarity: Option<f32>,
}

impl Catalog {
    /// Tracks that sound like this one, most alike first, never itself. Those of a track that was
    /// not heard yet go with it by tags.
    pub async fn sonic_matches(
        &self,
        principal: &Principal,
        track: TrackId,
        count: u32,
    ) -> Result<Vec<SonicMatch>> {
        self.track(principal, track).await?;
        let matrix = self.matrix().await?;
        let Some(from) = matrix.row(track.0).copied() else {
            let tracks = self.similar_tracks(principal, Item::Track(track), count).await?;
            let by_tags = |track| SonicMatch { track, similarity: None };
            return Ok(tracks.into_iter().map(by_tags).collect());
        };
        let who = principal.clone();
        let near = tokio::task::spawn_blocking(move || {
            let see = |library| may_see(&who, library);
            // A few more, for some may have gone since.
            matrix.nearest(&from, count as usize + 20, see, |id| id == track.0)
        })
        .await?;
        let rows: Vec<i64> = near.iter().map(|near| near.id).collect();
        let tracks = self.tracks_by_row(principal, &rows).await?;
        let mut near = near.into_iter();
        let found = tracks.into_iter().filter_map(|track| {
            let similarity = near.find(|near| near.id == track.id.0)?.similarity;
            let similarity = Some(similarity);
            principal.may_see(track.library).then_some(SonicMatch { track, similarity })
        });
        Ok(found.take(count as usize).collect())
    }

    /// A way of at most `count` tracks (never less than both ends) from one sound to another, each
    /// step near the last. Similarities are to the first. Where one of the ends was not heard yet,
    /// tracks that go with it by tags lie between.
    pub async fn sonic_path(
        &self,
        principal: &Principal,
        from: TrackId,
        to: TrackId,
        count: u32,
    ) -> Result<Vec<SonicMatch>> {
        let start = self.track(principal, from).await?;
        let end = self.track(principal, to).await?;
        if from == to {
            return Ok(vec![SonicMatch { track: start, similarity: Some(1.0) }]);
        }
        let between = (count as usize).saturating_sub(2);
        let matrix = self.matrix().await?;
        let is_heard = matrix.row(from.0).is_some() && matrix.row(to.0).is_some();
        let middle = if is_heard {
            let (matrix, who) = (Arc::clone(&matrix), principal.clone());
            let rows = tokio::task::spawn_blocking(move || {
                way(&matrix, (from.0, to.0), between, |library| may_see(&who, library))
            })
            .await?;
            let mut tracks = self.tracks_by_row(principal, &rows).await?;
            tracks.retain(|track| principal.may_see(track.library));
            tracks
        } else {
            let like = self.similar_tracks(principal, Item::Track(from), count).await?;
            like.into_iter().filter(|track| track.id != to).take(between).collect()
        };
        let similarity = |track: &Track| {
            let (one, other) = (matrix.row(from.0)?, matrix.row(track.id.0)?);
            is_heard.then(|| matrix.similarity(one, other))
        };
        let whole = std::iter::once(start).chain(middle).chain(std::iter::once(end));
        Ok(whole.map(|track| SonicMatch { similarity: similarity(&track), track }).collect())
    }
}

/// The tracks nearest to points at even distances between two, each once, in order.
fn way(
    matrix: &Matrix,
    (from, to): (i64, i64),
    count: usize,
    see: impl Fn(u32) -> bool,
) -> Vec<i64> {
    let (Some(start), Some(end)) = (matrix.row(from), matrix.row(to)) else { return Vec::new() };
    let mut taken = HashSet::from([from, to]);
    let mut found = Vec::with_capacity(count);
    for step in 1..=count {
        let point = between(start, end, step as f32 / (count + 1) as f32);
        let next = matrix.nearest(&point, 1, &see, |id| taken.contains(&id));
        let Some(next) = next.first() else { break };
        taken.insert(next.id);
        found.push(next.id);
    }
    // Points that lie close may have found their tracks in the wrong order.
    let along = |id: &i64| {
        let row = matrix.row(*id).unwrap_or(start);
        let of = |at: usize, value: &i8| {
            let (from, to) = (i64::from(start[at]), i64::from(end[at]));
            (i64::from(*value) - from) * (to - from)
        };
        row.iter().enumerate().map(|(at, value)| of(at, value)).sum::<i64>()
    };
    found.sort_by_key(along);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::analysis::DIMENSIONS;

    #[test]
    fn a_way_passes_each_once_and_in_order() {
        let mut matrix = Matrix::default();
        (1..=9).for_each(|id| matrix.push(id, 1, [(10 * id - 50) as i8; DIMENSIONS]));
        let matrix = matrix.ready();
        assert_eq!(way(&matrix, (1, 9), 3, |_| true), [3, 5, 7]);
        assert_eq!(way(&matrix, (9, 1), 7, |_| true), [8, 7, 6, 5, 4, 3, 2]);
        assert_eq!(way(&matrix, (9, 1), 70, |_| true).len(), 7);
        assert!(way(&matrix, (1, 9), 0, |_| true).is_empty());
        assert!(way(&matrix, (1, 9), 5, |_| false).is_empty());
        assert!(way(&matrix, (1, 99), 5, |_| true).is_empty());
    }
}
