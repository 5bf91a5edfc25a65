//! First run: what the server is for and who runs it; it ends with "your phone".

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form},
};
use serde::Deserialize;

use super::{html, see, sign_in::password_field};
use crate::{
    Error,
    accounts::{MatchPolicy, Mode, SetUpState},
    http,
    web::{
        Handles, addresses,
        api::{form_cookie, form_token, set_session},
        failure::Answer,
        guard, qr,
        query::Query,
    },
};

/// The one-time link's secret.
#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

/// What the form sends; `link` is the secret of the one-time link.
#[derive(Deserialize)]
pub(super) struct Fields {
    link: String,
    mode: Mode,
    name: String,
    password: String,
    #[serde(default)]
    token: String,
    /// Sent when its switch is on.
    #[serde(default, rename = "match")]
    matching: Option<MatchPolicy>,
}

/// GET: the form for who has the link, else where to find the link.
pub(super) async fn form(request: HttpRequest, of: Data<Handles>, link: Query<Link>) -> Answer {
    if of.accounts.set_up_state().await? != SetUpState::Needed {
        return Ok(see("/login"));
    }
    if link.token.is_empty() {
        return Ok(where_the_link_is(&request, &of, None));
    }
    match of.accounts.check_set_up_token(&link.token, &http::origin(&request)).await {
        Ok(()) => Ok(questions(&request, &link.token, "", None)),
        Err(error @ (Error::Forbidden(_) | Error::Unauthenticated(_))) => {
            Ok(where_the_link_is(&request, &of, Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// POST: makes the server, signs its admin in, and shows what to type into a phone.
pub(super) async fn submit(
    request: HttpRequest,
    of: Data<Handles>,
    fields: Form<Fields>,
) -> Answer {
    let cookie = form_token(&request).unwrap_or_default();
    guard::same_site(&request, &cookie, Some(&fields.token))?;
    let origin = http::origin(&request);
    let name = fields.name.trim();
    let made = of
        .accounts
        .complete_set_up(&fields.link, fields.mode, name, &fields.password, &origin)
        .await;
    let (session, principal) = match made {
        Ok(made) => made,
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            return Ok(questions(&request, &fields.link, name, Some(&error)));
        }
        Err(error @ (Error::Unauthenticated(_) | Error::Forbidden(_) | Error::NotFound(_))) => {
            return Ok(where_the_link_is(&request, &of, Some(&error)));
        }
        Err(error) => return Err(error.into()),
    };
    if let (Mode::Household, Some(policy)) = (fields.mode, fields.matching) {
        of.accounts.set_match_policy(&principal, policy).await?;
    }
    let label = html::t("gate.label");
    let secret = of.accounts.create_app_password(&principal, &label).await?.secret;
    let mut answer = your_phone(&request, &of, &principal.name, &secret)?;
    set_session(&request, &mut answer, Some(&session))?;
    Ok(answer)
}

fn questions(request: &HttpRequest, link: &str, name: &str, wrong: Option<&Error>) -> HttpResponse {
    let (cookie, token) = form_cookie(request);
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let content = format!(
        "<div><h1>{welcome}</h1><p class=\"lead\">{text}</p></div>{wrong}\
         <form class=\"form\" method=\"post\" action=\"/setup\"><input type=\"hidden\" name=\"token\" value=\"{token}\">\
         <input type=\"hidden\" name=\"link\" value=\"{link}\">\
         <fieldset class=\"choice\"><legend>{mode}</legend>{household}{hosting}</fieldset>\
         <div class=\"switches\"><label><input type=\"checkbox\" role=\"switch\" name=\"match\" value=\"server\" aria-describedby=\"match-help\">\
         <span>{matching}</span></label></div><p class=\"help\" id=\"match-help\">{matching_help}</p>\
         <div class=\"field\"><label for=\"name\">{admin}</label><input class=\"input\" id=\"name\" name=\"name\" value=\"{name}\" required \
         pattern=\"[a-z0-9]([a-z0-9._\\-]*[a-z0-9_\\-])?\" maxlength=\"64\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" aria-describedby=\"name-help\">\
         <span class=\"help\" id=\"name-help\">{admin_help}</span></div>\
         {password}<p class=\"notice\">{lan}</p><button class=\"btn primary\">{finish}</button></form>",
        welcome = html::t("gate.welcome"),
        text = html::t("gate.welcomeText"),
        wrong = alert(wrong),
        link = html::escape(link),
        mode = html::t("gate.mode"),
        household = choice("household", true),
        hosting = choice("hosting", false),
        matching = html::t("gate.match"),
        matching_help = html::t("gate.matchText"),
        admin = html::t("gate.admin"),
        admin_help = html::t("gate.adminHelp"),
        name = html::escape(name),
        password = password_field("gate.newPassword", "new-password", "minlength=\"8\" ", false),
        lan = html::t("gate.lan"),
        finish = html::t("gate.finish"),
    );
    let mut answer = html::Page::gate("gate.welcome").wide(&content).answer(status);
    if let Some(cookie) = cookie {
        // Without it the browser's Origin decides.
        let _ = answer.add_cookie(&cookie);
    }
    answer
}

fn choice(value: &str, is_chosen: bool) -> String {
    format!(
        "<label><input type=\"radio\" name=\"mode\" value=\"{value}\"{}><b>{}</b><small>{}</small></label>",
        if is_chosen { " checked" } else { "" },
        html::t(&format!("gate.{value}")),
        html::t(&format!("gate.{value}Text")),
    )
}

fn where_the_link_is(request: &HttpRequest, of: &Handles, wrong: Option<&Error>) -> HttpResponse {
    let place = addresses::addresses(request, &of.site);
    let place = place.first().map_or("http://localhost:4040", String::as_str);
    let content = format!(
        "<h1>{}</h1>{}<p class=\"lead\">{}</p><div class=\"copy\"><code>{}/setup?token=…</code></div>",
        html::t("gate.linkTitle"),
        alert(wrong),
        html::t("gate.linkText"),
        html::escape(place),
    );
    let status = if wrong.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    html::Page::gate("gate.linkTitle").wide(&content).answer(status)
}

fn your_phone(request: &HttpRequest, of: &Handles, name: &str, secret: &str) -> Answer {
    let all = addresses::addresses(request, &of.site);
    let place = all.first().map_or("http://localhost:4040", String::as_str);
    let grouped = groups(secret);
    // A phone cannot come to a server that listens on its own machine alone.
    let is_here_only = addresses::is_here_only(place);
    let text = if is_here_only { "gate.hereOnly" } else { "gate.phoneText" };
    let code = if is_here_only {
        String::new()
    } else {
        format!(
            "<span class=\"qr\" role=\"img\" aria-label=\"{}\">{}</span>",
            html::t("gate.qr"),
            qr::svg(place)?
        )
    };
    let title = if is_here_only { "gate.apps" } else { "gate.phone" };
    let content = format!(
        "<div><h1>{heading}</h1><p class=\"lead\">{text}</p></div>\
         <div class=\"split\">{code}<div>{address}{user}{password}</div></div>\
         <a class=\"btn primary\" href=\"/\">{open}</a>",
        heading = html::t(title),
        text = html::t(text),
        address = line("gate.address", place, place),
        user = line("gate.user", name, name),
        password = line("gate.appPassword", &grouped.replace(' ', "-"), &grouped),
        open = html::t("gate.open"),
    );
    Ok(html::Page::gate(title).wide(&content).answer(StatusCode::OK))
}

fn line(label: &str, text: &str, shown: &str) -> String {
    format!(
        "<div class=\"field\"><span class=\"label\">{label}</span><div class=\"copy\"><code>{shown}</code>\
         <button type=\"button\" class=\"ib\" data-copy=\"{text}\" data-said=\"{said}\" aria-label=\"{copy}: {label}\" hidden>{icon}</button></div></div>",
        label = html::t(label),
        shown = html::escape(shown),
        text = html::escape(text),
        said = html::t("copied"),
        copy = html::t("gate.copy"),
        icon = html::icon("copy"),
    )
}

fn alert(wrong: Option<&Error>) -> String {
    wrong.map_or_else(String::new, |error| {
        let text = html::escape(&error.to_string());
        format!(
            "<p class=\"wrong\" role=\"alert\">{}<span>{text}</span></p>",
            html::icon("circle-alert")
        )
    })
}

/// A secret in groups of four.
fn groups(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().filter(char::is_ascii_alphanumeric).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn secrets_are_read_in_groups() {
        assert_eq!(super::groups("abcd-efgh-jkmn-pqrs"), "abcd efgh jkmn pqrs");
        assert_eq!(super::groups("abcdefgh"), "abcd efgh");
    }
}
