//! What the API is, for programs that write programs: an OpenAPI 3.1 document. It is kept by hand,
//! and a test holds it against the routes.

use actix_web::{HttpResponse, http::header};

const DOCUMENT: &str = include_str!("openapi.json");

/// GET /openapi.json; no secret is in it, so that tools can read it.
pub(super) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type("application/json")
        .body(DOCUMENT)
}
