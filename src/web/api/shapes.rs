//! What the API answers with. Names are the panel's; the catalogue's own types are not serialisable.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    catalog::{Album, Artist, ArtistRef, Item, Lyrics, Picture, Playlist, Track},
    ids::AlbumId,
    media::lyrics::{CueLine, Kind},
};

/// Codecs that lose nothing.
const LOSSLESS: [&str; 8] = ["flac", "alac", "pcm", "wavpack", "ape", "dsd", "tta", "wav"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtistName {
    id: String,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlbumShape {
    id: String,
    name: String,
    artist: String,
    artists: Vec<ArtistName>,
    year: Option<i32>,
    kind: Option<String>,
    cover: Option<String>,
    track_count: u32,
    /// Seconds.
    duration: f64,
    created_at: i64,
    starred: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WholeAlbum {
    #[serde(flatten)]
    album: AlbumShape,
    genres: Vec<String>,
    labels: Vec<String>,
    /// Bytes.
    size: u64,
    disc_titles: BTreeMap<u32, String>,
    /// Other libraries that have it too.
    also_in: Vec<AlsoIn>,
    tracks: Vec<TrackShape>,
}

#[derive(Serialize)]
pub(super) struct AlsoIn {
    /// The copy.
    id: String,
    /// The library's name.
    library: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtistShape {
    id: String,
    name: String,
    cover: Option<String>,
    album_count: u32,
    track_count: u32,
    starred: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WholeArtist {
    #[serde(flatten)]
    artist: ArtistShape,
    albums: Vec<AlbumShape>,
    appears_on: Vec<AlbumShape>,
    top_tracks: Vec<TrackShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrackShape {
    id: String,
    title: String,
    artist: String,
    artists: Vec<ArtistName>,
    album: Option<String>,
    album_name: String,
    disc: Option<u32>,
    number: Option<u32>,
    year: Option<i32>,
    /// Seconds.
    duration: f64,
    container: String,
    codec: String,
    content_type: &'static str,
    lossless: bool,
    bitrate: u32,
    sample_rate: u32,
    bit_depth: u32,
    cover: Option<String>,
    has_lyrics: bool,
    starred: bool,
    play_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that people see")]
pub(super) struct PlaylistShape {
    id: String,
    name: String,
    comment: String,
    owner: String,
    own: bool,
    public: bool,
    /// Whoever sees it may change its tracks.
    open: bool,
    /// Its tracks may be changed.
    editable: bool,
    /// Its name, rules and people may be changed.
    managed: bool,
    /// Rules instead of entries.
    rules: Option<serde_json::Value>,
    members: Vec<Member>,
    track_count: u32,
    /// Seconds.
    duration: f64,
    cover: Option<String>,
}

/// Somebody with whom a playlist is shared.
#[derive(Serialize)]
pub(super) struct Member {
    name: String,
    edit: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WholePlaylist {
    #[serde(flatten)]
    playlist: PlaylistShape,
    tracks: Vec<TrackShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LyricsShape {
    lang: String,
    /// What is sung, not a translation of it.
    main: bool,
    synced: bool,
    lines: Vec<Line>,
}

#[derive(Serialize)]
pub(super) struct Line {
    /// ms, for synced lyrics.
    at: Option<i64>,
    text: String,
    /// The text in parts with times, where words have their own.
    words: Vec<Word>,
}

#[derive(Serialize)]
pub(super) struct Word {
    /// ms.
    at: i64,
    text: String,
}

/// A cover's id: the item's id and the picture's hash, so that a new picture is a new address.
fn cover(item: Item, picture: Option<Picture>) -> Option<String> {
    let hash = picture?.hash;
    Some(match item {
        Item::Track(id) => format!("{id}_{hash:08x}"),
        Item::Album(id) => format!("{id}_{hash:08x}"),
        Item::Artist(id) => format!("{id}_{hash:08x}"),
        Item::Folder(id) => format!("{id}_{hash:08x}"),
        Item::Playlist(id) => format!("{id}_{hash:08x}"),
    })
}

fn names(artists: &[ArtistRef]) -> Vec<ArtistName> {
    let shape = |one: &ArtistRef| ArtistName { id: one.id.to_string(), name: one.name.to_string() };
    artists.iter().map(shape).collect()
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

pub(super) fn album(album: &Album) -> AlbumShape {
    AlbumShape {
        id: album.id.to_string(),
        name: album.name.clone(),
        artist: album.display_artist.clone(),
        artists: names(&album.artists),
        year: album.year,
        kind: album.release_types.first().map(|kind| known_kind(kind)),
        cover: cover(Item::Album(album.id), album.picture),
        track_count: album.track_count,
        duration: seconds(album.duration_ms),
        created_at: album.created_at,
        starred: album.annotation.starred_at.is_some(),
    }
}

fn known_kind(kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    let known =
        ["album", "ep", "single", "live", "compilation", "soundtrack", "remix", "audiobook"];
    if known.contains(&kind.as_str()) { kind } else { "other".to_owned() }
}

pub(super) fn whole_album(
    one: &Album,
    tracks: &[Track],
    also_in: Vec<(AlbumId, String)>,
) -> WholeAlbum {
    let also_in = also_in.into_iter();
    WholeAlbum {
        album: album(one),
        genres: one.genres.clone(),
        labels: one.record_labels.clone(),
        size: one.size_bytes,
        disc_titles: one.disc_titles.iter().cloned().collect(),
        also_in: also_in.map(|(id, library)| AlsoIn { id: id.to_string(), library }).collect(),
        tracks: tracks.iter().map(track).collect(),
    }
}

pub(super) fn artist(artist: &Artist) -> ArtistShape {
    ArtistShape {
        id: artist.id.to_string(),
        name: artist.name.clone(),
        cover: cover(Item::Artist(artist.id), artist.picture),
        album_count: artist.album_count,
        track_count: artist.track_count,
        starred: artist.annotation.starred_at.is_some(),
    }
}

pub(super) fn whole_artist(
    one: &Artist,
    albums: &[Album],
    appears_on: &[Album],
    top: &[Track],
) -> WholeArtist {
    WholeArtist {
        artist: artist(one),
        albums: albums.iter().map(album).collect(),
        appears_on: appears_on.iter().map(album).collect(),
        top_tracks: top.iter().map(track).collect(),
    }
}

pub(super) fn track(track: &Track) -> TrackShape {
    TrackShape {
        id: track.id.to_string(),
        title: track.title.clone(),
        artist: track.display_artist.clone(),
        artists: names(&track.artists),
        album: track.album.map(|id| id.to_string()),
        album_name: track.album_name.clone(),
        disc: track.disc,
        number: track.number,
        year: track.year,
        duration: seconds(track.duration_ms),
        container: track.container.clone(),
        codec: track.codec.clone(),
        content_type: track.content_type,
        lossless: LOSSLESS.contains(&track.codec.as_str()),
        bitrate: track.bitrate_kbps,
        sample_rate: track.sample_rate,
        bit_depth: track.bit_depth,
        cover: cover(Item::Track(track.id), track.picture),
        has_lyrics: track.has_lyrics,
        starred: track.annotation.starred_at.is_some(),
        play_count: track.annotation.play_count,
    }
}

/// The cover's id of a track that has one.
pub(super) fn track_cover(track: &Track) -> Option<String> {
    cover(Item::Track(track.id), track.picture)
}

pub(super) fn playlist(list: &Playlist) -> PlaylistShape {
    PlaylistShape {
        id: list.id.to_string(),
        name: list.name.clone(),
        comment: list.comment.clone(),
        owner: list.owner.clone(),
        own: list.is_own,
        public: list.is_public,
        open: list.is_open,
        editable: !list.is_readonly,
        managed: list.is_managed,
        rules: list.rules.as_deref().and_then(|rules| serde_json::from_str(rules).ok()),
        members: list
            .members
            .iter()
            .map(|member| Member { name: member.name.clone(), edit: member.may_edit })
            .collect(),
        track_count: list.track_count,
        duration: seconds(list.duration_ms),
        cover: cover(Item::Playlist(list.id), list.picture),
    }
}

pub(super) fn whole_playlist(list: &Playlist, tracks: &[Track]) -> WholePlaylist {
    WholePlaylist { playlist: playlist(list), tracks: tracks.iter().map(track).collect() }
}

pub(super) fn lyrics(lyrics: &Lyrics) -> LyricsShape {
    let words = &lyrics.words;
    let early = |at: u64| (at as i64 - words.offset_ms).max(0);
    let mut lines: Vec<Line> = words
        .lines
        .iter()
        .map(|line| Line {
            at: line.start_ms.map(early),
            text: line.text.clone(),
            words: Vec::new(),
        })
        .collect();
    // The panel shows one voice a line; where several sing, the line is enough.
    for cues in &words.cue_lines {
        if let Some(line) = lines.get_mut(cues.line)
            && line.text == cues.text
        {
            line.words = words_of(cues, early);
        }
    }
    let is_main = words.kind == Kind::Main;
    LyricsShape { lang: lyrics.lang.clone(), main: is_main, synced: words.is_synced, lines }
}

/// The whole text of a line, cut where its cues begin.
fn words_of(line: &CueLine, early: impl Fn(u64) -> i64) -> Vec<Word> {
    let ends = line.cues.iter().skip(1).map(|cue| cue.bytes.start).chain([line.text.len()]);
    let mut from = 0;
    line.cues
        .iter()
        .zip(ends)
        .map(|(cue, end)| {
            let text = line.text.get(from..end).unwrap_or_default().to_owned();
            from = end;
            Word { at: early(cue.start_ms), text }
        })
        .collect()
}
