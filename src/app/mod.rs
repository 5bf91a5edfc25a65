//! The composition root: builds everything, binds sockets, spawns, stops. The only file that
//! knows every other one.

mod listeners;
mod operations;
mod rest;
mod services;
mod tls;
mod vet;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use actix_web::dev::Server;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{services::Services, vet::vet};
use crate::{
    clock::Clock,
    config::{Config, Lan},
    drive::Drive,
    http::TrustedProxies,
    ops::{
        database,
        health::{self, Health},
        metrics::Metrics,
        port_holder,
    },
    protocols::{dlna::Dlna, mdns},
    web,
};

/// The whole daemon, built and bound, not yet running.
pub struct App {
    http: Server,
    http_address: SocketAddr,
    is_secure: bool,
    lan: Option<OnLan>,
    services: Services,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What is offered on the local network alone.
struct OnLan {
    server: Server,
    address: SocketAddr,
    dlna: Dlna,
    config: Lan,
}

impl App {
    /// Builds every service, then binds every socket. Nothing runs yet. A LAN port that is taken
    /// is logged and done without; everything else that fails is an error.
    pub async fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let services = Services::open(&config, clock).await?;
        services.ingest.list_libraries().await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let metrics = Metrics::default();
        let health = Health::new(
            services.db.clone(),
            services.accounts.clone(),
            config.drive.clone(),
            standing(&services.drive),
        );

        let (listener, http_address) = listeners::bind(config.listen)?;
        let certificate = config.tls.as_ref().map(tls::Certificate::load).transpose()?;
        if let Some(certificate) = &certificate {
            tasks.spawn(certificate.clone().keep_fresh(stop.clone()));
        }
        let site = web::Site {
            public_url: config.http.public_url.clone(),
            data: config.data.clone(),
            drive: config.drive.clone(),
            has_lan: config.lan.is_some(),
            started_at: services.clock.now(),
            database: services.db.storage().clone(),
        };
        let front = listeners::Front {
            proxies: TrustedProxies(config.http.trusted_proxies.clone().into()),
            subsonic: config.subsonic.clone(),
            site,
            health,
            certificate: certificate.as_ref(),
            stop: stop.clone(),
        };
        let http = listeners::public(listener, &services, &metrics, front)?;
        let lan = match &config.lan {
            None => None,
            Some(lan) => match listeners::bind(lan.listen) {
                Ok((listener, address)) => {
                    warn_of_unknown(&lan.interfaces);
                    let of = services.clone();
                    let dlna = Dlna::open(of.accounts, of.catalog, of.playback, of.events).await?;
                    let server = listeners::lan(listener, &dlna, &metrics, stop.clone())?;
                    Some(OnLan { server, address, dlna, config: lan.clone() })
                }
                Err(error) => {
                    tracing::warn!("going on without the LAN port: {error:#}");
                    None
                }
            },
        };
        let is_secure = certificate.is_some();
        Ok(Self { http, http_address, is_secure, lan, services, stop, tasks })
    }

    /// Where the public listener is, with the port that it got.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// `http`, or `https` where a certificate is configured.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }

    /// Where the LAN listener is.
    #[must_use]
    pub fn lan_address(&self) -> Option<SocketAddr> {
        self.lan.as_ref().map(|lan| lan.address)
    }

    /// The services behind the faces.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Cancel it to stop.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Serves until the stop token is cancelled, then drains.
    pub async fn run_until_stopped(self) -> anyhow::Result<()> {
        let mut handles = vec![self.http.handle()];
        let mut servers = vec![tokio::spawn(self.http)];
        if let Some(lan) = self.lan {
            handles.push(lan.server.handle());
            servers.push(tokio::spawn(lan.server));
            let holder = |port| port_holder::phrase(port_holder::udp(port));
            let (config, stop) = (lan.config.clone(), self.stop.clone());
            self.tasks.spawn(lan.dlna.run(config, lan.address, holder, stop));
            self.tasks.spawn(mdns::run(lan.config, self.http_address, self.stop.clone()));
        }
        self.tasks.spawn(rest::keep(self.services.db.clone(), self.stop.clone()));
        self.tasks.spawn(database::look_after(
            self.services.db.clone(),
            self.services.clock.clone(),
            self.stop.clone(),
        ));
        self.tasks.spawn(self.services.accounts.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.drive.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.deliveries.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.imports.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.catalog.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.jukebox.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.playback.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.backups.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.analysis.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.matching.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.outside.clone().run(self.stop.clone()));
        self.tasks.spawn(self.services.ingest.clone().run(self.stop.clone()));
        self.stop.cancelled().await;
        for handle in handles {
            handle.stop(true).await;
        }
        for server in servers {
            server.await??;
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.services.db.close().await;
        Ok(())
    }
}

/// Runs a future on the runtime that the servers need.
pub fn block_on<F: Future>(future: F) -> F::Output {
    actix_web::rt::System::new().block_on(future)
}

/// Whoever looks after the server's health knows no drive, but may ask.
fn standing(drive: &Drive) -> health::Standing {
    let drive = drive.clone();
    Arc::new(move || {
        let drive = drive.clone();
        Box::pin(async move {
            let standing = drive.standing().await.map_or("unmounted", |stands| stands.word());
            let has_damage = drive.damaged().await.is_ok_and(|(count, _)| 0 < count);
            health::DriveState { standing, has_damage }
        })
    })
}

/// The data folder's place for things that may be deleted at any time.
#[must_use]
pub fn cache_folder(data: &Path) -> PathBuf {
    data.join("cache")
}

/// The program that reads tags and pictures: as configured, or the running one itself.
fn reader(config: &Config) -> anyhow::Result<PathBuf> {
    match &config.workers.daemon {
        Some(path) => Ok(path.clone()),
        None => Ok(std::env::current_exe()?),
    }
}

/// The program that decodes: as configured, or beside this one.
fn decoder(config: &Config) -> anyhow::Result<PathBuf> {
    match &config.workers.decoder {
        Some(path) => Ok(path.clone()),
        None => Ok(std::env::current_exe()?.with_file_name("tunelocker-worker")),
    }
}

/// A link that is not there now may come later; a name that was mistyped never does.
fn warn_of_unknown(interfaces: &[String]) {
    let there = if_addrs::get_if_addrs().unwrap_or_default();
    for name in interfaces {
        if !there.iter().any(|interface| interface.name == *name) {
            tracing::warn!(
                interface = %name,
                "there is no network interface of that name; nothing is announced on it until there is"
            );
        }
    }
}
