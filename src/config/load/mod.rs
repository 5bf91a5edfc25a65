//! From the sources to one [`Config`]: finds the data folder and the file, lays the sources over
//! each other and says in a sentence what is wrong.

use std::{
    ffi::OsString,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{
    Config,
    document::Document,
    environment::{self, PREFIX},
};
use crate::error::is_nowhere;

const SERVICE_DATA: &str = "/var/lib/tunelocker";
const SYSTEM_FILE: &str = "/etc/tunelocker.toml";

/// The configuration makes no sense; the sentence names the key, and the file with its line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

impl Invalid {
    /// With a sentence for the operator.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Where settings come from, besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Flags in the shape of the file.
    pub flags: toml::Table,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Our variables whose values are no text.
    pub garbled: Vec<String>,
}

impl Sources {
    /// This process's environment and nothing else.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self::of_variables(std::env::vars_os())
    }

    fn of_variables(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let mut sources = Self::default();
        for (name, value) in variables {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => sources.environment.push((name, value)),
                (Ok(name), Err(_)) if name.starts_with(PREFIX) => sources.garbled.push(name),
                _ => (),
            }
        }
        sources
    }

    /// Sets one flag: `lan.listen` and its value.
    pub fn flag(&mut self, path: &str, value: impl Into<toml::Value>) {
        environment::merge(&mut self.flags, environment::nest(path, value.into()));
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.iter().find(|(variable, _)| variable == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// `--data`, else `TUNELOCKER_DATA`.
    fn data(&self) -> Option<PathBuf> {
        let flag = self.flags.get("data").and_then(toml::Value::as_str);
        flag.or_else(|| self.variable("TUNELOCKER_DATA")).map(PathBuf::from)
    }

    /// Where the data folder is when nothing names one.
    fn default_data(&self) -> PathBuf {
        let own = rustix::process::geteuid().as_raw();
        let service = std::fs::metadata(SERVICE_DATA).is_ok_and(|folder| folder.uid() == own);
        if own == 0 || service {
            return SERVICE_DATA.into();
        }
        match (self.variable("XDG_DATA_HOME"), self.variable("HOME")) {
            (Some(share), _) if Path::new(share).is_absolute() => {
                Path::new(share).join("tunelocker")
            }
            (_, Some(home)) => Path::new(home).join(".local/share/tunelocker"),
            _ => SERVICE_DATA.into(),
        }
    }
}

/// The configuration that all sources make together, and the same as TOML text without secrets.
pub fn load(sources: &Sources) -> Result<(Config, String), Invalid> {
    if let Some(name) = sources.garbled.first() {
        return Err(Invalid::new(format!("{name}: its value is not UTF-8")));
    }
    let named = sources.data();
    let data = named.clone().unwrap_or_else(|| sources.default_data());
    let mut merged = match find_file(sources, &data) {
        Some(file) => read_file(&file)?,
        None => toml::Table::new(),
    };
    environment::merge(&mut merged, environment::read(sources.environment.iter().cloned())?);
    environment::merge(&mut merged, sources.flags.clone());
    merged.remove("config");
    let document: Document = serde_path_to_error::deserialize(toml::Value::Table(merged))
        .map_err(|error| Invalid::new(at_key(&error)))?;
    let data = named.or_else(|| document.data().cloned()).unwrap_or(data);
    let data = std::path::absolute(&data).unwrap_or(data);
    let shown = toml::to_string(&document.clone().without_secrets())
        .map_err(|error| Invalid::new(error.to_string()))?;
    let config = document.complete(data)?;
    let head = if shown.starts_with("data = ") {
        String::new()
    } else {
        format!("data = {}\n", toml::Value::from(config.data.to_string_lossy().into_owned()))
    };
    Ok((config, head + &shown))
}

/// A file that was asked for must be there; the others are taken if they are.
fn find_file(sources: &Sources, data: &Path) -> Option<PathBuf> {
    let named =
        sources.file.clone().or_else(|| sources.variable("TUNELOCKER_CONFIG").map(PathBuf::from));
    named.or_else(|| {
        let own = data.join("tunelocker.toml");
        // One that is there but cannot be read is told by whoever reads it.
        let is_there =
            |path: &PathBuf| !path.symlink_metadata().is_err_and(|error| is_nowhere(&error));
        [own, SYSTEM_FILE.into()].into_iter().find(is_there)
    })
}

fn read_file(path: &Path) -> Result<toml::Table, Invalid> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Invalid::new(format!("cannot read {}: {error}", path.display())))?;
    let at_line = |error: &toml::de::Error, said: &str| {
        let line = error.span().map_or(1, |span| {
            1 + text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count()
        });
        Invalid::new(format!("{}, line {line}: {said}", path.display()))
    };
    // As a table, so that the environment can be laid over it; as the whole document before, for
    // the line and the key of what is wrong.
    let broken = |error: toml::de::Error| at_line(&error, error.message());
    let table = text.parse::<toml::Table>().map_err(broken)?;
    let whole = toml::Deserializer::parse(&text).map_err(broken)?;
    serde_path_to_error::deserialize::<_, Document>(whole)
        .map_err(|error| at_line(error.inner(), &at_key(&error)))?;
    Ok(table)
}

/// What is wrong, with the key that it stands under.
fn at_key(error: &serde_path_to_error::Error<toml::de::Error>) -> String {
    match error.path().iter().next() {
        Some(_) => format!("{}: {}", error.path(), error.inner().message()),
        None => error.inner().message().to_owned(),
    }
}

#[cfg(test)]
mod tests;
