//! Bookmarks, and the saved queue in its two forms: by the current song's id, and by its index.

use serde::Serialize;

use super::{
    call::{Answer, Call},
    failure::Failure,
    id::{self, Id},
    params::number,
    podcasts,
    responses::{Date, PodcastEpisode, Song, listed},
};
use crate::{
    catalog::{Bookmark, Item},
    ids::{EpisodeId, TrackId},
    outside::{MixedQueue, QueueEntry},
};

/// `getBookmarks`.
pub(super) async fn get_bookmarks(call: &Call) -> Answer {
    #[derive(Serialize)]
    struct Marked<'a> {
        position: i64,
        username: &'a str,
        comment: &'a str,
        created: Date,
        changed: Date,
        entry: Entry<'a>,
    }
    let bookmarks = call.catalog().bookmarks(&call.principal).await?;
    let in_episodes = call.outside().podcasts.bookmarks(&call.principal).await?;
    let mut list: Vec<_> = bookmarks
        .iter()
        .map(|bookmark: &Bookmark| Marked {
            position: bookmark.position_ms,
            username: &call.principal.name,
            comment: &bookmark.comment,
            created: Date(bookmark.created_at),
            changed: Date(bookmark.changed_at),
            entry: Entry::Song(Box::new(call.song(&bookmark.track))),
        })
        .collect();
    list.extend(in_episodes.iter().map(|bookmark| Marked {
        position: bookmark.position_ms,
        username: &call.principal.name,
        comment: &bookmark.comment,
        created: Date(bookmark.created_at),
        changed: Date(bookmark.changed_at),
        entry: Entry::Episode(Box::new(PodcastEpisode::as_song(&bookmark.episode))),
    }));
    call.reply("bookmarks", &listed("bookmark", list))
}

/// `createBookmark`: makes or moves it.
pub(super) async fn create_bookmark(call: &Call) -> Answer {
    call.params.required("id")?;
    let position = number("position", call.params.required("position")?)?;
    let comment = call.params.text("comment").unwrap_or_default();
    if let Some(id) = podcasts::named(call, "id") {
        let podcasts = &call.outside().podcasts;
        podcasts.set_bookmark(&call.principal, id, position, comment).await?;
        return call.done();
    }
    let id = id::track(&call.params, "id")?;
    call.catalog().set_bookmark(&call.principal, id, position, comment).await?;
    call.done()
}

/// `deleteBookmark`.
pub(super) async fn delete_bookmark(call: &Call) -> Answer {
    if let Some(id) = podcasts::named(call, "id") {
        call.outside().podcasts.remove_bookmark(&call.principal, id).await?;
        return call.done();
    }
    let id = id::track(&call.params, "id")?;
    call.catalog().remove_bookmark(&call.principal, id).await?;
    call.done()
}

/// A song, or an episode where the protocol has songs.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Song(Box<Song<'a>>),
    Episode(Box<PodcastEpisode<'a>>),
}

impl<'a> Entry<'a> {
    fn of(call: &'a Call, entry: &'a QueueEntry) -> Self {
        match entry {
            QueueEntry::Song(track) => Self::Song(Box::new(call.song(track))),
            QueueEntry::Episode(episode) => {
                Self::Episode(Box::new(PodcastEpisode::as_song(episode)))
            }
        }
    }
}

/// The id of either.
#[derive(Serialize)]
#[serde(untagged)]
enum EntryId {
    Song(Id<TrackId>),
    Episode(Id<EpisodeId>),
}

/// What both forms of the queue share.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Queue<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<EntryId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_index: Option<usize>,
    position: i64,
    username: &'a str,
    changed: Date,
    changed_by: &'a str,
    entry: Vec<Entry<'a>>,
}

impl<'a> Queue<'a> {
    fn of(call: &'a Call, queue: &'a MixedQueue) -> Self {
        Self {
            current: None,
            current_index: None,
            position: queue.position_ms,
            username: &call.principal.name,
            changed: Date(queue.changed_at),
            changed_by: &queue.changed_by,
            entry: queue.entries.iter().map(|entry| Entry::of(call, entry)).collect(),
        }
    }
}

/// `getPlayQueue`: nothing when nothing was saved (C31).
pub(super) async fn get_play_queue(call: &Call) -> Answer {
    let Some(queue) = saved(call).await? else { return call.done() };
    let current = queue.entries.get(queue.current_index).map(|entry| match entry {
        QueueEntry::Song(track) => EntryId::Song(Id(track.id)),
        QueueEntry::Episode(episode) => EntryId::Episode(Id(episode.id)),
    });
    call.reply("playQueue", &Queue { current, ..Queue::of(call, &queue) })
}

/// `getPlayQueueByIndex`.
pub(super) async fn get_play_queue_by_index(call: &Call) -> Answer {
    let Some(queue) = saved(call).await? else { return call.done() };
    let current_index = Some(queue.current_index);
    call.reply("playQueueByIndex", &Queue { current_index, ..Queue::of(call, &queue) })
}

/// The queue, if any of it is left: apps cannot take one without a current song (C31).
async fn saved(call: &Call) -> Result<Option<MixedQueue>, Failure> {
    let queue = call.outside().podcasts.play_queue(&call.principal).await?;
    Ok(queue.filter(|queue| !queue.entries.is_empty()))
}

/// `savePlayQueue`: no songs clear it; a current song that is not among them means the first.
pub(super) async fn save_play_queue(call: &Call) -> Answer {
    let entries: Vec<TrackId> = call.params.all("id").filter_map(queued).collect();
    let current = call.params.get("current").and_then(queued);
    let index = entries.iter().position(|entry| current == Some(*entry));
    save(call, &entries, index.unwrap_or(0)).await
}

/// `savePlayQueueByIndex`: the index has to be there and inside.
pub(super) async fn save_play_queue_by_index(call: &Call) -> Answer {
    let sent = call.params.all("id").count();
    let index = match call.params.whole("currentIndex")? {
        None if sent == 0 => 0,
        None => return Err(Failure::missing("currentIndex")),
        Some(index) => match usize::try_from(index) {
            Ok(index) if index < sent || sent == 0 => index,
            _ => return Err(Failure::out_of_range("currentIndex")),
        },
    };
    // The index counts what was sent; ids of what cannot be queued are not kept.
    let before = call.params.all("id").take(index).filter(|text| queued(text).is_some()).count();
    let entries: Vec<TrackId> = call.params.all("id").filter_map(queued).collect();
    save(call, &entries, before).await
}

/// A song's id, or what stands for an episode among them.
fn queued(text: &str) -> Option<TrackId> {
    match id::item(text) {
        Some(Item::Track(id)) => Some(id),
        _ => EpisodeId::parse(text).map(EpisodeId::as_track),
    }
}

async fn save(call: &Call, entries: &[TrackId], index: usize) -> Answer {
    let position = call.params.whole("position")?.unwrap_or(0).max(0);
    call.catalog().save_play_queue(&call.principal, entries, index, position, &call.client).await?;
    call.done()
}
