//! Libraries that real apps are built on, driven as apps drive them. They live in the virtual
//! environment that `tests/setup.sh` makes under `.cache/`.

use std::{path::Path, process::Command};

use super::House;
use crate::ingest::corpus::corpus;

/// Runs `tests/clients/NAME.py URL USER SECRET` with these arguments, and expects it to end well.
async fn run(house: &House, name: &str, arguments: &[&Path]) {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = checkout.join(".cache/venv/bin/python");
    assert!(python.exists(), "tests/setup.sh has not made {}", python.display());
    let mut command = Command::new(python);
    command
        .arg(checkout.join("tests/clients").join(name))
        .args([&house.app.url(""), house.ann.user, &house.ann.secret])
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}:\n{said}\n{complained}");
    assert!(said.trim_end().ends_with("all done"), "{name}:\n{said}");
}

#[tokio::test]
async fn subsonic_py_opensonic_is_at_home() {
    let house = House::open().await;
    run(&house, "opensonic_client.py", &[&house.music]).await;
}

#[tokio::test]
async fn subsonic_py_sonic_is_at_home() {
    let house = House::open().await;
    run(&house, "sonic_client.py", &[&house.music]).await;
}

#[tokio::test]
async fn subsonic_clients_take_a_large_library_over() {
    let corpus = corpus("clean", &["--tracks", "2000"]);
    let house = House::over_library(&corpus.library).await;
    let manifest = corpus.library.with_file_name("manifest.jsonl");
    for name in ["opensonic_sync.py", "sonic_sync.py"] {
        run(&house, name, &[&corpus.library, &manifest]).await;
    }
}
