//! One serde model, two spellings: `serde_json` writes the JSON form, this the XML form.
//! Scalars become attributes, structs child elements, lists repeated children; a field called
//! `value` is the element's text, and [`Text`] is an element with text alone. Everything goes
//! straight into one buffer, so a struct must name its scalars before its children.

mod element;
mod escape;
#[cfg(test)]
mod tests;

use std::{
    fmt::{self, Display, Write as _},
    io::Write as _,
};

use serde::ser::{Error as _, Impossible, Serialize, Serializer};

use self::{
    element::{Element, Flattened, Items},
    escape::Escaped,
};

pub(super) use escape::escape;

/// Marks a scalar that XML spells as `<name>text</name>` and JSON as a plain member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

/// Marks text called `value` that XML spells as an attribute all the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a>(pub(super) &'a str);

const TEXT: &str = "$text";
const ATTRIBUTE: &str = "$attribute";

/// A struct that brings attributes and children as XML already, under the two names below; its
/// other fields are written as ever, attributes between the two and children behind them.
pub(super) const KEPT: &str = "$kept";
/// The attributes, each with a blank before it.
pub(super) const ATTRIBUTES: &str = "$attributes";
/// The children. Who reads the old elements alone does not get them.
pub(super) const CHILDREN: &str = "$children";

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(TEXT, self.0)
    }
}

/// Who will read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Anybody who skips what he does not know.
    Full,
    /// Old parsers that take any `<artist>` for one of theirs (C1): no nested OpenSubsonic elements.
    Legacy,
}

impl Serialize for Attribute<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(ATTRIBUTE, self.0)
    }
}

/// Appends `<name …>…</name>`, or the repeated elements of a list.
pub(super) fn append<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    name: &'static str,
    value: &T,
    dialect: Dialect,
) -> Result<(), Fault> {
    value.serialize(Node { out, name, place: Place::Repeated, dialect })
}

/// The attributes and the children of an element as text, for [`KEPT`].
pub(super) fn parts<T: Serialize + ?Sized>(value: &T) -> (String, String) {
    let mut text = Vec::new();
    if append(&mut text, "x", value, Dialect::Full).is_err() {
        return Default::default();
    }
    let text = String::from_utf8(text).unwrap_or_default();
    // A `>` inside an attribute is escaped.
    match text.split_once('>') {
        Some((attributes, children)) => {
            let attributes = attributes.trim_start_matches("<x").trim_end_matches('/');
            (attributes.to_owned(), children.trim_end_matches("</x>").to_owned())
        }
        None => Default::default(),
    }
}

/// A value that has no XML form, or a struct whose fields stand in the wrong order.
#[derive(Debug)]
pub(super) struct Fault(String);

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl serde::ser::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A field of an element whose start tag is still open (true) or closed (false).
    Field { tag_is_open: bool },
    /// An item of a list, or the root: always an element.
    Repeated,
    /// XML already.
    Ready,
    /// An attribute, whatever its name.
    Attribute,
}

/// One named value on its way into the buffer.
struct Node<'a> {
    out: &'a mut Vec<u8>,
    name: &'a str,
    place: Place,
    dialect: Dialect,
}

impl<'a> Node<'a> {
    /// Closes the parent's start tag if this is its first child.
    fn child(self) -> Self {
        if self.place == (Place::Field { tag_is_open: true }) {
            self.out.push(b'>');
        }
        self
    }

    fn scalar(self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        match self.place {
            Place::Field { .. } if self.name == "value" => {
                write(self.child().out);
            }
            Place::Field { tag_is_open: true } | Place::Attribute => {
                self.out.push(b' ');
                self.out.extend_from_slice(self.name.as_bytes());
                self.out.extend_from_slice(b"=\"");
                write(self.out);
                self.out.push(b'"');
            }
            Place::Field { tag_is_open: false } => {
                return Err(Fault(format!("attribute {} after a child element", self.name)));
            }
            Place::Repeated => self.element(write),
            Place::Ready => return Err(Fault("only text can be XML already".to_owned())),
        }
        Ok(())
    }

    /// `<name>text</name>`.
    fn element(self, write: impl FnOnce(&mut Vec<u8>)) {
        let Self { out, name, .. } = self.child();
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
        write(out);
        close(out, name);
    }

    fn open(self) -> Element<'a> {
        let Self { out, name, dialect, .. } = self.child();
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        Element { out, name, dialect, tag_is_open: true }
    }

    fn unsupported<T>(kind: &str) -> Result<T, Fault> {
        Err(Fault::custom(format!("a {kind} has no XML form")))
    }
}

fn close(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Numbers and booleans: what `Display` says needs no escaping.
macro_rules! plain {
    ($($method:ident $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<(), Fault> {
            self.scalar(|out| {
                // Writing to a Vec cannot fail.
                let _ = write!(out, "{value}");
            })
        })*
    };
}

impl<'a> Serializer for Node<'a> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Impossible<(), Fault>;
    type SerializeTupleStruct = Impossible<(), Fault>;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = Flattened<'a>;
    type SerializeStruct = Element<'a>;
    type SerializeStructVariant = Impossible<(), Fault>;

    plain!(
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32,
        serialize_i64 i64, serialize_u8 u8, serialize_u16 u16, serialize_u32 u32,
        serialize_u64 u64, serialize_f32 f32, serialize_f64 f64
    );

    /// What tells this spelling from JSON's.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        if self.place == Place::Ready {
            self.out.extend_from_slice(value.as_bytes());
            return Ok(());
        }
        self.scalar(|out| escape(out, value))
    }

    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<(), Fault> {
        let mut failed = false;
        self.scalar(|out| failed = write!(Escaped(out), "{value}").is_err())?;
        if failed { Err(Fault::custom("a value could not be written")) } else { Ok(()) }
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_none(self) -> Result<(), Fault> {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Fault> {
        Self::unsupported("byte string")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        self.open().done();
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &str) -> Result<(), Fault> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        if name == TEXT && self.place != Place::Repeated {
            self = self.child();
            self.place = Place::Repeated;
        }
        if name == ATTRIBUTE && self.place == (Place::Field { tag_is_open: true }) {
            self.place = Place::Attribute;
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Fault> {
        Self::unsupported("variant")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Fault> {
        Ok(Items { out: self.out, name: self.name, place: self.place, dialect: self.dialect })
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Fault> {
        Self::unsupported("tuple")
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Fault> {
        Self::unsupported("tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        Self::unsupported("variant")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Flattened<'a>, Fault> {
        Ok(Flattened { element: self.open(), key: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Element<'a>, Fault> {
        Ok(self.open())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        Self::unsupported("variant")
    }
}
