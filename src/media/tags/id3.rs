//! ID3v2 and ID3v1 as [`Fields`].

use std::borrow::Cow;

use lofty::{
    id3::{
        v1::{GENRES, Id3v1Tag},
        v2::{Frame, FrameFlags, Id3v2Tag, Id3v2Version, SynchronizedTextFrame, TimestampFormat},
    },
    picture::PictureType,
};

use super::fields::Fields;

/// Text frames whose values are just values.
const TEXTS: &[(&str, &str)] = &[
    ("TIT2", "TITLE"),
    ("TSOT", "TITLESORT"),
    ("TPE1", "ARTIST"),
    ("TSOP", "ARTISTSORT"),
    ("TALB", "ALBUM"),
    ("TSOA", "ALBUMSORT"),
    ("TPE2", "ALBUMARTIST"),
    ("TSO2", "ALBUMARTISTSORT"),
    ("TPE3", "CONDUCTOR"),
    ("TPE4", "REMIXER"),
    ("TEXT", "LYRICIST"),
    ("TCOM", "COMPOSER"),
    ("TSOC", "COMPOSERSORT"),
    ("TCON", "GENRE"),
    ("TSST", "DISCSUBTITLE"),
    ("TBPM", "BPM"),
    ("TCMP", "COMPILATION"),
    ("TPUB", "LABEL"),
    ("TSRC", "ISRC"),
    ("TMOO", "MOOD"),
    ("GRP1", "GROUPING"),
    ("MVNM", "MOVEMENTNAME"),
    ("TCOP", "COPYRIGHT"),
    ("TMED", "MEDIA"),
    ("TIT3", "SUBTITLE"),
    ("TDRC", "DATE"),
    ("TYER", "DATE"),
    ("TDRL", "RELEASEDATE"),
    ("TDOR", "ORIGINALDATE"),
    ("TORY", "ORIGINALDATE"),
    // What some old taggers wrote without the prefix.
    ("XSOP", "ARTISTSORT"),
    ("XSOA", "ALBUMSORT"),
    ("XSOT", "TITLESORT"),
];

/// Own text frames whose descriptions differ from the Vorbis name.
const OWN_TEXTS: &[(&str, &str)] = &[
    ("MUSICBRAINZ ARTIST ID", "MUSICBRAINZ_ARTISTID"),
    ("MUSICBRAINZ ALBUM ID", "MUSICBRAINZ_ALBUMID"),
    ("MUSICBRAINZ ALBUM ARTIST ID", "MUSICBRAINZ_ALBUMARTISTID"),
    ("MUSICBRAINZ RELEASE GROUP ID", "MUSICBRAINZ_RELEASEGROUPID"),
    ("MUSICBRAINZ RELEASE TRACK ID", "MUSICBRAINZ_RELEASETRACKID"),
    ("MUSICBRAINZ TRACK ID", "MUSICBRAINZ_TRACKID"),
    ("MUSICBRAINZ WORK ID", "MUSICBRAINZ_WORKID"),
    ("MUSICBRAINZ ALBUM TYPE", "RELEASETYPE"),
    ("ALBUM ARTISTS", "ALBUMARTISTS"),
    ("ALBUM ARTIST", "ALBUMARTIST"),
    ("ORIGINALYEAR", "ORIGINALYEAR"),
    ("TOTALTRACKS", "TRACKTOTAL"),
    ("TOTALDISCS", "DISCTOTAL"),
];

/// The name of an own text, as Vorbis comments would have it.
pub(super) fn own_name(description: &str) -> Cow<'static, str> {
    let upper = description.trim().to_uppercase();
    match OWN_TEXTS.iter().find(|(own, _)| *own == upper) {
        Some((_, name)) => Cow::Borrowed(*name),
        None => Cow::Owned(upper),
    }
}

/// Fields of an ID3v2 tag of any version.
pub(crate) fn v2(tag: Id3v2Tag) -> Fields {
    let mut fields = Fields::default();
    fields.joined_by_slash = matches!(tag.original_version(), Id3v2Version::V2 | Id3v2Version::V3);
    let mut movement_unless_grouped = None;
    for frame in tag {
        match frame {
            Frame::Text(text) => {
                let id = text.id().as_str().to_owned();
                match id.as_str() {
                    "TRCK" => fields.add_pair("TRACKNUMBER", "TRACKTOTAL", &text.value),
                    "TPOS" => fields.add_pair("DISCNUMBER", "DISCTOTAL", &text.value),
                    "MVIN" => fields.add_pair("MOVEMENT", "MOVEMENTTOTAL", &text.value),
                    // Apple uses it for works and has GRP1 for groupings.
                    "TIT1" => movement_unless_grouped = Some(text.value.into_owned()),
                    id => {
                        if let Some((_, name)) = TEXTS.iter().find(|(frame, _)| *frame == id) {
                            fields.add_all(name, &text.value);
                        }
                    }
                }
            }
            Frame::UserText(text) => {
                let name = own_name(&text.description);
                for part in text.content.split('\0') {
                    fields.add(name.clone(), part);
                }
            }
            Frame::Timestamp(stamp) => {
                if let Some((_, name)) =
                    TEXTS.iter().find(|(frame, _)| *frame == stamp.id().as_str())
                {
                    fields.add(*name, &stamp.timestamp.to_string());
                }
            }
            // iTunes keeps machine's matters in described comments.
            Frame::Comment(comment) if comment.description.is_empty() => {
                fields.add_all("COMMENT", &comment.content);
            }
            Frame::UnsynchronizedText(text) => {
                let language = String::from_utf8_lossy(&text.language);
                fields.add_lyrics(&language, &text.content);
            }
            Frame::UniqueFileIdentifier(id) if id.owner == "http://musicbrainz.org" => {
                fields.add("MUSICBRAINZ_TRACKID", &String::from_utf8_lossy(&id.identifier));
            }
            Frame::KeyValue(people) => {
                let is_musicians = people.id().as_str() == "TMCL";
                for (role, name) in people.key_value_pairs.iter() {
                    add_person(&mut fields, is_musicians, role, name);
                }
            }
            Frame::Picture(picture) => {
                let is_front = picture.picture.pic_type() == PictureType::CoverFront;
                let picture = picture.picture.into_owned().into_data();
                fields.add_picture(is_front, Cow::Owned(picture));
            }
            Frame::Binary(binary) if binary.id().as_str() == "SYLT" => {
                if let Ok(text) = SynchronizedTextFrame::parse(&binary.data, FrameFlags::default())
                    && text.timestamp_format == TimestampFormat::MS
                {
                    let language = String::from_utf8_lossy(&text.language).into_owned();
                    fields.add_lyrics(&language, &as_lrc(&text.content));
                }
            }
            _ => (),
        }
    }
    if let Some(text) = movement_unless_grouped {
        let name =
            if fields.has("GROUPING") || fields.has("MOVEMENTNAME") { "WORK" } else { "GROUPING" };
        fields.add_all(name, &text);
    }
    fields
}

/// One pair of TIPL, TMCL or IPLS, where role and instrument share a field.
fn add_person(fields: &mut Fields, is_musician: bool, role: &str, name: &str) {
    let role = role.trim().to_lowercase();
    match role.as_str() {
        "arranger" | "producer" | "engineer" | "mixer" | "conductor" | "lyricist" | "remixer"
        | "composer" | "director" | "writer" => fields.add_credit(&role, "", name),
        "mix" => fields.add_credit("mixer", "", name),
        "dj-mix" | "djmix" | "djmixer" => fields.add_credit("djmixer", "", name),
        "" | "performer" => fields.add_credit("performer", "", name),
        instrument if is_musician => fields.add_credit("performer", instrument, name),
        other => fields.add_credit(other, "", name),
    }
}

/// Synced text as LRC, which is what everybody downstream reads.
fn as_lrc(lines: &[(u32, String)]) -> String {
    let mut lrc = String::new();
    // Where lines begin with a line break, what has none goes on in the same line: syllables.
    let is_syllables = lines.iter().skip(1).any(|(_, text)| text.starts_with('\n'));
    for (at, (ms, text)) in lines.iter().take(10_000).enumerate() {
        let (minutes, seconds, thousandths) = (ms / 60_000, ms / 1000 % 60, ms % 1000);
        let stamp = format!("{minutes:02}:{seconds:02}.{thousandths:03}");
        let begins = !is_syllables || at == 0 || text.starts_with('\n');
        let text = text.trim_matches(['\n', '\r', '\0']).replace(['\n', '\r'], " ");
        if begins {
            lrc.extend([if at == 0 { "" } else { "\n" }, "[", &stamp, "]"]);
        }
        if is_syllables {
            lrc.extend(["<", &stamp, ">"]);
        }
        lrc.push_str(&text);
    }
    lrc.push('\n');
    lrc
}

/// Fields of the 128 bytes at the end of old files.
pub(crate) fn v1(tag: &Id3v1Tag) -> Fields {
    let mut fields = Fields::default();
    let texts = [
        ("TITLE", &tag.title),
        ("ARTIST", &tag.artist),
        ("ALBUM", &tag.album),
        ("COMMENT", &tag.comment),
    ];
    for (name, text) in texts {
        fields.add(name, text.as_deref().unwrap_or_default());
    }
    if let Some(year) = tag.year.filter(|year| *year > 0) {
        fields.add("DATE", &format!("{year:04}"));
    }
    if let Some(number) = tag.track_number.filter(|number| *number > 0) {
        fields.add("TRACKNUMBER", &number.to_string());
    }
    if let Some(genre) = tag.genre.and_then(|genre| GENRES.get(usize::from(genre))) {
        fields.add("GENRE", genre);
    }
    fields
}
