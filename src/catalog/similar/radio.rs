//! A radio from a track, album or artist: candidates by sound and by tags, judged by both and by
//! what the household likes, and mixed.

use std::collections::{HashMap, HashSet};

use sqlx::AssertSqlSafe;

use super::{
    may_see,
    mix::{Candidate, mix},
};
use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Catalog, Item, Track,
        find::folders_below,
        identity::artist_name_key,
        visible::{json_ids, within},
    },
};

/// Tracks that a radio listens to before it begins.
const SEEDS: usize = 5;
/// How alike a track counts as that was not heard.
const UNHEARD: f32 = 0.35;

/// What a radio is made from.
#[derive(Debug, Default)]
struct Taste {
    tracks: HashSet<i64>,
    names: HashSet<String>,
    artists: HashSet<i64>,
    genres: HashSet<String>,
    moods: HashSet<String>,
    year: Option<i32>,
}

/// What the household did with a track.
#[derive(Debug, Clone, Copy, Default)]
struct Liked {
    plays: i64,
    stars: i64,
    rating: f64,
}

impl Catalog {
    /// Tracks that go well with this item, never itself: by sound, shared genres, moods, artists
    /// and years, and by what the household likes, with some chance so that a radio does not
    /// repeat. Varied: a few of an album at most, no artist twice in a row where it can be helped.
    pub async fn similar_tracks(
        &self,
        principal: &Principal,
        like: Item,
        count: u32,
    ) -> Result<Vec<Track>> {
        let Some(seeds) = self.seeds(principal, like).await? else { return Ok(Vec::new()) };
        let taste = Taste::of(&self.tracks_by_row(principal, &seeds).await?, like);
        let pool = (6 * count as usize).clamp(60, 1500);
        let alike = self.alike(principal, &seeds, &taste, pool).await?;
        let mut rows: Vec<i64> = alike.keys().copied().collect();
        rows.extend(self.by_tags(principal, &seeds, like, pool / 2).await?);
        rows.sort_unstable();
        rows.dedup();
        let mut tracks = self.tracks_by_row(principal, &rows).await?;
        tracks.retain(|track| principal.may_see(track.library) && !taste.is_seed(track));
        let liked = self.liked(&rows).await?;
        let candidates = tracks.iter().enumerate().map(|(at, track)| Candidate {
            at,
            score: taste.score(
                track,
                alike.get(&track.id.0).copied(),
                liked.get(&track.id.0).copied().unwrap_or_default(),
            ) + 0.15 * rand::random::<f32>(),
            album: track.album.map(|id| id.0),
            artist: track.artists.first().map(|artist| artist.id.0),
            name: name_of(track),
        });
        let order = mix(candidates.collect(), count as usize);
        let mut tracks: Vec<Option<Track>> = tracks.into_iter().map(Some).collect();
        Ok(order.into_iter().filter_map(|at| tracks[at].take()).collect())
    }

    /// A few tracks of the item to begin from, those that were heard first; `None` for what has no
    /// radio.
    pub(super) async fn seeds(
        &self,
        principal: &Principal,
        like: Item,
    ) -> Result<Option<Vec<i64>>> {
        let which = match like {
            Item::Track(id) => format!("t.track_id = {}", id.0),
            Item::Album(id) => format!("t.album_id = {}", id.0),
            Item::Artist(id) => format!(
                "t.track_id in (select track_id from track_artist where artist_id = {} and role in ('artist', 'albumartist'))",
                id.0
            ),
            Item::Folder(id) => format!("t.folder_id in ({})", folders_below(id)),
            Item::Playlist(id) => {
                let tracks = self.playlist_tracks(principal, id).await?;
                let ids = json_ids(tracks.iter().map(|track| track.id.0));
                format!("t.track_id in (select value from json_each('{ids}'))")
            }
        };
        self.require_seen(principal, like).await?;
        let sql = format!(
            "select t.track_id from track t left join sound s on s.track_id = t.track_id and s.features is not null
             where t.missing_at is null and {} and {which}
             order by s.track_id is null, random() limit {SEEDS}",
            within("t.library_id", principal, None)
        );
        let rows: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// How alike the nearest tracks are to any of the seeds.
    async fn alike(
        &self,
        principal: &Principal,
        seeds: &[i64],
        taste: &Taste,
        pool: usize,
    ) -> Result<HashMap<i64, f32>> {
        let matrix = self.matrix().await?;
        let rows: Vec<_> = seeds.iter().filter_map(|seed| matrix.row(*seed).copied()).collect();
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let (who, skipped) = (principal.clone(), taste.tracks.clone());
        let found = tokio::task::spawn_blocking(move || {
            let mut best: HashMap<i64, f32> = HashMap::new();
            for row in &rows {
                let see = |library| may_see(&who, library);
                for near in
                    matrix.nearest(row, pool / rows.len() + 20, see, |id| skipped.contains(&id))
                {
                    let known = best.entry(near.id).or_default();
                    *known = known.max(near.similarity);
                }
            }
            best
        });
        Ok(found.await?)
    }

    /// Tracks that share genres or artists.
    async fn by_tags(
        &self,
        principal: &Principal,
        seeds: &[i64],
        like: Item,
        limit: usize,
    ) -> Result<Vec<i64>> {
        let (tracks, own) = (
            json_ids(seeds.iter().copied()),
            match like {
                // More of the artist belongs into his own radio; an album's and a track's look around.
                Item::Artist(_) => 3,
                _ => 2,
            },
        );
        let sql = format!(
            "with seed (track_id) as (select value from json_each('{tracks}')),
                  seed_genre as (select distinct genre_id from track_genre where track_id in seed),
                  seed_artist as (select distinct artist_id from track_artist where track_id in seed and role = 'artist'),
                  near as (
                    select track_id, 2 as weight from track_genre where genre_id in seed_genre
                    union all
                    select track_id, {own} from track_artist where role = 'artist' and artist_id in seed_artist)
             select t.track_id from near join track t using (track_id)
             where t.missing_at is null and {}
             group by t.track_id
             order by sum(weight) + (random() & 1023) / 512.0 desc limit {limit}",
            within("t.library_id", principal, None)
        );
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?)
    }

    /// What the household did with these tracks: sums, nobody's own marks.
    async fn liked(&self, rows: &[i64]) -> Result<HashMap<i64, Liked>> {
        let rows = json_ids(rows.iter().copied());
        let rows = sqlx::query!(
            r#"select item_id, sum(play_count) as "plays!: i64", count(starred_at) as "stars!: i64",
                      coalesce(avg(rating), 0.0) as "rating!: f64"
               from annotation where kind = 'track' and item_id in (select value from json_each(?))
               group by item_id"#,
            rows
        )
        .fetch_all(self.db.read())
        .await?;
        let liked = rows.into_iter().map(|row| {
            (row.item_id, Liked { plays: row.plays, stars: row.stars, rating: row.rating })
        });
        Ok(liked.collect())
    }
}

impl Taste {
    fn of(seeds: &[Track], like: Item) -> Self {
        let years: Vec<i32> = seeds.iter().filter_map(|track| track.year).collect();
        let is_track = matches!(like, Item::Track(_));
        Self {
            // A track's radio never holds itself, under no name; others may come back to theirs.
            tracks: seeds.iter().filter(|_| is_track).map(|track| track.id.0).collect(),
            names: seeds.iter().filter(|_| is_track).map(name_of).collect(),
            artists: seeds
                .iter()
                .flat_map(|track| &track.artists)
                .map(|artist| artist.id.0)
                .collect(),
            genres: seeds
                .iter()
                .flat_map(|track| &track.genres)
                .map(|genre| genre.to_lowercase())
                .collect(),
            moods: seeds
                .iter()
                .flat_map(|track| &track.extra.moods)
                .map(|mood| mood.to_lowercase())
                .collect(),
            year: (!years.is_empty()).then(|| years.iter().sum::<i32>() / years.len() as i32),
        }
    }

    fn is_seed(&self, track: &Track) -> bool {
        self.tracks.contains(&track.id.0) || self.names.contains(&name_of(track))
    }

    fn score(&self, track: &Track, alike: Option<f32>, liked: Liked) -> f32 {
        let shares = |own: &HashSet<String>, of: &[String]| {
            of.iter().any(|one| own.contains(&one.to_lowercase()))
        };
        let mut score = 2.0 * alike.unwrap_or(UNHEARD);
        if shares(&self.genres, &track.genres) {
            score += 0.5;
        }
        if shares(&self.moods, &track.extra.moods) {
            score += 0.2;
        }
        if track.artists.iter().any(|artist| self.artists.contains(&artist.id.0)) {
            score += 0.25;
        }
        if let (Some(own), Some(year)) = (self.year, track.year) {
            score += 0.25 * (1.0 - (own.abs_diff(year).min(20) as f32) / 20.0);
        }
        score += 0.05 * (1.0 + liked.plays.max(0) as f32).ln().min(4.0);
        score += if 0 < liked.stars { 0.1 } else { 0.0 };
        if 0.0 < liked.rating {
            score += 0.08 * (liked.rating as f32 - 3.0);
        }
        score
    }
}

fn name_of(track: &Track) -> String {
    artist_name_key(&format!("{}\n{}", track.title, track.display_artist))
}
