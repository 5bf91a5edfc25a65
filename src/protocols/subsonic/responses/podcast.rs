//! `PodcastChannel`, `PodcastEpisode` and `InternetRadioStation`.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{super::id::Id, Date, known, seconds, some};
use crate::{
    ids::{EpisodeId, PodcastId, StationId},
    outside::{Channel, ChannelStatus, Episode, Station, WithEpisodes},
    playback::NowPlaying,
};

/// A coverArt id of something from outside: its id and the beginning of its picture's hash.
struct Art<T>(T, String);

impl<T> Art<T> {
    fn of(id: T, picture: Option<&String>) -> Option<Self> {
        Some(Self(id, picture?.get(..8)?.to_owned()))
    }
}

impl<T: fmt::Display> Serialize for Art<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}_{}", self.0, self.1))
    }
}

/// A subscription.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PodcastChannel<'a> {
    id: Id<PodcastId>,
    url: &'a str,
    title: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<Art<PodcastId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_image_url: Option<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    episode: Option<Vec<PodcastEpisode<'a>>>,
}

impl<'a> PodcastChannel<'a> {
    /// As its subscriber sees it.
    pub(in super::super) fn of(channel: &'a Channel, with: WithEpisodes) -> Self {
        let episodes = || channel.episodes.iter().map(PodcastEpisode::of).collect();
        Self {
            id: Id(channel.id),
            url: &channel.url,
            title: &channel.title,
            description: &channel.description,
            cover_art: Art::of(channel.id, channel.picture.as_ref()),
            original_image_url: some(&channel.image_url),
            status: match channel.status {
                ChannelStatus::New => "new",
                ChannelStatus::Completed => "completed",
                ChannelStatus::Failed => "error",
            },
            error_message: some(&channel.error),
            episode: (with == WithEpisodes::Yes).then(episodes),
        }
    }
}

/// An episode, whether it is downloaded or not. `duration` is always there (C40).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PodcastEpisode<'a> {
    id: Id<EpisodeId>,
    parent: Id<PodcastId>,
    is_dir: bool,
    title: &'a str,
    album: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist: Option<&'a str>,
    year: i64,
    genre: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<Art<EpisodeId>>,
    size: u64,
    content_type: &'a str,
    suffix: &'a str,
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bit_rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    is_video: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_rating: Option<f64>,
    play_count: u64,
    created: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Date>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bookmark_position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    played: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<Id<EpisodeId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<Id<PodcastId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes_ago: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    player_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    player_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    playback_rate: Option<f64>,
}

impl<'a> PodcastEpisode<'a> {
    /// As its subscriber sees it.
    pub(in super::super) fn of(episode: &'a Episode) -> Self {
        let mine = &episode.annotation;
        Self {
            id: Id(episode.id),
            parent: Id(episode.channel),
            is_dir: false,
            title: &episode.title,
            album: &episode.channel_title,
            artist: some(&episode.author),
            year: year(episode.published_at),
            genre: "Podcast",
            cover_art: Art::of(episode.id, episode.picture.as_ref()),
            size: episode.size_bytes,
            content_type: episode.content_type(),
            suffix: episode.suffix(),
            duration: seconds(episode.duration_ms),
            bit_rate: episode.file.as_ref().and_then(|file| known(file.bitrate_kbps)),
            path: episode.file.as_ref().map(|file| file.path.as_str()),
            is_video: false,
            user_rating: mine.rating,
            average_rating: mine.average_rating,
            play_count: mine.play_count,
            created: Date(episode.created_at),
            starred: mine.starred_at.map(Date),
            r#type: "podcast",
            bookmark_position: episode.bookmark_ms,
            played: mine.played_at.map(Date),
            stream_id: episode.file.as_ref().map(|_| Id(episode.id)),
            channel_id: Some(Id(episode.channel)),
            description: Some(&episode.description),
            status: Some(episode.status.name()),
            publish_date: Some(Date(episode.published_at)),
            username: None,
            minutes_ago: None,
            player_id: None,
            player_name: None,
            state: None,
            position_ms: None,
            playback_rate: None,
        }
    }

    /// As an entry of what is heard now.
    pub(in super::super) fn playing(
        episode: &'a Episode,
        entry: &'a NowPlaying<EpisodeId>,
    ) -> Self {
        Self {
            username: Some(&entry.user_name),
            minutes_ago: Some(entry.minutes_ago),
            player_id: Some(entry.user.0),
            player_name: Some(&entry.client),
            state: Some(entry.state.as_str()),
            position_ms: Some(entry.position_ms),
            playback_rate: Some(entry.rate),
            ..Self::as_song(episode)
        }
    }

    /// Where the protocol wants a song and no more, in bookmarks.
    pub(in super::super) fn as_song(episode: &'a Episode) -> Self {
        Self {
            stream_id: None,
            channel_id: None,
            description: None,
            status: None,
            publish_date: None,
            ..Self::of(episode)
        }
    }
}

fn year(at: i64) -> i64 {
    crate::clock::iso(at).get(..4).and_then(|year| year.parse().ok()).unwrap_or(1970)
}

/// A station.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct RadioStation<'a> {
    id: Id<StationId>,
    name: &'a str,
    stream_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    home_page_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<Art<StationId>>,
}

impl<'a> RadioStation<'a> {
    /// As everybody sees it.
    pub(in super::super) fn of(station: &'a Station) -> Self {
        Self {
            id: Id(station.id),
            name: &station.name,
            stream_url: &station.stream_url,
            home_page_url: some(&station.homepage_url),
            cover_art: Art::of(station.id, station.picture.as_ref()),
        }
    }
}
