//! An image with a cue sheet becomes its tracks.

use super::listing::stem;
use crate::{
    catalog::write::TrackFound,
    media::{
        cue::{self, CueFile, CueSheet},
        tags::Tags,
    },
};

/// The tracks of the file at `path` by the sheet at `sheet_path`; `None` if the sheet is not about
/// this file, or names less than two tracks in it.
pub(super) fn parts(
    tags: &Tags,
    path: &str,
    sheet_path: &str,
    body: &str,
) -> Option<Vec<TrackFound>> {
    let sheet = cue::parse(body)?;
    let own = file_name(path);
    let names_it = |file: &&CueFile| {
        let name = file.name.rsplit(['/', '\\']).next().unwrap_or_default();
        same(name, own) || same(stem(name), stem(own))
    };
    let by_name = sheet.files.iter().find(names_it);
    // `image.cue` beside `image.flac` is about it whatever it was called when it was ripped.
    let is_beside =
        same(stem(file_name(sheet_path)), stem(own)) || same(stem(file_name(sheet_path)), own);
    let only = (sheet.files.len() == 1 && is_beside).then(|| sheet.files.first()).flatten();
    split(tags, &sheet, by_name.or(only)?)
}

/// The tracks of a file by the sheet in its tags.
pub(super) fn embedded_parts(tags: &Tags, body: &str) -> Option<Vec<TrackFound>> {
    let sheet = cue::parse(body)?;
    match sheet.files.as_slice() {
        [file] => split(tags, &sheet, file),
        _ => None,
    }
}

fn split(tags: &Tags, sheet: &CueSheet, file: &CueFile) -> Option<Vec<TrackFound>> {
    let whole_ms = tags.audio.duration_ms;
    let inside = file.tracks.iter().filter(|track| track.start_ms < whole_ms);
    let tracks: Vec<_> = inside.collect();
    if tracks.len() < 2 {
        return None;
    }
    let album_artist =
        sheet.performer.as_deref().or(tags.album_artists.first().map(String::as_str));
    let total = tracks.len() as u32;
    let found = tracks.into_iter().map(|track| {
        let end = track.end_ms.unwrap_or(whole_ms).clamp(track.start_ms, whole_ms);
        let mut of = tags.clone();
        of.audio.duration_ms = end - track.start_ms;
        of.title =
            Some(track.title.clone().unwrap_or_else(|| format!("Track {:02}", track.number)));
        of.sort_title = None;
        let artist = track.performer.as_deref().or(album_artist).map(str::to_owned);
        if of.artists.len() != 1 || of.artists.first() != artist.as_ref() {
            of.artists = artist.iter().cloned().collect();
            of.display_artist = artist;
            of.sort_artists.clear();
            of.mbid_artists.clear();
        }
        if let Some(performer) =
            sheet.performer.as_ref().filter(|it| of.album_artists.first() != Some(it))
        {
            of.album_artists = vec![performer.clone()];
            of.display_album_artist = Some(performer.clone());
            of.sort_album_artists.clear();
            of.mbid_album_artists.clear();
        }
        if let Some(title) = &sheet.title {
            if of.album.as_ref() != Some(title) {
                of.sort_album = None;
                of.mbid_album = None;
                of.mbid_release_group = None;
            }
            of.album = Some(title.clone());
        }
        of.number = Some(track.number);
        of.number_total = Some(total);
        of.disc = sheet.disc.or(of.disc);
        of.date = sheet.date.clone().or(of.date);
        if of.genres.is_empty() {
            of.genres.extend(sheet.genre.clone());
        }
        if let Some(writer) = track.songwriter.as_ref().or(sheet.songwriter.as_ref()) {
            of.composers = vec![writer.clone()];
        }
        of.extra.isrc = track.isrc.iter().cloned().collect();
        of.mbid_recording = None;
        of.mbid_track = None;
        of.track_gain = None;
        of.track_peak = None;
        of.lyrics.clear();
        of.cue_sheet = None;
        TrackFound {
            cue_index: Some(track.number),
            start_ms: track.start_ms,
            tags: of,
            lyrics: Vec::new(),
        }
    });
    let mut found: Vec<TrackFound> = found.collect();
    // A number names one track.
    found.dedup_by_key(|track| track.cue_index);
    Some(found)
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "PERFORMER \"Ann\"\nTITLE \"Blue\"\nREM DATE 1971\nFILE \"rip.wav\" WAVE\n\
        TRACK 01 AUDIO\nTITLE \"One\"\nINDEX 01 00:00:00\n\
        TRACK 02 AUDIO\nTITLE \"Two\"\nPERFORMER \"Bob\"\nINDEX 01 00:04:00\n";

    #[test]
    fn an_image_is_its_tracks() {
        let mut tags = Tags::default();
        tags.audio.duration_ms = 10_000;
        let found = parts(&tags, "a/image.flac", "a/image.cue", SHEET).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|track| {
                let tags = &track.tags;
                (
                    track.start_ms,
                    tags.audio.duration_ms,
                    tags.title.as_deref(),
                    tags.artists.join("+"),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [(0, 4000, Some("One"), "Ann".to_owned()), (4000, 6000, Some("Two"), "Bob".to_owned())]
        );
        assert_eq!(found[1].tags.album_artists, ["Ann"]);
        // Another file's sheet; a file too short for a second track.
        assert!(parts(&tags, "a/other.flac", "a/image.cue", SHEET).is_none());
        assert!(parts(&tags, "a/rip.flac", "a/x.cue", SHEET).is_some());
        tags.audio.duration_ms = 3_000;
        assert!(parts(&tags, "a/image.flac", "a/image.cue", SHEET).is_none());
    }
}
