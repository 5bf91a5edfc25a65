//! Episodes as a subscriber sees them, and where the bytes of a downloaded one are.

use std::sync::Arc;

use super::Podcasts;
use crate::{
    Error, Result,
    accounts::{Feature, Principal},
    catalog::{Annotation, Track, TrackFacts, TrackSource, path_text},
    clock::Millis,
    ids::{EpisodeId, PodcastId},
    media::format,
};

/// What became of an episode for its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpisodeStatus {
    /// It was never asked for.
    New,
    /// It waits for its download, or is being downloaded.
    Downloading,
    /// It is in the locker.
    Completed,
    /// It could not be downloaded.
    Failed,
    /// It was downloaded and removed.
    Deleted,
    /// It is passed over.
    Skipped,
}

impl EpisodeStatus {
    /// As Subsonic and the panel write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Downloading => "downloading",
            Self::Completed => "completed",
            Self::Failed => "error",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
        }
    }
}

/// A downloaded episode's file.
#[derive(Debug, Clone)]
pub struct EpisodeFile {
    /// In the locker.
    pub path: String,
    /// By content.
    pub container: String,
    /// By content.
    pub codec: String,
    /// kbit/s.
    pub bitrate_kbps: u32,
    /// Hz.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// Bytes.
    pub size_bytes: u64,
    /// File time, ns since the epoch.
    pub modified_ns: i64,
}

/// An episode.
#[derive(Debug, Clone)]
pub struct Episode {
    /// Its id.
    pub id: EpisodeId,
    /// The principal's channel.
    pub channel: PodcastId,
    /// Its title.
    pub channel_title: String,
    /// Who makes it.
    pub author: String,
    /// Title.
    pub title: String,
    /// Plain text.
    pub description: String,
    /// When it came out.
    pub published_at: Millis,
    /// Since when it is known here.
    pub created_at: Millis,
    /// Of the file, else as the feed says; 0 unknown.
    pub duration_ms: u64,
    /// Of the file, else as the feed says; 0 unknown.
    pub size_bytes: u64,
    /// As the feed says.
    pub audio_type: String,
    /// What became of it.
    pub status: EpisodeStatus,
    /// Why it could not be downloaded, as a sentence.
    pub error: String,
    /// The file, if it is there.
    pub file: Option<EpisodeFile>,
    /// Hash of the channel's picture.
    pub picture: Option<String>,
    /// What the principal added.
    pub annotation: Annotation,
    /// Where the principal stopped, ms.
    pub bookmark_ms: Option<i64>,
}

impl Podcasts {
    /// The newest episodes of all the principal's channels; none while podcasts are off.
    pub async fn newest(&self, principal: &Principal, count: u32) -> Result<Vec<Episode>> {
        if !self.0.is_on(Feature::Podcasts).await? {
            return Ok(Vec::new());
        }
        self.read_episodes(principal, None, None, count.into()).await
    }

    /// One episode of a channel that the principal has.
    pub async fn episode(&self, principal: &Principal, id: EpisodeId) -> Result<Episode> {
        self.0.require(Feature::Podcasts).await?;
        self.own_episode(principal, id).await
    }

    /// Where the bytes of a downloaded episode are, for `playback`.
    pub async fn source(&self, principal: &Principal, id: EpisodeId) -> Result<TrackSource> {
        let episode = self.episode(principal, id).await?;
        let Some(file) = &episode.file else {
            return Err(Error::Unavailable(format!("{:?} is not downloaded", episode.title)));
        };
        let root = sqlx::query_scalar!(
            "select b.path from podcast_download d join library b on b.locker_id = d.locker_id
             where d.user_id = ? and d.episode_id = ?",
            principal.user,
            id
        )
        .fetch_optional(self.0.of.db.read())
        .await?
        .ok_or(Error::NotFound("Episode"))?;
        let path = path_text::decode(&root).join(&file.path);
        Ok(TrackSource { track: episode.as_track(), path, lent: None, range_ms: None })
    }

    pub(super) async fn own_episode(
        &self,
        principal: &Principal,
        id: EpisodeId,
    ) -> Result<Episode> {
        let found = self.read_episodes(principal, None, Some(id), 1).await?.pop();
        found.ok_or(Error::NotFound("Episode"))
    }

    pub(super) async fn read_episodes(
        &self,
        principal: &Principal,
        channel: Option<PodcastId>,
        only: Option<EpisodeId>,
        count: i64,
    ) -> Result<Vec<Episode>> {
        let rows = sqlx::query!(
            r#"select e.episode_id, c.channel_id, f.title as channel_title, f.author, f.picture, e.title,
                      e.description, e.audio_type, e.size_bytes, e.duration_ms, e.published_at, e.created_at,
                      d.status as "status?", d.error as "error?", d.path as "path?",
                      d.size_bytes as "file_bytes?", d.modified_ns as "modified_ns?", d.container as "container?",
                      d.codec as "codec?", d.bitrate_kbps as "bitrate_kbps?", d.sample_rate as "sample_rate?",
                      d.channels as "channels?", d.duration_ms as "file_ms?",
                      k.drive_file_id as "file_id?: i64",
                      m.starred_at as "starred_at?", m.rating as "rating?", m.play_count as "play_count?",
                      m.played_at as "played_at?", m.bookmark_ms as "bookmark_ms?",
                      (select avg(rating) from podcast_mark a where a.episode_id = e.episode_id) as "average?: f64"
               from podcast_channel c
                    join podcast_feed f using (feed_id)
                    join podcast_episode e using (feed_id)
                    left join podcast_download d on d.user_id = c.user_id and d.episode_id = e.episode_id
                    left join drive_file k on k.locker_id = d.locker_id and k.path = d.path and k.missing_at is null
                    left join podcast_mark m on m.user_id = c.user_id and m.episode_id = e.episode_id
               where c.user_id = ?1 and (?2 is null or c.channel_id = ?2) and (?3 is null or e.episode_id = ?3)
               order by e.published_at desc, e.episode_id desc limit ?4"#,
            principal.user,
            channel,
            only,
            count
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        let small = |number: Option<i64>| u32::try_from(number.unwrap_or(0)).unwrap_or(0);
        let large = |number: i64| number.max(0) as u64;
        Ok(rows
            .into_iter()
            .map(|row| {
                let is_there = row.file_id.is_some();
                let status = match row.status.as_deref() {
                    None => EpisodeStatus::New,
                    Some("wanted" | "downloading") => EpisodeStatus::Downloading,
                    Some("completed") if is_there => EpisodeStatus::Completed,
                    // Taken out of the locker by hand.
                    Some("completed" | "deleted") => EpisodeStatus::Deleted,
                    Some("skipped") => EpisodeStatus::Skipped,
                    Some(_) => EpisodeStatus::Failed,
                };
                let file = (status == EpisodeStatus::Completed).then(|| EpisodeFile {
                    path: row.path.unwrap_or_default(),
                    container: row.container.unwrap_or_default(),
                    codec: row.codec.unwrap_or_default(),
                    bitrate_kbps: small(row.bitrate_kbps),
                    sample_rate: small(row.sample_rate),
                    channels: small(row.channels),
                    size_bytes: large(row.file_bytes.unwrap_or(0)),
                    modified_ns: row.modified_ns.unwrap_or(0),
                });
                let file_ms = large(row.file_ms.unwrap_or(0));
                Episode {
                    id: row.episode_id.into(),
                    channel: row.channel_id.into(),
                    channel_title: row.channel_title,
                    author: row.author,
                    title: row.title,
                    description: row.description,
                    published_at: row.published_at,
                    created_at: row.created_at,
                    duration_ms: if file_ms > 0 { file_ms } else { large(row.duration_ms) },
                    size_bytes: file.as_ref().map_or(large(row.size_bytes), |file| file.size_bytes),
                    audio_type: row.audio_type,
                    status,
                    error: row.error.unwrap_or_default(),
                    file,
                    picture: row.picture,
                    annotation: Annotation {
                        starred_at: row.starred_at,
                        rating: row.rating.and_then(|rating| u8::try_from(rating).ok()),
                        average_rating: row.average,
                        play_count: large(row.play_count.unwrap_or(0)),
                        played_at: row.played_at,
                    },
                    bookmark_ms: row.bookmark_ms,
                }
            })
            .collect())
    }
}

impl Episode {
    /// Media type of the file, else as the feed says.
    #[must_use]
    pub fn content_type(&self) -> &str {
        match &self.file {
            Some(file) => format::mime(&file.container, &file.codec),
            None if self.audio_type.starts_with("audio/") => &self.audio_type,
            None => "audio/mpeg",
        }
    }

    /// The suffix to show, without a dot.
    #[must_use]
    pub fn suffix(&self) -> &str {
        match &self.file {
            Some(file) => format::suffix(&file.container, &file.codec),
            None => super::names::suffix(&self.audio_type, ""),
        }
    }

    /// What `playback` needs to know of it. Its id is below 0 and so no track's.
    fn as_track(&self) -> Track {
        let file = self.file.as_ref();
        Track::from(TrackFacts {
            id: self.id.as_track(),
            title: self.title.clone(),
            album_name: self.channel_title.clone(),
            display_artist: self.author.clone(),
            duration_ms: self.duration_ms,
            size_bytes: self.size_bytes,
            modified_ns: file.map_or(0, |file| file.modified_ns),
            container: file.map(|file| file.container.clone()).unwrap_or_default(),
            codec: file.map(|file| file.codec.clone()).unwrap_or_default(),
            suffix: self.suffix().to_owned(),
            content_type: file.map_or("", |file| format::mime(&file.container, &file.codec)),
            bitrate_kbps: file.map_or(0, |file| file.bitrate_kbps),
            sample_rate: file.map_or(0, |file| file.sample_rate),
            channels: file.map_or(0, |file| file.channels),
            extra: Arc::default(),
            ..TrackFacts::default()
        })
    }
}
