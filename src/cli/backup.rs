//! `backup` and `restore`. A backup is made by the server that runs, as its own user; a snapshot
//! is brought back without one.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{failure::Failure, print, request::Request};
use crate::{
    app, clock,
    config::Config,
    ops::{
        backup::{self, Choice, Snapshot},
        lock::{Attempt, DataLock},
    },
};

/// What `backup` can be told.
#[derive(Debug, Args)]
pub(super) struct Taking {
    /// The backup folder: empty at first, then the same each time. Better on another disk
    folder: PathBuf,
    /// Only the database and the keys
    #[arg(long)]
    without_files: bool,
    /// Forget all but the last so many snapshots
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Read every file again, even if its size and time did not change
    #[arg(long)]
    read_all: bool,
    /// Read it back afterwards
    #[arg(long)]
    verify: bool,
}

impl Taking {
    pub(super) fn into_request(self) -> Result<Request, Failure> {
        Ok(Request::Backup(Wanted {
            folder: std::path::absolute(self.folder)?,
            has_files: !self.without_files,
            reads_all: self.read_all,
            verifies: self.verify,
            keep: self.keep,
        }))
    }
}

/// The same as it crosses the control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Wanted {
    folder: PathBuf,
    has_files: bool,
    reads_all: bool,
    verifies: bool,
    keep: Option<u32>,
}

impl From<Wanted> for Choice {
    fn from(wanted: Wanted) -> Self {
        let Wanted { folder, has_files, reads_all, verifies, keep } = wanted;
        Self { folder, has_files, reads_all, verifies, keep }
    }
}

/// What `restore` can be told.
#[derive(Debug, Args)]
pub(super) struct Bringing {
    /// The backup folder
    folder: PathBuf,
    /// Where the lockers go [default: DATA]
    #[arg(long, value_name = "DIR")]
    pub(super) drive: Option<PathBuf>,
    /// Which snapshot [default: the last]
    #[arg(long, value_name = "NAME")]
    snapshot: Option<String>,
    /// Only say which snapshots there are
    #[arg(long, conflicts_with_all = ["snapshot", "check", "despite_damage"])]
    list: bool,
    /// Only read it and say what is missing or damaged
    #[arg(long, conflicts_with = "despite_damage")]
    check: bool,
    /// Go on without the files that are damaged in the backup
    #[arg(long)]
    despite_damage: bool,
}

/// Brings a snapshot back, or looks at it.
pub(super) fn restore(bringing: &Bringing, config: &Config, is_json: bool) -> Result<(), Failure> {
    if bringing.list {
        let all = backup::snapshots(&bringing.folder)?;
        print::snapshots(&all, is_json)?;
        return Ok(());
    }
    let name = bringing.snapshot.as_deref();
    let (snapshot, files, damaged) = app::block_on(async {
        if bringing.check {
            let (snapshot, damaged) = backup::verify(&bringing.folder, name).await?;
            return Ok::<_, Failure>((snapshot, None, damaged));
        }
        let Attempt::Taken(_lock) = DataLock::attempt(&config.data)? else {
            return Err(Failure::new(format!(
                "a server runs over {}; restore into another folder",
                config.data.display()
            )));
        };
        let (folder, despite) = (&bringing.folder, bringing.despite_damage);
        let done = backup::restore(folder, name, &config.data, &config.drive, despite).await?;
        Ok((done.snapshot, Some(done.files), done.damaged))
    })?;
    if is_json {
        let value = json!({ "snapshot": snapshot.name, "files": files, "damaged": damaged });
        print::line(&value.to_string());
    } else {
        for path in &damaged {
            print::line(&format!("damaged: {path}"));
        }
        let taken = clock::iso(snapshot.taken_at);
        match files {
            None => print::line(&format!("snapshot {} of {taken} was read", snapshot.name)),
            Some(files) => print::line(&format!("{files} files as they were on {taken}")),
        }
    }
    let left_out = bringing.check || !bringing.despite_damage;
    if damaged.is_empty() || !left_out {
        return Ok(());
    }
    let count = damaged.len();
    let what = if bringing.check {
        ""
    } else {
        "; the database was left out: restore another snapshot, or this one with --despite-damage into empty folders"
    };
    Err(Failure::said(format!("{count} files are missing or damaged in the backup{what}")))
}

/// A snapshot for scripts.
pub(super) fn object(snapshot: &Snapshot) -> serde_json::Value {
    json!({
        "snapshot": snapshot.name,
        "takenAt": clock::iso(snapshot.taken_at),
        "version": snapshot.version,
        "hasFiles": snapshot.has_files,
        "files": snapshot.files,
        "bytes": snapshot.bytes,
        "newBytes": snapshot.new_bytes,
        "skipped": snapshot.skipped,
    })
}
