//! Pages made by the server: the shell that the panel starts in, sign-in and first run, which work
//! without scripts.

mod html;
mod invite;
mod set_up;
mod shell;
mod sign_in;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web::{self, ServiceConfig},
};

use crate::http::read;

pub(super) use html::{Page, escape, icon, t};

/// What a page may load and do. `form-action` and referrers are for the pages with forms.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; media-src 'self' blob: https: http:; connect-src 'self'; font-src 'self'; \
    worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types app";

/// First words of the panel's addresses; each is answered with the shell.
const SCREENS: [&str; 23] = [
    "albums",
    "album",
    "artists",
    "artist",
    "tracks",
    "playlists",
    "podcasts",
    "podcast",
    "radio",
    "playlist",
    "search",
    "upload",
    "files",
    "trash",
    "duplicates",
    "history",
    "shares",
    "speakers",
    "chat",
    "connect",
    "settings",
    "storage",
    "server",
];

/// Adds the routes.
pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .route("/login", read().to(sign_in::form))
        .route("/login", web::post().to(sign_in::submit))
        .route("/invite/{token}", read().to(invite::form))
        .route("/invite/{token}", web::post().to(invite::submit))
        .route("/setup", read().to(set_up::form))
        .route("/setup", web::post().to(set_up::submit))
        .route("/manifest.webmanifest", read().to(shell::manifest))
        .route("/", read().to(shell::page));
    for screen in SCREENS {
        routes.route(&format!("/{screen}"), read().to(shell::page));
        routes.route(&format!("/{screen}/{{rest:.*}}"), read().to(shell::page));
    }
    routes.default_service(web::to(missing));
}

async fn missing() -> HttpResponse {
    let page = Page::gate("missing.title").narrow(&format!(
        "<h1>{}</h1><p class=\"lead\">{}</p><a class=\"btn secondary\" href=\"/\">{}</a>",
        html::t("missing.title"),
        html::t("missing.text"),
        html::t("nav.home"),
    ));
    page.answer(StatusCode::NOT_FOUND)
}

/// Headers that every page has: it holds who is signed in, so nothing keeps it.
fn page_headers(answer: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    answer
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Forms of a page without referrers would send the Origin "null".
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .content_type("text/html; charset=utf-8")
}

/// Elsewhere, as an answer to GET and POST.
pub(super) fn see(place: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, place))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// Whether the address is shown to the browser over TLS, here or at a proxy.
pub(super) fn is_secure(request: &HttpRequest) -> bool {
    if request.app_config().secure() {
        return true;
    }
    let trusted = request.app_data::<web::Data<crate::http::TrustedProxies>>();
    let peer = request.peer_addr().map(|peer| peer.ip());
    let is_proxied = trusted.zip(peer).is_some_and(|(trusted, peer)| trusted.contains(peer));
    is_proxied && request.headers().get("X-Forwarded-Proto").is_some_and(|scheme| scheme == "https")
}

#[cfg(test)]
mod tests {
    /// A screen that is not listed works until somebody reloads it.
    #[test]
    fn every_screen_can_be_reloaded() {
        let main = include_str!("../ui/app/main.js");
        let table =
            main.split("const screens = [").nth(1).and_then(|rest| rest.split("\n];").next());
        let screens: Vec<&str> = table
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.trim().strip_prefix("['/")?.split(['/', '\'']).next())
            .filter(|first| !first.is_empty())
            .collect();
        assert!(super::SCREENS.len() <= screens.len(), "{screens:?}");
        for screen in screens {
            assert!(super::SCREENS.contains(&screen), "{screen}");
        }
    }
}
