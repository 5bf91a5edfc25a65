//! The secret that a sync signs in with. Never from the command line, where every user of the
//! machine can read it: from a file, from standard input, from the environment, or kept.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use super::{Fault, Result};

/// The environment's name for it.
const VARIABLE: &str = "TUNELOCKER_SECRET";

/// Where the secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretFrom {
    /// The first line of a file.
    File(PathBuf),
    /// The first line of standard input.
    StandardInput,
    /// `TUNELOCKER_SECRET`, else what was kept.
    Anywhere,
}

/// Gets it.
pub(super) fn get(from: &SecretFrom, server: &str, user: &str) -> Result<String> {
    let text = match from {
        SecretFrom::File(path) => fs::read_to_string(path)
            .map_err(|error| Fault::Here(format!("{} cannot be read: {error}", path.display())))?,
        SecretFrom::StandardInput => {
            let mut text = String::new();
            std::io::stdin().take(64 * 1024).read_to_string(&mut text)?;
            text
        }
        SecretFrom::Anywhere => match std::env::var(VARIABLE) {
            Ok(secret) => secret,
            Err(_) => kept()?.remove(&key(server, user)).unwrap_or_default(),
        },
    };
    match text.lines().next().map(str::trim) {
        Some(secret) if !secret.is_empty() => Ok(secret.to_owned()),
        _ => Err(Fault::Here(format!(
            "there is no secret for {user}: say --secret-file FILE or --secret-stdin, set {VARIABLE}, or sign in once with --remember"
        ))),
    }
}

/// Keeps it for the next time, for this user of the machine only.
pub(super) fn keep(server: &str, user: &str, secret: &str) -> Result<()> {
    let mut all = kept()?;
    if all.get(&key(server, user)).map(String::as_str) == Some(secret) {
        return Ok(());
    }
    all.insert(key(server, user), secret.to_owned());
    write(&all)
}

/// Forgets what was kept; whether anything was.
pub fn forget_secret(server: &str, user: &str) -> Result<bool> {
    let mut all = kept()?;
    let was_there = all.remove(&key(server, user)).is_some();
    if was_there {
        write(&all)?;
    }
    Ok(was_there)
}

fn write(all: &BTreeMap<String, String>) -> Result<()> {
    let path = place()?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let text = serde_json::to_vec_pretty(all).map_err(|error| Fault::Here(error.to_string()))?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(new, path)?;
    Ok(())
}

fn kept() -> Result<BTreeMap<String, String>> {
    let path = place()?;
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map_err(|error| Fault::Here(format!("{} is damaged: {error}", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

fn key(server: &str, user: &str) -> String {
    format!("{user} at {}", server.trim_end_matches('/'))
}

fn place() -> Result<PathBuf> {
    let of =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("XDG_CONFIG_HOME")
        .or_else(|| Some(of("HOME")?.join(".config")))
        .map(|folder| folder.join("tunelocker/secrets.json"))
        .ok_or_else(|| Fault::Here("there is no home folder to keep secrets in".to_owned()))
}
