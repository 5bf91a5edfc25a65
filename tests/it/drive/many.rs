//! Many files in one form, as curl and browsers send them.

use std::process::Command;

use reqwest::{
    Method,
    multipart::{Form, Part},
};

use super::archives::{Box, whole, zip_of};
use crate::harness::machine;

fn part(bytes: &[u8], name: &str) -> Part {
    Part::bytes(bytes.to_vec()).file_name(name.to_owned())
}

#[tokio::test]
async fn each_file_of_a_form_has_its_own_result() {
    let ann = Box::with_quota(10_000).await;
    let form = Form::new()
        .text("comment", "not a file")
        .part("file", part(&[1; 4000], "one.flac"))
        .part("file", part(&[2; 6001], "large.flac"))
        .part("other", part(&[3; 6000], "Björk/two.flac"))
        .part("file", part(b"x", "../slip"))
        .part("file", part(b"", "empty"));
    let answer = ann.request(Method::POST, "files/Music").multipart(form).send().await.unwrap();
    let (status, answer) = whole(answer).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!((&answer["stored"], &answer["refused"]), (&3.into(), &2.into()));
    let items = answer["items"].as_array().unwrap();
    assert_eq!(items[0]["path"], "Music/one.flac");
    assert_eq!(items[0]["hash"], blake3::hash(&[1; 4000]).to_hex().as_str());
    assert_eq!(items[1]["problem"]["type"], "quota_exceeded");
    assert_eq!(
        (&items[1]["problem"]["used"], &items[1]["problem"]["quota"]),
        (&4000.into(), &10_000.into())
    );
    assert_eq!(items[2]["path"], "Music/Björk/two.flac");
    assert_eq!(
        (&items[3]["problem"]["type"], &items[3]["problem"]["rule"]),
        (&"name_invalid".into(), &"dots".into())
    );
    let usage = ann.lockers.usage().await;
    assert_eq!((usage.used, usage.reserved, ann.lockers.staged()), (10_000, 0, 0));

    // Nothing of it stored: as a single refusal.
    let form = Form::new().part("file", part(b"1", "more"));
    let answer = ann.request(Method::POST, "files/").multipart(form).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let form = Form::new().text("only", "text");
    let answer = ann.request(Method::POST, "files/").multipart(form).send().await.unwrap();
    assert_eq!(whole(answer).await.1["type"], "invalid");
    let form = Form::new().part("file", part(b"1", "one.flac"));
    let url = "files/Music?ifAbsent=true";
    let answer = ann.request(Method::POST, url).multipart(form).send().await.unwrap();
    let (status, answer) = whole(answer).await;
    assert_eq!((status, &answer["items"][0]["problem"]["type"]), (412, &"exists".into()));
    assert_eq!(answer["items"][0]["problem"]["etag"], items[0]["etag"]);
}

#[tokio::test]
async fn archives_in_a_form_are_unpacked_if_so_wished() {
    let ann = Box::with_quota(100_000).await;
    let archive = zip_of(&[("a/one", b"1"), ("../slip", b"2")]);
    let form = || {
        let form = Form::new().part("file", part(&archive, "in/pack.zip"));
        form.part("file", part(b"song", "song.flac"))
    };
    let answer = ann.request(Method::POST, "files/M").multipart(form()).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert!(ann.lockers.folder().join("M/in/pack.zip").exists());
    let url = "files/N?unpack=true";
    let answer = ann.request(Method::POST, url).multipart(form()).send().await.unwrap();
    let (status, answer) = whole(answer).await;
    assert_eq!(status, 207, "{answer}");
    let paths: Vec<_> = answer["items"].as_array().unwrap().iter().map(|it| &it["path"]).collect();
    assert_eq!(paths, ["N/in/a/one", "N/in/../slip", "N/song.flac"]);
    assert_eq!(std::fs::read(ann.lockers.folder().join("N/in/a/one")).unwrap(), b"1");
}

#[tokio::test]
async fn curl_sends_files() {
    if !machine::has("curl") {
        return;
    }
    let ann = Box::with_quota(10_000_000).await;
    let folder = tempfile::tempdir().unwrap();
    let song: Vec<u8> = (0..700_000_u32).map(|number| (number * 7 % 251) as u8).collect();
    std::fs::write(folder.path().join("a b.flac"), &song).unwrap();
    std::fs::write(folder.path().join("c.txt"), "text").unwrap();
    let secret =
        ann.lockers.accounts.create_app_password(&ann.lockers.ann, "c").await.unwrap().secret;
    let url = ann.lockers.app.url("/api/v1/files/From%20curl/");
    let at = folder.path().to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new("curl")
            .current_dir(at)
            .args(["-sS", "--fail", "-u", &format!("ann:{secret}")])
            .args(["-F", "file=@a b.flac", "-F", "file=@c.txt", &url])
            .output()
            .unwrap()
    });
    let ran = ran.await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let stored = std::fs::read(ann.lockers.folder().join("From curl/a b.flac")).unwrap();
    assert!(stored == song);
    assert!(ann.lockers.folder().join("From curl/c.txt").exists());
}
