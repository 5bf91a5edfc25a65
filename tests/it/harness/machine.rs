//! What the machine can do, and what is said when it cannot.

use std::{fs::OpenOptions, io::Write as _, path::Path};

/// Says why a test could not run; in CI that fails unless it is a known reason.
pub(crate) fn skip(reason: &str) {
    eprintln!("SKIP {reason}");
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache");
    let log = OpenOptions::new().append(true).create(true).open(cache.join("skips.log"));
    if let Ok(mut log) = log {
        let _ = writeln!(log, "SKIP {reason}");
    }
}

/// Whether a program is installed; if not, that is said in the log of skips.
pub(crate) fn has(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(program).exists());
    if !found {
        skip(&format!("{program} is not installed"));
    }
    found
}
