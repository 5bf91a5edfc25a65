//! What to type into an app: addresses, also as QR codes.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use serde::Deserialize;
use serde_json::json;

use super::caller::Caller;
use crate::web::{
    Handles,
    addresses::{addresses, is_here_only},
    failure::Answer,
    qr,
    query::Query,
};

/// What the code says.
#[derive(Deserialize)]
pub(super) struct Wanted {
    text: String,
}

/// GET /addresses
pub(super) async fn list(request: HttpRequest, _: Caller, of: Data<Handles>) -> Answer {
    let urls = addresses(&request, &of.site);
    let shown: Vec<_> = urls.iter().map(|url| json!({ "url": url })).collect();
    let here_only = urls.iter().all(|url| is_here_only(url));
    Ok(HttpResponse::Ok().json(json!({ "addresses": shown, "hereOnly": here_only })))
}

/// GET /qr
pub(super) async fn code(_: Caller, query: Query<Wanted>) -> Answer {
    let image = qr::svg(&query.text)?;
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header((header::CACHE_CONTROL, "private, max-age=3600"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .body(image))
}
