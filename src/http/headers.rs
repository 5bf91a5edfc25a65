//! Headers that every answer of every face carries. Pages add their own Content-Security-Policy.

use actix_web::{http::header, middleware::DefaultHeaders};

/// No guessing of types, no addresses (which hold secrets in Subsonic) sent onwards, no framing.
#[must_use]
pub fn security() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::X_FRAME_OPTIONS, "DENY"))
}
