//! `TUNELOCKER_*`: the environment as a document. `lan.listen` is `TUNELOCKER_LAN_LISTEN`.

use super::{Invalid, document::Document};

pub(super) const PREFIX: &str = "TUNELOCKER_";

/// How the text of a variable becomes a value.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Switch,
    /// Values between commas.
    List,
    /// Numbers between commas.
    Numbers,
    /// `NAME=PATH` between commas.
    Pairs,
    /// `NAME=on` or `NAME=off` between commas.
    Switches,
}

/// Every key that can come from the environment.
const KEYS: &[(&str, Kind)] = &[
    ("data", Kind::Text),
    ("drive", Kind::Text),
    ("listen", Kind::Text),
    ("libraries", Kind::Pairs),
    ("lends", Kind::Switches),
    ("lan.enabled", Kind::Switch),
    ("lan.listen", Kind::Text),
    ("lan.interfaces", Kind::List),
    ("http.public_url", Kind::Text),
    ("http.trusted_proxies", Kind::List),
    ("tls.cert", Kind::Text),
    ("tls.key", Kind::Text),
    ("subsonic.login_password", Kind::Text),
    ("subsonic.legacy_xml", Kind::List),
    ("ingest.artist_separators", Kind::List),
    ("ingest.genre_separators", Kind::List),
    ("ingest.exceptions", Kind::List),
    ("ingest.sweep_seconds", Kind::Number),
    ("analysis.enabled", Kind::Switch),
    ("analysis.hours", Kind::Text),
    ("analysis.workers", Kind::Number),
    ("playback.cache_bytes", Kind::Number),
    ("playback.transcodes", Kind::Number),
    ("playback.transcodes_per_user", Kind::Number),
    ("playback.queue_seconds", Kind::Number),
    ("jukebox.output", Kind::Text),
    ("egress.allow", Kind::List),
    ("egress.ports", Kind::Numbers),
    ("outside.forbid", Kind::List),
    ("outside.lastfm_url", Kind::Text),
    ("outside.lastfm_sign_in_url", Kind::Text),
    ("outside.listenbrainz_url", Kind::Text),
    ("outside.musicbrainz_url", Kind::Text),
    ("outside.wikidata_url", Kind::Text),
    ("outside.wikipedia_url", Kind::Text),
    ("notices.smtp_server", Kind::Text),
    ("notices.smtp_port", Kind::Number),
    ("notices.smtp_security", Kind::Text),
    ("notices.smtp_user", Kind::Text),
    ("notices.smtp_password", Kind::Text),
    ("notices.smtp_password_file", Kind::Text),
    ("notices.smtp_certificate_file", Kind::Text),
    ("notices.from", Kind::Text),
    ("notices.webhook", Kind::Text),
    ("notices.webhook_secret", Kind::Text),
    ("notices.webhook_secret_file", Kind::Text),
    ("workers.daemon", Kind::Text),
    ("workers.decoder", Kind::Text),
    ("workers.sandbox", Kind::Text),
    ("log.format", Kind::Text),
    ("log.level", Kind::Text),
    ("admin.user", Kind::Text),
    ("admin.password", Kind::Text),
    ("admin.password_file", Kind::Text),
];

/// What the environment sets, in the shape of the file. `TUNELOCKER_CONFIG` is not a key: it says
/// where the file is; nor is `TUNELOCKER_SECRET`, which `sync` and `pull` sign in with.
pub(super) fn read(
    variables: impl Iterator<Item = (String, String)>,
) -> Result<toml::Table, Invalid> {
    let mut merged = toml::Table::new();
    for (name, text) in variables {
        if !name.starts_with(PREFIX) || matches!(&*name, "TUNELOCKER_CONFIG" | "TUNELOCKER_SECRET")
        {
            continue;
        }
        let Some((path, kind)) = KEYS.iter().find(|(path, _)| variable(path) == name) else {
            return Err(Invalid::new(format!("{name}: there is no such setting")));
        };
        let value = parse(*kind, &text)
            .ok_or_else(|| Invalid::new(format!("{name}: {text:?} is not understood")))?;
        let table = nest(path, value);
        // Alone first, so that a wrong value is told with the variable that it stands in. The
        // text is left out: it may be a secret.
        table
            .clone()
            .try_into::<Document>()
            .map_err(|error| Invalid::new(format!("{name}: {}", error.message())))?;
        merge(&mut merged, table);
    }
    Ok(merged)
}

/// Puts `over` on top of `under`, key by key.
pub(super) fn merge(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// `lan.listen` and a value as the table that the file would hold.
pub(super) fn nest(path: &str, value: toml::Value) -> toml::Table {
    let mut table = toml::Table::new();
    match path.split_once('.') {
        None => table.insert(path.to_owned(), value),
        Some((section, key)) => table.insert(section.to_owned(), nest(key, value).into()),
    };
    table
}

fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_uppercase())
}

fn parse(kind: Kind, text: &str) -> Option<toml::Value> {
    let items = || text.split(',').filter(|item| !item.is_empty());
    Some(match kind {
        Kind::Text => text.into(),
        Kind::Number => text.trim().parse::<i64>().ok()?.into(),
        Kind::Switch => switch(text)?.into(),
        Kind::List => items().map(toml::Value::from).collect::<Vec<_>>().into(),
        Kind::Numbers => items()
            .map(|item| item.trim().parse::<i64>().ok().map(toml::Value::from))
            .collect::<Option<Vec<_>>>()?
            .into(),
        Kind::Pairs => items()
            .map(|item| {
                let (name, path) = item.split_once('=')?;
                Some((name.trim().to_owned(), path.trim().into()))
            })
            .collect::<Option<toml::Table>>()?
            .into(),
        Kind::Switches => items()
            .map(|item| {
                let (name, text) = item.split_once('=')?;
                Some((name.trim().to_owned(), switch(text)?.into()))
            })
            .collect::<Option<toml::Table>>()?
            .into(),
    })
}

fn switch(text: &str) -> Option<bool> {
    match text.trim() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
