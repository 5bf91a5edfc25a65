//! SSDP on the loopback interface.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    time::{Duration, Instant},
};

use socket2::{Domain, InterfaceIndexOrAddress, Socket, Type};
use tokio::{net::UdpSocket, time::timeout};

use super::control::Control;
use crate::harness::TestApp;

const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), 1900);
/// Longer than a server may wait with an answer, by far.
const LONG: Duration = Duration::from_secs(20);
/// `lo` has the first index in every network namespace.
const LO: u32 = 1;

/// A socket on `lo`; on port 1900 and in the group if it is to hear announcements.
fn socket(hears_group: bool) -> UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.set_reuse_address(true).unwrap();
    let port = if hears_group { GROUP.port() } else { 0 };
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into()).unwrap();
    socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
    if hears_group {
        socket.join_multicast_v4_n(GROUP.ip(), &InterfaceIndexOrAddress::Index(LO)).unwrap();
    }
    UdpSocket::from_std(socket.into()).unwrap()
}

fn search(target: &str, more: &str) -> String {
    format!("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n{more}ST: {target}\r\n\r\n")
}

const USUAL: &str = "MAN: \"ssdp:discover\"\r\nMX: 1\r\n";

/// The next datagram that names this device; others on `lo` may talk too.
async fn from_device(socket: &UdpSocket, udn: &str) -> String {
    let mut buffer = [0; 2048];
    loop {
        let received = timeout(LONG, socket.recv(&mut buffer)).await.expect("a datagram comes");
        let text = String::from_utf8_lossy(&buffer[..received.unwrap()]).into_owned();
        if text.contains(udn) {
            return text;
        }
    }
}

#[tokio::test]
async fn searches_are_answered_for_what_is_there() {
    let app = TestApp::spawn().await;
    let control = Control::new(app.lan);
    let udn = control.udn().await;
    let location = format!("LOCATION: {}/device.xml\r\n", control.base);
    for target in [
        "upnp:rootdevice",
        udn.as_str(),
        "urn:schemas-upnp-org:device:MediaServer:1",
        "urn:schemas-upnp-org:service:ContentDirectory:1",
    ] {
        let socket = socket(false);
        // The server may not have joined yet: ask until it has.
        let end = Instant::now() + LONG;
        let answer = loop {
            socket.send_to(search(target, USUAL).as_bytes(), GROUP).await.unwrap();
            let wait = Duration::from_secs(2);
            if let Ok(answer) = timeout(wait, from_device(&socket, &udn)).await {
                break answer;
            }
            assert!(Instant::now() < end, "{target}");
        };
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains(&format!("ST: {target}\r\n")), "{answer}");
        assert!(answer.contains(&location), "{answer}");
    }
    // All six to "all", and no more than six.
    let socket = socket(false);
    socket.send_to(search("ssdp:all", USUAL).as_bytes(), GROUP).await.unwrap();
    let mut types = Vec::new();
    for _ in 0..6 {
        let answer = from_device(&socket, &udn).await;
        let line = answer.lines().find(|line| line.starts_with("ST: ")).unwrap();
        types.push(line.to_owned());
    }
    types.sort();
    types.dedup();
    assert_eq!(types.len(), 6, "{types:?}");
}

#[tokio::test]
async fn nonsense_is_met_with_silence() {
    let app = TestApp::spawn().await;
    let udn = Control::new(app.lan).udn().await;
    let socket = socket(false);
    for more in [
        "",
        "MAN: ssdp:discover\r\nMX: 1\r\n",
        "MAN: \"ssdp:discover\"\r\n",
        "MAN: \"ssdp:discover\"\r\nMX: x\r\n",
    ] {
        socket.send_to(search(&udn, more).as_bytes(), GROUP).await.unwrap();
    }
    let huge = search(&udn, &format!("{USUAL}X: {}\r\n", "x".repeat(3000)));
    socket.send_to(huge.as_bytes(), GROUP).await.unwrap();
    socket.send_to(&[0xff; 300], GROUP).await.unwrap();
    // MX 0 and MX 100000 are answered; they are the last, so the first answer must be theirs.
    for mx in ["0", "100000"] {
        let end = Instant::now() + LONG;
        let more = format!("MAN: \"ssdp:discover\"\r\nMX: {mx}\r\n");
        loop {
            socket.send_to(search("upnp:rootdevice", &more).as_bytes(), GROUP).await.unwrap();
            let wait = Duration::from_secs(2);
            if let Ok(answer) = timeout(wait, from_device(&socket, &udn)).await {
                assert!(answer.contains("ST: upnp:rootdevice\r\n"), "{answer}");
                break;
            }
            assert!(Instant::now() < end, "{mx}");
        }
    }
}

#[tokio::test]
async fn it_says_hello_and_goodbye() {
    let hears = socket(true);
    let app = TestApp::spawn().await;
    let udn = Control::new(app.lan).udn().await;
    let mut heard = Vec::new();
    while heard.len() < 6 {
        let message = from_device(&hears, &udn).await;
        if message.starts_with("NOTIFY") && message.contains("NTS: ssdp:alive\r\n") {
            heard.push(message);
        }
    }
    assert!(heard.iter().all(|one| one.len() < 512 && one.contains("BOOTID.UPNP.ORG: ")));
    drop(app);
    let mut goodbyes = 0;
    while goodbyes < 6 {
        let message = from_device(&hears, &udn).await;
        goodbyes += usize::from(message.contains("NTS: ssdp:byebye\r\n"));
    }
}
