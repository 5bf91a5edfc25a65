//! The two HTTP listeners: the public one for Subsonic and the web, and the LAN's for DLNA.

use std::net::{SocketAddr, TcpListener};

use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web::Data,
};
use anyhow::anyhow;

use super::{Services, operations, tls::Certificate};
use crate::{
    config::LoginPassword,
    http::{
        TrustedProxies,
        connection::{self, Patience},
        headers, log,
    },
    ops::{health::Health, metrics::Metrics, port_holder},
    protocols::{
        dlna::{self, Dlna},
        subsonic,
    },
    web,
};

/// Binds now, so that a taken port is known before anything runs.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            let holder = port_holder::phrase(port_holder::tcp(address.port()));
            anyhow!("cannot listen on {address}: the port is in use, {holder}")
        }
        _ => anyhow!("cannot listen on {address}: {error}"),
    })?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// What the public listener knows besides the services.
pub(super) struct Front<'a> {
    pub(super) proxies: TrustedProxies,
    pub(super) login_password: LoginPassword,
    pub(super) site: web::Site,
    pub(super) health: Health,
    pub(super) certificate: Option<&'a Certificate>,
}

/// Subsonic, the panel, health and metrics.
pub(super) fn public(
    listener: TcpListener,
    services: &Services,
    metrics: &Metrics,
    front: Front<'_>,
) -> anyhow::Result<Server> {
    let Front { proxies, login_password, site, health, certificate } = front;
    let (of, metrics) = (services.clone(), metrics.clone());
    let panel = web::Handles {
        accounts: of.accounts.clone(),
        catalog: of.catalog.clone(),
        drive: of.drive.clone(),
        ingest: of.ingest.clone(),
        playback: of.playback.clone(),
        events: of.events.clone(),
        site,
    };
    let (proxies, login_password) = (Data::new(proxies), Data::new(login_password));
    let server = HttpServer::new(move || {
        let (of, metrics, panel) = (of.clone(), metrics.clone(), panel.clone());
        App::new()
            .wrap(from_fn(log::record))
            .wrap(headers::security())
            .wrap(from_fn(count::<Public, _>))
            .app_data(Data::new(metrics.clone()))
            .app_data(proxies.clone())
            .app_data(login_password.clone())
            .configure(|routes| operations::configure(routes, &health, &metrics, &of.ingest))
            .configure(|routes| {
                let (accounts, clock) = (&of.accounts, &of.clock);
                let (catalog, ingest, playback) = (&of.catalog, &of.ingest, &of.playback);
                subsonic::configure(routes, accounts, catalog, ingest, playback, clock);
            })
            .configure(|routes| web::configure(routes, &panel))
    })
    .on_connect(connection::watched(Patience::default()))
    .workers(2)
    .disable_signals()
    .shutdown_timeout(10);
    let server = match certificate {
        None => server.listen(listener)?,
        Some(certificate) => server.listen_rustls_0_23(listener, certificate.server_config()?)?,
    };
    Ok(server.run())
}

/// DLNA.
pub(super) fn lan(listener: TcpListener, face: &Dlna, metrics: &Metrics) -> anyhow::Result<Server> {
    let (face, metrics) = (face.clone(), metrics.clone());
    let watched = connection::watched(Patience::default());
    let server = HttpServer::new(move || {
        let face = face.clone();
        App::new()
            .wrap(from_fn(log::record))
            .wrap(headers::security())
            .wrap(from_fn(count::<Lan, _>))
            .app_data(Data::new(metrics.clone()))
            .configure(|routes| dlna::configure(routes, &face))
    })
    .on_connect(move |stream, data| {
        watched(stream, data);
        dlna::on_connect(stream, data);
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(5)
    .listen(listener)?;
    Ok(server.run())
}

/// A listener's name in the figures.
trait Name {
    const NAME: &str;
}

struct Public;
struct Lan;

impl Name for Public {
    const NAME: &str = "public";
}

impl Name for Lan {
    const NAME: &str = "lan";
}

/// Counts every answer of a listener.
async fn count<N: Name, B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    let answer = next.call(request).await;
    let status = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    if let Some(metrics) = metrics {
        metrics.answered(N::NAME, status.as_u16());
    }
    answer
}
