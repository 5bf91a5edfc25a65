//! How a command fails: a sentence on standard error and an exit code.

use std::process::ExitCode;

use crate::{Error, config::Invalid, db::NewerSchema};

/// `EX_CONFIG` of sysexits.
const CONFIGURATION: u8 = 78;

/// Why a command did not do its work.
#[derive(Debug)]
pub(super) struct Failure {
    sentence: String,
    code: u8,
    /// Standard output holds the result already.
    is_said: bool,
}

impl Failure {
    /// With exit code 1; without a sentence where all was said.
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), code: 1, is_said: false }
    }

    /// After a result that tells of it: standard output gets no second object.
    pub(super) fn said(sentence: impl Into<String>) -> Self {
        Self { is_said: true, ..Self::new(sentence) }
    }

    /// Says it and gives the exit code. With `--json` it is an object on standard output too.
    pub(super) fn report(&self, is_json: bool) -> ExitCode {
        if self.sentence.is_empty() {
            return self.code.into();
        }
        if is_json && !self.is_said {
            super::print::line(&serde_json::json!({ "error": self.sentence }).to_string());
        }
        eprintln!("tunelocker: {}", self.sentence);
        self.code.into()
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self { code: CONFIGURATION, ..Self::new(invalid.to_string()) }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let is_newer = error.chain().any(<dyn std::error::Error>::is::<NewerSchema>);
        let code = if is_newer { CONFIGURATION } else { 1 };
        Self { code, ..Self::new(format!("{error:#}")) }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(sentence(&error))
    }
}

/// What the operator reads, who unlike a client may know the inside.
pub(super) fn sentence(error: &Error) -> String {
    match error {
        Error::Internal(source) => format!("{error}: {source:#}"),
        other => other.to_string(),
    }
}
