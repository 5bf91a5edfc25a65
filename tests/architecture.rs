//! The rules of the codebase that a compiler does not check. The map is in `src/lib.rs`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a top-level module may import of those that stand above it in [`LAYERS`].
enum May {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

use May::{AllBut, Only};

/// Read downwards: a module sees only those above it.
const LAYERS: &[(&str, May)] = &[
    ("error", Only(&[])),
    ("storage", Only(&["error"])),
    ("ids", Only(&[])),
    ("clock", Only(&[])),
    ("path_text", Only(&[])),
    ("body", Only(&["clock"])),
    ("zip", Only(&["clock", "body"])),
    ("xml", Only(&[])),
    ("watch", Only(&[])),
    ("egress", Only(&["error", "clock"])),
    ("media", Only(&["error", "xml"])),
    // The decode worker is a program of its own: one file of media, and nothing of the house.
    ("bin", Only(&["media", "error"])),
    ("config", AllBut(&["body", "bin"])),
    ("events", AllBut(&["body", "bin", "config"])),
    ("db", AllBut(&["body", "bin", "config", "events"])),
    ("accounts", AllBut(&["body", "bin"])),
    ("drive", AllBut(&["bin"])),
    ("catalog", AllBut(&["bin", "drive"])),
    ("ingest", AllBut(&["bin"])),
    ("playback", AllBut(&["bin", "ingest"])),
    ("analysis", AllBut(&["bin", "db"])),
    ("matching", AllBut(&["body", "bin", "analysis"])),
    ("outside", AllBut(&["body", "bin", "ingest"])),
    ("moving", Only(&["error", "clock", "xml", "accounts", "catalog", "outside", "ids"])),
    ("http", Only(&["error", "ids", "clock", "body", "config", "db", "accounts"])),
    ("ops", Only(&["error", "storage", "ids", "clock", "media", "config", "db", "accounts"])),
    ("protocols", AllBut(&["bin", "db", "ops"])),
    ("web", AllBut(&["bin", "db", "protocols"])),
    // The other end: knows the server by its HTTP API alone.
    ("sync", Only(&["egress"])),
    ("app", AllBut(&["bin"])),
    ("cli", AllBut(&["bin"])),
];

/// Whether `module` may import `import`; `None` when it has no place in [`LAYERS`].
fn may_import(module: &str, import: &str) -> Option<bool> {
    let place = |name: &str| LAYERS.iter().position(|(layer, _)| *layer == name);
    let (own, other) = (place(module)?, place(import));
    Some(match (&LAYERS[own].1, other) {
        (_, None) => true,
        (_, Some(other)) if other == own => true,
        (_, Some(other)) if own < other => false,
        (Only(these), _) => these.contains(&import),
        (AllBut(these), _) => !these.contains(&import),
    })
}

/// Words that belong to some modules only.
const RESERVED: &[(&str, &[&str])] = &[
    (
        "sqlx::",
        &[
            "error", "ids", "db", "accounts", "drive", "catalog", "ingest", "playback", "matching",
            "outside", "moving", "app", "cli",
        ],
    ),
    ("actix_web::", &["http", "protocols", "web", "app"]),
    ("SystemTime::now", &["clock"]),
    ("ffmpeg_next", &["bin"]),
    ("hyper_util::", &["egress", "sync"]),
    ("reqwest::", &[]),
];

/// A file that is longer holds more than one idea.
const MAX_LINES: usize = 450;

/// Files that are longer than the rest may be, and why. The list only shrinks.
const LONG_FILES: &[(&str, &str)] = &[];

#[test]
fn modules_import_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = top_module(&path);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        if may_import(&module, &module).is_none() {
            wrong.push(format!("{}: `{module}` has no place in LAYERS", path.display()));
        }
        // The programs name the crate; its own modules do not.
        let root = if module == "bin" { "tunelocker::" } else { "crate::" };
        for import in imports_from(root, &text) {
            if may_import(&module, &import) == Some(false) {
                wrong.push(format!("{}: may not import `{import}`", path.display()));
            }
        }
        for line in text.lines().filter(|line| climbs_out(&path, line)) {
            wrong.push(format!("{}: says `{line}` for a path from the crate", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_names_modules_that_stand_above() {
    for (at, (module, May::Only(these) | May::AllBut(these))) in LAYERS.iter().enumerate() {
        for name in *these {
            let above = LAYERS[..at].iter().any(|(layer, _)| layer == name);
            assert!(above, "{module}: `{name}` does not stand above it");
        }
    }
}

/// Each rule here must be able to say no.
#[test]
fn the_wall_stops_what_it_should() {
    assert_eq!(may_import("catalog", "accounts"), Some(true));
    assert_eq!(may_import("catalog", "drive"), Some(false));
    assert_eq!(may_import("playback", "ingest"), Some(false));
    assert_eq!(may_import("accounts", "web"), Some(false));
    assert_eq!(may_import("bin", "db"), Some(false));
    assert_eq!(may_import("nowhere", "error"), None);
    let text = "use crate::{error::Result, db, catalog::{write, Page}};\nuse crate::media::x;";
    assert_eq!(imports_from("crate::", text), ["error", "db", "catalog", "media"]);
    let inner = Path::new("web/api/albums.rs");
    assert!(climbs_out(inner, "use super::super::super::db;"));
    assert!(!climbs_out(inner, "use super::super::pages;"));
    assert!(climbs_out(Path::new("web/mod.rs"), "use super::db;"));
    assert!(!climbs_out(Path::new("error.rs"), "    use super::*;"));
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

/// Whether a line at the top of a file climbs by `super` to the crate's root, past this table.
fn climbs_out(path: &Path, line: &str) -> bool {
    let Some(rest) = line.strip_prefix("use ").or_else(|| line.strip_prefix("pub use ")) else {
        return false;
    };
    let depth = path.iter().count() - usize::from(path.ends_with("mod.rs"));
    depth <= rest.split("::").take_while(|part| *part == "super").count()
}

/// The first segment of each path from `root`, those inside `root{…}` too.
fn imports_from(root: &str, text: &str) -> Vec<String> {
    let mut imports = Vec::new();
    for (at, root) in text.match_indices(root) {
        let rest = &text[at + root.len()..];
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
