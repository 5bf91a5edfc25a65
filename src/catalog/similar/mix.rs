//! From candidates with scores to a list that is good to hear: pure. Not all of one album, not one
//! artist after himself, nothing twice.

use std::collections::{HashMap, HashSet};

/// A track that could be next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// Which: its place in the caller's list.
    pub(super) at: usize,
    /// The better, the higher.
    pub(super) score: f32,
    /// Row id of its album.
    pub(super) album: Option<i64>,
    /// Row id of its first artist.
    pub(super) artist: Option<i64>,
    /// Title and artist, folded: the same recording on another album is the same again.
    pub(super) name: String,
}

/// The best of them, varied; places in the caller's list. Takes what there is when rules would
/// leave the list too short.
pub(super) fn mix(mut candidates: Vec<Candidate>, count: usize) -> Vec<usize> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
    let mut names = HashSet::new();
    candidates.retain(|one| one.name.is_empty() || names.insert(one.name.clone()));
    let most_of_album = (count / 8).max(2);
    let most_of_artist = (count / 5).max(3);
    let (mut albums, mut artists) = (HashMap::new(), HashMap::new());
    let mut within = |one: &Candidate| {
        let album = one.album.map(|album| *albums.entry(album).or_insert(0_usize));
        let artist = one.artist.map(|artist| *artists.entry(artist).or_insert(0_usize));
        let fits = album.is_none_or(|album| album < most_of_album)
            && artist.is_none_or(|artist| artist < most_of_artist);
        if fits {
            one.album.map(|album| albums.entry(album).and_modify(|seen| *seen += 1));
            one.artist.map(|artist| artists.entry(artist).and_modify(|seen| *seen += 1));
        }
        fits
    };
    let (mut chosen, rest): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|one| within(one));
    chosen.truncate(count);
    let missing = count - chosen.len();
    chosen.extend(rest.into_iter().take(missing));
    spread(chosen).into_iter().map(|one| one.at).collect()
}

/// Moves tracks a few places so that no artist follows himself where another could.
fn spread(mut rest: Vec<Candidate>) -> Vec<Candidate> {
    const AHEAD: usize = 8;
    let mut out: Vec<Candidate> = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let last = out.last().and_then(|last| last.artist);
        let differs = |one: &Candidate| last.is_none() || one.artist != last;
        let at = rest.iter().take(AHEAD).position(differs).unwrap_or(0);
        out.push(rest.remove(at));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(at: usize, score: f32, album: i64, artist: i64) -> Candidate {
        let name = format!("{at}");
        Candidate { at, score, album: Some(album), artist: Some(artist), name }
    }

    #[test]
    fn an_album_does_not_take_it_all() {
        let mut all: Vec<_> =
            (0..20).map(|at| candidate(at, 9.0 - at as f32 / 100.0, 1, 1)).collect();
        all.extend((20..40).map(|at| candidate(at, 1.0, at as i64, at as i64)));
        let mixed = mix(all, 10);
        assert_eq!(mixed.len(), 10);
        assert_eq!(mixed.iter().filter(|at| **at < 20).count(), 2);
        assert_eq!(mixed[0], 0, "the best comes first");
    }

    #[test]
    fn rules_give_way_when_there_is_nothing_else() {
        let all = (0..6).map(|at| candidate(at, 1.0, 1, 1)).collect();
        assert_eq!(mix(all, 5).len(), 5);
        assert!(mix(Vec::new(), 5).is_empty());
        assert!(mix(vec![candidate(0, 1.0, 1, 1)], 0).is_empty());
    }

    #[test]
    fn nobody_follows_himself_and_nothing_comes_twice() {
        let all = vec![
            candidate(0, 9.0, 1, 1),
            candidate(1, 8.0, 2, 1),
            candidate(2, 7.0, 3, 2),
            Candidate { name: "0".to_owned(), ..candidate(3, 6.0, 4, 3) },
        ];
        assert_eq!(mix(all, 4), [0, 2, 1]);
    }
}
