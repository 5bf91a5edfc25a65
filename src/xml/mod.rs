//! XML in and out. In: the one bounded reader for documents from outside; depth, elements,
//! attributes and bytes have an end, document types are refused, and nothing recurses. Out:
//! escaping that leaves nothing that XML 1.0 forbids.

mod escape;

use std::borrow::Cow;

use encoding_rs::Encoding;
use quick_xml::{Reader, XmlVersion, events::Event};

pub(crate) use escape::{bytes_inside, escape, escape_twice, inside, length_inside};

/// What a document may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Elements inside each other.
    pub(crate) depth: usize,
    /// Elements of the document.
    pub(crate) elements: usize,
    /// Attributes of a tag.
    pub(crate) attributes: usize,
    /// Bytes of the document.
    pub(crate) bytes: usize,
    /// How names are told.
    pub(crate) names: Names,
    /// How much is forgiven.
    pub(crate) manner: Manner,
    /// What becomes of a document type.
    pub(crate) types: Types,
}

/// What becomes of a document type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Types {
    /// The document is refused.
    Refused,
    /// One that only names a definition elsewhere is passed over, and never fetched; one that
    /// defines something itself is refused.
    PassedOver,
}

/// How the names of elements and attributes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// As written, prefix and all.
    Written,
    /// As written, in lower case.
    Lower,
    /// Without the prefix.
    Local,
}

/// How much is forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// UTF-8, or UTF-16 with a mark; no entity but XML's own five.
    Strict,
    /// The encoding that the first line names; what HTML knows and XML does not stays as written.
    Lenient,
}

impl Rules {
    /// For requests of protocols.
    pub(crate) const STRICT: Self = Self {
        depth: 32,
        elements: 4_096,
        attributes: 64,
        bytes: 1 << 20,
        names: Names::Written,
        manner: Manner::Strict,
        types: Types::Refused,
    };
}

/// An element with everything in it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// As [`Names`] says.
    pub(crate) name: String,
    /// In order, references resolved.
    pub(crate) attributes: Vec<(String, String)>,
    /// Text right inside it, references resolved.
    pub(crate) text: String,
    /// In order.
    pub(crate) children: Vec<Element>,
    /// How many bytes of its parent's text stand before it.
    pub(crate) place: usize,
}

/// Why a document was refused, as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Not XML, or cut off.
    #[error("This is not well-formed XML")]
    NotXml,
    /// A document type, which no protocol here has.
    #[error("XML with a document type is refused")]
    DocumentType,
    /// Too deep, too long, too many elements or attributes.
    #[error("This XML is too complex")]
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

/// Reads a document.
pub(crate) fn read(bytes: &[u8], rules: &Rules) -> Result<Element, Refused> {
    read_pruned(bytes, rules, |_, element| Some(element))
}

/// The same for long documents: each element that ends is shown with its ancestors, outermost
/// first, and only what comes back stands in its parent.
pub(crate) fn read_pruned(
    bytes: &[u8],
    rules: &Rules,
    mut keep: impl FnMut(&[Element], Element) -> Option<Element>,
) -> Result<Element, Refused> {
    if rules.bytes < bytes.len() {
        return Err(Refused::TooComplex);
    }
    let text = decoded(bytes, rules.manner)?;
    // C strings reach us with their end mark, and some stacks put a line break first.
    let mut reader = Reader::from_str(text.trim_matches(['\0', ' ', '\t', '\r', '\n', '\u{feff}']));
    reader.config_mut().allow_dangling_amp = rules.manner == Manner::Lenient;
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
                if rules.depth <= open.len() || rules.elements < elements {
                    return Err(Refused::TooComplex);
                }
                let mut element = Element {
                    name: rules.names.tell(tag.name().as_ref()),
                    place: open.last().map_or(0, |parent| parent.text.len()),
                    ..Element::default()
                };
                // Unchecked attributes keep this linear.
                for attribute in tag.attributes().with_checks(false) {
                    let attribute = attribute.map_err(|_| Refused::NotXml)?;
                    if rules.attributes <= element.attributes.len() {
                        return Err(Refused::TooComplex);
                    }
                    let name = rules.names.tell(attribute.key.as_ref());
                    let value = attribute
                        .normalized_value(XmlVersion::Implicit1_0)
                        .unwrap_or_else(|_| attribute.value.clone());
                    element.attributes.push((name, value.into_owned()));
                }
                if matches!(event, Event::Start(_)) {
                    open.push(element);
                } else {
                    close(element, &mut open, &mut root, &mut keep);
                }
            }
            Event::End(_) => {
                let element = open.pop().ok_or(Refused::NotXml)?;
                close(element, &mut open, &mut root, &mut keep);
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
                let character = reference.resolve_char_ref();
                let character = match (character, rules.manner) {
                    (Ok(Some(character)), _) => Some(character),
                    (Err(_), Manner::Strict) => return Err(Refused::NotXml),
                    _ => None,
                };
                let name = reference.into_inner();
                match (character.or_else(|| named(&name)), rules.manner) {
                    (Some(character), _) => element.text.push(character),
                    (None, Manner::Strict) => return Err(Refused::NotXml),
                    // Left to who reads the text.
                    (None, Manner::Lenient) => {
                        element.text.push('&');
                        element.text.push_str(&name);
                        element.text.push(';');
                    }
                }
            }
            Event::DocType(ref inner) => {
                let defines = inner.as_ref().contains('[');
                if defines || root.is_some() || !open.is_empty() || rules.types == Types::Refused {
                    return Err(Refused::DocumentType);
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => (),
            Event::Eof => break,
        }
    }
    if open.is_empty() { root.ok_or(Refused::NotXml) } else { Err(Refused::NotXml) }
}

impl Names {
    fn tell(self, written: &str) -> String {
        match self {
            Self::Written => written.to_owned(),
            Self::Lower => written.to_ascii_lowercase(),
            Self::Local => written.rsplit_once(':').map_or(written, |(_, local)| local).to_owned(),
        }
    }
}

fn decoded(bytes: &[u8], manner: Manner) -> Result<Cow<'_, str>, Refused> {
    match (manner, Encoding::for_bom(bytes)) {
        (Manner::Lenient, _) => Ok(encoding(bytes).decode(bytes).0),
        (Manner::Strict, Some((encoding, mark))) => encoding
            .decode_without_bom_handling_and_without_replacement(&bytes[mark..])
            .ok_or(Refused::NotXml),
        (Manner::Strict, None) => {
            std::str::from_utf8(bytes).map(Cow::from).map_err(|_| Refused::NotXml)
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

/// Hands a finished element to its parent, if it is kept.
fn close(
    element: Element,
    open: &mut [Element],
    root: &mut Option<Element>,
    keep: &mut impl FnMut(&[Element], Element) -> Option<Element>,
) {
    if open.is_empty() {
        *root = Some(element);
    } else if let Some(element) = keep(open, element)
        && let Some(parent) = open.last_mut()
    {
        parent.children.push(element);
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

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Rules = Rules { names: Names::Local, ..Rules::STRICT };
    const LENIENT: Rules = Rules { names: Names::Lower, manner: Manner::Lenient, ..Rules::STRICT };

    #[test]
    fn reads_local_names_text_and_references() {
        let read = read(
            b"\xef\xbb\xbf<?xml version=\"1.0\"?><s:a x='1'><!-- c --><u:b>1 &lt;&#x41;&amp;<![CDATA[<z>]]></u:b><c/></s:a>\0",
            &LOCAL,
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
        assert_eq!(read(&bytes, &Rules::STRICT).unwrap().text, "\u{e9}");
    }

    #[test]
    fn what_stands_between_elements_keeps_its_place() {
        let read = read(b"<a>x<p:b y=' 1'/>z&amp;<c/></a>", &Rules::STRICT).unwrap();
        assert_eq!(read.text, "xz&");
        assert_eq!(read.children[0].name, "p:b");
        assert_eq!(read.children[0].attributes, [("y".to_owned(), " 1".to_owned())]);
        assert_eq!((read.children[0].place, read.children[1].place), (1, 3));
    }

    #[test]
    fn the_lenient_take_what_the_web_writes() {
        let root = read(
            b"<?xml version='1.0'?>\n<RSS v='2 &amp; 3'><a:B>x &lt;<![CDATA[<i>]]>&nbsp;&#233;</a:B><c/></RSS>",
            &LENIENT,
        )
        .unwrap();
        assert_eq!(root.name, "rss");
        assert_eq!(root.attribute("v"), "2 & 3");
        assert_eq!(root.text_of(&["none", "a:b"]), "x <<i>&nbsp;\u{e9}");
        assert!(root.child("c").is_some());
        let latin = b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\xe9</a>";
        assert_eq!(read(latin, &LENIENT).unwrap().text, "\u{e9}");
        assert_eq!(read(b"<a>fish & chips</a>", &LENIENT).unwrap().text, "fish & chips");
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
        for rules in [&Rules::STRICT, &LOCAL, &LENIENT] {
            assert!(read(just_deep_enough.as_bytes(), rules).is_ok());
            assert_eq!(read(&vec![b' '; rules.bytes + 1], rules), Err(Refused::TooComplex));
            for (text, why) in [
                (deep.as_str(), Refused::TooComplex),
                (&too_deep, Refused::TooComplex),
                (&many, Refused::TooComplex),
                (&attributes, Refused::TooComplex),
                (laughs, Refused::DocumentType),
                ("<a></b>", Refused::NotXml),
                ("<a>", Refused::NotXml),
                ("</a>", Refused::NotXml),
                ("<a/><b/>", Refused::NotXml),
                ("<a/>x", Refused::NotXml),
                ("text", Refused::NotXml),
                ("", Refused::NotXml),
            ] {
                let answer = read(text.as_bytes(), rules);
                assert_eq!(answer, Err(why), "{}", &text[..text.len().min(40)]);
            }
        }
        for text in ["<a>&b;</a>", "<a>&#0;</a>", "<a>&"] {
            assert_eq!(read(text.as_bytes(), &LOCAL), Err(Refused::NotXml), "{text}");
        }
        assert_eq!(read(b"<a>\xff</a>", &Rules::STRICT), Err(Refused::NotXml));
        assert_eq!(read(b"\xff\xfe\x00\xd8", &Rules::STRICT), Err(Refused::NotXml));
    }

    #[test]
    fn a_type_that_defines_nothing_may_be_passed_over() {
        let passing = Rules { types: Types::PassedOver, ..Rules::STRICT };
        let named = b"<?xml version='1.0'?><!DOCTYPE a PUBLIC '-//X' 'http://x/y.dtd'><a>1</a>";
        assert_eq!(read(named, &passing).unwrap().text, "1");
        assert_eq!(read(named, &Rules::STRICT), Err(Refused::DocumentType));
        for text in
            ["<!DOCTYPE a [<!ENTITY b 'ha'>]><a>&b;</a>", "<a><!DOCTYPE a></a>", "<a/><!DOCTYPE a>"]
        {
            assert!(read(text.as_bytes(), &passing).is_err(), "{text}");
        }
    }

    #[test]
    fn long_documents_are_pruned_while_they_are_read() {
        let mut seen = Vec::new();
        let root =
            read_pruned(b"<a><b><c>1</c><c>2</c></b><d/></a>", &Rules::STRICT, |above, element| {
                if element.name == "c" {
                    seen.push((above.len(), element.text));
                    return None;
                }
                Some(element)
            })
            .unwrap();
        assert_eq!(seen, [(2, "1".to_owned()), (2, "2".to_owned())]);
        assert_eq!(root.children.len(), 2);
        assert!(root.children[0].children.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read_or_refused(bytes: Vec<u8>) {
            for rules in [&Rules::STRICT, &LOCAL, &LENIENT] {
                let _ = read(&bytes, rules);
            }
        }
    }
}
