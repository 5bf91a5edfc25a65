//! Names with their namespaces (XML Namespaces 1.0), out of a document that was read as written;
//! and properties as they are kept: an element that says all by itself.

use std::rc::Rc;

use crate::{
    drive::{Property, PropertyName},
    xml::{Element, escape},
};

/// WebDAV's own namespace.
pub(super) const DAV: &str = "DAV:";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// Prefixes that may hold at one place.
const MOST_PREFIXES: usize = 64;

/// A document says a prefix that it does not explain, or is otherwise not well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// What prefixes mean at a place of a document, and in which language its text is.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Prefix ('' for none) and namespace.
    prefixes: Rc<Vec<(String, String)>>,
    language: Option<String>,
}

/// A child element with its name resolved.
pub(super) struct Named<'a> {
    /// What it is called.
    pub(super) name: PropertyName,
    /// The element.
    pub(super) element: &'a Element,
    /// What prefixes mean right inside it.
    pub(super) scope: Scope,
}

impl Named<'_> {
    /// Whether it is this element of WebDAV's own.
    pub(super) fn is(&self, local: &str) -> bool {
        self.name.namespace == DAV && self.name.name == local
    }
}

/// The root of a document.
pub(super) fn root(element: &Element) -> Result<Named<'_>, Malformed> {
    Scope::default().named(element)
}

/// The children of an element.
pub(super) fn children<'a>(parent: &Named<'a>) -> Result<Vec<Named<'a>>, Malformed> {
    parent.element.children.iter().map(|child| parent.scope.named(child)).collect()
}

/// Whether every name of a document means something.
pub(super) fn check(parent: &Named<'_>) -> Result<(), Malformed> {
    for child in children(parent)? {
        check(&child)?;
    }
    Ok(())
}

/// An element as it is kept: with the namespaces and the language that it had from around it.
pub(super) fn property(named: &Named<'_>) -> Result<Property, Malformed> {
    let mut element = String::new();
    write(named.element, &named.scope, true, &mut element)?;
    Ok(Property { name: named.name.clone(), element })
}

impl Scope {
    /// Resolves the name of an element in this scope.
    fn named<'a>(&self, element: &'a Element) -> Result<Named<'a>, Malformed> {
        let mut scope = self.clone();
        for (name, value) in &element.attributes {
            match name.split_once(':') {
                None if name == "xmlns" => scope.bind("", value)?,
                Some(("xmlns", prefix)) => {
                    // Only the default can be taken back.
                    if value.is_empty() || !is_name(prefix) {
                        return Err(Malformed);
                    }
                    scope.bind(prefix, value)?;
                }
                Some(("xml", "lang")) => scope.language = Some(value.clone()),
                _ => (),
            }
        }
        for (name, _) in &element.attributes {
            if name != "xmlns" && !name.starts_with("xmlns:") {
                let (prefix, local) = name.split_once(':').unwrap_or(("", name));
                if !is_name(local) || (!prefix.is_empty() && scope.meaning(prefix).is_none()) {
                    return Err(Malformed);
                }
            }
        }
        let (prefix, local) = element.name.split_once(':').unwrap_or(("", &element.name));
        if !is_name(local) || (element.name.contains(':') && prefix.is_empty()) {
            return Err(Malformed);
        }
        let namespace = scope.meaning(prefix).ok_or(Malformed)?.to_owned();
        let name = PropertyName { namespace, name: local.to_owned() };
        Ok(Named { name, element, scope })
    }

    fn bind(&mut self, prefix: &str, namespace: &str) -> Result<(), Malformed> {
        if matches!(prefix, "xml" | "xmlns") {
            return if prefix == "xml" && namespace == XML { Ok(()) } else { Err(Malformed) };
        }
        if matches!(namespace, XML | XMLNS) {
            return Err(Malformed);
        }
        let prefixes = Rc::make_mut(&mut self.prefixes);
        prefixes.retain(|(known, _)| known != prefix);
        prefixes.push((prefix.to_owned(), namespace.to_owned()));
        if MOST_PREFIXES < prefixes.len() { Err(Malformed) } else { Ok(()) }
    }

    fn meaning(&self, prefix: &str) -> Option<&str> {
        if prefix == "xml" {
            return Some(XML);
        }
        let known = self.prefixes.iter().find(|(known, _)| known == prefix);
        match known {
            Some((_, namespace)) => Some(namespace),
            None => prefix.is_empty().then_some(""),
        }
    }
}

fn write(
    element: &Element,
    scope: &Scope,
    is_outermost: bool,
    out: &mut String,
) -> Result<(), Malformed> {
    out.push('<');
    out.push_str(&element.name);
    if is_outermost {
        for (prefix, namespace) in scope.prefixes.iter() {
            // A text may speak of prefixes too, so all of them come along.
            let name =
                if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
            attribute(&name, namespace, out);
        }
        if let Some(language) = &scope.language {
            attribute("xml:lang", language, out);
        }
    }
    for (name, value) in &element.attributes {
        let is_said =
            is_outermost && (name == "xmlns" || name.starts_with("xmlns:") || name == "xml:lang");
        if !is_said {
            attribute(name, value, out);
        }
    }
    if element.text.is_empty() && element.children.is_empty() {
        out.push_str("/>");
        return Ok(());
    }
    out.push('>');
    write_inside(element, scope, out)?;
    out.push_str("</");
    out.push_str(&element.name);
    out.push('>');
    Ok(())
}

/// Text and elements in their order.
fn write_inside(element: &Element, scope: &Scope, out: &mut String) -> Result<(), Malformed> {
    let mut at = 0;
    for child in &element.children {
        escape(element.text.get(at..child.place).unwrap_or_default(), out);
        at = child.place;
        let named = scope.named(child)?;
        write(child, &named.scope, false, out)?;
    }
    escape(element.text.get(at..).unwrap_or_default(), out);
    Ok(())
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}

/// What can stand as a name without a colon (NCName), a little generous beyond ASCII.
fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    let begins = |letter: char| letter.is_alphabetic() || letter == '_' || !letter.is_ascii();
    let goes_on = |letter: char| begins(letter) || letter.is_ascii_digit() || "-.".contains(letter);
    // What XML cannot hold at all would be dropped on the way out.
    let is_possible =
        |letter: char| !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}');
    letters.next().is_some_and(begins)
        && letters.all(goes_on)
        && text.chars().all(|letter| is_possible(letter) && !letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Rules, read};

    fn kept(text: &str) -> Result<Property, Malformed> {
        let document = read(text.as_bytes(), &Rules::STRICT).unwrap();
        let root = root(&document)?;
        property(&children(&root)?[0])
    }

    #[test]
    fn names_are_resolved() {
        let document = read(
            b"<D:a xmlns:D='DAV:' xmlns='x'><b/><D:c xmlns:D='y'/><d xmlns=''/></D:a>",
            &Rules::STRICT,
        )
        .unwrap();
        let root = root(&document).unwrap();
        assert!(root.is("a"));
        let names: Vec<_> = children(&root)
            .unwrap()
            .into_iter()
            .map(|child| (child.name.namespace, child.name.name))
            .collect();
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(names, [pair("x", "b"), pair("y", "c"), pair("", "d")]);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for wrong in [
            "<D:a/>",
            "<a D:b=''/>",
            "<a xmlns:b=''/>",
            "<:a/>",
            "<a:/>",
            "<a:b:c xmlns:a='x'/>",
            "<1a/>",
            "<a\"b/>",
            "<a xmlns:xml='x'/>",
            "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
            "<a><b><c:d/></b></a>",
        ] {
            let Ok(document) = read(wrong.as_bytes(), &Rules::STRICT) else { continue };
            let checked = root(&document).and_then(|root| check(&root));
            assert_eq!(checked, Err(Malformed), "{wrong}");
        }
    }

    #[test]
    fn a_kept_property_says_all_by_itself() {
        let property = kept(
            "<D:prop xmlns:D='DAV:' xmlns:z='urn:z' xml:lang='de'><z:p a='&lt;1'>x <b xmlns='urn:b'>&amp;</b> y<z:c/></z:p></D:prop>",
        )
        .unwrap();
        assert_eq!(property.name.namespace, "urn:z");
        assert_eq!(
            property.element,
            "<z:p xmlns:D=\"DAV:\" xmlns:z=\"urn:z\" xml:lang=\"de\" a=\"&lt;1\">x <b xmlns=\"urn:b\">&amp;</b> y<z:c/></z:p>"
        );
        let again = read(property.element.as_bytes(), &Rules::STRICT).unwrap();
        assert_eq!(root(&again).unwrap().name, property.name);
        let own = kept("<p xmlns='a' xml:lang='de'><q xmlns='b' xml:lang='en'/></p>").unwrap();
        assert_eq!(own.element, "<q xmlns=\"b\" xml:lang=\"en\"/>");
    }

    proptest::proptest! {
        #[test]
        fn what_is_kept_can_be_read_again(text in "<p xmlns:n='u'><(n:)?[a-zé]{1,3}( [a-z]{1,3}='[^'<&\\x00-\\x1f\\u{fffe}\\u{ffff}]{0,4}')?>[^<&\\x00-\\x1f\\u{fffe}\\u{ffff}]{0,5}(<n:x/>)?[^<&\\x00-\\x1f\\u{fffe}\\u{ffff}]{0,5}</") {
            let name: String = text[16..].chars().take_while(|letter| !" >".contains(*letter)).collect();
            let text = format!("{text}{name}></p>");
            if let Ok(document) = read(text.as_bytes(), &Rules::STRICT)
                && let Ok(root) = root(&document)
                && let Ok(kids) = children(&root)
                && let Ok(kept) = property(&kids[0])
            {
                let again = read(kept.element.as_bytes(), &Rules::STRICT).unwrap();
                let scope = Scope::default().named(&again).unwrap();
                proptest::prop_assert_eq!(&scope.name, &kept.name);
                proptest::prop_assert_eq!(property(&scope).unwrap(), kept);
            }
        }
    }
}
