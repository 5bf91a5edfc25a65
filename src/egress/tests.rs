//! Hostile addresses by name, by literal, by redirect and by a name that changes its mind. A canary
//! listens where nothing may connect.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Egress, Fault, Limits, Settings, Wanted, gate::Gate};

/// Answers of a name server: one list a question, the last one for ever.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(Arc<Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>>);

impl Names {
    pub(super) fn answer(&self, name: &str) -> Option<Vec<IpAddr>> {
        let mut names = self.0.lock().unwrap();
        let answers = names.get_mut(name)?;
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    }

    fn set(&self, name: &str, answers: &[&[&str]]) {
        let answers =
            answers.iter().map(|list| list.iter().map(|one| one.parse().unwrap()).collect());
        self.0.lock().unwrap().insert(name.to_owned(), answers.collect());
    }
}

/// A server that counts who connects and says the same to everybody.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn at(ip: &str, answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counter, answer) = (Arc::clone(&connections), answer.into());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut asked = [0; 4096];
                    let _ = stream.read(&mut asked).await;
                    let _ = stream.write_all(&answer).await;
                    if answer.is_empty() {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { address, connections }
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn to(place: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

/// Lets these addresses through.
fn egress(allow: &[&str]) -> (Egress, Names) {
    let allow = allow.iter().map(|one| one.parse().unwrap()).collect();
    let gate = Gate::new(Settings { allow, ports: Vec::new() });
    let names = gate.names.clone();
    (Egress::over(gate).unwrap(), names)
}

async fn ask(egress: &Egress, url: &str) -> Result<String, Fault> {
    let answer = egress.ask(Wanted::get(url, Limits::FEED)).await?;
    Ok(String::from_utf8(answer.bytes().await?.to_vec()).unwrap())
}

/// Ways to say "this machine" or "this house", `{}` is the canary's port.
const HOSTILE: &[&str] = &[
    "http://127.0.0.1:{}/",
    "http://127.1:{}/",
    "http://0177.0.0.1:{}/",
    "http://0x7f000001:{}/",
    "http://2130706433:{}/",
    "http://127.0.0.1.:{}/",
    "http://[::1]:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/",
    "http://[64:ff9b::127.0.0.1]:{}/",
    "http://[2002:7f00:1::]:{}/",
    "http://[::]:{}/",
    "http://0.0.0.0:{}/",
    "http://0:{}/",
    "http://localhost:{}/",
    "http://localhost.:{}/",
    "http://LOCALHOST:{}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{}/",
    "http://１２７.0.0.1:{}/",
    "http://example.org@127.0.0.1:{}/",
    "http://example.org:80@127.0.0.1:{}/",
    "http://127.0.0.1:{}\\@example.org/",
    "http://127.0.0.1/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://8.8.8.8:22/",
    "https://8.8.8.8:25/",
    "ftp://8.8.8.8/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{}/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "http://",
    "//127.0.0.1/",
    "",
];

#[tokio::test]
async fn hostile_addresses_are_refused_and_nobody_connects() {
    let canary = Server::at("127.0.0.1", ok("caught")).await;
    let (egress, _) = egress(&[]);
    for url in HOSTILE {
        let url = url.replace("{}", &canary.address.port().to_string());
        let refused = ask(&egress, &url).await.unwrap_err();
        assert!(matches!(refused, Fault::Url(_) | Fault::Address(_)), "{url}: {refused:?}");
    }
    assert_eq!(canary.count(), 0);
}

#[tokio::test]
async fn redirects_to_hostile_addresses_are_refused_too() {
    let canary = Server::at("127.0.0.1", ok("caught")).await;
    for url in HOSTILE.iter().filter(|url| !url.is_empty() && !url.starts_with("//")) {
        let url = url.replace("{}", &canary.address.port().to_string());
        if !url.is_ascii() {
            continue;
        }
        let first = Server::at("127.0.0.2", to(&url)).await;
        let (egress, _) = egress(&[&first.address.to_string()]);
        let refused = ask(&egress, &format!("http://{}/", first.address)).await.unwrap_err();
        assert!(matches!(refused, Fault::Url(_) | Fault::Address(_)), "{url}: {refused:?}");
        assert_eq!(first.count(), 1);
    }
    assert_eq!(canary.count(), 0);
}

#[tokio::test]
async fn what_is_allowed_is_reached_also_by_redirect() {
    let last = Server::at("127.0.0.3", ok("here")).await;
    let first = Server::at("127.0.0.2", to(&format!("http://{}/x", last.address))).await;
    let (egress, names) = egress(&["127.0.0.2", &last.address.to_string()]);
    let url = format!("http://{}/", first.address);
    assert_eq!(ask(&egress, &url).await.as_deref(), Ok("here"));
    names.set("feeds.home", &[&["127.0.0.3"]]);
    let url = format!("http://feeds.home:{}/", last.address.port());
    assert_eq!(ask(&egress, &url).await.as_deref(), Ok("here"));
    // The address is open at its own port alone.
    let other = Server::at("127.0.0.3", ok("caught")).await;
    for host in ["feeds.home", "127.0.0.3"] {
        let url = format!("http://{host}:{}/", other.address.port());
        assert!(ask(&egress, &url).await.is_err(), "{url}");
    }
    assert_eq!(other.count(), 0);
}

#[tokio::test]
async fn names_that_lead_home_are_refused_whatever_else_they_lead_to() {
    let canary = Server::at("127.0.0.1", ok("caught")).await;
    let open = Server::at("127.0.0.2", ok("fine")).await;
    let port = open.address.port();
    let (egress, names) = egress(&[&open.address.to_string()]);
    names.set("home.test", &[&["192.168.1.1"]]);
    names.set("mixed.test", &[&["127.0.0.2", "127.0.0.1"]]);
    names.set("mapped.test", &[&["::ffff:127.0.0.1"]]);
    names.set("wrapped.test", &[&["64:ff9b::7f00:1"]]);
    // Judged as one address, then connected to as another.
    names.set("rebind.test", &[&["127.0.0.2"], &["127.0.0.1"]]);
    for name in ["home.test", "mixed.test", "mapped.test", "wrapped.test", "rebind.test"] {
        let refused = ask(&egress, &format!("http://{name}:{port}/")).await;
        assert!(matches!(refused, Err(Fault::Address(_))), "{name}: {refused:?}");
    }
    assert_eq!((canary.count(), open.count()), (0, 0));
}

#[tokio::test]
async fn bodies_and_patience_have_an_end() {
    let small = Limits { bytes: 10, ..Limits::FEED };
    let short =
        Limits { idle: Duration::from_millis(50), total: Duration::from_millis(300), ..small };
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n";
    let packed = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n";
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab";
    for (answer, limits, expected) in [
        (ok("ten bytes!"), small, Ok(10)),
        (ok("eleven byte"), small, Err(Fault::TooLarge(10))),
        (chunked.to_owned(), small, Err(Fault::TooLarge(10))),
        (packed.to_owned(), small, Err(Fault::Compressed)),
        (String::new(), short, Err(Fault::TooSlow)),
    ] {
        let server = Server::at("127.0.0.2", answer.clone()).await;
        let (egress, _) = egress(&["127.0.0.2"]);
        let url = format!("http://{}/", server.address);
        let found = match egress.ask(Wanted::get(&url, limits)).await {
            Ok(answer) => answer.bytes().await.map(|bytes| bytes.len()),
            Err(fault) => Err(fault),
        };
        assert_eq!(found, expected, "{answer}");
    }
    let server = Server::at("127.0.0.2", half).await;
    let (egress, _) = egress(&["127.0.0.2"]);
    let cut = ask(&egress, &format!("http://{}/", server.address)).await.unwrap_err();
    assert!(cut.may_pass(), "{cut:?}");
}

#[tokio::test]
async fn redirects_end() {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (egress, _) = egress(&["127.0.0.2"]);
    let server = Server::at("127.0.0.2", to("/again")).await;
    let found = ask(&egress, &format!("http://{}/", server.address)).await;
    assert_eq!(found, Err(Fault::Redirects));
    assert_eq!(server.count(), 4);
    // And nobody there is told as such.
    let nobody = ask(&egress, &format!("http://{address}/")).await.unwrap_err();
    assert!(matches!(nobody, Fault::Unreachable(_)), "{nobody:?}");
}
