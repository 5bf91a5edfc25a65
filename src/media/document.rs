//! XML documents from outside as bounded trees: depth, elements, attributes and bytes have an end,
//! document types are refused, and nothing recurses. For feeds and the small files beside music.

use encoding_rs::Encoding;
use quick_xml::{Reader, XmlVersion, events::Event};

/// Elements inside each other.
const MAX_DEPTH: usize = 32;
/// Elements of a document; a feed of two thousand episodes has fewer.
const MAX_ELEMENTS: usize = 65_536;
/// Attributes of a tag.
const MAX_ATTRIBUTES: usize = 64;
/// Bytes of a document.
const MAX_BYTES: usize = 2 << 20;

/// An element. Names keep their prefix (`itunes:duration`) and are in lower case.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// Text right inside it, references resolved.
    pub(crate) text: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
}

/// Why a document was refused, as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("It is not well-formed XML")]
    NotXml,
    #[error("XML with a document type is refused")]
    DocumentType,
    #[error("The XML is too complex")]
    TooComplex,
}

impl Element {
    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text of the first child of one of these names that has any.
    pub(crate) fn text_of(&self, names: &[&str]) -> &str {
        let texts = names.iter().filter_map(|name| self.child(name)).map(|child| child.text.trim());
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// An attribute's value, '' if it is not there.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(each, _)| each == name);
        found.map_or("", |(_, value)| value.trim())
    }
}

/// Reads a document in the encoding that its mark or its first line names.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, Refused> {
    if MAX_BYTES < bytes.len() {
        return Err(Refused::TooComplex);
    }
    let text = encoding(bytes).decode(bytes).0;
    let mut reader = Reader::from_str(text.trim_matches(['\0', ' ', '\t', '\r', '\n', '\u{feff}']));
    reader.config_mut().allow_dangling_amp = true;
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
                let mut element = Element {
                    name: tag.name().as_ref().to_ascii_lowercase(),
                    ..Element::default()
                };
                // Unchecked attributes keep this linear.
                for attribute in tag.attributes().with_checks(false) {
                    let attribute = attribute.map_err(|_| Refused::NotXml)?;
                    if MAX_ATTRIBUTES <= element.attributes.len() {
                        return Err(Refused::TooComplex);
                    }
                    let name = attribute.key.as_ref().to_ascii_lowercase();
                    let value = attribute
                        .normalized_value(XmlVersion::Implicit1_0)
                        .unwrap_or_else(|_| attribute.value.clone());
                    element.attributes.push((name, value.into_owned()));
                }
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
                match reference.resolve_char_ref() {
                    Ok(Some(character)) => element.text.push(character),
                    // What HTML knows and XML does not is left to who reads the text.
                    _ => push_named(&reference.into_inner(), &mut element.text),
                }
            }
            Event::DocType(_) => return Err(Refused::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => (),
            Event::Eof => break,
        }
    }
    if open.is_empty() { root.ok_or(Refused::NotXml) } else { Err(Refused::NotXml) }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn push_named(name: &str, text: &mut String) {
    match name {
        "amp" => text.push('&'),
        "lt" => text.push('<'),
        "gt" => text.push('>'),
        "quot" => text.push('"'),
        "apos" => text.push('\''),
        _ => {
            text.push('&');
            text.push_str(name);
            text.push(';');
        }
    }
}

/// By the mark, else by `encoding="..."` in the first line, else UTF-8.
fn encoding(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let head = head.split("?>").next().unwrap_or_default();
    let named = head.split("encoding=").nth(1).and_then(|rest| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        Encoding::for_label(rest[1..].split(quote).next()?.as_bytes())
    });
    named.unwrap_or(encoding_rs::UTF_8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let root = read(
            b"<?xml version='1.0'?>\n<RSS v='2 &amp; 3'><a:B>x &lt;<![CDATA[<i>]]>&nbsp;&#233;</a:B><c/></RSS>",
        )
        .unwrap();
        assert_eq!(root.name, "rss");
        assert_eq!(root.attribute("v"), "2 & 3");
        assert_eq!(root.text_of(&["none", "a:b"]), "x <<i>&nbsp;\u{e9}");
        assert!(root.child("c").is_some());
        let latin = b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\xe9</a>";
        assert_eq!(read(latin).unwrap().text, "\u{e9}");
        assert_eq!(read(b"<a>fish & chips</a>").unwrap().text, "fish & chips");
    }

    #[test]
    fn what_is_hostile_is_refused() {
        let deep = format!("{}x{}", "<a>".repeat(33), "</a>".repeat(33));
        assert_eq!(read(deep.as_bytes()), Err(Refused::TooComplex));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert_eq!(read(wide.as_bytes()), Err(Refused::TooComplex));
        let long = format!("<a {}/>", "b='' ".repeat(65));
        assert_eq!(read(long.as_bytes()), Err(Refused::TooComplex));
        assert_eq!(read(&vec![b' '; MAX_BYTES + 1]), Err(Refused::TooComplex));
        assert_eq!(read(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), Err(Refused::DocumentType));
        for broken in ["", "x", "<a>", "<a></b>", "<a/><b/>", "</a>", "<a/>x"] {
            assert_eq!(read(broken.as_bytes()), Err(Refused::NotXml), "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read_or_refused(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
