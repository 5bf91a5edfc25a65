//! Who gets in, and what bad input gets.

use tunelocker::accounts::DeviceChange;

use super::control::{Control, leaves};
use crate::harness::TestApp;

#[tokio::test]
async fn description_services_and_icons_are_all_there() {
    let app = TestApp::spawn().await;
    let control = Control::new(app.lan);
    let description = control.document("/device.xml").await;
    assert_eq!(leaves(&description)["deviceType"], "urn:schemas-upnp-org:device:MediaServer:1");
    for tag in ["SCPDURL", "url"] {
        for part in description.split(&format!("<{tag}>")).skip(1) {
            let path = part.split('<').next().unwrap();
            let answer = reqwest::get(format!("{}{path}", control.base)).await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            assert!(!answer.bytes().await.unwrap().is_empty(), "{path}");
        }
    }
    for service in ["content-directory", "connection-manager", "registrar"] {
        control.document(&format!("/scpd/{service}.xml")).await;
    }
    let head = reqwest::Client::new().head(format!("{}/device.xml", control.base));
    let head = head.send().await.unwrap();
    assert_eq!(head.headers()["content-length"], description.len().to_string());
    assert!(head.headers()["server"].to_str().unwrap().contains("DLNADOC/1.50"));
}

#[tokio::test]
async fn names_and_web_pages_are_refused() {
    let app = TestApp::spawn().await;
    let client = reqwest::Client::new();
    let url = format!("http://{}/device.xml", app.lan);
    let ours = app.lan.to_string();
    for (name, value, status) in [
        ("Host", "evil.example", 421),
        ("Host", "localhost", 421),
        ("Host", "127.0.0.2", 421),
        ("Host", "127.0.0.1", 200),
        ("Host", ours.as_str(), 200),
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Origin", &format!("http://{ours}"), 200),
    ] {
        let answer = client.get(&url).header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}: {value}");
    }
}

#[tokio::test]
async fn hostile_bodies_get_their_answers() {
    let app = TestApp::spawn().await;
    let control = Control::new(app.lan);
    let envelope = |inner: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{inner}</s:Body></s:Envelope>"
        )
    };
    for (body, status) in [
        (String::new(), 400),
        ("{\"not\":\"xml\"}".to_owned(), 400),
        ("<a/>".to_owned(), 400),
        ("<a>".repeat(21_000), 400),
        (envelope(&format!("{}{}", "<a>".repeat(40), "</a>".repeat(40))), 400),
        (format!("<!DOCTYPE a [<!ENTITY b 'ha'>]>{}", envelope("<Browse>&b;</Browse>")), 400),
        (envelope(&"x".repeat(70_000)), 413),
        (envelope("<Browse/>"), 500),
    ] {
        let (found, _) = control.post("content-directory", body.clone().into()).await;
        assert_eq!(found, status, "{}", &body[..body.len().min(60)]);
    }
    assert_eq!(control.post("no-such-service", envelope("<A/>").into()).await.0, 404);
    // And it still answers.
    assert!(control.call("content-directory", "GetSystemUpdateID", &[]).await.is_ok());
}

#[tokio::test]
async fn wrong_calls_get_upnp_codes() {
    let app = TestApp::spawn().await;
    let control = Control::new(app.lan);
    let browse =
        |id: &'static str, flag: &'static str| vec![("ObjectID", id), ("BrowseFlag", flag)];
    let children = "BrowseDirectChildren";
    let mut negative = browse("0", children);
    negative.push(("StartingIndex", "-1"));
    let mut word = browse("0", children);
    word.push(("RequestedCount", "many"));
    let search = |id: &'static str, criteria: &'static str| {
        vec![("ContainerID", id), ("SearchCriteria", criteria)]
    };
    for (action, arguments, code) in [
        ("Fly", vec![], 401),
        ("Browse", vec![], 402),
        ("Browse", vec![("ObjectID", "0")], 402),
        ("Browse", browse("0", "Sideways"), 402),
        ("Browse", negative, 402),
        ("Browse", word, 402),
        ("Browse", browse("no-such", children), 701),
        ("Browse", browse("-1", children), 701),
        ("Browse", browse("al.12345", "BrowseMetadata"), 701),
        ("Browse", browse("tr.12345", children), 701),
        ("Search", search("0", "bogus ~~ \"x\""), 708),
        ("Search", search("0", "dc:title contains \"x"), 708),
        ("Search", search("al.12345", "*"), 710),
        ("Search", search("no-such", "*"), 710),
        ("CreateObject", vec![], 602),
        ("QueryStateVariable", vec![], 404),
    ] {
        let answer = control.call("content-directory", action, &arguments).await;
        assert_eq!(answer, Err((500, code)), "{action} {arguments:?}");
    }
    let info = [("ConnectionID", "7")];
    let answer = control.call("connection-manager", "GetCurrentConnectionInfo", &info).await;
    assert_eq!(answer, Err((500, 706)));
}

#[tokio::test]
async fn the_small_services_answer() {
    let app = TestApp::spawn().await;
    let control = Control::new(app.lan);
    for (service, action, arguments, name, value) in [
        ("connection-manager", "GetCurrentConnectionIDs", vec![], "ConnectionIDs", "0"),
        (
            "connection-manager",
            "GetCurrentConnectionInfo",
            vec![("ConnectionID", "0")],
            "Direction",
            "Output",
        ),
        ("registrar", "IsAuthorized", vec![("DeviceID", "")], "Result", "1"),
        ("registrar", "IsValidated", vec![("DeviceID", "")], "Result", "1"),
    ] {
        let answer = control.call(service, action, &arguments).await.unwrap();
        assert_eq!(answer[name], value, "{action}");
    }
    let answer = control.call("connection-manager", "GetProtocolInfo", &[]).await.unwrap();
    assert!(answer["Source"].split(',').count() > 10);
    assert!(answer["Source"].split(',').all(|entry| entry.split(':').count() == 4));
    let answer = control.call("content-directory", "GetSearchCapabilities", &[]).await.unwrap();
    assert!(answer["SearchCaps"].contains("upnp:artist"));
}

#[tokio::test]
async fn a_blocked_device_gets_nothing() {
    let app = TestApp::spawn().await;
    let control = Control::new(app.lan);
    control.document("/device.xml").await;
    let accounts = &app.services.accounts;
    accounts.ensure_first_admin("root", "a long password").await.unwrap();
    let admin = accounts.principal_named("root").await.unwrap();
    let devices = accounts.devices(&admin).await.unwrap();
    assert_eq!(devices.len(), 1);
    let change = DeviceChange { is_blocked: Some(true), ..DeviceChange::default() };
    accounts.update_device(&admin, devices[0].id, &change).await.unwrap();
    for path in ["/device.xml", "/scpd/registrar.xml", "/icon/48.png", "/media/1.flac"] {
        let answer = reqwest::get(format!("{}{path}", control.base)).await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    assert_eq!(control.post("content-directory", b"<a/>".to_vec()).await.0, 403);
}
