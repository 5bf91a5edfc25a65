//! The daemon and its command line. Thin: everything is in the library.

fn main() -> std::process::ExitCode {
    tunelocker::cli::main()
}
