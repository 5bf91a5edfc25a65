//! Podcasts. A feed and its episodes are stored once for everybody; a channel is one user's
//! subscription; a downloaded episode is a file in that user's locker and counts there. What has
//! to be done next is read from the rows, so a restart loses nothing.

mod channels;
mod downloads;
mod episodes;
mod fetch;
mod marks;
mod names;
mod queue;
mod refresh;

use std::sync::Arc;

pub use channels::WithEpisodes;
pub use episodes::{Episode, EpisodeFile, EpisodeStatus};
pub use marks::EpisodeBookmark;
pub use queue::{MixedQueue, QueueEntry};

use super::Shared;
use crate::{
    Error, Result,
    accounts::{Feature, Principal},
    catalog::Cover,
    clock::Millis,
    ids::{EpisodeId, PodcastId},
};

/// The folder of a locker that episodes go to, a folder for each channel.
const FOLDER: &str = "Podcasts";

/// The podcasts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Podcasts(pub(super) Arc<Shared>);

/// How a feed does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelStatus {
    /// It was not fetched yet.
    New,
    /// All is well.
    Completed,
    /// The last fetch failed.
    Failed,
}

/// What is kept of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many of the newest episodes are downloaded unasked.
    pub fetch_newest: u32,
    /// Downloads beyond this many are removed; `None` keeps all.
    pub keep_newest: Option<u32>,
    /// Downloads older than so many days are removed; `None` keeps all.
    pub keep_days: Option<u32>,
}

/// A subscription as its user sees it.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Its id.
    pub id: PodcastId,
    /// Where the feed is.
    pub url: String,
    /// Title, the address until it is known.
    pub title: String,
    /// Plain text.
    pub description: String,
    /// Who makes it.
    pub author: String,
    /// Its page.
    pub link: String,
    /// Where its picture came from.
    pub image_url: String,
    /// Hash of its picture.
    pub picture: Option<String>,
    /// How it does.
    pub status: ChannelStatus,
    /// Why it does not do well, as a sentence.
    pub error: String,
    /// What is kept.
    pub retention: Retention,
    /// When the feed was last fetched.
    pub refreshed_at: Option<Millis>,
    /// Episodes, newest first; empty if not asked for.
    pub episodes: Vec<Episode>,
}

impl Podcasts {
    /// The picture of a channel.
    pub async fn channel_cover(
        &self,
        principal: &Principal,
        id: PodcastId,
        size: Option<u32>,
    ) -> Result<Cover> {
        let channel = self.channel(principal, id).await?;
        let hash = channel.picture.ok_or(Error::NotFound("Picture"))?;
        self.0.picture(&hash, size).await
    }

    /// The picture of an episode: its channel's.
    pub async fn episode_cover(
        &self,
        principal: &Principal,
        id: EpisodeId,
        size: Option<u32>,
    ) -> Result<Cover> {
        let episode = self.episode(principal, id).await?;
        let hash = episode.picture.ok_or(Error::NotFound("Picture"))?;
        self.0.picture(&hash, size).await
    }

    /// Refuses whoever may not change podcasts, and everybody while they are off.
    async fn require(&self, principal: &Principal) -> Result<()> {
        self.0.require(Feature::Podcasts).await?;
        let may = principal.is_person() && (principal.abilities.podcast || principal.tends_music());
        if may {
            Ok(())
        } else {
            Err(Error::Forbidden("This user may not manage podcasts".to_owned()))
        }
    }
}
