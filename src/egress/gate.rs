//! Judges URLs before they are asked and addresses before they are connected to. The resolver
//! here is the client's only one, so what it hands out is what is connected to: a name cannot
//! answer one thing when it is judged and another when it is used.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use url::{Host, Url};

use super::{Fault, Settings, address::is_public};

/// Why a name led to nothing: the name, or its address.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0} is refused")]
pub(super) struct Refused(pub(super) String);

type Unresolved = Box<dyn std::error::Error + Send + Sync>;

/// The judge.
#[derive(Debug)]
pub(super) struct Gate {
    settings: Settings,
    #[cfg(test)]
    pub(super) names: super::tests::Names,
}

impl Gate {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            #[cfg(test)]
            names: super::tests::Names::default(),
        }
    }

    /// Scheme, port, and the address where the URL has one instead of a name. The names are
    /// judged when they are resolved.
    pub(super) fn check(&self, text: &str) -> Result<Url, Fault> {
        let wrong = |sentence: &str| Fault::Url(sentence.to_owned());
        if 4096 < text.len() {
            return Err(wrong("The address is too long"));
        }
        let url = Url::parse(text.trim()).map_err(|_| wrong("That is not a web address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("Only http and https addresses are fetched"));
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(name)) if !name.trim_end_matches('.').is_empty() => None,
            _ => return Err(wrong("That is not a web address")),
        };
        let is_allowed = literal.is_some_and(|address| self.allows(address, port));
        let has_own_port = self.settings.ports.contains(&port)
            || self.settings.allow.iter().any(|allowed| allowed.is_for_port(port));
        if !matches!(port, 80 | 443) && !has_own_port && !is_allowed {
            return Err(Fault::Url(format!("Port {port} is not one that is fetched from")));
        }
        match literal {
            Some(address) if !self.permits(address, port) => {
                Err(Fault::Address(address.to_string()))
            }
            _ => Ok(url),
        }
    }

    /// Whether this address may be connected to.
    fn permits(&self, address: IpAddr, port: u16) -> bool {
        self.allows(address, port) || (is_public(address) && !is_own(address))
    }

    fn allows(&self, address: IpAddr, port: u16) -> bool {
        self.settings.allow.iter().any(|allowed| allowed.holds(address, port))
    }

    /// Judges a name with its port, where the operator opened some addresses at some ports only;
    /// the resolver does not know the port.
    pub(super) async fn judge(&self, url: &Url) -> Result<(), Fault> {
        let (Some(Host::Domain(name)), false) = (url.host(), self.settings.allow.is_empty()) else {
            return Ok(());
        };
        let port = url.port_or_known_default().unwrap_or(0);
        let found =
            self.look_up(name).await.map_err(|error| Fault::Unreachable(error.to_string()))?;
        if found.iter().all(|address| self.permits(*address, port)) {
            Ok(())
        } else {
            Err(Fault::Address(name.to_owned()))
        }
    }

    /// Every address of a name; one that is refused refuses the name, because an honest name has
    /// no reason to mix them.
    async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, Unresolved> {
        let found = self.look_up(name).await?;
        if let Some(address) = found.iter().find(|address| !self.permits(**address, 0)) {
            tracing::debug!(name, %address, "an address is refused");
            return Err(Box::new(Refused(name.to_owned())));
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, 0)).collect())
    }

    /// An address of a host that may be connected to, for what does not speak HTTP. Any port: the
    /// operator named it.
    pub(super) async fn address_of(&self, host: &str, port: u16) -> Result<SocketAddr, Fault> {
        let unreachable = |error: std::io::Error| Fault::Unreachable(error.to_string());
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.look_up(host).await.map_err(unreachable)?,
        };
        if found.iter().any(|address| !self.permits(*address, port)) {
            return Err(Fault::Address(host.to_owned()));
        }
        let first = found.first().ok_or_else(|| Fault::Unreachable("it has no address".into()))?;
        Ok(SocketAddr::new(*first, port))
    }

    async fn look_up(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        #[cfg(test)]
        if let Some(found) = self.names.answer(name) {
            return Ok(found);
        }
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
    }
}

/// How the client asks.
#[derive(Debug, Clone)]
pub(super) struct Resolver(pub(super) Arc<Gate>);

impl tower_service::Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Unresolved;
    type Future = BoxFuture<'static, Result<Self::Response, Unresolved>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let gate = Arc::clone(&self.0);
        Box::pin(async move { Ok(gate.addresses(name.as_str()).await?.into_iter()) })
    }
}

/// Whether this machine itself has the address: public ones of ours lead back inside.
fn is_own(address: IpAddr) -> bool {
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces.iter().any(|interface| interface.ip() == address),
        // It may be.
        Err(error) => {
            tracing::warn!("this machine's own addresses cannot be listed: {error}");
            true
        }
    }
}
