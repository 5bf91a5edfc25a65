//! Answers with 207 (RFC 4918, 13): many things, each with its own status.

use actix_web::{HttpResponse, http::StatusCode};

use crate::{drive::PropertyName, xml::escape};

/// How such a document begins.
pub(super) const HEAD: &str =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n";
/// And ends.
pub(super) const TAIL: &str = "</D:multistatus>\n";
/// What it is.
pub(super) const TYPE: &str = "application/xml; charset=utf-8";

/// An answer with a whole document.
pub(super) fn whole(responses: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::MULTI_STATUS)
        .content_type(TYPE)
        .body(format!("{HEAD}{responses}{TAIL}"))
}

/// Things for which a method failed.
pub(super) fn failed(responses: &[(String, StatusCode)]) -> HttpResponse {
    let mut out = String::new();
    for (href, failure) in responses {
        out.push_str("<D:response>");
        href_of(href, &mut out);
        status(*failure, &mut out);
        out.push_str("</D:response>\n");
    }
    whole(&out)
}

/// Appends `href`.
pub(super) fn href_of(href: &str, out: &mut String) {
    out.push_str("<D:href>");
    escape(href, out);
    out.push_str("</D:href>");
}

/// Appends `propstat` around properties that are written already; nothing around none.
pub(super) fn propstat(properties: &str, of: StatusCode, condition: &str, out: &mut String) {
    if properties.is_empty() {
        return;
    }
    out.push_str("<D:propstat><D:prop>");
    out.push_str(properties);
    out.push_str("</D:prop>");
    status(of, out);
    if !condition.is_empty() {
        out.push_str("<D:error><D:");
        out.push_str(condition);
        out.push_str("/></D:error>");
    }
    out.push_str("</D:propstat>");
}

/// Appends a property's name as an empty element.
pub(super) fn name_of(name: &PropertyName, out: &mut String) {
    match name.namespace.as_str() {
        super::names::DAV => {
            out.push_str("<D:");
            out.push_str(&name.name);
        }
        "" => {
            // No default is declared above, so this is no namespace.
            out.push('<');
            out.push_str(&name.name);
        }
        namespace => {
            out.push_str("<X:");
            out.push_str(&name.name);
            out.push_str(" xmlns:X=\"");
            escape(namespace, out);
            out.push('"');
        }
    }
    out.push_str("/>");
}

fn status(of: StatusCode, out: &mut String) {
    out.push_str("<D:status>HTTP/1.1 ");
    out.push_str(of.as_str());
    out.push(' ');
    out.push_str(of.canonical_reason().unwrap_or_default());
    out.push_str("</D:status>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Rules, read};

    #[test]
    fn what_is_written_is_well_formed() {
        let mut out = String::from("<D:response>");
        href_of("/dav/a&b", &mut out);
        let mut names = String::new();
        for (namespace, name) in [("DAV:", "getetag"), ("", "x"), ("urn:\"y\"", "z")] {
            let name = PropertyName { namespace: namespace.to_owned(), name: name.to_owned() };
            name_of(&name, &mut names);
        }
        propstat(&names, StatusCode::NOT_FOUND, "", &mut out);
        propstat("", StatusCode::OK, "", &mut out);
        propstat("<D:x/>", StatusCode::FORBIDDEN, "cannot-modify-protected-property", &mut out);
        out.push_str("</D:response>");
        let read = read(format!("{HEAD}{out}{TAIL}").as_bytes(), &Rules::STRICT).unwrap();
        let response = read.child("D:response").unwrap();
        assert_eq!(response.child("D:href").unwrap().text, "/dav/a&b");
        let stats: Vec<_> = response.all("D:propstat").collect();
        assert_eq!(stats.len(), 2);
        assert_eq!(stats[0].child("D:status").unwrap().text, "HTTP/1.1 404 Not Found");
        assert_eq!(stats[0].child("D:prop").unwrap().children.len(), 3);
        assert!(stats[1].child("D:error").is_some());
    }
}
