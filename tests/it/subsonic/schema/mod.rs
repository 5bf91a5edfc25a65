//! Answers against the published schemas: JSON against the OpenAPI document, XML against the
//! 1.16.1 XSD. The documents are not ours and not kept here: `TUNELOCKER_SPEC_DATA` names their
//! folder, else `shared/data` beside any parent of the checkout is taken. Without them these
//! checks say so and are skipped.

pub(crate) mod openapi;
pub(crate) mod xsd;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The folder of the published documents.
pub(crate) fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TUNELOCKER_SPEC_DATA") {
        return Some(named.into());
    }
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found =
        checkout.ancestors().map(|each| each.join("shared/data")).find(|each| each.is_dir());
    if found.is_none() {
        eprintln!("SKIP subsonic-schemas: no published schemas; set TUNELOCKER_SPEC_DATA");
    }
    found
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
