//! Made libraries with the truth beside them, kept under `.cache/` for the next run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// A made library.
pub(crate) struct Corpus {
    pub(crate) library: PathBuf,
    /// One object a file.
    pub(crate) manifest: Vec<Value>,
}

/// The corpus of this name, made now if it is not there.
pub(crate) fn corpus(name: &str, options: &[&str]) -> Corpus {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = root.join(".cache/corpus");
    fs::create_dir_all(&all).unwrap();
    let lock = fs::File::create(all.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let folder = all.join(name);
    if !folder.join("summary.json").exists() {
        let _ = fs::remove_dir_all(&folder);
        let python = root.join(".cache/venv/bin/python");
        let made = Command::new(&python)
            .arg(root.join("tests/tools/make_corpus.py"))
            .arg(&folder)
            .args(options)
            .arg("--cache")
            .arg(all.join("payloads"))
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}; run tests/setup.sh", python.display()));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let manifest = fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    let manifest = manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Corpus { library: folder.join("library"), manifest }
}

impl Corpus {
    /// Entries of a type.
    pub(crate) fn of_type<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a Value> {
        self.manifest.iter().filter(move |row| row["type"] == wanted)
    }
}

/// Strings of an array.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The path of an entry; names that are no text are given in base64.
pub(crate) fn path_of(row: &Value) -> String {
    use base64::Engine as _;
    match row["path"].as_str() {
        Some(path) => path.to_owned(),
        None => {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(row["path_b64"].as_str().unwrap())
                .unwrap();
            tunelocker::catalog::path_text::encode(&bytes)
        }
    }
}
