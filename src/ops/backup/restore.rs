//! Brings a snapshot back to a fresh place, and looks whether one is whole.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    DATABASE, Places, blocking, cannot,
    layout::{Folder, Line, Root, Snapshot, unspell},
    objects::{Objects, hash_of},
    sync_folder,
};
use crate::{Error, Result, accounts::forget_uploads, db::Db};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// From which snapshot.
    pub snapshot: Snapshot,
    /// Files that were made.
    pub files: u64,
    /// Files whose content is missing or damaged in the backup.
    pub damaged: Vec<String>,
}

/// Puts a snapshot (the last, if none is named) into folders that hold no data yet. The database
/// comes last: what is broken off before is no server's data. With damaged contents it comes only
/// if `despite_damage`.
pub async fn restore(
    folder: &Path,
    name: Option<&str>,
    data: &Path,
    drive: &Path,
    despite_damage: bool,
) -> Result<Restored> {
    let (from, name) = (folder.to_owned(), name.map(str::to_owned));
    let opened = blocking(move || {
        let folder = Folder::open(&from)?;
        let snapshot = folder.snapshot(name.as_deref())?;
        if !folder.has_its_list(&snapshot)? {
            return Err(damaged_list(&snapshot));
        }
        Ok((folder, snapshot))
    });
    let (folder, snapshot) = opened.await?;
    Db::examine(&folder.database(&snapshot)).await?;
    let places = Places { data: data.into(), drive: drive.into(), lent: Arc::default() };
    let brought = blocking(move || {
        let coming = place_all(&folder, snapshot, &places)?;
        let is_wanted = coming.damaged.is_empty() || despite_damage;
        let database =
            is_wanted.then(|| bring_database(&folder, &coming.snapshot, &places)).transpose()?;
        Ok((coming, database))
    });
    let (coming, database) = brought.await?;
    if let Some(database) = database {
        let db = Db::open(&database).await?;
        let forgotten = forget_uploads(&db).await;
        db.close().await;
        forgotten?;
        blocking(move || place_database(&database)).await?;
    }
    Ok(coming)
}

/// How much of a snapshot is read.
#[derive(Debug)]
pub(super) enum Depth {
    /// Everything.
    All,
    /// These contents; of the others it is enough that they are there.
    Of(HashSet<[u8; 32]>),
}

/// Reads everything of a snapshot (the last, if none is named); what is missing or damaged.
pub async fn verify(folder: &Path, name: Option<&str>) -> Result<(Snapshot, Vec<String>)> {
    let (snapshot, damaged) = look_over(folder, name, Depth::All).await?;
    Ok((snapshot, damaged.into_iter().map(|one| one.path).collect()))
}

/// Something of a snapshot that is missing or damaged.
#[derive(Debug)]
pub(super) struct Damaged {
    /// The file.
    pub(super) path: String,
    /// Its content in the store; none of the database.
    pub(super) hash: Option<String>,
}

/// The same of a part.
pub(super) async fn look_over(
    folder: &Path,
    name: Option<&str>,
    depth: Depth,
) -> Result<(Snapshot, Vec<Damaged>)> {
    let (path, name) = (folder.to_owned(), name.map(str::to_owned));
    let (folder, snapshot, mut damaged) = blocking(move || {
        let folder = Folder::open(&path)?;
        let snapshot = folder.snapshot(name.as_deref())?;
        if !folder.has_its_list(&snapshot)? {
            return Err(damaged_list(&snapshot));
        }
        let (objects, mut damaged) = (Objects::of(&folder.path), Vec::new());
        // Of each content, once: whether it is whole.
        let mut looked = HashMap::new();
        folder.lines(&snapshot, |line| {
            let Some(hash) = &line.hash else { return Ok(()) };
            let mut key = [0; 32];
            let is_known = hex::decode_to_slice(hash, &mut key).is_ok();
            let is_whole = match looked.get(&key) {
                Some(is_whole) if is_known => *is_whole,
                _ => {
                    let reads = match &depth {
                        Depth::All => true,
                        Depth::Of(these) => these.contains(&key),
                    };
                    if reads { objects.is_whole(hash)? } else { objects.is_there(hash, line.size) }
                }
            };
            looked.insert(key, is_whole);
            if !is_whole {
                damaged.push(Damaged { path: line.path, hash: line.hash });
            }
            Ok(())
        })?;
        Ok((folder, snapshot, damaged))
    })
    .await?;
    let database = folder.database(&snapshot);
    let expected = snapshot.database.clone();
    let looked = database.clone();
    if blocking(move || Ok(hash_of(&looked)? != expected)).await? {
        damaged.push(Damaged { path: DATABASE.to_owned(), hash: None });
    }
    Db::examine(&database).await?;
    Ok((snapshot, damaged))
}

fn damaged_list(snapshot: &Snapshot) -> Error {
    Error::Unavailable(format!("The list of snapshot {} is damaged; take another", snapshot.name))
}

fn place_all(folder: &Folder, snapshot: Snapshot, places: &Places) -> Result<Restored> {
    for root in [&places.data, &places.drive] {
        make_folder(root, 0o750)?;
    }
    refuse_used(folder, &snapshot, places)?;
    let objects = Objects::of(&folder.path);
    let (mut files, mut damaged, mut folders) = (0, Vec::new(), Vec::new());
    folder.lines(&snapshot, |line| {
        let Some(path) = unspell(&line.path) else {
            damaged.push(line.path);
            return Ok(());
        };
        let path = root(places, line.root).join(path);
        let Some(hash) = &line.hash else {
            make_folder(&path, line.mode)?;
            folders.push(path);
            return Ok(());
        };
        if place(&objects, hash, &line, &path)? {
            files += 1;
        } else {
            damaged.push(line.path);
        }
        Ok(())
    })?;
    for folder in folders.iter().rev() {
        sync_folder(folder)?;
    }
    for root in [&places.data, &places.drive] {
        sync_folder(root)?;
    }
    Ok(Restored { snapshot, files, damaged })
}

fn root(places: &Places, root: Root) -> &Path {
    match root {
        Root::Data => &places.data,
        Root::Drive => &places.drive,
    }
}

/// Nothing that is there is overwritten: refused before anything is made.
fn refuse_used(folder: &Folder, snapshot: &Snapshot, places: &Places) -> Result<()> {
    let used = |path: PathBuf| {
        Error::Conflict(format!("{} is there already; restore into empty folders", path.display()))
    };
    let database = places.data.join(DATABASE);
    if database.exists() {
        return Err(used(database));
    }
    folder.lines(snapshot, |line| {
        let Some(path) = unspell(&line.path) else { return Ok(()) };
        let path = root(places, line.root).join(path);
        let is_there = if line.hash.is_some() {
            path.symlink_metadata().is_ok()
        } else {
            // An empty folder is as good as none.
            path.symlink_metadata().is_ok_and(|facts| !facts.is_dir())
        };
        if is_there { Err(used(path)) } else { Ok(()) }
    })
}

/// Makes one file as it was; `false` if its content is not there or damaged.
fn place(objects: &Objects, hash: &str, line: &Line, path: &Path) -> Result<bool> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(cannot("make", path))?;
    if !objects.copy_to(hash, &mut file, path)? {
        fs::remove_file(path).map_err(cannot("remove", path))?;
        return Ok(false);
    }
    let seconds = line.modified_ns.div_euclid(1_000_000_000);
    let nanos = Duration::from_nanos(line.modified_ns.rem_euclid(1_000_000_000).unsigned_abs());
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(whole)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(whole)
    };
    let finish = || -> io::Result<()> {
        file.set_permissions(fs::Permissions::from_mode(line.mode))?;
        if let Some(time) = time.and_then(|time| time.checked_add(nanos)) {
            file.set_modified(time)?;
        }
        file.sync_all()
    };
    finish().map_err(cannot("write", path))?;
    Ok(true)
}

fn make_folder(path: &Path, mode: u32) -> Result<()> {
    // Whoever restores must be able to fill it.
    let mode = mode | 0o700;
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(cannot("make", path))
}

/// The database beside its place; where.
fn bring_database(folder: &Folder, snapshot: &Snapshot, places: &Places) -> Result<PathBuf> {
    let coming = places.data.join(format!("{DATABASE}.coming"));
    let from = folder.database(snapshot);
    let mut bytes = blake3::Hasher::new();
    let copy = || -> io::Result<()> {
        let mut from = fs::File::open(&from)?;
        let mut options = OpenOptions::new();
        let mut to = options.write(true).create(true).truncate(true).mode(0o640).open(&coming)?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = from.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            bytes.update(&buffer[..read]);
            io::Write::write_all(&mut to, &buffer[..read])?;
        }
        to.sync_all()
    };
    let mut copy = copy;
    copy().map_err(cannot("write", &coming))?;
    if bytes.finalize().to_hex().as_str() != snapshot.database {
        fs::remove_file(&coming).map_err(cannot("remove", &coming))?;
        return Err(Error::Unavailable(format!(
            "The database of snapshot {} is damaged; take another",
            snapshot.name
        )));
    }
    Ok(coming)
}

/// In its place, from when on it is a server's data.
fn place_database(coming: &Path) -> Result<()> {
    let database = coming.with_file_name(DATABASE);
    fs::rename(coming, &database).map_err(cannot("write", &database))?;
    database.parent().map_or(Ok(()), sync_folder)
}
