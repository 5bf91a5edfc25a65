//! What a test of search criteria means for one kind of object. `upnp:class` decides which kinds
//! a search is about, so that each object is found once, as itself; a property that a kind does
//! not have is never there.

use super::{
    super::{
        kind::Kind,
        object_id::{Container, ObjectId, View},
    },
    Operator,
};
use crate::catalog::{Comparison, Criteria, Field, Object, TextMatch};

/// What `property exists true` asks of a kind of object.
pub(super) fn exists(property: &str, kind: Kind) -> Criteria {
    match property {
        "@id" | "@parentID" | "@restricted" | "dc:title" | "upnp:class" => Criteria::Always,
        "res" | "res@protocolInfo" | "res@duration" | "res@size" => {
            Criteria::constant(kind == Kind::Track)
        }
        "upnp:artist@role" => match kind {
            Kind::Track | Kind::Album => Criteria::Has(Field::Artist),
            _ => Criteria::Never,
        },
        _ => match field(property, kind) {
            Some(field) => Criteria::Has(field),
            // Among them @refID: what is found is always the real object.
            None => Criteria::Never,
        },
    }
}

/// What `property op "value"` asks of a kind of object.
pub(super) fn compare(property: &str, operator: Operator, value: &str, kind: Kind) -> Criteria {
    use Operator as O;
    let (operator, is_negated) = match operator {
        O::NotEqual => (O::Equal, true),
        O::DoesNotContain => (O::Contains, true),
        other => (other, false),
    };
    let found = match property {
        "upnp:class" => Criteria::constant(class_fits(kind.class(), operator, value)),
        "@restricted" => Criteria::constant(matches!(value, "1" | "true")),
        "@id" if operator == O::Equal => match ObjectId::parse(value).and_then(ObjectId::object) {
            Some(object) if kind.is_kind_of(object) => Criteria::Is(object),
            _ => Criteria::Never,
        },
        "@parentID" if operator == O::Equal => parent(value, kind),
        "res@protocolInfo" if kind == Kind::Track => protocol_info(operator, value),
        "upnp:artist@role" => artist_role(operator, value, kind),
        "dc:date" => date(operator, value, kind),
        _ => match (field(property, kind), value_of(property, value)) {
            (None, _) => Criteria::Never,
            (Some(field), Some(number)) => {
                let how = match operator {
                    O::Contains | O::StartsWith => Some(Comparison::Equal),
                    other => comparison(other),
                };
                how.map_or(Criteria::Never, |how| Criteria::Number(field, how, number))
            }
            (Some(field), None) => {
                let how = text_match(operator).filter(|_| !field.is_number());
                how.map_or(Criteria::Never, |how| Criteria::Text(field, how, value.to_owned()))
            }
        },
    };
    if is_negated { found.negate() } else { found }
}

fn comparison(operator: Operator) -> Option<Comparison> {
    Some(match operator {
        Operator::Equal => Comparison::Equal,
        Operator::Less => Comparison::Less,
        Operator::LessOrEqual => Comparison::LessOrEqual,
        Operator::Greater => Comparison::Greater,
        Operator::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// What is shown in this container by its own entry (a track under its album, and so on).
fn parent(value: &str, kind: Kind) -> Criteria {
    let Some(id) = ObjectId::parse(value) else { return Criteria::Never };
    match (kind, id) {
        (Kind::Track, ObjectId::Container(Container::Album(id))) => Criteria::Is(Object::Album(id)),
        (Kind::Track, ObjectId::Container(Container::View(View::Tracks))) => {
            Criteria::Always.on_album().negate()
        }
        (Kind::Album, ObjectId::Container(Container::View(View::Albums)))
        | (Kind::Genre, ObjectId::Container(Container::View(View::Genres)))
        | (Kind::Playlist, ObjectId::Container(Container::View(View::Playlists)))
        | (
            Kind::Artist,
            ObjectId::Container(Container::View(View::AlbumArtists | View::Artists)),
        ) => Criteria::Always,
        _ => Criteria::Never,
    }
}

/// `upnp:artist@role` is the attribute: who has an artist in this role. What is no role that we
/// write is taken as a name, as some clients mean it.
fn artist_role(operator: Operator, value: &str, kind: Kind) -> Criteria {
    if !matches!(kind, Kind::Track | Kind::Album) {
        return Criteria::Never;
    }
    let fits = |role: &str| {
        let (role, value) = (role.to_ascii_lowercase(), value.to_ascii_lowercase());
        match operator {
            Operator::Equal => role == value,
            Operator::Contains => role.contains(&value),
            Operator::StartsWith => role.starts_with(&value),
            _ => false,
        }
    };
    let roles = [
        ("AlbumArtist", Field::AlbumArtist),
        ("Composer", Field::Composer),
        ("Performer", Field::Artist),
    ];
    let having = roles.iter().filter(|(role, _)| fits(role));
    match Criteria::any(having.map(|(_, field)| Criteria::Has(*field))) {
        Criteria::Never => text_match(operator)
            .map_or(Criteria::Never, |how| Criteria::Text(Field::Artist, how, value.to_owned())),
        found => found,
    }
}

/// A year compares with years; a longer date with the whole day that listings show.
fn date(operator: Operator, value: &str, kind: Kind) -> Criteria {
    let value = value.trim();
    if !matches!(kind, Kind::Track | Kind::Album) {
        return Criteria::Never;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match (operator, comparison(operator)) {
        (Operator::Contains | Operator::StartsWith, _) => text_match(operator)
            .map_or(Criteria::Never, |how| Criteria::Text(Field::Date, how, value.to_owned())),
        (_, Some(how)) if value.len() == 4 && digits == 4 => {
            value.parse().map_or(Criteria::Never, |year| Criteria::Number(Field::Year, how, year))
        }
        (_, Some(how)) if digits >= 6 => {
            // A time behind the day, as some write it, is cut off.
            let day = value.get(..10).unwrap_or(value);
            Criteria::Dated(how, day.to_owned())
        }
        _ => Criteria::Never,
    }
}

fn text_match(operator: Operator) -> Option<TextMatch> {
    Some(match operator {
        Operator::Equal => TextMatch::Equals,
        Operator::Contains => TextMatch::Contains,
        Operator::StartsWith => TextMatch::StartsWith,
        _ => return None,
    })
}

/// `derivedfrom` holds for the class itself and everything below it.
fn class_fits(class: &str, operator: Operator, value: &str) -> bool {
    let (class, value) = (class.to_ascii_lowercase(), value.to_ascii_lowercase());
    let value = value.trim_end_matches('.');
    match operator {
        Operator::Equal => class == value,
        Operator::DerivedFrom => {
            class.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }
        Operator::Contains => class.contains(value),
        Operator::StartsWith => class.starts_with(value),
        _ => false,
    }
}

/// Which containers a client means by a part of a protocolInfo, as `audio/mpeg`.
fn protocol_info(operator: Operator, value: &str) -> Criteria {
    if !matches!(operator, Operator::Contains | Operator::Equal | Operator::StartsWith) {
        return Criteria::Never;
    }
    let value = value.to_ascii_lowercase();
    let named = value.split([':', ';', ',']).find(|part| part.contains('/'));
    let Some(mime) = named else {
        return Criteria::constant("http-get:*:audio/*".contains(&value));
    };
    let container = match mime {
        "audio/*" | "audio/" | "*/*" => return Criteria::Always,
        "audio/mpeg" | "audio/mp3" | "audio/x-mp3" => "mp3",
        "audio/flac" | "audio/x-flac" | "application/flac" => "flac",
        "audio/mp4" | "audio/x-m4a" | "audio/m4a" | "audio/aac" => "mp4",
        "audio/ogg" | "application/ogg" | "audio/x-ogg" => "ogg",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/aiff" | "audio/x-aiff" => "aiff",
        "audio/x-ms-wma" => "asf",
        _ => return Criteria::Never,
    };
    Criteria::Text(Field::Container, TextMatch::Equals, container.to_owned())
}

/// The field that a property is, for objects of this kind.
fn field(property: &str, kind: Kind) -> Option<Field> {
    let of_work = matches!(kind, Kind::Track | Kind::Album);
    let field = match property {
        "dc:title" => Field::Title,
        "dc:creator" | "upnp:artist" | "upnp:author" | "upnp:artist[@role=\"Performer\"]"
            if of_work =>
        {
            Field::Artist
        }
        "upnp:albumArtist" | "upnp:artist[@role=\"AlbumArtist\"]" if of_work => Field::AlbumArtist,
        "upnp:composer" | "upnp:artist[@role=\"Composer\"]" | "upnp:author[@role=\"Composer\"]"
            if of_work =>
        {
            Field::Composer
        }
        "upnp:album" if kind == Kind::Track => Field::Album,
        "upnp:album" if kind == Kind::Album => Field::Title,
        "upnp:genre" if of_work => Field::Genre,
        "upnp:genre" if kind == Kind::Genre => Field::Title,
        "upnp:artist" | "dc:creator" if kind == Kind::Artist => Field::Title,
        "dc:date" if of_work => Field::Date,
        "upnp:originalYear" if of_work => Field::Year,
        "upnp:rating" if of_work => Field::Rating,
        "upnp:originalTrackNumber" if kind == Kind::Track => Field::Number,
        "upnp:originalDiscNumber" if kind == Kind::Track => Field::Disc,
        "res@duration" if kind == Kind::Track => Field::Duration,
        "res@size" if kind == Kind::Track => Field::Size,
        "res@bitrate" if kind == Kind::Track => Field::Bitrate,
        "res@sampleFrequency" if kind == Kind::Track => Field::SampleRate,
        "res@bitsPerSample" if kind == Kind::Track => Field::BitDepth,
        "res@nrAudioChannels" if kind == Kind::Track => Field::Channels,
        _ => return None,
    };
    Some(field)
}

/// The number that a value of this property means, if the property has numbers.
fn value_of(property: &str, value: &str) -> Option<i64> {
    match property {
        "upnp:originalYear" => value.get(..4).unwrap_or(value).parse().ok(),
        "upnp:originalTrackNumber"
        | "upnp:originalDiscNumber"
        | "upnp:rating"
        | "res@size"
        | "res@sampleFrequency"
        | "res@bitsPerSample"
        | "res@nrAudioChannels" => value.trim().parse().ok(),
        // DIDL has bytes a second.
        "res@bitrate" => value.trim().parse::<i64>().ok().map(|bytes| bytes / 125),
        "res@duration" => {
            let mut seconds = 0.0;
            for part in value.split(':') {
                seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
            }
            Some((seconds * 1000.0) as i64)
        }
        _ => None,
    }
}
