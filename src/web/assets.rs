//! The panel's files, in the binary (from disk in debug builds). Their address holds one hash of
//! all of them, so they are kept for ever and a new version is a new address.

use std::{collections::BTreeSet, sync::LazyLock};

use actix_web::{
    HttpResponse,
    http::header::{self, ContentEncoding},
    middleware::Compress,
    web::{self, ServiceConfig},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::failure::{Answer, Failure};
use crate::{Error, http::read};

/// Everything below `src/web/ui`.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/src/web/ui"]
struct Files;

/// The hash of all files: the middle of their address.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut hash = blake3::Hasher::new();
    for name in names {
        hash.update(name.as_bytes());
        if let Some(file) = Files::get(&name) {
            hash.update(&file.metadata.sha256_hash());
        }
    }
    hash.finalize().to_hex()[..12].to_owned()
});

/// Modules that the first paint needs, found by following imports from the first one.
static FIRST_MODULES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found = BTreeSet::new();
    let mut open = vec!["app/main.js".to_owned()];
    while let Some(name) = open.pop() {
        if let Some(file) = Files::get(&name)
            && found.insert(name.clone())
        {
            open.extend(imports(&name, &String::from_utf8_lossy(&file.data)));
        }
    }
    found.into_iter().collect()
});

/// Where an asset is.
pub(super) fn address(name: &str) -> String {
    format!("/a/{}/{name}", *VERSION)
}

/// Addresses of the modules that the first paint needs.
pub(super) fn first_modules() -> impl Iterator<Item = String> {
    FIRST_MODULES.iter().map(|name| address(name))
}

/// The text of a file that must be there.
pub(super) fn text(name: &str) -> String {
    let file = Files::get(name);
    file.map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default()
}

/// Adds the route below `/a`.
pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(
        web::scope("").wrap(Compress::default()).route("/{version}/{name:.*}", read().to(asset)),
    );
}

async fn asset(path: web::Path<(String, String)>) -> Answer {
    let (version, name) = path.into_inner();
    let file = Files::get(&name).ok_or(Failure(Error::NotFound("File")))?;
    let mut answer = HttpResponse::Ok();
    // A page of an older version may still ask; it gets what there is, but does not keep it.
    let keep = if version == *VERSION && !cfg!(debug_assertions) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer.insert_header((header::CACHE_CONTROL, keep)).content_type(kind(&name));
    if kind(&name) == "font/woff2" {
        answer.insert_header(ContentEncoding::Identity);
    }
    Ok(answer.body(bytes(file)))
}

fn bytes(file: EmbeddedFile) -> bytes::Bytes {
    match file.data {
        std::borrow::Cow::Borrowed(data) => bytes::Bytes::from_static(data),
        std::borrow::Cow::Owned(data) => data.into(),
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json",
        _ => "text/plain; charset=utf-8",
    }
}

/// Names of the modules that `text` imports statically.
fn imports(from: &str, text: &str) -> Vec<String> {
    let folder: Vec<&str> = from.split('/').collect();
    let folder = &folder[..folder.len() - 1];
    let lines =
        text.lines().filter(|line| line.starts_with("import ") || line.starts_with("export "));
    let named = lines.filter_map(|line| line.split_once(" from '")?.1.split('\'').next());
    named.map(|relative| resolve(folder, relative)).collect()
}

fn resolve(folder: &[&str], relative: &str) -> String {
    let mut parts = folder.to_vec();
    for part in relative.split('/') {
        match part {
            "." => (),
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_paint_needs_few_modules_and_all_are_there() {
        let modules: Vec<_> = FIRST_MODULES.iter().map(String::as_str).collect();
        assert!(
            modules.contains(&"app/main.js") && modules.contains(&"vendor/ui.js"),
            "{modules:?}"
        );
        assert!(modules.contains(&"app/player/engine.js"), "{modules:?}");
        assert!(modules.len() <= 25, "{modules:?}");
        for name in &modules {
            for import in imports(name, &text(name)) {
                assert!(Files::get(&import).is_some(), "{name} imports {import}");
            }
        }
    }

    #[test]
    fn paths_resolve() {
        assert_eq!(resolve(&["app", "ui"], "../../vendor/ui.js"), "vendor/ui.js");
        assert_eq!(resolve(&["app"], "./api.js"), "app/api.js");
    }
}
