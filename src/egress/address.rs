//! Which addresses are on the public internet. Everything else is refused: the house's own
//! network, this machine, and every form in which IPv6 can wrap such an address.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// IPv4 blocks that are not the public internet (IANA special-purpose registry, RFC 6890).
const NOT_PUBLIC_4: [Ipv4Net; 16] = [
    net4(0, 0, 0, 0, 8),
    net4(10, 0, 0, 0, 8),
    net4(100, 64, 0, 0, 10),
    net4(127, 0, 0, 0, 8),
    net4(169, 254, 0, 0, 16),
    net4(172, 16, 0, 0, 12),
    net4(192, 0, 0, 0, 24),
    net4(192, 0, 2, 0, 24),
    net4(192, 31, 196, 0, 24),
    net4(192, 88, 99, 0, 24),
    net4(192, 168, 0, 0, 16),
    net4(198, 18, 0, 0, 15),
    net4(198, 51, 100, 0, 24),
    net4(203, 0, 113, 0, 24),
    net4(224, 0, 0, 0, 4),
    net4(240, 0, 0, 0, 4),
];

/// All of IPv6 that is handed out for the public internet.
const PUBLIC_6: Ipv6Net = net6([0x2000, 0, 0, 0], 3);

/// Blocks inside it that are not: protocol assignments with Teredo, documentation, 6to4.
const NOT_PUBLIC_6: [Ipv6Net; 4] = [
    net6([0x2001, 0, 0, 0], 23),
    net6([0x2001, 0xdb8, 0, 0], 32),
    net6([0x2002, 0, 0, 0], 16),
    net6([0x3fff, 0, 0, 0], 20),
];

/// How networks without IPv4 reach it (RFC 6052): the wrapped address is judged.
const NAT64: Ipv6Net = net6([0x64, 0xff9b, 0, 0], 96);

const fn net4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn net6(head: [u16; 4], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], head[2], head[3], 0, 0, 0, 0), length)
}

/// Whether an address is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_4(address),
        IpAddr::V6(address) => match wrapped(address) {
            Some(address) => is_public_4(address),
            None => {
                PUBLIC_6.contains(&address)
                    && !NOT_PUBLIC_6.iter().any(|net| net.contains(&address))
            }
        },
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC_4.iter().any(|net| net.contains(&address))
}

/// The IPv4 address that the connection would end at.
fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    address.to_ipv4_mapped().or_else(|| {
        let [.., a, b, c, d] = address.octets();
        NAT64.contains(&address).then_some(Ipv4Addr::new(a, b, c, d))
    })
}

/// An address or network that an operator allows although it is not public, with a port or with
/// any: `192.168.1.5`, `192.168.1.5:8080`, `10.0.0.0/8`, `[fd00::5]:8080`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Allowed {
    network: IpNet,
    port: Option<u16>,
}

impl Allowed {
    /// Whether it allows this address at this port; 0 is a port that is not known yet.
    pub(super) fn holds(&self, address: IpAddr, port: u16) -> bool {
        let address = match address {
            IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        self.network.contains(&address) && (port == 0 || self.port.is_none_or(|own| own == port))
    }
}

impl Allowed {
    /// Whether it opens this port, if only for its own address.
    pub(super) fn is_for_port(&self, port: u16) -> bool {
        self.port == Some(port)
    }
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
            return Ok(Self { network: socket.ip().into(), port: Some(socket.port()) });
        }
        let network =
            text.parse::<IpNet>().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into()));
        let network = network
            .ok_or_else(|| format!("{text:?} is no address, address with port, or network"))?;
        Ok(Self { network, port: None })
    }
}

impl TryFrom<String> for Allowed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Allowed> for String {
    fn from(allowed: Allowed) -> Self {
        allowed.to_string()
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => std::net::SocketAddr::new(self.network.addr(), port).fmt(f),
            None => self.network.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.169.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::1.1.1.1",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for hidden in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.251",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:192.168.1.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:53aa:64c::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::fb",
        ] {
            assert!(!is_public(hidden.parse().unwrap()), "{hidden}");
        }
    }

    #[test]
    fn what_is_allowed_is_an_address_a_network_or_a_socket() {
        let holds = |allowed: &str, address: &str, port| {
            allowed.parse::<Allowed>().unwrap().holds(address.parse().unwrap(), port)
        };
        assert!(holds("192.168.1.5", "192.168.1.5", 8080));
        assert!(holds("192.168.1.5:8080", "192.168.1.5", 8080));
        assert!(!holds("192.168.1.5:8080", "192.168.1.5", 8081));
        assert!(!holds("192.168.1.5", "192.168.1.6", 80));
        assert!(holds("10.0.0.0/8", "10.200.0.1", 80));
        assert!(holds("127.0.0.1", "::ffff:127.0.0.1", 80));
        assert!(holds("[fd00::5]:81", "fd00::5", 81));
        for wrong in ["", "example.org", "10.0.0.0/33", "10.0.0.1:99999", "10.0.0.1:"] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
        }
        for text in ["10.0.0.0/8", "192.168.1.5:8080", "[fd00::5]:81"] {
            assert_eq!(text.parse::<Allowed>().unwrap().to_string(), text);
        }
    }
}
