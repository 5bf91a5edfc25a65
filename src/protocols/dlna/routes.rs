//! The routes of the LAN listener, a table of contents: description, services, control, events,
//! media, covers.

use std::{borrow::Cow, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    middleware::DefaultHeaders,
    web::{self, Data, Path, Payload, ServiceConfig},
};
use futures_util::StreamExt as _;

use super::{
    Asking, Dlna, SERVER, door,
    media_server::{
        connection_manager,
        content_directory::{self, Answer, Listing},
        description, media, registrar,
        services::{self, Service},
    },
    soap::{self, Call, Fault},
};

const XML: &str = "text/xml; charset=\"utf-8\"";
/// No call of a real client comes near.
const MAX_BODY: usize = 64 * 1024;
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// Adds the routes of the LAN listener.
pub fn configure(routes: &mut ServiceConfig, dlna: &Dlna) {
    let method = |name: &'static [u8]| Method::from_bytes(name).unwrap_or(Method::POST);
    let scope = web::scope("")
        .wrap(DefaultHeaders::new().add((header::SERVER, SERVER)))
        .app_data(Data::new(dlna.clone()))
        .service(
            web::resource("/device.xml")
                .route(web::get().to(device_description))
                .route(web::head().to(device_description)),
        )
        .service(
            web::resource("/scpd/{service}.xml")
                .route(web::get().to(service_description))
                .route(web::head().to(service_description)),
        )
        .service(
            web::resource("/icon/{file}").route(web::get().to(icon)).route(web::head().to(icon)),
        )
        .service(
            web::resource("/control/{service}")
                .route(web::post().to(control))
                .route(web::method(method(b"M-POST")).to(control)),
        )
        .service(
            web::resource("/event/{service}")
                .route(web::method(method(b"SUBSCRIBE")).to(subscribe))
                .route(web::method(method(b"UNSUBSCRIBE")).to(unsubscribe)),
        )
        .service(
            web::resource("/media/{name}")
                .route(web::get().to(media::track))
                .route(web::head().to(media::track)),
        )
        .service(
            web::resource("/art/{name}")
                .route(web::get().to(media::cover))
                .route(web::head().to(media::cover)),
        );
    routes.service(scope);
}

async fn device_description(dlna: Data<Dlna>, request: HttpRequest) -> HttpResponse {
    match door::enter(&dlna, &request).await {
        Ok(asking) => {
            let text = description::description(&dlna.inner.device, &asking.profile);
            HttpResponse::Ok().content_type(XML).body(text)
        }
        Err(refusal) => refusal,
    }
}

async fn service_description(
    dlna: Data<Dlna>,
    request: HttpRequest,
    path: Path<String>,
) -> HttpResponse {
    match (door::enter(&dlna, &request).await, Service::by_path(&path)) {
        (Ok(_), Some(service)) => HttpResponse::Ok().content_type(XML).body(service.scpd()),
        (Ok(_), None) => HttpResponse::NotFound().finish(),
        (Err(refusal), _) => refusal,
    }
}

async fn icon(dlna: Data<Dlna>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    if let Err(refusal) = door::enter(&dlna, &request).await {
        return refusal;
    }
    match description::ICONS.into_iter().find(|(file, ..)| *file == path.as_str()) {
        Some((_, mime, _, bytes)) => HttpResponse::Ok().content_type(mime).body(bytes),
        None => HttpResponse::NotFound().finish(),
    }
}

/// A call of an action.
async fn control(
    dlna: Data<Dlna>,
    request: HttpRequest,
    path: Path<String>,
    body: Payload,
) -> HttpResponse {
    let asking = match door::enter(&dlna, &request).await {
        Ok(asking) => asking,
        Err(refusal) => return refusal,
    };
    let Some(service) = Service::by_path(&path) else { return HttpResponse::NotFound().finish() };
    let is_xml = |value: &header::HeaderValue| value.to_str().is_ok_and(|is| is.contains("xml"));
    if request.headers().get(header::CONTENT_TYPE).is_some_and(|value| !is_xml(value)) {
        return HttpResponse::UnsupportedMediaType().finish();
    }
    let body = match tokio::time::timeout(BODY_WITHIN, read(body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(status)) => return HttpResponse::build(status).finish(),
        Err(_) => return HttpResponse::RequestTimeout().finish(),
    };
    let call = match Call::read(&body) {
        Ok(call) => call,
        Err(refused) => return HttpResponse::BadRequest().body(refused.to_string()),
    };
    tracing::debug!(peer = %asking.peer, client = asking.profile.name, action = call.action, "a DLNA call");
    match act(&dlna, &asking, service, &call).await {
        Ok(answer) => {
            let named = named_type(&request, service);
            let text = match &answer {
                Answer::Arguments(list) => soap::answer(&named, &call.action, None, list),
                Answer::Listing(Listing { result, rest }) => {
                    soap::answer(&named, &call.action, Some(("Result", result)), rest)
                }
            };
            xml_reply(StatusCode::OK, text)
        }
        Err(fault) => xml_reply(StatusCode::INTERNAL_SERVER_ERROR, soap::fault(&fault)),
    }
}

async fn act(
    dlna: &Dlna,
    asking: &Asking,
    service: &Service,
    call: &Call,
) -> Result<Answer, Fault> {
    if call.action == "QueryStateVariable" {
        Err(Fault::new(404, "Invalid Var"))
    } else if *service == services::CONTENT_DIRECTORY {
        content_directory::act(&dlna.inner.catalog, asking, call).await
    } else if *service == services::CONNECTION_MANAGER {
        connection_manager::act(call).map(Answer::Arguments)
    } else {
        registrar::act(call).map(Answer::Arguments)
    }
}

fn xml_reply(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status).content_type(XML).insert_header(("EXT", "")).body(text)
}

/// The service type as the caller wrote it in SOAPACTION, if it is ours in any version up to ours.
fn named_type(request: &HttpRequest, service: &Service) -> Cow<'static, str> {
    let headers = request.headers();
    let action = headers.get("SOAPACTION").or_else(|| headers.get("01-SOAPACTION"));
    let named = action
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().trim_matches('"').rsplit_once('#'))
        .map(|(named, _)| named);
    match named {
        Some(named) if named.eq_ignore_ascii_case(service.kind) => Cow::Owned(named.to_owned()),
        _ => Cow::Borrowed(service.kind),
    }
}

async fn read(mut body: Payload) -> Result<Vec<u8>, StatusCode> {
    let mut read = Vec::new();
    while let Some(part) = body.next().await {
        let part = part.map_err(|_| StatusCode::BAD_REQUEST)?;
        if MAX_BODY < read.len() + part.len() {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        read.extend_from_slice(&part);
    }
    Ok(read)
}

async fn subscribe(dlna: Data<Dlna>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    match (door::enter(&dlna, &request).await, Service::by_path(&path)) {
        (Ok(asking), Some(service)) => {
            dlna.inner.subscriptions.subscribe(&dlna.inner.catalog, &asking, service, &request)
        }
        (Ok(_), None) => HttpResponse::NotFound().finish(),
        (Err(refusal), _) => refusal,
    }
}

async fn unsubscribe(dlna: Data<Dlna>, request: HttpRequest) -> HttpResponse {
    match door::enter(&dlna, &request).await {
        Ok(asking) => dlna.inner.subscriptions.unsubscribe(&asking, &request),
        Err(refusal) => refusal,
    }
}
