//! Results on standard output: tables for people, JSON for scripts.

use std::io::Write as _;

use serde_json::{Value, json};

use super::{
    backup,
    failure::Failure,
    request::{Findings, Plan, References, Reply, Scan, User},
    room::{DeliveredRow, GrantRow},
};
use crate::ops::backup::Snapshot;

/// One line. That nobody reads it any more is no failure of the command.
pub(super) fn line(text: &str) {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{text}");
    let _ = output.flush();
}

/// The effective configuration.
pub(super) fn configuration(text: &str, is_json: bool) -> Result<(), Failure> {
    if is_json {
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| Failure::new(error.to_string()))?;
        line(&serde_json::to_string(&table).map_err(crate::Error::from)?);
    } else {
        line(text.trim_end());
    }
    Ok(())
}

/// What a command brought back.
pub(super) fn reply(reply: &Reply, is_json: bool) -> Result<(), Failure> {
    if is_json {
        line(&object(reply).map_err(crate::Error::from)?.to_string());
        return Ok(());
    }
    match reply {
        Reply::Done => (),
        Reply::Secret(secret) => line(secret),
        Reply::Users(users) => table(&["NAME", "ROLE", "PLAN", "CREATED"], users.iter().map(user)),
        Reply::Plans(plans) => table(&["NAME", "QUOTA", "USERS", "LABEL"], plans.iter().map(plan)),
        Reply::Grants(grants) => {
            table(&["ID", "GIVES", "FROM", "UNTIL", "ORIGIN", "REASON"], grants.iter().map(grant));
        }
        Reply::Delivered(items) => {
            table(&["FILE", "STATE"], items.iter().map(item));
            if let Some(link) = items.first().and_then(|item| item.invitation.as_deref()) {
                line(&format!("the new owner chooses a password at {link}"));
            }
        }
        Reply::Backup(taken) => backup_taken(taken),
        // Who asked for it puts it together with the rest.
        Reply::Moved(_) => (),
        Reply::Scan(Scan { scanning: true, .. }) => line("scan started"),
        Reply::Findings(found) => findings(found),
        Reply::Scan(Scan { files, folders, errors, .. }) => {
            let (files, folders) = (counted(*files, "file"), counted(*folders, "folder"));
            line(&format!("{files} in {folders}, {errors} unreadable"));
        }
    }
    Ok(())
}

/// Differences that are named one by one to people.
const MOST_NAMED: usize = 50;

/// Differences, then what is no difference and worth knowing: what points into watched folders.
fn findings(found: &Findings) {
    let Findings { differences, references, abilities, reading } = found;
    differences.iter().take(MOST_NAMED).for_each(|sentence| line(sentence));
    let more = differences.len().saturating_sub(MOST_NAMED);
    if 0 < more {
        line(&format!("{more} more differences; --json names all of them"));
    }
    if let Some(read) = reading {
        read.damaged.iter().for_each(|damage| line(&damage.sentence()));
        let files = counted(read.files, "file");
        line(&format!(
            "{files} of {} bytes were read, {} are damaged",
            read.bytes,
            read.damaged.len()
        ));
        if 0 < read.changed + read.unknown {
            line(&format!(
                "of {} more that other hands changed or brought it is not known what was stored",
                read.changed + read.unknown
            ));
        }
    }
    if found.is_fine() {
        line("everything is in order");
    }
    if let Some(lacking) = abilities.filter(|it| !(it.no_replace && it.exchange && it.links)) {
        line(&format!("the file system of the drive has {}", lacking.sentence()));
    }
    let References { files, kept, bytes, missing } = references;
    if files + kept == 0 {
        return;
    }
    let files = counted(*files, "file");
    line(&format!(
        "{files} of lockers and {kept} in trash and versions point into watched folders: {bytes} bytes are not stored here, {} missing",
        missing.len()
    ));
    missing.iter().for_each(|sentence| line(sentence));
}

/// `1 file`, `2 files`.
fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn backup_taken(taken: &Snapshot) {
    let Snapshot { name, files, bytes, new_bytes, skipped, .. } = taken;
    for why in skipped {
        line(&format!("left out: {why}"));
    }
    let files = counted(*files, "file");
    line(&format!("snapshot {name}: {files} of {bytes} bytes, {new_bytes} of them new"));
}

/// What a backup folder holds.
pub(super) fn snapshots(all: &[Snapshot], is_json: bool) -> Result<(), Failure> {
    if is_json {
        let all: Vec<Value> = all.iter().map(backup::object).collect();
        line(&Value::from(all).to_string());
        return Ok(());
    }
    let row = |one: &Snapshot| {
        let what = if one.has_files { "all" } else { "database" };
        vec![one.name.clone(), what.to_owned(), one.files.to_string(), one.bytes.to_string()]
    };
    table(&["SNAPSHOT", "WHAT", "FILES", "BYTES"], all.iter().map(row));
    Ok(())
}

fn object(reply: &Reply) -> Result<Value, serde_json::Error> {
    Ok(match reply {
        Reply::Done => json!({ "done": true }),
        Reply::Secret(secret) => json!({ "secret": secret }),
        Reply::Users(users) => serde_json::to_value(users)?,
        Reply::Plans(plans) => serde_json::to_value(plans)?,
        Reply::Grants(grants) => serde_json::to_value(grants)?,
        Reply::Delivered(items) => serde_json::to_value(items)?,
        Reply::Scan(scan) => serde_json::to_value(scan)?,
        Reply::Findings(found) => serde_json::to_value(found)?,
        Reply::Backup(taken) => backup::object(taken),
        Reply::Moved(moved) => serde_json::to_value(moved)?,
    })
}

fn user(user: &User) -> Vec<String> {
    let role = match user.role {
        crate::accounts::Role::Admin => "admin",
        crate::accounts::Role::User => "user",
    };
    let role = if user.disabled { format!("{role}, disabled") } else { role.to_owned() };
    vec![user.name.clone(), role, user.plan.clone(), user.created.clone()]
}

fn plan(plan: &Plan) -> Vec<String> {
    let quota = plan.quota.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
    vec![plan.name.clone(), quota, plan.users.to_string(), plan.label.clone()]
}

fn grant(grant: &GrantRow) -> Vec<String> {
    let until = grant.until.clone().unwrap_or_else(|| "for good".to_owned());
    let (id, gives) = (grant.id.clone(), grant.gives.clone());
    let gives = if grant.active { gives } else { format!("{gives} (not now)") };
    vec![id, gives, grant.from.clone(), until, grant.origin.clone(), grant.reason.clone()]
}

fn item(item: &DeliveredRow) -> Vec<String> {
    let state = if item.stored { "stored".to_owned() } else { item.problem.clone() };
    vec![item.path.clone(), state]
}

/// Columns as wide as what stands in them.
pub(super) fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let heads = heads.iter().map(|&head| head.to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    for row in &rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            format!("{cell:<width$}", width = width(column).unwrap_or_default())
        });
        line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}
