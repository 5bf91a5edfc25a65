//! The command line: one file a subcommand.

/// Runs the command line of this process to its exit code.
#[must_use]
pub fn main() -> std::process::ExitCode {
    // Before anything else starts: a worker is small and confines itself at once.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "worker") {
        return crate::media::worker::serve(&arguments.collect::<Vec<_>>());
    }
    std::process::ExitCode::SUCCESS
}
