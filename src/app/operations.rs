//! `/health` and `/metrics`: for whoever looks after the server, not for people.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::{Data, ServiceConfig},
};

use crate::{
    http::read,
    ingest::Ingest,
    ops::{
        health::Health,
        metrics::{MEDIA_TYPE, Metrics, Snapshot},
    },
};

/// Adds the routes.
pub(super) fn configure(
    routes: &mut ServiceConfig,
    health: &Health,
    metrics: &Metrics,
    ingest: &Ingest,
) {
    let (metrics, ingest) = (metrics.clone(), ingest.clone());
    routes.app_data(Data::new(health.clone())).route("/health", read().to(report)).route(
        "/metrics",
        read().to(move || {
            let (metrics, ingest) = (metrics.clone(), ingest.clone());
            async move { figures(&metrics, &ingest) }
        }),
    );
}

async fn report(health: Data<Health>) -> HttpResponse {
    let report = health.report().await;
    let mut answer =
        if report.serves() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.insert_header((CACHE_CONTROL, "no-store")).json(report)
}

fn figures(metrics: &Metrics, ingest: &Ingest) -> HttpResponse {
    let scan = ingest.status();
    let text = metrics.text(Snapshot { is_scanning: scan.is_scanning, files: scan.files });
    HttpResponse::Ok().insert_header((CONTENT_TYPE, MEDIA_TYPE)).body(text)
}
