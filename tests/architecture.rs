//! The rules of the codebase that a compiler does not check. The map is in `src/lib.rs`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What each top-level module may import. Read downwards: a module sees only those above it.
const LAYERS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("ids", &[]),
    ("clock", &[]),
    ("body", &["clock"]),
    ("media", &["error"]),
    ("config", &["error", "ids", "clock", "media"]),
    ("events", &["error", "ids", "clock", "media"]),
    ("db", &["error", "ids", "clock", "media"]),
    ("accounts", &["error", "ids", "clock", "media", "config", "events", "db"]),
    ("drive", &["error", "ids", "clock", "body", "media", "config", "events", "db", "accounts"]),
    ("catalog", &["error", "ids", "clock", "body", "media", "config", "events", "db", "accounts"]),
    (
        "ingest",
        &[
            "error", "ids", "clock", "body", "media", "config", "events", "db", "accounts",
            "drive", "catalog",
        ],
    ),
    (
        "playback",
        &[
            "error", "ids", "clock", "body", "media", "config", "events", "db", "accounts",
            "drive", "catalog",
        ],
    ),
    ("http", &["error", "ids", "clock", "body", "config", "db", "accounts"]),
    ("ops", &["error", "ids", "clock", "config", "db", "accounts"]),
    (
        "protocols",
        &[
            "error", "ids", "clock", "body", "media", "config", "events", "accounts", "drive",
            "catalog", "ingest", "playback", "http",
        ],
    ),
    (
        "web",
        &[
            "error", "ids", "clock", "body", "media", "config", "events", "accounts", "drive",
            "catalog", "ingest", "playback", "http", "ops",
        ],
    ),
    (
        "app",
        &[
            "error",
            "ids",
            "clock",
            "body",
            "media",
            "config",
            "events",
            "db",
            "accounts",
            "drive",
            "catalog",
            "ingest",
            "playback",
            "http",
            "ops",
            "protocols",
            "web",
        ],
    ),
    (
        "cli",
        &[
            "error",
            "ids",
            "clock",
            "body",
            "media",
            "config",
            "events",
            "db",
            "accounts",
            "drive",
            "catalog",
            "ingest",
            "playback",
            "http",
            "ops",
            "protocols",
            "web",
            "app",
        ],
    ),
    ("bin", &["media", "error"]),
];

/// Words that belong to some modules only.
const RESERVED: &[(&str, &[&str])] = &[
    (
        "sqlx::",
        &["error", "ids", "db", "accounts", "drive", "catalog", "ingest", "playback", "app", "cli"],
    ),
    ("actix_web::", &["http", "protocols", "web", "app"]),
    ("SystemTime::now", &["clock"]),
    ("ffmpeg_next", &["bin"]),
];

const MAX_LINES: usize = 450;

/// Files that are longer than the rest may be, and why. The list only shrinks.
const LONG_FILES: &[(&str, &str)] = &[];

#[test]
fn modules_import_only_what_lies_below_them() {
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = top_module(&path);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let Some(allowed) = layers.get(module.as_str()) else {
            wrong.push(format!("{}: `{module}` has no place in LAYERS", path.display()));
            continue;
        };
        for import in crate_imports(&text) {
            let is_module = layers.contains_key(import.as_str());
            if is_module && import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: may not import `{import}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn layers_have_no_cycle() {
    for (position, (module, allowed)) in LAYERS.iter().enumerate() {
        for import in *allowed {
            let found = LAYERS.iter().position(|(name, _)| name == import);
            assert!(found.is_some_and(|found| found < position), "{module} -> {import}");
        }
    }
}

#[test]
fn protocols_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let mut parts = path.iter().map(|part| part.to_string_lossy());
        if parts.next().as_deref() != Some("protocols") {
            continue;
        }
        let own = parts.next().unwrap_or_default();
        let own = own.trim_end_matches(".rs");
        for (at, _) in text.match_indices("protocols::") {
            let other = identifier(&text[at + "protocols::".len()..]);
            if other != own {
                wrong.push(format!("{}: may not import `protocols::{other}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn reserved_words_stay_in_their_modules() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (word, owners) in RESERVED {
            if text.contains(word) && !owners.contains(&top_module(&path).as_str()) {
                wrong.push(format!("{}: `{word}` belongs in {owners:?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let name = path.to_string_lossy();
        let lines = text.lines().count();
        let excused = LONG_FILES.iter().any(|(long, _)| *long == name);
        if MAX_LINES < lines && !excused {
            wrong.push(format!("{name}: {lines} lines, over {MAX_LINES}"));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{name}: does not open with `//!`"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every Rust file under `src`, as its path from there and its text.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path.strip_prefix(&root).expect("under src").to_owned(), text));
            }
        }
    }
    found
}

fn top_module(path: &Path) -> String {
    let first = path.iter().next().expect("a path").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The first segment of each `crate::` path, those inside `crate::{…}` too.
fn crate_imports(text: &str) -> Vec<String> {
    let mut imports = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => imports.push(identifier(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (at, letter) in group.char_indices() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        letter if start && !letter.is_whitespace() => {
                            imports.push(identifier(&group[at..]));
                            start = false;
                        }
                        _ => (),
                    }
                }
            }
        }
    }
    imports
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
