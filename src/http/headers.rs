//! Headers that every answer of every face carries. Pages add their own Content-Security-Policy.

use actix_web::{
    Error, HttpResponse,
    error::InternalError,
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const SECURITY: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// What RFC 5987 lets stand in a `filename*`.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// `Content-Disposition`: keep it as a file of this name (RFC 6266). What could end the header or
/// climb out of a folder becomes `_`.
#[must_use]
pub fn attachment(name: &str) -> HeaderValue {
    let name: String = name
        .chars()
        .map(|letter| if letter.is_control() || "/\\".contains(letter) { '_' } else { letter })
        .collect();
    let ascii: String = name
        .chars()
        .map(|letter| if letter.is_ascii() && letter != '"' { letter } else { '_' })
        .collect();
    let encoded = utf8_percent_encode(&name, ATTRIBUTE);
    HeaderValue::from_str(&format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}"))
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Browsers that were here by TLS do not come back in the open for half a year (RFC 6797). Only for
/// answers of a listener that speaks TLS itself; where a proxy does, it is the proxy's to say.
pub fn stay_on_tls(headers: &mut HeaderMap) {
    let value = HeaderValue::from_static("max-age=15552000");
    headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
}

/// All names and values of a request's head together, bytes; no honest client comes near.
const LONGEST: usize = 32 << 10;

/// The refusal of a head that is too long (RFC 6585, 5), after which the connection is over.
#[must_use]
pub fn too_long(headers: &HeaderMap) -> Option<Error> {
    // A name, a value, and ": " and the line's end.
    let long: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if long <= LONGEST {
        return None;
    }
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let mut answer = HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(format!("The head of a request is at most {LONGEST} bytes long here.\n"));
    secure(answer.headers_mut());
    answer.head_mut().set_connection_type(ConnectionType::Close);
    Some(InternalError::from_response("too long a head", answer).into())
}

/// No guessing of types, no addresses (which hold secrets in Subsonic) sent onwards, no framing.
/// What is there already stays.
pub fn secure(headers: &mut HeaderMap) {
    for (name, value) in SECURITY {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
