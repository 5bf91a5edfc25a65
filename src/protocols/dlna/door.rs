//! The door of the LAN listener: private addresses alone, reached by address and never by a name
//! (which a web page could have bent to us), from no web page, and not blocked.

use std::{
    any::Any,
    net::{IpAddr, SocketAddr},
};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::Extensions,
    http::{StatusCode, Version, header},
    rt::net::TcpStream,
};

use super::{Asking, Dlna, failure, media_server::quirks};
use crate::{accounts::Admitted, http::origin};

/// Our own address of a connection.
#[derive(Debug, Clone, Copy)]
struct Local(SocketAddr);

/// For `HttpServer::on_connect`: remembers which of our addresses a client reached.
pub fn on_connect(stream: &dyn Any, data: &mut Extensions) {
    if let Some(address) =
        stream.downcast_ref::<TcpStream>().and_then(|stream| stream.local_addr().ok())
    {
        data.insert(Local(address));
    }
}

/// Judges a request before anything of it is looked at.
pub(super) async fn enter(dlna: &Dlna, request: &HttpRequest) -> Result<Asking, HttpResponse> {
    let (Some(peer), Some(Local(address))) =
        (request.peer_addr(), request.conn_data::<Local>().copied())
    else {
        return Err(refusal(StatusCode::FORBIDDEN, "Only for the local network"));
    };
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    if !is_private(peer.ip()) {
        return Err(refusal(StatusCode::FORBIDDEN, "Only for the local network"));
    }
    match text(request, &header::HOST) {
        Some(host) if is_ours(host, address) => (),
        None if request.version() <= Version::HTTP_10 => (),
        _ => return Err(refusal(StatusCode::MISDIRECTED_REQUEST, "Use the server's address")),
    }
    match text(request, &header::ORIGIN).map(|origin| origin.strip_prefix("http://")) {
        None => (),
        Some(Some(origin)) if is_ours(origin, address) => (),
        Some(_) => return Err(refusal(StatusCode::FORBIDDEN, "Not for web pages")),
    }
    let user_agent = origin(request).client;
    let named = ["User-Agent", "X-AV-Client-Info", "FriendlyName.DLNA.ORG"];
    let headers: Vec<&str> =
        named.iter().filter_map(|name| request.headers().get(*name)?.to_str().ok()).collect();
    let found = quirks::from_headers(&headers);
    let profile = dlna.inner.seen.judge(peer.ip(), found, !user_agent.is_empty());
    match dlna.inner.accounts.device(peer.ip(), &user_agent).await {
        Ok(Admitted { principal, options }) => {
            let profile = profile.with(options);
            let shuffles = dlna.inner.shuffles.clone();
            Ok(Asking { principal, profile, address, peer, user_agent, shuffles })
        }
        Err(error) => Err(HttpResponse::build(failure::status(&error)).body(error.to_string())),
    }
}

fn refusal(status: StatusCode, why: &'static str) -> HttpResponse {
    HttpResponse::build(status).body(why)
}

fn text<'a>(request: &'a HttpRequest, name: &header::HeaderName) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
}

/// An address of ours with or without our port; never a name.
fn is_ours(host: &str, address: SocketAddr) -> bool {
    match host.parse::<SocketAddr>() {
        Ok(named) => named.ip().to_canonical() == address.ip() && named.port() == address.port(),
        // Some stacks leave the port out.
        Err(_) => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok_and(|named| named.to_canonical() == address.ip()),
    }
}

/// Loopback, RFC 1918, link-local, RFC 4193.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_address_is_ours() {
        let address = SocketAddr::from(([192, 168, 1, 5], 4041));
        for (host, expected) in [
            ("192.168.1.5:4041", true),
            ("192.168.1.5", true),
            ("192.168.1.5:80", false),
            ("192.168.1.6:4041", false),
            ("tunelocker.local:4041", false),
            ("evil.example", false),
            ("", false),
        ] {
            assert_eq!(is_ours(host, address), expected, "{host}");
        }
        let address = SocketAddr::from(([0xfd00, 0, 0, 0, 0, 0, 0, 1], 4041));
        assert!(is_ours("[fd00::1]:4041", address) && is_ours("[fd00::1]", address));
    }

    #[test]
    fn the_internet_stays_outside() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.0.9", true),
            ("169.254.1.1", true),
            ("100.64.0.1", false),
            ("8.8.8.8", false),
            ("::ffff:10.0.0.1", true),
            ("fe80::1", true),
            ("fd12::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), expected, "{address}");
        }
    }
}
