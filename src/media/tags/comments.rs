//! Vorbis comments, MP4 atoms, APEv2 items and RIFF INFO as [`Fields`].

use std::borrow::Cow;

use lofty::{
    ape::ApeTag,
    iff::{aiff::AiffTextChunks, wav::RiffInfoList},
    mp4::{AtomData, AtomIdent, Ilst},
    ogg::{OggPictureStorage as _, tag::VorbisComments},
    picture::{Picture, PictureInformation, PictureType},
    tag::ItemValue,
};

use super::{fields::Fields, id3};

/// Fields of Vorbis comments and the pictures kept beside them.
pub(crate) fn vorbis(
    mut comments: VorbisComments,
    pictures: Vec<(Picture, PictureInformation)>,
) -> Fields {
    let mut fields = Fields::default();
    for (picture, _) in pictures.into_iter().chain(comments.remove_pictures()) {
        let is_front = picture.pic_type() == PictureType::CoverFront;
        fields.add_picture(is_front, Cow::Owned(picture.into_data()));
    }
    for (name, value) in comments.items() {
        add_comment(&mut fields, name, value);
    }
    fields
}

/// Texts that libav found, under its own names.
pub(super) fn libav(texts: &[(String, String)]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in texts {
        add_comment(&mut fields, name, value);
    }
    fields
}

/// One Vorbis comment, or an item of a family that borrows its names.
pub(super) fn add_comment(fields: &mut Fields, name: &str, value: &str) {
    let upper = name.trim().to_uppercase();
    match upper.as_str() {
        "TRACKNUMBER" | "TRACK" | "TRACKNUM" => {
            fields.add_pair("TRACKNUMBER", "TRACKTOTAL", value);
        }
        "DISCNUMBER" | "DISC" => fields.add_pair("DISCNUMBER", "DISCTOTAL", value),
        "TOTALTRACKS" => fields.add("TRACKTOTAL", value),
        "TOTALDISCS" => fields.add("DISCTOTAL", value),
        "PERFORMER" => match instrument(value) {
            Some((name, instrument)) => fields.add_credit("performer", instrument, name),
            None => fields.add_credit("performer", "", value),
        },
        // PERFORMER:GUITAR, as some taggers write it.
        _ if upper.starts_with("PERFORMER:") => {
            fields.add_credit("performer", &upper["PERFORMER:".len()..], value);
        }
        "ALBUM ARTIST" | "ALBUM_ARTIST" => fields.add("ALBUMARTIST", value),
        "ALBUM ARTISTS" => fields.add("ALBUMARTISTS", value),
        "DESCRIPTION" => fields.add("COMMENT", value),
        "YEAR" => fields.add("DATE", value),
        "MIXARTIST" => fields.add("REMIXER", value),
        "ORGANIZATION" | "PUBLISHER" => fields.add("LABEL", value),
        "TEMPO" => fields.add("BPM", value),
        "MUSICBRAINZ_ALBUMTYPE" => fields.add("RELEASETYPE", value),
        _ => fields.add(upper, value),
    }
}

/// `Name (instrument)`, the way Picard writes performers.
fn instrument(value: &str) -> Option<(&str, &str)> {
    let (name, rest) = value.trim().strip_suffix(')')?.rsplit_once(" (")?;
    (!name.is_empty() && !rest.is_empty()).then_some((name, rest))
}

const ATOMS: &[(&[u8; 4], &str)] = &[
    (b"\xa9nam", "TITLE"),
    (b"\xa9ART", "ARTIST"),
    (b"\xa9alb", "ALBUM"),
    (b"aART", "ALBUMARTIST"),
    (b"\xa9day", "DATE"),
    (b"\xa9gen", "GENRE"),
    (b"\xa9wrt", "COMPOSER"),
    (b"\xa9cmt", "COMMENT"),
    (b"\xa9lyr", "LYRICS"),
    (b"\xa9grp", "GROUPING"),
    (b"\xa9wrk", "WORK"),
    (b"\xa9mvn", "MOVEMENTNAME"),
    (b"\xa9mvi", "MOVEMENT"),
    (b"\xa9mvc", "MOVEMENTTOTAL"),
    (b"cprt", "COPYRIGHT"),
    (b"sonm", "TITLESORT"),
    (b"soar", "ARTISTSORT"),
    (b"soal", "ALBUMSORT"),
    (b"soaa", "ALBUMARTISTSORT"),
    (b"soco", "COMPOSERSORT"),
    (b"tmpo", "BPM"),
    (b"cpil", "COMPILATION"),
    (b"rtng", "ITUNESADVISORY"),
];

/// Fields of MP4 atoms.
pub(crate) fn mp4(ilst: Ilst) -> Fields {
    let mut fields = Fields::default();
    for atom in ilst {
        let name = match atom.ident() {
            AtomIdent::Fourcc(fourcc) => match fourcc {
                b"trkn" | b"disk" => {
                    let (name, total) = if fourcc == b"trkn" {
                        ("TRACKNUMBER", "TRACKTOTAL")
                    } else {
                        ("DISCNUMBER", "DISCTOTAL")
                    };
                    for data in atom.data() {
                        if let AtomData::Unknown { data, .. } = data {
                            add_index(&mut fields, name, total, data);
                        }
                    }
                    continue;
                }
                b"gnre" => {
                    for data in atom.data() {
                        if let AtomData::Unknown { data, .. } = data
                            && let [.., number] = data[..]
                        {
                            // One more than the number in ID3v1.
                            fields.add("GENRE", &number.saturating_sub(1).to_string());
                        }
                    }
                    continue;
                }
                b"covr" => {
                    for data in atom.into_data() {
                        if let AtomData::Picture(picture) = data {
                            fields.add_picture(false, Cow::Owned(picture.into_data()));
                        }
                    }
                    continue;
                }
                fourcc => match ATOMS.iter().find(|(atom, _)| *atom == fourcc) {
                    Some((_, name)) => Cow::Borrowed(*name),
                    None => continue,
                },
            },
            AtomIdent::Freeform { name, .. } => id3::own_name(name),
        };
        for data in atom.data() {
            let value = match data {
                AtomData::UTF8(text) | AtomData::UTF16(text) => Cow::Borrowed(text.as_str()),
                AtomData::SignedInteger(number) => Cow::Owned(number.to_string()),
                AtomData::UnsignedInteger(number) => Cow::Owned(number.to_string()),
                AtomData::Bool(is) => Cow::Borrowed(if *is { "1" } else { "0" }),
                AtomData::Unknown { data, .. } => String::from_utf8_lossy(data),
                AtomData::Picture(_) => continue,
            };
            match atom.ident() {
                AtomIdent::Freeform { .. } => add_comment(&mut fields, &name, &value),
                AtomIdent::Fourcc(_) => fields.add(name.clone(), &value),
            }
        }
    }
    fields
}

/// `trkn` and `disk`: two bytes of nothing, the number, the total.
fn add_index(fields: &mut Fields, name: &'static str, total: &'static str, data: &[u8]) {
    let at = |offset: usize| {
        let bytes = data.get(offset..)?.first_chunk()?;
        Some(u16::from_be_bytes(*bytes)).filter(|number| *number > 0)
    };
    for (name, number) in [(name, at(2)), (total, at(4))] {
        fields.add(name, &number.map(|number| number.to_string()).unwrap_or_default());
    }
}

/// Fields of APEv2 items, as in WavPack, Monkey's Audio and Musepack.
pub(crate) fn ape(tag: ApeTag) -> Fields {
    let mut fields = Fields::default();
    for item in tag {
        match item.value() {
            ItemValue::Text(text) | ItemValue::Locator(text) => {
                for part in text.split('\0') {
                    add_comment(&mut fields, item.key(), part);
                }
            }
            ItemValue::Binary(bytes) => {
                let key = item.key().to_ascii_lowercase();
                // A file name, then the picture.
                if key.starts_with("cover art")
                    && let Some(end) = bytes.iter().position(|byte| *byte == 0)
                {
                    let picture = Cow::Borrowed(&bytes[end + 1..]);
                    fields.add_picture(key == "cover art (front)", picture);
                }
            }
        }
    }
    fields
}

const INFOS: &[(&str, &str)] = &[
    ("INAM", "TITLE"),
    ("IART", "ARTIST"),
    ("IPRD", "ALBUM"),
    ("IAAR", "ALBUMARTIST"),
    ("ICRD", "DATE"),
    ("IGNR", "GENRE"),
    ("IMUS", "COMPOSER"),
    ("IWRI", "LYRICIST"),
    ("IPRO", "PRODUCER"),
    ("ICMT", "COMMENT"),
    ("ICOP", "COPYRIGHT"),
];

/// Fields of a WAVE file's INFO list.
pub(crate) fn riff_info(list: RiffInfoList) -> Fields {
    let mut fields = Fields::default();
    for (key, value) in list {
        match key.as_str() {
            "IPRT" | "ITRK" => fields.add_pair("TRACKNUMBER", "TRACKTOTAL", &value),
            "IFRM" => fields.add("TRACKTOTAL", &value),
            key => {
                if let Some((_, name)) = INFOS.iter().find(|(info, _)| *info == key) {
                    fields.add(*name, &value);
                }
            }
        }
    }
    fields
}

/// Fields of an AIFF file's own text chunks.
pub(crate) fn aiff(chunks: &AiffTextChunks) -> Fields {
    let mut fields = Fields::default();
    fields.add("TITLE", chunks.name.as_deref().unwrap_or_default());
    fields.add("ARTIST", chunks.author.as_deref().unwrap_or_default());
    fields.add("COPYRIGHT", chunks.copyright.as_deref().unwrap_or_default());
    for note in chunks.annotations.iter().flatten() {
        fields.add("COMMENT", note);
    }
    fields
}
