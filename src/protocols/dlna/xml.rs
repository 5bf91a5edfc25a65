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

/// Appends text or an attribute value. What XML 1.0 cannot hold is dropped: one such character in
/// one tag makes strict clients refuse the whole folder.
pub(crate) fn escape(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let (mut last, mut at) = (0, 0);
    while at < bytes.len() {
        let (with, length) = match bytes[at] {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' => ("&quot;", 1),
            b'\'' => ("&#39;", 1),
            b'\t' | b'\n' | b'\r' | b' '..=0xee | 0xf0.. => {
                at += 1;
                continue;
            }
            // U+FFFE and U+FFFF.
            0xef if !matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => {
                at += 1;
                continue;
            }
            0xef => ("", 3),
            _ => ("", 1),
        };
        out.push_str(&text[last..at]);
        out.push_str(with);
        at += length;
        last = at;
    }
    out.push_str(&text[last..]);
}

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
        let plain = "nothing to do";
        assert_eq!(escaped(plain), plain);
    }
}
