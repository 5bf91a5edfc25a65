//! Where somebody for whom an account was made chooses a password; it ends in the panel.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use serde::Deserialize;

use super::{html, see, sign_in::password_field};
use crate::{
    Error, http,
    web::{
        Handles,
        api::{form_cookie, form_token, set_session},
        failure::Answer,
        guard,
    },
};

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Fields {
    password: String,
    #[serde(default)]
    token: String,
}

/// GET /invite/TOKEN
pub(super) async fn form(request: HttpRequest, of: Data<Handles>, link: Path<String>) -> Answer {
    match of.accounts.invited(&link, &http::origin(&request)).await {
        Ok(name) => Ok(question(&request, &link, &name, None)),
        Err(error @ (Error::NotFound(_) | Error::TooMany { .. })) => Ok(gone(&error)),
        Err(error) => Err(error.into()),
    }
}

/// POST /invite/TOKEN
pub(super) async fn submit(
    request: HttpRequest,
    of: Data<Handles>,
    link: Path<String>,
    fields: Form<Fields>,
) -> Answer {
    let cookie = form_token(&request).unwrap_or_default();
    guard::same_site(&request, &cookie, Some(&fields.token))?;
    let origin = http::origin(&request);
    match of.accounts.accept_invitation(&link, &fields.password, &origin).await {
        Ok((session, _)) => {
            let mut answer = see("/");
            set_session(&request, &mut answer, Some(&session))?;
            Ok(answer)
        }
        Err(error @ Error::Invalid(_)) => {
            let name = of.accounts.invited(&link, &origin).await?;
            Ok(question(&request, &link, &name, Some(&error)))
        }
        Err(error @ (Error::NotFound(_) | Error::TooMany { .. })) => Ok(gone(&error)),
        Err(error) => Err(error.into()),
    }
}

fn question(request: &HttpRequest, link: &str, name: &str, wrong: Option<&Error>) -> HttpResponse {
    let (cookie, token) = form_cookie(request);
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let wrong = wrong.map_or_else(String::new, |error| {
        let text = html::escape(&error.to_string());
        format!(
            "<p class=\"wrong\" role=\"alert\">{}<span>{text}</span></p>",
            html::icon("circle-alert")
        )
    });
    let content = format!(
        "<div><h1>{title}</h1><p class=\"lead\">{text}</p></div>{wrong}\
         <form class=\"form\" method=\"post\" action=\"/invite/{link}\"><input type=\"hidden\" name=\"token\" value=\"{token}\">\
         <div class=\"field\"><label for=\"name\">{user}</label><input class=\"input\" id=\"name\" value=\"{name}\" readonly autocomplete=\"username\"></div>\
         {password}<button class=\"btn primary\">{go}</button></form>",
        title = html::t("gate.invited"),
        text = html::t("gate.invitedText"),
        link = html::escape(link),
        user = html::t("gate.user"),
        name = html::escape(name),
        password = password_field("gate.newPassword", "new-password", "minlength=\"8\" ", true),
        go = html::t("gate.open"),
    );
    let mut answer = html::Page::gate("gate.invited").narrow(&content).answer(status);
    if let Some(cookie) = cookie {
        // Without it the browser's Origin decides.
        let _ = answer.add_cookie(&cookie);
    }
    answer
}

fn gone(error: &Error) -> HttpResponse {
    let content = format!(
        "<h1>{}</h1><p class=\"lead\">{}</p><a class=\"btn secondary\" href=\"/login\">{}</a>",
        html::t("gate.inviteGone"),
        html::t("gate.inviteGoneText"),
        html::t("nav.home"),
    );
    let status = match error {
        Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::NOT_FOUND,
    };
    html::Page::gate("gate.inviteGone").narrow(&content).answer(status)
}
