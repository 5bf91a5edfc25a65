//! `tunelocker sync` and `tunelocker pull`, as people run them, against the real server.

mod second;

use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::{Output, Stdio},
};

use serde_json::Value;
use sqlx::Connection as _;
use tokio::process::Command;
use tunelocker::{accounts::MatchPolicy, drive::RelativePath};

use super::{Two, Who, bytes, wire::Wire};
use crate::{
    harness::{music, times, tree},
    ingest::{first_scan, until},
};

/// Who syncs, through which wire, with a home of its own.
struct Station {
    home: tempfile::TempDir,
    server: String,
    user: &'static str,
    secret: String,
}

impl Station {
    fn of(two: &Two, who: Who, wire: &Wire) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            server: format!("http://{}", wire.address),
            user: if matches!(who, Who::Ann) { "ann" } else { "bob" },
            secret: two.secrets[who as usize].clone(),
        }
    }

    fn command(&self, verb: &str, folder: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunelocker"));
        let preposition = if verb == "pull" { "--from" } else { "--to" };
        command.arg(verb).arg(folder).args([preposition, &self.server, "--as", self.user]);
        command.args(more).env_clear().env("HOME", self.home.path());
        command.env("TUNELOCKER_SECRET", &self.secret).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    async fn output(&self, verb: &str, folder: &Path, more: &[&str]) -> Output {
        self.command(verb, folder, more).output().await.unwrap()
    }

    /// Runs it to the end; what it says.
    async fn done(&self, verb: &str, folder: &Path, more: &[&str]) -> Value {
        let output = self.output(verb, folder, &[more, &["--json"]].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A collection of `count` files of `size` bytes and some odd ones.
fn collection(root: &Path, count: u64, size: usize) {
    for number in 0..count {
        let path = format!("Artist {}/Album {}/{number:04} Söng.flac", number % 7, number % 13);
        music::write(root, &path, &bytes(number, size));
    }
    music::write(root, "notes, and \"more\".txt", b"x");
    music::write(root, "empty", b"");
}

#[tokio::test]
async fn a_killed_sync_goes_on_where_it_was() {
    let two = Two::new().await;
    let size = if times() == 1 { 96_000_000 } else { 500_000_000 };
    let folder = tempfile::tempdir().unwrap();
    music::write(folder.path(), "big.wav", &bytes(1, size));
    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);

    let rate = format!("{}", size / 4);
    let mut killed = ann.command("sync", folder.path(), &["--bwlimit", &rate]).spawn().unwrap();
    let staging = two.lockers.drive_root().join("staging");
    let staged = || {
        let files = std::fs::read_dir(&staging).unwrap().filter_map(|it| it.ok()?.metadata().ok());
        files.map(|facts| facts.len()).max().unwrap_or(0)
    };
    until("half of it", async || size as u64 * 2 / 5 < staged()).await;
    // SIGKILL.
    killed.start_kill().unwrap();
    killed.wait().await.unwrap();
    assert!(staged() < size as u64, "it was in the middle");
    let first = wire.up();

    let said = ann.done("sync", folder.path(), &[]).await;
    let second = said["carried"].as_u64().unwrap();
    assert_eq!(said["sent"]["files"], 1, "{said}");
    let slack = 3_000_000;
    assert!(second < size as u64 - first + slack, "{first} went up before, {second} after");
    assert!(wire.up() < second + slack);
    assert_eq!(std::fs::read(two.file("ann", "big.wav")).unwrap(), bytes(1, size));
    assert_eq!(two.lockers.usage().await.used, size as u64);
    assert_eq!(two.lockers.staged(), 0);
}

#[tokio::test]
async fn a_watch_brings_what_comes_later() {
    let two = Two::new().await;
    let folder = tempfile::tempdir().unwrap();
    music::write(folder.path(), "first.flac", &bytes(1, 1000));
    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);
    let mut watching = ann.command("sync", folder.path(), &["--watch"]).spawn().unwrap();
    let has = async |path: &str| two.file("ann", path).exists();
    until("the first file", async || has("first.flac").await).await;
    music::write(folder.path(), "New/second.flac", &bytes(2, 1000));
    until("the second file", async || has("New/second.flac").await).await;
    std::fs::rename(folder.path().join("New"), folder.path().join("Moved")).unwrap();
    until("the move", async || has("Moved/second.flac").await && !has("New/second.flac").await)
        .await;
    // Told to stop, it ends well.
    let pid = rustix::process::Pid::from_raw(watching.id().unwrap() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(watching.wait().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn pull_gives_the_same_tree_and_fetches_nothing_twice() {
    let two = Two::new().await;
    let folder = tempfile::tempdir().unwrap();
    collection(folder.path(), 20, 90_000);
    // Equal files are sent once, and are two all the same.
    music::write(folder.path(), "twice.flac", &bytes(3, 90_000));
    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);
    let said = ann.done("sync", folder.path(), &[]).await;
    assert_eq!(
        (&said["sent"]["files"], &said["claimed"]["files"]),
        (&22.into(), &1.into()),
        "{said}"
    );

    let back = tempfile::tempdir().unwrap();
    let said = ann.done("pull", back.path(), &["--dry-run"]).await;
    assert_eq!(said["wouldFetch"]["files"], 23, "{said}");
    assert!(tree(back.path()).is_empty());
    let said = ann.done("pull", back.path(), &[]).await;
    assert_eq!(said["fetched"]["files"], 23, "{said}");
    assert_eq!(tree(back.path()), tree(folder.path()));
    // Only what differs is fetched; what is only here stays.
    std::fs::write(back.path().join("notes, and \"more\".txt"), b"y").unwrap();
    std::fs::write(back.path().join("only here"), b"z").unwrap();
    let said = ann.done("pull", back.path(), &[]).await;
    assert_eq!(
        (&said["fetched"]["files"], &said["had"]["files"]),
        (&1.into(), &22.into()),
        "{said}"
    );
    assert_eq!(std::fs::read(back.path().join("only here")).unwrap(), b"z");
}

/// A folder of that folder, brought to the same place: what is still here was not moved away there.
#[tokio::test]
async fn another_folder_moves_nothing_of_the_first() {
    let two = Two::new().await;
    let folder = tempfile::tempdir().unwrap();
    music::write(folder.path(), "Blue/01.flac", &bytes(1, 20_000));
    music::write(folder.path(), "Red/02.flac", &bytes(2, 20_000));
    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);
    ann.done("sync", folder.path(), &[]).await;
    let said = ann.done("sync", &folder.path().join("Blue"), &[]).await;
    assert_eq!((&said["moved"]["files"], &said["claimed"]["files"]), (&0.into(), &1.into()));
    for path in ["01.flac", "Blue/01.flac"] {
        assert_eq!(std::fs::read(two.file("ann", path)).unwrap(), bytes(1, 20_000), "{path}");
    }
    let said = ann.done("sync", folder.path(), &[]).await;
    assert_eq!((&said["had"]["files"], &said["moved"]["files"]), (&2.into(), &0.into()), "{said}");
    // What is copied to another name and removed is moved, as what is renamed is.
    std::fs::copy(folder.path().join("Red/02.flac"), folder.path().join("03.flac")).unwrap();
    std::fs::remove_file(folder.path().join("Red/02.flac")).unwrap();
    let said = ann.done("sync", folder.path(), &[]).await;
    assert_eq!(said["moved"]["files"], 1, "{said}");
    assert!(!two.file("ann", "Red/02.flac").exists() && two.file("ann", "03.flac").exists());
}

/// Names that other hands gave: all of it comes back, and is compared.
#[tokio::test]
async fn pull_brings_names_that_no_way_in_takes() {
    let two = Two::new().await;
    for (name, text) in [("R.E.M./Drive.txt", "one"), ("aux", "two"), ("a.txt", "three")] {
        music::write(&two.lockers.folder(), name, text.as_bytes());
    }
    two.lockers.drive.look_again().await.unwrap();
    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);
    let back = tempfile::tempdir().unwrap();
    let said = ann.done("pull", back.path(), &[]).await;
    assert_eq!(said["fetched"]["files"], 3, "{said}");
    assert_eq!(tree(back.path()), tree(&two.lockers.folder()));
    until("all are known", async || ann.done("pull", back.path(), &[]).await["had"]["files"] == 3)
        .await;
}

/// Who may only read fetches, and is told at the end that he has all of it.
#[tokio::test]
async fn pull_brings_a_shared_folder_that_may_only_be_read() {
    let two = Two::new().await;
    for (number, name) in ["one.flac", "Söng.flac"].into_iter().enumerate() {
        two.lockers.put(&format!("Ours/{name}"), &bytes(number as u64, 5_000)).await.unwrap();
    }
    two.lockers.put("private", &bytes(7, 5_000)).await.unwrap();
    let folder = RelativePath::parse("Ours").unwrap();
    let (drive, ann, locker) = (&two.lockers.drive, &two.lockers.ann, two.lockers.locker);
    let share = drive.share_folder(ann, locker, &folder, "bob", false).await.unwrap();
    let wire = Wire::to(two.lockers.app.http).await;
    let bob = Station::of(&two, Who::Bob, &wire);
    let back = tempfile::tempdir().unwrap();
    let place = share.id.to_string();
    for (fetched, had) in [(2, 0), (0, 2)] {
        let said = bob.done("pull", back.path(), &["--locker", &place]).await;
        assert_eq!(
            (&said["fetched"]["files"], &said["had"]["files"]),
            (&fetched.into(), &had.into())
        );
    }
    assert_eq!(tree(back.path()).len(), 2);
    // What he has besides is refused one by one, with the reason.
    std::fs::write(back.path().join("his"), b"z").unwrap();
    let output = bob.output("sync", back.path(), &["--locker", &place, "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["had"]["files"], &said["refused"][0]["path"]), (&2.into(), &"his".into()));
    assert_eq!(said["refused"].as_array().unwrap().len(), 1, "{said}");
}

#[tokio::test]
async fn the_report_says_of_each_file_what_became_of_it() {
    let two = Two::new().await;
    let folder = tempfile::tempdir().unwrap();
    music::write(folder.path(), "good.flac", &bytes(1, 5000));
    music::write(folder.path(), "there.flac", &bytes(2, 5000));
    music::write(folder.path(), "bad\u{7}name.flac", &bytes(3, 5000));
    two.lockers.put("there.flac", &bytes(2, 5000)).await.unwrap();
    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);
    let csv = folder.path().with_extension("csv");
    let report = csv.to_str().unwrap();

    let dry = ann.output("sync", folder.path(), &["--dry-run", "--report", report]).await;
    assert_eq!(dry.status.code(), Some(1), "{dry:?}");
    assert!(std::fs::read_to_string(&csv).unwrap().contains("good.flac,would send,5000,"));
    assert!(!two.file("ann", "good.flac").exists());

    let output = ann.output("sync", folder.path(), &["--report", report]).await;
    assert_eq!(output.status.code(), Some(1), "one was refused: {output:?}");
    let text = std::fs::read_to_string(&csv).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "path,result,bytes,reason");
    assert!(lines[1].starts_with("bad\u{7}name.flac,refused,5000,"), "{text}");
    assert!(20 < lines[1].len() - "bad\u{7}name.flac,refused,5000,".len(), "and why: {text}");
    assert_eq!((lines[2], lines[3]), ("good.flac,sent,5000,", "there.flac,had,5000,"));
    std::fs::remove_file(csv).unwrap();
}

#[tokio::test]
async fn secrets_come_from_anywhere_but_the_command_line() {
    let two = Two::new().await;
    let folder = tempfile::tempdir().unwrap();
    music::write(folder.path(), "a", b"a");
    let wire = Wire::to(two.lockers.app.http).await;
    let mut ann = Station::of(&two, Who::Ann, &wire);
    assert_eq!(ann.output("sync", folder.path(), &["--secret", "x"]).await.status.code(), Some(2));
    // Kept once, it need not be said again, and nobody else can read it.
    ann.done("sync", folder.path(), &["--remember"]).await;
    let kept = ann.home.path().join(".config/tunelocker/secrets.json");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let mut again = ann.command("sync", folder.path(), &[]);
    assert!(again.env_remove("TUNELOCKER_SECRET").status().await.unwrap().success());
    // From a file; a wrong one is said in words.
    let file = ann.home.path().join("secret");
    std::fs::write(&file, format!("{}\n", ann.secret)).unwrap();
    ann.done("sync", folder.path(), &["--secret-file", file.to_str().unwrap()]).await;
    ann.secret = "not it".to_owned();
    let wrong = ann.output("sync", folder.path(), &[]).await;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("Wrong user name or password"));
    assert!(!String::from_utf8_lossy(&wrong.stderr).contains("not it"));
}

/// Into the household's locker, into a folder that somebody shares, and back; into a folder of each.
#[tokio::test]
async fn a_folder_goes_into_shared_places_and_comes_back() {
    let two = Two::new().await;
    let (drive, ann, locker) = (&two.lockers.drive, &two.lockers.ann, two.lockers.locker);
    for folder in ["Music/Jazz", "Other/Jazz"] {
        two.lockers.put(&format!("{folder}/there.bin"), folder.as_bytes()).await.unwrap();
    }
    let folder = tunelocker::drive::RelativePath::parse("Music/Jazz").unwrap();
    drive.share_folder(ann, locker, &folder, "bob", true).await.unwrap();
    let here = tempfile::tempdir().unwrap();
    collection(here.path(), 5, 20_000);
    let wire = Wire::to(two.lockers.app.http).await;
    let bob = Station::of(&two, Who::Bob, &wire);

    let said = bob.done("sync", here.path(), &["--into", "ann/Jazz"]).await;
    assert_eq!(said["sent"]["files"], 7, "{said}");
    let mut wanted = tree(here.path());
    let theirs = two.file("ann", "Music/Jazz");
    wanted.insert("there.bin".into(), b"Music/Jazz".to_vec());
    assert_eq!(tree(&theirs), wanted);
    assert_eq!(two.lockers.accounts.lockers(&two.bob).await.unwrap()[0].usage.used, 0);
    // Deeper in it: what is there is known, and a renamed file is not sent again.
    let deeper = ["--into", "ann/Jazz", "--path", "/Deep er/é/"];
    bob.done("sync", here.path(), &deeper).await;
    assert_eq!(tree(&theirs.join("Deep er/é")), tree(here.path()));
    std::fs::rename(here.path().join("empty"), here.path().join("still empty")).unwrap();
    let odd = here.path().join("notes, and \"more\".txt");
    std::fs::rename(&odd, here.path().join("notes.txt")).unwrap();
    let said = bob.done("sync", here.path(), &deeper).await;
    assert_eq!((&said["had"]["files"], &said["moved"]["files"]), (&5.into(), &2.into()), "{said}");
    assert_eq!(tree(&theirs.join("Deep er/é")), tree(here.path()));

    let back = tempfile::tempdir().unwrap();
    let said =
        bob.done("pull", back.path(), &["--out-of", "ann/Jazz", "--path", "Deep er/é"]).await;
    assert_eq!(said["fetched"]["files"], 7, "{said}");
    assert_eq!(tree(back.path()), tree(here.path()));

    let output = bob.output("sync", here.path(), &["--into", "ann/Rock"]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ann shares no folder Rock with you"), "{said}");
    // Two of one name: the id tells them apart.
    let folder = tunelocker::drive::RelativePath::parse("Other/Jazz").unwrap();
    let other = drive.share_folder(ann, locker, &folder, "bob", false).await.unwrap();
    let output = bob.output("sync", here.path(), &["--into", "ann/Jazz"]).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains(&other.id.to_string()), "{output:?}");
    // One that is only read takes nothing.
    let output = bob.output("sync", here.path(), &["--into", &other.id.to_string()]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(tree(&two.file("ann", "Other/Jazz")).len(), 1);

    let household = Station::of(&two, Who::Ann, &wire);
    household.done("sync", here.path(), &["--into", "household", "--path", "Ours"]).await;
    assert_eq!(tree(&two.lockers.drive_root().join("household/Ours")), tree(here.path()));
    let back = tempfile::tempdir().unwrap();
    household.done("pull", back.path(), &["--locker", "household"]).await;
    assert_eq!(tree(&back.path().join("Ours")), tree(here.path()));
}

#[tokio::test]
async fn hundreds_of_equal_files_go_and_come_back() {
    let two = Two::new().await;
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let count = 300;
    for number in 0..count {
        music::write(there.path(), &format!("Empty/{number:04}.txt"), b"");
    }
    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);
    let said = ann.done("sync", there.path(), &[]).await;
    assert_eq!(
        said["sent"]["files"].as_u64().unwrap() + said["claimed"]["files"].as_u64().unwrap(),
        count,
        "{said}"
    );
    assert_eq!(tree(&two.lockers.drive_root().join("lockers/ann")), tree(there.path()));
    ann.done("pull", here.path(), &[]).await;
    assert_eq!(tree(here.path()), tree(there.path()));
    // A folder of them that is moved here is moved there, though few of their places are told.
    std::fs::create_dir(there.path().join("Other")).unwrap();
    for number in 290..count {
        let name = format!("{number:04}.txt");
        let (from, to) = (there.path().join("Empty"), there.path().join("Other"));
        std::fs::rename(from.join(&name), to.join(&name)).unwrap();
    }
    let said = ann.done("sync", there.path(), &[]).await;
    assert_eq!(said["moved"]["files"], 10, "{said}");
    assert_eq!(tree(&two.lockers.drive_root().join("lockers/ann")), tree(there.path()));
    std::fs::remove_dir_all(here.path().join("Empty")).unwrap();
    ann.done("pull", here.path(), &[]).await;
    // One that was changed here is as it is there again; the rest is not fetched.
    music::write(here.path(), "Empty/0007.txt", b"changed");
    let said = ann.done("pull", here.path(), &[]).await;
    assert_eq!(
        (&said["fetched"]["files"], &said["had"]["files"]),
        (&1.into(), &(count - 1).into())
    );
    assert_eq!(tree(here.path()), tree(there.path()));
}
