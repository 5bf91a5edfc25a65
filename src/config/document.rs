//! The configuration as it is written: the same shape for the file, the environment and flags.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    Analysis, Config, Egress, Http, Ingest, Invalid, Jukebox, Log, Outside, Playback, Subsonic,
    Workers, addresses, lan, notices, tls,
};

/// Shown instead of a secret.
const HIDDEN: &str = "(hidden)";

/// Every key there is, with its default.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drive: Option<PathBuf>,
    listen: SocketAddr,
    libraries: BTreeMap<String, PathBuf>,
    lends: BTreeMap<String, bool>,
    lan: lan::Section,
    http: Http,
    tls: tls::Section,
    subsonic: Subsonic,
    ingest: Ingest,
    analysis: Analysis,
    playback: Playback,
    jukebox: Jukebox,
    egress: Egress,
    outside: Outside,
    notices: notices::Section,
    workers: Workers,
    log: Log,
    admin: Admin,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            data: None,
            drive: None,
            listen: ([0, 0, 0, 0], 4040).into(),
            libraries: BTreeMap::new(),
            lends: BTreeMap::new(),
            lan: lan::Section::default(),
            http: Http::default(),
            tls: tls::Section::default(),
            subsonic: Subsonic::default(),
            ingest: Ingest::default(),
            analysis: Analysis::default(),
            playback: Playback::default(),
            jukebox: Jukebox::default(),
            egress: Egress::default(),
            outside: Outside::default(),
            notices: notices::Section::default(),
            workers: Workers::default(),
            log: Log::default(),
            admin: Admin::default(),
        }
    }
}

/// `[admin]`: the account to make at first start.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Admin {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_file: Option<PathBuf>,
}

impl Document {
    /// The data folder, when the document names one.
    pub(super) fn data(&self) -> Option<&PathBuf> {
        self.data.as_ref()
    }

    /// Fills in what depends on other keys and checks what a type cannot.
    pub(super) fn complete(self, data: PathBuf) -> Result<Config, Invalid> {
        let first_admin = self.admin.complete()?;
        for (name, path) in &self.libraries {
            if name.trim().is_empty() {
                return Err(Invalid::new(format!("the library at {} has no name", path.display())));
            }
        }
        if let Some(name) = self.lends.keys().find(|name| !self.libraries.contains_key(*name)) {
            return Err(Invalid::new(format!("lends.{name}: there is no library of that name")));
        }
        if self.log.level.parse::<tracing_subscriber::EnvFilter>().is_err() {
            return Err(Invalid::new(format!("log.level: {:?} is no log filter", self.log.level)));
        }
        self.analysis.hours()?;
        if let Some(own) = &self.http.public_url {
            addresses::check_own("http.public_url", own)?;
        }
        for (key, text) in self.outside.clone().addresses() {
            addresses::check(key, text)?;
        }
        Ok(Config {
            drive: self.drive.unwrap_or_else(|| data.clone()),
            data,
            libraries: self.libraries.into_iter().collect(),
            lends: self.lends,
            listen: self.listen,
            lan: self.lan.into(),
            http: self.http,
            tls: self.tls.complete()?,
            subsonic: self.subsonic,
            ingest: self.ingest,
            analysis: self.analysis,
            playback: self.playback,
            jukebox: self.jukebox,
            egress: self.egress,
            outside: self.outside,
            notices: self.notices.complete()?,
            workers: self.workers,
            log: self.log,
            first_admin,
        })
    }

    /// The same with every secret replaced, for `check`.
    pub(super) fn without_secrets(mut self) -> Self {
        self.admin.password = self.admin.password.map(|_| HIDDEN.to_owned());
        self.notices.hide(HIDDEN);
        if let Some(text) = &mut self.http.public_url {
            *text = addresses::without_secrets(text, HIDDEN);
        }
        for (_, text) in self.outside.addresses() {
            *text = addresses::without_secrets(text, HIDDEN);
        }
        self
    }
}

impl Admin {
    fn complete(self) -> Result<Option<(String, String)>, Invalid> {
        let password = match (self.password, self.password_file) {
            (Some(password), None) => Some(password),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Invalid::new(format!(
                        "admin.password_file: cannot read {}: {error}",
                        path.display()
                    ))
                })?;
                Some(text.lines().next().unwrap_or_default().to_owned())
            }
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(Invalid::new(
                    "admin.password and admin.password_file are both set; one is enough",
                ));
            }
        };
        match (self.user, password) {
            (None, None) => Ok(None),
            (Some(user), Some(password)) if !password.is_empty() => Ok(Some((user, password))),
            (Some(_), Some(_)) => Err(Invalid::new("admin.password is empty")),
            (Some(_), None) => Err(Invalid::new("admin.user is set, but admin.password is not")),
            (None, Some(_)) => Err(Invalid::new("admin.password is set, but admin.user is not")),
        }
    }
}
