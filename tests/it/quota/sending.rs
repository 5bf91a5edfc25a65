//! Notices on their way out: by e-mail and webhook, each once, only where it is wanted, and never to an
//! address that was not opened.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tunelocker::{
    accounts::UserChange,
    clock::Clock,
    config::{Mail, MailSecurity, Webhook},
};

use super::{Desk, NOW};
use crate::harness::TestApp;

/// What came in: e-mails as they were sent, and bodies that were posted with their signature.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<String>>>);

impl Inbox {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    async fn until(&self, count: usize) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while self.all().len() < count {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", self.all());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.all()
    }

    /// Serves each connection by `serve`.
    async fn open<F: Future<Output = Option<String>> + Send>(
        serve: impl Fn(TcpStream) -> F + Send + Copy + 'static,
    ) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (inbox, address) = (Self::default(), listener.local_addr().unwrap());
        let into = inbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Some(text) = serve(stream).await {
                    into.0.lock().unwrap().push(text);
                }
            }
        });
        (inbox, address)
    }
}

/// A mail server of a few words.
async fn smtp(stream: TcpStream) -> Option<String> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 stub\r\n").await.ok()?;
    let mut envelope = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| 0 < *read)?;
        let answer = match line.split([' ', ':', '\r']).next()?.to_ascii_uppercase().as_str() {
            "EHLO" => "250-stub\r\n250 AUTH PLAIN\r\n",
            "AUTH" => "235 welcome\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                while !envelope.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut envelope).await.ok().filter(|read| 0 < *read)?;
                }
                stream.write_all(b"250 kept\r\n").await.ok()?;
                return Some(envelope);
            }
            _ => "250 ok\r\n",
        };
        envelope.push_str(&line);
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// A web server that takes everything.
async fn web(stream: TcpStream) -> Option<String> {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| 0 < *read)?;
        if let Some((_, number)) = line.to_ascii_lowercase().split_once("content-length:") {
            length = number.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.ok()?;
    Some(head + &String::from_utf8(body).ok()?)
}

#[tokio::test]
async fn a_notice_goes_out_once_by_each_way_once_that_is_on() {
    let (mails, mail_server) = Inbox::open(smtp).await;
    let (posts, hook) = Inbox::open(web).await;
    let clock = Clock::manual(NOW);
    let app = TestApp::spawn_at(clock.clone(), |config| {
        config.drive = config.data.with_file_name("drive");
        config.egress.allow =
            [mail_server, hook].iter().map(|it| it.to_string().parse().unwrap()).collect();
        config.notices.mail = Some(Mail {
            server: "127.0.0.1".to_owned(),
            port: mail_server.port(),
            security: MailSecurity::None,
            login: Some(("box".to_owned(), "secret".to_owned())),
            from: "Tunelocker <music@example.org>".to_owned(),
            certificate: None,
        });
        let secret = Some("shared".to_owned());
        config.notices.webhook = Some(Webhook { url: format!("http://{hook}/told"), secret });
    })
    .await;
    let desk = Desk::over(app, clock, 1_000).await;
    let email = UserChange { email: Some("ann@example.org".to_owned()), ..UserChange::default() };
    desk.lockers.accounts.update_user(&desk.lockers.admin, "ann", &email).await.unwrap();
    desk.lockers.put("a", &[1; 960]).await.unwrap();
    desk.lockers.accounts.look_for_notices().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(mails.all().is_empty() && posts.all().is_empty(), "it is off");

    let on = desk.as_admin(Method::PUT, "outside/notices").json(&json!({ "on": true }));
    assert_eq!(Desk::status(on).await, 204);
    let mail = mails.until(1).await.remove(0);
    for part in ["MAIL FROM:<music@example.org>", "RCPT TO:<ann@example.org>", "AUTH PLAIN"] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    assert!(mail.contains("Your locker holds 960 bytes of 1 kB (96 %)."), "{mail}");
    let post = posts.until(1).await.remove(0);
    let (head, body) = post.split_once("\r\n\r\n").unwrap();
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["user"], &told["key"]), (&json!("ann"), &json!("used:95")));
    let key = blake3::derive_key("tunelocker 2026 webhook of notices", b"shared");
    let signature = blake3::keyed_hash(&key, body.as_bytes()).to_hex();
    assert!(head.contains(&format!("x-tunelocker-signature: {signature}")), "{head}");
    // Asked again to send, nothing is sent again.
    let on = desk.as_admin(Method::PUT, "outside/notices").json(&json!({ "on": true }));
    assert_eq!(Desk::status(on).await, 204);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((mails.all().len(), posts.all().len()), (1, 1));
}

#[tokio::test]
async fn a_mail_server_in_the_house_is_not_reached_unless_it_was_opened() {
    let (mails, mail_server) = Inbox::open(smtp).await;
    let app = TestApp::spawn_with(|config| {
        config.drive = config.data.with_file_name("drive");
        config.notices.mail = Some(Mail {
            server: "127.0.0.1".to_owned(),
            port: mail_server.port(),
            security: MailSecurity::None,
            login: None,
            from: "music@example.org".to_owned(),
            certificate: None,
        });
    })
    .await;
    let desk = Desk::over(app, Clock::System, 1_000).await;
    let email = UserChange { email: Some("ann@example.org".to_owned()), ..UserChange::default() };
    desk.lockers.accounts.update_user(&desk.lockers.admin, "ann", &email).await.unwrap();
    desk.lockers.put("a", &[1; 960]).await.unwrap();
    desk.lockers.accounts.look_for_notices().await.unwrap();
    let on = desk.as_admin(Method::PUT, "outside/notices").json(&json!({ "on": true }));
    assert_eq!(Desk::status(on).await, 204);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(mails.all().is_empty());
    let notices = Desk::json(desk.as_ann(Method::GET, "notices")).await;
    assert_eq!(notices["items"].as_array().unwrap().len(), 1, "the panel has it all the same");
}
