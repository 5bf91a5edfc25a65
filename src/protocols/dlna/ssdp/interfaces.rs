//! Which links to announce on: the named ones, else every one that looks like a home network.

use std::{collections::BTreeMap, fs, io, net::Ipv4Addr, num::NonZeroU32};

use if_addrs::IfAddr;

/// A link with our addresses on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) index: NonZeroU32,
    /// Address and prefix length.
    pub(super) addresses: Vec<(Ipv4Addr, u8)>,
}

impl Link {
    /// Our address that the asker can reach: the one of the narrowest network that it shares.
    /// `None` for a stranger to the link: it gets no byte.
    pub(super) fn facing(&self, asker: Ipv4Addr) -> Option<Ipv4Addr> {
        let shared = |(address, prefix): &&(Ipv4Addr, u8)| {
            let mask = u32::MAX.checked_shl(32 - u32::from(*prefix)).unwrap_or(0);
            (u32::from(*address) ^ u32::from(asker)) & mask == 0
        };
        let nearest = self.addresses.iter().filter(shared).max_by_key(|(_, prefix)| *prefix);
        nearest.map(|(address, _)| *address)
    }
}

/// The links to announce on now. A name that is not there now may come later.
pub(super) fn links(names: &[String], only: Option<Ipv4Addr>) -> io::Result<Vec<Link>> {
    let mut links: BTreeMap<u32, Link> = BTreeMap::new();
    for interface in if_addrs::get_if_addrs()? {
        let (IfAddr::V4(v4), Some(index)) = (&interface.addr, interface.index) else { continue };
        let Some(index) = NonZeroU32::new(index) else { continue };
        let is_chosen = if names.is_empty() {
            !is_internal(&interface.name) && can_multicast(&interface.name)
        } else {
            names.contains(&interface.name)
        };
        if !is_chosen || only.is_some_and(|only| only != v4.ip) {
            continue;
        }
        links
            .entry(index.get())
            .or_insert_with(|| Link { name: interface.name.clone(), index, addresses: Vec::new() })
            .addresses
            .push((v4.ip, v4.prefixlen));
    }
    Ok(links.into_values().collect())
}

/// Bridges and tunnels of containers and virtual machines lead to nobody's TV.
fn is_internal(name: &str) -> bool {
    ["docker", "br-", "veth", "virbr", "tun", "tap", "wg", "tailscale", "podman", "cni", "lxc"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Up, multicast, no loopback, no point-to-point link.
fn can_multicast(name: &str) -> bool {
    const UP: u32 = 0x1;
    const LOOPBACK: u32 = 0x8;
    const POINT_TO_POINT: u32 = 0x10;
    const MULTICAST: u32 = 0x1000;
    let flags = fs::read_to_string(format!("/sys/class/net/{name}/flags")).ok();
    let flags = flags
        .and_then(|text| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok())
        .unwrap_or(if name == "lo" { LOOPBACK } else { UP | MULTICAST });
    flags & (UP | MULTICAST) == UP | MULTICAST && flags & (LOOPBACK | POINT_TO_POINT) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_address_answers_and_strangers_hear_nothing() {
        let link = Link {
            name: "eth0".to_owned(),
            index: NonZeroU32::MIN,
            addresses: vec![
                (Ipv4Addr::new(10, 0, 0, 2), 8),
                (Ipv4Addr::new(10, 1, 0, 2), 24),
                (Ipv4Addr::new(192, 168, 1, 2), 24),
            ],
        };
        for (asker, expected) in [
            ([10, 9, 9, 9], Some([10, 0, 0, 2])),
            ([10, 1, 0, 9], Some([10, 1, 0, 2])),
            ([192, 168, 1, 77], Some([192, 168, 1, 2])),
            ([192, 168, 2, 77], None),
            ([8, 8, 8, 8], None),
        ] {
            assert_eq!(link.facing(asker.into()), expected.map(Into::into), "{asker:?}");
        }
    }

    #[test]
    fn loopback_only_by_name() {
        assert!(links(&[], None).unwrap().iter().all(|link| link.name != "lo"));
        let lo = links(&["lo".to_owned()], None).unwrap();
        assert_eq!(lo[0].facing(Ipv4Addr::new(127, 5, 5, 5)), Some(Ipv4Addr::LOCALHOST));
        let elsewhere = Some(Ipv4Addr::new(10, 255, 0, 1));
        assert!(links(&["lo".to_owned()], elsewhere).unwrap().is_empty());
    }
}
