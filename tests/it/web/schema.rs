//! The API's answers against its own description: as much of JSON Schema as the document uses, and
//! stricter, for members that it does not name are mistakes. A keyword that is not known here is one,
//! too, so that the document cannot be half checked.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{LazyLock, Mutex},
};

use reqwest::RequestBuilder;
use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/api/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

/// Operations whose good answers were held against the document by this run.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The document.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// Sends a request of the API; its status and body, which is as the document says.
pub(crate) async fn send(request: RequestBuilder) -> (u16, String) {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().to_string(), request.url().path().to_owned());
    let sent = request.headers().get("content-type").is_some_and(|kind| kind == "application/json");
    let sent = request.body().filter(|_| sent).and_then(|body| body.as_bytes().map(<[u8]>::to_vec));
    let answer = client.execute(request).await.unwrap();
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").cloned();
    let kind = kind.map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = answer.bytes().await.unwrap();
    let text = String::from_utf8_lossy(&body).into_owned();
    // An answer to HEAD tells of a body and has none.
    let is_told = kind.contains("json") && !body.is_empty();
    if let Some(path) = path.strip_prefix("/api/v1").filter(|_| is_told) {
        hold(&method, path, status, &text);
    }
    // What is refused may be wrong on purpose.
    if let (Some(path), Some(sent), 200..=299) = (path.strip_prefix("/api/v1"), sent, status) {
        hold_request(&method, path, &String::from_utf8_lossy(&sent));
    }
    (status, text)
}

/// Fails unless what was sent, and taken, is as described.
pub(crate) fn hold_request(method: &str, path: &str, body: &str) {
    let Some((template, operations)) = operations(method, path) else { return };
    let name = format!("{} {template} takes", method.to_ascii_lowercase());
    let operation = &operations[method.to_ascii_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    // Where nothing is asked for, nothing may be said in so many words.
    if !schema.is_object() && matches!(body, "{}" | "null") {
        return;
    }
    assert!(schema.is_object(), "{name} no JSON, as described: {body}");
    let value: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{name}: {body}"));
    let mut wrong = Vec::new();
    check(schema, &value, &name, true, &mut wrong);
    assert!(wrong.is_empty(), "{}\nin {body}", wrong.join("\n"));
}

/// Fails unless an answer is as described.
pub(crate) fn hold(method: &str, path: &str, status: u16, body: &str) {
    let Some((template, operations)) = operations(method, path) else { return };
    let name = format!("{} {template}", method.to_ascii_lowercase());
    let operation = &operations[method.to_ascii_lowercase()];
    assert!(operation.is_object(), "{name} is not described");
    let value: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{name}: {body}"));
    let is_good = (200..300).contains(&status);
    let schema = if is_good {
        let answer = &operation["responses"][status.to_string()];
        assert!(answer.is_object(), "{name} is not said to answer {status}");
        answer["content"]["application/json"]["schema"].clone()
    } else {
        DOCUMENT["components"]["schemas"]["Problem"].clone()
    };
    assert!(schema.is_object(), "{name} is not said to answer {status} with JSON: {body}");
    let mut wrong = Vec::new();
    check(&schema, &value, &name, true, &mut wrong);
    assert!(wrong.is_empty(), "{}\nin {body}", wrong.join("\n"));
    if is_good {
        SEEN.lock().unwrap().insert(name);
    }
}

/// What was held against the document up to now.
pub(crate) fn seen() -> BTreeSet<String> {
    SEEN.lock().unwrap().clone()
}

/// The entry that an address is of: the one with the fewest places to fill.
fn operations(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let fits = |template: &str| {
        let wanted: Vec<&str> = template.trim_start_matches('/').split('/').collect();
        let is_open = wanted.last() == Some(&"{path}");
        let same = wanted
            .iter()
            .zip(&parts)
            .all(|(wanted, part)| wanted.starts_with('{') || wanted == part);
        same && (wanted.len() == parts.len() || (is_open && wanted.len() <= parts.len()))
    };
    DOCUMENT["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(template, _)| fits(template))
        // A method may be described under a wider template than another of the same address.
        .min_by_key(|(template, operations)| {
            (operations.get(method.to_ascii_lowercase()).is_none(), template.matches('{').count())
        })
        .map(|(template, operations)| (template.as_str(), operations))
}

/// Adds what is wrong with a value. `closed`: it has no members but those that are named; what a
/// part of an `allOf` does not name, another may.
fn check(schema: &Value, value: &Value, at: &str, closed: bool, wrong: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "description" => (),
            "$ref" => check(resolved(rule), value, at, false, wrong),
            "type" => {
                let is_of = |name: &Value| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("unknown type {other}"),
                };
                let fits = rule.as_array().map_or_else(|| is_of(rule), |all| all.iter().any(is_of));
                if !fits {
                    wrong.push(format!("{at}: {value} is no {rule}"));
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        check(schema, member, &format!("{at}.{name}"), true, wrong);
                    }
                }
            }
            "additionalProperties" => {
                let named = schema["properties"].as_object();
                for (name, member) in value.as_object().into_iter().flatten() {
                    let is_named = named.is_some_and(|named| named.contains_key(name));
                    if rule.is_object() && !is_named {
                        check(rule, member, &format!("{at}.{name}"), true, wrong);
                    }
                }
            }
            "required" => {
                for name in rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
                    if value.is_object() && value.get(name).is_none() {
                        wrong.push(format!("{at}: {name} is missing"));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, item, &format!("{at}[{index}]"), true, wrong);
                }
            }
            "allOf" => {
                for part in rule.as_array().unwrap() {
                    check(part, value, at, false, wrong);
                }
            }
            "anyOf" | "oneOf" => one_of(rule.as_array().unwrap(), value, at, wrong),
            "enum" => {
                if !rule.as_array().unwrap().contains(value) {
                    wrong.push(format!("{at}: {value} is none of {rule}"));
                }
            }
            "minimum" => {
                if value.as_f64().zip(rule.as_f64()).is_some_and(|(value, least)| value < least) {
                    wrong.push(format!("{at}: {value} is less than {rule}"));
                }
            }
            "format" => {
                let is_date = |text: &str| text.parse::<jiff::Timestamp>().is_ok();
                if rule == "date-time" && value.as_str().is_some_and(|text| !is_date(text)) {
                    wrong.push(format!("{at}: {value} is no date-time"));
                }
            }
            other => panic!("{at}: unknown keyword {other}"),
        }
    }
    if closed && let Some(members) = value.as_object() {
        let mut named = BTreeSet::new();
        let is_open = name_members(schema, &mut named);
        let strange = members.keys().filter(|name| !is_open && !named.contains(name.as_str()));
        wrong.extend(strange.map(|name| format!("{at}: {name} is not described")));
    }
}

/// At least one has to fit; the complaints are those of the nearest.
fn one_of(parts: &[Value], value: &Value, at: &str, wrong: &mut Vec<String>) {
    let complaints = parts.iter().map(|part| {
        let mut wrong = Vec::new();
        check(part, value, at, true, &mut wrong);
        wrong
    });
    let nearest = complaints.min_by_key(Vec::len).unwrap_or_default();
    wrong.extend(nearest);
}

/// Collects the members that a schema names; whether it lets others in.
fn name_members<'a>(schema: &'a Value, names: &mut BTreeSet<&'a str>) -> bool {
    let mut is_open = schema.get("additionalProperties").is_some();
    if let Some(properties) = schema["properties"].as_object() {
        names.extend(properties.keys().map(String::as_str));
    }
    if let Some(rule) = schema.get("$ref") {
        is_open |= name_members(resolved(rule), names);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        is_open |= name_members(part, names);
    }
    // Each of these was held closed by itself.
    is_open || schema.get("anyOf").is_some() || schema.get("oneOf").is_some()
}

fn resolved(reference: &Value) -> &'static Value {
    let pointer = reference.as_str().unwrap().trim_start_matches('#');
    DOCUMENT.pointer(pointer).unwrap()
}

#[test]
fn requests_are_checked_too() {
    let complaints = |method: &str, path: &str, body: &str| {
        std::panic::catch_unwind(|| hold_request(method, path, body)).is_err()
    };
    assert!(!complaints("PUT", "/match/policy", r#"{ "policy": "own" }"#));
    assert!(complaints("PUT", "/match/policy", r#"{ "policy": "all" }"#));
    assert!(!complaints("POST", "/jukebox", r#"{ "action": "skip", "index": 1 }"#));
    assert!(complaints("POST", "/jukebox", r#"{ "action": "skip" }"#), "which one?");
    assert!(complaints("POST", "/jukebox", r#"{ "action": "dance" }"#));
    assert!(complaints("POST", "/users", r#"{ "name": "kim", "password": "x", "age": 9 }"#));
    assert!(!complaints("POST", "/playback/expect", "{}"));
    assert!(complaints("POST", "/playback/expect", r#"{ "soon": true }"#), "it takes nothing");
}

#[test]
fn the_checker_can_say_no() {
    let complaints =
        |path: &str, body: &str| std::panic::catch_unwind(|| hold("GET", path, 200, body)).is_err();
    assert!(!complaints("/match/policy", r#"{ "policy": "own" }"#));
    assert!(complaints("/match/policy", r#"{ "policy": "all" }"#), "not one of these");
    assert!(complaints("/match/policy", "{}"), "something is missing");
    assert!(complaints("/match/policy", r#"{ "policy": "own", "more": 1 }"#), "something strange");
    assert!(complaints(
        "/genres",
        r#"{ "items": [{ "name": 1, "trackCount": 1, "albumCount": 1 }] }"#
    ));
    let usage = r#""quota": null, "used": 1, "reserved": 0, "exempt": 0, "reclaimable": 0,
        "overSince": null, "graceEnds": null"#;
    assert!(!complaints("/household", &format!("{{ {usage}, \"plan\": \"x\" }}")));
    assert!(complaints("/household", &format!("{{ {usage} }}")), "of the second part");
    assert!(complaints("/household", &format!("{{ {usage}, \"plan\": \"x\", \"more\": 1 }}")));
}
