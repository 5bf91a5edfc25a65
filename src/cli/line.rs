//! The syntax, as clap reads it.

use std::{io::Read as _, net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use super::{
    backup, carry,
    failure::Failure,
    import::Import,
    request::{Quota, Request},
    room::{Deliver, Grant},
};
use crate::{accounts::Role, config::Sources};

/// A household's own music locker: drive, player, Subsonic, DLNA and web in one daemon.
#[derive(Debug, Parser)]
#[command(name = "tunelocker", version, arg_required_else_help = true)]
pub(super) struct CommandLine {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// Folder of database, keys and cache [default: $TUNELOCKER_DATA, else /var/lib/tunelocker or
    /// the user's data folder]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// Configuration file [default: DATA/tunelocker.toml, else /etc/tunelocker.toml]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl Common {
    /// Settings before a subcommand's own flags.
    pub(super) fn sources(&self) -> Sources {
        let mut sources = Sources::of_this_process();
        sources.file.clone_from(&self.config);
        if let Some(data) = &self.data {
            sources.flag("data", text(data));
        }
        sources
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server
    Serve(Choices),
    /// Manage users
    #[command(subcommand)]
    User(User),
    /// Manage plans
    #[command(subcommand)]
    Plan(Plan),
    /// Give users more room for a while
    #[command(subcommand)]
    Grant(Grant),
    /// Hand files over to a user, as a purchase that does not count
    Deliver(Deliver),
    /// Look for new and changed music
    Scan {
        /// Read every file again
        #[arg(long)]
        full: bool,
        /// Return when it is done
        #[arg(long)]
        wait: bool,
    },
    /// Bring a folder of this machine to a locker of a server; what is there is not sent
    Sync(carry::Push),
    /// Bring a locker of a server to a folder of this machine
    Pull(carry::Pull),
    /// Check that disk, figures and ledger tell the same; exits with 1 if they do not
    Doctor {
        /// Make rows fit the disk and figures the rows; no file is deleted
        #[arg(long)]
        repair: bool,
        /// Read every file of lockers, trash and versions, and compare it with what was stored
        #[arg(long)]
        read_data: bool,
    },
    /// Copy everything that exists nowhere else to a backup folder; the server goes on meanwhile
    Backup(backup::Taking),
    /// Bring a backup back into empty folders
    Restore(backup::Bringing),
    /// Bring people's stars, ratings, plays and playlists along from another server
    Import(Import),
    /// Validate the configuration and print it with secrets hidden
    Check(Choices),
    /// Write the demo library
    #[command(hide = true)]
    Demo { folder: PathBuf },
    /// Write the rows of a library that is not there
    #[command(hide = true)]
    Rows { tracks: u64, library: PathBuf },
    /// The address for people in a ready line
    #[command(hide = true)]
    Address { ready: String },
}

/// What `serve` can be told besides the configuration file.
#[derive(Debug, Args)]
pub(super) struct Choices {
    /// Folder of lockers, trash and uploads in flight [default: DATA]
    #[arg(long, value_name = "DIR")]
    drive: Option<PathBuf>,
    /// A folder of music to watch; can be repeated
    #[arg(long = "library", value_name = "NAME=PATH", value_parser = library)]
    libraries: Vec<(String, PathBuf)>,
    /// Where the public listener binds [default: 0.0.0.0:4040]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Where the LAN listener (DLNA) binds [default: 0.0.0.0:4041]
    #[arg(long, value_name = "ADDR:PORT", conflicts_with = "no_lan")]
    lan_listen: Option<SocketAddr>,
    /// An interface to announce on; can be repeated [default: all]
    #[arg(long = "lan-interface", value_name = "NAME", conflicts_with = "no_lan")]
    lan_interfaces: Vec<String>,
    /// Offer nothing on the local network
    #[arg(long)]
    no_lan: bool,
}

impl Choices {
    /// Lays the flags over the other settings.
    pub(super) fn apply(self, sources: &mut Sources) {
        if let Some(drive) = &self.drive {
            sources.flag("drive", text(drive));
        }
        let libraries: toml::Table =
            self.libraries.iter().map(|(name, path)| (name.clone(), text(path).into())).collect();
        if !libraries.is_empty() {
            sources.flag("libraries", libraries);
        }
        if let Some(listen) = self.listen {
            sources.flag("listen", listen.to_string());
        }
        if let Some(listen) = self.lan_listen {
            sources.flag("lan.listen", listen.to_string());
        }
        if !self.lan_interfaces.is_empty() {
            sources.flag("lan.interfaces", self.lan_interfaces);
        }
        if self.no_lan {
            sources.flag("lan.enabled", false);
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make a user
    Add {
        name: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
        #[arg(long, default_value = "user", value_parser = role)]
        role: Role,
        /// Plan [default: as the server was set up]
        #[arg(long)]
        plan: Option<String>,
    },
    /// List users
    List,
    /// Remove a user; the locker is put away, not deleted
    Remove {
        name: String,
        /// Delete all files of the locker, for good
        #[arg(long)]
        delete_files: bool,
    },
    /// Put a user on a plan
    SetPlan { name: String, plan: String },
    /// Set a user's login password
    SetPassword {
        name: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Make a password for an app and print it alone on standard output
    AppPassword {
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        label: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Plan {
    /// List plans
    List,
    /// Make or change a plan
    Set {
        name: String,
        /// Bytes, or "unlimited"
        #[arg(long, value_name = "BYTES|unlimited", value_parser = quota)]
        quota: Quota,
        #[arg(long, value_name = "TEXT")]
        label: Option<String>,
    },
    /// Remove a plan that nobody is on
    Remove { name: String },
}

impl Command {
    /// What the server, or this process in its place, is asked to do. Reads passwords.
    pub(super) fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Self::Serve(_)
            | Self::Check(_)
            | Self::Sync(_)
            | Self::Pull(_)
            | Self::Restore(_)
            | Self::Import(_)
            | Self::Demo { .. }
            | Self::Rows { .. }
            | Self::Address { .. } => {
                return Err(Failure::new("this command asks nothing of the server"));
            }
            Self::Grant(grant) => grant.into_request(),
            Self::Deliver(deliver) => deliver.into_request()?,
            Self::Backup(taking) => taking.into_request()?,
            Self::Scan { full, wait } => Request::Scan { full, wait },
            Self::Doctor { repair, read_data } => Request::Doctor { repair, reads: read_data },
            Self::User(User::Add { name, role, plan, .. }) => {
                Request::UserAdd { name, password: password()?, role, plan }
            }
            Self::User(User::List) => Request::UserList,
            Self::User(User::Remove { name, delete_files }) => {
                Request::UserRemove { name, deletes_files: delete_files }
            }
            Self::User(User::SetPlan { name, plan }) => Request::UserSetPlan { name, plan },
            Self::User(User::SetPassword { name, .. }) => {
                Request::UserSetPassword { name, password: password()? }
            }
            Self::User(User::AppPassword { name, label }) => {
                Request::UserAppPassword { name, label }
            }
            Self::Plan(Plan::List) => Request::PlanList,
            Self::Plan(Plan::Set { name, quota, label }) => Request::PlanSet { name, quota, label },
            Self::Plan(Plan::Remove { name }) => Request::PlanRemove { name },
        })
    }
}

/// The first line of standard input.
fn password() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text)?;
    let first = text.lines().next().unwrap_or_default();
    if first.is_empty() {
        return Err(Failure::new("there was no password on standard input"));
    }
    Ok(first.to_owned())
}

fn library(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.trim().is_empty() && !path.is_empty() => {
            let path = std::path::absolute(path).map_err(|error| error.to_string())?;
            Ok((name.trim().to_owned(), path))
        }
        _ => Err("a library is written NAME=PATH".to_owned()),
    }
}

fn role(text: &str) -> Result<Role, String> {
    match text {
        "admin" => Ok(Role::Admin),
        "user" => Ok(Role::User),
        _ => Err("a role is admin or user".to_owned()),
    }
}

fn quota(text: &str) -> Result<Quota, String> {
    match text {
        "unlimited" => Ok(Quota::Unlimited),
        bytes => bytes
            .parse()
            .map(Quota::Bytes)
            .map_err(|_| "a quota is a number of bytes, or unlimited".to_owned()),
    }
}

fn text(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_syntax_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn common_flags_stand_anywhere() {
        for line in ["tunelocker --json user list", "tunelocker user list --json --data /x"] {
            let line = CommandLine::try_parse_from(line.split(' ')).unwrap();
            assert!(line.common.json);
        }
    }

    #[test]
    fn values_are_checked() {
        assert_eq!(library("A=/x=y").unwrap(), ("A".to_owned(), "/x=y".into()));
        assert!(library("/x").is_err() && library("=/x").is_err());
        assert!(quota("-1").is_err() && quota("unlimited").is_ok() && quota("5").is_ok());
    }
}
