//! The composition root: builds everything, binds sockets, spawns, stops. The only file that
//! knows every other one.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
};

use actix_web::{App as HttpApp, HttpServer, dev::Server, middleware::from_fn};
use anyhow::Context as _;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts::Accounts,
    catalog::Catalog,
    clock::Clock,
    config::Config,
    db::Db,
    drive::Drive,
    events::Events,
    http::{
        connection::{self, Patience},
        headers, log,
    },
    ingest::{self, Ingest},
    playback::{Playback, Settings},
    protocols::{dlna, subsonic},
    web,
};

/// The whole daemon, built and bound, not yet running.
pub struct App {
    http: Server,
    http_address: SocketAddr,
    lan: Option<(Server, SocketAddr)>,
    services: Services,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The services, for whoever runs beside the servers (command line, tests).
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub db: Db,
    /// Who may do what.
    pub accounts: Accounts,
    /// What is kept.
    pub drive: Drive,
    /// What there is to hear.
    pub catalog: Catalog,
    /// How music gets in.
    pub ingest: Ingest,
    /// How music gets out.
    pub playback: Playback,
    /// What changed.
    pub events: Events,
    /// What time it is.
    pub clock: Clock,
}

impl Services {
    /// Opens the database and builds every service over it.
    pub async fn open(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("cannot make the data folder {}", config.data.display()))?;
        let db = Db::open(&config.data.join("tunelocker.db")).await?;
        let events = Events::default();
        let accounts = Accounts::open(
            db.clone(),
            clock.clone(),
            events.clone(),
            &config.data.join("keys"),
            config.drive.clone(),
        )
        .await?;
        let drive = Drive::open(
            config.drive.clone(),
            db.clone(),
            clock.clone(),
            events.clone(),
            accounts.clone(),
        )
        .await?;
        let catalog =
            Catalog::open(db.clone(), clock.clone(), events.clone(), cache_folder(&config.data))
                .await?;
        let ingest = Ingest::new(
            db.clone(),
            clock.clone(),
            events.clone(),
            catalog.clone(),
            ingest::Settings {
                libraries: config.libraries.clone(),
                drive: config.drive.clone(),
                sweep: std::time::Duration::from_secs(300),
            },
        );
        let mut settings =
            Settings::new(decoder(config)?, cache_folder(&config.data).join("transcodes"));
        settings.sandbox = config.workers.sandbox;
        let playback = Playback::new(catalog.clone(), clock.clone(), events.clone(), settings)?;
        Ok(Self { db, accounts, drive, catalog, ingest, playback, events, clock })
    }
}

impl App {
    /// Builds every service, then binds every socket. Nothing runs yet.
    pub async fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let services = Services::open(&config, clock).await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();

        let (listener, http_address) = bind(config.listen)?;
        let of = services.clone();
        let http = HttpServer::new(move || {
            let of = of.clone();
            HttpApp::new()
                .wrap(from_fn(log::record))
                .wrap(headers::security())
                .configure(|routes| {
                    let (accounts, clock) = (&of.accounts, &of.clock);
                    let (catalog, ingest, playback) = (&of.catalog, &of.ingest, &of.playback);
                    subsonic::configure(routes, accounts, catalog, ingest, playback, clock);
                })
                .configure(|routes| web::configure(routes, &of.accounts, &of.catalog, &of.drive))
        })
        .on_connect(connection::watched(Patience::default()))
        .workers(2)
        .disable_signals()
        .shutdown_timeout(10)
        .listen(listener)?
        .run();

        let lan = match &config.lan {
            None => None,
            Some(lan) => {
                let (listener, address) = bind(lan.listen)?;
                let of = services.clone();
                let server = HttpServer::new(move || {
                    let of = of.clone();
                    HttpApp::new()
                        .wrap(from_fn(log::record))
                        .wrap(headers::security())
                        .configure(|routes| dlna::configure(routes, &of.accounts, &of.catalog))
                })
                .on_connect(connection::watched(Patience::default()))
                .workers(1)
                .disable_signals()
                .shutdown_timeout(5)
                .listen(listener)?
                .run();
                Some((server, address))
            }
        };
        Ok(Self { http, http_address, lan, services, stop, tasks })
    }

    /// Where the public listener is, with the port that it got.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Where the LAN listener is.
    #[must_use]
    pub fn lan_address(&self) -> Option<SocketAddr> {
        self.lan.as_ref().map(|(_, address)| *address)
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
        if let Some((server, _)) = self.lan {
            handles.push(server.handle());
            servers.push(tokio::spawn(server));
        }
        self.tasks.spawn(self.services.catalog.clone().run(self.stop.clone()));
        let ingest = self.services.ingest.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if let Err(error) = ingest.run(stop).await {
                tracing::error!("scanning ended: {error:#?}");
            }
        });
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

/// Binds now, so that a taken port is an error before anything runs.
fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// The data folder's place for things that may be deleted at any time.
#[must_use]
pub fn cache_folder(data: &Path) -> std::path::PathBuf {
    data.join("cache")
}

/// The decode worker's program: as configured, else beside the running one.
fn decoder(config: &Config) -> anyhow::Result<std::path::PathBuf> {
    match &config.workers.decoder {
        Some(path) => Ok(path.clone()),
        None => Ok(std::env::current_exe()?.with_file_name("tunelocker-worker")),
    }
}
