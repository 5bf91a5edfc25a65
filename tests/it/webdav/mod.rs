//! The drive as WebDAV: methods and headers as the standard says them, quotas, locks, other
//! people, hostile requests, and the programs that people mount it with.

mod basics;
mod clients;
mod copies;
mod hostile;
mod litmus;
mod locks;
mod properties;
mod quota;
mod shared;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use reqwest::{Client, Method, Response, StatusCode};

use crate::{drive::Lockers, harness::TestApp};

/// ann at her drive.
struct Dav {
    lockers: Lockers,
    client: Client,
    secret: String,
}

/// A header of a request.
type Header<'a> = (&'a str, &'a str);

impl Dav {
    async fn with_quota(quota: u64) -> Self {
        Self::over(Lockers::with_quota(quota).await).await
    }

    /// With other settings.
    async fn with(quota: u64, change: impl FnOnce(&mut tunelocker::config::Config)) -> Self {
        let app = TestApp::spawn_with(|config| {
            config.drive = config.data.with_file_name("drive");
            change(config);
        })
        .await;
        Self::over(Lockers::over(app, quota).await).await
    }

    /// By a clock that the test moves.
    async fn at(clock: tunelocker::clock::Clock) -> Self {
        let app = TestApp::spawn_at(clock, |config| {
            config.drive = config.data.with_file_name("drive");
        })
        .await;
        Self::over(Lockers::over(app, 1_000_000).await).await
    }

    async fn over(lockers: Lockers) -> Self {
        let new = lockers.accounts.create_app_password(&lockers.ann, "dav").await.unwrap();
        Self { lockers, client: Client::new(), secret: new.secret }
    }

    fn url(&self, path: &str) -> String {
        self.lockers.app.url(&format!("/dav/{path}"))
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[Header<'_>],
        body: impl Into<reqwest::Body>,
    ) -> Response {
        self.ask_as(("ann", &self.secret), method, path, headers, body).await
    }

    async fn ask_as(
        &self,
        (user, secret): (&str, &str),
        method: &str,
        path: &str,
        headers: &[Header<'_>],
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, self.url(path)).basic_auth(user, Some(secret));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(body).send().await.unwrap()
    }

    /// The status alone of a request without a body.
    async fn status(&self, method: &str, path: &str, headers: &[Header<'_>]) -> u16 {
        self.ask(method, path, headers, "").await.status().as_u16()
    }

    async fn put(&self, path: &str, bytes: &[u8]) -> StatusCode {
        self.ask("PUT", path, &[], bytes.to_vec()).await.status()
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        self.ask("GET", path, &[], "").await.bytes().await.unwrap().to_vec()
    }

    /// The names in a folder, as their addresses tell them.
    async fn list(&self, path: &str) -> Vec<String> {
        let answer = self.ask("PROPFIND", path, &[("Depth", "1")], "").await;
        assert_eq!(answer.status().as_u16(), 207, "{path}");
        hrefs(&answer.text().await.unwrap())
    }

    /// Another person, with a locker of an own.
    async fn bob(&self) -> String {
        let new = tunelocker::accounts::NewUser {
            plan: Some("Test".to_owned()),
            ..tunelocker::accounts::NewUser::new("bob", "bob's very own")
        };
        let accounts = &self.lockers.accounts;
        let bob = accounts.create_user(&self.lockers.admin, &new).await.unwrap();
        let bob = accounts.principal(bob).await.unwrap();
        accounts.create_app_password(&bob, "dav").await.unwrap().secret
    }

    /// The bytes of a request as they are, and the whole answer.
    fn raw(&self, head: &str, body: &[u8]) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let mut socket = TcpStream::connect(self.lockers.app.http).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (host, who) = (self.lockers.app.http, STANDARD.encode(format!("ann:{}", self.secret)));
        let head = format!(
            "{head}\r\nHost: {host}\r\nAuthorization: Basic {who}\r\nConnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        // A refusal may close before the last byte is sent; then the answer is there already.
        let _ = socket.write_all(body);
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The text of every `D:href` right in a response.
fn hrefs(text: &str) -> Vec<String> {
    text.split("<D:response><D:href>")
        .skip(1)
        .map(|rest| rest.split("</D:href>").next().unwrap().to_owned())
        .collect()
}

/// What stands in the first element of this name.
fn inner<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

fn token(answer: &Response) -> String {
    let token = answer.headers()["lock-token"].to_str().unwrap();
    token.strip_prefix('<').unwrap().strip_suffix('>').unwrap().to_owned()
}
