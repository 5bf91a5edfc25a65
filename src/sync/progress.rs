//! What people see meanwhile, on standard error if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// One bar of bytes.
#[derive(Debug, Clone)]
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// For so many bytes.
    pub(super) fn new(name: &'static str, bytes: u64) -> Self {
        let bar = ProgressBar::new(bytes);
        let template =
            "{prefix:>9} {bar:30} {bytes:>10} of {total_bytes:10} {bytes_per_sec:>12} {eta:>5}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(super) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        // Clones share the bar; whoever ends first clears it, and nothing is lost by that.
        self.0.finish_and_clear();
    }
}
