//! Runs a browser script of `tests/web`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use super::schema;

/// A script with what it is told; what it printed is shown when it fails.
pub(crate) struct Script {
    node: Command,
}

impl Script {
    /// `name` is a file of `tests/web`.
    pub(crate) fn new(name: &str) -> Self {
        Self::run_by(Command::new("node"), name)
    }

    /// The same, where `node` is a command that runs Node somewhere else.
    pub(crate) fn run_by(mut node: Command, name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(
            root.join(".cache/web/node_modules/playwright-core").exists(),
            "the browser's driver is missing; run tests/setup.sh node"
        );
        node.arg(root.join("tests/web").join(name));
        Self { node }
    }

    /// `--name value`.
    pub(crate) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.node.arg(format!("--{name}")).arg(value.into());
        self
    }

    /// `--name` alone.
    pub(crate) fn flag(mut self, name: &str) -> Self {
        self.node.arg(format!("--{name}"));
        self
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.node.env(name, value);
        self
    }

    /// Runs it to its end, which is a good one.
    pub(crate) fn pass(mut self) {
        let output = self.node.output().expect("node runs");
        let script = self.node.get_args().map(PathBuf::from).next().unwrap_or_default();
        assert!(
            output.status.success(),
            "{}\n{}\n{}",
            script.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        // What the panel sent, and was taken, is as the API's description says.
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let mut parts = line.splitn(4, ' ');
            if let (Some("SENT"), Some(method), Some(path), Some(body)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            {
                schema::hold_request(method, path, body);
            }
        }
    }

    /// The same, while the server of this test goes on.
    pub(crate) async fn pass_beside(self) {
        tokio::task::spawn_blocking(move || self.pass()).await.unwrap();
    }
}
