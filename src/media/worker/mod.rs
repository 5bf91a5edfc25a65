//! The process boundary: untrusted bytes are understood in processes of the daemon's own program
//! (`tunelocker worker`) that hold nothing but the descriptors they were passed.

pub mod sandbox;
pub mod selftest;

use std::process::ExitCode;

/// Runs this process as a worker until its parent closes the socket on standard input.
/// `arguments` are those after `worker`; `--selftest` tries to break out instead.
#[must_use]
pub fn serve(arguments: &[std::ffi::OsString]) -> ExitCode {
    if arguments.iter().any(|argument| argument == "--selftest") {
        return selftest::run(sandbox::Profile::Tags);
    }
    ExitCode::FAILURE
}
