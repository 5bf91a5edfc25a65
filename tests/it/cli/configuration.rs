//! Wrong usage, wrong configuration, `check`.

use super::{Place, error_text};

#[test]
fn wrong_usage_is_2() {
    let place = Place::new();
    for arguments in [
        &["frobnicate"][..],
        &["serve", "--listen", "nonsense"],
        &["serve", "--library", "no-equals-sign"],
        &["user", "add", "ann"],
        &["plan", "set", "x"],
        &["plan", "set", "x", "--quota", "-5"],
        &[],
    ] {
        assert_eq!(place.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(place.run(&["--help"]).status.code(), Some(0));
}

#[test]
fn a_wrong_configuration_is_78_and_names_key_and_line() {
    let place = Place::new();
    std::fs::create_dir_all(place.data()).unwrap();
    let file = place.data().join("tunelocker.toml");
    std::fs::write(&file, "# mine\n\nlisen = '127.0.0.1:1'\n").unwrap();
    for command in [&["check"][..], &["serve"], &["user", "list"]] {
        let output = place.run(command);
        assert_eq!(output.status.code(), Some(78), "{command:?}");
        let text = error_text(&output);
        assert!(text.contains("line 3") && text.contains("`lisen`"), "{text}");
    }
    let mut command = place.command(&["check"]);
    std::fs::remove_file(file).unwrap();
    let output = command.env("TUNELOCKER_LISENT", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(error_text(&output).contains("TUNELOCKER_LISENT"));
}

#[test]
fn check_prints_what_holds_and_no_secret() {
    let place = Place::new();
    let secret = place.folder.path().join("secret");
    std::fs::write(&secret, "correct horse battery\n").unwrap();
    let output = place
        .command(&["check", "--listen", "127.0.0.1:5", "--library", "A=/a", "--json"])
        .env("TUNELOCKER_LISTEN", "127.0.0.1:4")
        .env("TUNELOCKER_LENDS", "A=on")
        .env("TUNELOCKER_LAN_LISTEN", "127.0.0.1:6")
        .env("TUNELOCKER_ADMIN_USER", "ann")
        .env("TUNELOCKER_ADMIN_PASSWORD", "correct horse battery")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("horse"), "{text}");
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["listen"], "127.0.0.1:5");
    assert_eq!(shown["lan"]["listen"], "127.0.0.1:6");
    assert_eq!(shown["libraries"]["A"], "/a");
    assert_eq!(shown["lends"]["A"], true);
    assert_eq!(shown["admin"]["user"], "ann");
}

/// What `serve` would not start with, `check` finds: with the same words and the same code.
#[test]
fn check_refuses_what_serve_refuses() {
    let place = Place::new();
    let nowhere = place.folder.path().join("nowhere.pem");
    let nowhere = nowhere.to_str().unwrap();
    for (key, variables) in [
        ("TUNELOCKER_LISTEN", &[("TUNELOCKER_LISTEN", "foo")][..]),
        ("lends.Nowhere", &[("TUNELOCKER_LENDS", "Nowhere=on")]),
        ("http.public_url", &[("TUNELOCKER_HTTP_PUBLIC_URL", "music example")]),
        ("tls.cert", &[("TUNELOCKER_TLS_CERT", nowhere), ("TUNELOCKER_TLS_KEY", nowhere)]),
        (
            "admin.user",
            &[("TUNELOCKER_ADMIN_USER", "Bad Name"), ("TUNELOCKER_ADMIN_PASSWORD", "long enough")],
        ),
        (
            "admin.password",
            &[("TUNELOCKER_ADMIN_USER", "ann"), ("TUNELOCKER_ADMIN_PASSWORD", "short")],
        ),
        ("notices.webhook", &[("TUNELOCKER_NOTICES_WEBHOOK", "hooks")]),
    ] {
        let mut said = Vec::new();
        for command in ["check", "serve"] {
            let mut command = place.command(&[command]);
            let output = command.envs(variables.iter().copied()).output().unwrap();
            let text = error_text(&output);
            assert_eq!(output.status.code(), Some(78), "{key}: {text}");
            assert!(text.contains(key) && !text.contains("short"), "{key}: {text}");
            said.push(text);
        }
        assert_eq!(said[0], said[1]);
    }
}
