//! What is known of artists and albums beyond their tags. First what lies beside the music
//! (`artist.nfo`, `album.nfo`), then what was learnt from outside, if an administrator lets us
//! ask. A request never waits for the network: what is not known yet is asked for behind it.

mod local;
mod lookup;
mod services;

use std::sync::Arc;

use super::Shared;
use crate::{
    Result,
    accounts::{Feature, Principal},
    catalog::{Artist, identity::artist_name_key},
    ids::{AlbumId, ArtistId},
    media::nfo::Nfo,
};

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Info(pub(super) Arc<Shared>);

/// What is known; '' and `None` are not known.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// MusicBrainz id.
    pub mbid: Option<String>,
    /// Biography or review, plain text.
    pub text: String,
    /// A page at Last.fm.
    pub lastfm_url: String,
    /// Pictures elsewhere, small to large.
    pub pictures: Option<[String; 3]>,
    /// Artists like this one, nearest first.
    pub similar: Vec<Similar>,
}

/// An artist like another.
#[derive(Debug, Clone)]
pub enum Similar {
    /// One that the principal can hear.
    Here(Box<Artist>),
    /// One that is known by name alone.
    Elsewhere(String),
}

/// What was learnt from outside.
#[derive(Debug, Clone, Default)]
struct Learnt {
    mbid: String,
    text: String,
    url: String,
    image_url: String,
    similar: Vec<String>,
}

/// What can be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Artist(ArtistId),
    Album(AlbumId),
}

impl Subject {
    fn row(self) -> (&'static str, i64) {
        match self {
            Self::Artist(id) => ("artist", id.0),
            Self::Album(id) => ("album", id.0),
        }
    }
}

impl Info {
    /// About an artist; up to `count` like him, those who are not here too if wanted.
    pub async fn artist(
        &self,
        principal: &Principal,
        id: ArtistId,
        count: u32,
        with_absent: WithAbsent,
    ) -> Result<About> {
        let artist = self.0.of.catalog.artist(principal, id).await?;
        let nfo = self.artist_nfo(principal, id).await;
        let learnt = self.learnt(Subject::Artist(id)).await?;
        let similar = self.similar(principal, id, &learnt.similar, count, with_absent).await?;
        Ok(About { similar, ..about(artist.mbid.clone(), nfo, learnt) })
    }

    /// About an album.
    pub async fn album(&self, principal: &Principal, id: AlbumId) -> Result<About> {
        let album = self.0.of.catalog.album(principal, id).await?;
        let nfo = self.album_nfo(id).await;
        let learnt = self.learnt(Subject::Album(id)).await?;
        let mut about = about(album.mbid.clone(), nfo, learnt);
        // The archive of covers is asked by the client, so only where asking outside is wanted.
        if about.pictures.is_none()
            && let Some(mbid) = &about.mbid
            && self.0.is_on(Feature::Info).await?
        {
            let at = |size| format!("https://coverartarchive.org/release/{mbid}/front-{size}");
            about.pictures = Some([at(250), at(500), at(1200)]);
        }
        Ok(about)
    }

    /// What is in the cache, if asking is on; if it is old or not there, it is asked for.
    async fn learnt(&self, subject: Subject) -> Result<Learnt> {
        if !self.0.is_on(Feature::Info).await? {
            return Ok(Learnt::default());
        }
        let (kind, id) = subject.row();
        let row = sqlx::query!(
            "select mbid, text, url, image_url, similar, next_at from remote_info where kind = ? and item_id = ?",
            kind,
            id
        )
        .fetch_optional(self.0.of.db.read())
        .await?;
        let now = self.0.now();
        if row.as_ref().is_none_or(|row| row.next_at.is_some_and(|next| next <= now)) {
            self.enqueue(subject).await?;
        }
        Ok(row.map_or_else(Learnt::default, |row| Learnt {
            mbid: row.mbid,
            text: row.text,
            url: row.url,
            image_url: row.image_url,
            similar: serde_json::from_str(&row.similar).unwrap_or_default(),
        }))
    }

    /// Those that others name, as far as they are here; then those whose music is alike.
    async fn similar(
        &self,
        principal: &Principal,
        like: ArtistId,
        named: &[String],
        count: u32,
        with_absent: WithAbsent,
    ) -> Result<Vec<Similar>> {
        let count = count as usize;
        let mut found = Vec::new();
        let mut known = vec![like];
        for name in named {
            if count <= found.len() {
                return Ok(found);
            }
            match self.named(principal, name).await? {
                Some(artist) if known.contains(&artist.id) => (),
                Some(artist) => {
                    known.push(artist.id);
                    found.push(Similar::Here(Box::new(artist)));
                }
                None if with_absent == WithAbsent::Yes => {
                    found.push(Similar::Elsewhere(name.clone()));
                }
                None => (),
            }
        }
        let wanted = u32::try_from(count.saturating_sub(found.len())).unwrap_or(0);
        if wanted == 0 {
            return Ok(found);
        }
        for artist in self.0.of.catalog.similar_artists(principal, like, wanted).await? {
            if !known.contains(&artist.id) {
                found.push(Similar::Here(Box::new(artist)));
            }
        }
        Ok(found)
    }

    /// A visible artist of this name.
    async fn named(&self, principal: &Principal, name: &str) -> Result<Option<Artist>> {
        let key = artist_name_key(name);
        let rows: Vec<i64> =
            sqlx::query_scalar!("select artist_id from artist where name_key = ? limit 5", key)
                .fetch_all(self.0.of.db.read())
                .await?;
        for row in rows {
            match self.0.of.catalog.artist(principal, row.into()).await {
                Ok(artist) => return Ok(Some(artist)),
                Err(crate::Error::NotFound(_)) => (),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Whether artists that nobody has music of are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithAbsent {
    /// They are.
    Yes,
    /// They are not.
    No,
}

/// Tags before files before others.
fn about(tagged: Option<String>, nfo: Option<Nfo>, learnt: Learnt) -> About {
    let nfo = nfo.unwrap_or_default();
    let own = (!learnt.mbid.is_empty()).then_some(learnt.mbid);
    let picture = nfo.pictures.into_iter().next().unwrap_or(learnt.image_url);
    About {
        mbid: tagged.or(nfo.mbid).or(own),
        text: if nfo.text.is_empty() { learnt.text } else { nfo.text },
        lastfm_url: learnt.url,
        pictures: (!picture.is_empty()).then(|| [picture.clone(), picture.clone(), picture]),
        similar: Vec::new(),
    }
}
