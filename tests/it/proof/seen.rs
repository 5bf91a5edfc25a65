//! What really lies on a drive, seen without the product, and what its rows say of it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::api::Api;
use crate::harness::daemon::Folders;

/// BLAKE3 of a file.
pub(super) type Hash = [u8; 32];

/// Everything below a drive's root, by its bytes.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Of the administrator's locker: path, hash and size.
    pub(super) files: BTreeMap<String, (Hash, u64)>,
    /// Where it was, and its hash.
    pub(super) trash: Vec<(String, Hash)>,
    /// What file it was, and its hash.
    pub(super) versions: Vec<(String, Hash)>,
    /// Bytes in trash and versions.
    kept: u64,
    /// Names in staging.
    staged: Vec<String>,
    /// What has no business here.
    strange: Vec<String>,
}

impl Seen {
    pub(super) fn of(folders: &Folders) -> io::Result<Self> {
        let mut seen = Self::default();
        let locker = folders.drive.join("lockers").join("root");
        for (path, file) in tree(&folders.drive)? {
            let parts: Vec<&str> = path.split('/').collect();
            match parts.as_slice() {
                [".tunelocker-drive" | ".tunelocker-reserve"] => (),
                ["staging", name] => seen.staged.push((*name).to_owned()),
                ["lockers", "root", ..] => {
                    let path = file.strip_prefix(&locker).unwrap().to_str().unwrap().to_owned();
                    seen.files.insert(path, (hash(&file)?, fs::metadata(&file)?.len()));
                }
                [shelf @ ("trash" | "versions"), "root", id, ..] if 3 < parts.len() => {
                    let note = folders.drive.join(shelf).join("root").join(format!("{id}.origin"));
                    let origin = fs::read_to_string(note).unwrap_or_else(|_| "?".to_owned());
                    let kept = (origin, hash(&file)?);
                    seen.kept += fs::metadata(&file)?.len();
                    if *shelf == "trash" { &mut seen.trash } else { &mut seen.versions }.push(kept);
                }
                ["trash" | "versions", "root", note] if note.ends_with(".origin") => {
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
        for (path, (_, size)) in &self.files {
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
            if !name.strip_prefix("up-").is_some_and(|id| rows.uploads.contains_key(id)) {
                wrong.push(format!("orphan: staging/{name}"));
            }
        }
        let sum = self.files.values().map(|(_, size)| size).sum::<u64>();
        let exempt = rows.exempt.values().sum::<u64>();
        let usage = api.usage().await;
        let promised: u64 = rows.uploads.values().sum();
        for (figure, true_one) in [
            ("used", sum - exempt),
            ("reclaimable", self.kept),
            ("reserved", promised),
            ("exempt", exempt),
        ] {
            if usage[figure] != true_one {
                wrong.push(format!("{figure}: {} is shown, {true_one} is true", usage[figure]));
            }
        }
        let folders = folders.clone();
        wrong.extend(tokio::task::spawn_blocking(move || folders.doctor()).await.unwrap());
        wrong
    }
}

/// What the database says.
struct Rows {
    files: BTreeMap<String, u64>,
    /// Of those, what does not count.
    exempt: BTreeMap<String, u64>,
    /// Uploads that wait for bytes, and what is promised to them.
    uploads: BTreeMap<String, u64>,
}

async fn rows(folders: &Folders) -> Rows {
    let options = SqliteConnectOptions::new()
        .filename(folders.data.join("tunelocker.db"))
        .pragma("query_only", "on");
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let mut pairs = async |statement: &'static str| -> BTreeMap<String, u64> {
        let rows = sqlx::query(statement).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get::<i64, _>(1).unsigned_abs())).collect()
    };
    let files = pairs(
        "select f.path, f.size_bytes from drive_file f join locker l using (locker_id)
         where l.path = 'lockers/root' and f.missing_at is null",
    )
    .await;
    let exempt = pairs(
        "select f.path, f.size_bytes from drive_file f join locker l using (locker_id)
         where l.path = 'lockers/root' and f.missing_at is null and f.exempt is not null",
    )
    .await;
    let uploads = pairs(
        "select u.upload_id, r.bytes from upload u
         join reservation r on r.reservation_id = u.reservation_id where u.etag is null",
    )
    .await;
    connection.close().await.unwrap();
    Rows { files, exempt, uploads }
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
