//! The SortCriteria argument. A key that we don't have is passed over in silence: clients send
//! keys of their makers and stop playing at an error.

use super::kind::Kind;
use crate::catalog::{Field, OrderBy, Track};

/// What GetSortCapabilities says.
pub(crate) const CAPABILITIES: &str = "@id,dc:title,dc:creator,dc:date,upnp:artist,upnp:album,\
upnp:class,upnp:genre,upnp:originalTrackNumber,upnp:originalDiscNumber,upnp:rating,\
res@bitrate,res@duration,res@sampleFrequency,res@size";

/// The kinds of object in the order of results: by class if that is the first key that we have.
pub(crate) fn kinds(text: Option<&str>) -> Vec<Kind> {
    let mut kinds = Kind::ALL.to_vec();
    let first = text.unwrap_or_default().split(',').map(str::trim).find(|key| {
        key.trim_start_matches(['+', '-']).trim() == "upnp:class" || !parse(Some(key)).is_empty()
    });
    if let Some(key) = first.filter(|key| key.ends_with("upnp:class")) {
        kinds.sort_by_key(|kind| kind.class());
        if key.starts_with('-') {
            kinds.reverse();
        }
    }
    kinds
}

/// Reads `+dc:title,-dc:date`; a missing sign is a plus.
pub(crate) fn parse(text: Option<&str>) -> Vec<OrderBy> {
    let keys = text.unwrap_or_default().split(',').filter_map(|key| {
        let key = key.trim();
        let (is_descending, property) = match key.strip_prefix('-') {
            Some(property) => (true, property),
            None => (false, key.strip_prefix('+').unwrap_or(key)),
        };
        let field = match property.trim() {
            "dc:title" => Field::Title,
            "dc:creator" | "upnp:artist" => Field::Artist,
            "upnp:album" => Field::Album,
            "upnp:genre" => Field::Genre,
            "dc:date" => Field::Date,
            "upnp:originalTrackNumber" => Field::Number,
            "upnp:originalDiscNumber" => Field::Disc,
            "res@duration" => Field::Duration,
            "res@size" => Field::Size,
            "res@bitrate" => Field::Bitrate,
            "res@sampleFrequency" => Field::SampleRate,
            "upnp:rating" => Field::Rating,
            "@id" => Field::Row,
            _ => return None,
        };
        Some(OrderBy { field, is_descending })
    });
    let mut order: Vec<OrderBy> = Vec::new();
    for key in keys {
        if order.len() < 8 && !order.iter().any(|known| known.field == key.field) {
            order.push(key);
        }
    }
    order
}

/// Orders the tracks of one container that is small enough to hold. Stable: what compares equal
/// keeps the container's own order.
pub(crate) fn tracks<T>(order: &[OrderBy], list: &mut [T], track: impl Fn(&T) -> &Track) {
    if order.is_empty() {
        return;
    }
    list.sort_by(|a, b| {
        let (a, b) = (track(a), track(b));
        for key in order {
            let by_key = match key.field {
                Field::Title => text(&a.sort_title).cmp(&text(&b.sort_title)),
                Field::Artist | Field::AlbumArtist => {
                    text(&a.display_artist).cmp(&text(&b.display_artist))
                }
                Field::Composer => text(&a.display_composer).cmp(&text(&b.display_composer)),
                Field::Album => text(&a.album_name).cmp(&text(&b.album_name)),
                Field::Genre => text(&a.genre).cmp(&text(&b.genre)),
                Field::Year => a.year.cmp(&b.year),
                Field::Number => a.number.cmp(&b.number),
                Field::Disc => a.disc.cmp(&b.disc),
                Field::Duration => a.duration_ms.cmp(&b.duration_ms),
                Field::Size => a.size_bytes.cmp(&b.size_bytes),
                Field::Container => a.container.cmp(&b.container),
                Field::Date => day(a).cmp(&day(b)),
                Field::Bitrate => a.bitrate_kbps.cmp(&b.bitrate_kbps),
                Field::SampleRate => a.sample_rate.cmp(&b.sample_rate),
                Field::BitDepth => a.bit_depth.cmp(&b.bit_depth),
                Field::Channels => a.channels.cmp(&b.channels),
                Field::Rating => a.annotation.rating.cmp(&b.annotation.rating),
                Field::Row => a.id.cmp(&b.id),
                // No property of DLNA's sort capabilities.
                _ => std::cmp::Ordering::Equal,
            };
            let by_key = if key.is_descending { by_key.reverse() } else { by_key };
            if by_key.is_ne() {
                return by_key;
            }
        }
        std::cmp::Ordering::Equal
    });
}

/// The release date as far as it is known; dates of one year sort as shown.
fn day(track: &Track) -> String {
    match track.year {
        Some(year) if track.release_date.is_empty() => format!("{year:04}"),
        _ => track.release_date.clone(),
    }
}

fn text(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_real_clients() {
        let up = |field| OrderBy { field, is_descending: false };
        let down = |field| OrderBy { field, is_descending: true };
        for (text, order) in [
            (None, vec![]),
            (Some(""), vec![]),
            (
                Some("+upnp:originalTrackNumber,+dc:title"),
                vec![up(Field::Number), up(Field::Title)],
            ),
            (Some("+upnp:class,+dc:date"), vec![up(Field::Date)]),
            (Some("+microsoft:sourceURL"), vec![]),
            (Some("dc:title"), vec![up(Field::Title)]),
            (Some(" -dc:date , +foo:bar, -dc:date"), vec![down(Field::Date)]),
            (Some("+,-,,"), vec![]),
        ] {
            assert_eq!(parse(text), order, "{text:?}");
        }
    }

    #[test]
    fn results_of_several_kinds_are_sorted_by_class_when_asked() {
        let all = Kind::ALL.to_vec();
        let by_class = [Kind::Album, Kind::Genre, Kind::Artist, Kind::Playlist, Kind::Track];
        for (text, kinds) in [
            (None, all.clone()),
            (Some("+dc:title,+upnp:class"), all),
            (Some("+upnp:class,+dc:date"), by_class.to_vec()),
            (Some("+foo:bar,upnp:class"), by_class.to_vec()),
            (Some("-upnp:class"), by_class.into_iter().rev().collect()),
        ] {
            assert_eq!(super::kinds(text), kinds, "{text:?}");
        }
    }
}
