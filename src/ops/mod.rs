//! Running: signals, sd_notify, logs, metrics, health.
