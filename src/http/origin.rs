//! Who is really asking: the socket's address, or what a trusted proxy says of it.

use std::{net::IpAddr, sync::Arc};

use actix_web::{HttpRequest, http::header, web::Data};
use ipnet::IpNet;

use crate::accounts::Origin;

/// Proxies whose forwarding headers are believed. As application data; empty by default.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Arc<[IpNet]>);

impl TrustedProxies {
    /// Whether this address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// Where the request came from: the address, forwarding headers judged, and the User-Agent as the
/// client's name (Subsonic puts its `c` there instead).
#[must_use]
pub fn origin(request: &HttpRequest) -> Origin {
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    Origin { address: address(request), client: agent.chars().take(200).collect() }
}

/// The address alone.
#[must_use]
pub fn address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| plain(peer.ip()));
    match request.app_data::<Data<TrustedProxies>>() {
        Some(trusted) if trusted.contains(peer) => {
            let hops = request
                .headers()
                .get_all("X-Forwarded-For")
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','));
            judge(peer, hops.collect(), trusted)
        }
        _ => peer,
    }
}

/// Walks from the nearest hop outwards and stops at the first that is not trusted.
fn judge(peer: IpAddr, hops: Vec<&str>, trusted: &TrustedProxies) -> IpAddr {
    let mut nearest = peer;
    for hop in hops.into_iter().rev() {
        if !trusted.contains(nearest) {
            break;
        }
        match hop.trim().trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) => nearest = plain(address),
            Err(_) => break,
        }
    }
    nearest
}

/// An IPv4 address that came over an IPv6 socket is the same client.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_hops_are_believed() {
        let trusted = TrustedProxies(Arc::new([
            "127.0.0.1/32".parse().unwrap(),
            "10.0.0.0/8".parse().unwrap(),
        ]));
        let nobody = TrustedProxies::default();
        for (trusted, peer, hops, expected) in [
            (&nobody, "127.0.0.1", vec!["9.9.9.9"], "127.0.0.1"),
            (&trusted, "8.8.8.8", vec!["9.9.9.9"], "8.8.8.8"),
            (&trusted, "127.0.0.1", vec![], "127.0.0.1"),
            (&trusted, "127.0.0.1", vec!["9.9.9.9"], "9.9.9.9"),
            (&trusted, "127.0.0.1", vec!["1.1.1.1", " 9.9.9.9"], "9.9.9.9"),
            (&trusted, "127.0.0.1", vec!["9.9.9.9", "10.1.2.3"], "9.9.9.9"),
            (&trusted, "127.0.0.1", vec!["9.9.9.9", "unknown"], "127.0.0.1"),
            (&trusted, "127.0.0.1", vec!["[2001:db8::1]"], "2001:db8::1"),
            (&trusted, "::ffff:127.0.0.1", vec!["::ffff:9.9.9.9"], "9.9.9.9"),
        ] {
            let peer = plain(peer.parse().unwrap());
            let expected: IpAddr = expected.parse().unwrap();
            assert_eq!(judge(peer, hops.clone(), trusted), expected, "{peer} {hops:?}");
        }
    }
}
