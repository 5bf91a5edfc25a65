//! The other end: brings a folder of this machine to a locker of a server somewhere, and a locker
//! back to a folder. What the server has is not sent; what broke off goes on where it was. Speaks
//! to the address that its user names, on the LAN or not; knows nothing of the server's inside.

mod bandwidth;
mod bytes;
mod hashing;
mod local;
mod progress;
mod pull;
mod push;
mod remote;
mod report;
mod rounds;
mod secret;
mod send;
mod state;
mod watch;

use std::path::PathBuf;

pub use bandwidth::{Rate, parse_rate};
pub use pull::pull;
pub use push::sync;
pub use report::{Outcome, Report};
pub use secret::{SecretFrom, forget_secret};

/// Where, as whom, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder here.
    pub folder: PathBuf,
    /// The server: `https://box`, with a path if it is behind one.
    pub server: String,
    /// Login name.
    pub user: String,
    /// Where the secret comes from: login password or app password.
    pub secret: SecretFrom,
    /// Keep the secret for the next time.
    pub remember: bool,
    /// `me`, `household`, an id, or OWNER/FOLDER for a folder that somebody shares.
    pub locker: String,
    /// The folder of that place; '' is all of it.
    pub path: String,
    /// Go on until stopped, and bring what changes.
    pub watch: bool,
    /// Bytes a second at most.
    pub rate: Option<Rate>,
    /// Say what would be done.
    pub dry_run: bool,
    /// A line for each file.
    pub report: Option<PathBuf>,
    /// Where this keeps what it knows of files [default: the user's state folder].
    pub state: Option<PathBuf>,
    /// Files on their way at once.
    pub jobs: usize,
}

/// Why nothing, or not everything, was done. Texts are sentences for people.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The server said no; the kind is a word for programs.
    #[error("{detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's type.
        kind: String,
        /// For people.
        detail: String,
        /// Seconds to wait, where it said.
        retry_after: Option<u64>,
    },
    /// No connection, or one that broke.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// It answers, but not as this server does.
    #[error("that address does not answer as Tunelocker does: {0}")]
    Strange(String),
    /// Something here.
    #[error("{0}")]
    Here(String),
}

impl Fault {
    /// Whether trying again may help.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 423 | 429 | 500 | 502..=504),
            Self::Strange(_) | Self::Here(_) => false,
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Here(error.to_string())
    }
}

/// What came of all of it.
pub type Result<T, E = Fault> = std::result::Result<T, E>;
