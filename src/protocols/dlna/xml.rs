//! XML in and out. In: the one depth-limited reader for everything that the network sends; it
//! knows no DTD, no entities of its own, no namespaces (names are local names). Out: escaping that
//! leaves nothing that XML 1.0 forbids.

use quick_xml::{Reader, XmlVersion, events::Event};

/// Elements inside each other.
const MAX_DEPTH: usize = 32;
/// Elements of a document.
const MAX_ELEMENTS: usize = 4_096;
/// Attributes of a tag.
const MAX_ATTRIBUTES: usize = 64;

/// An element without its prefix and attributes: SOAP arguments carry everything in text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// Local name.
    pub(crate) name: String,
    /// Text right inside it, references resolved.
    pub(crate) text: String,
    /// In order.
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The first child of this local name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Why a document was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Not XML, or cut off.
    #[error("This is not well-formed XML")]
    NotXml,
    /// A document type, which UPnP does not have.
    #[error("XML with a document type is refused")]
    DocumentType,
    /// Too deep, too many elements or attributes.
    #[error("This XML is too complex")]
    TooComplex,
}

/// Reads a document of UTF-8, or of UTF-16 with a byte order mark.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, Refused> {
    let text = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding
            .decode_without_bom_handling_and_without_replacement(&bytes[mark..])
            .ok_or(Refused::NotXml)?,
        None => std::str::from_utf8(bytes).map_err(|_| Refused::NotXml)?.into(),
    };
    // C strings reach us with their end mark, and some stacks put a line break first.
    let mut reader = Reader::from_str(text.trim_matches(['\0', ' ', '\t', '\r', '\n']));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(|_| Refused::NotXml)?;
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                elements += 1;
                if root.is_some() {
                    return Err(Refused::NotXml);
                }
                if MAX_DEPTH <= open.len() || MAX_ELEMENTS < elements {
                    return Err(Refused::TooComplex);
                }
                // Unchecked attributes keep this linear; their values are not wanted.
                for (at, attribute) in tag.attributes().with_checks(false).enumerate() {
                    attribute.map_err(|_| Refused::NotXml)?;
                    if MAX_ATTRIBUTES <= at {
                        return Err(Refused::TooComplex);
                    }
                }
                let element =
                    Element { name: tag.local_name().as_ref().to_owned(), ..Element::default() };
                if matches!(event, Event::Start(_)) {
                    open.push(element);
                } else {
                    close(element, &mut open, &mut root);
                }
            }
            Event::End(_) => {
                let element = open.pop().ok_or(Refused::NotXml)?;
                close(element, &mut open, &mut root);
            }
            Event::Text(part) => {
                let part = part.xml_content(XmlVersion::Implicit1_0);
                match open.last_mut() {
                    Some(element) => element.text.push_str(&part),
                    None if part.trim().is_empty() => (),
                    None => return Err(Refused::NotXml),
                }
            }
            Event::CData(part) => {
                let element = open.last_mut().ok_or(Refused::NotXml)?;
                element.text.push_str(&part.xml_content(XmlVersion::Implicit1_0));
            }
            Event::GeneralRef(reference) => {
                let element = open.last_mut().ok_or(Refused::NotXml)?;
                let character = match reference.resolve_char_ref().map_err(|_| Refused::NotXml)? {
                    Some(character) => character,
                    None => named(&reference.into_inner()).ok_or(Refused::NotXml)?,
                };
                element.text.push(character);
            }
            Event::DocType(_) => return Err(Refused::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => (),
            Event::Eof => break,
        }
    }
    if open.is_empty() { root.ok_or(Refused::NotXml) } else { Err(Refused::NotXml) }
}

/// Hands a finished element to its parent.
fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

/// The five entities that XML has without a document type.
fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// Bytes that are not simply copied.
static NEEDS_A_LOOK: [bool; 256] = {
    let mut needs = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        needs[byte] = matches!(byte as u8, b'&' | b'<' | b'>' | b'"' | b'\'' | 0xef)
            || byte < 0x20 && !matches!(byte as u8, b'\t' | b'\n' | b'\r');
        byte += 1;
    }
    needs
};

/// How often text is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Text of a document.
    Once,
    /// Text of a document that is text of another.
    Twice,
}

/// Appends text or an attribute value. What XML 1.0 cannot hold is dropped: one such character in
/// one tag makes strict clients refuse the whole folder.
pub(crate) fn escape(text: &str, out: &mut String) {
    append(text, Depth::Once, out);
}

/// The same for a document that is itself text of another one, as DIDL is in SOAP.
pub(crate) fn escape_twice(text: &str, out: &mut String) {
    append(text, Depth::Twice, out);
}

fn append(text: &str, depth: Depth, out: &mut String) {
    let bytes = text.as_bytes();
    let (mut last, mut at) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| NEEDS_A_LOOK[usize::from(*byte)]) {
        at += found;
        let (once, twice, length) = match bytes[at] {
            b'&' => ("&amp;", "&amp;amp;", 1),
            b'<' => ("&lt;", "&amp;lt;", 1),
            b'>' => ("&gt;", "&amp;gt;", 1),
            b'"' => ("&quot;", "&amp;quot;", 1),
            b'\'' => ("&#39;", "&amp;#39;", 1),
            // U+FFFE and U+FFFF.
            0xef if !matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => {
                at += 1;
                continue;
            }
            0xef => ("", "", 3),
            _ => ("", "", 1),
        };
        out.push_str(&text[last..at]);
        out.push_str(if depth == Depth::Once { once } else { twice });
        at += length;
        last = at;
    }
    out.push_str(&text[last..]);
}

/// What a byte of markup is as text.
const fn entity(byte: u8) -> &'static [u8] {
    match byte {
        b'&' => b"&amp;",
        b'<' => b"&lt;",
        b'>' => b"&gt;",
        b'"' => b"&quot;",
        b'\'' => b"&#39;",
        _ => b"",
    }
}

/// The length of markup as text of another document. For [`inside`].
pub(crate) const fn length_inside(markup: &str) -> usize {
    let bytes = markup.as_bytes();
    let (mut at, mut length) = (0, 0);
    while at < bytes.len() {
        let entity = entity(bytes[at]);
        length += if entity.is_empty() { 1 } else { entity.len() };
        at += 1;
    }
    length
}

/// Markup as text of another document. For [`inside`].
pub(crate) const fn bytes_inside<const LENGTH: usize>(markup: &str) -> [u8; LENGTH] {
    let bytes = markup.as_bytes();
    let (mut at, mut to, mut out) = (0, 0, [0; LENGTH]);
    while at < bytes.len() {
        let entity = entity(bytes[at]);
        let mut letter = 0;
        while letter < entity.len() {
            out[to] = entity[letter];
            (to, letter) = (to + 1, letter + 1);
        }
        if entity.is_empty() {
            out[to] = bytes[at];
            to += 1;
        }
        at += 1;
    }
    out
}

/// Markup as it stands in a document that is text of another one: written so when this is
/// compiled, since an answer is markup for the most part.
macro_rules! inside {
    ($markup:expr) => {{
        const BYTES: [u8; $crate::protocols::dlna::xml::length_inside($markup)] =
            $crate::protocols::dlna::xml::bytes_inside($markup);
        const TEXT: &str = match std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("markup is ASCII"),
        };
        TEXT
    }};
}
pub(crate) use inside;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_local_names_text_and_references() {
        let read = read(
            b"\xef\xbb\xbf<?xml version=\"1.0\"?><s:a x='1'><!-- c --><u:b>1 &lt;&#x41;&amp;<![CDATA[<z>]]></u:b><c/></s:a>\0",
        )
        .unwrap();
        assert_eq!(read.name, "a");
        assert_eq!(read.child("b").unwrap().text, "1 <A&<z>");
        assert_eq!(read.child("c").unwrap().text, "");
        assert!(read.child("d").is_none());
    }

    #[test]
    fn reads_utf_16_with_a_mark() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend("<a>\u{e9}</a>".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(read(&bytes).unwrap().text, "\u{e9}");
    }

    #[test]
    fn refuses_what_is_hostile() {
        let deep = "<a>".repeat(100_000);
        let just_deep_enough = format!("{}{}", "<a>".repeat(32), "</a>".repeat(32));
        let too_deep = format!("{}{}", "<a>".repeat(33), "</a>".repeat(33));
        let many = format!("<a>{}</a>", "<b/>".repeat(5_000));
        let attributes =
            format!("<a {}/>", (0..80_000).map(|n| format!("a{n}='' ")).collect::<String>());
        let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'>]><a>&b;</a>";
        assert!(read(just_deep_enough.as_bytes()).is_ok());
        for (text, why) in [
            (deep.as_str(), Refused::TooComplex),
            (&too_deep, Refused::TooComplex),
            (&many, Refused::TooComplex),
            (&attributes, Refused::TooComplex),
            (laughs, Refused::DocumentType),
            ("<a>&b;</a>", Refused::NotXml),
            ("<a>&#0;</a>", Refused::NotXml),
            ("<a>&", Refused::NotXml),
            ("<a></b>", Refused::NotXml),
            ("<a>", Refused::NotXml),
            ("</a>", Refused::NotXml),
            ("<a/><b/>", Refused::NotXml),
            ("text", Refused::NotXml),
            ("", Refused::NotXml),
        ] {
            assert_eq!(read(text.as_bytes()), Err(why), "{}", &text[..text.len().min(40)]);
        }
        assert_eq!(read(b"<a>\xff</a>"), Err(Refused::NotXml));
        assert_eq!(read(b"\xff\xfe\x00\xd8"), Err(Refused::NotXml));
    }

    #[test]
    fn escapes_and_drops() {
        let escaped = |text: &str| {
            let mut out = String::new();
            escape(text, &mut out);
            out
        };
        assert_eq!(escaped("a<b>&\"'\u{1}\u{b}\u{ffff}\té\n"), "a&lt;b&gt;&amp;&quot;&#39;\té\n");
        let mut twice = String::new();
        escape_twice("a<b>&\"'\u{1}\u{ffff}é", &mut twice);
        assert_eq!(twice, escaped(&escaped("a<b>&\"'\u{1}\u{ffff}é")));
        assert_eq!(inside!("<a b=\"1\">'&amp;</a>"), escaped("<a b=\"1\">'&amp;</a>"));
        let plain = "nothing to do";
        assert_eq!(escaped(plain), plain);
    }
}
