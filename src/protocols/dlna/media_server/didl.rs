//! DIDL-Lite: containers and tracks as clients read them. Written straight into one string, in
//! the order of elements that the field is used to, legal XML whatever the tags hold. It is only
//! ever sent as text of a SOAP answer, so it is written as such: escaped once more.

use std::{borrow::Cow, fmt::Write as _, net::SocketAddr};

use crate::{
    catalog::{Album, Item, Picture, Track},
    xml::{escape_twice, inside},
};

use super::{
    art,
    entries::Folder,
    filter::{Extra, Filter},
    kind::Kind,
    object_id::{Container, ObjectId},
    quirks::{self, Profile},
    resources::{Resource, push_number},
};

const HEAD: &str = inside!(
    "<DIDL-Lite xmlns=\"urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:upnp=\"urn:schemas-upnp-org:metadata-1-0/upnp/\" xmlns:dlna=\"urn:schemas-dlna-org:metadata-1-0/\">"
);
/// What stands around values, and between an id and its parent's.
const QUOTE: &str = inside!("\"");
const MIDDLE: &str = inside!("\" parentID=\"");
const TAIL: &str = inside!("</DIDL-Lite>");

/// Titles longer than this are cut: some firmware has no more room.
const MAX_TITLE: usize = 250;

/// Writes one Result.
pub(crate) struct Didl {
    out: String,
    filter: Filter,
    profile: Profile,
    /// `http://ADDR:PORT` as the client reached us: always an address, never a name.
    base: String,
    written: u32,
    numbering: Option<Numbering>,
}

/// Titles of tracks begin with their place, for clients that sort by title whatever is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbering {
    /// Place of the first object of this document, from 1.
    pub(crate) first: u32,
    /// Digits.
    pub(crate) width: usize,
}

impl Didl {
    /// An empty document for one client.
    pub(crate) fn new(filter: Filter, profile: Profile, address: SocketAddr) -> Self {
        let mut out = String::with_capacity(16 * 1024);
        out.push_str(HEAD);
        Self {
            out,
            filter,
            profile,
            base: format!("http://{address}"),
            written: 0,
            numbering: None,
        }
    }

    /// From now on titles of tracks are numbered.
    pub(crate) fn number(&mut self, numbering: Numbering) {
        self.numbering = Some(numbering);
    }

    /// The document as text of another one, and how many objects are in it.
    pub(crate) fn finish(mut self) -> (String, u32) {
        self.out.push_str(TAIL);
        (self.out, self.written)
    }

    /// A container that is no album.
    pub(crate) fn folder(&mut self, folder: &Folder<'_>) {
        self.open_container(folder.id, folder.parent, folder.child_count);
        self.title(&folder.title);
        self.class(folder.class);
        self.art(folder.art);
        self.media_class();
        self.out.push_str(inside!("</container>"));
    }

    /// An album as a container.
    pub(crate) fn album(&mut self, album: &Album, parent: Container) {
        let id = Container::Album(album.id);
        self.open_container(id, Some(parent), Some(u64::from(album.track_count)));
        self.title(&album.name);
        self.class(Kind::Album.class());
        if self.filter.wants(Extra::Creator) {
            self.element("dc:creator", &album.display_artist);
        }
        if self.filter.wants(Extra::Artist) {
            self.element("upnp:artist", &album.display_artist);
            self.open_role("AlbumArtist", &album.display_artist);
        }
        if self.filter.wants(Extra::Genre) {
            for genre in &album.genres {
                self.element("upnp:genre", genre);
            }
        }
        if self.filter.wants(Extra::Date) {
            self.date(&album.release_date, album.year);
        }
        self.art(album.picture.map(|picture| (Item::Album(album.id), picture)));
        self.media_class();
        self.out.push_str(inside!("</container>"));
    }

    /// A track. `id` says where it is shown; anywhere but at home it refers to the real one.
    pub(crate) fn track(
        &mut self,
        id: ObjectId,
        parent: Container,
        track: &Track,
        resources: &[Resource],
    ) {
        self.push(&[inside!("<item id=\"")]);
        let _ = write!(self.out, "{id}{MIDDLE}{parent}{QUOTE}");
        if matches!(id, ObjectId::Shown(..)) {
            let home = ObjectId::Track(track.id);
            let _ = write!(self.out, " refID={QUOTE}{home}{QUOTE}");
        }
        self.out.push_str(inside!(" restricted=\"1\">"));
        match self.numbering {
            Some(Numbering { first, width }) => {
                let place = first.saturating_add(self.written);
                self.title(&format!("{place:0width$} {}", track.title));
            }
            None => self.title(&track.title),
        }
        self.class(Kind::Track.class());
        if self.filter.wants(Extra::Creator) {
            self.element("dc:creator", &track.display_artist);
        }
        if self.filter.wants(Extra::Artist) {
            self.element("upnp:artist", &track.display_artist);
            self.open_role("AlbumArtist", &track.display_album_artist);
            self.open_role("Composer", &track.display_composer);
            self.open_role("Performer", &track.display_artist);
        }
        if self.filter.wants(Extra::Album) {
            self.element("upnp:album", &track.album_name);
        }
        if self.filter.wants(Extra::Genre) {
            for genre in &track.genres {
                self.element("upnp:genre", genre);
            }
        }
        if let Some(number) = track.number.filter(|_| self.filter.wants(Extra::Number)) {
            self.out.push_str(inside!("<upnp:originalTrackNumber>"));
            let _ = write!(self.out, "{number}");
            self.out.push_str(inside!("</upnp:originalTrackNumber>"));
        }
        if let Some(disc) = track.disc.filter(|_| self.filter.wants(Extra::Disc)) {
            self.out.push_str(inside!("<upnp:originalDiscNumber>"));
            let _ = write!(self.out, "{disc}");
            self.out.push_str(inside!("</upnp:originalDiscNumber>"));
        }
        if self.filter.wants(Extra::Date) {
            self.date(&track.release_date, track.year);
        }
        self.art(track.picture.map(|picture| (Item::Track(track.id), picture)));
        for resource in resources {
            self.resource(resource);
        }
        self.image_resources(track);
        self.out.push_str(inside!("</item>"));
        self.written += 1;
    }

    fn open_container(&mut self, id: Container, parent: Option<Container>, children: Option<u64>) {
        self.out.push_str(inside!("<container id=\""));
        let _ = write!(self.out, "{id}{MIDDLE}");
        match parent {
            Some(parent) => {
                let _ = write!(self.out, "{parent}");
            }
            None => self.out.push_str("-1"),
        }
        self.out.push_str(inside!("\" restricted=\"1\""));
        if self.filter.wants(Extra::Searchable) {
            self.out.push_str(inside!(" searchable=\"1\""));
        }
        let counted = children.filter(|count| *count > 0 && self.filter.wants(Extra::ChildCount));
        if let Some(count) = counted {
            self.attribute("childCount", count);
        }
        self.out.push_str(inside!(">"));
        self.written += 1;
    }

    fn title(&mut self, title: &str) {
        let title = if title.trim().is_empty() { "Untitled" } else { title };
        let cut = title.char_indices().nth(MAX_TITLE).map_or(title, |(at, _)| &title[..at]);
        self.out.push_str(inside!("<dc:title>"));
        self.text(cut);
        self.out.push_str(inside!("</dc:title>"));
    }

    fn class(&mut self, class: &str) {
        let is_plain = class == "object.container" && self.profile.is_storage_folder;
        let class = if is_plain { "object.container.storageFolder" } else { class };
        self.push(&[inside!("<upnp:class>"), class, inside!("</upnp:class>")]);
        if class == "object.container.storageFolder" && self.filter.wants(Extra::StorageUsed) {
            self.out.push_str(inside!("<upnp:storageUsed>-1</upnp:storageUsed>"));
        }
    }

    /// Sony's word for "music", in its own namespace and only when asked for by name.
    fn media_class(&mut self) {
        if self.filter.wants(Extra::MediaClass) {
            self.out.push_str(inside!(
                "<av:mediaClass xmlns:av=\"urn:schemas-sony-com:av\">M</av:mediaClass>"
            ));
        }
    }

    /// Nothing is written for an empty value.
    fn element(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        self.push(&["&lt;", name, "&gt;"]);
        self.text(value);
        self.push(&["&lt;/", name, "&gt;"]);
    }

    fn open_role(&mut self, role: &str, name: &str) {
        if name.is_empty() {
            return;
        }
        self.push(&[inside!("<upnp:artist role=\""), role, inside!("\">")]);
        self.text(name);
        self.out.push_str(inside!("</upnp:artist>"));
    }

    /// Always a whole plain day: radios stumble over less and over zones.
    fn date(&mut self, release: &str, year: Option<i32>) {
        let written = match release.len() {
            4 => Cow::Owned([release, "-01-01"].concat()),
            7 => Cow::Owned([release, "-01"].concat()),
            10 => Cow::Borrowed(release),
            _ => match year {
                Some(year @ 1..=9999) => Cow::Owned(format!("{year:04}-01-01")),
                _ => return,
            },
        };
        self.element("dc:date", &written);
    }

    fn art(&mut self, art: Option<(Item, Picture)>) {
        let Some((item, picture)) = art.filter(|_| self.filter.wants(Extra::Art)) else { return };
        for size in [art::THUMBNAIL, art::MEDIUM] {
            let start = inside!("<upnp:albumArtURI dlna:profileID=\"");
            self.push(&[start, size.profile, inside!("\">")]);
            self.out.push_str(&self.base);
            self.push(&[&art::path(item, picture, size), inside!("</upnp:albumArtURI>")]);
        }
    }

    /// The cover as a resource of its own, for those who look for it there. Others would take
    /// it for a form of the track.
    fn image_resources(&mut self, track: &Track) {
        let is_wanted = self.profile.wants_image_res && self.filter.wants(Extra::Art);
        let Some(picture) = track.picture.filter(|_| is_wanted) else { return };
        for size in art::SIZES {
            let features = art::features(size);
            let start = inside!("<res protocolInfo=\"http-get:*:image/jpeg:");
            self.push(&[start, &features, inside!("\">")]);
            self.out.push_str(&self.base);
            let path = art::path(Item::Track(track.id), picture, size);
            self.push(&[&path, inside!("</res>")]);
        }
    }

    fn resource(&mut self, resource: &Resource) {
        self.out.push_str(inside!("<res protocolInfo=\""));
        if self.profile.is_ci_zero {
            escape_twice(
                &resource.protocol_info.replace("DLNA.ORG_CI=1", "DLNA.ORG_CI=0"),
                &mut self.out,
            );
        } else {
            escape_twice(&resource.protocol_info, &mut self.out);
        }
        self.out.push_str(QUOTE);
        if let Some(size) = resource.size_bytes {
            self.attribute("size", size);
        }
        if resource.duration_ms > 0 {
            let duration = duration(resource.duration_ms);
            self.push(&[" duration=", QUOTE, &duration, QUOTE]);
        }
        for (name, value) in [
            ("bitrate", resource.bitrate_kbps * 125),
            ("sampleFrequency", resource.sample_rate),
            ("bitsPerSample", resource.bit_depth),
            ("nrAudioChannels", resource.channels),
        ] {
            if value > 0 {
                self.attribute(name, u64::from(value));
            }
        }
        self.out.push_str(inside!(">"));
        self.out.push_str(&self.base);
        self.push(&[&resource.path, inside!("</res>")]);
    }

    fn attribute(&mut self, name: &str, value: u64) {
        self.push(&[" ", name, "=", QUOTE]);
        push_number(value, &mut self.out);
        self.out.push_str(QUOTE);
    }

    /// Appends pieces as they are: formatting costs more than all else here.
    fn push(&mut self, pieces: &[&str]) {
        for piece in pieces {
            self.out.push_str(piece);
        }
    }

    fn text(&mut self, text: &str) {
        if self.profile.is_ascii_only && !text.is_ascii() {
            escape_twice(&quirks::ascii(text), &mut self.out);
        } else {
            escape_twice(text, &mut self.out);
        }
    }
}

/// `H:MM:SS.mmm`
fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{self, Rules};
    use crate::{
        catalog::{AlbumFacts, TrackFacts},
        ids::{AlbumId, PictureId, TrackId},
    };

    /// The document as a client unpacks it.
    fn unpacked(document: &str) -> String {
        xml::read(format!("<Result>{document}</Result>").as_bytes(), &Rules::STRICT).unwrap().text
    }

    #[test]
    fn durations_have_hours_and_milliseconds() {
        assert_eq!(duration(205_506), "0:03:25.506");
        assert_eq!(duration(36_000_001), "10:00:00.001");
    }

    /// Everything that a track and an album can have, as bytes that must not change by accident.
    #[test]
    fn track_and_album_as_golden_file() {
        let picture = Some(Picture { id: PictureId(1), hash: 0xc0ff_ee00 });
        let album = Album::from(AlbumFacts {
            id: AlbumId(12),
            name: "Tunes & <Tones>".to_owned(),
            display_artist: "The \"Band\"".to_owned(),
            release_date: "1999-05".to_owned(),
            genres: vec!["Rock".to_owned(), "R&B".to_owned()],
            track_count: 2,
            picture,
            ..AlbumFacts::default()
        });
        let track = Track::from(TrackFacts {
            id: TrackId(88),
            title: "One\u{1} of 'them'".to_owned(),
            display_artist: "Band feat. Guest".to_owned(),
            display_album_artist: "The \"Band\"".to_owned(),
            display_composer: "J. S. Bach".to_owned(),
            album_name: "Tunes & <Tones>".to_owned(),
            genres: vec!["Rock".to_owned()],
            number: Some(3),
            disc: Some(1),
            year: Some(1999),
            picture,
            ..TrackFacts::default()
        });
        let resource = Resource {
            path: "/media/88.flac".to_owned(),
            protocol_info: "http-get:*:audio/flac:DLNA.ORG_OP=01".to_owned(),
            size_bytes: Some(24_670_256),
            duration_ms: 205_506,
            bitrate_kbps: 955,
            sample_rate: 44_100,
            bit_depth: 16,
            channels: 2,
        };
        let address = ([10, 0, 0, 2], 4041).into();
        let mut didl = Didl::new(Filter::EVERYTHING, quirks::GENERIC, address);
        let home = Container::Album(AlbumId(12));
        didl.album(&album, Container::Root);
        didl.track(ObjectId::Track(TrackId(88)), home, &track, &[resource]);
        let (text, written) = didl.finish();
        let text = unpacked(&text);
        let golden = include_str!("../../../../tests/golden/dlna/track_and_album.xml");
        assert_eq!(written, 2);
        assert_eq!(text.replace("><", ">\n<"), golden.trim_end());
        assert!(xml::read(text.as_bytes(), &Rules::STRICT).is_ok());
    }

    #[test]
    fn folders_follow_filter_and_profile() {
        let address = ([10, 0, 0, 2], 4041).into();
        let xbox = Profile { is_storage_folder: true, ..quirks::GENERIC };
        let mut didl = Didl::new(Filter::parse(Some("")), xbox, address);
        let mut folder = Folder::new(Container::Root, None, "A & \u{1}B", "object.container");
        folder.child_count = Some(3);
        didl.folder(&folder);
        let (text, written) = didl.finish();
        let (head, tail) = (unpacked(HEAD), unpacked(TAIL));
        assert_eq!(written, 1);
        assert_eq!(
            unpacked(&text),
            format!(
                "{head}<container id=\"0\" parentID=\"-1\" restricted=\"1\"><dc:title>A &amp; B</dc:title>\
                 <upnp:class>object.container.storageFolder</upnp:class></container>{tail}"
            )
        );
    }
}
