//! The address to tell people: never `0.0.0.0`, which nothing can open.

use std::net::{IpAddr, SocketAddr};

use super::failure::Failure;
use crate::config::Config;

/// The web address for people from the line `ready http=URL ...` of a server.
pub(super) fn from_ready(line: &str) -> Result<String, Failure> {
    let wrong = || Failure::new("this is no ready line");
    let url = line.split(' ').find_map(|word| word.strip_prefix("http=")).ok_or_else(wrong)?;
    let (scheme, address) = url.split_once("://").ok_or_else(wrong)?;
    let bound: SocketAddr = address.trim().parse().map_err(|_| wrong())?;
    Ok(format!("{scheme}://{}", reachable(bound)))
}

/// The web address that people are told of a server that listens there: the one that the operator
/// named, else one that opens.
pub(super) fn of(config: &Config, bound: SocketAddr) -> String {
    match &config.http.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let scheme = if config.tls.is_some() { "https" } else { "http" };
            format!("{scheme}://{}", reachable(bound))
        }
    }
}

/// An address that another device can open: a listener on every interface is told by the first
/// one that has a private address.
pub(super) fn reachable(bound: SocketAddr) -> SocketAddr {
    if !bound.ip().is_unspecified() {
        return bound;
    }
    let mut found: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|interface| !interface.is_loopback() && !is_virtual(&interface.name))
        .map(|interface| interface.ip())
        .collect();
    found.sort_by_key(|address| (!is_private(*address), address.is_ipv6()));
    let address = found.first().copied().unwrap_or(IpAddr::from([127, 0, 0, 1]));
    SocketAddr::new(address, bound.port())
}

fn is_private(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_private())
}

/// Bridges and pairs of containers: real addresses that no phone can reach.
fn is_virtual(name: &str) -> bool {
    ["docker", "veth", "br-", "virbr", "lxc"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_an_address_that_opens() {
        let told = from_ready("ready http=http://0.0.0.0:4040 lan=http://0.0.0.0:4041").unwrap();
        assert!(told.starts_with("http://") && told.ends_with(":4040"), "{told}");
        assert!(!told.contains("0.0.0.0"), "{told}");
        assert_eq!(from_ready("ready http=http://127.0.0.1:5").unwrap(), "http://127.0.0.1:5");
        assert!(from_ready("nonsense").is_err());
    }
}
