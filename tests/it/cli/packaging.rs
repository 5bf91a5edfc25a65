//! What ships beside the programs: the unit, the image's description, and what the daemon loads.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// The unit as `make install` writes it, but over the programs of this build.
fn unit(folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(root().join("systemd/tunelocker.service")).unwrap();
    let program = "@PREFIX@/bin/tunelocker";
    assert!(text.contains(program));
    let text = text.replace(program, super::PROGRAM).replace("@PREFIX@", "/usr/local");
    let path = folder.join("tunelocker.service");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_unit_is_hardened() {
    let folder = tempfile::tempdir().unwrap();
    let unit = unit(folder.path());
    let report =
        output(Command::new("systemd-analyze").args(["security", "--offline=yes"]).arg(&unit));
    let exposure = report
        .lines()
        .find_map(|line| line.split_once("Overall exposure level for ")?.1.split(": ").nth(1))
        .and_then(|rest| rest.split(' ').next()?.parse::<f32>().ok())
        .unwrap_or_else(|| panic!("{report}"));
    assert!(exposure <= 1.5, "{exposure}\n{report}");
    let complaints = output(Command::new("systemd-analyze").arg("verify").arg(&unit));
    let own: Vec<_> = complaints.lines().filter(|line| line.contains("tunelocker")).collect();
    assert!(own.is_empty(), "{own:?}");
}

#[test]
fn the_compose_file_follows_its_schema() {
    let checker = root().join(".cache/venv/bin/check-jsonschema");
    let mut command = Command::new(checker);
    command
        .args(["--builtin-schema", "vendor.compose-spec"])
        .arg(root().join("docker-compose.yml"));
    let checked = command.output().unwrap_or_else(|error| panic!("tests/setup.sh: {error}"));
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn the_daemon_loads_no_libav() {
    let loaded = output(Command::new("ldd").arg(super::PROGRAM));
    assert!(loaded.contains("libc.so"), "{loaded}");
    assert!(!loaded.contains("libav") && !loaded.contains("libsw"), "{loaded}");
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found
}

#[test]
fn what_is_installed_is_removed_again() {
    let folder = tempfile::tempdir().unwrap();
    // As if it had been built for release.
    let (built, to) = (folder.path().join("target"), folder.path().join("root"));
    std::fs::create_dir_all(built.join("release")).unwrap();
    for program in [super::PROGRAM, env!("CARGO_BIN_EXE_tunelocker-worker")] {
        let name = Path::new(program).file_name().unwrap();
        std::os::unix::fs::symlink(program, built.join("release").join(name)).unwrap();
    }
    let make = |target: &str| {
        let mut command = Command::new("make");
        command.current_dir(root()).env("CARGO_TARGET_DIR", &built);
        let done = command.arg(target).arg(format!("DESTDIR={}", to.display())).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    make("install");
    let installed = files(&to);
    let unit = std::fs::read_to_string(to.join("etc/systemd/system/tunelocker.service")).unwrap();
    assert!(!unit.contains("@PREFIX@"), "{unit}");
    let named = |key: &str, end: &str| {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split(end).next().unwrap().trim_start_matches('/').to_owned()
    };
    for path in [named("ExecStart=", " "), named("Documentation=file:", " ")] {
        assert!(installed.contains(&path), "the unit names {path}: {installed:?}");
    }
    // The decoder is looked for beside the daemon.
    assert!(installed.contains("usr/local/bin/tunelocker-worker"), "{installed:?}");
    assert!(installed.contains("usr/lib/sysusers.d/tunelocker.conf"), "{installed:?}");
    std::fs::create_dir_all(to.join("var/lib/tunelocker")).unwrap();
    std::fs::write(to.join("var/lib/tunelocker/tunelocker.db"), "").unwrap();
    make("uninstall");
    assert_eq!(files(&to), ["var/lib/tunelocker/tunelocker.db".to_owned()].into());
}

#[test]
fn scripts_are_understood_by_the_shell() {
    for script in [
        ".ci/packages",
        ".ci/run",
        ".ci/test",
        ".ci/serve-here",
        ".ci/static-ffmpeg",
        "tests/setup.sh",
    ] {
        let checked = Command::new("bash").arg("-n").arg(root().join(script)).output().unwrap();
        assert!(checked.status.success(), "{script}: {checked:?}");
    }
}
