//! Starts the real server and speaks to it.

pub(crate) mod ape;
pub(crate) mod daemon;
pub(crate) mod denied;
pub(crate) mod dsd;
pub(crate) mod machine;
pub(crate) mod music;
pub(crate) mod volume;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use tunelocker::{
    app::{App, Services},
    clock::Clock,
    config::{Config, Lan, Workers},
};

/// A running server over a temporary folder. Dropping it stops it.
pub(crate) struct TestApp {
    /// The public listener.
    pub(crate) http: SocketAddr,
    /// The LAN listener.
    pub(crate) lan: SocketAddr,
    /// Its services, for seeding.
    pub(crate) services: Services,
    /// Its folder.
    pub(crate) folder: tempfile::TempDir,
    stop: tokio_util::sync::CancellationToken,
}

impl TestApp {
    /// A configuration over `folder`: loopback, free ports, the workers of this build, SSDP on `lo`.
    pub(crate) fn config(folder: &std::path::Path) -> Config {
        let mut config = Config::local(folder.join("data"));
        config.lan =
            Some(Lan { listen: ([127, 0, 0, 1], 0).into(), interfaces: vec!["lo".to_owned()] });
        config.workers = Workers {
            daemon: Some(env!("CARGO_BIN_EXE_tunelocker").into()),
            decoder: Some(env!("CARGO_BIN_EXE_tunelocker-worker").into()),
            ..Workers::default()
        };
        config
    }

    /// Starts one with no libraries.
    pub(crate) async fn spawn() -> Self {
        Self::spawn_with(|_| ()).await
    }

    /// Starts one after `change` had its say about the configuration.
    pub(crate) async fn spawn_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::spawn_at(Clock::System, change).await
    }

    /// The same by another clock.
    pub(crate) async fn spawn_at(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Self::config(folder.path());
        change(&mut config);
        let (tell, told) = tokio::sync::oneshot::channel();
        // A thread with a runtime of its own: the server lives beside the test, as in life.
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = App::build(config, clock).await.unwrap();
                let addresses = (app.http_address(), app.lan_address());
                assert!(tell.send((addresses, app.services().clone(), app.stop_token())).is_ok());
                app.run_until_stopped().await.unwrap();
            });
        });
        let ((http, lan), services, stop) = told.await.unwrap();
        let lan = lan.unwrap_or(http);
        Self { http, lan, services, folder, stop }
    }

    /// `http://ADDR` of the public listener.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How often tests repeat what may go wrong rarely: once, or as `make soak` says.
pub(crate) fn times() -> u64 {
    std::env::var("SLOW_TESTS").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

#[tokio::test]
async fn starts_and_stops() {
    let app = TestApp::spawn().await;
    let answer = reqwest::get(app.url("/nothing-here")).await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(app.services.accounts.household().await.unwrap().libraries.is_empty());
}

/// Every file below a folder with its bytes, by its path from there.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(
                    path.strip_prefix(root).unwrap().to_owned(),
                    std::fs::read(path).unwrap(),
                );
            }
        }
    }
    files
}
