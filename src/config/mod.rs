//! Settings: one struct and one file a section. Defaults < TOML file < `TUNELOCKER_*` environment
//! (`_FILE` variants for secrets) < flags. Unknown keys are errors that name key and line.
//!
//! Only `cli` loads and only `app` reads a [`Config`]; everything below gets the values it uses.

mod addresses;
mod analysis;
mod document;
mod egress;
mod environment;
mod http;
mod ingest;
mod jukebox;
mod lan;
mod load;
mod log;
mod notices;
mod outside;
mod playback;
mod subsonic;
mod tls;
mod workers;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

pub use self::{
    analysis::Analysis,
    egress::Egress,
    http::Http,
    ingest::Ingest,
    jukebox::{Jukebox, JukeboxOutput},
    lan::Lan,
    load::{Invalid, Sources, load},
    log::{Log, LogFormat},
    notices::{Mail, MailSecurity, Notices, Webhook},
    outside::{Feature, Outside},
    playback::Playback,
    subsonic::{LoginPassword, Subsonic},
    tls::Tls,
    workers::{Sandbox, Workers},
};

/// Everything that an operator can choose, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// Database, keys, cache: `--data`.
    pub data: PathBuf,
    /// Lockers, trash, staging: `--drive`; the data folder if not given.
    pub drive: PathBuf,
    /// Watched folders: name and path.
    pub libraries: Vec<(String, PathBuf)>,
    /// Whether lockers may point at files of these folders, by name; of the others an administrator
    /// says it in the panel.
    pub lends: BTreeMap<String, bool>,
    /// The public listener.
    pub listen: SocketAddr,
    /// The LAN listener; `None` is `--no-lan`.
    pub lan: Option<Lan>,
    /// What the HTTP faces must know about the way to them.
    pub http: Http,
    /// Certificate and key of the public listener; `None` is plain http.
    pub tls: Option<Tls>,
    /// The Subsonic face.
    pub subsonic: Subsonic,
    /// How music gets in.
    pub ingest: Ingest,
    /// What the box hears by itself.
    pub analysis: Analysis,
    /// How music gets out.
    pub playback: Playback,
    /// The speakers of the machine.
    pub jukebox: Jukebox,
    /// What may be reached beyond the public internet.
    pub egress: Egress,
    /// What goes out, and where to.
    pub outside: Outside,
    /// Where notices go.
    pub notices: Notices,
    /// Worker processes.
    pub workers: Workers,
    /// What is logged, and how.
    pub log: Log,
    /// The admin to make at first start, without the set-up page: name and password.
    pub first_admin: Option<(String, String)>,
}

impl Config {
    /// Loopback on free ports over a data folder; what tests start from.
    #[must_use]
    pub fn local(data: PathBuf) -> Self {
        Self {
            drive: data.clone(),
            data,
            libraries: Vec::new(),
            lends: BTreeMap::new(),
            listen: ([127, 0, 0, 1], 0).into(),
            lan: None,
            http: Http::default(),
            tls: None,
            subsonic: Subsonic::default(),
            ingest: Ingest::default(),
            // Tests that are not about it need the processor for themselves.
            analysis: Analysis { enabled: false, ..Analysis::default() },
            playback: Playback::default(),
            jukebox: Jukebox { output: JukeboxOutput::Off },
            egress: Egress::default(),
            outside: Outside::default(),
            notices: Notices::default(),
            workers: Workers::default(),
            log: Log::default(),
            first_admin: None,
        }
    }
}
