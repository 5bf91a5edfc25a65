//! `tls.cert` and `tls.key`: https, and a certificate that is replaced while the server runs.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use super::{Place, Server, error_text, wait_for};

/// Makes a certificate for this machine and its key: `NAME.crt` and `NAME.key`.
fn certificate(folder: &Path, name: &str) {
    let file = |suffix: &str| folder.join(format!("{name}.{suffix}"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj"])
        .arg(format!("/CN={name}"))
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(file("key"))
        .arg("-out")
        .arg(file("crt"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// What `/health` answers to a client that trusts this certificate alone.
fn health(server: &Server, trusted: &Path) -> Option<String> {
    let url = format!("{}/health", server.url("http").unwrap());
    assert!(url.starts_with("https://"), "{url}");
    let mut command = Command::new("curl");
    let answer = command.args(["-sS", "--cacert"]).arg(trusted).arg(url).output().unwrap();
    answer.status.success().then(|| String::from_utf8(answer.stdout).unwrap())
}

#[test]
fn https_with_a_certificate_that_is_replaced() {
    let place = Place::new();
    let folder = place.folder.path();
    for name in ["one", "two", "used"] {
        certificate(folder, name);
    }
    let file = |name: &str| folder.join(name);
    let copy = |from: &str, to: &str| std::fs::copy(file(from), file(to)).unwrap();
    copy("one.crt", "used.crt");
    copy("one.key", "used.key");
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--no-lan"]);
    command
        .env("TUNELOCKER_TLS_CERT", file("used.crt"))
        .env("TUNELOCKER_TLS_KEY", file("used.key"))
        .stderr(Stdio::piped());
    let mut server = Server::start_with(command);
    let mut log = BufReader::new(server.child.stderr.take().unwrap()).lines();
    let mut logged = |words: &str| {
        log.by_ref().map_while(Result::ok).find(|line| line.contains(words)).is_some()
    };

    assert!(health(&server, &file("one.crt")).unwrap().contains("\"status\""));
    assert_eq!(health(&server, &file("two.crt")), None, "nobody else's certificate");
    // Browsers that came by TLS stay with it.
    let mut command = Command::new("curl");
    command.args(["-sSi", "--cacert"]).arg(file("one.crt"));
    let head = command.arg(format!("{}/health", server.url("http").unwrap())).output().unwrap();
    let head = String::from_utf8(head.stdout).unwrap().to_ascii_lowercase();
    assert!(head.contains("strict-transport-security: max-age=15552000"), "{head}");
    let plain = server.url("http").unwrap().replace("https:", "http:");
    let plain = Command::new("curl").args(["-sS", "-o", "/dev/null", &plain]).output().unwrap();
    assert!(!plain.status.success(), "no answer without encryption");

    // Half replaced: the certificate of one key beside another.
    copy("two.crt", "used.crt");
    assert!(logged("keeping the old certificate"));
    assert!(health(&server, &file("one.crt")).is_some());
    copy("two.key", "used.key");
    assert!(logged("the certificate was read again"));
    assert!(health(&server, &file("two.crt")).is_some());
    assert_eq!(health(&server, &file("one.crt")), None);

    server.signal("TERM");
    assert_eq!(wait_for("the end", || server.child.try_wait().unwrap()).code(), Some(0));
}

#[test]
fn a_certificate_that_makes_no_sense_is_said_at_start() {
    let place = Place::new();
    let folder = place.folder.path();
    certificate(folder, "one");
    certificate(folder, "two");
    std::fs::write(folder.join("text"), "no certificate\n").unwrap();
    for (cert, key, said) in [
        ("one.crt", "two.key", "do not belong together"),
        ("missing", "one.key", "missing"),
        ("text", "one.key", "holds no certificate"),
        ("one.crt", "text", "cannot read the key"),
    ] {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--no-lan"]);
        command
            .env("TUNELOCKER_TLS_CERT", folder.join(cert))
            .env("TUNELOCKER_TLS_KEY", folder.join(key));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(78), "{cert} {key}: {output:?}");
        assert!(error_text(&output).contains(said), "{cert} {key}: {output:?}");
        assert!(output.stdout.is_empty(), "it never was ready: {output:?}");
    }
    let output = place
        .command(&["check"])
        .env("TUNELOCKER_TLS_CERT", folder.join("one.crt"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    assert!(error_text(&output).contains("tls.key"), "{output:?}");
}
