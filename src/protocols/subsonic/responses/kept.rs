//! Songs and albums in two parts: facts, which are the same for everybody and kept as text beside
//! the facts themselves, and what is the principal's own, written anew each time behind them.

use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeStruct},
};

use super::super::xml;
use crate::catalog::{Annotation, Spelling, Written};

/// What `serde_json` calls a struct whose only field is JSON already.
const RAW_JSON: &str = "$serde_json::private::RawValue";

/// What is not the same for everybody: adds members to the element.
pub(super) trait Own {
    /// Scalars.
    fn scalars<E: SerializeStruct>(&self, element: &mut E) -> Result<(), E::Error>;

    /// Elements, behind those of the facts.
    fn children<E: SerializeStruct>(&self, _element: &mut E) -> Result<(), E::Error> {
        Ok(())
    }
}

/// Writes an element of both parts.
pub(super) fn serialize<S: Serializer, F: Serialize>(
    serializer: S,
    written: &Written,
    facts: impl Fn() -> F,
    own: &impl Own,
) -> Result<S::Ok, S::Error> {
    // Of the two spellings only JSON says that it is meant for people.
    if serializer.is_human_readable() {
        let facts = written.get_or_write(Spelling::Json, || json_members(&facts()));
        let text = json(facts, own).map_err(S::Error::custom)?;
        let mut raw = serializer.serialize_struct(RAW_JSON, 1)?;
        raw.serialize_field(RAW_JSON, &text)?;
        return raw.end();
    }
    let attributes =
        written.get_or_write(Spelling::XmlAttributes, || xml::parts(&facts()).0.into());
    let children = written.get_or_write(Spelling::XmlChildren, || xml::parts(&facts()).1.into());
    let mut element = serializer.serialize_struct(xml::KEPT, 2)?;
    element.serialize_field(xml::ATTRIBUTES, attributes)?;
    own.scalars(&mut element)?;
    element.serialize_field(xml::CHILDREN, children)?;
    own.children(&mut element)?;
    element.end()
}

/// An object up to its closing brace.
fn json_members(facts: &impl Serialize) -> Box<str> {
    let mut text = serde_json::to_string(facts).unwrap_or_default();
    text.pop();
    text.into()
}

/// The whole object: facts, then what is the principal's own.
fn json(facts: &str, own: &impl Own) -> serde_json::Result<String> {
    let mut text = Vec::with_capacity(facts.len() + 192);
    text.extend_from_slice(facts.as_bytes());
    let mut rest = serde_json::Serializer::new(&mut text);
    let mut object = rest.serialize_struct("", 1)?;
    own.scalars(&mut object)?;
    own.children(&mut object)?;
    object.end()?;
    // What was written as an object of its own goes on with the first.
    text[facts.len()] = b',';
    String::from_utf8(text).map_err(serde_json::Error::custom)
}

/// Stars, ratings and counts, as songs and albums have them.
pub(super) fn annotation<E: SerializeStruct>(
    mine: &Annotation,
    element: &mut E,
) -> Result<(), E::Error> {
    element.serialize_field("playCount", &mine.play_count)?;
    if let Some(at) = mine.starred_at {
        element.serialize_field("starred", &super::Date(at))?;
    }
    if let Some(rating) = mine.rating {
        element.serialize_field("userRating", &rating)?;
    }
    if let Some(at) = mine.played_at {
        element.serialize_field("played", &super::Date(at))?;
    }
    Ok(())
}
