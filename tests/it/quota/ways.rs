//! Where notices go, as an administrator says in the panel: real mail servers by STARTTLS and by TLS
//! from the start, one whose certificate is nobody's, and a webhook.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use reqwest::Method;
use serde_json::{Value, json};
use tunelocker::{accounts::UserChange, clock::Clock, config::Feature};

use super::Desk;
use crate::{
    harness::TestApp,
    outside::stub::{Reply, Stub},
};

/// A mail server of Python's. Dropping it ends it.
struct Mail {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Mail {
    fn start(kind: &str, folder: &Path, certificate: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join(".cache/venv/bin/python");
        assert!(python.exists(), "the mail server is missing; run tests/setup.sh python");
        let mut child = Command::new(python)
            .current_dir(root)
            .args(["tests/clients/smtp_server.py", kind])
            .arg(folder.join(format!("{certificate}.crt")))
            .arg(folder.join(format!("{certificate}.key")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().expect("it starts; run tests/setup.sh python").unwrap();
        Self { child, lines, port: port.parse().unwrap() }
    }

    /// The next message that it took.
    fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A certificate for this machine that signs itself: `NAME.crt` and `NAME.key`.
fn certificate(folder: &Path, name: &str) -> String {
    let file = |suffix: &str| folder.join(format!("{name}.{suffix}"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj"])
        .arg(format!("/CN={name}"))
        // One that is a CA besides is taken for no server's.
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"])
        .arg("-keyout")
        .arg(file("key"))
        .arg("-out")
        .arg(file("crt"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::read_to_string(file("crt")).unwrap()
}

/// A server that may reach these ports of this machine; its administrator has an address.
async fn desk(ports: &[u16], change: impl FnOnce(&mut tunelocker::config::Config)) -> Desk {
    let allow = ports.iter().map(|port| format!("127.0.0.1:{port}").parse().unwrap()).collect();
    let app = TestApp::spawn_with(|config| {
        config.drive = config.data.with_file_name("drive");
        config.egress.allow = allow;
        change(config);
    })
    .await;
    let desk = Desk::over(app, Clock::System, 1_000).await;
    for (name, email) in [("root", "root@example.org"), ("ann", "ann@example.org")] {
        let email = UserChange { email: Some(email.to_owned()), ..UserChange::default() };
        desk.lockers.accounts.update_user(&desk.lockers.admin, name, &email).await.unwrap();
    }
    desk
}

impl Desk {
    async fn set_mail(&self, way: &Value, password: Option<&str>) -> u16 {
        let wish = json!({ "way": way, "password": password });
        Self::status(self.as_admin(Method::PUT, "notice-ways/mail").json(&wish)).await
    }

    /// Sends a test: the status, and the sentence of a refusal.
    async fn test_of(&self, way: &str) -> (u16, String) {
        let path = format!("notice-ways/{way}/test");
        let answer = self.as_admin(Method::POST, &path).send().await.unwrap();
        let status = answer.status().as_u16();
        let problem: Value = answer.json().await.unwrap_or_default();
        (status, problem["detail"].as_str().unwrap_or_default().to_owned())
    }
}

fn way(port: u16, security: &str, certificate: &str) -> Value {
    json!({
        "server": "127.0.0.1", "port": port, "security": security, "user": "box",
        "from": "Tunelocker <music@example.org>", "certificate": certificate,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn real_mail_servers_take_it_and_a_wrong_certificate_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (certificate(folder.path(), "own"), certificate(folder.path(), "other"));
    let mut servers = ["starttls", "tls"].map(|kind| Mail::start(kind, folder.path(), "own"));
    let ports = [servers[0].port, servers[1].port];
    let desk = desk(&ports, |_| ()).await;
    assert_eq!(desk.test_of("mail").await.0, 409, "nothing is said yet");
    for (at, kind) in ["starttls", "tls"].into_iter().enumerate() {
        // Nobody vouches for it, or somebody else's is trusted: not a word of it is said.
        for trusted in ["", &other] {
            assert_eq!(desk.set_mail(&way(ports[at], kind, trusted), Some("secret")).await, 204);
            let (status, why) = desk.test_of("mail").await;
            assert_eq!(status, 503, "{kind}: {why}");
            assert!(why.contains("certificate"), "{kind}: {why}");
        }
        // A password that is wrong is said to be.
        assert_eq!(desk.set_mail(&way(ports[at], kind, &own), Some("wrong")).await, 204);
        let (status, why) = desk.test_of("mail").await;
        assert_eq!(status, 503);
        assert!(why.contains("Authentication") || why.contains("authentication"), "{kind}: {why}");
        assert_eq!(desk.set_mail(&way(ports[at], kind, &own), Some("secret")).await, 204);
        assert_eq!(desk.test_of("mail").await, (204, String::new()), "{kind}");
        let mail = servers[at].next();
        assert_eq!((&mail["to"], &mail["user"]), (&json!(["root@example.org"]), &json!("box")));
        assert_eq!(mail["tls"], true);
        assert!(mail["text"].as_str().unwrap().contains("This is a test"), "{mail}");
    }
    // A real notice goes the same way, once that is on.
    desk.lockers.put("a", &[1; 960]).await.unwrap();
    desk.lockers.accounts.look_for_notices().await.unwrap();
    let on = desk.as_admin(Method::PUT, "outside/notices").json(&json!({ "on": true }));
    assert_eq!(Desk::status(on).await, 204);
    let (mail, _servers) =
        tokio::task::spawn_blocking(move || (servers[1].next(), servers)).await.unwrap();
    assert_eq!(mail["to"], json!(["ann@example.org"]));
    assert!(mail["text"].as_str().unwrap().contains("Your locker holds 960 bytes of 1 kB (96 %)."));
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let stub = Stub::start(|asked| {
        assert_eq!(asked.method, "POST");
        Reply::status(204)
    })
    .await;
    let port = stub.url("").rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let desk = desk(&[port], |_| ()).await;
    let url = stub.url("/told");
    for (method, path) in [
        (Method::GET, "notice-ways"),
        (Method::PUT, "notice-ways/webhook"),
        (Method::DELETE, "notice-ways/mail"),
        (Method::POST, "notice-ways/webhook/test"),
    ] {
        let body = json!({ "url": url });
        let asked = desk.as_ann(method, path).json(&body);
        assert_eq!(Desk::status(asked).await, 403, "{path}");
    }
    let wish = json!({ "url": url, "secret": "shared" });
    let set = desk.as_admin(Method::PUT, "notice-ways/webhook").json(&wish);
    assert_eq!(Desk::status(set).await, 204);
    assert_eq!(desk.set_mail(&way(25, "none", ""), Some("very secret")).await, 204);
    let shown = Desk::json(desk.as_admin(Method::GET, "notice-ways")).await;
    assert!(!shown.to_string().contains("shared") && !shown.to_string().contains("very secret"));
    assert_eq!(shown["webhook"], json!({ "url": url, "hasSecret": true, "fixed": false }));
    assert_eq!(
        (&shown["mail"]["hasPassword"], &shown["mail"]["user"]),
        (&json!(true), &json!("box"))
    );
    let database = desk.lockers.app.folder.path().join("data/tunelocker.db");
    let database = sqlx::SqlitePool::connect(database.to_str().unwrap()).await.unwrap();
    let rows: Vec<String> =
        sqlx::query_scalar("select value from setting where name like 'notices%'")
            .fetch_all(&database)
            .await
            .unwrap();
    assert!(rows.len() == 4 && !rows.concat().contains("secret"), "{rows:?}");

    // Without a new one the old one stays and signs.
    let set = desk.as_admin(Method::PUT, "notice-ways/webhook").json(&json!({ "url": url }));
    assert_eq!(Desk::status(set).await, 204);
    assert_eq!(desk.test_of("webhook").await.0, 204);
    let asked = stub.asked("/told").remove(0);
    let key = blake3::derive_key("tunelocker 2026 webhook of notices", b"shared");
    let signature = blake3::keyed_hash(&key, asked.body.as_bytes()).to_hex();
    assert_eq!(asked.headers["x-tunelocker-signature"], signature.as_str());
    let told: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!((&told["user"], &told["key"]), (&json!("root"), &json!("test")));
    for wrong in [
        json!({ "way": way(0, "tls", "") }),
        json!({ "way": way(25, "tls", "no certificate") }),
        json!({ "way": { "server": "a b", "port": 25, "security": "tls", "from": "a@b" } }),
        json!({ "way": { "server": "ok", "port": 25, "security": "tls", "from": "nobody" } }),
    ] {
        let set = desk.as_admin(Method::PUT, "notice-ways/mail").json(&wrong);
        assert_eq!(Desk::status(set).await, 400, "{wrong}");
    }
    // Under another key file nothing goes out unsigned, until the secret is entered again.
    let spoil = "update setting set value = '00' where name like 'notices.%.%'";
    assert_eq!(sqlx::query(spoil).execute(&database).await.unwrap().rows_affected(), 2);
    for way in ["mail", "webhook"] {
        let told = (503, "The secret cannot be opened; enter it again".to_owned());
        assert_eq!(desk.test_of(way).await, told, "{way}");
    }
    assert_eq!(stub.asked("/told").len(), 1);
    let set = desk.as_admin(Method::PUT, "notice-ways/webhook").json(&wish);
    assert_eq!(Desk::status(set).await, 204);
    assert_eq!(desk.test_of("webhook").await.0, 204);
    for way in ["mail", "webhook"] {
        let forget = desk.as_admin(Method::DELETE, &format!("notice-ways/{way}"));
        assert_eq!(Desk::status(forget).await, 204);
    }
    let shown = Desk::json(desk.as_admin(Method::GET, "notice-ways")).await;
    assert_eq!((&shown["mail"], &shown["webhook"]), (&Value::Null, &Value::Null));
    assert_eq!(desk.test_of("pigeon").await.0, 404);
}

#[tokio::test]
async fn what_the_configuration_says_goes_first_and_what_it_keeps_off_stays_off() {
    let stub = Stub::start(|_| Reply::status(204)).await;
    let port = stub.url("").rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let fixed = stub.url("/fixed");
    let desk = desk(&[port], |config| {
        config.notices.webhook = Some(tunelocker::config::Webhook { url: fixed, secret: None });
    })
    .await;
    let other = json!({ "url": stub.url("/other") });
    let set = desk.as_admin(Method::PUT, "notice-ways/webhook").json(&other);
    assert_eq!(Desk::status(set).await, 204);
    let shown = Desk::json(desk.as_admin(Method::GET, "notice-ways")).await;
    assert_eq!(
        (&shown["webhook"]["fixed"], &shown["webhook"]["url"]),
        (&json!(true), &json!(stub.url("/fixed")))
    );
    assert_eq!(desk.test_of("webhook").await.0, 204);
    assert_eq!((stub.asked("/fixed").len(), stub.asked("/other").len()), (1, 0));

    let off = self::desk(&[port], |config| config.outside.forbid = vec![Feature::Notices]).await;
    let set = off.as_admin(Method::PUT, "notice-ways/webhook").json(&other);
    assert_eq!(Desk::status(set).await, 204);
    assert_eq!(off.test_of("webhook").await.0, 403);
    assert_eq!(stub.asked("/other").len(), 0);
}
