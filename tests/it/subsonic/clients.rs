//! Libraries that real apps are built on, driven as apps drive them. They live in the virtual
//! environment that `tests/setup.sh` makes under `.cache/`.

use std::{path::Path, process::Command};

use super::House;

/// Runs `tests/clients/NAME.py URL USER SECRET` and expects it to end well.
async fn run(name: &str) {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = checkout.join(".cache/venv/bin/python");
    assert!(python.exists(), "tests/setup.sh has not made {}", python.display());
    let house = House::open().await;
    let script = checkout.join("tests/clients").join(name);
    let output = tokio::task::spawn_blocking({
        let (url, user, secret) = (house.app.url(""), house.ann.user, house.ann.secret.clone());
        let music = house.music.clone();
        move || Command::new(python).arg(script).args([&url, user, &secret]).arg(music).output()
    });
    let output = output.await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}:\n{said}\n{complained}");
    assert!(said.trim_end().ends_with("all done"), "{name}:\n{said}");
}

#[tokio::test]
async fn subsonic_py_opensonic_is_at_home() {
    run("opensonic_client.py").await;
}

#[tokio::test]
async fn subsonic_py_sonic_is_at_home() {
    run("sonic_client.py").await;
}
