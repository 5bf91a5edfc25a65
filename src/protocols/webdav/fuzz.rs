//! The door through which the fuzz targets reach the readers of this face. No part of its interface.

use super::{
    address::{self, Address},
    bodies, headers,
    if_header::If,
};
use crate::{
    drive::PropertyChange,
    xml::{self, Rules},
};

/// Every body: what is kept of it can be read again, alone.
pub fn body(bytes: &[u8]) {
    let _ = bodies::propfind(bytes);
    if let Ok(Some(info)) = bodies::lockinfo(bytes)
        && !info.owner.is_empty()
    {
        assert!(xml::read(info.owner.as_bytes(), &Rules::STRICT).is_ok(), "{}", info.owner);
    }
    for change in bodies::proppatch(bytes).unwrap_or_default() {
        if let PropertyChange::Set(property) = change {
            let element = property.element;
            assert!(xml::read(element.as_bytes(), &Rules::STRICT).is_ok(), "{element}");
        }
    }
}

/// One text as every header that has a grammar of its own.
pub fn header(text: &str) {
    let _ = If::parse(text).map(|header| header.tokens().count() + header.tags().len());
    for read in [Address::parse(text), Address::of_header(text, |host| host == "box")] {
        if let Ok(Address::Inside { place, path }) = read {
            let again = Address::parse(&address::href(&place, &path, true));
            assert_eq!(again, Ok(Address::Inside { place, path }));
        }
    }
    let mut lines = actix_web::http::header::HeaderMap::new();
    for name in ["depth", "timeout", "overwrite", "lock-token", "if-match", "if-none-match"] {
        if let Ok(value) = actix_web::http::header::HeaderValue::from_str(text) {
            lines.insert(actix_web::http::header::HeaderName::from_static(name), value);
        }
    }
    let _ = headers::depth(&lines, headers::Depth::Zero);
    let _ = (headers::timeout(&lines), headers::overwrite(&lines), headers::lock_token(&lines));
    let _ = (headers::condition(&lines), headers::judge(&lines, None), headers::promised(&lines));
}
