//! Other hands at the drive: what they put there under names that no way in takes is read, moved and
//! deleted all the same, and what they take away for a while or move counts as it did.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, time::SystemTime};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tunelocker::{
    Error,
    drive::{Exempt, RelativePath},
};

use super::{Lockers, tree::path};

/// As an address names them, and as they are called.
const ODD: [(&str, &str); 5] = [
    ("R.E.M./Drive.txt", "R.E.M./Drive.txt"),
    ("aux", "aux"),
    ("a%5Cb", "a\\b"),
    ("line%0Abreak", "line\nbreak"),
    ("blank%20", "blank "),
];

async fn with_odd_names() -> Lockers {
    let lockers = Lockers::with_quota(100_000).await;
    fs::create_dir_all(lockers.folder().join("R.E.M.")).unwrap();
    for (at, (_, name)) in ODD.iter().enumerate() {
        fs::write(lockers.folder().join(name), vec![b'x'; at + 1]).unwrap();
    }
    lockers.drive.look_again().await.unwrap();
    assert_eq!(lockers.usage().await.used, 15);
    lockers
}

#[tokio::test]
async fn what_other_hands_named_is_read_moved_and_deleted() {
    let lockers = with_odd_names().await;
    let secret = lockers.accounts.create_app_password(&lockers.ann, "x").await.unwrap().secret;
    let client = Client::new();
    let ask = async |method: &str, address: &str, body: Option<Value>| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = client.request(method, lockers.app.url(address)).bearer_auth(&secret);
        let request = body.iter().fold(request, RequestBuilder::json);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    for (at, (address, _)) in ODD.iter().enumerate() {
        let api = format!("/api/v1/files/{address}");
        let bytes = "x".repeat(at + 1);
        assert_eq!(ask("GET", &api, None).await, (StatusCode::OK, bytes.clone()), "{address}");
        let (status, stat) = ask("GET", &format!("{api}?as=stat"), None).await;
        assert!(status.is_success() && stat.contains(&format!("\"size\":{}", at + 1)), "{stat}");
        let dav = format!("/dav/ann/{address}");
        let by_dav = client.get(lockers.app.url(&dav)).basic_auth("ann", Some(&secret));
        let answer = by_dav.send().await.unwrap();
        assert_eq!((answer.status(), answer.text().await.unwrap()), (StatusCode::OK, bytes));
        // Nothing new comes under such a name, into a folder of such a name neither.
        let form = reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("new.txt");
        let form = reqwest::multipart::Form::new().part("file", form);
        let sent = client.post(lockers.app.url(&format!("{api}.x/con"))).bearer_auth(&secret);
        let refused = sent.multipart(form).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{address}");
        let (status, told) = ask("PUT", &format!("{api}.{{a}}/x."), None).await;
        assert!(status == StatusCode::BAD_REQUEST && told.contains("name_invalid"), "{told}");
    }
    let list = ask("GET", "/api/v1/files/R.E.M.", None).await.1;
    assert!(list.contains("Drive.txt"), "{list}");
    let listed = client
        .request(Method::from_bytes(b"PROPFIND").unwrap(), lockers.app.url("/dav/ann/R.E.M./"))
        .header("Depth", "1")
        .basic_auth("ann", Some(&secret));
    assert!(listed.send().await.unwrap().text().await.unwrap().contains("R.E.M./Drive.txt"));
    // As it is called it can be renamed by both faces, but to a name that is one.
    let (status, told) = ask("POST", "/api/v1/files/aux", Some(json!({ "to": "nul" }))).await;
    assert!(status == StatusCode::BAD_REQUEST && told.contains("name_invalid"), "{told}");
    let (status, told) = ask("POST", "/api/v1/files/aux", Some(json!({ "to": "plain" }))).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    let move_to = async |to: &str| {
        let request = client
            .request(Method::from_bytes(b"MOVE").unwrap(), lockers.app.url("/dav/ann/a%5Cb"))
            .header("Destination", format!("/dav/ann/{to}"))
            .basic_auth("ann", Some(&secret));
        request.send().await.unwrap().status()
    };
    assert_eq!(move_to("com1").await, StatusCode::FORBIDDEN);
    assert_eq!(move_to("moved").await, StatusCode::CREATED);
    for (address, _) in [&ODD[0], &ODD[3], &ODD[4]] {
        let (status, told) = ask("DELETE", &format!("/api/v1/files/{address}"), None).await;
        assert!(status.is_success(), "{address}: {told}");
    }
    let (_, trash) = ask("GET", "/api/v1/trash", None).await;
    let trash: Value = serde_json::from_str(&trash).unwrap();
    assert_eq!(trash["items"].as_array().unwrap().len(), 3);
    for kept in trash["items"].as_array().unwrap() {
        let address = format!("/api/v1/trash/{}", kept["id"].as_str().unwrap());
        let (status, told) = ask("POST", &address, Some(json!({}))).await;
        assert!(status.is_success(), "{told}");
    }
    assert_eq!(fs::read(lockers.folder().join("line\nbreak")).unwrap(), b"xxxx");
    assert_eq!(lockers.usage().await.used, 15);
    assert_eq!(lockers.drive.examine().await.unwrap(), Vec::<String>::new());
}

/// A path of parts that are fine each is too deep, or too long, all the same.
#[tokio::test]
async fn nothing_is_put_so_deep_that_nothing_reaches_it() {
    let lockers = Lockers::with_quota(100_000).await;
    let deep = path(&vec!["d"; 40].join("/"));
    lockers.drive.make_folder(&lockers.ann, lockers.locker, &deep).await.unwrap();
    let deeper = path(&vec!["d"; 30].join("/")).below(&deep);
    let target = tunelocker::drive::Target { path: deeper.clone(), ..lockers.target("x") };
    let put = lockers.drive.put(&lockers.ann, &target, Some(1), super::body(b"x")).await;
    assert!(matches!(put.unwrap_err(), Error::NameInvalid { rule: "deep", .. }));
    let made = lockers.drive.make_folder(&lockers.ann, lockers.locker, &deeper).await;
    assert!(matches!(made.unwrap_err(), Error::NameInvalid { rule: "deep", .. }));
    lockers.put("x", b"x").await.unwrap();
    let moved = lockers.drive.move_to(&lockers.ann, lockers.locker, &path("x"), &target).await;
    assert!(matches!(moved.unwrap_err(), Error::NameInvalid { rule: "deep", .. }));
    assert_eq!(lockers.usage().await.used, 1);
}

#[tokio::test]
async fn a_name_that_nobody_can_say_is_told_by_the_doctor() {
    let lockers = Lockers::with_quota(100_000).await;
    lockers.put("Music/a", b"x").await.unwrap();
    let music = lockers.folder().join("Music");
    fs::write(music.join(OsStr::from_bytes(b"J\xf3ga.mp3")), b"xx").unwrap();
    lockers.drive.look_again().await.unwrap();
    let found = lockers.drive.examine().await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("lockers/ann: Music/J\u{fffd}ga.mp3 has a name"), "{found:?}");
}

/// A disk that comes up late, and a folder that other hands rename.
#[tokio::test]
async fn what_does_not_count_stays_so_when_it_was_away_or_moved() {
    let lockers = Lockers::with_quota(100_000).await;
    let (drive, folder) = (&lockers.drive, lockers.folder());
    lockers.put("Bought/a.bin", &[1; 100]).await.unwrap();
    lockers.put("own.bin", &[2; 30]).await.unwrap();
    let bought = RelativePath::parse("Bought").unwrap();
    let admin = &lockers.admin;
    drive.set_exempt(admin, lockers.locker, &bought, Some(Exempt::Purchase)).await.unwrap();
    let figures = async || {
        let usage = lockers.usage().await;
        (usage.used, usage.exempt)
    };
    assert_eq!(figures().await, (30, 100));
    let before = drive.stat(&lockers.ann, lockers.locker, &path("Bought/a.bin")).await.unwrap();

    let aside = lockers.drive_root().join("aside");
    fs::rename(folder.join("Bought"), &aside).unwrap();
    drive.look_again().await.unwrap();
    assert_eq!(figures().await, (30, 0));
    fs::rename(&aside, folder.join("Bought")).unwrap();
    drive.look_again().await.unwrap();
    assert_eq!(figures().await, (30, 100), "it was away");
    let after = drive.stat(&lockers.ann, lockers.locker, &path("Bought/a.bin")).await.unwrap();
    assert_eq!(after.etag, before.etag, "it is the same file");

    fs::rename(folder.join("Bought"), folder.join("Shop")).unwrap();
    drive.look_again().await.unwrap();
    assert_eq!(figures().await, (30, 100), "it moved");
    // Seen by who writes there, before anybody looked at all of it.
    fs::rename(folder.join("Shop"), &aside).unwrap();
    drive.look_again().await.unwrap();
    fs::rename(&aside, folder.join("Shop")).unwrap();
    lockers.put("Shop/a.bin", &[3; 10]).await.unwrap();
    assert_eq!(figures().await, (40, 0), "it was replaced by bytes that count");
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());

    // Other bytes at its place are another file.
    drive.set_exempt(admin, lockers.locker, &path("own.bin"), Some(Exempt::Gift)).await.unwrap();
    assert_eq!(figures().await, (10, 30));
    fs::remove_file(folder.join("own.bin")).unwrap();
    drive.look_again().await.unwrap();
    fs::write(folder.join("own.bin"), [4; 30]).unwrap();
    let other = SystemTime::now() - std::time::Duration::from_secs(1_000);
    fs::File::options()
        .write(true)
        .open(folder.join("own.bin"))
        .unwrap()
        .set_modified(other)
        .unwrap();
    drive.look_again().await.unwrap();
    assert_eq!(figures().await, (40, 0));
}
