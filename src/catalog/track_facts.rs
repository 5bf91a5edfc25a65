//! The facts of tracks by row: from memory, else in one statement for all that are unknown.

use std::{collections::HashMap, sync::Arc};

use crate::{
    Result,
    catalog::{
        Catalog, Contributor, Picture, ReplayGain, TrackFacts, Written, albums::unknown,
        model::ArtistRef, visible::json_ids,
    },
    media,
};

impl Catalog {
    /// Facts in the order of `rows`; rows that are gone or missing on disk are left out.
    pub(super) async fn track_facts(&self, rows: &[i64]) -> Result<Vec<Arc<TrackFacts>>> {
        let revision = self.revision().number;
        let memory = &self.inner.memory.tracks;
        let found = memory.get_all(revision, rows);
        let unknown = unknown(rows, &found);
        if unknown.is_empty() {
            return Ok(found.into_iter().flatten().collect());
        }
        let mut read: HashMap<i64, Arc<TrackFacts>> = HashMap::with_capacity(unknown.len());
        for part in unknown.chunks(500) {
            let facts = self.read_tracks(part).await?;
            read.extend(facts.into_iter().map(|facts| (facts.id.0, Arc::new(facts))));
        }
        // A list longer than the memory would only push out what is useful.
        if unknown.len() <= 1_000 {
            memory.insert_all(revision, read.iter().map(|(id, facts)| (*id, facts.clone(), 1)));
        }
        Ok(rows
            .iter()
            .zip(found)
            .filter_map(|(row, facts)| facts.or_else(|| read.get(row).cloned()))
            .collect())
    }

    async fn read_tracks(&self, rows: &[i64]) -> Result<Vec<TrackFacts>> {
        let rows = json_ids(rows.iter().copied());
        let records = sqlx::query!(
            r#"select t.track_id, t.library_id, t.folder_id, t.album_id, t.album_name, t.title, t.sort_title,
                      t.display_artist, t.display_album_artist, t.display_composer, t.disc, t.number, t.year,
                      t.release_date, t.genre, t.duration_ms, t.path, t.size_bytes, t.modified_ns,
                      t.container, t.codec, t.suffix, t.bitrate_kbps, t.sample_rate, t.channels, t.bit_depth,
                      t.bpm, t.comment, t.explicit, t.is_compilation, t.mbid_recording, t.track_gain_db,
                      t.album_gain_db, t.track_peak, t.album_peak, t.extra, t.has_lyrics, t.created_at,
                      p.picture_id as "picture_id?", p.hash as "hash?",
                      (select json_group_array(json_array(role, sub_role, artist_id, name)) from
                         (select ta.role, ta.sub_role, r.artist_id, r.name
                          from track_artist ta join artist r using (artist_id)
                          where ta.track_id = t.track_id order by ta.role, ta.position)) as "credits!: String",
                      (select json_group_array(name) from
                         (select g.name from track_genre tg join genre g using (genre_id)
                          where tg.track_id = t.track_id order by tg.position)) as "genres!: String"
               from track t
                    left join album a on a.album_id = t.album_id
                    left join picture p on p.picture_id = coalesce(t.picture_id, a.picture_id)
               where t.track_id in (select value from json_each(?)) and t.missing_at is null"#,
            rows
        )
        .fetch_all(self.db.read())
        .await?;
        records
            .into_iter()
            .map(|row| {
                let credits = Credits::read(&row.credits)?;
                Ok(TrackFacts {
                    id: row.track_id.into(),
                    library: row.library_id.into(),
                    folder: row.folder_id.map(Into::into),
                    album: row.album_id.map(Into::into),
                    album_name: row.album_name,
                    title: row.title,
                    sort_title: row.sort_title,
                    artists: credits.artists,
                    display_artist: row.display_artist,
                    album_artists: credits.album_artists,
                    display_album_artist: row.display_album_artist,
                    display_composer: row.display_composer,
                    contributors: credits.others,
                    disc: small(row.disc),
                    number: small(row.number),
                    year: row.year.and_then(|year| i32::try_from(year).ok()),
                    release_date: row.release_date,
                    genre: row.genre,
                    genres: serde_json::from_str(&row.genres)?,
                    duration_ms: row.duration_ms.max(0) as u64,
                    path: row.path,
                    size_bytes: row.size_bytes.max(0) as u64,
                    modified_ns: row.modified_ns,
                    content_type: media::format::mime(&row.container, &row.codec),
                    container: row.container,
                    codec: row.codec,
                    suffix: row.suffix,
                    bitrate_kbps: row.bitrate_kbps as u32,
                    sample_rate: row.sample_rate as u32,
                    channels: row.channels as u32,
                    bit_depth: row.bit_depth as u32,
                    bpm: row.bpm as u32,
                    comment: row.comment,
                    explicit: row.explicit,
                    is_compilation: row.is_compilation != 0,
                    mbid: row.mbid_recording,
                    gain: ReplayGain {
                        track_gain: row.track_gain_db,
                        album_gain: row.album_gain_db,
                        track_peak: row.track_peak,
                        album_peak: row.album_peak,
                    },
                    extra: if row.extra == "{}" {
                        Arc::default()
                    } else {
                        Arc::new(serde_json::from_str(&row.extra)?)
                    },
                    picture: Picture::from_row(row.picture_id, row.hash.as_deref()),
                    has_lyrics: row.has_lyrics != 0,
                    created_at: row.created_at,
                    written: Written::default(),
                })
            })
            .collect()
    }
}

/// Who took part, sorted by what faces show apart.
#[derive(Default)]
struct Credits {
    artists: Vec<ArtistRef>,
    album_artists: Vec<ArtistRef>,
    others: Vec<Contributor>,
}

impl Credits {
    fn read(json: &str) -> Result<Self> {
        let rows: Vec<(String, String, i64, String)> = serde_json::from_str(json)?;
        let mut credits = Self::default();
        for (role, sub_role, id, name) in rows {
            let artist = ArtistRef { id: id.into(), name: name.into() };
            match role.as_str() {
                "artist" => credits.artists.push(artist),
                "albumartist" => credits.album_artists.push(artist),
                _ => credits.others.push(Contributor { role, sub_role, artist }),
            }
        }
        Ok(credits)
    }
}

/// A number from a tag; absurd ones are none.
fn small(number: Option<i64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}
