//! Logs to standard error: text for people, or one JSON object a line.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging for this process; a second call changes nothing.
pub fn start(log: &Log) {
    // The HTTP server's own news of starting threads is noise unless somebody asks for it.
    let level = format!("actix_server=warn,{}", log.level);
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would say so on standard error, and panic where nobody reads that any more: the task
        // that wrote the line, such as the one that stops the server, would be gone.
        .log_internal_errors(false);
    let _ = match log.format {
        LogFormat::Human => {
            builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
