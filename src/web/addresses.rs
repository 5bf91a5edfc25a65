//! The addresses that people can type to reach this server: never 0.0.0.0, none of an interface
//! that `--listen` did not name, and the one that the browser itself used first, because it is
//! known to work.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::{HttpRequest, http::header};

use super::{Site, guard};

/// Interfaces of containers and virtual machines: true, but of no use to a phone.
const VIRTUAL: [&str; 5] = ["docker", "br-", "veth", "virbr", "podman"];

/// Best first, without repeats, and at least one.
pub(super) fn addresses(request: &HttpRequest, site: &Site) -> Vec<String> {
    let config = request.app_config();
    let scheme = if config.secure() { "https" } else { "http" };
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let seen = interfaces.iter().map(|one| (one.name.as_str(), one.ip())).collect();
    let (bound, name) = (config.local_addr(), guard::host_name());
    list(scheme, bound, site.public_url.as_deref(), host, seen, name)
}

/// Whether an address leads nowhere but to the machine on which it is typed.
pub(super) fn is_here_only(url: &str) -> bool {
    url.split_once("://").is_some_and(|(_, rest)| is_local_only(rest))
}

fn list(
    scheme: &str,
    bound: SocketAddr,
    public: Option<&str>,
    host: Option<&str>,
    mut interfaces: Vec<(&str, IpAddr)>,
    name: Option<String>,
) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |url: String| {
        if !found.contains(&url) {
            found.push(url);
        }
    };
    if let Some(public) = public {
        add(public.trim_end_matches('/').to_owned());
    }
    if let Some(host) = host.filter(|host| !is_local_only(host)) {
        add(format!("{scheme}://{host}"));
    }
    // A listener of one address is reached by that one alone.
    if !bound.ip().is_unspecified() {
        if !bound.ip().is_loopback() || found.is_empty() {
            found.push(format!("{scheme}://{bound}"));
            found.dedup();
        }
        return found;
    }
    let port = bound.port();
    interfaces.sort_by_key(|(name, _)| VIRTUAL.iter().any(|virtual_| name.starts_with(virtual_)));
    for (_, address) in interfaces {
        if let IpAddr::V4(address) = address
            && is_of_use(address)
        {
            add(format!("{scheme}://{address}:{port}"));
        }
    }
    if let Some(name) = name {
        let name = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        add(format!("{scheme}://{name}.local:{port}"));
    }
    if found.is_empty() {
        found.push(format!("{scheme}://localhost:{port}"));
    }
    found
}

fn is_of_use(address: Ipv4Addr) -> bool {
    !(address.is_loopback() || address.is_link_local() || address.is_unspecified())
}

fn is_local_only(host: &str) -> bool {
    ["localhost", "127.", "[::1]", "0.0.0.0"].iter().any(|local| host.starts_with(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_works_comes_first() {
        let lan = |text: &str| text.parse::<IpAddr>().unwrap();
        let interfaces = vec![
            ("lo", lan("127.0.0.1")),
            ("docker0", lan("172.17.0.1")),
            ("eth0", lan("192.168.1.7")),
            ("eth0", lan("fe80::1")),
        ];
        let bound = |bound: &str, public, host| {
            let name = Some("Nas.home".to_owned());
            list("http", bound.parse().unwrap(), public, Some(host), interfaces.clone(), name)
        };
        let of = |public, host| bound("0.0.0.0:4040", public, host);
        assert_eq!(
            of(None, "127.0.0.1:4040"),
            ["http://192.168.1.7:4040", "http://172.17.0.1:4040", "http://nas.local:4040"]
        );
        assert_eq!(of(None, "nas.local:4040")[0], "http://nas.local:4040");
        assert_eq!(
            of(Some("https://music.example.org/"), "localhost")[0],
            "https://music.example.org"
        );
        assert_eq!(
            list(
                "http",
                "0.0.0.0:1".parse().unwrap(),
                None,
                Some("0.0.0.0:1"),
                vec![("x", lan("0.0.0.0"))],
                None
            ),
            ["http://localhost:1"]
        );
        // One address is listened at: nobody is sent to another.
        let here = bound("127.0.0.1:4040", None, "localhost:4040");
        assert_eq!(here, ["http://127.0.0.1:4040"]);
        assert!(is_here_only(&here[0]));
        assert_eq!(
            bound("192.168.1.7:4040", None, "192.168.1.7:4040"),
            ["http://192.168.1.7:4040"]
        );
        // Somebody in front of it has another name for it, which works.
        let proxied = bound("127.0.0.1:4040", None, "music.lan");
        assert_eq!(proxied, ["http://music.lan"]);
        assert!(!is_here_only(&proxied[0]));
        let named = bound("127.0.0.1:4040", Some("https://music.example.org"), "localhost:4040");
        assert_eq!(named, ["https://music.example.org"]);
    }
}
