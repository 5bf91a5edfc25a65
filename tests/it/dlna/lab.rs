//! Three machines on one network of their own, in namespaces: the real server, a real renderer
//! and real control points, nothing leaves the box.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use super::music;
use crate::harness::machine::{has, skip};

const SERVER: &str = "10.77.0.1";
const DESCRIPTION: &str = "http://10.77.0.1:4041/device.xml";
static LABS: AtomicU32 = AtomicU32::new(0);

/// A bridge and three namespaces, `srv`, `rnd` and `cp`, removed with all that runs in them.
struct Lab {
    prefix: String,
    folder: tempfile::TempDir,
    running: Vec<Child>,
}

impl Lab {
    /// `None` where namespaces cannot be made, which is said in the log of skips.
    fn build() -> Option<Self> {
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("tl{}x{number}", std::process::id());
        let lab = Self { prefix, folder: tempfile::tempdir().unwrap(), running: Vec::new() };
        let switch = format!("{}-sw", lab.prefix);
        if !ip(&["netns", "add", &switch]) {
            skip("network namespaces cannot be made here");
            return None;
        }
        assert!(ip(&[
            "-n",
            &switch,
            "link",
            "add",
            "br0",
            "type",
            "bridge",
            "mcast_snooping",
            "0"
        ]));
        assert!(ip(&["-n", &switch, "link", "set", "br0", "up"]));
        for (host, address) in [("srv", SERVER), ("rnd", "10.77.0.2"), ("cp", "10.77.0.3")] {
            let space = lab.space(host);
            let port = format!("e-{host}");
            let network = format!("{address}/24");
            assert!(ip(&["netns", "add", &space]));
            assert!(ip(&[
                "link", "add", &port, "netns", &switch, "type", "veth", "peer", "name", "eth0",
                "netns", &space
            ]));
            assert!(ip(&["-n", &switch, "link", "set", &port, "master", "br0", "up"]));
            assert!(ip(&["-n", &space, "link", "set", "lo", "up"]));
            assert!(ip(&["-n", &space, "addr", "add", &network, "brd", "+", "dev", "eth0"]));
            assert!(ip(&["-n", &space, "link", "set", "eth0", "up"]));
            // Nobody is there: for programs that ask for their address on the default route.
            assert!(ip(&["-n", &space, "route", "add", "default", "via", "10.77.0.254"]));
            // A name server that answers at once that it is none.
            let etc = PathBuf::from("/etc/netns").join(&space);
            fs::create_dir_all(&etc).unwrap();
            fs::write(
                etc.join("resolv.conf"),
                "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
            )
            .unwrap();
        }
        // Programs that bind to an address that is still being tried give up.
        let end = Instant::now() + Duration::from_secs(30);
        for host in ["srv", "rnd", "cp"] {
            let space = lab.space(host);
            let mut tried = Command::new("ip");
            tried.args(["-n", &space, "-6", "addr", "show", "tentative"]);
            while !tried.output().unwrap().stdout.is_empty() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Some(lab)
    }

    fn space(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }

    /// A program on one of the machines.
    fn command(&self, host: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(host)]).arg(program);
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> File {
        File::create(self.path(name)).unwrap()
    }

    /// The server with the little library, known to it as a whole.
    fn serve(&mut self) {
        let music = self.path("music");
        music::write(&music);
        let mut command = self.command("srv", env!("CARGO_BIN_EXE_tunelocker"));
        command
            .args(["serve", "--listen", "0.0.0.0:4040", "--lan-listen", "0.0.0.0:4041"])
            .arg("--data")
            .arg(self.path("data"))
            .arg("--library")
            .arg(format!("Music={}", music.display()))
            .env("TUNELOCKER_ADMIN_USER", "admin")
            .env("TUNELOCKER_ADMIN_PASSWORD", "correct horse battery")
            .stdout(Stdio::piped())
            .stderr(self.log("server.log"));
        let mut server = command.spawn().unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        self.running.push(server);
        let ready = lines.map_while(Result::ok).find(|line| line.starts_with("ready "));
        assert!(ready.is_some(), "{}", self.read("server.log"));
        let end = Instant::now() + Duration::from_mins(2);
        while self.walk().titles.values().filter(|title| title.contains("Sine")).count() < 2 {
            assert!(Instant::now() < end, "{}", self.read("server.log"));
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// async-upnp-client on the third machine.
    fn control_point(&self, arguments: &[&str]) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join(".cache/venv/bin/python");
        assert!(python.exists(), "run tests/setup.sh first");
        let output = self
            .command("cp", &python)
            .arg(root.join("tests/it/dlna/control_point.py"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stderr),
            self.read("server.log")
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn walk(&self) -> Walk {
        serde_json::from_str(&self.control_point(&["walk", DESCRIPTION])).unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
        for host in ["srv", "rnd", "cp", "sw"] {
            let space = self.space(host);
            ip(&["netns", "del", &space]);
            let _ = fs::remove_dir_all(PathBuf::from("/etc/netns").join(space));
        }
    }
}

/// What the control point found.
#[derive(serde::Deserialize)]
struct Walk {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    containers: BTreeMap<String, String>,
    tracks: BTreeMap<String, Vec<(String, String)>>,
    titles: BTreeMap<String, String>,
    searches: BTreeMap<String, Vec<String>>,
    faults: BTreeMap<String, Option<u16>>,
    source: String,
}

fn ip(arguments: &[&str]) -> bool {
    Command::new("ip").args(arguments).stderr(Stdio::null()).status().is_ok_and(|is| is.success())
}

#[test]
fn home_assistants_client_finds_walks_and_searches() {
    let Some(mut lab) = Lab::build() else { return };
    lab.serve();
    let walk = lab.walk();
    assert!(walk.name.starts_with("Tunelocker"), "{}", walk.name);
    assert_eq!(walk.kind, "urn:schemas-upnp-org:device:MediaServer:1");
    for container in ["albums", "albumartists", "artists", "genres", "years", "tracks", "folders"] {
        assert!(walk.containers.contains_key(container), "{container}");
    }
    let home: Vec<_> = walk.titles.keys().filter(|id| id.starts_with("tr.")).collect();
    assert_eq!(home.len(), 4, "{:?}", walk.titles);
    for forms in walk.tracks.values() {
        assert!(forms.iter().all(|(_, url)| url.starts_with("http://10.77.0.1:4041/media/")));
        assert!(forms[0].0.contains("DLNA.ORG_OP=01"), "{forms:?}");
    }
    let sizes: Vec<_> = walk.searches.values().map(Vec::len).collect();
    // By text of the criteria: '*', two artists' works, two artists, two albums, four tracks,
    // two sines, two of Jazz.
    let by = |part: &str| walk.searches.iter().find(|(is, _)| is.contains(part)).unwrap().1.len();
    assert_eq!(by("@refID"), 4, "{sizes:?}");
    assert_eq!(by("musicAlbum"), 2);
    assert_eq!(by("musicArtist"), 2);
    assert_eq!(by("sine"), 2);
    assert_eq!(by("Jazz"), 2);
    assert_eq!(walk.faults["Browse"], Some(701));
    assert_eq!(walk.faults["Search"], Some(708));
    assert!(walk.source.contains("audio/flac"));
    let found = lab.control_point(&["find", "3"]);
    let found: Vec<(String, String)> = serde_json::from_str(&found).unwrap();
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(found.iter().all(|(_, location)| location == DESCRIPTION), "{found:?}");
}

#[test]
fn a_renderer_plays_an_album_without_a_gap() {
    if !has("gmediarender") {
        return;
    }
    let Some(mut lab) = Lab::build() else { return };
    lab.serve();
    let capture = lab.path("capture.pcm");
    let pipe = format!(
        "audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=44100,channels=2 ! \
         filesink sync=true buffer-mode=unbuffered append=true location={}",
        capture.display()
    );
    let renderer = lab
        .command("rnd", "gmediarender")
        .args(["-f", "Lab", "-u", "22222222-3333-4444-5555-666666666602", "-I", "eth0"])
        .args(["-p", "49494", "--gstout-videosink=fakesink", "--gstout-initial-volume-db=0"])
        .arg(format!("--gstout-audiopipe={pipe}"))
        .stdout(lab.log("renderer.log"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    lab.running.push(renderer);
    let description = "http://10.77.0.2:49494/description.xml";
    let end = Instant::now() + Duration::from_mins(2);
    let mut there = lab.command("cp", "bash");
    there.args(["-c", "exec 3<>/dev/tcp/10.77.0.2/49494"]).stderr(Stdio::null());
    while !there.status().unwrap().success() {
        assert!(Instant::now() < end, "{}", lab.read("renderer.log"));
        std::thread::sleep(Duration::from_millis(100));
    }
    let walk = lab.walk();
    let album = walk.containers.iter().find(|(_, title)| *title == "Alpha Songs").unwrap().0;
    lab.control_point(&["play", DESCRIPTION, description, album]);
    // Two tracks of twelve seconds, 16 bit stereo, and no silence between them.
    let pcm = fs::read(capture).unwrap();
    let frames = pcm.len() / 4;
    assert!(frames.abs_diff(24 * 44_100) < 441, "{frames} frames");
    let left = pcm.chunks_exact(4).map(|frame| i16::from_le_bytes([frame[0], frame[1]]));
    let (mut run, mut longest) = (0, 0);
    for sample in left {
        run = if sample.abs() <= 1 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    assert!(longest < 100, "{longest} silent frames in a row");
}

#[test]
fn vlc_lists_and_plays() {
    if !has("cvlc") || !has("setpriv") {
        return;
    }
    let Some(mut lab) = Lab::build() else { return };
    lab.serve();
    let walk = lab.walk();
    let album = walk.containers.iter().find(|(_, title)| *title == "Alpha Songs").unwrap().0;
    // VLC refuses to run as root.
    let home = lab.path("home");
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65_534), Some(65_534)).unwrap();
    fs::set_permissions(lab.folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let url = format!("upnp://10.77.0.1:4041/control/content-directory?ObjectID={album}");
    let output = lab
        .command("cp", "setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "env"])
        .arg(format!("HOME={}", home.display()))
        .args(["timeout", "60", "cvlc", "-vv", "-I", "dummy", "--aout=adummy", "--no-video"])
        .args(["--play-and-exit", "--run-time=2", &url])
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    for number in 1..=2 {
        let track = walk.titles.iter().find(|(id, title)| {
            id.starts_with("tr.") && **title == ["Sine One", "Sine Two"][number - 1]
        });
        let url = &walk.tracks[track.unwrap().0][0].1;
        assert!(log.contains(&format!("`{url}' successfully opened")), "{log}");
    }
}
