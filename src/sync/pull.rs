//! `tunelocker pull`: a locker back to a folder. What is here already is not fetched; a file that
//! broke off goes on where it was; each is compared with what the server says that it hashes to.
//! Nothing here is deleted.

use std::{
    fs::{self, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    Fault, Options, Result,
    bandwidth::Gate,
    hashing::{self, Of},
    local::{Identity, Local, PART},
    progress::Bar,
    remote::{ASKED, Entry, Remote},
    report::{Outcome, Report},
    secret,
};

const TRIES: u32 = 8;
/// Seconds that hashes are waited for.
const ASK_AGAIN: u32 = 10;
/// Without a byte.
const STALLED: Duration = Duration::from_mins(2);
/// Folders in folders; nobody has more.
const DEEPEST: usize = 200;

/// A file there.
#[derive(Debug, Clone)]
struct There {
    path: String,
    size: u64,
    etag: Option<String>,
}

/// Brings the locker to the folder.
pub async fn pull(options: &Options) -> Result<Report> {
    let secret = secret::get(&options.secret, &options.server, &options.user)?;
    let remote = Remote::new(&options.server, &options.user, &secret, &options.locker)?;
    let remote = remote.within(&options.locker, &options.path).await?;
    let mut report = Report::default();
    let wanted = list(&remote, options, &mut report).await?;
    if options.remember {
        secret::keep(&options.server, &options.user, &secret)?;
    }
    let missing = compare(&remote, options, wanted, &mut report).await?;
    if options.dry_run {
        for file in missing {
            report.add(file.path, file.size, Outcome::WouldFetch);
        }
    } else {
        fetch_all(&remote, options, missing, &mut report).await?;
    }
    report.files.sort_by(|one, other| one.0.cmp(&other.0));
    if let Some(path) = &options.report {
        report.write(path)?;
    }
    Ok(report)
}

/// Every file there; folders are made here as they are met, empty ones too.
async fn list(remote: &Remote, options: &Options, report: &mut Report) -> Result<Vec<There>> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        if !options.dry_run
            && let Some(here) = place(&options.folder, &folder)
        {
            fs::create_dir_all(here)?;
        }
        let entries = match remote.list(&folder).await {
            // The rest can come without it.
            Err(fault @ Fault::Refused { status: 400 | 404 | 500, .. }) if !folder.is_empty() => {
                report.add(folder, 0, Outcome::Refused(fault.to_string()));
                continue;
            }
            entries => entries?,
        };
        for Entry { name, kind, size, etag } in entries {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            // The server is not believed where it would lead out of the folder.
            if place(&options.folder, &path).is_none() || DEEPEST < path.matches('/').count() {
                report.add(path, size, Outcome::Refused("it has an impossible name".to_owned()));
            } else if kind == "folder" {
                folders.push(path);
            } else {
                files.push(There { path, size, etag });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Those that are not here as they are there.
async fn compare(
    remote: &Remote,
    options: &Options,
    wanted: Vec<There>,
    report: &mut Report,
) -> Result<Vec<There>> {
    let (mut missing, mut here) = (Vec::new(), Vec::new());
    for file in wanted {
        let found = place(&options.folder, &file.path)
            .and_then(|place| Some((place.symlink_metadata().ok()?, place)));
        match found {
            Some((facts, place)) if facts.is_file() && facts.len() == file.size => {
                let identity = Identity::of(&facts);
                here.push((Local { path: file.path.clone(), place, identity }, file));
            }
            _ => missing.push(file),
        }
    }
    let same = same_as_there(remote, here.iter().map(|(local, _)| local)).await?;
    for ((_, file), is_same) in here.into_iter().zip(same) {
        if is_same {
            report.add(file.path, file.size, Outcome::Had);
        } else {
            missing.push(file);
        }
    }
    Ok(missing)
}

/// Whether each of these files here is the one at its path there.
async fn same_as_there<'f>(
    remote: &Remote,
    files: impl Iterator<Item = &'f Local>,
) -> Result<Vec<bool>> {
    let files: Vec<&Local> = files.collect();
    let bar = Bar::new("hashing", files.iter().map(|file| file.identity.size()).sum());
    let wanted = files.iter().map(|file| (*file, Of::Everything));
    let hashes = hashing::all(wanted, |bytes| bar.add(bytes)).await;
    let mut same = Vec::with_capacity(files.len());
    for (files, hashes) in files.chunks(ASKED).zip(hashes.chunks(ASKED)) {
        let items: Vec<_> = files
            .iter()
            .zip(hashes)
            .map(|(file, hash)| {
                let hash = hash.as_ref().ok().map(hex::encode);
                json!({ "hash": hash, "size": file.identity.size(), "path": file.path })
            })
            .collect();
        for (file, standing) in files.iter().zip(remote.look(&items).await?) {
            same.push(standing.state == "have" && standing.paths.first() == Some(&file.path));
        }
    }
    Ok(same)
}

async fn fetch_all(
    remote: &Remote,
    options: &Options,
    files: Vec<There>,
    report: &mut Report,
) -> Result<()> {
    let gate = Gate::new(options.rate);
    let bar = Bar::new("fetching", files.iter().map(|file| file.size).sum());
    let (gate, bar) = (&gate, &bar);
    let mut fetching = stream::iter(files)
        .map(|file| async move {
            let fetched = fetch(remote, options, &file, gate, bar).await;
            (file, fetched)
        })
        .buffer_unordered(options.jobs.max(1));
    let mut arrived = Vec::new();
    while let Some((file, fetched)) = fetching.next().await {
        match fetched {
            Ok((local, bytes)) => arrived.push((file, local, bytes)),
            Err(fault @ (Fault::Unreachable(_) | Fault::Strange(_))) => return Err(fault),
            Err(fault) => report.add(file.path, file.size, Outcome::Refused(fault.to_string())),
        }
    }
    // Files that other hands put there may be hashed only now that somebody asks.
    for _ in 0..ASK_AGAIN {
        let same = same_as_there(remote, arrived.iter().map(|(_, local, _)| local)).await?;
        let (done, open): (Vec<_>, Vec<_>) = arrived.into_iter().zip(same).partition(|it| it.1);
        for ((file, _, bytes), _) in done {
            report.add(file.path, file.size, Outcome::Fetched(bytes));
        }
        arrived = open.into_iter().map(|(each, _)| each).collect();
        if arrived.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for (file, _, _) in arrived {
        let reason = "it changed there meanwhile, or is not hashed there yet".to_owned();
        report.add(file.path, file.size, Outcome::Refused(reason));
    }
    Ok(())
}

/// One file, whole and in its place; how many bytes came.
async fn fetch(
    remote: &Remote,
    options: &Options,
    file: &There,
    gate: &Gate,
    bar: &Bar,
) -> Result<(Local, u64)> {
    let place = place(&options.folder, &file.path)
        .ok_or_else(|| Fault::Here("it has an impossible name".to_owned()))?;
    if let Some(above) = place.parent() {
        fs::create_dir_all(above)?;
    }
    // A half one of another version of the file has another name.
    let tag = blake3::hash(file.etag.as_deref().unwrap_or_default().as_bytes()).to_hex();
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    // Names may be as long as the disk takes, so this one is not made from it alone.
    let short: String = name.chars().take(40).collect();
    let own = blake3::hash(name.as_bytes()).to_hex();
    let part = place.with_file_name(format!(".{short}-{}-{}{PART}", &own[..8], &tag[..8]));
    let mut carried = 0;
    let mut pause = Duration::from_millis(500);
    for _ in 0..TRIES {
        match attempt(remote, file, &part, gate, bar, &mut carried).await {
            Ok(()) => {
                fs::rename(&part, &place)?;
                let identity = Identity::of(&place.symlink_metadata()?);
                return Ok((Local { path: file.path.clone(), place, identity }, carried));
            }
            Err(fault) if fault.may_pass() => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::Unreachable("it broke off too often; the next run goes on".to_owned()))
}

async fn attempt(
    remote: &Remote,
    file: &There,
    part: &Path,
    gate: &Gate,
    bar: &Bar,
    carried: &mut u64,
) -> Result<()> {
    let mut out =
        OpenOptions::new().create(true).append(false).write(true).truncate(false).open(part)?;
    let held = out.metadata()?.len();
    if file.size == held && 0 < held {
        return Ok(());
    }
    let held = if file.size < held { 0 } else { held };
    let (begins, mut body) = remote.fetch(&file.path, held, file.etag.as_deref()).await?;
    out.set_len(begins)?;
    out.seek(SeekFrom::Start(begins))?;
    let mut at = begins;
    loop {
        let next = tokio::time::timeout(STALLED, body.frame())
            .await
            .map_err(|_| Fault::Unreachable("nothing moves any more".to_owned()))?;
        let Some(frame) = next else { break };
        let frame = frame.map_err(|error| Fault::Unreachable(error.to_string()))?;
        let Ok(bytes) = frame.into_data() else { continue };
        gate.pass(bytes.len()).await;
        out.write_all(&bytes)?;
        at += bytes.len() as u64;
        *carried += bytes.len() as u64;
        bar.add(bytes.len() as u64);
    }
    if at != file.size {
        return Err(Fault::Unreachable("it ended early, or grew meanwhile".to_owned()));
    }
    sync(out).await?;
    Ok(())
}

async fn sync(file: fs::File) -> io::Result<()> {
    tokio::task::spawn_blocking(move || file.sync_all()).await.map_err(io::Error::other)?
}

/// Where a path of there is here; `None` for one that would lead out.
fn place(root: &Path, path: &str) -> Option<PathBuf> {
    let relative = Path::new(path);
    let is_plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    (is_plain && !path.contains('\0')).then(|| spelled(root, path))
}

/// The path as this disk spells it: names that are here already keep their accents as they are
/// composed.
fn spelled(root: &Path, path: &str) -> PathBuf {
    let is_here = |place: &Path| place.symlink_metadata().is_ok();
    let mut at = root.to_owned();
    for part in path.split('/') {
        let exact = at.join(part);
        at = if part.is_ascii() || is_here(&exact) {
            exact
        } else {
            let forms: [String; 2] = [part.nfc().collect(), part.nfd().collect()];
            let here = forms.iter().map(|form| at.join(form)).find(|place| is_here(place));
            here.unwrap_or(exact)
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_write_outside_of_the_folder() {
        let root = Path::new("/r");
        assert_eq!(place(root, "a/b"), Some("/r/a/b".into()));
        for wrong in ["../a", "a/../../b", "/etc/passwd", "a\0b", "./a"] {
            assert!(place(root, wrong).is_none(), "{wrong}");
        }
        assert_eq!(place(root, ""), Some("/r/".into()));
    }

    #[test]
    fn accents_compose_either_way() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("Bjo\u{308}rk")).unwrap();
        fs::write(home.path().join("Bjo\u{308}rk/J\u{f3}ga"), "x").unwrap();
        let found = place(home.path(), "Bj\u{f6}rk/Jo\u{301}ga").unwrap();
        assert_eq!(fs::read_to_string(&found).unwrap(), "x");
        let new = place(home.path(), "Bj\u{f6}rk/n\u{e9}w").unwrap();
        assert!(new.ends_with("n\u{e9}w") && new.parent() == found.parent());
    }
}
