//! Media retrieval: streams, downloads, covers, lyrics. Answers bytes, or an envelope as ever.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, ETag, EntityTag, Header as _, IfNoneMatch},
    },
};

use super::{
    call::{Answer, Call},
    failure::Failure,
    id, podcasts,
    responses::{Detail, OldLyrics, StructuredLyrics, listed},
};
use crate::{
    Error,
    catalog::{Cover, Item, Track},
    http::{file, headers::attachment, live},
    ids::{AlbumId, EpisodeId, PodcastId, StationId, TrackId},
    playback::{Gain, Opened, Wish, WishFormat},
};

/// `stream`: the original unless something else is asked for.
pub(super) async fn stream(call: &Call) -> Answer {
    if let Some(episode) = podcasts::named(call, "id") {
        return podcasts::stream(call, episode).await;
    }
    let params = &call.params;
    let id = id::track(params, "id")?;
    if !call.principal.abilities.stream {
        return Err(Failure::forbidden("This user may not play"));
    }
    let (format, is_own_suffix) = match params.get("format") {
        None => (None, false),
        Some(name) => wish_format(call, id, name).await?,
    };
    let offset = params.number::<f64>("timeOffset")?.unwrap_or(0.0);
    let wish = Wish {
        format,
        is_own_suffix,
        max_bitrate_kbps: params.amount("maxBitRate")?.filter(|limit| *limit > 0),
        offset: Duration::try_from_secs_f64(offset.max(0.0)).unwrap_or(Duration::MAX),
        estimate_length: params.flag("estimateContentLength")?.unwrap_or(false),
        gain: params.get("replayGain").map(gain).transpose()?,
        network: call.network(),
    };
    let opened = call.playback().open(&call.principal, id, &wish, &call.client).await?;
    Ok(send(call, opened))
}

/// `download`: the original, to keep; of anything with songs in it, an archive of them.
pub(super) async fn download(call: &Call) -> Answer {
    if let Some(episode) = podcasts::named(call, "id") {
        return podcasts::download(call, episode).await;
    }
    let item = id::required(&call.params, "id")?;
    if !call.principal.abilities.download {
        return Err(Failure::forbidden("This user may not download"));
    }
    let Item::Track(id) = item else {
        let (name, body) = call.playback().archive(&call.principal, item).await?;
        return Ok(attached(live::respond(&call.request, body), &name));
    };
    let track = call.catalog().track(&call.principal, id).await?;
    let wish = Wish::original();
    let opened = call.playback().open(&call.principal, id, &wish, &call.client).await?;
    Ok(attached(send(call, opened), &format!("{}.{}", track.title, track.suffix)))
}

/// `getCoverArt`: by the id of anything that has a picture.
pub(super) async fn get_cover_art(call: &Call) -> Answer {
    let text = call.params.required("id")?;
    let size = call.params.amount("size")?.filter(|size| *size > 0);
    if let Some(cover) = outside_cover(call, text, size).await? {
        return Ok(send_cover(call, cover));
    }
    let item = id::item(text).ok_or_else(|| Failure::not_found("Picture"))?;
    let cover = call.catalog().cover(&call.principal, item, size).await;
    let cover = match (item, id::picture_hash(text)) {
        // An album's id with another picture's hash: one of its songs has that picture.
        (Item::Album(album), Some(hash)) if !shows(&cover, hash) => {
            song_cover(call, album, hash, size).await?.map_or(cover, Ok)
        }
        _ => cover,
    }?;
    Ok(send_cover(call, cover))
}

/// `getAvatar`: a person's picture, or initials.
pub(super) async fn get_avatar(call: &Call) -> Answer {
    let name = call.params.required("username")?;
    let picture = call.catalog().avatar_or_initials(&call.principal, name).await?;
    let mut response = send_cover(call, picture);
    // The address stays when the picture changes.
    let ask = header::HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, ask);
    Ok(response)
}

/// `getLyrics`: by names; nothing found is an empty answer.
pub(super) async fn get_lyrics(call: &Call) -> Answer {
    let artist = call.params.get("artist").unwrap_or_default();
    let title = call.params.get("title").unwrap_or_default();
    let found = match (artist, title) {
        ("", "") => None,
        _ => call.catalog().find_track(&call.principal, artist, title).await?,
    };
    let lyrics = match &found {
        Some(track) => call.catalog().lyrics(&call.principal, track.id).await?,
        None => Vec::new(),
    };
    let Some((track, text)) = found.as_ref().zip(lyrics.first()) else {
        return call
            .reply("lyrics", &OldLyrics { artist: None, title: None, value: String::new() });
    };
    let answer = OldLyrics {
        artist: Some(&track.display_artist),
        title: Some(&track.title),
        value: text.words.plain(),
    };
    call.reply("lyrics", &answer)
}

/// `getLyricsBySongId`: with `enhanced` words, voices and translations too.
pub(super) async fn get_lyrics_by_song_id(call: &Call) -> Answer {
    let id = id::track(&call.params, "id")?;
    let track = call.catalog().track(&call.principal, id).await?;
    let lyrics = call.catalog().lyrics(&call.principal, id).await?;
    let is_enhanced = call.params.flag("enhanced")?.unwrap_or(false);
    let detail = if is_enhanced { Detail::Enhanced } else { Detail::Lines };
    let list: Vec<_> =
        lyrics.iter().filter_map(|each| StructuredLyrics::of(&track, each, detail)).collect();
    call.reply("lyricsList", &listed("structuredLyrics", list))
}

/// A format by name, and whether it is the song's own suffix, which whatever it is means the
/// original.
async fn wish_format(
    call: &Call,
    id: TrackId,
    name: &str,
) -> Result<(Option<WishFormat>, bool), Failure> {
    if name.eq_ignore_ascii_case("raw") {
        return Ok((Some(WishFormat::Raw), false));
    }
    let track = call.catalog().track(&call.principal, id).await?;
    named_format(name, &track.suffix)
}

/// The same for what has this suffix.
pub(super) fn named_format(
    name: &str,
    suffix: &str,
) -> Result<(Option<WishFormat>, bool), Failure> {
    let is_own = suffix.eq_ignore_ascii_case(name);
    match WishFormat::parse(name) {
        Some(format) => Ok((Some(format), is_own)),
        None if is_own => Ok((Some(WishFormat::Raw), true)),
        None => Err(Failure::generic(WishFormat::NAMES)),
    }
}

/// A loudness correction by name.
pub(super) fn gain(name: &str) -> Result<Gain, Failure> {
    let unknown = || Failure::generic("The gain is one of off, track, album and auto");
    Gain::parse(name).ok_or_else(unknown)
}

/// An answer to be kept as a file.
fn attached(mut response: HttpResponse, name: &str) -> HttpResponse {
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(name));
    response
}

/// The picture of a podcast, an episode or a station, if that is what the id names.
async fn outside_cover(
    call: &Call,
    text: &str,
    size: Option<u32>,
) -> Result<Option<Cover>, Failure> {
    let (of, principal) = (call.outside(), &call.principal);
    let id = text.split_once('_').map_or(text, |(id, _)| id);
    Ok(if let Some(id) = PodcastId::parse(id) {
        Some(of.podcasts.channel_cover(principal, id, size).await?)
    } else if let Some(id) = EpisodeId::parse(id) {
        Some(of.podcasts.episode_cover(principal, id, size).await?)
    } else if let Some(id) = StationId::parse(id) {
        Some(of.radio.cover(principal, id, size).await?)
    } else {
        None
    })
}

pub(super) fn send(call: &Call, opened: Opened) -> HttpResponse {
    match opened {
        Opened::File(body) => file::respond(&call.request, body),
        Opened::Live(body) => live::respond(&call.request, body),
    }
}

/// Whether this is the picture with that hash, or a failure that says nothing about it.
fn shows(cover: &Result<Cover, Error>, hash: u32) -> bool {
    match cover {
        Ok(cover) => cover.tag.starts_with(&format!("{hash:08x}")),
        Err(error) => !matches!(error, Error::NotFound(_)),
    }
}

async fn song_cover(
    call: &Call,
    album: AlbumId,
    hash: u32,
    size: Option<u32>,
) -> Result<Option<Cover>, Failure> {
    let songs = call.catalog().album_tracks(&call.principal, album).await?;
    let has_it = |song: &&Track| song.picture.is_some_and(|picture| picture.hash == hash);
    let Some(song) = songs.iter().find(has_it) else { return Ok(None) };
    match call.catalog().cover(&call.principal, Item::Track(song.id), size).await {
        Ok(cover) => Ok(Some(cover)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Apps may keep it for a year: the id changes with the picture.
fn send_cover(call: &Call, cover: Cover) -> HttpResponse {
    let tag = EntityTag::new_strong(cover.tag);
    let is_known = match IfNoneMatch::parse(&call.request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|each| each.weak_eq(&tag)),
        Err(_) => false,
    };
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "private, max-age=31536000"));
    response.insert_header(ETag(tag));
    if is_known {
        return response.finish();
    }
    response.insert_header((header::CONTENT_TYPE, cover.mime));
    response.body(cover.bytes)
}
