//! Finding files by name: every word must occur in the name, whatever its case and accents.

use std::{
    collections::HashSet,
    io,
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::{Drive, EntryKind, Place, RelativePath, disk, put::blocking};
use crate::{Error, Result, accounts::Principal, clock::Millis};

/// Nobody who types a name waits longer for folders that only the disk knows of.
const PATIENCE: Duration = Duration::from_secs(1);

/// Something whose name fits.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Which of [`Drive::places`] it is in.
    pub place: usize,
    /// Where it is, below that place's root.
    pub path: RelativePath,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes; 0 for a folder.
    pub size: u64,
    /// When it was last changed; 0 for a folder.
    pub modified_at: Millis,
}

impl Drive {
    /// Files and folders whose names hold all words of `text`: in one place, or in all that the
    /// principal may look into. At most `most`, with the places. Folders without files, of which no row
    /// tells, come behind the others of their place; on a disk that answers slowly some may be left out.
    pub async fn find(
        &self,
        principal: &Principal,
        only: Option<&Place>,
        text: &str,
        most: usize,
    ) -> Result<(Vec<Place>, Vec<Hit>)> {
        let words: Vec<String> = text.split_whitespace().map(folded).collect();
        if words.is_empty() {
            return Err(Error::Invalid("Say what to look for".to_owned()));
        }
        let places = match only {
            Some(place) => vec![place.clone()],
            None => self.places(principal).await?,
        };
        let mut hits = Vec::new();
        for (at, place) in places.iter().enumerate() {
            if hits.len() < most {
                self.find_in(at, place, &words, most, &mut hits).await?;
                self.find_empty(at, place, &words, most, &mut hits).await?;
            }
        }
        Ok((places, hits))
    }

    async fn find_in(
        &self,
        at: usize,
        place: &Place,
        words: &[String],
        most: usize,
        hits: &mut Vec<Hit>,
    ) -> Result<()> {
        let (first, last) = if place.base.is_root() {
            (String::new(), "\u{10ffff}".to_owned())
        } else {
            super::rows::inside(place.base.as_str())
        };
        let mut rows = sqlx::query!(
            "select path, size_bytes, modified_ns from drive_file
             where locker_id = ? and ? <= path and path < ? and missing_at is null order by path",
            place.locker.0,
            first,
            last
        )
        .fetch(self.db.read());
        let mut folder = String::new();
        while let Some(row) = rows.try_next().await? {
            let path = row.path.get(first.len()..).unwrap_or_default();
            for new in new_folders(&folder, path) {
                if fits(new, words) {
                    hits.push(Hit {
                        place: at,
                        path: RelativePath::from_disk(new.to_owned()),
                        kind: EntryKind::Folder,
                        size: 0,
                        modified_at: 0,
                    });
                }
            }
            path.rsplit_once('/').map_or("", |(above, _)| above).clone_into(&mut folder);
            if fits(path, words) {
                hits.push(Hit {
                    place: at,
                    path: RelativePath::from_disk(path.to_owned()),
                    kind: EntryKind::File,
                    size: row.size_bytes.unsigned_abs(),
                    modified_at: row.modified_ns / 1_000_000,
                });
            }
            if most <= hits.len() {
                hits.truncate(most);
                break;
            }
        }
        Ok(())
    }
}

impl Drive {
    /// Folders that hold no file, at any depth.
    async fn find_empty(
        &self,
        at: usize,
        place: &Place,
        words: &[String],
        most: usize,
        hits: &mut Vec<Hit>,
    ) -> Result<()> {
        if most <= hits.len() {
            return Ok(());
        }
        let is_known = |hit: &&Hit| hit.place == at && hit.kind == EntryKind::Folder;
        let known: HashSet<String> =
            hits.iter().filter(is_known).map(|hit| hit.path.as_str().to_owned()).collect();
        let locker = self.accounts.any_locker(place.locker).await?.path;
        let disk = self.disk.clone();
        let (base, words, room) =
            (place.base.as_str().to_owned(), words.to_vec(), most - hits.len());
        let found = blocking(move || {
            let until = Instant::now() + PATIENCE;
            let mut found = Vec::new();
            let walked = disk.locker(&locker).and_then(|root| {
                disk::folders_below(&root, &base, |path| {
                    let inner = path.get(base.len()..).unwrap_or_default().trim_start_matches('/');
                    if fits(inner, &words) && !known.contains(inner) {
                        found.push(inner.to_owned());
                    }
                    found.len() < room && Instant::now() < until
                })
            });
            match walked {
                // Nothing was stored yet.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(found),
                walked => {
                    walked?;
                    found.sort();
                    Ok(found)
                }
            }
        })
        .await?;
        hits.extend(found.into_iter().map(|path| Hit {
            place: at,
            path: RelativePath::from_disk(path),
            kind: EntryKind::Folder,
            size: 0,
            modified_at: 0,
        }));
        Ok(())
    }
}

/// Folders above `path` that are not `before` or above it: those that a walk enters here.
fn new_folders<'a>(before: &str, path: &'a str) -> Vec<&'a str> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.map(|end| &path[..end])
        .filter(|folder| {
            !before
                .strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
        .collect()
}

fn fits(path: &str, words: &[String]) -> bool {
    let name = folded(path.rsplit('/').next().unwrap_or(path));
    words.iter().all(|word| name.contains(word.as_str()))
}

/// Without case and accents.
fn folded(text: &str) -> String {
    text.nfd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fit_names_without_case_and_accents() {
        let words = |text: &str| text.split_whitespace().map(folded).collect::<Vec<_>>();
        assert!(fits("Music/Björk/05 Jóga.flac", &words("joga 05")));
        assert!(fits("Music/BJO\u{308}RK", &words("björ")));
        assert!(!fits("Björk/05 Jóga.flac", &words("björk")), "a folder's name is not the file's");
    }

    #[test]
    fn each_folder_is_entered_once() {
        assert_eq!(new_folders("", "a/b/c"), ["a", "a/b"]);
        assert_eq!(new_folders("a/b", "a/b/d"), Vec::<&str>::new());
        assert_eq!(new_folders("a/b", "a/bc/d"), ["a/bc"]);
        assert_eq!(new_folders("a/b/c", "a/d"), Vec::<&str>::new());
    }
}
