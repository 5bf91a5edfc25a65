//! Answers against the published schemas: JSON against the OpenAPI document, XML against the
//! 1.16.1 XSD. The documents are not ours and not kept here: `TUNELOCKER_SPEC_DATA` names their
//! folder, else `shared/data` beside any parent of the checkout is taken. Without them these
//! checks say so and are skipped.

pub(crate) mod openapi;
pub(crate) mod xsd;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// The folder of the published documents.
pub(crate) fn folder() -> Option<PathBuf> {
    let found = find();
    if found.is_none() {
        eprintln!("SKIP subsonic-schemas: no published schemas; set TUNELOCKER_SPEC_DATA");
    }
    found
}

fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TUNELOCKER_SPEC_DATA") {
        return Some(named.into());
    }
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    checkout.ancestors().map(|each| each.join("shared/data")).find(|each| each.is_dir())
}

static OPENAPI: LazyLock<Option<openapi::OpenApi>> =
    LazyLock::new(|| find().map(|folder| openapi::OpenApi::open(&folder)));

/// Fails where a JSON answer is not what is published for its method. Every answer that a test
/// gets goes through here, so those without the documents say nothing; the tests that are about
/// the documents do.
pub(crate) fn holds(method: &str, answer: &serde_json::Value) {
    // Nothing changed, or no queue: the envelope alone (C31).
    let may_be_bare = ["getIndexes", "getPlayQueue", "getPlayQueueByIndex"].contains(&method);
    if may_be_bare && answer["subsonic-response"].as_object().is_some_and(|it| it.len() == 5) {
        return;
    }
    let wrong = OPENAPI.as_ref().map(|openapi| openapi.check(method, answer)).unwrap_or_default();
    assert!(wrong.is_empty(), "{}\n{answer}", wrong.join("\n"));
}

/// Fails where an answer is not XML that says ok.
pub(crate) fn is_ok_xml(text: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    assert!(text.contains(" status=\"ok\" "), "{text}");
}

/// The names of the parameters of each method, as published.
pub(super) fn endpoints() -> Option<BTreeMap<String, Vec<String>>> {
    let text = std::fs::read(folder()?.join("endpoints.json")).unwrap();
    let all: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&text).unwrap();
    let named = all.into_iter().map(|(method, endpoint)| {
        let parameters = endpoint["params"].as_array().unwrap().iter();
        let names = parameters.map(|each| each["name"].as_str().unwrap().to_owned());
        (method, names.collect())
    });
    Some(named.collect())
}
