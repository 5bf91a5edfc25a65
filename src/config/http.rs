//! `[http]`: what the HTTP faces must know about the way to them.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What lies between clients and the public listener.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The address that people use, such as `https://music.example.org`; its host is accepted in
    /// `Host` besides the box's own names and addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Proxies whose `Forwarded` and `X-Forwarded-For` are believed.
    #[serde(with = "nets")]
    pub trusted_proxies: Vec<IpNet>,
}

/// Networks as text: `10.0.0.0/8`, or an address alone.
mod nets {
    use ipnet::IpNet;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(nets: &[IpNet], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(nets.iter().map(IpNet::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
        let parse = |text: &String| {
            let address = || text.parse().map(std::net::IpAddr::into).ok();
            let net = text.parse().ok().or_else(address);
            net.ok_or_else(|| D::Error::custom(format!("{text:?} is no network")))
        };
        Vec::<String>::deserialize(from)?.iter().map(parse).collect()
    }
}
