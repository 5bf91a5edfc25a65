//! UPnP AV MediaServer:1 with DLNA's additions, on the LAN listener alone: found by SSDP, browsed
//! by SOAP, told of changes by GENA, played by plain HTTP. What a device sees is what the
//! household sees, or the user that it is bound to.

mod door;
mod failure;
#[doc(hidden)]
pub mod fuzz;
mod gena;
mod media_server;
mod routes;
mod soap;
mod ssdp;

pub use door::on_connect;
pub use routes::configure;

use std::{net::SocketAddr, sync::Arc};

use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    accounts::{Accounts, Principal},
    catalog::Catalog,
    config::Lan,
    events::Events,
    playback::Playback,
};

use media_server::{description::Device, quirks, shuffle::Shuffles};

/// What the `Server` header and every announcement say.
const SERVER: &str =
    concat!("Linux/1.0 UPnP/1.0 DLNADOC/1.50 Tunelocker/", env!("CARGO_PKG_VERSION"));

/// The media server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dlna {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    accounts: Accounts,
    catalog: Catalog,
    playback: Playback,
    events: Events,
    device: Device,
    seen: quirks::Seen,
    shuffles: Arc<Shuffles>,
    subscriptions: gena::Subscriptions,
}

/// Who asks, and as what it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    /// Whom the device acts for.
    principal: Principal,
    /// What it needs otherwise than others.
    profile: quirks::Profile,
    /// Our address as it reached us: every address in an answer begins with it.
    address: SocketAddr,
    /// Its address.
    peer: SocketAddr,
    /// What it calls itself.
    user_agent: String,
    /// Lists in a random order that hold for a while.
    shuffles: Arc<Shuffles>,
}

impl Dlna {
    /// Over the services, under the id that this installation keeps for life.
    pub async fn open(
        accounts: Accounts,
        catalog: Catalog,
        playback: Playback,
        events: Events,
    ) -> Result<Self> {
        let device = Device { name: friendly_name(), uuid: catalog.server_id().await? };
        let inner = Inner {
            accounts,
            catalog,
            playback,
            events,
            device,
            seen: quirks::Seen::default(),
            shuffles: Arc::default(),
            subscriptions: gena::Subscriptions::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Announces the server on the chosen interfaces and tells subscribers of changes, until told
    /// to stop; then says goodbye. `http` is where the LAN listener is bound; `holder` says in
    /// words who holds a UDP port.
    pub async fn run(
        self,
        lan: Lan,
        http: SocketAddr,
        holder: fn(u16) -> String,
        stop: CancellationToken,
    ) {
        let announced = ssdp::Announced::new(&self.inner.device.uuid, http);
        let ssdp = ssdp::run(announced, lan.interfaces, holder, stop.clone());
        let telling = self.inner.subscriptions.tell_changes(
            self.inner.catalog.clone(),
            self.inner.events.subscribe(),
            stop,
        );
        tokio::join!(ssdp, telling);
    }
}

/// What people read in the list of servers: ours and the machine's name, below 64 bytes.
fn friendly_name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host = host.split('.').next().unwrap_or_default();
    let name = if matches!(host, "" | "localhost") {
        "Tunelocker".to_owned()
    } else {
        format!("Tunelocker on {host}")
    };
    let end =
        name.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end < 64);
    name[..end.last().unwrap_or(0)].to_owned()
}
