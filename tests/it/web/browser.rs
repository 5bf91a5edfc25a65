//! The panel in Chromium, as a person uses it: first run, sign-in, listening, searching, uploading,
//! connecting an app, administering. By loopback, and through a plain http address and a name that
//! are neither, where browsers have no secure context.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{music, script::Script};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_uses_the_panel() {
    let music = tempfile::tempdir().unwrap();
    let root = music.path().join("library");
    music::library(&root);
    let app = TestApp::spawn_with(|config| {
        config.libraries = vec![("Music".to_owned(), root)];
    })
    .await;
    let token = app.services.accounts.set_up_token().await.unwrap().unwrap();
    let link = app.url(&format!("/setup?token={token}"));
    let folder = music.path().to_owned();
    tokio::task::spawn_blocking(move || use_panel(None, &link, &folder, &[])).await.unwrap();
}

#[test]
fn a_person_uses_the_panel_by_an_address_of_the_lan() {
    let lan = Lan::new("a");
    let server = Served::start(&lan);
    let link = server.link(&format!("{}:{}", lan.address, server.port));
    use_panel(Some(&lan), &link, server.music.path(), &[("name", "address")]);
}

#[test]
fn a_person_uses_the_panel_by_a_name() {
    let lan = Lan::new("n");
    let server = Served::start(&lan);
    let link = server.link(&format!("nas.lan:{}", server.port));
    let rules = format!("MAP nas.lan {}", lan.address);
    use_panel(Some(&lan), &link, server.music.path(), &[("name", "name"), ("rules", &rules)]);
}

/// The tab is closed in the middle of an upload; picked again, the file goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_the_tab_was_closed() {
    let app = TestApp::spawn().await;
    app.services.accounts.ensure_first_admin("mira", "correct horse battery").await.unwrap();
    let file = app.folder.path().join("large.flac");
    let bytes: Vec<u8> =
        (0..30_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    Script::new("resume.mjs")
        .with("name", "mira")
        .with("password", "correct horse battery")
        .with("base", app.url(""))
        .with("file", &file)
        .with("staging", app.folder.path().join("data/staging"))
        .pass_beside()
        .await;
    let stored = app.folder.path().join("data/lockers/mira/large.flac");
    assert!(std::fs::read(stored).unwrap() == bytes);
}

fn use_panel(lan: Option<&Lan>, link: &str, folder: &Path, more: &[(&str, &str)]) {
    let (carried, dropped) = music::uploads(&folder.join("uploads"));
    let node = lan.map_or_else(|| Command::new("node"), |lan| lan.command("node"));
    let mut script = Script::run_by(node, "panel.mjs")
        .with("setup", link)
        .with("upload", carried)
        .with("drop", dropped);
    if let Some((lan, port)) = lan.zip(link.split([':', '/']).nth(4)) {
        script = script.flag("quick").env("LOCAL_BASE", &format!("http://{}:{port}", lan.address));
    }
    for (name, value) in more {
        script = script.with(name, *value);
    }
    script.pass();
}

/// A network of its own, with one LAN-like interface.
struct Lan {
    name: String,
    address: &'static str,
}

impl Lan {
    fn new(word: &str) -> Self {
        let lan =
            Self { name: format!("tlweb{word}{}", std::process::id()), address: "192.168.77.1" };
        lan.ip(&["netns", "add", &lan.name]);
        for words in [
            "link set lo up",
            "link add lan0 type veth peer name lan1",
            "addr add 192.168.77.1/24 dev lan0",
            "link set lan1 up",
            "link set lan0 up",
        ] {
            let words: Vec<&str> = ["-n", &lan.name].into_iter().chain(words.split(' ')).collect();
            lan.ip(&words);
        }
        lan
    }

    #[expect(clippy::unused_self, reason = "only for the namespace of this value")]
    fn ip(&self, words: &[&str]) {
        let status = Command::new("ip").args(words).status().expect("ip runs");
        assert!(status.success(), "ip {words:?} (needs root)");
    }

    /// A command inside.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// The daemon itself, inside.
struct Served {
    child: Child,
    port: u16,
    token: String,
    music: tempfile::TempDir,
}

impl Served {
    fn start(lan: &Lan) -> Self {
        let music = tempfile::tempdir().unwrap();
        let root = music.path().join("library");
        music::library(&root);
        let mut child = lan
            .command(env!("CARGO_BIN_EXE_tunelocker"))
            .args(["serve", "--no-lan", "--listen", "0.0.0.0:0", "--library"])
            .arg(format!("Music={}", root.display()))
            .arg("--data")
            .arg(music.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let ready = lines.by_ref().find(|line| line.starts_with("ready ")).expect("a ready line");
        let setup = lines.by_ref().find(|line| line.starts_with("setup ")).expect("a set-up link");
        let port = ready.split("0.0.0.0:").nth(1).unwrap().split(' ').next().unwrap();
        let token = setup.split("token=").nth(1).unwrap().to_owned();
        Self { child, port: port.parse().unwrap(), token, music }
    }

    fn link(&self, host: &str) -> String {
        format!("http://{host}/setup?token={}", self.token)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
