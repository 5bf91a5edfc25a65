//! mDNS: announces the web address and the Subsonic service on the LAN, so that browsers and apps
//! find the server without an address being typed.

use std::net::SocketAddr;

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use tokio_util::sync::CancellationToken;

use crate::config::Lan;

/// What apps look for: Navidrome's word for it.
const SUBSONIC: &str = "_subsonic._tcp.local.";
const HTTP: &str = "_http._tcp.local.";

/// Announces on the links of `[lan]` that the public listener is at `http`, until told to stop.
/// Without mDNS everything else works, so a failure is told and no more.
pub async fn run(lan: Lan, http: SocketAddr, stop: CancellationToken) {
    if http.ip().is_loopback() && !lan.interfaces.iter().any(|name| name == "lo") {
        // Nobody but this machine could come.
        return;
    }
    let daemon = match announce(&lan, http) {
        Ok(daemon) => daemon,
        Err(error) => {
            tracing::warn!(%error, "cannot announce by mDNS; apps need the address typed in");
            return;
        }
    };
    stop.cancelled().await;
    // Unregistering sends the goodbyes.
    if let Ok(done) = daemon.shutdown() {
        let _ = done.recv_async().await;
    }
}

fn announce(lan: &Lan, http: SocketAddr) -> Result<ServiceDaemon, mdns_sd::Error> {
    let daemon = ServiceDaemon::new()?;
    if lan.interfaces.is_empty() {
        let internal = |interface: &if_addrs::Interface| is_internal(&interface.name);
        for interface in if_addrs::get_if_addrs().unwrap_or_default().iter().filter(|i| internal(i))
        {
            daemon.disable_interface(interface.name.as_str())?;
        }
    } else {
        daemon.disable_interface(IfKind::All)?;
        for name in &lan.interfaces {
            if name == "lo" {
                daemon.enable_interface(IfKind::LoopbackV4)?;
            }
            daemon.enable_interface(name.as_str())?;
        }
    }
    let host = host_name();
    let name = format!("Tunelocker on {host}");
    let target = format!("{host}.local.");
    let properties =
        [("path", "/"), ("version", env!("CARGO_PKG_VERSION")), ("server", "tunelocker")];
    for kind in [HTTP, SUBSONIC] {
        let service = match http.ip() {
            address if address.is_unspecified() => {
                ServiceInfo::new(kind, &name, &target, (), http.port(), &properties[..])?
                    .enable_addr_auto()
            }
            address => {
                ServiceInfo::new(kind, &name, &target, address, http.port(), &properties[..])?
            }
        };
        daemon.register(service)?;
    }
    Ok(daemon)
}

/// The first label of the machine's name, as mDNS takes it.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let label = name.split('.').next().unwrap_or_default();
    let plain: String = label
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .take(60)
        .collect();
    if plain.is_empty() { "tunelocker".to_owned() } else { plain }
}

fn is_internal(name: &str) -> bool {
    ["docker", "br-", "veth", "virbr", "podman", "cni"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
