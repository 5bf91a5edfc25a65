//! Figures for Prometheus. Labels are few and fixed: no user, no path, no secret.

use std::sync::{Arc, atomic::AtomicU64};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Which listener answered, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    listener: &'static str,
    class: &'static str,
}

/// Every figure. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    answers: Family<Answer, Counter>,
    gauges: Gauges,
}

/// What is looked up when the figures are asked for.
#[derive(Debug, Clone, Default)]
struct Gauges {
    scanning: Gauge,
    files: Gauge,
    resident: Gauge<u64, AtomicU64>,
}

/// Figures that others keep, as they are now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snapshot {
    /// A scan runs.
    pub is_scanning: bool,
    /// Audio files known.
    pub files: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        let (answers, gauges) = (Family::default(), Gauges::default());
        let mut registry = Registry::with_prefix("tunelocker");
        registry.register(
            "http_responses",
            "Answers by listener and status class",
            answers.clone(),
        );
        registry.register("scanning", "Whether a scan runs", gauges.scanning.clone());
        registry.register("audio_files", "Audio files seen by the last scan", gauges.files.clone());
        registry.register(
            "resident_bytes",
            "Memory that the daemon holds",
            gauges.resident.clone(),
        );
        Self { registry: registry.into(), answers, gauges }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, listener: &'static str, status: u16) {
        let class = match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.answers.get_or_create(&Answer { listener, class }).inc();
    }

    /// All figures in the text form of OpenMetrics.
    #[must_use]
    pub fn text(&self, now: Snapshot) -> String {
        self.gauges.scanning.set(now.is_scanning.into());
        self.gauges.files.set(now.files.cast_signed());
        self.gauges.resident.set(resident_bytes());
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Resident memory of this process, from `/proc/self/statm`.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_open_metrics() {
        let metrics = Metrics::default();
        metrics.answered("public", 206);
        let text = metrics.text(Snapshot { is_scanning: true, files: 7 });
        let counted = r#"tunelocker_http_responses_total{listener="public",class="2xx"} 1"#;
        assert!(text.contains(counted), "{text}");
        assert!(text.contains("tunelocker_audio_files 7"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
