//! The facts of tracks by row: from memory, else in one statement for all that are unknown.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    Result,
    catalog::{
        Catalog, Contributor, Picture, ReplayGain, TrackFacts, Written, memory::PORTION,
        model::ArtistRef, visible::json_ids,
    },
    media,
};

impl Catalog {
    /// Facts in the order of `rows`; rows that are gone or missing on disk are left out.
    pub(super) async fn track_facts(&self, rows: &[i64]) -> Result<Vec<Arc<TrackFacts>>> {
        let (memory, revision) = (&self.inner.memory.tracks, self.revision().number);
        let mut partly = memory.look(revision, rows);
        for part in partly.unknown.chunks(PORTION) {
            let facts = self.read_tracks(part).await?;
            partly.fresh.extend(facts.into_iter().map(|facts| (facts.id.0, Arc::new(facts))));
        }
        Ok(memory.complete(revision, partly))
    }

    /// All rows travel as one JSON array: each row, and each of its dozens of columns, would else be
    /// copied, sent to another thread and freed there by itself.
    async fn read_tracks(&self, rows: &[i64]) -> Result<Vec<TrackFacts>> {
        let rows = json_ids(rows.iter().copied());
        let records = sqlx::query_scalar!(
            r#"select json_group_array(json_array(
                      t.track_id, t.library_id, t.folder_id, t.album_id, t.album_name, t.title, t.sort_title,
                      t.display_artist, t.display_album_artist, t.display_composer, t.disc, t.number, t.year,
                      t.release_date, t.genre, t.duration_ms, t.path, t.size_bytes, t.modified_ns,
                      t.container, t.codec, t.suffix, t.bitrate_kbps, t.sample_rate, t.channels, t.bit_depth,
                      t.bpm, t.comment, t.explicit, t.is_compilation, t.mbid_recording, t.track_gain_db,
                      t.album_gain_db, t.track_peak, t.album_peak, t.extra, t.cue_index, t.has_lyrics, t.created_at,
                      s.loudness_lufs, s.peak, h.loudness_lufs, h.peak,
                      coalesce(t.picture_id, a.picture_id), coalesce(a.edition, 0),
                      iif(t.picture_id is null, coalesce(a.picture_hash, ''), hex(substr(p.hash, 1, 4))),
                      (select json_group_array(json_array(role, sub_role, artist_id, name)) from
                         (select ta.role, ta.sub_role, r.artist_id, r.name
                          from track_artist ta join artist r indexed by artist_names using (artist_id)
                          where ta.track_id = t.track_id order by ta.role, ta.position)),
                      (select json_group_array(name) from
                         (select g.name from track_genre tg join genre g using (genre_id)
                          where tg.track_id = t.track_id order by tg.position)))) as "rows!: String"
               from track t
                    left join album a indexed by album_shown on a.album_id = t.album_id
                    left join picture p on p.picture_id = t.picture_id
                    left join sound s on s.track_id = t.track_id
                    left join album_sound h on h.album_id = t.album_id
               where t.track_id in (select value from json_each(?)) and t.missing_at is null"#,
            rows
        )
        .fetch_one(self.db.read())
        .await?;
        let records: Vec<Row> = serde_json::from_str(&records)?;
        records.into_iter().map(Row::into_facts).collect()
    }
}

/// A row as [`Catalog::read_tracks`] packs it, in that order.
#[derive(Deserialize)]
struct Row {
    track_id: i64,
    library_id: i64,
    folder_id: Option<i64>,
    album_id: Option<i64>,
    album_name: String,
    title: String,
    sort_title: String,
    display_artist: String,
    display_album_artist: String,
    display_composer: String,
    disc: Option<i64>,
    number: Option<i64>,
    year: Option<i64>,
    release_date: String,
    genre: String,
    duration_ms: i64,
    path: String,
    size_bytes: i64,
    modified_ns: i64,
    container: String,
    codec: String,
    suffix: String,
    bitrate_kbps: i64,
    sample_rate: i64,
    channels: i64,
    bit_depth: i64,
    bpm: i64,
    comment: String,
    explicit: String,
    is_compilation: i64,
    mbid_recording: Option<String>,
    track_gain_db: Option<f64>,
    album_gain_db: Option<f64>,
    track_peak: Option<f64>,
    album_peak: Option<f64>,
    extra: String,
    cue_index: Option<i64>,
    has_lyrics: i64,
    created_at: i64,
    lufs: Option<f64>,
    heard_peak: Option<f64>,
    album_lufs: Option<f64>,
    album_heard_peak: Option<f64>,
    picture_id: Option<i64>,
    edition: u32,
    picture_hash: String,
    credits: Vec<Credit>,
    genres: Vec<String>,
}

impl Row {
    fn into_facts(self) -> Result<TrackFacts> {
        let credits = Credits::sort(self.credits);
        Ok(TrackFacts {
            id: self.track_id.into(),
            library: self.library_id.into(),
            folder: self.folder_id.map(Into::into),
            album: self.album_id.map(Into::into),
            album_name: self.album_name,
            edition: self.edition,
            title: self.title,
            sort_title: self.sort_title,
            artists: credits.artists,
            display_artist: self.display_artist,
            album_artists: credits.album_artists,
            display_album_artist: self.display_album_artist,
            display_composer: self.display_composer,
            contributors: credits.others,
            disc: small(self.disc),
            number: small(self.number),
            year: self.year.and_then(|year| i32::try_from(year).ok()),
            release_date: self.release_date,
            genre: self.genre,
            genres: self.genres,
            duration_ms: self.duration_ms.max(0) as u64,
            is_part: self.cue_index.is_some(),
            path: self.path,
            size_bytes: self.size_bytes.max(0) as u64,
            modified_ns: self.modified_ns,
            content_type: media::format::mime(&self.container, &self.codec),
            container: self.container,
            codec: self.codec,
            suffix: self.suffix,
            bitrate_kbps: self.bitrate_kbps as u32,
            sample_rate: self.sample_rate as u32,
            channels: self.channels as u32,
            bit_depth: self.bit_depth as u32,
            bpm: self.bpm as u32,
            comment: self.comment,
            explicit: self.explicit,
            is_compilation: self.is_compilation != 0,
            mbid: self.mbid_recording,
            gain: ReplayGain {
                track_gain: self.track_gain_db.or(self.lufs.map(gain)),
                album_gain: self.album_gain_db.or(self.album_lufs.map(gain)),
                track_peak: self.track_peak.or(self.heard_peak),
                album_peak: self.album_peak.or(self.album_heard_peak),
            },
            extra: if self.extra == "{}" {
                Arc::default()
            } else {
                Arc::new(serde_json::from_str(&self.extra)?)
            },
            picture: Picture::from_hex(self.picture_id, Some(&self.picture_hash)),
            has_lyrics: self.has_lyrics != 0,
            created_at: self.created_at,
            written: Written::default(),
        })
    }
}

/// Role, sub-role, artist's row and name.
type Credit = (String, String, i64, Arc<str>);

/// Who took part, sorted by what faces show apart.
#[derive(Default)]
struct Credits {
    artists: Vec<ArtistRef>,
    album_artists: Vec<ArtistRef>,
    others: Vec<Contributor>,
}

impl Credits {
    fn sort(rows: Vec<Credit>) -> Self {
        let mut credits = Self::default();
        for (role, sub_role, id, name) in rows {
            let artist = ArtistRef { id: id.into(), name };
            match role.as_str() {
                "artist" => credits.artists.push(artist),
                "albumartist" => credits.album_artists.push(artist),
                _ => credits.others.push(Contributor { role, sub_role, artist }),
            }
        }
        credits
    }
}

/// What brings this loudness to that which ReplayGain wants, dB, as exact as tags are.
fn gain(lufs: f64) -> f64 {
    ((media::analysis::REFERENCE_LUFS - lufs) * 100.0).round() / 100.0
}

/// A number from a tag; absurd ones are none.
fn small(number: Option<i64>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}
