//! Subsonic 1.16.1 and OpenSubsonic under `/rest`.

use actix_web::web::ServiceConfig;

use crate::{accounts::Accounts, catalog::Catalog};

/// Adds the routes.
pub fn configure(routes: &mut ServiceConfig, accounts: &Accounts, catalog: &Catalog) {
    let _ = (routes, accounts, catalog);
}
