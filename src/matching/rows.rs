//! What the rows know of bytes that are here, bounded by what the policy lets a principal meet:
//! the own lockers and the libraries he may read, or everything.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, hash_map::Entry},
};

use futures_util::TryStreamExt as _;

use super::{DuplicateFile, MOST_PLACES, Matching};
use crate::{
    Result,
    accounts::{MatchPolicy, Principal},
    drive::composed,
    ids::{LibraryId, LockerId},
};

/// Where bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a locker: the row of the file.
    Locker { file: i64 },
    /// In a watched folder: the row of the file.
    Folder { file: i64 },
}

/// A file whose bytes are, or may be, those that were asked for.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) place: Place,
}

impl Candidate {
    fn of(is_locker: bool, file: i64) -> Self {
        let place = if is_locker { Place::Locker { file } } else { Place::Folder { file } };
        Self { place }
    }
}

/// Hash or key, and size.
pub(super) type Key = ([u8; 32], u64);

/// Where a locker has a content.
#[derive(Debug, Default)]
pub(super) struct Had {
    /// How often.
    pub(super) count: u64,
    /// The first of the paths, in their order.
    first: Vec<String>,
    /// Those of the paths that were asked about, composed.
    wanted: HashSet<String>,
}

impl Had {
    fn add(&mut self, path: String, is_wanted: bool) {
        self.count += 1;
        if is_wanted {
            self.wanted.insert(composed(&path).into_owned());
        }
        let at = self.first.partition_point(|each| *each < path);
        if at < MOST_PLACES {
            self.first.insert(at, path);
            self.first.truncate(MOST_PLACES);
        }
    }

    /// Whether it is at this path, which was asked about, however its accents are composed.
    pub(super) fn is_at(&self, path: &str) -> bool {
        self.wanted.contains(&*composed(path))
    }

    /// A few of the paths, this one first if it is one of them, spelled as it was asked about.
    pub(super) fn places(&self, path: &str) -> Vec<String> {
        let own = self.is_at(path).then(|| path.to_owned());
        let others = self.first.iter().filter(|each| composed(each) != composed(path)).cloned();
        own.into_iter().chain(others).take(MOST_PLACES).collect()
    }
}

/// Which files may be met.
pub(super) struct Reach {
    /// Ids of libraries as JSON text; `None` is all of them.
    libraries: Option<String>,
}

impl Reach {
    /// One library alone.
    pub(super) fn to(library: LibraryId) -> Self {
        Self { libraries: Some(format!("[{}]", library.0)) }
    }

    /// None at all.
    pub(super) fn nothing() -> Self {
        Self { libraries: Some("[]".to_owned()) }
    }

    /// What a policy opens to a principal; `None` is nothing.
    pub(super) fn of(policy: MatchPolicy, principal: &Principal) -> Option<Self> {
        match policy {
            MatchPolicy::Off => None,
            MatchPolicy::Own => Some(Self { libraries: Some(principal.libraries_json()) }),
            MatchPolicy::Server => Some(Self { libraries: None }),
        }
    }
}

impl Matching {
    /// Where a locker has each content: few places however many there are, and which of the
    /// `wanted` ones. Rows pass one by one, for a locker may hold one content any number of times.
    pub(super) async fn had(
        &self,
        locker: LockerId,
        hashes: &str,
        wanted: &HashSet<(Key, Cow<'_, str>)>,
        is_open: impl Fn(&str) -> bool,
    ) -> Result<HashMap<Key, Had>> {
        let mut rows = sqlx::query!(
            r#"select content_hash as "hash!: Vec<u8>", size_bytes, path from drive_file
               where content_hash in (select unhex(value) from json_each(?1))
                 and content_hash is not null and locker_id = ?2 and missing_at is null"#,
            hashes,
            locker.0
        )
        .fetch(self.parts.db.read());
        let mut had: HashMap<Key, Had> = HashMap::new();
        while let Some(row) = rows.try_next().await? {
            if let Ok(hash) = row.hash.try_into()
                && is_open(&row.path)
            {
                let key = (hash, row.size_bytes.unsigned_abs());
                let is_wanted = wanted.contains(&(key, composed(&row.path)));
                had.entry(key).or_default().add(row.path, is_wanted);
            }
        }
        Ok(had)
    }

    /// One file for each content that is within reach; those in lockers first, for they can be
    /// linked, unless they point into a folder themselves.
    pub(super) async fn within_reach(
        &self,
        reach: &Reach,
        hashes: &str,
    ) -> Result<HashMap<Key, Candidate>> {
        let libraries = reach.libraries.as_deref();
        let mut rows = sqlx::query!(
            r#"select f.content_hash as "hash!: Vec<u8>", f.size_bytes as "size!: i64",
                      f.drive_file_id as "file!: i64", 1 as "is_locker!: bool",
                      iif(f.reference_id is null, 0, 1) as "turn!: i64"
               from drive_file f join library b on b.locker_id = f.locker_id
               where f.content_hash in (select unhex(value) from json_each(?1))
                 and f.content_hash is not null and f.missing_at is null and b.is_active = 1
                 and (?2 is null or b.library_id in (select value from json_each(?2)))
               union all
               select h.content_hash, m.size_bytes, m.media_file_id, 0, 2
               from folder_hash h join media_file m using (media_file_id) join library b using (library_id)
               where h.content_hash in (select unhex(value) from json_each(?1))
                 and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns
                 and b.kind = 'folder' and b.is_active = 1
                 and (?2 is null or b.library_id in (select value from json_each(?2)))"#,
            hashes,
            libraries
        )
        .fetch(self.parts.db.read());
        // Rows pass one by one: of each content the one whose turn is first stays.
        let mut found: HashMap<Key, (i64, Candidate)> = HashMap::new();
        while let Some(row) = rows.try_next().await? {
            let size = row.size.unsigned_abs();
            if let Ok(hash) = row.hash.try_into() {
                let candidate = Candidate::of(row.is_locker, row.file);
                match found.entry((hash, size)) {
                    Entry::Occupied(mut known) if row.turn < known.get().0 => {
                        known.insert((row.turn, candidate));
                    }
                    Entry::Occupied(_) => (),
                    Entry::Vacant(place) => {
                        place.insert((row.turn, candidate));
                    }
                }
            }
        }
        Ok(found.into_iter().map(|(key, (_, candidate))| (key, candidate)).collect())
    }

    /// Files that begin alike and are as long. Of those in watched folders the whole hash may not
    /// be known yet.
    pub(super) async fn alike(
        &self,
        reach: &Reach,
        quick_keys: &str,
        only: Only,
    ) -> Result<HashMap<Key, Candidate>> {
        let libraries = reach.libraries.as_deref();
        let only_unhashed = only == Only::Unhashed;
        let mut rows = sqlx::query!(
            r#"select f.quick_key as "quick_key!: Vec<u8>", f.size_bytes as "size!: i64",
                      f.drive_file_id as "file!: i64", 1 as "is_locker!: bool"
               from drive_file f join library b on b.locker_id = f.locker_id
               where substr(f.quick_key, 1, 8) in (select unhex(substr(value, 1, 16)) from json_each(?1))
                 and f.quick_key is not null and f.missing_at is null and b.is_active = 1
                 and (?2 is null or b.library_id in (select value from json_each(?2)))
                 and (not ?3 or f.content_hash is null)
               union all
               select m.quick_key, m.size_bytes, m.media_file_id, 0
               from media_file m join library b using (library_id)
               where substr(m.quick_key, 1, 8) in (select unhex(substr(value, 1, 16)) from json_each(?1))
                 and m.quick_key is not null and b.kind = 'folder' and b.is_active = 1
                 and (?2 is null or b.library_id in (select value from json_each(?2)))
                 and (not ?3 or not exists (
                     select 1 from folder_hash h where h.media_file_id = m.media_file_id
                     and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns))"#,
            quick_keys,
            libraries,
            only_unhashed
        )
        .fetch(self.parts.db.read());
        let mut found: HashMap<Key, Candidate> = HashMap::new();
        while let Some(row) = rows.try_next().await? {
            let size = row.size.unsigned_abs();
            if let Ok(key) = row.quick_key.try_into() {
                found.entry((key, size)).or_insert(Candidate::of(row.is_locker, row.file));
            }
        }
        Ok(found)
    }

    /// Files of a locker that begin so, with their paths.
    pub(super) async fn beginnings_in(
        &self,
        locker: LockerId,
        quick_keys: &str,
    ) -> Result<Vec<(String, Key)>> {
        let rows = sqlx::query!(
            r#"select path, quick_key as "quick_key!: Vec<u8>", size_bytes from drive_file
               where substr(quick_key, 1, 8) in (select unhex(substr(value, 1, 16)) from json_each(?1))
                 and quick_key is not null and missing_at is null and locker_id = ?2"#,
            quick_keys,
            locker.0
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                Some((row.path, (row.quick_key.try_into().ok()?, row.size_bytes.unsigned_abs())))
            })
            .collect())
    }

    /// Sizes of files in a locker of which nothing is known yet but that.
    pub(super) async fn unknown_sizes(&self, locker: LockerId) -> Result<Vec<u64>> {
        let sizes = sqlx::query_scalar!(
            "select distinct size_bytes from drive_file
             where (content_hash is null or quick_key is null) and missing_at is null
               and locker_id = ?",
            locker.0
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(sizes.into_iter().map(i64::unsigned_abs).collect())
    }

    /// Where a duplicate is.
    pub(super) async fn place_of(&self, file: &DuplicateFile) -> Result<Option<Place>> {
        let row = sqlx::query!(
            r#"select (select f.drive_file_id from drive_file f join library b on b.locker_id = f.locker_id
                       where b.library_id = ?1 and f.path = ?2 and f.missing_at is null) as "locker?: i64",
                      (select m.media_file_id from media_file m join library b using (library_id)
                       where m.library_id = ?1 and m.path = ?2 and b.kind = 'folder') as "folder?: i64""#,
            file.library,
            file.path
        )
        .fetch_one(self.parts.db.read())
        .await?;
        let of_locker = row.locker.map(|file| Place::Locker { file });
        Ok(of_locker.or(row.folder.map(|file| Place::Folder { file })))
    }

    /// Where a file of a locker is: the locker and the path.
    pub(super) async fn locker_file(&self, file: i64) -> Result<Option<LockerFile>> {
        let row = sqlx::query!(
            "select locker_id, path, size_bytes, modified_ns from drive_file
             where drive_file_id = ? and missing_at is null",
            file
        )
        .fetch_optional(self.parts.db.read())
        .await?;
        Ok(row.map(|row| LockerFile {
            locker: row.locker_id.into(),
            path: row.path,
            size: row.size_bytes.unsigned_abs(),
            modified_ns: row.modified_ns,
        }))
    }

    /// Where a file of a watched folder is.
    pub(super) async fn folder_file(&self, file: i64) -> Result<Option<FolderFile>> {
        let row = sqlx::query!(
            r#"select l.library_id, l.path as root, m.path, m.size_bytes, m.modified_ns
               from media_file m join library l using (library_id)
               where m.media_file_id = ? and l.kind = 'folder' and l.is_active = 1"#,
            file
        )
        .fetch_optional(self.parts.db.read())
        .await?;
        Ok(row.map(|row| FolderFile {
            library: row.library_id.into(),
            root: row.root,
            path: row.path,
            size: row.size_bytes.unsigned_abs(),
            modified_ns: row.modified_ns,
        }))
    }
}

/// Which of the files that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    /// All.
    All,
    /// Those whose content hash is not known.
    Unhashed,
}

/// A file of a locker as its row knows it.
pub(super) struct LockerFile {
    pub(super) locker: LockerId,
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) modified_ns: i64,
}

/// A file of a watched folder as its row knows it.
pub(super) struct FolderFile {
    pub(super) library: LibraryId,
    pub(super) root: String,
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) modified_ns: i64,
}
