//! How pages are put together: texts from the one catalogue, everything from outside escaped.

use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{HttpResponse, http::StatusCode};

use super::page_headers;
use crate::web::assets;

static TEXTS: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(&assets::text("i18n/en.json")).unwrap_or_default());

/// A text of the catalogue, escaped.
pub(in crate::web) fn t(key: &str) -> String {
    escape(TEXTS.get(key).map_or(key, String::as_str))
}

/// Text made safe between tags and in quoted attributes.
pub(in crate::web) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

/// An icon of the sprite.
pub(in crate::web) fn icon(name: &str) -> String {
    let sprite = assets::address("vendor/icons.svg");
    format!("<svg class=\"icon\" aria-hidden=\"true\"><use href=\"{sprite}#{name}\"/></svg>")
}

/// A whole page.
pub(in crate::web) struct Page {
    title: String,
    head: String,
    body: String,
}

impl Page {
    /// A page of the panel; the title is a key of the catalogue.
    pub(in crate::web) fn panel(head: String, body: String) -> Self {
        Self { title: "Tunelocker".to_owned(), head, body }
    }

    /// A page with a title that is escaped already.
    pub(in crate::web) fn titled(title: &str, head: String, body: String) -> Self {
        Self { title: format!("{title} · Tunelocker"), head, body }
    }

    /// A page before the panel: sign-in, first run, nothing here.
    pub(in crate::web) fn gate(title: &str) -> Self {
        let script = assets::address("app/gate.js");
        Self {
            title: format!("{} · Tunelocker", t(title)),
            head: format!("<script type=\"module\" src=\"{script}\"></script>"),
            body: String::new(),
        }
    }

    /// With a card of this content, as wide as a form.
    pub(in crate::web) fn narrow(self, content: &str) -> Self {
        self.card(content, "")
    }

    /// With a wider card.
    pub(in crate::web) fn wide(self, content: &str) -> Self {
        self.card(content, " class=\"wide\"")
    }

    fn card(mut self, content: &str, class: &str) -> Self {
        self.body = format!(
            "<div class=\"gate\"><main{class}><div class=\"brand\"><span class=\"mark\">{}</span>\
             <span>Tunelocker</span></div><div class=\"card\">{content}</div></main></div>\
             <p id=\"said\" class=\"sr\" role=\"status\"></p>",
            icon("music-4"),
        );
        self
    }

    /// The answer.
    pub(in crate::web) fn answer(self, status: StatusCode) -> HttpResponse {
        let mut answer = HttpResponse::build(status);
        page_headers(&mut answer).body(self.text())
    }

    /// The document.
    pub(in crate::web) fn text(&self) -> String {
        let (early, style, icon) = (
            assets::address("app/theme-early.js"),
            assets::address("css/main.css"),
            assets::address("icon.svg"),
        );
        let font = assets::address("fonts/inter-latin-wght-normal.woff2");
        format!(
            "<!doctype html>\n<html lang=\"en\" dir=\"ltr\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\
             <title>{title}</title><script src=\"{early}\"></script>\
             <link rel=\"icon\" href=\"{icon}\" type=\"image/svg+xml\">\
             <link rel=\"manifest\" href=\"/manifest.webmanifest\">\
             <meta name=\"theme-color\" content=\"#FAFAF8\" media=\"(prefers-color-scheme: light)\">\
             <meta name=\"theme-color\" content=\"#0E1012\" media=\"(prefers-color-scheme: dark)\">\
             <link rel=\"preload\" href=\"{font}\" as=\"font\" type=\"font/woff2\" crossorigin>\
             <link rel=\"stylesheet\" href=\"{style}\">{head}</head><body>{body}</body></html>\n",
            title = self.title,
            head = self.head,
            body = self.body,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_and_escaped() {
        assert_eq!(t("gate.signIn"), "Sign in");
        assert_eq!(t("no.such.key"), "no.such.key");
        assert_eq!(
            escape("<a href='x'>&\"</a>"),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;"
        );
    }
}
