//! Where events are sent: `http` to an address that is the subscriber's own.

use std::net::{IpAddr, SocketAddr};

/// Most addresses in one CALLBACK.
const MAX_CALLBACKS: usize = 5;
/// Longest CALLBACK.
const MAX_BYTES: usize = 512;

/// A delivery address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callback {
    /// Where to connect.
    pub(super) address: SocketAddr,
    /// Path and query.
    pub(super) path: String,
}

/// Reads `<http://ADDR:PORT/path><...>`. `None` unless each of them is the peer's own.
pub(super) fn parse(text: &str, peer: IpAddr) -> Option<Vec<Callback>> {
    if MAX_BYTES < text.len() {
        return None;
    }
    let mut callbacks = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (url, after) = rest.strip_prefix('<')?.split_once('>')?;
        callbacks.push(one(url, peer)?);
        rest = after.trim_start();
    }
    (1..=MAX_CALLBACKS).contains(&callbacks.len()).then_some(callbacks)
}

fn one(url: &str, peer: IpAddr) -> Option<Callback> {
    let scheme = url.get(..7)?;
    if !scheme.eq_ignore_ascii_case("http://") {
        return None;
    }
    let rest = &url[7..];
    let (authority, path) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    // A literal address, so that there is nothing to resolve; "user@" is no part of one.
    let address = match authority.parse::<SocketAddr>() {
        Ok(address) => address,
        Err(_) => SocketAddr::new(authority.parse().ok()?, 80),
    };
    let is_well_known = address.port() < 1024 && address.port() != 80;
    let is_clean = path.bytes().all(|byte| byte.is_ascii_graphic());
    if address.ip().to_canonical() != peer || is_well_known || !is_clean {
        return None;
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Some(Callback { address, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_go_to_the_subscriber_alone() {
        let peer = IpAddr::from([10, 0, 0, 7]);
        let good = parse("<http://10.0.0.7:49152/a/b?c=1> <HTTP://10.0.0.7/>", peer).unwrap();
        assert_eq!(good[0].address, SocketAddr::from(([10, 0, 0, 7], 49152)));
        assert_eq!(good[0].path, "/a/b?c=1");
        assert_eq!(good[1].address.port(), 80);
        for wrong in [
            "",
            "http://10.0.0.7:5000/",
            "<http://10.0.0.8:5000/>",
            "<http://10.0.0.7:5000/><http://8.8.8.8/>",
            "<https://10.0.0.7:5000/>",
            "<http://host.example:5000/>",
            "<http://10.0.0.7@evil.example:5000/>",
            "<http://x@10.0.0.7:5000/>",
            "<http://10.0.0.7:22/>",
            "<http://10.0.0.7:0/>",
            "<http://10.0.0.7:5000/a b>",
            "<http://10.0.0.7:5000/\r\nX: y>",
            "<http://10.0.0.7:5000/",
        ] {
            assert_eq!(parse(wrong, peer), None, "{wrong}");
        }
        assert_eq!(parse(&"<http://10.0.0.7:5000/>".repeat(6), peer), None);
        assert_eq!(parse(&format!("<http://10.0.0.7:5000/{}>", "x".repeat(600)), peer), None);
    }
}
