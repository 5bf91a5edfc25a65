//! A disk that is really full, and a server that is really killed.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tunelocker::{Error, drive::RelativePath};

use super::{Lockers, body};
use crate::harness::TestApp;

/// A small file system of its own; unmounted when dropped.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn mount(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tunelocker-test"])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(mounted.success(), "mounting a tmpfs needs root");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let disk = Tmpfs::mount("4m");
    let root = disk.path().to_owned();
    let app = TestApp::spawn_with(|config| config.drive = root).await;
    let lockers = Lockers::over(app, 1_000_000_000).await;
    let put = async |name: &str, size: usize, declared: bool| {
        let bytes = vec![7; size];
        let declared = declared.then_some(size as u64);
        lockers.drive.put(&lockers.ann, &lockers.target(name), declared, body(&bytes)).await
    };
    put("first", 1_000_000, true).await.unwrap();
    for declared in [true, false] {
        let full = put("too large", 5_000_000, declared).await;
        assert!(matches!(full, Err(Error::StorageFull)), "{full:?}");
        let replaced = put("first", 5_000_000, declared).await;
        assert!(matches!(replaced, Err(Error::StorageFull)), "{replaced:?}");
    }
    let locker = disk.path().join("lockers/ann");
    let names: Vec<_> =
        fs::read_dir(&locker).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["first"], "nothing half-published");
    assert_eq!(fs::read(locker.join("first")).unwrap(), vec![7; 1_000_000]);
    assert_eq!(fs::read_dir(disk.path().join("staging")).unwrap().count(), 0);
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reserved), (1_000_000, 0));

    // Over HTTP it says so.
    let secret = lockers.accounts.create_app_password(&lockers.ann, "curl").await.unwrap().secret;
    let url = lockers.app.url("/api/v1/files/too%20large");
    let answer =
        reqwest::Client::new().put(url).bearer_auth(secret).body(vec![7; 5_000_000]).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 507);
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "disk_full");

    // Reading and deleting go on, and room made is room.
    let path = RelativePath::parse("first").unwrap();
    lockers.drive.open_file(&lockers.ann, lockers.locker, &path).await.unwrap();
    lockers
        .drive
        .remove(&lockers.ann, lockers.locker, &path, &tunelocker::drive::Condition::default())
        .await
        .unwrap();
    put("second", 2_000_000, true).await.unwrap();
    assert_eq!(lockers.usage().await.used, 2_000_000);
}

/// The daemon as a process.
struct Daemon {
    child: Child,
    http: String,
}

impl Daemon {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tunelocker"))
            .args(["serve", "--no-lan", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("TUNELOCKER_ADMIN_USER", "root")
            .env("TUNELOCKER_ADMIN_PASSWORD", "the admin's own")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines
            .find_map(|line| line.unwrap().strip_prefix("ready http=http://").map(str::to_owned));
        let http = ready.unwrap().split(' ').next().unwrap().to_owned();
        Self { child, http }
    }

    /// As a power cut does: no chance to tidy up.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/files/{path}", self.http)
    }

    fn client() -> reqwest::Client {
        reqwest::Client::builder().timeout(Duration::from_mins(1)).build().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn killed_during_uploads_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (client, password) = (Daemon::client(), "the admin's own");
    let mut acknowledged: Vec<(String, Vec<u8>)> = Vec::new();
    for round in 0..3_u8 {
        let mut daemon = Daemon::start(&data);
        let before = acknowledged.len();
        // One upload stands still in the middle, others run; then the server dies.
        let mut half = TcpStream::connect(&daemon.http).unwrap();
        let basic = {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            STANDARD.encode(format!("root:{password}"))
        };
        write!(
            half,
            "PUT /api/v1/files/half{round} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {basic}\r\nContent-Length: 3000000\r\n\r\n"
        )
        .unwrap();
        half.write_all(&vec![1; 1_500_000]).unwrap();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let uploads = tokio::spawn({
            let (client, base) = (client.clone(), daemon.url(""));
            async move {
                for number in 0..200_u32 {
                    let name = format!("round{round}/{number}");
                    let bytes = vec![number as u8; 70_000 + number as usize];
                    let sent =
                        client.put(format!("{base}{name}")).basic_auth("root", Some(password));
                    match sent.body(bytes.clone()).send().await {
                        Ok(answer) if answer.status() == 201 => tell.send((name, bytes)).unwrap(),
                        Ok(answer) => panic!("{}", answer.status()),
                        Err(_) => return,
                    }
                }
            }
        });
        while acknowledged.len() < before + 5 + 3 * usize::from(round) {
            acknowledged.push(told.recv().await.unwrap());
        }
        daemon.kill();
        uploads.await.unwrap();
        while let Some(one) = told.recv().await {
            acknowledged.push(one);
        }
    }

    let daemon = Daemon::start(&data);
    for (name, bytes) in &acknowledged {
        let back =
            client.get(daemon.url(name)).basic_auth("root", Some(password)).send().await.unwrap();
        assert_eq!(back.status(), 200, "{name}");
        assert!(back.bytes().await.unwrap() == bytes, "{name} has other bytes");
    }
    assert_eq!(fs::read_dir(data.join("staging")).unwrap().count(), 0, "staging is clean");
    let locker = data.join("lockers/root");
    assert!(!locker.join("half0").exists(), "nothing half-published");
    let lockers = format!("http://{}/api/v1/lockers", daemon.http);
    let lockers = client.get(lockers).basic_auth("root", Some(password)).send().await.unwrap();
    let lockers: serde_json::Value = lockers.json().await.unwrap();
    let mine = &lockers[0];
    let mine = if mine.is_null() { &lockers["items"][0] } else { mine };
    assert_eq!(mine["reserved"], 0, "{lockers}");
    let on_disk: u64 = (0..3)
        .flat_map(|round| fs::read_dir(locker.join(format!("round{round}"))).unwrap())
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(mine["used"], on_disk, "every byte on the disk is counted: {lockers}");
}
