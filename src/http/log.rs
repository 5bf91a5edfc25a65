//! The request log: one line a request, without anything that opens a door.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use std::time::Instant;

use super::origin;

/// Query parameters that are secrets, or lead to one.
const SECRETS: &[&str] =
    &["u", "p", "t", "s", "apikey", "jwt", "callback", "token", "password", "k"];

/// Middleware for `actix_web::middleware::from_fn`: logs each answer when its head is ready.
pub async fn record(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if !tracing::enabled!(target: "tunelocker::request", tracing::Level::INFO) {
        return next.call(request).await;
    }
    let began = Instant::now();
    let method = request.method().clone();
    let target = redacted(request.path(), request.query_string());
    let client = origin(request.request());
    let answer = next.call(request).await;
    let status = match &answer {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    };
    tracing::info!(
        target: "tunelocker::request",
        %method, %target, status,
        ms = began.elapsed().as_secs_f64() * 1e3,
        client = %client.address,
        agent = client.client,
    );
    answer
}

/// Path and query with the values of secret parameters replaced, and first-run and share tokens
/// in the path too.
#[must_use]
pub fn redacted(path: &str, query: &str) -> String {
    let mut text = String::with_capacity(path.len() + query.len() + 1);
    let mut hide_next = false;
    for (at, part) in path.split('/').enumerate() {
        if 0 < at {
            text.push('/');
        }
        text.push_str(if hide_next && !part.is_empty() { "***" } else { part });
        hide_next = matches!(part, "setup" | "share");
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
            ("/setup", "token=1", "/setup?token=***"),
        ] {
            assert_eq!(redacted(path, query), expected);
        }
    }
}
