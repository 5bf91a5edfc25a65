//! Envelopes. Whatever the answer, HTTP says 200 and the envelope says how it went. The payload
//! is written once, straight behind the envelope's head.

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody as _},
    http::{
        Method, StatusCode,
        header::{self, ContentEncoding, HeaderMap, HeaderName, HeaderValue},
    },
};
use serde::Serialize;

use super::{
    failure::Failure,
    format::Format,
    xml::{self, Dialect, escape},
};

/// The protocol that we speak. Apps refuse anything else (C4).
pub(super) const VERSION: &str = "1.16.1";

/// Our name. Never `subsonic`, `madsonic` or `ampache`: apps change protocol on those (C1).
const TYPE: &str = "tunelocker";

/// Below this, compressing costs more than it saves.
const WORTH_COMPRESSING: usize = 1400;

/// Who asked, as far as the answer's spelling goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spelling<'a> {
    /// The form.
    pub(super) format: &'a Format,
    /// For XML.
    pub(super) dialect: Dialect,
}

/// An answer without payload.
pub(super) fn empty(spelling: Spelling<'_>) -> HttpResponse {
    let mut body = head(spelling.format, "ok", 512);
    if *spelling.format == Format::Xml {
        // Nothing inside: the start tag is the whole element.
        body.pop();
        body.extend_from_slice(b"/>");
    } else {
        tail(&mut body, spelling.format);
    }
    respond(spelling.format, body.boxed())
}

/// An answer with its payload under `name`.
pub(super) fn payload<T: Serialize + ?Sized>(
    spelling: Spelling<'_>,
    name: &'static str,
    value: &T,
) -> Result<HttpResponse, Failure> {
    let mut body = head(spelling.format, "ok", 4096);
    write(&mut body, spelling, name, value)?;
    tail(&mut body, spelling.format);
    Ok(respond(spelling.format, body.boxed()))
}

/// A refusal. `help` is a page for people that helps with it.
pub(super) fn failure(
    spelling: Spelling<'_>,
    failure: &Failure,
    help: Option<String>,
) -> HttpResponse {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Error<'a> {
        code: u32,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        help_url: Option<String>,
    }
    let mut body = head(spelling.format, "failed", 512);
    let error = Error { code: failure.code as u32, message: &failure.message, help_url: help };
    if let Err(fault) = write(&mut body, spelling, "error", &error) {
        tracing::error!(error = %fault.message, "an error could not be written");
    }
    tail(&mut body, spelling.format);
    let mut response = respond(spelling.format, body.boxed());
    if let Some(wait) = failure.retry_after {
        let seconds = HeaderValue::from(wait.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// Lets scripts of any origin read it (C38). `/rest` never reads cookies, so nothing leaks.
pub(super) fn allow_any_origin(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "Content-Length, Content-Range, Accept-Ranges, Retry-After, X-Total-Count, \
             X-Content-Duration",
        ),
    );
}

/// The answer to a browser that asks whether it may ask.
pub(super) fn preflight(asked: &HeaderMap) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    allow_any_origin(headers);
    let any = HeaderValue::from_static("*");
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned().unwrap_or(any);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, OPTIONS"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// Compresses an envelope for clients that take it. Media never passes through here.
pub(super) fn compress(response: HttpResponse, method: &Method, asked: &HeaderMap) -> HttpResponse {
    let is_worth_it = match response.body().size() {
        BodySize::Sized(bytes) => bytes >= WORTH_COMPRESSING as u64,
        BodySize::Stream => true,
        BodySize::None => false,
    };
    let is_envelope = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.ends_with("charset=utf-8"));
    if !is_worth_it || !is_envelope || method == Method::HEAD || !takes_gzip(asked) {
        return response;
    }
    response.map_body(|head, body| {
        head.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        actix_http::encoding::Encoder::response(ContentEncoding::Gzip, head, body).boxed()
    })
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let Some(list) = asked.get(header::ACCEPT_ENCODING).and_then(|list| list.to_str().ok()) else {
        return false;
    };
    list.split(',').any(|each| {
        let mut parts = each.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"))
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// The count of the whole list behind a page; some web apps page by it.
pub(super) fn with_total(mut response: HttpResponse, total: u64) -> HttpResponse {
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-total-count"), HeaderValue::from(total));
    response
}

/// The answer around an envelope.
pub(super) fn respond(format: &Format, body: BoxBody) -> HttpResponse {
    let mut response = HttpResponse::with_body(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An envelope up to its payload.
pub(super) fn head(format: &Format, status: &str, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity);
    let server = env!("CARGO_PKG_VERSION");
    let mut push = |pieces: &[&str]| {
        for piece in pieces {
            out.extend_from_slice(piece.as_bytes());
        }
    };
    match format {
        Format::Xml => push(&[
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <subsonic-response xmlns=\"http://subsonic.org/restapi\" status=\"",
            status,
            "\" version=\"",
            VERSION,
            "\" type=\"",
            TYPE,
            "\" serverVersion=\"",
            server,
            "\" openSubsonic=\"true\">",
        ]),
        Format::Json | Format::Jsonp(_) => {
            if let Format::Jsonp(callback) = format {
                push(&[callback, "("]);
            }
            push(&[
                "{\"subsonic-response\":{\"status\":\"",
                status,
                "\",\"version\":\"",
                VERSION,
                "\",\"type\":\"",
                TYPE,
                "\",\"serverVersion\":\"",
                server,
                "\",\"openSubsonic\":true",
            ]);
        }
    }
    out
}

/// What ends an envelope.
pub(super) fn tail(out: &mut Vec<u8>, format: &Format) {
    out.extend_from_slice(match format {
        Format::Xml => b"</subsonic-response>",
        Format::Json => b"}}",
        Format::Jsonp(_) => b"}});",
    });
}

fn write<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    spelling: Spelling<'_>,
    name: &'static str,
    value: &T,
) -> Result<(), Failure> {
    if *spelling.format == Format::Xml {
        xml::append(out, name, value, spelling.dialect)?;
    } else {
        out.extend_from_slice(b",\"");
        escape(out, name);
        out.extend_from_slice(b"\":");
        let start = out.len();
        serde_json::to_writer(&mut *out, value)?;
        if matches!(spelling.format, Format::Jsonp(_)) {
            escape_line_separators(out, start);
        }
    }
    Ok(())
}

/// U+2028 and U+2029 are fine in JSON, and line ends in older JavaScript.
pub(super) fn escape_line_separators(out: &mut Vec<u8>, start: usize) {
    let has_any = out[start..].windows(3).any(|three| matches!(three, [0xe2, 0x80, 0xa8 | 0xa9]));
    if has_any {
        let text = String::from_utf8_lossy(&out[start..])
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029");
        out.truncate(start);
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;

    use super::*;

    fn text(response: HttpResponse) -> String {
        assert_eq!(response.status(), 200);
        let bytes = response.into_body().try_into_bytes().expect("a whole body");
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn check(format: &Format, ok: &str, with: &str, failed: &str) {
        let spelling = Spelling { format, dialect: Dialect::Full };
        let version = env!("CARGO_PKG_VERSION");
        let expect = |body: &str| body.replace("{v}", version);
        assert_eq!(text(empty(spelling)), expect(ok));
        let list = payload(spelling, "versions", &["a\u{2028}"][..]).unwrap_or_else(|_| panic!());
        assert_eq!(text(list), expect(with));
        let refused = failure(spelling, &Failure::missing("id"), Some("http://h/".to_owned()));
        assert_eq!(text(refused), expect(failed));
    }

    #[test]
    fn envelopes_in_all_forms() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                   <subsonic-response xmlns=\"http://subsonic.org/restapi\"";
        let rest =
            "version=\"1.16.1\" type=\"tunelocker\" serverVersion=\"{v}\" openSubsonic=\"true\"";
        check(
            &Format::Xml,
            &format!("{xml} status=\"ok\" {rest}/>"),
            &format!(
                "{xml} status=\"ok\" {rest}><versions>a\u{2028}</versions></subsonic-response>"
            ),
            &format!(
                "{xml} status=\"failed\" {rest}><error code=\"10\" message=\"Required parameter id \
                 is missing\" helpUrl=\"http://h/\"/></subsonic-response>"
            ),
        );
        let json = |status: &str, rest: &str| {
            format!(
                "{{\"subsonic-response\":{{\"status\":\"{status}\",\"version\":\"1.16.1\",\
                 \"type\":\"tunelocker\",\"serverVersion\":\"{{v}}\",\"openSubsonic\":true{rest}}}}}"
            )
        };
        let error = ",\"error\":{\"code\":10,\"message\":\"Required parameter id is missing\",\
                     \"helpUrl\":\"http://h/\"}";
        check(
            &Format::Json,
            &json("ok", ""),
            &json("ok", ",\"versions\":[\"a\u{2028}\"]"),
            &json("failed", error),
        );
        check(
            &Format::Jsonp("cb".to_owned()),
            &format!("cb({});", json("ok", "")),
            &format!("cb({});", json("ok", ",\"versions\":[\"a\\u2028\"]")),
            &format!("cb({});", json("failed", error)),
        );
    }

    #[test]
    fn gzip_only_for_those_who_take_it() {
        for (list, takes) in [
            ("gzip", true),
            ("br, gzip;q=0.5", true),
            ("GZIP", true),
            ("gzip;q=0", false),
            ("br", false),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(list));
            assert_eq!(takes_gzip(&asked), takes, "{list}");
        }
    }
}
