//! The public page: title, cover, tracks and a player. It plays without scripts too, track by
//! track. Everything from outside is escaped.

use std::fmt::Write as _;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};

use crate::{
    Error,
    catalog::{Track, Visit},
    clock,
    web::{
        assets,
        pages::{Page, escape, icon, t},
    },
};

/// The page of an open share at `address`.
pub(super) fn open(visit: &Visit, address: &str) -> HttpResponse {
    let share = &visit.share;
    let title = escape(&plain_title(visit));
    let description = if share.description.is_empty() {
        format!("{} · {}", t("share.kind"), by(visit))
    } else {
        escape(&share.description)
    };
    let path = escape(&format!("/s/{}", share.token));
    let mut head = open_graph(visit, &title, &description, address);
    let script = assets::address("app/share.js");
    let _ = write!(head, "<script type=\"module\" src=\"{script}\"></script>");
    let cover = match visit.face {
        Some(_) => {
            format!("<img src=\"{path}/cover?size=640\" alt=\"\" width=\"640\" height=\"640\">")
        }
        None => icon("disc-3"),
    };
    let mut rows = String::new();
    for (at, track) in visit.tracks.iter().enumerate() {
        rows.push_str(&row(visit, at, track, &path));
    }
    let until = share.expires_at.map_or_else(String::new, |at| {
        let day = clock::iso(at);
        let (day, _) = day.split_once('T').unwrap_or((&day, ""));
        format!("<p class=\"note\">{}</p>", t("share.until").replace("{date}", day))
    });
    let body = format!(
        "<div class=\"shared\" data-tracks=\"{path}/tracks/\"><header class=\"hero\">\
         <span class=\"art\">{cover}</span><div class=\"texts\"><p class=\"kind\">{kind}</p><h1 dir=\"auto\">{title}</h1>\
         <p class=\"by\" dir=\"auto\">{by}</p>{words}{until}</div></header>\
         <div class=\"actions\"><button type=\"button\" class=\"btn primary\" id=\"play\" hidden>{play_icon}{play}</button>{all}</div>\
         <main class=\"body\"><ol class=\"list tracklist\">{rows}</ol></main>\
         <footer class=\"foot\"><span class=\"mark\">{mark}</span><span>{served}</span></footer></div>{player}\
         <p id=\"said\" class=\"sr\" role=\"status\"></p>",
        kind = t("share.kind"),
        by = by(visit),
        words = if share.description.is_empty() {
            String::new()
        } else {
            format!("<p class=\"words\" dir=\"auto\">{}</p>", escape(&share.description))
        },
        play_icon = icon("play"),
        play = t("action.play"),
        all = download_all(visit, &path),
        mark = icon("music-4"),
        served = t("share.served"),
        player = player(),
    );
    answer(Page::titled(&title, head, body), StatusCode::OK)
}

/// The form for the password. It says nothing of what is behind it.
pub(super) fn locked(token: &str, wrong: Option<&Error>, status: StatusCode) -> HttpResponse {
    let wrong = wrong.map_or_else(String::new, |error| {
        format!(
            "<p class=\"wrong\" role=\"alert\">{}<span>{}</span></p>",
            icon("circle-alert"),
            escape(&error.to_string())
        )
    });
    let content = format!(
        "<h1>{title}</h1><p class=\"lead\">{text}</p>{wrong}<form class=\"form\" method=\"post\" action=\"/s/{token}\">\
         <div class=\"field\"><label for=\"password\">{label}</label><input class=\"input\" id=\"password\" name=\"password\" \
         type=\"password\" autocomplete=\"off\" required autofocus></div><button class=\"btn primary\">{open}</button></form>",
        title = t("share.lockedTitle"),
        text = t("share.lockedText"),
        token = escape(token),
        label = t("gate.password"),
        open = t("share.open"),
    );
    answer(Page::gate("share.lockedTitle").narrow(&content), status)
}

/// The one page for whatever is not there.
pub(super) fn gone() -> HttpResponse {
    let content =
        format!("<h1>{}</h1><p class=\"lead\">{}</p>", t("share.goneTitle"), t("share.goneText"));
    answer(Page::gate("share.goneTitle").narrow(&content), StatusCode::NOT_FOUND)
}

/// Nobody lists it, and nobody keeps it.
fn answer(page: Page, status: StatusCode) -> HttpResponse {
    let mut answer = page.answer(status);
    let robots = header::HeaderValue::from_static("noindex, nofollow");
    answer.headers_mut().insert(header::HeaderName::from_static("x-robots-tag"), robots);
    answer
}

/// For messengers that show what a link leads to.
fn open_graph(visit: &Visit, title: &str, description: &str, address: &str) -> String {
    let address = escape(address);
    let kind = match visit.tracks.as_slice() {
        [_] => "music.song",
        _ => "music.album",
    };
    let mut head = format!(
        "<meta property=\"og:type\" content=\"{kind}\"><meta property=\"og:title\" content=\"{title}\">\
         <meta property=\"og:description\" content=\"{description}\"><meta property=\"og:url\" content=\"{address}\">\
         <meta property=\"og:site_name\" content=\"Tunelocker\"><meta name=\"description\" content=\"{description}\">"
    );
    if visit.face.is_some() {
        let _ = write!(
            head,
            "<meta property=\"og:image\" content=\"{address}/cover?size=640\">\
             <meta name=\"twitter:card\" content=\"summary\">"
        );
    }
    head
}

/// What is shared, in a name.
pub(super) fn plain_title(visit: &Visit) -> String {
    match (&visit.title, visit.tracks.as_slice()) {
        (Some(title), _) => title.clone(),
        (None, [first, ..])
            if !first.album_name.is_empty()
                && visit.tracks.iter().all(|track| track.album == first.album) =>
        {
            first.album_name.clone()
        }
        (None, [only]) => only.title.clone(),
        _ => t("share.some").replace("{count}", &visit.tracks.len().to_string()),
    }
}

/// By whom; escaped.
fn by(visit: &Visit) -> String {
    if let Some(artist) = &visit.artist {
        return escape(artist);
    }
    let mut names: Vec<&str> = Vec::new();
    for track in &visit.tracks {
        let name = track.display_artist.as_str();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    let rest = if names.len() > 3 { " …" } else { "" };
    names.truncate(3);
    escape(&format!("{}{rest}", names.join(", ")))
}

/// The way to all of it at once, for whoever may keep it.
fn download_all(visit: &Visit, path: &str) -> String {
    if !visit.share.may_download || visit.tracks.len() < 2 {
        return String::new();
    }
    format!(
        "<a class=\"btn secondary\" id=\"all\" href=\"{path}/download\" download>{}{}</a>",
        icon("download"),
        t("share.downloadAll")
    )
}

/// One track. The link plays it where there are no scripts.
fn row(visit: &Visit, at: usize, track: &Track, path: &str) -> String {
    let seconds = track.duration_ms.div_ceil(1000);
    // Who may not keep the file is not told what it is: the player then asks for something else.
    let (container, codec) = if visit.share.may_download {
        (escape(&track.container), escape(&track.codec))
    } else {
        (String::new(), String::new())
    };
    let id = track.id;
    let title = escape(&track.title);
    let artist = escape(&track.display_artist);
    let keep = if visit.share.may_download {
        format!(
            "<a class=\"ib\" href=\"{path}/tracks/{id}/download\" download aria-label=\"{}\">{}</a>",
            t("share.download").replace("{name}", &title),
            icon("download")
        )
    } else {
        String::new()
    };
    format!(
        "<li data-id=\"{id}\" data-title=\"{title}\" data-artist=\"{artist}\" data-duration=\"{seconds}\" \
         data-container=\"{container}\" data-codec=\"{codec}\"><span class=\"no\">{number}</span>\
         <a class=\"what\" href=\"{path}/tracks/{id}/stream?format=mp3\"><b dir=\"auto\">{title}</b><small dir=\"auto\">{artist}</small></a>\
         <span class=\"num\">{minutes}:{rest:02}</span>{keep}</li>",
        number = at + 1,
        minutes = seconds / 60,
        rest = seconds % 60,
    )
}

/// The bar, hidden until there is a script that moves it.
fn player() -> String {
    format!(
        "<section class=\"player\" id=\"player\" aria-label=\"{label}\" hidden><div class=\"now\"><div class=\"texts\"><b id=\"now-title\" dir=\"auto\"></b>\
         <small id=\"now-artist\" dir=\"auto\"></small></div></div><div class=\"mid\"><div class=\"keys\">\
         <button type=\"button\" class=\"ib\" id=\"previous\" aria-label=\"{previous}\">{previous_icon}</button>\
         <button type=\"button\" class=\"go phone\" id=\"toggle\" aria-label=\"{play}\" data-play=\"{play}\" data-pause=\"{pause}\">\
         <span class=\"when-paused\">{play_icon}</span><span class=\"when-playing\">{pause_icon}</span></button>\
         <button type=\"button\" class=\"ib\" id=\"next\" aria-label=\"{next}\">{next_icon}</button></div>\
         <div class=\"seek\"><span id=\"at\">0:00</span><input type=\"range\" class=\"range\" id=\"seek\" min=\"0\" max=\"1\" step=\"0.1\" value=\"0\" aria-label=\"{seek}\">\
         <span id=\"of\">0:00</span></div></div><div class=\"ends\"></div></section>",
        label = t("player.label"),
        previous = t("player.previous"),
        previous_icon = icon("skip-back"),
        play = t("player.play"),
        pause = t("player.pause"),
        play_icon = icon("play"),
        pause_icon = icon("pause"),
        next = t("player.next"),
        next_icon = icon("skip-forward"),
        seek = t("player.seek"),
    )
}
