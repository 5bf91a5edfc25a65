//! What really lies on a drive, seen without the product, and what its rows say of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use sqlx::{
    Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use super::api::Api;
use crate::harness::daemon::Folders;

/// BLAKE3 of a file.
pub(super) type Hash = [u8; 32];

/// Everything below a drive's root, by its bytes.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Path, hash and size: of the administrator's locker as they are called there, of others behind
    /// `household:`, `user:NAME/` and, put away with its owner, `removed:NAME/`.
    pub(super) files: BTreeMap<String, (Hash, u64)>,
    /// Where it was, and its hash.
    pub(super) trash: Vec<(String, Hash)>,
    /// What file it was, and its hash.
    pub(super) versions: Vec<(String, Hash)>,
    /// Bytes in trash and versions, by what begins the paths of their locker.
    kept: BTreeMap<String, u64>,
    /// Names in staging.
    staged: Vec<String>,
    /// What has no business here.
    strange: Vec<String>,
}

impl Seen {
    pub(super) fn of(folders: &Folders) -> io::Result<Self> {
        let mut seen = Self::default();
        for (path, file) in tree(&folders.drive)? {
            let parts: Vec<&str> = path.split('/').collect();
            match parts.as_slice() {
                [".tunelocker-drive" | ".tunelocker-reserve"] => (),
                ["staging", name] => seen.staged.push((*name).to_owned()),
                // It waits to be delivered, and goes then.
                ["drop", ..] => (),
                ["lockers", owner, inner @ ..] => {
                    let path =
                        format!("{}{}", beginning(&format!("lockers/{owner}")), inner.join("/"));
                    seen.files.insert(path, (hash(&file)?, fs::metadata(&file)?.len()));
                }
                ["household", inner @ ..] => {
                    let path = format!("household:{}", inner.join("/"));
                    seen.files.insert(path, (hash(&file)?, fs::metadata(&file)?.len()));
                }
                ["removed", whose, inner @ ..] => {
                    let owner = whose.split('-').next().unwrap_or_default();
                    let path = format!("removed:{owner}/{}", inner.join("/"));
                    seen.files.insert(path, (hash(&file)?, fs::metadata(&file)?.len()));
                }
                [shelf @ ("trash" | "versions"), owner, id, ..] if 3 < parts.len() => {
                    let note = folders.drive.join(shelf).join(owner).join(format!("{id}.origin"));
                    let origin = fs::read_to_string(note).unwrap_or_else(|_| "?".to_owned());
                    let whose = match *owner {
                        "household" => beginning("household"),
                        owner => beginning(&format!("lockers/{owner}")),
                    };
                    let kept = (format!("{whose}{origin}"), hash(&file)?);
                    *seen.kept.entry(whose).or_default() += fs::metadata(&file)?.len();
                    if *shelf == "trash" { &mut seen.trash } else { &mut seen.versions }.push(kept);
                }
                ["trash" | "versions", _, note] if note.ends_with(".origin") => {
                    let folder = file.with_extension("");
                    if !folder.is_dir() || fs::read_dir(&folder)?.next().is_none() {
                        seen.strange.push(format!("{path} is a note about nothing"));
                    }
                }
                _ => seen.strange.push(path),
            }
        }
        Ok(seen)
    }

    /// Rows, figures and the doctor's word against the disk: each difference is a sentence.
    pub(super) async fn against_the_books(&self, folders: &Folders, api: &Api) -> Vec<String> {
        let mut wrong: Vec<String> =
            self.strange.iter().map(|one| format!("orphan: {one}")).collect();
        let mut rows = rows(folders).await;
        // What was put away with its owner is in no book.
        let booked = self.files.iter().filter(|(path, _)| !path.starts_with("removed:"));
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (path, (_, size)) in booked {
            *sums.entry(beginning_of(path)).or_default() += size;
            match rows.files.remove(path) {
                None => wrong.push(format!("orphan: {path} has no row")),
                Some(counted) if counted != *size => {
                    wrong.push(format!("{path} has {size} bytes and a row of {counted}"));
                }
                Some(_) => (),
            }
        }
        wrong.extend(rows.files.keys().map(|path| format!("{path} has a row and no file")));
        for name in &self.staged {
            if !name.strip_prefix("up-").is_some_and(|id| rows.uploads.contains(id)) {
                wrong.push(format!("orphan: staging/{name}"));
            }
        }
        let usage = api.usage().await;
        for (whose, told) in &rows.lockers {
            let of = |sums: &BTreeMap<String, u64>| sums.get(whose).copied().unwrap_or(0);
            let mut exempt = 0;
            for (path, size) in &rows.exempt {
                exempt += if beginning_of(path) == *whose { *size } else { 0 };
            }
            let true_ones = [
                ("used", of(&sums) - exempt),
                ("reclaimable", of(&self.kept)),
                ("reserved", of(&rows.promised)),
                ("exempt", exempt),
            ];
            for ((figure, true_one), told) in true_ones.into_iter().zip(told) {
                if *told != true_one {
                    wrong
                        .push(format!("{figure} of '{whose}': {told} is told, {true_one} is true"));
                }
                if whose.is_empty() && usage[figure] != true_one {
                    wrong.push(format!("{figure}: {} is shown, {true_one} is true", usage[figure]));
                }
            }
        }
        let folders = folders.clone();
        wrong.extend(tokio::task::spawn_blocking(move || folders.doctor()).await.unwrap());
        wrong
    }
}

/// What begins the paths of a locker's files, by the folder that it is.
fn beginning(folder: &str) -> String {
    match folder.strip_prefix("lockers/") {
        Some("root") => String::new(),
        Some(owner) => format!("user:{owner}/"),
        None => format!("{folder}:"),
    }
}

/// The same by the path of one of them.
fn beginning_of(path: &str) -> String {
    match path.split_once(':') {
        None => String::new(),
        Some(("user", rest)) => format!("user:{}/", rest.split('/').next().unwrap_or_default()),
        Some((kind, _)) => format!("{kind}:"),
    }
}

/// What the database says.
struct Rows {
    files: BTreeMap<String, u64>,
    /// Of those, what does not count.
    exempt: BTreeMap<String, u64>,
    /// Uploads that wait for bytes.
    uploads: BTreeSet<String>,
    /// What is promised to them, by what begins the paths of their locker.
    promised: BTreeMap<String, u64>,
    /// The figures of every locker: used, reclaimable, reserved, exempt.
    lockers: BTreeMap<String, [u64; 4]>,
}

async fn rows(folders: &Folders) -> Rows {
    let options = SqliteConnectOptions::new()
        .filename(folders.data.join("tunelocker.db"))
        .pragma("query_only", "on");
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let mut all = async |statement: &'static str| {
        sqlx::query(statement).fetch_all(&mut connection).await.unwrap()
    };
    let bytes = |row: &SqliteRow, at: usize| row.get::<i64, _>(at).unsigned_abs();
    let mut rows = Rows {
        files: BTreeMap::new(),
        exempt: BTreeMap::new(),
        uploads: BTreeSet::new(),
        promised: BTreeMap::new(),
        lockers: BTreeMap::new(),
    };
    for row in all("select l.path, f.path, f.size_bytes, f.exempt is not null
         from drive_file f join locker l using (locker_id)
         where l.path not like 'removed/%' and f.missing_at is null")
    .await
    {
        let path = format!("{}{}", beginning(row.get(0)), row.get::<&str, _>(1));
        if row.get::<bool, _>(3) {
            rows.exempt.insert(path.clone(), bytes(&row, 2));
        }
        rows.files.insert(path, bytes(&row, 2));
    }
    for row in
        all("select u.upload_id, l.path, r.bytes from upload u join locker l using (locker_id)
         join reservation r on r.reservation_id = u.reservation_id where u.etag is null")
        .await
    {
        rows.uploads.insert(row.get(0));
        *rows.promised.entry(beginning(row.get(1))).or_default() += bytes(&row, 2);
    }
    for row in
        all("select path, used_bytes, reclaimable_bytes, reserved_bytes, exempt_bytes from locker
         where path not like 'removed/%'")
        .await
    {
        let figures = [1, 2, 3, 4].map(|at| bytes(&row, at));
        rows.lockers.insert(beginning(row.get(0)), figures);
    }
    connection.close().await.unwrap();
    rows
}

/// Every file below a folder, by its path from there.
fn tree(root: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "lost+found") {
                    folders.push(path);
                }
            } else {
                let inner = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push((inner, path));
            }
        }
    }
    Ok(files)
}

fn hash(path: &Path) -> io::Result<Hash> {
    Ok(*blake3::hash(&fs::read(path)?).as_bytes())
}
