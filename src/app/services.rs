//! Every service, built over one database.

use std::time::Duration;

use anyhow::Context as _;

use crate::{
    accounts::Accounts,
    analysis::{self, Analysis},
    catalog::{Catalog, Shares},
    clock::Clock,
    config::{self, Config},
    db::Db,
    drive::{Deliveries, Drive, Imports},
    egress::{self, Egress},
    events::Events,
    ingest::{self, Ingest},
    matching::{self, Matching},
    media::worker::{Pool, decoder::Program},
    ops::{backup::Backups, filesystem},
    outside::{self, Outside},
    playback::{self, Jukebox, Playback, Settings},
};

/// The services, for whoever runs beside the servers (command line, tests).
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub db: Db,
    /// Who may do what.
    pub accounts: Accounts,
    /// What is kept.
    pub drive: Drive,
    /// What shops hand over.
    pub deliveries: Deliveries,
    /// What is fetched and unpacked.
    pub imports: Imports,
    /// What there is to hear.
    pub catalog: Catalog,
    /// What is shown to people without an account.
    pub shares: Shares,
    /// How music gets in.
    pub ingest: Ingest,
    /// How music gets out.
    pub playback: Playback,
    /// The speakers of the house.
    pub jukebox: Jukebox,
    /// What the box hears by itself.
    pub analysis: Analysis,
    /// That nothing is sent twice.
    pub matching: Matching,
    /// What the internet brings and gets.
    pub outside: Outside,
    /// Copies of everything.
    pub backups: Backups,
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
        filesystem::require_local(&config.data)?;
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
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let decoder = Program { path: super::decoder(config)?, sandbox: config.workers.sandbox };
        let readers = Pool::with_decoder(super::reader(config)?, cores, decoder.clone());
        drive.hear_with(readers.clone());
        let catalog = Catalog::open(
            db.clone(),
            clock.clone(),
            events.clone(),
            super::cache_folder(&config.data),
            readers.clone(),
        )
        .await?;
        let shares = Shares::new(
            db.clone(),
            clock.clone(),
            accounts.clone(),
            catalog.clone(),
            config.http.public_url.clone(),
        );
        let ingest = Ingest::new(
            db.clone(),
            clock.clone(),
            events.clone(),
            drive.clone(),
            catalog.clone(),
            readers.clone(),
            ingest::Settings {
                libraries: config.libraries.clone(),
                lends: config.lends.clone(),
                drive: config.drive.clone(),
                sweep: Duration::from_secs(config.ingest.sweep_seconds.into()),
                read: config.ingest.read_options(),
                readers: cores,
            },
        );
        let mut settings =
            Settings::new(decoder.path, super::cache_folder(&config.data).join("transcodes"));
        settings.decoder.sandbox = decoder.sandbox;
        settings.cache_bytes = config.playback.cache_bytes;
        settings.transcodes = config.playback.transcodes;
        settings.transcodes_per_user = config.playback.transcodes_per_user;
        settings.patience = Duration::from_secs(config.playback.queue_seconds.into());
        settings.secret = Some(accounts.derived_key("playback tickets"));
        let (of, time) = (catalog.clone(), clock.clone());
        let playback = Playback::new(db.clone(), of, time, events.clone(), settings)?;
        let output = playback::chosen(&config.jukebox.output, &playback, &clock);
        let jukebox = Jukebox::new(playback.clone(), clock.clone(), events.clone(), output);
        let analysis = Analysis::new(
            catalog.clone(),
            ingest.clone(),
            playback.clone(),
            clock.clone(),
            events.clone(),
            analysis::Settings {
                enabled: config.analysis.enabled,
                hours: config.analysis.hours()?,
                workers: config.analysis.workers,
                program: super::reader(config)?,
            },
        );
        let matching = Matching::new(matching::Parts {
            db: db.clone(),
            clock: clock.clone(),
            accounts: accounts.clone(),
            drive: drive.clone(),
            catalog: catalog.clone(),
            ingest: ingest.clone(),
            playback: playback.clone(),
            events: events.clone(),
            program: super::reader(config)?,
            hearing: config.analysis.enabled.then_some(config.analysis.hours()?),
        });
        let egress = Egress::new(egress::Settings {
            allow: config.egress.allow.clone(),
            ports: config.egress.ports.clone(),
        })?;
        let may_fetch = !config.outside.forbid.contains(&config::Feature::Deliveries);
        let deliveries = Deliveries::new(&drive, egress.clone(), may_fetch);
        let may_fetch = !config.outside.forbid.contains(&config::Feature::Imports);
        let imports = Imports::new(&drive, readers.clone(), egress.clone(), may_fetch);
        imports.adopt().await?;
        let parts = outside::Parts {
            db: db.clone(),
            clock: clock.clone(),
            accounts: accounts.clone(),
            drive: drive.clone(),
            catalog: catalog.clone(),
            playback: playback.clone(),
            pool: readers,
            egress,
            events: events.clone(),
        };
        let outside = Outside::new(parts, outside_settings(config));
        let (of, time) = (db.clone(), clock.clone());
        let backups = Backups::new(&config.data, &config.drive, of, time, accounts.clone());
        Ok(Self {
            db,
            accounts,
            drive,
            deliveries,
            imports,
            catalog,
            shares,
            ingest,
            playback,
            analysis,
            jukebox,
            matching,
            outside,
            backups,
            events,
            clock,
        })
    }
}

fn outside_settings(config: &Config) -> outside::Settings {
    let notices = config.notices.clone();
    let config = &config.outside;
    let base = |url: &str| url.trim_end_matches('/').to_owned();
    outside::Settings {
        forbidden: config.forbid.clone(),
        notices,
        places: outside::Places {
            lastfm: config.lastfm_url.clone(),
            lastfm_sign_in: config.lastfm_sign_in_url.clone(),
            listenbrainz: base(&config.listenbrainz_url),
            musicbrainz: base(&config.musicbrainz_url),
            wikidata: base(&config.wikidata_url),
            wikipedia: base(&config.wikipedia_url),
        },
    }
}
