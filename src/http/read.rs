//! Routes that are read.

use actix_web::{Route, guard, web};

/// A route for GET and HEAD: whoever may read a page may ask for its headers alone (RFC 9110 9.1).
/// The server leaves the body out by itself.
pub fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
