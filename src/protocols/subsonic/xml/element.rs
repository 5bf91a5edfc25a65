//! Elements with their fields, and lists of elements.

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct};

use super::{ATTRIBUTES, CHILDREN, Dialect, Fault, Node, Place, close};

/// The elements that OpenSubsonic added inside older ones.
const ADDED_ELEMENTS: &[&str] = &[
    "artists",
    "albumArtists",
    "contributors",
    "genres",
    "moods",
    "isrc",
    "groupings",
    "works",
    "movements",
    "replayGain",
    "discTitles",
    "recordLabels",
    "releaseTypes",
    "releaseDate",
    "originalReleaseDate",
    "roles",
];

/// Lists that JSON names in the plural and XML by their items.
const BY_ITEM: &[(&str, &str)] = &[("agents", "agent")];

/// An element whose fields are being written.
pub(super) struct Element<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) name: &'a str,
    pub(super) dialect: Dialect,
    pub(super) tag_is_open: bool,
}

impl Element<'_> {
    fn field<T: ?Sized + Serialize>(&mut self, name: &str, value: &T) -> Result<(), Fault> {
        if name == ATTRIBUTES {
            return self.ready(value);
        }
        if name == CHILDREN {
            return self.ready_children(value);
        }
        if self.dialect == Dialect::Legacy && ADDED_ELEMENTS.contains(&name) {
            return Ok(());
        }
        let by_item = BY_ITEM.iter().find(|(list, _)| *list == name);
        let name = by_item.map_or(name, |(_, item)| *item);
        let before = self.out.len();
        let was_open = self.tag_is_open;
        let place = Place::Field { tag_is_open: was_open };
        value.serialize(Node { out: self.out, name, place, dialect: self.dialect })?;
        // A child closed the start tag; an attribute, or nothing at all, did not.
        if was_open && self.out.get(before) == Some(&b'>') {
            self.tag_is_open = false;
        }
        Ok(())
    }

    /// Attributes, all in one.
    fn ready<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Fault> {
        let (place, dialect) = (Place::Ready, self.dialect);
        value.serialize(Node { out: self.out, name: self.name, place, dialect })
    }

    /// Children, all in one.
    fn ready_children<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Fault> {
        if self.dialect == Dialect::Legacy {
            return Ok(());
        }
        let before = self.out.len();
        self.out.push(b'>');
        self.ready(value)?;
        if self.out.len() == before + 1 {
            self.out.pop();
        } else {
            self.tag_is_open = false;
        }
        Ok(())
    }

    pub(super) fn done(self) {
        if self.tag_is_open {
            self.out.extend_from_slice(b"/>");
        } else {
            close(self.out, self.name);
        }
    }
}

impl SerializeStruct for Element<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Fault> {
        self.done();
        Ok(())
    }
}

/// What `#[serde(flatten)]` makes of a struct.
pub(super) struct Flattened<'a> {
    pub(super) element: Element<'a>,
    pub(super) key: String,
}

impl SerializeMap for Flattened<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Fault> {
        let mut text = Vec::new();
        let place = Place::Field { tag_is_open: false };
        key.serialize(Node { out: &mut text, name: "value", place, dialect: Dialect::Full })?;
        self.key = String::from_utf8(text).map_err(Fault::custom)?;
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Fault> {
        let key = std::mem::take(&mut self.key);
        self.element.field(&key, value)
    }

    fn end(self) -> Result<(), Fault> {
        self.element.done();
        Ok(())
    }
}

/// Repeated elements of one name.
pub(super) struct Items<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) name: &'a str,
    pub(super) place: Place,
    pub(super) dialect: Dialect,
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Fault> {
        // Only the first item may have to close the parent's start tag.
        if std::mem::replace(&mut self.place, Place::Repeated)
            == (Place::Field { tag_is_open: true })
        {
            self.out.push(b'>');
        }
        value.serialize(Node {
            out: self.out,
            name: self.name,
            place: Place::Repeated,
            dialect: self.dialect,
        })
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}
