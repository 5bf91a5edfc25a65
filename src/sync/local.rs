//! The folder here: its plain files, each with what tells it from all others, so that a file that
//! was moved, or whose root was renamed, need not be read again.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// What tells a file from others, and from itself after a change: device, inode, size, time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Identity(pub(super) u64, pub(super) u64, pub(super) u64, pub(super) i64);

impl Identity {
    pub(super) fn of(facts: &Metadata) -> Self {
        let modified =
            facts.mtime().saturating_mul(1_000_000_000).saturating_add(facts.mtime_nsec());
        Self(facts.dev(), facts.ino(), facts.size(), modified)
    }

    pub(super) fn size(self) -> u64 {
        self.2
    }
}

/// One file.
#[derive(Debug, Clone)]
pub(super) struct Local {
    /// Relative to the folder, `/` between names.
    pub(super) path: String,
    /// Where it is.
    pub(super) place: PathBuf,
    pub(super) identity: Identity,
}

/// What a walk finds.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<Local>,
    /// What cannot be brought: path as far as it can be shown, and why.
    pub(super) refused: Vec<(String, String)>,
}

/// What `pull` writes into until a file is whole.
pub(super) const PART: &str = ".tunelocker-part";

/// Every plain file below a folder, in the order of their paths.
pub(super) fn walk(root: &Path) -> std::io::Result<Tree> {
    let mut tree = Tree::default();
    let mut folders = vec![(root.to_owned(), String::new())];
    let mut is_first = true;
    while let Some((folder, above)) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            // Without the folder itself there is nothing to do; the rest can go on without a part.
            Err(error) if is_first => return Err(error),
            Err(error) => {
                tree.refused.push((above, format!("it cannot be listed: {error}")));
                continue;
            }
        };
        is_first = false;
        for entry in entries {
            let entry = entry?;
            let shown = entry.file_name().to_string_lossy().into_owned();
            let path = if above.is_empty() { shown } else { format!("{above}/{shown}") };
            let Ok(facts) = entry.path().symlink_metadata() else { continue };
            if entry.file_name().to_str().is_none() {
                tree.refused.push((path, "its name is not UTF-8".to_owned()));
            } else if facts.is_dir() {
                folders.push((entry.path(), path));
            } else if !facts.is_file() {
                tree.refused.push((path, "it is a link or no plain file".to_owned()));
            } else if !path.ends_with(PART) {
                tree.files.push(Local {
                    path,
                    place: entry.path(),
                    identity: Identity::of(&facts),
                });
            }
        }
    }
    tree.files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_files_are_found_and_others_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/c")).unwrap();
        for path in ["b/c/1", "a", "b/half.tunelocker-part"] {
            std::fs::write(root.join(path), path).unwrap();
        }
        std::os::unix::fs::symlink("a", root.join("link")).unwrap();
        let tree = walk(root).unwrap();
        let paths: Vec<&str> = tree.files.iter().map(|file| &*file.path).collect();
        assert_eq!(paths, ["a", "b/c/1"]);
        assert_eq!(tree.refused[0].0, "link");
        let before = tree.files[1].identity;
        std::fs::rename(root.join("b"), root.join("z")).unwrap();
        assert_eq!(walk(root).unwrap().files[1].identity, before, "renaming changes nothing");
        assert!(walk(&root.join("nowhere")).is_err());
    }
}
