//! `[outside]`: what of the internet administrators may turn on, and where its services are.

use serde::{Deserialize, Serialize};

/// Something that goes out to the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Feature {
    /// Feeds and their episodes.
    Podcasts,
    /// Stations, which clients play themselves.
    Radio,
    /// Biographies and pictures of artists and albums.
    Info,
    /// Listens passed on to Last.fm and ListenBrainz.
    Scrobbling,
    /// Files of deliveries fetched from the addresses that a shop names.
    Deliveries,
    /// Notices about a locker's room, by e-mail and webhook.
    Notices,
    /// Files, archives and lists fetched into lockers from addresses that users name.
    Imports,
}

impl Feature {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Podcasts,
        Self::Radio,
        Self::Info,
        Self::Scrobbling,
        Self::Deliveries,
        Self::Notices,
        Self::Imports,
    ];

    /// As rows and configuration write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Podcasts => "podcasts",
            Self::Radio => "radio",
            Self::Info => "info",
            Self::Scrobbling => "scrobbling",
            Self::Deliveries => "deliveries",
            Self::Notices => "notices",
            Self::Imports => "imports",
        }
    }
}

/// What goes out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outside {
    /// Kept off whatever administrators choose: `podcasts`, `radio`, `info`, `scrobbling`,
    /// `deliveries`, `notices`, `imports`.
    pub forbid: Vec<Feature>,
    /// Last.fm's API.
    pub lastfm_url: String,
    /// Where Last.fm's users agree to a sign-in.
    pub lastfm_sign_in_url: String,
    /// ListenBrainz, or a server that speaks like it.
    pub listenbrainz_url: String,
    /// MusicBrainz, or a mirror of it.
    pub musicbrainz_url: String,
    /// Wikidata.
    pub wikidata_url: String,
    /// The Wikipedia whose articles are quoted.
    pub wikipedia_url: String,
}

impl Outside {
    /// Every address, with its key.
    pub(super) fn addresses(&mut self) -> [(&'static str, &mut String); 6] {
        [
            ("outside.lastfm_url", &mut self.lastfm_url),
            ("outside.lastfm_sign_in_url", &mut self.lastfm_sign_in_url),
            ("outside.listenbrainz_url", &mut self.listenbrainz_url),
            ("outside.musicbrainz_url", &mut self.musicbrainz_url),
            ("outside.wikidata_url", &mut self.wikidata_url),
            ("outside.wikipedia_url", &mut self.wikipedia_url),
        ]
    }
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            forbid: Vec::new(),
            lastfm_url: "https://ws.audioscrobbler.com/2.0/".to_owned(),
            lastfm_sign_in_url: "https://www.last.fm/api/auth/".to_owned(),
            listenbrainz_url: "https://api.listenbrainz.org".to_owned(),
            musicbrainz_url: "https://musicbrainz.org".to_owned(),
            wikidata_url: "https://www.wikidata.org".to_owned(),
            wikipedia_url: "https://en.wikipedia.org".to_owned(),
        }
    }
}
