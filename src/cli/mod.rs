//! The command line: one file a subcommand.

/// Runs the command line of this process to its exit code.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
