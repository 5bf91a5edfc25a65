//! The other headers of WebDAV (RFC 4918, 10) and the conditions of HTTP (RFC 9110, 13) that
//! changes are bound to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::http::{
    StatusCode,
    header::{self, HeaderMap, HeaderName, HttpDate},
};

use super::failure::Failure;
use crate::{
    clock::Millis,
    drive::{Condition, LONGEST_LOCK},
};

/// How deep a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The address alone.
    Zero,
    /// Its members too.
    One,
    /// Everything below.
    Infinity,
}

/// The text of a header. One that is no text is as if it were not there.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The same for headers of WebDAV. UTF-8 is let through: some clients do not encode.
pub(super) fn word<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}

/// `Depth`; what it is without one, the method says.
pub(super) fn depth(headers: &HeaderMap, without: Depth) -> Result<Depth, Failure> {
    // Microsoft's clients append ",noroot".
    let word = word(headers, "depth").and_then(|word| word.split(',').next());
    match word.map(str::trim) {
        None => Ok(without),
        Some("0") => Ok(Depth::Zero),
        Some("1") => Ok(Depth::One),
        Some(word) if word.eq_ignore_ascii_case("infinity") => Ok(Depth::Infinity),
        Some(_) => Err(Failure::invalid("Depth is 0, 1 or infinity")),
    }
}

/// `Overwrite`: what must be true of the target of a copy or move.
pub(super) fn overwrite(headers: &HeaderMap) -> Result<Condition, Failure> {
    match word(headers, "overwrite").map(str::trim) {
        None | Some("T" | "t") => Ok(Condition::None),
        Some("F" | "f") => Ok(Condition::Absent),
        Some(_) => Err(Failure::invalid("Overwrite is T or F")),
    }
}

/// `Timeout`: the first that is understood. Nobody gets more than the longest.
pub(super) fn timeout(headers: &HeaderMap) -> Duration {
    let wishes = word(headers, "timeout").unwrap_or_default();
    let wish = wishes.split(',').find_map(|wish| {
        let wish = wish.trim();
        if wish.eq_ignore_ascii_case("infinite") {
            return Some(LONGEST_LOCK);
        }
        let (word, seconds) = wish.split_once('-')?;
        let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than a number holds mean very long.
        (word.eq_ignore_ascii_case("second") && is_number)
            .then(|| Duration::from_secs(seconds.parse().unwrap_or(u64::MAX)))
    });
    wish.unwrap_or(LONGEST_LOCK).min(LONGEST_LOCK)
}

/// `Lock-Token`: what stands between the angles.
pub(super) fn lock_token(headers: &HeaderMap) -> Result<&str, Failure> {
    word(headers, "lock-token")
        .and_then(|value| value.trim().strip_prefix('<')?.strip_suffix('>'))
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Failure::invalid("Lock-Token says which lock, in angles"))
}

/// Whether a body comes with the request.
pub(super) fn has_body(headers: &HeaderMap) -> bool {
    let length = text(headers, &header::CONTENT_LENGTH).map(str::trim);
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// How many bytes a `PUT` will bring, where that is known. macOS sends in chunks and tells the
/// length apart; either is a promise that is held to the byte, never a larger allowance.
pub(super) fn promised(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let length = match text(headers, &header::CONTENT_LENGTH) {
        Some(length) => Some(length),
        None => word(headers, "x-expected-entity-length"),
    };
    let Some(length) = length.map(str::trim) else { return Ok(None) };
    length.parse().map(Some).map_err(|_| Failure::invalid("The length is not a number"))
}

/// What is at an address before a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct There<'a> {
    /// None for folders.
    pub(super) etag: Option<&'a str>,
    /// When it was last changed.
    pub(super) modified_at: Millis,
}

/// The conditions of HTTP on a change, in the order of RFC 9110, 13.2.2. `There` is none where
/// nothing is.
pub(super) fn judge(headers: &HeaderMap, there: Option<There<'_>>) -> Result<(), Failure> {
    let failed = || {
        let refusal = condition(headers).refusal(there.map(|there| there.etag.unwrap_or_default()));
        Failure::from(refusal).conflict_is(StatusCode::PRECONDITION_FAILED)
    };
    let lists = |name: &HeaderName, weak: bool| {
        let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
        let mut tags = values.flat_map(|value| value.split(','));
        there.is_some_and(|there| tags.any(|tag| is_tag(tag.trim(), there.etag, weak)))
    };
    if headers.contains_key(header::IF_MATCH) {
        if !lists(&header::IF_MATCH, false) {
            return Err(failed());
        }
    } else if let Some((there, since)) = there.zip(date(headers, &header::IF_UNMODIFIED_SINCE))
        && since < whole_seconds(there.modified_at)
    {
        return Err(failed());
    }
    if headers.contains_key(header::IF_NONE_MATCH) && lists(&header::IF_NONE_MATCH, true) {
        return Err(failed());
    }
    Ok(())
}

/// The part of them that the service judges again in the moment of the change.
pub(super) fn condition(headers: &HeaderMap) -> Condition {
    if text(headers, &header::IF_NONE_MATCH).is_some_and(|tags| tags.trim() == "*") {
        return Condition::Absent;
    }
    match text(headers, &header::IF_MATCH).map(str::trim) {
        None => Condition::None,
        Some("*") => Condition::Present,
        Some(tags) => Condition::Match(
            tags.split(',').map(|tag| tag.trim().trim_matches('"').to_owned()).collect(),
        ),
    }
}

fn is_tag(tag: &str, there: Option<&str>, weak: bool) -> bool {
    if tag == "*" {
        return true;
    }
    let tag = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
    let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    tag.is_some() && tag == there
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    text(headers, name)?.parse::<HttpDate>().ok().map(Into::into)
}

/// HTTP knows no more of a time.
pub(super) fn whole_seconds(at: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(at / 1000).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    #[test]
    fn words() {
        let depth = |value| depth(&headers(&[("depth", value)]), Depth::One).ok();
        assert_eq!(depth("0"), Some(Depth::Zero));
        assert_eq!(depth(" Infinity "), Some(Depth::Infinity));
        assert_eq!(depth("1,noroot"), Some(Depth::One));
        assert_eq!(depth("2"), None);
        let overwrite = |value| overwrite(&headers(&[("overwrite", value)])).ok();
        assert_eq!(overwrite("F"), Some(Condition::Absent));
        assert_eq!(overwrite("T"), Some(Condition::None));
        assert_eq!(overwrite("yes"), None);
        for (value, seconds) in [
            ("Second-60", 60),
            ("Infinite, Second-4100000000", 3600),
            ("Extend-7, second-5", 5),
            ("Second-99999999999999999999999", 3600),
            ("Second--5", 3600),
            ("", 3600),
        ] {
            assert_eq!(timeout(&headers(&[("timeout", value)])).as_secs(), seconds, "{value}");
        }
        let token = |value| lock_token(&headers(&[("lock-token", value)])).map(str::to_owned).ok();
        assert_eq!(token(" <urn:uuid:1> "), Some("urn:uuid:1".to_owned()));
        for wrong in ["urn:uuid:1", "<>", "<urn:uuid:1"] {
            assert_eq!(token(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lengths() {
        let of = |pairs: &[(&'static str, &str)]| promised(&headers(pairs)).ok();
        assert_eq!(of(&[("content-length", "7")]), Some(Some(7)));
        assert_eq!(
            of(&[("transfer-encoding", "chunked"), ("x-expected-entity-length", "8")]),
            Some(Some(8))
        );
        assert_eq!(
            of(&[("content-length", "7"), ("x-expected-entity-length", "9")]),
            Some(Some(7))
        );
        assert_eq!(of(&[]), Some(None));
        assert_eq!(of(&[("x-expected-entity-length", "-1")]), None);
        assert!(has_body(&headers(&[("content-length", "1")])));
        assert!(has_body(&headers(&[("transfer-encoding", "chunked")])));
        assert!(!has_body(&headers(&[("content-length", "0")])) && !has_body(&headers(&[])));
    }

    #[test]
    fn conditions() {
        let file = There { etag: Some("e"), modified_at: 784_111_777_900 };
        let folder = There { etag: None, ..file };
        let then = "Sun, 06 Nov 1994 08:49:37 GMT";
        let earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
        for (name, value, there, holds) in [
            ("if-match", "\"e\"", Some(file), true),
            ("if-match", "\"x\", \"e\"", Some(file), true),
            ("if-match", "W/\"e\"", Some(file), false),
            ("if-match", "\"x\"", Some(file), false),
            ("if-match", "e", Some(file), false),
            ("if-match", "*", Some(folder), true),
            ("if-match", "*", None, false),
            ("if-none-match", "*", Some(file), false),
            ("if-none-match", "*", None, true),
            ("if-none-match", "W/\"e\"", Some(file), false),
            ("if-none-match", "\"x\"", Some(file), true),
            ("if-unmodified-since", then, Some(file), true),
            ("if-unmodified-since", earlier, Some(file), false),
            ("if-unmodified-since", "yesterday", Some(file), true),
        ] {
            let judged = judge(&headers(&[(name, value)]), there);
            assert_eq!(judged.is_ok(), holds, "{name}: {value} {there:?}");
        }
        let of = |name, value| condition(&headers(&[(name, value)]));
        assert_eq!(of("if-match", "\"a\", \"b\""), Condition::Match(vec!["a".into(), "b".into()]));
        assert_eq!(of("if-none-match", "\"a\""), Condition::None);
        assert_eq!(of("if-none-match", "*"), Condition::Absent);
    }
}
