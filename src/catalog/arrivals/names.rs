//! Which album or artist a name means.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Row as _};

use super::{By, Named, Recognised};
use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Catalog,
        identity::{fold, name_key},
        visible::within,
    },
    ids::{AlbumId, ArtistId},
};

/// An album that may be meant, folded.
struct Candidate {
    id: i64,
    artist: String,
    /// What tells it from others of its name and artist.
    edition: (Option<i64>, String, Option<String>),
}

impl Catalog {
    /// Which visible albums these names mean, one answer each. Equal albums of several libraries
    /// are one.
    pub async fn recognise_albums(
        &self,
        principal: &Principal,
        names: &[Named],
    ) -> Result<Vec<Recognised<AlbumId>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "select album_id, name, version, display_artist, year, mbid from album
             where track_count > 0 and {} order by album_id",
            within("library_id", principal, None)
        );
        let mut by_name: HashMap<String, Vec<Candidate>> = HashMap::new();
        let mut by_mbid: HashMap<String, i64> = HashMap::new();
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await? {
            let id: i64 = row.get("album_id");
            let mbid: Option<String> = row.get("mbid");
            if let Some(mbid) = mbid.as_deref().filter(|mbid| !mbid.is_empty()) {
                by_mbid.entry(mbid.to_ascii_lowercase()).or_insert(id);
            }
            by_name.entry(fold(row.get("name"))).or_default().push(Candidate {
                id,
                artist: fold(row.get("display_artist")),
                edition: (row.get("year"), row.get("version"), mbid),
            });
        }
        let one = |named: &Named| {
            if let Some(id) = by_mbid.get(&named.mbid.to_ascii_lowercase()) {
                return Recognised::As(AlbumId(*id), By::MusicBrainz);
            }
            let artist = fold(&named.artist);
            let fits = |each: &&Candidate| artist.is_empty() || each.artist == artist;
            let found: Vec<&Candidate> =
                by_name.get(&fold(&named.name)).into_iter().flatten().filter(fits).collect();
            match found.first() {
                None => Recognised::Unknown,
                Some(first)
                    if found.iter().all(|each| {
                        each.edition == first.edition && each.artist == first.artist
                    }) =>
                {
                    Recognised::As(AlbumId(first.id), By::Tags)
                }
                Some(_) => Recognised::Ambiguous(found.len()),
            }
        };
        Ok(names.iter().map(one).collect())
    }

    /// Which artists, of those with visible work, these names mean, one answer each.
    pub async fn recognise_artists(
        &self,
        principal: &Principal,
        names: &[Named],
    ) -> Result<Vec<Recognised<ArtistId>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = names.iter().map(|named| name_key(&named.name)).collect();
        let mbids: Vec<String> =
            names.iter().map(|named| named.mbid.to_ascii_lowercase()).collect();
        let sql = format!(
            "select a.artist_id, a.name_key, lower(coalesce(a.mbid, '')) as mbid from artist a
             where (a.name_key in (select value from json_each(?1))
                    or lower(coalesce(a.mbid, '-')) in (select value from json_each(?2)))
               and (exists (select 1 from track_artist r join track t using (track_id)
                            where r.artist_id = a.artist_id and t.missing_at is null and {0})
                    or exists (select 1 from album_artist r join album t using (album_id)
                               where r.artist_id = a.artist_id and t.track_count > 0 and {0}))
             order by a.artist_id",
            within("t.library_id", principal, None)
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(serde_json::to_string(&keys)?)
            .bind(serde_json::to_string(&mbids)?)
            .fetch_all(self.db.read())
            .await?;
        let mut by_key: HashMap<String, Vec<i64>> = HashMap::new();
        let mut by_mbid: HashMap<String, i64> = HashMap::new();
        for row in rows {
            let (id, mbid): (i64, String) = (row.get("artist_id"), row.get("mbid"));
            by_key.entry(row.get("name_key")).or_default().push(id);
            if !mbid.is_empty() {
                by_mbid.entry(mbid).or_insert(id);
            }
        }
        let one = |(key, mbid): (&String, &String)| {
            if let Some(id) = by_mbid.get(mbid) {
                return Recognised::As(ArtistId(*id), By::MusicBrainz);
            }
            match by_key.get(key).map(Vec::as_slice) {
                None | Some([]) => Recognised::Unknown,
                Some([id]) => Recognised::As(ArtistId(*id), By::Tags),
                Some(many) => Recognised::Ambiguous(many.len()),
            }
        };
        Ok(keys.iter().zip(&mbids).map(one).collect())
    }
}
