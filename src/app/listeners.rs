//! The two HTTP listeners: the public one for Subsonic and the web, and the LAN's for DLNA.

use std::{
    net::{SocketAddr, TcpListener},
    time::Instant,
};

use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web::Data,
};
use anyhow::anyhow;
use tokio_util::sync::CancellationToken;

use super::{Services, operations, tls::Certificate};
use crate::{
    config::Subsonic,
    http::{
        TrustedProxies,
        connection::{self, Patience},
        headers, log,
        server::{self, Plain},
    },
    ops::{health::Health, metrics::Metrics, port_holder},
    protocols::{
        dlna::{self, Dlna},
        subsonic, webdav,
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
    pub(super) subsonic: Subsonic,
    pub(super) site: web::Site,
    pub(super) health: Health,
    pub(super) certificate: Option<&'a Certificate>,
    pub(super) stop: CancellationToken,
}

/// Subsonic, the panel, health and metrics.
pub(super) fn public(
    listener: TcpListener,
    services: &Services,
    metrics: &Metrics,
    front: Front<'_>,
) -> anyhow::Result<Server> {
    let Front { proxies, subsonic: choices, site, health, certificate, stop } = front;
    let (of, metrics) = (services.clone(), metrics.clone());
    let panel = web::Handles {
        accounts: of.accounts.clone(),
        catalog: of.catalog.clone(),
        shares: of.shares.clone(),
        drive: of.drive.clone(),
        deliveries: of.deliveries.clone(),
        imports: of.imports.clone(),
        ingest: of.ingest.clone(),
        playback: of.playback.clone(),
        jukebox: of.jukebox.clone(),
        analysis: of.analysis.clone(),
        backups: of.backups.clone(),
        matching: of.matching.clone(),
        outside: of.outside.clone(),
        events: of.events.clone(),
        site,
    };
    let (proxies, choices) = (Data::new(proxies), Data::new(choices));
    let app = move || {
        let (of, metrics, panel) = (of.clone(), metrics.clone(), panel.clone());
        App::new()
            .wrap(from_fn(around::<Public, _>))
            .app_data(Data::new(metrics.clone()))
            .app_data(proxies.clone())
            .app_data(choices.clone())
            .configure(|routes| operations::configure(routes, &health, &metrics, &of.ingest))
            .configure(|routes| {
                let (accounts, clock) = (&of.accounts, &of.clock);
                let (catalog, shares) = (&of.catalog, &of.shares);
                let (ingest, playback) = (&of.ingest, &of.playback);
                let services = subsonic::Services {
                    accounts: accounts.clone(),
                    catalog: catalog.clone(),
                    shares: shares.clone(),
                    ingest: ingest.clone(),
                    playback: playback.clone(),
                    jukebox: of.jukebox.clone(),
                    outside: of.outside.clone(),
                    clock: clock.clone(),
                };
                subsonic::configure(routes, &services);
            })
            .configure(|routes| {
                let services = webdav::Services {
                    accounts: of.accounts.clone(),
                    drive: of.drive.clone(),
                    playback: of.playback.clone(),
                    clock: of.clock.clone(),
                    public_url: panel.site.public_url.clone(),
                };
                webdav::configure(routes, &services);
            })
            .configure(|routes| web::configure(routes, &panel))
    };
    let Some(certificate) = certificate else {
        let how = Plain {
            workers: 2,
            drain_seconds: 10,
            patience: Patience::default(),
            stop,
            on_connect: |_, _| (),
        };
        return Ok(server::serve(listener, how, app)?);
    };
    let server = HttpServer::new(app)
        .on_connect(connection::watched(Patience::default()))
        .workers(2)
        .disable_signals()
        .shutdown_timeout(10)
        .listen_rustls_0_23(listener, certificate.server_config()?)?;
    Ok(server.run())
}

/// DLNA.
pub(super) fn lan(
    listener: TcpListener,
    face: &Dlna,
    metrics: &Metrics,
    stop: CancellationToken,
) -> anyhow::Result<Server> {
    let (face, metrics) = (face.clone(), metrics.clone());
    let how = Plain {
        workers: 1,
        drain_seconds: 5,
        patience: Patience::default(),
        stop,
        on_connect: dlna::on_connect,
    };
    let app = move || {
        let face = face.clone();
        App::new()
            .wrap(from_fn(around::<Lan, _>))
            .app_data(Data::new(metrics.clone()))
            .configure(|routes| dlna::configure(routes, &face))
    };
    Ok(server::serve(listener, how, app)?)
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

/// What happens around every request of a listener: its answer is counted, gets the headers that
/// all have, and is logged.
async fn around<N: Name, B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let began = Instant::now();
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    let is_tls = request.app_config().secure();
    let mut answer = match headers::too_long(request.headers()) {
        Some(refusal) => Err(refusal),
        None => next.call(request).await,
    };
    if let Ok(response) = &mut answer {
        headers::secure(response.headers_mut());
        if is_tls {
            headers::stay_on_tls(response.headers_mut());
        }
    }
    if let Some(metrics) = metrics {
        let status = match &answer {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        metrics.answered(N::NAME, status.as_u16());
    }
    log::record(began, &answer);
    answer
}
