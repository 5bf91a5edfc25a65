//! Libraries drawn by `tests/tools/make_corpus.py`, with the manifest that says what is in them.
//! Made once and kept under `.cache`; tests only read them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// A library and the truth about it.
pub(crate) struct Corpus {
    /// The folder with the music.
    pub(crate) library: PathBuf,
    /// The manifest's rows.
    pub(crate) rows: Vec<Value>,
}

impl Corpus {
    /// A library of so many tracks, with files that try to do harm.
    pub(crate) fn hostile(tracks: usize) -> Self {
        Self::open(&format!("hostile-{tracks}"), &["--tracks", &tracks.to_string(), "--hostile"])
    }

    /// A library of so many tracks.
    pub(crate) fn clean(tracks: usize) -> Self {
        Self::open(&format!("clean-{tracks}"), &["--tracks", &tracks.to_string()])
    }

    fn open(name: &str, arguments: &[&str]) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let cache = here.join(".cache/corpora");
        fs::create_dir_all(&cache).unwrap();
        let made = cache.join(name);
        // Tests run in processes of their own: the first one makes it, the others wait.
        let lock = fs::File::create(cache.join(format!("{name}.lock"))).unwrap();
        lock.lock().unwrap();
        if !made.join("summary.json").exists() {
            let _ = fs::remove_dir_all(&made);
            let python = here.join(".cache/venv/bin/python");
            assert!(python.exists(), "{} is missing: run tests/setup.sh", python.display());
            let made_it = Command::new(python)
                .arg(here.join("tests/tools/make_corpus.py"))
                .arg(&made)
                .args(arguments)
                .args(["--jobs", "2", "--cache"])
                .arg(cache.join("payloads"))
                .status()
                .unwrap();
            assert!(made_it.success());
        }
        let manifest = fs::read_to_string(made.join("manifest.jsonl")).unwrap();
        let rows = manifest.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
        Self { library: made.join("library"), rows }
    }

    /// The rows of a type: `track`, `hostile`, `cue`, `playlist`, `cover`, `lyrics`.
    pub(crate) fn of_type<'c>(&'c self, kind: &'c str) -> impl Iterator<Item = &'c Value> {
        self.rows.iter().filter(move |row| row["type"] == kind)
    }
}
