//! The programs as scripts and service managers meet them: arguments, exit codes, output,
//! signals.

mod backups;
mod configuration;
mod doctor;
mod handed;
mod import;
mod lifecycle;
mod packaging;
mod tls;
mod users;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tunelocker");

/// A data folder and the commands over it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command that sees nothing of this machine's own settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().env("TUNELOCKER_DATA", self.data());
        command
    }

    /// Runs to the end, with `input` on standard input.
    fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone before it is written to.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// Runs a command that must work; its output without the last line end.
    fn done(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run_with(arguments, input);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The same with `--json`.
    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.done(&[arguments, &["--json"]].concat(), "");
        serde_json::from_str(&text).unwrap()
    }

    /// Starts a server on free loopback ports.
    fn serve(&self, arguments: &[&str]) -> Server {
        let fixed = ["serve", "--listen", "127.0.0.1:0"];
        Server::start(self.command(&[&fixed, arguments].concat()))
    }
}

/// A running server. Dropping it kills it.
struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    ready: String,
}

impl Server {
    fn start(mut command: Command) -> Self {
        command.stderr(Stdio::null());
        Self::start_with(command)
    }

    /// The same with a log that somebody reads.
    fn start_with(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        assert!(ready.starts_with("ready http="), "{ready:?}");
        Self { child, output, ready: ready.trim_end().to_owned() }
    }

    /// The address that the ready line gives for this listener.
    fn url(&self, listener: &str) -> Option<&str> {
        let name = format!("{listener}=");
        self.ready.split(' ').find_map(|word| word.strip_prefix(&name))
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end: the exit code.
    fn ended(&mut self) -> Option<i32> {
        let status = wait_for("the server's end", || self.child.try_wait().unwrap());
        status.code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn error_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
