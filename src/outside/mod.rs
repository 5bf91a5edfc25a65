//! What the internet brings and what it gets: podcasts, radio stations, what is known of artists,
//! and listens passed on. Each is off until an administrator turns it on, and everything goes
//! through [`Egress`]. No request waits for the network: it answers with what is there, and what
//! has to be fetched is fetched by [`Outside::run`].

mod info;
mod lastfm;
mod notices;
mod pictures;
mod podcasts;
mod radio;
mod scrobbling;

use std::sync::{Arc, Mutex};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

pub use info::{About, Info, Similar, WithAbsent};
pub use notices::{NoticeWay, NoticeWays};
pub use podcasts::{
    Channel, ChannelStatus, Episode, EpisodeBookmark, EpisodeFile, EpisodeStatus, MixedQueue,
    Podcasts, QueueEntry, Retention, WithEpisodes,
};
pub use radio::{Radio, Station, StationDraft};
pub use scrobbling::{Forwarding, Scrobbling, Service, SignIn};

use crate::{
    Error, Result,
    accounts::{Accounts, Feature, Principal},
    catalog::Catalog,
    clock::Clock,
    db::Db,
    drive::Drive,
    egress::Egress,
    media::worker::Pool,
    playback::Playback,
};

/// Where the web services are.
#[derive(Debug, Clone)]
pub struct Places {
    /// Last.fm's API.
    pub lastfm: String,
    /// Where its users say yes.
    pub lastfm_sign_in: String,
    /// ListenBrainz's API.
    pub listenbrainz: String,
    /// MusicBrainz.
    pub musicbrainz: String,
    /// Wikidata, which knows the articles.
    pub wikidata: String,
    /// Wikipedia in English.
    pub wikipedia: String,
}

/// What the service is built with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Kept off whatever administrators choose.
    pub forbidden: Vec<Feature>,
    /// Where the web services are.
    pub places: Places,
    /// Where notices go.
    pub notices: crate::config::Notices,
}

/// The services it stands on.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Who may do what.
    pub accounts: Accounts,
    /// Where episodes are kept.
    pub drive: Drive,
    /// What there is to hear.
    pub catalog: Catalog,
    /// What is heard now.
    pub playback: Playback,
    /// Looks at what was fetched.
    pub pool: Pool,
    /// The way out.
    pub egress: Egress,
    /// What changed.
    pub events: crate::events::Events,
}

/// Everything that goes out. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outside {
    /// Feeds, episodes and their files.
    pub podcasts: Podcasts,
    /// Stations.
    pub radio: Radio,
    /// Listens passed on.
    pub scrobbling: Scrobbling,
    /// What is known of artists and albums.
    pub info: Info,
    shared: Arc<Shared>,
}

/// What all parts share.
#[derive(Debug)]
struct Shared {
    of: Parts,
    settings: Settings,
    pictures: pictures::Pictures,
    /// When MusicBrainz may be asked next.
    musicbrainz_turn: Mutex<Option<Instant>>,
    feeds: Notify,
    downloads: Notify,
    listens: Notify,
    questions: Notify,
    notices: Notify,
}

impl Outside {
    /// Over the services. Nothing is fetched before [`Self::run`].
    #[must_use]
    pub fn new(of: Parts, settings: Settings) -> Self {
        let pictures = pictures::Pictures::default();
        let shared = Arc::new(Shared {
            of,
            settings,
            pictures,
            musicbrainz_turn: Mutex::default(),
            feeds: Notify::new(),
            downloads: Notify::new(),
            listens: Notify::new(),
            questions: Notify::new(),
            notices: Notify::new(),
        });
        Self {
            podcasts: Podcasts(Arc::clone(&shared)),
            radio: Radio(Arc::clone(&shared)),
            scrobbling: Scrobbling(Arc::clone(&shared)),
            info: Info(Arc::clone(&shared)),
            shared,
        }
    }

    /// Fetches and passes on until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let notices = notices::Notices(Arc::clone(&self.shared));
        let work = async {
            tokio::join!(
                self.podcasts.keep_fresh(),
                self.podcasts.keep_downloading(),
                self.scrobbling.keep_sending(),
                self.scrobbling.keep_telling(),
                self.info.keep_asking(),
                notices.keep_sending(),
            );
        };
        stop.run_until_cancelled(Box::pin(work)).await;
    }

    /// Whether a feature is on: an administrator wants it and the configuration lets him.
    pub async fn is_on(&self, feature: Feature) -> Result<bool> {
        self.shared.is_on(feature).await
    }

    /// Whether the configuration keeps a feature off.
    #[must_use]
    pub fn is_forbidden(&self, feature: Feature) -> bool {
        self.shared.settings.forbidden.contains(&feature)
    }

    /// Where notices go beside the panel. Administrators only.
    pub async fn notice_ways(&self, admin: &Principal) -> Result<NoticeWays> {
        admin.require_admin()?;
        notices::Notices(Arc::clone(&self.shared)).ways().await
    }

    /// Sends the administrator a test by one of the ways. Administrators only.
    pub async fn test_notices(&self, admin: &Principal, by: NoticeWay) -> Result<()> {
        notices::Notices(Arc::clone(&self.shared)).test(admin, by).await
    }

    /// Turns a feature on or off. Administrators only.
    pub async fn set_on(&self, principal: &Principal, feature: Feature, on: bool) -> Result<()> {
        principal.require_admin()?;
        if on && self.is_forbidden(feature) {
            return Err(Error::Forbidden(format!(
                "The server's configuration keeps {} off",
                feature.name()
            )));
        }
        self.shared.of.accounts.set_on(principal, feature, on).await?;
        for waiting in [
            &self.shared.feeds,
            &self.shared.downloads,
            &self.shared.listens,
            &self.shared.questions,
            &self.shared.notices,
        ] {
            waiting.notify_one();
        }
        Ok(())
    }
}

impl Shared {
    async fn is_on(&self, feature: Feature) -> Result<bool> {
        Ok(!self.settings.forbidden.contains(&feature) && self.of.accounts.is_on(feature).await?)
    }

    /// Refuses, with a sentence, what is off.
    async fn require(&self, feature: Feature) -> Result<()> {
        if self.is_on(feature).await? {
            return Ok(());
        }
        let what = match feature {
            Feature::Podcasts => "Podcasts are",
            Feature::Radio => "Internet radio is",
            Feature::Info => "Asking others about artists is",
            Feature::Scrobbling => "Passing listens on is",
            Feature::Deliveries => "Fetching deliveries is",
            Feature::Notices => "Sending notices is",
            Feature::Imports => "Importing from addresses is",
        };
        Err(Error::Forbidden(format!(
            "{what} switched off on this server; an administrator can turn it on"
        )))
    }

    fn now(&self) -> i64 {
        self.of.clock.now()
    }
}

/// When to try again after so many failures in a row: doubling from `first`, no later than
/// `longest`, with a fifth of chance so that not all come at once. Milliseconds.
fn back_off(failures: i64, first: i64, longest: i64) -> i64 {
    let doubled = first.saturating_mul(1 << failures.clamp(1, 20).saturating_sub(1));
    jitter(doubled.min(longest))
}

/// A time give or take a tenth.
fn jitter(span: i64) -> i64 {
    let tenth = (span / 10).max(1);
    span - tenth + rand::random_range(0..=2 * tenth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_and_ends() {
        for (failures, least, most) in
            [(0, 900, 1100), (1, 900, 1100), (3, 3600, 4400), (99, 9000, 11000)]
        {
            for _ in 0..50 {
                let wait = back_off(failures, 1000, 10_000);
                assert!((least..=most).contains(&wait), "{failures}: {wait}");
            }
        }
    }
}
