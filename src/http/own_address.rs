//! The address that a request came to, as its sender knows it.

use actix_web::{HttpRequest, http::header, web::Data};

use super::TrustedProxies;

/// `scheme://host[:port]` as the client used it: its own `Host`, and TLS where it ends here or at
/// a trusted proxy. Good for links that go back to who asked, and for nothing else.
#[must_use]
pub fn own_address(request: &HttpRequest) -> String {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let local = request.app_config().local_addr();
    let scheme = if is_secure(request) { "https" } else { "http" };
    match host.filter(|host| is_plain(host)) {
        Some(host) => format!("{scheme}://{host}"),
        None => format!("{scheme}://{local}"),
    }
}

fn is_secure(request: &HttpRequest) -> bool {
    if request.app_config().secure() {
        return true;
    }
    let trusted = request.app_data::<Data<TrustedProxies>>();
    let peer = request.peer_addr().map(|peer| peer.ip());
    let is_proxied = trusted.zip(peer).is_some_and(|(trusted, peer)| trusted.contains(peer));
    is_proxied && request.headers().get("X-Forwarded-Proto").is_some_and(|scheme| scheme == "https")
}

/// A name or an address with a port, and nothing that could end a link early.
fn is_plain(host: &str) -> bool {
    !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_host_that_was_asked_for_comes_back() {
        for (host, expected) in [
            ("nas.local:4040", "http://nas.local:4040"),
            ("[fd00::1]:4040", "http://[fd00::1]:4040"),
            ("evil\"><script>", "http://127.0.0.1:8080"),
            ("a/b", "http://127.0.0.1:8080"),
        ] {
            let request = TestRequest::default().insert_header((header::HOST, host));
            // A client may say that it came over TLS; only a trusted proxy is believed.
            let request = request.insert_header(("X-Forwarded-Proto", "https")).to_http_request();
            assert_eq!(own_address(&request), expected);
        }
    }
}
