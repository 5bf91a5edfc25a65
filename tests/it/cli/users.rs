//! `user`, `plan` and `scan`, beside a running server and without one.

use serde_json::json;

use super::{Place, error_text};

const PASSWORD: &str = "correct horse battery\n";

/// Everything that a command can do to users and plans, wherever it is done.
fn manage(place: &Place) {
    place.done(&["user", "add", "ann", "--password-stdin", "--role", "admin"], PASSWORD);
    place.done(&["plan", "set", "Tiny", "--quota", "1000", "--label", "a test"], "");
    place.done(&["user", "add", "bob", "--password-stdin", "--plan", "Tiny"], PASSWORD);

    let users = place.json(&["user", "list"]);
    let named = |name: &str| users.as_array().unwrap().iter().find(|user| user["name"] == name);
    assert_eq!(named("ann").unwrap()["role"], "admin");
    assert_eq!(named("bob").unwrap()["plan"], "Tiny");

    place.done(&["plan", "set", "Tiny", "--quota", "unlimited"], "");
    let plans = place.json(&["plan", "list"]);
    let tiny = plans.as_array().unwrap().iter().find(|plan| plan["name"] == "Tiny").unwrap();
    assert_eq!((&tiny["quota"], &tiny["label"]), (&json!(null), &json!("a test")));

    let year = ["--plan", "Plus", "--days", "365", "--reason", "a present"];
    let grant = place.done(&[&["grant", "add", "bob"][..], &year].concat(), "");
    place.done(&["grant", "add", "bob", "--bytes", "1000"], "");
    let grants = place.json(&["grant", "list", "bob"]);
    let gives: Vec<_> = grants.as_array().unwrap().iter().map(|one| &one["gives"]).collect();
    assert_eq!(gives, [&json!("1000 more"), &json!("at least Plus")]);
    assert_eq!(grants[1]["id"], grant.trim());
    place.done(&["grant", "remove", grant.trim()], "");
    assert_eq!(place.json(&["grant", "list", "bob"])[1]["active"], false);
    let song = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(song.path(), b"a song").unwrap();
    let file = song.path().to_str().unwrap();
    for _ in 0..2 {
        let delivered = place.json(&["deliver", "--user", "bob", "--order", "7", file]);
        assert_eq!(delivered[0]["stored"], true, "{delivered}");
        assert_eq!(delivered.as_array().unwrap().len(), 1);
        assert_eq!(delivered[0]["invitation"], json!(null), "{delivered}");
    }
    // What is not there is said and fails; the rest arrives.
    let half = ["deliver", "--user", "bob", "--order", "8", file, "/nowhere/song.flac", "--json"];
    let output = place.run(&half);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told[0]["stored"], &told[1]["stored"]), (&json!(true), &json!(false)), "{told}");
    assert!(told[1]["problem"].as_str().unwrap().contains("cannot be read"), "{told}");
    let new = ["deliver", "--user", "eve@example.org", "--create", "--order", "9", file];
    let told = place.done(&new, "");
    assert!(told.contains("chooses a password at http://") && told.contains("/invite/"), "{told}");
    let told = place.json(&new);
    assert!(told[0]["invitation"].as_str().unwrap().contains("/invite/"), "{told}");

    // The secret stands alone on standard output, so that a script can take it as it is.
    let secret = place.done(&["user", "app-password", "bob", "--label", "phone"], "");
    assert!(secret.len() >= 16 && !secret.contains(char::is_whitespace), "{secret:?}");
    let other = place.done(&["user", "app-password", "bob", "--label", "phone"], "");
    assert_ne!(secret, other);

    place.done(&["user", "set-password", "bob", "--password-stdin"], "another password\n");
    let refused = place.run(&["plan", "remove", "Tiny"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let last_admin = place.run(&["user", "remove", "ann"]);
    assert_eq!(last_admin.status.code(), Some(1), "{last_admin:?}");
    place.done(&["user", "set-plan", "bob", "Free"], "");
    place.done(&["plan", "remove", "Tiny"], "");
    place.done(&["user", "remove", "bob"], "");
    place.done(&["user", "remove", "eve"], "");

    for wrong in [
        &["user", "remove", "nobody"][..],
        &["user", "set-plan", "ann", "Nothing"],
        &["user", "app-password", "nobody", "--label", "x"],
    ] {
        let output = place.run(wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}: {output:?}");
        assert!(error_text(&output).starts_with("tunelocker: "), "{wrong:?}");
    }
    let output = place.run_with(&["user", "add", "eve", "--password-stdin"], "");
    assert_eq!(output.status.code(), Some(1), "an empty password: {output:?}");
    let output = place.run(&["user", "remove", "nobody", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["error"].is_string(), "{told}");
}

#[test]
fn without_a_server() {
    manage(&Place::new());
}

#[test]
fn beside_a_server() {
    let place = Place::new();
    let server = place.serve(&["--no-lan"]);
    manage(&place);
    drop(server);
    // What was acknowledged through the socket survives even a kill.
    let users = place.json(&["user", "list"]);
    assert_eq!(users.as_array().unwrap().len(), 1, "{users}");
}

#[test]
fn the_first_admin_comes_from_the_environment() {
    let place = Place::new();
    let secret = place.folder.path().join("secret");
    std::fs::write(&secret, PASSWORD).unwrap();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--no-lan"]);
    command.env("TUNELOCKER_ADMIN_USER", "ann").env("TUNELOCKER_ADMIN_PASSWORD_FILE", &secret);
    let server = super::Server::start(command);
    let users = place.json(&["user", "list"]);
    assert_eq!(users[0]["name"], "ann");
    assert_eq!(users[0]["role"], "admin");
    drop(server);
}

#[test]
fn a_scan_right_after_the_start_knows_the_libraries() {
    let place = Place::new();
    let music = place.folder.path().join("music");
    std::fs::create_dir(&music).unwrap();
    std::fs::write(music.join("no.mp3"), "nothing").unwrap();
    let library = format!("Music={}", music.display());
    let server = place.serve(&["--no-lan", "--library", &library]);
    // Whether it was this scan that found the file unreadable, or the one of the start: it is one.
    for arguments in [&["scan", "--wait"][..], &["scan", "--full", "--wait"], &["scan", "--wait"]] {
        let scanned = place.json(arguments);
        assert_eq!((&scanned["files"], &scanned["errors"]), (&1.into(), &1.into()), "{scanned}");
    }
    drop(server);
}

#[test]
fn a_scan_that_cannot_be_done_fails() {
    let place = Place::new();
    let library = format!("Music={}", place.folder.path().join("away").display());
    let _server = place.serve(&["--no-lan", "--library", &library]);
    let output = place.run(&["scan", "--wait"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(error_text(&output).contains("is it mounted?"), "{output:?}");
}

#[test]
fn a_mistyped_data_folder_is_no_new_server() {
    let place = Place::new();
    for command in [&["user", "list"][..], &["plan", "list"], &["doctor"], &["grant", "list", "a"]]
    {
        let output = place.run(command);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
        assert!(error_text(&output).contains("there is no server's data in"), "{output:?}");
    }
    assert!(!place.data().exists());
}

#[test]
fn a_scan_with_nothing_to_scan_says_so() {
    let place = Place::new();
    let output = place.run(&["scan"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(error_text(&output).contains("--library"), "{output:?}");
}
