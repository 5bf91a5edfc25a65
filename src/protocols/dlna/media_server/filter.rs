//! The Filter argument: which extras a client wants. It only ever drops bulk; id, parent, title,
//! class and `res` are always sent, since radios lose every file without them.

/// The extras that a listing may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter(u16);

/// One extra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// `dc:creator`
    Creator = 1,
    /// `upnp:artist`, with roles
    Artist = 1 << 1,
    /// `upnp:album`
    Album = 1 << 2,
    /// `upnp:genre`
    Genre = 1 << 3,
    /// `dc:date`
    Date = 1 << 4,
    /// `upnp:originalTrackNumber`
    Number = 1 << 5,
    /// `upnp:originalDiscNumber`
    Disc = 1 << 6,
    /// `upnp:albumArtURI`
    Art = 1 << 7,
    /// `@childCount`
    ChildCount = 1 << 8,
    /// `@searchable`
    Searchable = 1 << 9,
    /// `upnp:storageUsed`
    StorageUsed = 1 << 10,
    /// `av:mediaClass`, of one maker and never part of `*`
    MediaClass = 1 << 11,
}

impl Filter {
    /// `*`
    pub(crate) const EVERYTHING: Self = Self(!(Extra::MediaClass as u16));

    /// Reads the argument; absent is everything, unknown names are passed over.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::EVERYTHING };
        let mut wanted = 0;
        for name in text.split(',') {
            let name = name.trim();
            if name == "*" {
                wanted |= Self::EVERYTHING.0;
            }
            let name = name.strip_prefix("container").unwrap_or(name);
            let element = name.split_once('@').map_or(name, |(element, attribute)| {
                if element.is_empty() { attribute } else { element }
            });
            wanted |= match element {
                "dc:creator" => Extra::Creator as u16,
                "upnp:artist" => Extra::Artist as u16,
                "upnp:album" => Extra::Album as u16,
                "upnp:genre" => Extra::Genre as u16,
                "dc:date" => Extra::Date as u16,
                "upnp:originalTrackNumber" => Extra::Number as u16,
                "upnp:originalDiscNumber" => Extra::Disc as u16,
                "upnp:albumArtURI" => Extra::Art as u16,
                "childCount" => Extra::ChildCount as u16,
                "searchable" => Extra::Searchable as u16,
                "upnp:storageUsed" => Extra::StorageUsed as u16,
                "av:mediaClass" => Extra::MediaClass as u16,
                _ => 0,
            };
        }
        Self(wanted)
    }

    /// Whether it is wanted.
    pub(crate) fn wants(self, extra: Extra) -> bool {
        self.0 & extra as u16 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_leniently() {
        use Extra::{Album, Art, Artist, ChildCount, Date, Genre, MediaClass};
        for (text, wanted, unwanted) in [
            (None, vec![Art, Genre], vec![]),
            (Some("*"), vec![Art, Genre], vec![MediaClass]),
            (Some("*,av:mediaClass"), vec![Art, MediaClass], vec![]),
            (Some("dc:date,*"), vec![Art], vec![]),
            (Some(""), vec![], vec![Art, Artist, Album]),
            (Some("dc:title, upnp:artist@role ,res@size"), vec![Artist], vec![Art, Album]),
            (Some("upnp:albumArtURI@dlna:profileID"), vec![Art], vec![Album]),
            (Some("@childCount"), vec![ChildCount], vec![Date]),
            (Some("container@childCount"), vec![ChildCount], vec![Date]),
            (Some("childCount"), vec![ChildCount], vec![Date]),
            (Some("xbmc:artwork,avega_media_server:media_library_database"), vec![], vec![Art]),
        ] {
            let filter = Filter::parse(text);
            for extra in wanted {
                assert!(filter.wants(extra), "{text:?} {extra:?}");
            }
            for extra in unwanted {
                assert!(!filter.wants(extra), "{text:?} {extra:?}");
            }
        }
    }
}
