//! Who is asked, and how: MusicBrainz for ids and links (once a second at most, as it wishes),
//! Last.fm for texts and neighbours if there is a key, Wikipedia for a text otherwise.

use std::{sync::PoisonError, time::Duration};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::Instant;

use super::Learnt;
use crate::{
    accounts::LastFmKeys,
    catalog::identity::artist_name_key,
    egress::{Limits, Wanted, header},
    media::{markup, nfo::is_mbid},
    outside::{
        Shared,
        lastfm::{Fields, Trouble},
    },
};

/// MusicBrainz's wish, with a little more.
const PACE: Duration = Duration::from_millis(1100);
/// Below this its search is guessing.
const SURE: u64 = 90;
/// Neighbours that are kept.
const MOST_SIMILAR: usize = 100;

impl Shared {
    pub(super) async fn ask_artist(
        &self,
        name: &str,
        mbid: Option<String>,
        keys: Option<&LastFmKeys>,
    ) -> Result<Learnt, Trouble> {
        let mut learnt = Learnt::default();
        let mbid = match mbid {
            Some(mbid) => Some(mbid),
            None => self.find_artist(name).await?,
        };
        learnt.mbid = mbid.clone().unwrap_or_default();
        if let Some(keys) = keys {
            self.ask_lastfm_artist(name, keys, &mut learnt).await?;
        }
        if learnt.text.is_empty()
            && let Some(mbid) = &mbid
        {
            self.ask_wikipedia(mbid, &mut learnt).await?;
        }
        Ok(learnt)
    }

    pub(super) async fn ask_album(
        &self,
        name: &str,
        artist: &str,
        mbid: Option<String>,
        keys: Option<&LastFmKeys>,
    ) -> Result<Learnt, Trouble> {
        let mbid = match mbid {
            Some(mbid) => Some(mbid),
            None => self.find_release(name, artist).await?,
        };
        let mut learnt = Learnt { mbid: mbid.unwrap_or_default(), ..Learnt::default() };
        if let Some(keys) = keys {
            let fields = vec![
                ("artist".to_owned(), artist.to_owned()),
                ("album".to_owned(), name.to_owned()),
            ];
            let body = self.ask_lastfm(keys, "album.getInfo", fields).await?;
            let album = &body["album"];
            learnt.text = text(&album["wiki"]["content"]);
            learnt.url = web(&album["url"]);
            let images = album["image"].as_array().map(Vec::as_slice).unwrap_or_default();
            learnt.image_url = images
                .iter()
                .rev()
                .map(|image| web(&image["#text"]))
                .find(|url| !url.is_empty())
                .unwrap_or_default();
        }
        Ok(learnt)
    }

    /// The artist of exactly this name, if the search is sure.
    async fn find_artist(&self, name: &str) -> Result<Option<String>, Trouble> {
        let query = escape(&format!("artist:\"{}\"", phrase(name)));
        let body = self.ask_musicbrainz(&format!("artist?query={query}&limit=3&fmt=json")).await?;
        let key = artist_name_key(name);
        let found = body["artists"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(found
            .iter()
            .filter(|each| SURE <= each["score"].as_u64().unwrap_or(0))
            .filter(|each| artist_name_key(each["name"].as_str().unwrap_or_default()) == key)
            .find_map(|each| id(&each["id"])))
    }

    async fn find_release(&self, name: &str, artist: &str) -> Result<Option<String>, Trouble> {
        let query = format!("release:\"{}\" AND artist:\"{}\"", phrase(name), phrase(artist));
        let path = format!("release?query={}&limit=3&fmt=json", escape(&query));
        let body = self.ask_musicbrainz(&path).await?;
        let found = body["releases"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(found
            .iter()
            .filter(|each| SURE <= each["score"].as_u64().unwrap_or(0))
            .find_map(|each| id(&each["id"])))
    }

    async fn ask_lastfm_artist(
        &self,
        name: &str,
        keys: &LastFmKeys,
        learnt: &mut Learnt,
    ) -> Result<(), Trouble> {
        let fields = vec![
            ("artist".to_owned(), name.to_owned()),
            ("autocorrect".to_owned(), "1".to_owned()),
        ];
        let body = self.ask_lastfm(keys, "artist.getInfo", fields.clone()).await?;
        learnt.text = text(&body["artist"]["bio"]["content"]);
        learnt.url = web(&body["artist"]["url"]);
        let mut fields = fields;
        fields.push(("limit".to_owned(), MOST_SIMILAR.to_string()));
        let body = self.ask_lastfm(keys, "artist.getSimilar", fields).await?;
        let similar = body["similarartists"]["artist"].as_array();
        learnt.similar = similar
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter_map(|each| Some(each["name"].as_str()?.chars().take(300).collect()))
            .take(MOST_SIMILAR)
            .collect();
        Ok(())
    }

    /// What it does not know is nothing, not a failure.
    async fn ask_lastfm(
        &self,
        keys: &LastFmKeys,
        method: &str,
        fields: Fields,
    ) -> Result<Value, Trouble> {
        match self.lastfm_plain(keys, method, fields).await {
            Err(Trouble::Refused(_)) => Ok(Value::Null),
            other => other,
        }
    }

    /// From MusicBrainz's links over Wikidata to the article's first paragraph.
    async fn ask_wikipedia(&self, mbid: &str, learnt: &mut Learnt) -> Result<(), Trouble> {
        let body = self.ask_musicbrainz(&format!("artist/{mbid}?inc=url-rels&fmt=json")).await?;
        let relations = body["relations"].as_array().map(Vec::as_slice).unwrap_or_default();
        let item = relations.iter().find_map(|relation| {
            let url = relation["url"]["resource"].as_str()?;
            let item = url.rsplit('/').next()?;
            let is_item = item.len() < 20
                && item.strip_prefix('Q').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
            (relation["type"] == "wikidata" && is_item).then(|| item.to_owned())
        });
        let Some(item) = item else { return Ok(()) };
        let places = &self.settings.places;
        let url = format!(
            "{}/w/api.php?action=wbgetentities&ids={item}&props=sitelinks&sitefilter=enwiki&format=json",
            places.wikidata
        );
        let body = self.ask_json(&url).await?;
        let title = &body["entities"][&item]["sitelinks"]["enwiki"]["title"];
        let Some(title) = title.as_str() else { return Ok(()) };
        let title = escape(&title.replace(' ', "_"));
        let url = format!("{}/api/rest_v1/page/summary/{title}", places.wikipedia);
        let body = self.ask_json(&url).await?;
        learnt.text = text(&body["extract"]);
        learnt.image_url = web(&body["thumbnail"]["source"]);
        Ok(())
    }

    async fn ask_musicbrainz(&self, path: &str) -> Result<Value, Trouble> {
        let turn = {
            let mut next = self.musicbrainz_turn.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
            *next = Some(turn + PACE);
            turn
        };
        tokio::time::sleep_until(turn).await;
        self.ask_json(&format!("{}/ws/2/{path}", self.settings.places.musicbrainz)).await
    }

    /// JSON from a service; what it does not have is null.
    async fn ask_json(&self, url: &str) -> Result<Value, Trouble> {
        let wanted = Wanted::get(url, Limits::SERVICE).with(header::ACCEPT, "application/json");
        let answer =
            self.of.egress.ask(wanted).await.map_err(|fault| Trouble::Later(fault.to_string()))?;
        match answer.status() {
            200..300 => (),
            404 | 410 => return Ok(Value::Null),
            status => {
                let host = answer.url().host_str().unwrap_or_default();
                return Err(Trouble::Later(format!("{host} answers {status}")));
            }
        }
        let bytes = answer.bytes().await.map_err(|fault| Trouble::Later(fault.to_string()))?;
        serde_json::from_slice(&bytes)
            .map_err(|_| Trouble::Later("The answer is unreadable".to_owned()))
    }
}

/// Text of a service without markup, and without what Last.fm puts behind each.
fn text(value: &Value) -> String {
    let plain = markup::plain(value.as_str().unwrap_or_default());
    let end = plain.find("Read more on Last.fm").unwrap_or(plain.len());
    plain[..end].trim_end().to_owned()
}

/// A web address of a service.
fn web(value: &Value) -> String {
    let url = value.as_str().unwrap_or_default();
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web && url.len() < 2000 { url.to_owned() } else { String::new() }
}

fn id(value: &Value) -> Option<String> {
    value.as_str().filter(|text| is_mbid(text)).map(str::to_owned)
}

/// Inside the quotes of a search.
fn phrase(text: &str) -> String {
    text.replace(['"', '\\'], " ")
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_lose_their_markup_and_their_tail() {
        let bio = "A &amp; B. <a href=\"https://www.last.fm/music/A\">Read more on Last.fm</a>. User-contributed";
        assert_eq!(text(&json!(bio)), "A & B.");
        assert_eq!(text(&json!(null)), "");
        assert_eq!(web(&json!("javascript:x")), "");
    }
}
