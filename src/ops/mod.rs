//! Running: signals and `sd_notify`, the lock on the data folder, logs, metrics, health, backups. Knows
//! nothing of music and of no face; `app` gives health and metrics their routes.

pub mod backup;
pub mod database;
pub mod filesystem;
pub mod health;
pub mod lifecycle;
pub mod lock;
pub mod logs;
pub mod memory;
pub mod metrics;
pub mod port_holder;
