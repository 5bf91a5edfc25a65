//! As much of OpenAPI 3 as the published document uses. A keyword that is not known here is a
//! mistake, so that a newer document cannot be half checked.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

/// Where the published document is wrong or behind: type and member that it does not have.
const KNOWN_DEFECTS: &[(&str, &str)] = &[
    // Members that servers add and its own text allows.
    ("ScanStatus", "folderCount"),
    ("ScanStatus", "lastScan"),
    ("ArtistsID3", "lastModified"),
    ("ArtistID3", "userRating"),
    ("ArtistID3", "averageRating"),
    ("ArtistWithAlbumsID3", "userRating"),
    ("ArtistWithAlbumsID3", "averageRating"),
    ("Artist", "coverArt"),
    ("User", "email"),
    ("JukeboxStatus", "gain"),
    ("JukeboxPlaylist", "gain"),
];

/// What it calls otherwise than its own text, the schema of XML, and every app: its name, ours.
const OTHER_NAMES: &[(&str, &str)] = &[("volume", "gain")];

/// The published document.
pub(crate) struct OpenApi(Value);

impl OpenApi {
    pub(crate) fn open(folder: &Path) -> Self {
        let path = folder.join("opensubsonic-openapi/openapi.bundled.json");
        Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    /// What is wrong with a JSON answer of this method.
    pub(crate) fn check(&self, method: &str, answer: &Value) -> Vec<String> {
        let path = &self.0["paths"][format!("/rest/{method}")];
        // What takes JSON is there by POST alone.
        let operation = path.get("get").unwrap_or(&path["post"]);
        let response = &operation["responses"]["200"];
        let mut wrong = Vec::new();
        if let Some(path) = response["$ref"].as_str() {
            // It says what stands in the envelope, and leaves that away.
            let name = path.rsplit('/').next().unwrap();
            let response = &self.0["components"]["responses"][name];
            assert!(response.is_object(), "no response {name}");
            let schema = &response["content"]["application/json"]["schema"];
            // Of bytes nothing is said.
            if schema.is_null() {
                return wrong;
            }
            self.value(schema, &answer["subsonic-response"], method, &mut wrong);
            return wrong;
        }
        let schema = &response["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let name = name.unwrap_or("SubsonicResponse");
        self.named(name, answer, method, &mut wrong);
        wrong
    }

    fn named(&self, name: &str, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let schema = &self.0["components"]["schemas"][name];
        assert!(schema.is_object(), "no schema {name}");
        self.value(schema, value, at, wrong);
        let mut declared = BTreeSet::new();
        self.members(schema, &mut declared);
        if let (Some(object), false) = (value.as_object(), declared.is_empty()) {
            for member in object.keys() {
                let is_known = KNOWN_DEFECTS.contains(&(name, member.as_str()));
                if !declared.contains(member.as_str()) && !is_known {
                    wrong.push(format!("{at}.{member}: {name} has no such member"));
                }
            }
        }
    }

    fn value(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "description" | "externalDocs" | "title" | "example" | "default" => (),
                "$ref" => {
                    let name = rule.as_str().unwrap().rsplit('/').next().unwrap();
                    // A type that extends another one declares its members there.
                    self.value(&self.0["components"]["schemas"][name], value, at, wrong);
                }
                "type" => {
                    let fits = match rule.as_str().unwrap() {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "integer" => value.is_i64() || value.is_u64(),
                        "number" => value.is_number(),
                        "boolean" => value.is_boolean(),
                        other => panic!("unknown type {other}"),
                    };
                    if !fits {
                        wrong.push(format!("{at}: {value} is no {rule}"));
                    }
                }
                "properties" => {
                    for (name, schema) in rule.as_object().unwrap() {
                        if let Some(member) = value.get(name) {
                            self.member(schema, member, &format!("{at}.{name}"), wrong);
                        }
                    }
                }
                "required" => {
                    for name in rule.as_array().unwrap() {
                        let name = name.as_str().unwrap();
                        let ours = OTHER_NAMES.iter().find(|(its, _)| *its == name);
                        let ours = ours.map_or(name, |(_, ours)| ours);
                        if value.is_object() && value.get(ours).is_none() {
                            wrong.push(format!("{at}: {name} is missing"));
                        }
                    }
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.member(rule, item, &format!("{at}[{index}]"), wrong);
                    }
                }
                "allOf" => {
                    for part in rule.as_array().unwrap() {
                        self.value(part, value, at, wrong);
                    }
                }
                "oneOf" => self.one_of(rule.as_array().unwrap(), value, at, wrong),
                "enum" => {
                    if !rule.as_array().unwrap().contains(value) {
                        wrong.push(format!("{at}: {value} is none of {rule}"));
                    }
                }
                "minimum" | "maximum" => {
                    if let (Some(number), Some(bound)) = (value.as_f64(), rule.as_f64()) {
                        let fits =
                            if keyword == "minimum" { number >= bound } else { number <= bound };
                        if !fits {
                            wrong.push(format!("{at}: {number} is beyond {keyword} {bound}"));
                        }
                    }
                }
                "minItems" => {
                    let least = rule.as_u64().unwrap() as usize;
                    if value.as_array().is_some_and(|items| items.len() < least) {
                        wrong.push(format!("{at}: fewer than {least}"));
                    }
                }
                "format" => check_format(rule.as_str().unwrap(), value, at, wrong),
                other => panic!("unknown keyword {other}"),
            }
        }
    }

    /// A member's value: a named type also knows which members it has.
    fn member(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        match schema["$ref"].as_str() {
            Some(path) => self.named(path.rsplit('/').next().unwrap(), value, at, wrong),
            None => self.value(schema, value, at, wrong),
        }
    }

    /// Exactly one has to fit; the complaints are those of the nearest.
    fn one_of(&self, parts: &[Value], value: &Value, at: &str, wrong: &mut Vec<String>) {
        let mut tries: Vec<Vec<String>> = parts
            .iter()
            .map(|part| {
                let mut wrong = Vec::new();
                self.member(part, value, at, &mut wrong);
                wrong
            })
            .collect();
        match tries.iter().filter(|wrong| wrong.is_empty()).count() {
            1 => (),
            0 => {
                tries.sort_by_key(Vec::len);
                wrong.extend(tries.swap_remove(0));
            }
            many => wrong.push(format!("{at}: fits {many} of the choices")),
        }
    }

    fn members<'a>(&'a self, schema: &'a Value, names: &mut BTreeSet<&'a str>) {
        if let Some(properties) = schema["properties"].as_object() {
            names.extend(properties.keys().map(String::as_str));
        }
        if let Some(path) = schema["$ref"].as_str() {
            let name = path.rsplit('/').next().unwrap();
            self.members(&self.0["components"]["schemas"][name], names);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.members(part, names);
        }
    }
}

fn check_format(format: &str, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if format == "date-time" {
        let is_date = value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
        if !is_date {
            wrong.push(format!("{at}: {value} is no date-time"));
        }
    }
}
