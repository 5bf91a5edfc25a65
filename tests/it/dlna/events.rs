//! GENA as a subscriber on this machine sees it.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Method, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

use super::{
    control::{Control, leaves, well_formed},
    music,
};
use crate::harness::TestApp;

/// An answer to SUBSCRIBE: status, SID, TIMEOUT.
async fn subscribe(
    control: &Control,
    service: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, String, String) {
    send(control, b"SUBSCRIBE", service, headers).await
}

async fn send(
    control: &Control,
    method: &[u8],
    service: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, String, String) {
    let url = format!("{}/event/{service}", control.base);
    let mut request = Client::new().request(Method::from_bytes(method).unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let text = |name| {
        answer.headers().get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    (answer.status(), text("SID"), text("TIMEOUT"))
}

/// The next event: its head in lower case, and its variables.
async fn event(listener: &TcpListener) -> (String, BTreeMap<String, String>) {
    let accepted = timeout(Duration::from_secs(20), listener.accept()).await;
    let (mut stream, _) = accepted.expect("an event comes").unwrap();
    let mut read = Vec::new();
    loop {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.unwrap();
        read.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&read).into_owned();
        if text.ends_with("</e:propertyset>\n") || length == 0 {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            well_formed(body);
            return (head.to_ascii_lowercase(), leaves(body));
        }
    }
}

#[tokio::test]
async fn subscribers_hear_the_first_state_and_each_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let app =
        TestApp::spawn_with(move |config| config.libraries.push(("Music".to_owned(), path))).await;
    let control = Control::new(app.lan);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callback = format!("<http://{}/events>", listener.local_addr().unwrap());
    let headers =
        [("CALLBACK", callback.as_str()), ("NT", "upnp:event"), ("TIMEOUT", "Second-300")];
    let (status, sid, granted) = subscribe(&control, "content-directory", &headers).await;
    assert_eq!((status.as_u16(), granted.as_str()), (200, "Second-300"));
    let (head, variables) = event(&listener).await;
    assert!(head.starts_with("notify /events http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nseq: 0\r\n") && head.contains("\r\nnts: upnp:propchange\r\n"));
    assert!(head.contains(&format!("\r\nsid: {sid}\r\n").to_ascii_lowercase()), "{head}");
    let names: Vec<_> = variables.keys().map(String::as_str).collect();
    assert_eq!(names, ["ContainerUpdateIDs", "SystemUpdateID", "TransferIDs"]);
    let before: u64 = variables["SystemUpdateID"].parse().unwrap();
    music::write(folder.path());
    let (head, variables) = event(&listener).await;
    assert!(head.contains("\r\nseq: 1\r\n"), "{head}");
    assert!(variables["SystemUpdateID"].parse::<u64>().unwrap() > before);
    // Renewal and end.
    let (status, same, _) = subscribe(&control, "content-directory", &[("SID", &sid)]).await;
    assert_eq!((status.as_u16(), &same), (200, &sid));
    let ended = send(&control, b"UNSUBSCRIBE", "content-directory", &[("SID", &sid)]).await;
    assert_eq!(ended.0, 200);
    let (status, ..) = subscribe(&control, "content-directory", &[("SID", &sid)]).await;
    assert_eq!(status, 412);
}

#[tokio::test]
async fn nobody_is_told_on_behalf_of_another() {
    let app = TestApp::spawn().await;
    let control = Control::new(app.lan);
    // One that would be called if the check failed: on this machine, but not the peer's address.
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let other = format!("<http://{}/>", listener.local_addr().unwrap());
    let nt = ("NT", "upnp:event");
    for (headers, status) in [
        (vec![("CALLBACK", other.as_str()), nt], 412),
        (vec![("CALLBACK", "<http://evil.example/>"), nt], 412),
        (vec![("CALLBACK", "<ftp://127.0.0.1/>"), nt], 412),
        (vec![nt], 412),
        (vec![("SID", "uuid:none")], 412),
        (vec![("SID", "uuid:none"), nt], 400),
    ] {
        let (found, ..) = subscribe(&control, "content-directory", &headers).await;
        assert_eq!(found.as_u16(), status, "{headers:?}");
    }
    // A subscription that is right comes and is served; by then the wrong one would have been.
    let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callback = format!("<http://{}/>", good.local_addr().unwrap());
    let headers = [("CALLBACK", callback.as_str()), nt];
    assert_eq!(subscribe(&control, "registrar", &headers).await.0, 200);
    let (_, variables) = event(&good).await;
    assert_eq!(variables.len(), 4);
    assert!(timeout(Duration::ZERO, listener.accept()).await.is_err());
}

#[tokio::test]
async fn one_address_cannot_take_all_subscriptions() {
    let app = TestApp::spawn().await;
    let control = Control::new(app.lan);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callback = format!("<http://{}/>", listener.local_addr().unwrap());
    let headers = [("CALLBACK", callback.as_str()), ("NT", "upnp:event")];
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(subscribe(&control, "connection-manager", &headers).await.0.as_u16());
    }
    assert!(statuses[..32].iter().all(|status| *status == 200), "{statuses:?}");
    assert!(statuses[32..].iter().all(|status| *status == 503), "{statuses:?}");
}
