//! The order of the sources, and the sentences about mistakes.

use super::*;

fn with(
    text: &str,
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<(Config, String), Invalid> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    std::fs::write(&file, text).unwrap();
    let mut sources = Sources {
        file: Some(file),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Sources::default()
    };
    sources.flag("data", "/nowhere");
    for (path, value) in flags {
        sources.flag(path, *value);
    }
    load(&sources)
}

fn complaint(text: &str, environment: &[(&str, &str)]) -> String {
    with(text, environment, &[]).unwrap_err().to_string()
}

#[test]
fn later_sources_win() {
    let text = "listen = '127.0.0.1:1'\n[lan]\nlisten = '127.0.0.1:2'\n[log]\nlevel = 'warn'\n";
    let environment = [
        ("TUNELOCKER_LISTEN", "127.0.0.1:3"),
        ("TUNELOCKER_LAN_LISTEN", "127.0.0.1:4"),
        ("PATH", "/bin"),
    ];
    let (config, _) = with(text, &environment, &[("listen", "127.0.0.1:5")]).unwrap();
    assert_eq!(config.listen.port(), 5);
    assert_eq!(config.lan.unwrap().listen.port(), 4);
    assert_eq!(config.log.level, "warn");
    assert_eq!(config.drive, config.data);
}

#[test]
fn defaults_are_the_documented_ones() {
    let (config, _) = with("", &[], &[]).unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:4040");
    assert_eq!(config.lan.unwrap().listen.to_string(), "0.0.0.0:4041");
    assert!(config.first_admin.is_none());
}

#[test]
fn mistakes_name_key_and_line() {
    let wrong = complaint("listen = '127.0.0.1:1'\n\nlisten_on = 'x'\n", &[]);
    assert!(wrong.contains("line 3") && wrong.contains("`listen_on`"), "{wrong}");
    let wrong = complaint("[lan]\n\nlisen = 'x'\n", &[]);
    assert!(wrong.contains("line 3") && wrong.contains("`lisen`"), "{wrong}");
    let wrong = complaint("[lan]\nlisten = 'nonsense'\n", &[]);
    assert!(wrong.contains("line 2: lan.listen: "), "{wrong}");
    let wrong = complaint("\nlisten = 'foo'\n", &[]);
    assert!(wrong.contains("line 2: listen: "), "{wrong}");
    let wrong = with("", &[], &[("listen", "foo")]).unwrap_err().to_string();
    assert!(wrong.starts_with("listen: "), "{wrong}");
    let wrong = complaint("[lan\n", &[]);
    assert!(wrong.contains("line 1"), "{wrong}");
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let wrong = complaint("", &[("TUNELOCKER_LISENT", "x")]);
    assert!(wrong.contains("TUNELOCKER_LISENT"), "{wrong}");
    let wrong = complaint("", &[("TUNELOCKER_LAN_LISTEN", "x")]);
    assert!(wrong.contains("TUNELOCKER_LAN_LISTEN"), "{wrong}");
}

#[test]
fn secrets_come_from_files_and_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter2hunter2\n").unwrap();
    let environment = [
        ("TUNELOCKER_ADMIN_USER", "ann"),
        ("TUNELOCKER_ADMIN_PASSWORD_FILE", secret.to_str().unwrap()),
    ];
    let (config, shown) = with("", &environment, &[]).unwrap();
    assert_eq!(config.first_admin, Some(("ann".to_owned(), "hunter2hunter2".to_owned())));
    assert!(!shown.contains("hunter2"), "{shown}");
    let (_, shown) = with("[admin]\nuser = 'a'\npassword = 'hunter2'\n", &[], &[]).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn addresses_are_checked_and_what_lets_in_is_not_shown() {
    for key in ["http.public_url", "outside.lastfm_url", "notices.webhook"] {
        let (section, name) = key.split_once('.').unwrap();
        let wrong = complaint(&format!("[{section}]\n{name} = 'nowhere hunter2'\n"), &[]);
        assert!(wrong.starts_with(key) && !wrong.contains("hunter2"), "{wrong}");
    }
    let text = "[outside]\nlastfm_url = 'https://me:hunter2@x.org/2.0/?key=hunter2'\n\
                [notices]\nwebhook = 'https://me:hunter2@hooks.org/hunter2?token=hunter2'\n";
    let (config, shown) = with(text, &[], &[]).unwrap();
    assert!(!shown.contains("hunter2") && shown.contains("hooks.org"), "{shown}");
    assert!(config.notices.webhook.unwrap().url.contains("hunter2"), "it still is used");
}

#[test]
fn what_check_prints_can_be_read_back() {
    let (config, shown) =
        with("[libraries]\nMusic = '/music'\n[lan]\nenabled = false\n", &[], &[]).unwrap();
    let (again, _) = with(&shown, &[], &[]).unwrap();
    assert_eq!(again.libraries, config.libraries);
    assert_eq!(again.lan, None);
}

#[test]
fn libraries_come_from_everywhere() {
    let (config, _) = with(
        "[libraries]\nA = '/a'\n",
        &[("TUNELOCKER_LIBRARIES", "B=/b,C=/c=d")],
        &[("libraries.D", "/d")],
    )
    .unwrap();
    let names: Vec<_> = config.libraries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["A", "B", "C", "D"]);
    assert_eq!(config.libraries[2].1, Path::new("/c=d"));
}

#[test]
fn what_lends_is_said_of_folders_that_there_are() {
    let text = "[libraries]\nA = '/a'\nB = '/b'\nC = '/c'\n[lends]\nA = true\nB = true\n";
    let (config, shown) = with(text, &[("TUNELOCKER_LENDS", "B=off")], &[]).unwrap();
    let lends = [("A".to_owned(), true), ("B".to_owned(), false)];
    assert_eq!(config.lends, lends.into(), "of C an administrator says it");
    assert_eq!(with(&shown, &[], &[]).unwrap().0.lends, config.lends);
    let wrong = complaint("[libraries]\nA = '/a'\n[lends]\nB = true\n", &[]);
    assert!(wrong.starts_with("lends.B: "), "{wrong}");
    let wrong = complaint("[libraries]\nA = '/a'\n[lends]\nA = 'maybe'\n", &[]);
    assert!(wrong.contains("lends.A"), "{wrong}");
    let wrong = complaint("", &[("TUNELOCKER_LENDS", "A=maybe")]);
    assert!(wrong.contains("TUNELOCKER_LENDS"), "{wrong}");
}

#[test]
fn a_file_that_leads_nowhere_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = Sources::default();
    sources.flag("data", folder.path().display().to_string());
    load(&sources).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("tunelocker.toml")).unwrap();
    let wrong = load(&sources).unwrap_err().to_string();
    assert!(wrong.contains("tunelocker.toml"), "{wrong}");
}

#[test]
fn a_variable_that_is_no_text_is_told() {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};
    let garbled = || OsString::from_vec(vec![0xff]);
    let variables = [("TUNELOCKER_LISTEN".into(), garbled()), ("LESS".into(), garbled())];
    let wrong = load(&Sources::of_variables(variables.into_iter())).unwrap_err().to_string();
    assert_eq!(wrong, "TUNELOCKER_LISTEN: its value is not UTF-8");
}
