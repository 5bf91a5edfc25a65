//! The API's own description: every route is in it, nothing else is, and it holds together.

use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
};

use serde_json::Value;

use crate::harness::TestApp;

const METHODS: [&str; 6] = ["get", "head", "put", "post", "patch", "delete"];

/// Routes of the API's sources, as `get /path`.
fn routes() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/api");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // tus names its methods itself; it is looked at below.
        if path.extension().is_none_or(|it| it != "rs") || path.ends_with("uploads.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        for (at, _) in text.match_indices(".route(\"") {
            let rest = &text[at + 8..];
            let (address, rest) = rest.split_once('"').unwrap();
            let method = rest.trim_start_matches(',').split('(').next().unwrap();
            assert!(METHODS.contains(&method), "{}: {method} {address}", path.display());
            found.insert(format!("{method} {}", plain(address)));
        }
        for (at, _) in text.match_indices("resource(\"") {
            let (address, rest) = text[at + 10..].split_once('"').unwrap();
            let service = rest.split(".service(").next().unwrap();
            for method in METHODS {
                if service.contains(&format!(".route({method}()")) {
                    found.insert(format!("{method} {}", plain(address)));
                }
            }
        }
    }
    for (address, methods) in
        [("/uploads", "options post"), ("/uploads/{id}", "options head patch post delete")]
    {
        found.extend(methods.split(' ').map(|method| format!("{method} {address}")));
    }
    found
}

fn plain(address: &str) -> String {
    address.replace(":.*}", "}")
}

fn document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/api/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let document = document();
    let described: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    let routes = routes();
    assert!(routes.len() > 120, "{}", routes.len());
    let missing: Vec<_> = routes.difference(&described).collect();
    let invented: Vec<_> = described.difference(&routes).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing {missing:?}, too many {invented:?}"
    );
}

#[test]
fn references_lead_somewhere_and_parameters_are_declared() {
    let document = document();
    let mut references = HashSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 15);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5));
            let declared: HashSet<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|one| one["in"] == "path")
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            let used: HashSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            assert_eq!(declared, used, "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
}

fn collect<'a>(value: &'a Value, references: &mut HashSet<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(reference) if name == "$ref" => {
                        references.insert(reference);
                    }
                    _ => collect(member, references),
                }
            }
        }
        Value::Array(members) => members.iter().for_each(|member| collect(member, references)),
        _ => (),
    }
}

#[tokio::test]
async fn it_is_served_to_whoever_asks() {
    let app = TestApp::spawn().await;
    let answer = reqwest::get(app.url("/api/v1/openapi.json")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let served: Value = answer.json().await.unwrap();
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!(served, document());
}
