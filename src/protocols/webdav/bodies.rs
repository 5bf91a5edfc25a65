//! Bodies of requests (RFC 4918, 14): which properties are wanted, which shall change, which lock
//! is asked for. All of it is XML, bounded, and every name in it has to mean something.

use std::time::Duration;

use actix_web::{http::StatusCode, web::Payload};
use futures_util::StreamExt as _;

use super::{
    failure::{Answer, Failure},
    names::{self, Malformed, Named},
};
use crate::{
    drive::{LockScope, PropertyChange, PropertyName},
    xml::{self, Rules},
};

/// Bytes of a body that is no file.
const LONGEST: usize = 256 << 10;
/// How long one may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);
/// Properties that one request may ask for: with ten thousand members, each is an answer of its
/// own ten thousand times.
const MOST_WISHES: usize = 128;

/// Which properties a `PROPFIND` wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// All that are cheap, dead ones too, and these.
    All {
        /// Asked for besides.
        include: Vec<PropertyName>,
    },
    /// What they are called.
    Names,
    /// These.
    These(Vec<PropertyName>),
}

/// What a `LOCK` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LockInfo {
    /// Whom it keeps away.
    pub(super) scope: LockScope,
    /// The whole `owner` element, '' without one.
    pub(super) owner: String,
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Self {
        Self::invalid("A name in the XML is not explained")
    }
}

/// The bytes of a body that is no file.
pub(super) async fn receive(mut body: Payload) -> Answer<Vec<u8>> {
    let read = async {
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            let piece = piece
                .map_err(|_| Failure::invalid("The request did not arrive whole").closing())?;
            if LONGEST < bytes.len() + piece.len() {
                let sentence = "The request is longer than 256 KiB";
                return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, sentence).closing());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    };
    tokio::time::timeout(PATIENCE, read).await.map_err(|_| {
        Failure::new(StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive").closing()
    })?
}

/// The body of a `PROPFIND`; an empty one wants all.
pub(super) fn propfind(bytes: &[u8]) -> Answer<Wish> {
    if bytes.is_empty() {
        return Ok(Wish::All { include: Vec::new() });
    }
    let document = xml::read(bytes, &Rules::STRICT)?;
    let root = named_root(&document, "propfind")?;
    let parts = names::children(&root)?;
    let first = |local| parts.iter().find(|part| part.is(local));
    if let Some(these) = first("prop") {
        return Ok(Wish::These(wishes(these)?));
    }
    if first("propname").is_some() {
        return Ok(Wish::Names);
    }
    if first("allprop").is_some() {
        let include = first("include").map(wishes).transpose()?.unwrap_or_default();
        return Ok(Wish::All { include });
    }
    Err(Failure::invalid("propfind says prop, propname or allprop"))
}

/// The body of a `PROPPATCH`, in its order.
pub(super) fn proppatch(bytes: &[u8]) -> Answer<Vec<PropertyChange>> {
    let document = xml::read(bytes, &Rules::STRICT)?;
    let root = named_root(&document, "propertyupdate")?;
    let mut changes = Vec::new();
    for step in names::children(&root)? {
        let (sets, removes) = (step.is("set"), step.is("remove"));
        if !sets && !removes {
            continue;
        }
        for prop in names::children(&step)?.iter().filter(|part| part.is("prop")) {
            for property in names::children(prop)? {
                changes.push(if sets {
                    PropertyChange::Set(names::property(&property)?)
                } else {
                    PropertyChange::Remove(property.name)
                });
            }
        }
    }
    if changes.is_empty() {
        return Err(Failure::invalid("propertyupdate sets or removes something"));
    }
    if MOST_WISHES < changes.len() {
        return Err(Failure::invalid("These are too many properties at once"));
    }
    Ok(changes)
}

/// The body of a `LOCK`; an empty one begins the time of a lock again.
pub(super) fn lockinfo(bytes: &[u8]) -> Answer<Option<LockInfo>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let document = xml::read(bytes, &Rules::STRICT)?;
    let root = named_root(&document, "lockinfo")?;
    let parts = names::children(&root)?;
    let inside = |local| -> Answer<Vec<Named<'_>>> {
        let part = parts.iter().find(|part| part.is(local));
        Ok(part.map(names::children).transpose()?.unwrap_or_default())
    };
    let is_write = inside("locktype")?.iter().any(|kind| kind.is("write"));
    let scopes = inside("lockscope")?;
    let scope = if scopes.iter().any(|scope| scope.is("exclusive")) {
        LockScope::Exclusive
    } else if scopes.iter().any(|scope| scope.is("shared")) {
        LockScope::Shared
    } else {
        return Err(Failure::invalid("lockinfo says exclusive or shared"));
    };
    if !is_write {
        return Err(Failure::invalid("There are write locks only"));
    }
    let owner = parts.iter().find(|part| part.is("owner"));
    let owner = owner.map(names::property).transpose()?;
    Ok(Some(LockInfo { scope, owner: owner.map(|owner| owner.element).unwrap_or_default() }))
}

fn named_root<'a>(document: &'a xml::Element, local: &str) -> Answer<Named<'a>> {
    let root = names::root(document)?;
    names::check(&root)?;
    if root.is(local) { Ok(root) } else { Err(Failure::invalid(format!("This is no {local}"))) }
}

fn wishes(prop: &Named<'_>) -> Answer<Vec<PropertyName>> {
    let mut wishes: Vec<PropertyName> =
        names::children(prop)?.into_iter().map(|wish| wish.name).collect();
    if MOST_WISHES < wishes.len() {
        return Err(Failure::invalid("These are too many properties at once"));
    }
    let mut seen = std::collections::HashSet::new();
    wishes.retain(|wish| seen.insert(wish.clone()));
    Ok(wishes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::Property;

    fn name(namespace: &str, name: &str) -> PropertyName {
        PropertyName { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn wishes_for_properties() {
        let of = |text: &str| propfind(text.as_bytes()).ok();
        assert_eq!(of(""), Some(Wish::All { include: Vec::new() }));
        assert_eq!(
            of("<propfind xmlns='DAV:'><prop><getetag/><x xmlns='u'/><getetag/></prop></propfind>"),
            Some(Wish::These(vec![name("DAV:", "getetag"), name("u", "x")]))
        );
        assert_eq!(of("<a:propfind xmlns:a='DAV:'><a:propname/></a:propfind>"), Some(Wish::Names));
        assert_eq!(
            of(
                "<propfind xmlns='DAV:'><allprop/><include><quota-used-bytes/></include></propfind>"
            ),
            Some(Wish::All { include: vec![name("DAV:", "quota-used-bytes")] })
        );
        for wrong in [
            " ",
            "<propfind/>",
            "<propfind xmlns='DAV:'/>",
            "<propfind xmlns='DAV:'><prop>",
            // As litmus sends them: a name without, and one with an impossible namespace.
            "<D:propfind xmlns:D='DAV:'><D:prop><bar:foo/></D:prop></D:propfind>",
            "<D:propfind xmlns:D='DAV:'><D:prop><bar:foo xmlns:bar=''/></D:prop></D:propfind>",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        let many = format!(
            "<propfind xmlns='DAV:'><prop>{}</prop></propfind>",
            (0..129).map(|number| format!("<a{number}/>")).collect::<String>()
        );
        assert_eq!(of(&many), None);
    }

    #[test]
    fn changes_in_their_order() {
        let changes = proppatch(
            b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><a xmlns='u'>1</a></D:prop></D:set>\
              <D:remove><D:prop><b xmlns='u'/></D:prop></D:remove>\
              <D:set><D:prop><a xmlns='u'>2</a></D:prop></D:set></D:propertyupdate>",
        )
        .unwrap();
        let set = |text: &str| {
            PropertyChange::Set(Property {
                name: name("u", "a"),
                element: format!("<a xmlns:D=\"DAV:\" xmlns=\"u\">{text}</a>"),
            })
        };
        assert_eq!(changes, [set("1"), PropertyChange::Remove(name("u", "b")), set("2")]);
        assert!(proppatch(b"<D:propertyupdate xmlns:D='DAV:'/>").is_err());
        assert!(proppatch(b"").is_err());
    }

    #[test]
    fn wishes_for_locks() {
        let of = |scope: &str, kind: &str, owner: &str| {
            lockinfo(
                format!(
                    "<lockinfo xmlns='DAV:'><lockscope>{scope}</lockscope><locktype>{kind}</locktype>{owner}</lockinfo>"
                )
                .as_bytes(),
            )
            .ok()
            .flatten()
        };
        assert_eq!(
            of("<exclusive/>", "<write/>", "<owner><href>me</href></owner>"),
            Some(LockInfo {
                scope: LockScope::Exclusive,
                owner: "<owner xmlns=\"DAV:\"><href>me</href></owner>".to_owned()
            })
        );
        assert_eq!(of("<shared/>", "<write/>", "").unwrap().scope, LockScope::Shared);
        assert_eq!(of("<shared/>", "<read/>", ""), None);
        assert_eq!(of("", "<write/>", ""), None);
        assert!(lockinfo(b"").unwrap().is_none());
    }
}
