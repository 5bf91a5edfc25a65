//! Jellyfin. Since 10.11 all is in `jellyfin.db` (tables `BaseItems`, `UserData`,
//! `BaseItemProviders`, `LinkedChildren`; migrations 20241020103111 and later); before that items
//! and user data were in `library.db` ([`jellyfin_old`](super::jellyfin_old)) and only the users
//! in `jellyfin.db`.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{
    gather::{Gathered, Row, rating},
    jellyfin_old,
    model::{AlbumMark, Bookmark, Legacy, List, Mark, Name, NamedMark, Person, Track},
    moment::moment,
    sqlite::Source,
};
use crate::{Error, Result, clock::Millis};

/// The star of an item: Jellyfin does not say since when.
const LONG_AGO: Millis = 1_000;
/// .NET counts time in these.
const TICKS_A_MS: i64 = 10_000;

pub(super) const AUDIO: &str = "MediaBrowser.Controller.Entities.Audio.Audio";
pub(super) const ALBUM: &str = "MediaBrowser.Controller.Entities.Audio.MusicAlbum";
pub(super) const ARTIST: &str = "MediaBrowser.Controller.Entities.Audio.MusicArtist";
pub(super) const PLAYLIST: &str = "MediaBrowser.Controller.Playlists.Playlist";

/// Items of music, by id: 32 hexadecimal digits in lower case.
#[derive(Default)]
pub(super) struct Items {
    pub(super) tracks: HashMap<String, Track>,
    pub(super) by_path: HashMap<String, String>,
    /// Artist and title.
    pub(super) albums: HashMap<String, (String, Name)>,
    pub(super) artists: HashMap<String, Name>,
    pub(super) lists: Vec<Playlist>,
}

/// A playlist as its row says.
pub(super) struct Playlist {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) data: Value,
    /// Ids in order, where a table says so.
    pub(super) children: Vec<String>,
}

/// What a user did with an item.
pub(super) struct Use {
    pub(super) item: String,
    pub(super) rating: f64,
    pub(super) play_count: i64,
    pub(super) is_favorite: bool,
    pub(super) position_ticks: i64,
    pub(super) played_at: Option<Millis>,
}

/// A user, with what he did.
pub(super) struct User {
    /// Like ids of items.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) uses: Vec<Use>,
}

/// Reads the databases in a folder, or the one named.
pub(super) async fn read(path: &Path) -> Result<Legacy> {
    let (new, old) = places(path);
    if let Some(new) = &new {
        let mut source = Source::open(new).await?;
        if source.has("BaseItems").await? {
            let (items, users) = (items(&mut source).await?, users(&mut source).await?);
            return Ok(legacy(&items, users));
        }
    }
    let Some(old) = old else {
        return Err(Error::Invalid(format!(
            "{} is no database of Jellyfin; name jellyfin.db, library.db or the folder they are in",
            path.display()
        )));
    };
    let (items, users) = jellyfin_old::read(&old, new.as_deref()).await?;
    Ok(legacy(&items, users))
}

/// `jellyfin.db` and `library.db`, those that are there.
fn places(path: &Path) -> (Option<PathBuf>, Option<PathBuf>) {
    let is_old =
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("library.db"));
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let there = |name: &str| folder.map(|folder| folder.join(name)).filter(|path| path.is_file());
    match (path.is_dir(), is_old) {
        (true, _) => (there("jellyfin.db"), there("library.db")),
        (false, true) => (there("jellyfin.db"), Some(path.to_owned())),
        (false, false) => (Some(path.to_owned()), there("library.db")),
    }
}

async fn items(source: &mut Source) -> Result<Items> {
    let mut providers: HashMap<String, Vec<(String, String)>> = HashMap::new();
    let columns = ["ItemId", "ProviderId", "ProviderValue"];
    let tail = "where \"ProviderId\" like 'MusicBrainz%'";
    for row in source.rows("BaseItemProviders", &columns, tail).await? {
        let pair = (row.text(1).to_owned(), row.text(2).to_owned());
        providers.entry(id(row.text(0))).or_default().push(pair);
    }
    let mut children: HashMap<String, Vec<String>> = HashMap::new();
    let columns = ["ParentId", "ChildId"];
    for row in
        source.rows("LinkedChildren", &columns, "order by \"ParentId\", \"SortOrder\"").await?
    {
        children.entry(id(row.text(0))).or_default().push(id(row.text(1)));
    }
    let columns =
        ["Id", "Type", "Path", "Name", "Album", "Artists", "AlbumArtists", "RunTimeTicks", "Data"];
    let tail = format!("where \"Type\" in ('{AUDIO}', '{ALBUM}', '{ARTIST}', '{PLAYLIST}')");
    let mut items = Items::default();
    for row in source.rows("BaseItems", &columns, &tail).await? {
        let item = id(row.text(0));
        let providers = providers.remove(&item).unwrap_or_default();
        let children = children.remove(&item).unwrap_or_default();
        items.add(item, &row, &providers, children);
    }
    Ok(items)
}

impl Items {
    /// A row of: (id), type, path, name, album, artists, album artists, ticks, data.
    pub(super) fn add(
        &mut self,
        id: String,
        row: &Row,
        providers: &[(String, String)],
        children: Vec<String>,
    ) {
        let provider = |name: &str| {
            let found = providers.iter().find(|(id, _)| id == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let name = row.text(3).to_owned();
        match row.text(1) {
            AUDIO => {
                // What the first is called changed its meaning between versions.
                let mbids = ["MusicBrainzTrack", "MusicBrainzRecording"].map(provider);
                let ticks = row.number(7);
                let track = Track {
                    path: row.text(2).to_owned(),
                    title: name,
                    artist: first(row.text(5)).to_owned(),
                    album: row.text(4).to_owned(),
                    duration_ms: (0 < ticks).then_some((ticks / TICKS_A_MS) as u64),
                    mbids: mbids.into_iter().filter(|mbid| !mbid.is_empty()).collect(),
                };
                self.by_path.insert(track.path.clone(), id.clone());
                self.tracks.insert(id, track);
            }
            ALBUM => {
                let of = Name { name, mbid: provider("MusicBrainzAlbum") };
                self.albums.insert(id, (first(row.text(6)).to_owned(), of));
            }
            ARTIST => {
                self.artists.insert(id, Name { name, mbid: provider("MusicBrainzArtist") });
            }
            PLAYLIST => {
                let data = serde_json::from_str(row.text(8)).unwrap_or_default();
                self.lists.push(Playlist { id, name, data, children });
            }
            _ => (),
        }
    }
}

async fn users(source: &mut Source) -> Result<Vec<User>> {
    let mut uses: HashMap<String, Vec<Use>> = HashMap::new();
    let columns = [
        "UserId",
        "ItemId",
        "Rating",
        "PlayCount",
        "IsFavorite",
        "PlaybackPositionTicks",
        "LastPlayedDate",
    ];
    for row in source.rows("UserData", &columns, "").await? {
        uses.entry(id(row.text(0))).or_default().push(one_use(id(row.text(1)), &row));
    }
    let rows = source.rows("Users", &["Id", "Username"], "order by \"Username\"").await?;
    Ok(rows
        .iter()
        .map(|row| {
            let id = id(row.text(0));
            User { uses: uses.remove(&id).unwrap_or_default(), id, name: row.text(1).to_owned() }
        })
        .collect())
}

/// A row of: two ids, rating, play count, favorite, position, last played.
pub(super) fn one_use(item: String, row: &Row) -> Use {
    Use {
        item,
        rating: row.real(2),
        play_count: row.number(3),
        is_favorite: row.is_true(4),
        position_ticks: row.number(5),
        played_at: moment(row.text(6), &TimeZone::UTC),
    }
}

fn legacy(items: &Items, users: Vec<User>) -> Legacy {
    let mut legacy = Legacy::default();
    let names: HashMap<String, String> =
        users.iter().map(|user| (user.id.clone(), user.name.clone())).collect();
    let mut ownerless = 0;
    for list in &items.lists {
        let owner = list.data.get("OwnerUserId").and_then(Value::as_str).map(id);
        ownerless += usize::from(!owner.is_some_and(|owner| names.contains_key(&owner)));
    }
    if 0 < ownerless {
        legacy.left_out.push(format!("{ownerless} playlists: nobody there owns them"));
    }
    legacy.left_out.push("the history: Jellyfin keeps only how often and when last".to_owned());
    legacy.people = users.into_iter().map(|user| person(items, user, &names)).collect();
    legacy
}

fn person(items: &Items, user: User, names: &HashMap<String, String>) -> Person {
    let mut gathered = Gathered::new("Jellyfin", format!("jellyfin:{}", user.id));
    for used in user.uses {
        let starred_at = used.is_favorite.then_some(LONG_AGO);
        // Out of ten there.
        let rating = rating(used.rating / 2.0);
        let named = |of: &Name| NamedMark { of: of.clone(), starred_at, rating };
        if items.tracks.contains_key(&used.item) {
            let play_count = used.play_count.max(0) as u64;
            if starred_at.is_none()
                && rating.is_none()
                && play_count == 0
                && used.position_ticks <= 0
            {
                continue;
            }
            let Some(track) = gathered.track(&used.item, &items.tracks) else { continue };
            gathered.mark(Mark {
                track,
                starred_at,
                rating,
                play_count,
                played_at: used.played_at,
            });
            if 0 < used.position_ticks {
                let bookmark = Bookmark {
                    track,
                    position_ms: used.position_ticks / TICKS_A_MS,
                    created_at: used.played_at,
                    changed_at: used.played_at,
                    ..Bookmark::default()
                };
                gathered.rest().bookmarks.push(bookmark);
            }
        } else if starred_at.is_none() && rating.is_none() {
        } else if let Some((artist, name)) = items.albums.get(&used.item) {
            let mark = AlbumMark { artist: artist.clone(), mark: named(name) };
            gathered.rest().albums.push(mark);
        } else if let Some(name) = items.artists.get(&used.item) {
            gathered.rest().artists.push(named(name));
        }
    }
    for list in &items.lists {
        let owner = list.data.get("OwnerUserId").and_then(Value::as_str).map(id);
        if owner.as_deref() == Some(user.id.as_str()) {
            add_list(&mut gathered, items, list, names);
        }
    }
    Person { name: user.name, belongings: gathered.done(), ..Person::default() }
}

fn add_list(
    gathered: &mut Gathered,
    items: &Items,
    list: &Playlist,
    names: &HashMap<String, String>,
) {
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
    };
    let linked = list.data.get("LinkedChildren").and_then(Value::as_array);
    let mut ids: Vec<String> = list.children.clone();
    if ids.is_empty() {
        let of = |child: &Value| {
            let by_path = items.by_path.get(&text(child, "Path")).cloned();
            let named = id(&text(child, "ItemId"));
            if items.tracks.contains_key(&named) { Some(named) } else { by_path }
        };
        ids = linked.into_iter().flatten().filter_map(of).collect();
    }
    let tracks = gathered.tracks(ids.iter().map(String::as_str), &items.tracks);
    // A list of films is none of ours.
    if tracks.is_empty() {
        return;
    }
    let shares = list.data.get("Shares").and_then(Value::as_array);
    let members = shares.into_iter().flatten();
    let members = members.filter_map(|share| names.get(&id(&text(share, "UserId"))).cloned());
    gathered.rest().lists.push(List {
        key: list.id.clone(),
        name: list.name.clone(),
        is_public: list.data.get("OpenAccess").and_then(Value::as_bool).unwrap_or(false),
        members: members.collect(),
        tracks,
        ..List::default()
    });
}

/// Ids stand with and without hyphens, in either case.
pub(super) fn id(text: &str) -> String {
    text.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_lowercase()).collect()
}

/// The first of names with `|` between.
fn first(names: &str) -> &str {
    names.split('|').next().unwrap_or_default()
}
