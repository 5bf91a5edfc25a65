//! `sync` and `pull`: the other end of a server somewhere. They touch no data folder and no
//! configuration of this machine.

use std::path::PathBuf;

use clap::Args;

use super::{failure::Failure, print};
use crate::{
    app,
    sync::{self, Options, Rate, Report, SecretFrom},
};

/// What both take.
#[derive(Debug, Args)]
pub(super) struct Way {
    /// Login name
    #[arg(long = "as", value_name = "NAME")]
    user: String,
    /// Read the secret (login password or app password) from a file
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Read the secret from standard input
    #[arg(long, conflicts_with = "secret_file")]
    secret_stdin: bool,
    /// Keep the secret for the next time, readable by you alone
    #[arg(long)]
    remember: bool,
    /// Which place: me, household, OWNER/FOLDER for a folder that somebody shares, or an id
    #[arg(long, visible_aliases = ["into", "out-of"], value_name = "PLACE", default_value = "me")]
    locker: String,
    /// A folder of that place [default: all of it]
    #[arg(long, value_name = "FOLDER", default_value = "", hide_default_value = true)]
    path: String,
    /// Bytes a second at most, as 500k or 2M
    #[arg(long, value_name = "RATE", value_parser = sync::parse_rate)]
    bwlimit: Option<Rate>,
    /// Say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Write a line for each file: path, result, bytes, reason
    #[arg(long, value_name = "OUT.CSV")]
    report: Option<PathBuf>,
    /// Files on their way at once
    #[arg(long, value_name = "N", default_value = "4", value_parser = jobs)]
    jobs: usize,
    /// Where to keep what is known of files [default: the user's state folder]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Push {
    /// The folder to bring
    folder: PathBuf,
    /// The server
    #[arg(long = "to", value_name = "URL")]
    server: String,
    #[command(flatten)]
    way: Way,
    /// Go on, and bring what changes
    #[arg(long, conflicts_with = "dry_run")]
    watch: bool,
}

#[derive(Debug, Args)]
pub(super) struct Pull {
    /// The folder to fill
    folder: PathBuf,
    /// The server
    #[arg(long = "from", value_name = "URL")]
    server: String,
    #[command(flatten)]
    way: Way,
}

/// Brings a folder to a locker.
pub(super) fn push(push: Push, is_json: bool) -> Result<(), Failure> {
    let Push { folder, server, way, watch } = push;
    let options = way.options(folder, server, watch);
    let told = |report: &Report| {
        if watch {
            say(report, is_json);
        }
    };
    let report = app::block_on(sync::sync(&options, stopped(), told))?;
    if watch { Ok(()) } else { end(&report, is_json) }
}

/// Brings a locker to a folder.
pub(super) fn pull(pull: Pull, is_json: bool) -> Result<(), Failure> {
    let Pull { folder, server, way } = pull;
    let report = app::block_on(sync::pull(&way.options(folder, server, false)))?;
    end(&report, is_json)
}

impl Way {
    fn options(self, folder: PathBuf, server: String, watch: bool) -> Options {
        let secret = match (self.secret_file, self.secret_stdin) {
            (Some(path), _) => SecretFrom::File(path),
            (None, true) => SecretFrom::StandardInput,
            (None, false) => SecretFrom::Anywhere,
        };
        Options {
            folder,
            server,
            user: self.user,
            secret,
            remember: self.remember,
            locker: self.locker,
            path: self.path,
            watch,
            rate: self.bwlimit,
            dry_run: self.dry_run,
            report: self.report,
            state: self.state,
            jobs: self.jobs,
        }
    }
}

/// With none nothing would ever be sent.
fn jobs(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|jobs| (1..=64).contains(jobs)).ok_or_else(|| "1 to 64".to_owned())
}

/// The sums; failed if a file was refused.
fn end(report: &Report, is_json: bool) -> Result<(), Failure> {
    say(report, is_json);
    let (refused, _) = report.count("refused");
    if refused == 0 {
        return Ok(());
    }
    Err(Failure::said(format!(
        "{refused} files were refused; --report OUT.CSV tells which and why"
    )))
}

fn say(report: &Report, is_json: bool) {
    if is_json {
        print::line(&report.json().to_string());
        return;
    }
    print::line(&report.sentence());
    for (path, _, outcome) in &report.files {
        if let sync::Outcome::Refused(reason) = outcome {
            eprintln!("refused: {path}: {reason}");
        }
    }
}

/// SIGINT or SIGTERM.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => (),
        _ = terminate.recv() => (),
    }
}

impl From<sync::Fault> for Failure {
    fn from(fault: sync::Fault) -> Self {
        Self::new(fault.to_string())
    }
}
