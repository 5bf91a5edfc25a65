//! The programs that people use: rclone copies, checks and syncs, cadaver walks about, davfs2
//! mounts; each through the real server.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::Dav;
use crate::harness::machine::{has, skip};

/// Runs a program beside the server.
async fn run(mut command: Command, input: &'static str) -> Output {
    tokio::task::spawn_blocking(move || {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Small files in many folders, with names as people give them.
fn many_files(root: &Path, count: usize) {
    for number in 0..count {
        let folder =
            root.join(format!("Künstler {}/Album #{} (50%)", number / 100, number / 10 % 10));
        fs::create_dir_all(&folder).unwrap();
        let bytes = format!("{number} ").repeat(number % 97 + 1);
        fs::write(folder.join(format!("{:02} Lied & Spiel + {number}.txt", number % 10)), bytes)
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rclone_copies_checks_and_syncs() {
    if !has("rclone") {
        return;
    }
    let dav = Dav::with_quota(100_000_000).await;
    let folder = tempfile::tempdir().unwrap();
    let (here, back) = (folder.path().join("here"), folder.path().join("back"));
    many_files(&here, 1000);
    let hidden = Command::new("rclone").args(["obscure", &dav.secret]).output().unwrap();
    let hidden = String::from_utf8(hidden.stdout).unwrap();
    let rclone = |arguments: &[&str]| {
        let mut command = Command::new("rclone");
        command
            .env("RCLONE_CONFIG", folder.path().join("none.conf"))
            .env("RCLONE_CONFIG_BOX_TYPE", "webdav")
            .env("RCLONE_CONFIG_BOX_VENDOR", "other")
            .env("RCLONE_CONFIG_BOX_URL", dav.url("ann"))
            .env("RCLONE_CONFIG_BOX_USER", "ann")
            .env("RCLONE_CONFIG_BOX_PASS", hidden.trim())
            .args(["--retries", "1", "--transfers", "4", "--checkers", "4"])
            .args(arguments);
        run(command, "")
    };
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let done = rclone(&["copy", &text(&here), "box:Music"]).await;
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(dav.lockers.usage().await.used, dav.lockers.on_disk());
    let done = rclone(&["check", "--download", &text(&here), "box:Music"]).await;
    assert!(
        done.status.success() && said(&done).contains("1000 matching files"),
        "{}",
        said(&done)
    );

    // Some go, some are renamed, some are new and larger.
    fs::remove_dir_all(here.join("Künstler 3")).unwrap();
    fs::rename(here.join("Künstler 4"), here.join("Kuenstler 4")).unwrap();
    fs::write(here.join("new.bin"), vec![9; 3_000_000]).unwrap();
    let done = rclone(&["sync", &text(&here), "box:Music"]).await;
    assert!(done.status.success(), "{}", said(&done));
    let done = rclone(&["check", &text(&here), "box:Music"]).await;
    assert!(done.status.success() && said(&done).contains("901 matching files"), "{}", said(&done));
    let done = rclone(&["copy", "box:Music", &text(&back)]).await;
    assert!(done.status.success(), "{}", said(&done));
    let same = Command::new("diff").arg("-r").args([&here, &back]).output().unwrap();
    assert!(same.status.success(), "{}", said(&same));
    let done = rclone(&["about", "--json", "box:"]).await;
    let about: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(about["used"], dav.lockers.usage().await.used);
    let done = rclone(&["purge", "box:Music"]).await;
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(dav.lockers.usage().await.used, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cadaver_walks_about() {
    if !has("cadaver") {
        return;
    }
    let dav = Dav::with_quota(1_000_000).await;
    let home = tempfile::tempdir().unwrap();
    let host = dav.lockers.app.http.ip();
    let login = format!("machine {host} login ann password {}\n", dav.secret);
    fs::write(home.path().join(".netrc"), login).unwrap();
    fs::set_permissions(home.path().join(".netrc"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(home.path().join("song.txt"), "la la la").unwrap();
    let mut cadaver = Command::new("cadaver");
    cadaver.env("HOME", home.path()).current_dir(home.path()).arg(dav.url("ann/"));
    let script = "mkcol Music\ncd Music\nput song.txt\nlock song.txt\npropset song.txt mood fine\npropget song.txt mood\n\
                  discover song.txt\nunlock song.txt\ncopy song.txt again.txt\nmove again.txt third.txt\nls\nget third.txt back.txt\n\
                  delete song.txt\ncd ..\nls\nquit\n";
    let done = run(cadaver, script).await;
    let said = said(&done);
    assert!(done.status.success(), "{said}");
    assert!(!said.contains("failed"), "{said}");
    assert!(said.contains("Value of mood is: fine"), "{said}");
    assert_eq!(fs::read(home.path().join("back.txt")).unwrap(), b"la la la");
    assert_eq!(fs::read(dav.lockers.folder().join("Music/third.txt")).unwrap(), b"la la la");
    assert!(!dav.lockers.folder().join("Music/song.txt").exists());
}

/// A mounted drive; unmounted when it is dropped.
struct Mounted {
    at: PathBuf,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg(&self.at)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn davfs2_mounts_edits_and_locks() {
    if !Path::new("/sbin/mount.davfs").exists() {
        skip("mount.davfs is not installed");
        return;
    }
    if !Path::new("/dev/fuse").exists() || !rustix::process::geteuid().is_root() {
        skip("nothing can be mounted here");
        return;
    }
    let dav = Dav::with_quota(10_000_000).await;
    let folder = tempfile::tempdir().unwrap();
    let (at, cache) = (folder.path().join("mnt"), folder.path().join("cache"));
    // davfs2 does not stay root.
    for (made, mode) in [(&at, 0o755), (&cache, 0o777)] {
        fs::create_dir(made).unwrap();
        fs::set_permissions(made, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (secrets, conf) = (folder.path().join("secrets"), folder.path().join("conf"));
    fs::write(&secrets, format!("{} ann {}\n", dav.url("ann/"), dav.secret)).unwrap();
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
    let settings = format!(
        "cache_dir {}\nsecrets {}\nuse_locks 1\ndelay_upload 0\nask_auth 0\nn_cookies 0\n",
        cache.display(),
        secrets.display()
    );
    fs::write(&conf, settings).unwrap();
    let mut mount = Command::new("mount.davfs");
    mount.arg(dav.url("ann/")).arg(&at).arg("-o").arg(format!("conf={},uid=0", conf.display()));
    let done = run(mount, "").await;
    if said(&done).contains("fuse") && !done.status.success() {
        skip("nothing can be mounted here");
        return;
    }
    assert!(done.status.success(), "{}", said(&done));
    let mounted = Mounted { at: at.clone() };
    let other = dav.lockers.folder();
    // What a person does in a file manager and an editor.
    tokio::task::spawn_blocking(move || {
        fs::create_dir(at.join("Notizen")).unwrap();
        let note = at.join("Notizen/größe.txt");
        fs::write(&note, "first").unwrap();
        assert_eq!(fs::read(&note).unwrap(), b"first");
        let mut edited = fs::OpenOptions::new().append(true).open(&note).unwrap();
        edited.write_all(b" and second").unwrap();
        drop(edited);
        fs::rename(&note, at.join("Notizen/neu.txt")).unwrap();
        fs::write(at.join("large.bin"), vec![5; 2_000_000]).unwrap();
        fs::remove_file(at.join("large.bin")).unwrap();
        // Not listed: this davfs2 cannot, on a kernel as new as some machines have.
        assert!(at.join("Notizen/neu.txt").exists() && !note.exists());
        // No database lives on such a mount: a server that is told to start there says why not.
        let mut server = Command::new(env!("CARGO_BIN_EXE_tunelocker"));
        server.arg("serve").arg("--data").arg(at.join("data")).args(["--no-lan", "--listen"]);
        let refused = server.arg("127.0.0.1:0").env_clear().output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains("is on FUSE, where a database loses data"));
        drop(mounted);
    })
    .await
    .unwrap();
    assert_eq!(fs::read(other.join("Notizen/neu.txt")).unwrap(), b"first and second");
    assert!(!other.join("large.bin").exists());
    let root = tunelocker::drive::RelativePath::parse("").unwrap();
    let around =
        dav.lockers.drive.locks(&dav.lockers.ann, dav.lockers.locker, &root).await.unwrap();
    assert!(around.locks.is_empty(), "every lock was let go: {:?}", around.locks);
}
