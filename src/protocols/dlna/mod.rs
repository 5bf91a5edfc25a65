//! UPnP AV MediaServer:1 with DLNA's additions, on the LAN listener alone.

use actix_web::web::ServiceConfig;

use crate::{accounts::Accounts, catalog::Catalog};

/// Adds the routes of the LAN listener.
pub fn configure(routes: &mut ServiceConfig, accounts: &Accounts, catalog: &Catalog) {
    let _ = (routes, accounts, catalog);
}
