//! The shell: an empty page that names the modules the panel starts with.

use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde_json::json;

use super::{html, see};
use crate::{
    Error,
    accounts::{Credentials, SetUpState},
    http,
    web::{Handles, api::session_cookie, assets, failure::Answer},
};

/// Any address of the panel: the shell for who is signed in, else the way in.
pub(super) async fn page(request: HttpRequest, of: Data<Handles>) -> Answer {
    if let Some(cookie) = session_cookie(&request) {
        let origin = http::origin(&request);
        match of.accounts.authenticate(Credentials::Session(cookie), &origin).await {
            Ok(_) => return Ok(shell()),
            Err(Error::Unauthenticated(_)) => (),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(match of.accounts.set_up_state().await? {
        SetUpState::Needed => see("/setup"),
        SetUpState::Done(_) => see("/login"),
    })
}

fn shell() -> HttpResponse {
    let mut head = String::new();
    for module in assets::first_modules() {
        let _ = write!(head, "<link rel=\"modulepreload\" href=\"{module}\">");
    }
    let texts = assets::address("i18n/en.json");
    let main = assets::address("app/main.js");
    let _ = write!(
        head,
        "<link rel=\"preload\" href=\"{texts}\" as=\"fetch\" crossorigin>\
         <script type=\"module\" src=\"{main}\"></script>"
    );
    let body = format!(
        "<div id=\"app\"></div><noscript><div class=\"gate\"><main><div class=\"card\"><p>{}</p></div></main></div></noscript>",
        html::t("gate.noScript")
    );
    html::Page::panel(head, body).answer(StatusCode::OK)
}

/// What a home screen shows of the panel.
pub(super) async fn manifest() -> HttpResponse {
    let icon = assets::address("icon.svg");
    HttpResponse::Ok().content_type("application/manifest+json").body(
        json!({
            "name": "Tunelocker",
            "short_name": "Tunelocker",
            "start_url": "/",
            "display": "standalone",
            "background_color": "#0E1012",
            "theme_color": "#0E1012",
            "icons": [{ "src": icon, "sizes": "any", "type": "image/svg+xml" }],
        })
        .to_string(),
    )
}
