//! The face for people: the JSON API, the panel's pages and their assets.

use actix_web::web::ServiceConfig;

use crate::{accounts::Accounts, catalog::Catalog, drive::Drive};

/// Adds the routes.
pub fn configure(
    routes: &mut ServiceConfig,
    accounts: &Accounts,
    catalog: &Catalog,
    drive: &Drive,
) {
    let _ = (routes, accounts, catalog, drive);
}
