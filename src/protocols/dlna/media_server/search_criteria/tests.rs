//! The grammar, and what criteria of real clients ask of each kind of object.

use super::*;
use crate::{
    catalog::{Comparison, Field, Object, TextMatch},
    ids::{AlbumId, TrackId},
};

fn compare(property: &str, operator: Operator, value: &str) -> Expression {
    Expression::Compare(property.to_owned(), operator, value.to_owned())
}

#[test]
fn the_whole_grammar_is_read() {
    use Operator as O;
    let title = |value| compare("dc:title", O::Contains, value);
    for (text, expected) in [
        ("*", Expression::Everything),
        (" \t*\r\n", Expression::Everything),
        ("", Expression::Everything),
        ("dc:title contains \"a\"", title("a")),
        ("dc:title CONTAINS \"a\"", title("a")),
        ("dc:title=\"a\"", compare("dc:title", O::Equal, "a")),
        ("dc:title !=\"a\"", compare("dc:title", O::NotEqual, "a")),
        ("dc:date <= \"2000\"", compare("dc:date", O::LessOrEqual, "2000")),
        ("dc:date >= \"2000\"", compare("dc:date", O::GreaterOrEqual, "2000")),
        ("dc:date < \"2000\"", compare("dc:date", O::Less, "2000")),
        ("dc:date > \"2000\"", compare("dc:date", O::Greater, "2000")),
        ("upnp:class derivedfrom \"o\"", compare("upnp:class", O::DerivedFrom, "o")),
        ("dc:title doesNotContain \"o\"", compare("dc:title", O::DoesNotContain, "o")),
        ("dc:title startsWith \"o\"", compare("dc:title", O::StartsWith, "o")),
        ("upnp:artist@role = \"x\"", compare("upnp:artist@role", O::Equal, "x")),
        ("@refID exists false", Expression::Exists("@refID".to_owned(), Presence::Absent)),
        ("@refID exists TRUE", Expression::Exists("@refID".to_owned(), Presence::There)),
        (r#"dc:title contains "a \"b\" \\ (c)""#, title(r#"a "b" \ (c)"#)),
        ("(dc:title contains \"a\")", title("a")),
        (
            "dc:title contains \"a\" or dc:title contains \"b\" and dc:title contains \"c\"",
            Expression::Or(vec![title("a"), Expression::And(vec![title("b"), title("c")])]),
        ),
        (
            "(dc:title contains \"a\" or dc:title contains \"b\")and\tdc:title contains \"c\"",
            Expression::And(vec![Expression::Or(vec![title("a"), title("b")]), title("c")]),
        ),
    ] {
        assert_eq!(Expression::parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn nonsense_is_refused() {
    let deep = format!("{}dc:title = \"a\"{}", "(".repeat(40), ")".repeat(40));
    let deeper = "(".repeat(4_000);
    let many = vec!["dc:title = \"a\""; 65].join(" or ");
    let long = format!("dc:title = \"{}\"", "x".repeat(5_000));
    for text in [
        "bogus ~~ \"x\"",
        "dc:title",
        "dc:title =",
        "dc:title = x",
        "dc:title = \"x",
        "dc:title = \"x\\",
        "= \"x\"",
        "\"x\" = \"x\"",
        "dc:title = \"x\" and",
        "and dc:title = \"x\"",
        "dc:title = \"x\" dc:title = \"y\"",
        "(dc:title = \"x\"",
        "dc:title = \"x\")",
        "()",
        "* or *",
        "@refID exists maybe",
        "dc:title ! \"x\"",
        "1 = \"1\"",
        "[@role=\"x\"] = \"y\"",
        "upnp:artist[@role=\"x\" = \"y\"",
        &deep,
        &deeper,
        &many,
        &long,
    ] {
        assert_eq!(Expression::parse(text), Err(NotCriteria), "{text:.60}");
    }
}

#[test]
fn class_decides_the_kinds() {
    for (text, kinds) in [
        ("upnp:class derivedfrom \"object.item.audioItem\"", vec![Kind::Track]),
        ("upnp:class derivedfrom \"object.item\" and @refID exists false", vec![Kind::Track]),
        ("upnp:class = \"object.item.audioItem\"", vec![]),
        ("upnp:class derivedfrom \"object.item.audio\"", vec![]),
        ("upnp:class = \"object.container.album.musicAlbum\"", vec![Kind::Album]),
        ("upnp:class derivedfrom \"object.container.album\"", vec![Kind::Album]),
        ("upnp:class = \"object.container.person.musicArtist\"", vec![Kind::Artist]),
        ("upnp:class derivedfrom \"object.container.person\"", vec![Kind::Artist]),
        ("upnp:class = \"object.container.playlistContainer\"", vec![Kind::Playlist]),
        ("upnp:class derivedfrom \"object.item.videoItem\"", vec![]),
        ("@refID exists true", vec![]),
        ("foo:bar exists true", vec![]),
        (
            "upnp:class derivedfrom \"object.container\" and upnp:class != \"object.container.genre.musicGenre\"",
            vec![Kind::Artist, Kind::Album, Kind::Playlist],
        ),
    ] {
        let expression = Expression::parse(text).unwrap();
        let found: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| expression.of(*kind) == Criteria::Always).collect();
        let none = Kind::ALL.into_iter().filter(|kind| expression.of(*kind) == Criteria::Never);
        assert_eq!(found, kinds, "{text}");
        assert_eq!(none.count(), Kind::ALL.len() - kinds.len(), "{text}");
    }
}

#[test]
fn properties_mean_fields_of_their_kind() {
    let text = |field, how, value: &str| Criteria::Text(field, how, value.to_owned());
    for (asked, kind, expected) in [
        ("dc:title contains \"a\"", Kind::Track, text(Field::Title, TextMatch::Contains, "a")),
        ("upnp:artist = \"a\"", Kind::Album, text(Field::Artist, TextMatch::Equals, "a")),
        ("upnp:artist = \"a\"", Kind::Artist, text(Field::Title, TextMatch::Equals, "a")),
        ("upnp:artist = \"a\"", Kind::Genre, Criteria::Never),
        ("upnp:album = \"a\"", Kind::Album, text(Field::Title, TextMatch::Equals, "a")),
        ("upnp:genre != \"a\"", Kind::Track, text(Field::Genre, TextMatch::Equals, "a").negate()),
        (
            "dc:date >= \"1999-05-01\"",
            Kind::Track,
            Criteria::Dated(Comparison::GreaterOrEqual, "1999-05-01".to_owned()),
        ),
        (
            "dc:date = \"1999-05-01T00:00:00\"",
            Kind::Album,
            Criteria::Dated(Comparison::Equal, "1999-05-01".to_owned()),
        ),
        (
            "dc:date > \"1999\"",
            Kind::Album,
            Criteria::Number(Field::Year, Comparison::Greater, 1999),
        ),
        ("dc:date contains \"1999\"", Kind::Track, text(Field::Date, TextMatch::Contains, "1999")),
        ("dc:date = \"1999\"", Kind::Artist, Criteria::Never),
        ("upnp:artist@role = \"Composer\"", Kind::Track, Criteria::Has(Field::Composer)),
        ("upnp:artist@role = \"albumartist\"", Kind::Album, Criteria::Has(Field::AlbumArtist)),
        (
            "upnp:artist@role contains \"Joni\"",
            Kind::Track,
            text(Field::Artist, TextMatch::Contains, "Joni"),
        ),
        (
            "upnp:artist[@role=\"AlbumArtist\"] = \"Joni\"",
            Kind::Track,
            text(Field::AlbumArtist, TextMatch::Equals, "Joni"),
        ),
        (
            "upnp:artist[@role=\"Composer\"] exists true",
            Kind::Track,
            Criteria::Has(Field::Composer),
        ),
        (
            "res@bitrate >= \"40000\"",
            Kind::Track,
            Criteria::Number(Field::Bitrate, Comparison::GreaterOrEqual, 320),
        ),
        (
            "res@sampleFrequency > \"48000\"",
            Kind::Track,
            Criteria::Number(Field::SampleRate, Comparison::Greater, 48_000),
        ),
        (
            "upnp:rating >= \"4\"",
            Kind::Album,
            Criteria::Number(Field::Rating, Comparison::GreaterOrEqual, 4),
        ),
        ("@parentID = \"albums\"", Kind::Album, Criteria::Always),
        ("@parentID = \"albums\"", Kind::Track, Criteria::Never),
        ("@parentID = \"tracks\"", Kind::Track, Criteria::Always.on_album().negate()),
        (
            "upnp:originalTrackNumber = \"7\"",
            Kind::Track,
            Criteria::Number(Field::Number, Comparison::Equal, 7),
        ),
        (
            "res@duration > \"0:01:30.500\"",
            Kind::Track,
            Criteria::Number(Field::Duration, Comparison::Greater, 90_500),
        ),
        ("dc:date = \"x\"", Kind::Track, Criteria::Never),
        (
            "res@protocolInfo contains \"audio/x-flac\"",
            Kind::Track,
            text(Field::Container, TextMatch::Equals, "flac"),
        ),
        ("res@protocolInfo contains \"http-get\"", Kind::Track, Criteria::Always),
        ("res@protocolInfo contains \"video/mp4\"", Kind::Track, Criteria::Never),
        ("@id = \"tr.8\"", Kind::Track, Criteria::Is(Object::Track(TrackId(8)))),
        ("@id = \"tr.8\"", Kind::Album, Criteria::Never),
        ("@parentID = \"al.8\"", Kind::Track, Criteria::Is(Object::Album(AlbumId(8)))),
        ("foo:bar exists false", Kind::Track, Criteria::Always),
        ("foo:bar != \"x\"", Kind::Track, Criteria::Always),
    ] {
        assert_eq!(Expression::parse(asked).unwrap().of(kind), expected, "{asked} {kind:?}");
    }
}
