//! Signing in: a form that works without scripts.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form},
};
use serde::Deserialize;

use super::{html, see};
use crate::{
    Error,
    accounts::SetUpState,
    error::AuthFailure,
    http,
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
    name: String,
    password: String,
    #[serde(default)]
    token: String,
}

/// GET: the form, or the first run where nobody is here yet.
pub(super) async fn form(request: HttpRequest, of: Data<Handles>) -> Answer {
    if of.accounts.set_up_state().await? == SetUpState::Needed {
        return Ok(see("/setup"));
    }
    Ok(page(&request, "", None, StatusCode::OK))
}

/// POST: a session, or the form again with what was wrong.
pub(super) async fn submit(
    request: HttpRequest,
    of: Data<Handles>,
    fields: Form<Fields>,
) -> Answer {
    let cookie = form_token(&request).unwrap_or_default();
    guard::same_site(&request, &cookie, Some(&fields.token))?;
    let origin = http::origin(&request);
    match of.sign_in(fields.name.trim(), &fields.password, &origin).await {
        Ok((session, _)) => {
            let mut answer = see("/");
            set_session(&request, &mut answer, Some(&session))?;
            Ok(answer)
        }
        Err(error @ Error::Unauthenticated(AuthFailure::Limited(_))) => {
            Ok(page(&request, &fields.name, Some(&error), StatusCode::TOO_MANY_REQUESTS))
        }
        Err(error @ (Error::Unauthenticated(_) | Error::Forbidden(_) | Error::Invalid(_))) => {
            Ok(page(&request, &fields.name, Some(&error), StatusCode::UNAUTHORIZED))
        }
        Err(error) => Err(error.into()),
    }
}

fn page(
    request: &HttpRequest,
    name: &str,
    wrong: Option<&Error>,
    status: StatusCode,
) -> HttpResponse {
    let (cookie, token) = form_cookie(request);
    let wrong = wrong.map_or_else(String::new, |error| {
        let text = html::escape(&error.to_string());
        format!(
            "<p class=\"wrong\" role=\"alert\">{}<span>{text}</span></p>",
            html::icon("circle-alert")
        )
    });
    let content = format!(
        "<h1>{title}</h1>{wrong}<form class=\"form\" method=\"post\" action=\"/login\">\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\
         <div class=\"field\"><label for=\"name\">{name_label}</label><input class=\"input\" id=\"name\" name=\"name\" value=\"{name}\" \
         autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required{focus_name}></div>\
         {password}<button class=\"btn primary\">{title}</button></form>",
        title = html::t("gate.signIn"),
        name_label = html::t("gate.name"),
        name = html::escape(name),
        focus_name = if name.is_empty() { " autofocus" } else { "" },
        password = password_field("gate.password", "current-password", "", !name.is_empty()),
    );
    let mut answer = html::Page::gate("gate.signIn").narrow(&content).answer(status);
    if let Some(cookie) = cookie {
        // A cookie that cannot be added just means that the form asks again.
        let _ = answer.add_cookie(&cookie);
    }
    answer
}

/// A password with a button that shows it, for who has scripts.
pub(super) fn password_field(label: &str, complete: &str, more: &str, focus: bool) -> String {
    format!(
        "<div class=\"field\"><label for=\"password\">{label}</label><div class=\"withbutton\">\
         <input class=\"input\" id=\"password\" name=\"password\" type=\"password\" autocomplete=\"{complete}\" required {more}{focus}>\
         <button type=\"button\" class=\"ib\" data-show=\"password\" aria-pressed=\"false\" aria-label=\"{show}\" hidden>{eye}</button></div></div>",
        label = html::t(label),
        show = html::t("gate.show"),
        eye = html::icon("eye"),
        focus = if focus { " autofocus" } else { "" },
    )
}
