//! The daemon as a process of its own: started, spoken to, killed without a chance to tidy up.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The administrator of every daemon that is started here.
pub(crate) const ADMIN: (&str, &str) = ("root", "the admin's own");

/// A running one. Dropping it kills it.
pub(crate) struct Daemon {
    child: Child,
    /// ADDR:PORT.
    pub(crate) http: String,
}

/// Where one keeps its things.
#[derive(Clone)]
pub(crate) struct Folders {
    /// The database.
    pub(crate) data: PathBuf,
    /// The lockers.
    pub(crate) drive: PathBuf,
}

impl Folders {
    /// `tunelocker VERB ...` over these folders.
    pub(crate) fn command(&self, verb: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunelocker"));
        command.arg(verb).arg("--data").arg(&self.data);
        command.env("TUNELOCKER_DRIVE", &self.drive);
        command.env("TUNELOCKER_ANALYSIS_ENABLED", "false");
        command.env("TUNELOCKER_ADMIN_USER", ADMIN.0).env("TUNELOCKER_ADMIN_PASSWORD", ADMIN.1);
        command.stdin(Stdio::null());
        command
    }

    /// An app password of the administrator's, while the daemon runs.
    pub(crate) fn app_password(&self) -> String {
        let output = self
            .command("user")
            .args(["app-password", ADMIN.0, "--label", "test"])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What `tunelocker doctor` finds; nothing where it exits with 0.
    pub(crate) fn doctor(&self) -> Vec<String> {
        let output = self.command("doctor").output().unwrap();
        if output.status.success() {
            return Vec::new();
        }
        let said = [output.stdout, output.stderr].concat();
        let mut found: Vec<String> =
            String::from_utf8_lossy(&said).lines().map(str::to_owned).collect();
        found.push(format!("doctor: {}", output.status));
        found
    }
}

impl Daemon {
    /// Starts one and waits until it is ready.
    pub(crate) fn start(folders: &Folders) -> Self {
        Self::start_with(folders, &[])
    }

    /// The same with more on its command line.
    pub(crate) fn start_with(folders: &Folders, more: &[&str]) -> Self {
        let log = folders.data.with_extension("log");
        let mut child = folders
            .command("serve")
            .args(["--no-lan", "--listen", "127.0.0.1:0"])
            .args(more)
            .env("TUNELOCKER_LOG_LEVEL", "warn")
            .stdout(Stdio::piped())
            .stderr(File::options().append(true).create(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines
            .find_map(|line| line.unwrap().strip_prefix("ready http=http://").map(str::to_owned));
        let Some(ready) = ready else {
            panic!("it did not start: {}", std::fs::read_to_string(log).unwrap_or_default())
        };
        // Whatever it says later must not make it wait.
        std::thread::spawn(move || lines.for_each(drop));
        let http = ready.split(' ').next().unwrap().to_owned();
        Self { child, http }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As a power cut does: no chance to tidy up.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder for a test's daemon.
pub(crate) fn folders(home: &Path) -> Folders {
    let folders = Folders { data: home.join("data"), drive: home.join("drive") };
    std::fs::create_dir_all(&folders.data).unwrap();
    folders
}
