//! What `serve` would refuse of a configuration and no type can say: names and passwords, and files
//! that must make sense together. `check` asks the same.

use super::tls::Certificate;
use crate::{
    accounts,
    config::{Config, Invalid},
};

/// Refuses, with the key in the sentence, what the daemon could not start with.
pub fn vet(config: &Config) -> Result<(), Invalid> {
    if let Some(files) = &config.tls {
        Certificate::load(files).map_err(|error| Invalid::new(format!("{error:#}")))?;
    }
    if let Some((name, password)) = &config.first_admin {
        accounts::check_name(name)
            .map_err(|error| Invalid::new(format!("admin.user: {error}: {name:?}")))?;
        accounts::check_password(password)
            .map_err(|error| Invalid::new(format!("admin.password: {error}")))?;
    }
    Ok(())
}
