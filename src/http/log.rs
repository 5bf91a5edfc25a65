//! The request log: one line a request, without anything that opens a door.

use std::time::Instant;

use actix_web::{Error, dev::ServiceResponse};

use super::origin;

/// Query parameters that are secrets, or lead to one.
const SECRETS: &[&str] =
    &["u", "p", "t", "s", "apikey", "jwt", "callback", "token", "password", "k"];

/// An ordinary answer is told to who asks for it by `tunelocker::request=debug`: a player sends
/// dozens of requests a minute, and writing a line costs more than most answers. Refusals and
/// faults are told always.
const ORDINARY: std::ops::Range<u16> = 100..400;

/// Writes the line of a request when the head of its answer is ready.
pub fn record<B>(began: Instant, answer: &Result<ServiceResponse<B>, Error>) {
    let status = match answer {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    };
    let is_ordinary = ORDINARY.contains(&status);
    if is_ordinary && !tracing::enabled!(target: "tunelocker::request", tracing::Level::DEBUG) {
        return;
    }
    let ms = began.elapsed().as_secs_f64() * 1e3;
    let Ok(response) = answer else {
        tracing::info!(target: "tunelocker::request", status, ms);
        return;
    };
    let request = response.request();
    let method = request.method();
    let target = redacted(request.path(), request.query_string());
    let from = origin(request);
    let (client, agent) = (from.address, from.client);
    if is_ordinary {
        tracing::debug!(target: "tunelocker::request", %method, %target, status, ms, %client, agent);
    } else {
        tracing::info!(target: "tunelocker::request", %method, %target, status, ms, %client, agent);
    }
}

/// Path and query with the values of secret parameters replaced, and first-run, share and stream
/// tokens in the path too.
#[must_use]
pub fn redacted(path: &str, query: &str) -> String {
    let mut text = String::with_capacity(path.len() + query.len() + 1);
    let mut hide_next = false;
    for (at, part) in path.split('/').enumerate() {
        if 0 < at {
            text.push('/');
        }
        text.push_str(if hide_next && !part.is_empty() { "***" } else { part });
        hide_next = matches!(part, "setup" | "share" | "s" | "hls");
    }
    for (at, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        let name = pair.split('=').next().unwrap_or_default();
        // `%70=secret` is `p=secret` to whoever reads it later.
        let plain = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        if SECRETS.contains(&plain.trim().to_ascii_lowercase().as_str()) {
            text.push_str(name);
            text.push_str("=***");
        } else {
            text.push_str(pair);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_survives() {
        for (path, query, expected) in [
            ("/rest/ping", "", "/rest/ping"),
            ("/rest/ping", "u=joe&p=enc:73&c=x", "/rest/ping?u=***&p=***&c=x"),
            ("/rest/ping.view", "t=abc&s=salt&f=json", "/rest/ping.view?t=***&s=***&f=json"),
            ("/rest/ping", "apiKey=aaaa&APIKEY=bbbb", "/rest/ping?apiKey=***&APIKEY=***"),
            ("/rest/ping", "%70=secret&p", "/rest/ping?%70=***&p=***"),
            ("/rest/search3", "query=p%3Dx&size=5", "/rest/search3?query=p%3Dx&size=5"),
            ("/setup/0123abcd", "", "/setup/***"),
            ("/s/abcdefgh/tracks/tr-1/stream", "", "/s/***/tracks/tr-1/stream"),
            ("/rest/hls/0123abcd/0.m4s", "", "/rest/hls/***/0.m4s"),
            ("/setup", "token=1", "/setup?token=***"),
        ] {
            assert_eq!(redacted(path, query), expected);
        }
    }
}
