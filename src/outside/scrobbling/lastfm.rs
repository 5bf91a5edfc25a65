//! Listens as Last.fm takes them: fifty at once, nothing shorter than half a minute.

use super::{
    super::{
        Shared,
        lastfm::{Fields, Trouble},
    },
    Told,
};
use crate::accounts::LastFmKeys;

/// Last.fm's own rule.
const SHORTEST_MS: i64 = 30_000;

impl Shared {
    /// Sends listens; gives how many were not wanted.
    pub(super) async fn lastfm_submit(
        &self,
        keys: &LastFmKeys,
        session: &str,
        listens: &[Told],
    ) -> Result<u64, Trouble> {
        let (wanted, short): (Vec<&Told>, Vec<&Told>) = listens
            .iter()
            .partition(|told| told.duration_ms >= SHORTEST_MS && !told.artist.is_empty());
        if wanted.is_empty() {
            return Ok(short.len() as u64);
        }
        let mut fields = vec![("sk".to_owned(), session.to_owned())];
        for (at, told) in wanted.iter().enumerate() {
            fields.push((format!("timestamp[{at}]"), (told.at / 1000).to_string()));
            describe(&mut fields, told, &format!("[{at}]"));
        }
        let body = self.lastfm_signed(keys, "track.scrobble", fields).await?;
        let ignored = &body["scrobbles"]["@attr"]["ignored"];
        let ignored = ignored.as_u64().or_else(|| ignored.as_str()?.parse().ok()).unwrap_or(0);
        Ok(ignored + short.len() as u64)
    }

    /// Says what is heard now.
    pub(super) async fn lastfm_now(
        &self,
        keys: &LastFmKeys,
        session: &str,
        told: &Told,
    ) -> Result<(), Trouble> {
        let mut fields = vec![("sk".to_owned(), session.to_owned())];
        describe(&mut fields, told, "");
        self.lastfm_signed(keys, "track.updateNowPlaying", fields).await.map(drop)
    }

    /// Loves a track, or not any more.
    pub(super) async fn lastfm_love(
        &self,
        keys: &LastFmKeys,
        session: &str,
        told: &Told,
        is_loved: bool,
    ) -> Result<(), Trouble> {
        let method = if is_loved { "track.love" } else { "track.unlove" };
        let fields = vec![
            ("sk".to_owned(), session.to_owned()),
            ("artist".to_owned(), told.artist.clone()),
            ("track".to_owned(), told.title.clone()),
        ];
        self.lastfm_signed(keys, method, fields).await.map(drop)
    }
}

fn describe(fields: &mut Fields, told: &Told, at: &str) {
    let mut push = |name: &str, value: &str| {
        if !value.is_empty() {
            fields.push((format!("{name}{at}"), value.to_owned()));
        }
    };
    push("artist", &told.artist);
    push("track", &told.title);
    push("album", &told.album);
    if told.album_artist != told.artist {
        push("albumArtist", &told.album_artist);
    }
    push("trackNumber", &told.number.map(|number| number.to_string()).unwrap_or_default());
    push("duration", &(told.duration_ms / 1000).to_string());
    push("mbid", told.mbid.as_deref().unwrap_or_default());
}
