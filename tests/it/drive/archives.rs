//! Archives that are sent and unpacked: by `PUT`, by `POST`, by tus; what is in them, what is
//! refused of them, and that none of it leads out of the folder or past the quota.

use std::io::{Cursor, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::Lockers;
use crate::harness::machine;

pub(super) struct Box {
    pub(super) lockers: Lockers,
    client: Client,
    secret: String,
}

impl Box {
    pub(super) async fn with_quota(quota: u64) -> Self {
        Self::over(Lockers::with_quota(quota).await).await
    }

    pub(super) async fn over(lockers: Lockers) -> Self {
        let new = lockers.accounts.create_app_password(&lockers.ann, "curl").await.unwrap();
        Self { lockers, client: Client::new(), secret: new.secret }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.lockers.app.url(&format!("/api/v1/{path}"));
        self.client.request(method, url).bearer_auth(&self.secret)
    }

    /// An archive to a folder; status and what became of it.
    async fn unpack(&self, path: &str, bytes: Vec<u8>) -> (u16, Value) {
        let url = format!("files/{path}?unpack=true");
        whole(self.request(Method::PUT, &url).body(bytes).send().await.unwrap()).await
    }

    fn stored(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.lockers.folder().join(path)).ok()
    }
}

pub(super) async fn whole(answer: Response) -> (u16, Value) {
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

/// A zip of stored files.
pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    packed(files, CompressionMethod::Stored)
}

fn packed(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A tar; names are written as they are, whatever they are.
pub(crate) fn tar_of(files: &[(&str, &[u8])]) -> tar::Builder<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar
}

fn item<'a>(answer: &'a Value, path: &str) -> &'a Value {
    let items = answer["items"].as_array().unwrap();
    items.iter().find(|item| item["path"] == path).unwrap_or_else(|| panic!("{path}: {answer}"))
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[tokio::test]
async fn every_kind_of_archive_becomes_its_files() {
    let ann = Box::with_quota(10_000_000).await;
    let song: Vec<u8> = (0..300_000_u32).map(|number| (number * 31 % 253) as u8).collect();
    let files: [(&str, &[u8]); 3] =
        [("Björk/01 Jóga.flac", &song), ("Björk/empty.txt", b""), ("top.txt", b"hello")];
    let tar = tar_of(&files).into_inner().unwrap();
    let zst = ruzstd::encoding::compress_to_vec(
        tar.as_slice(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    for (folder, name, archive) in [
        ("stored", "a.zip", zip_of(&files)),
        ("deflated", "a.zip", packed(&files, CompressionMethod::Deflated)),
        ("tar", "a.tar", tar.clone()),
        ("gz", "a.tar.gz", gzip(&tar)),
        ("zst", "a.tar.zst", zst),
        // What it is decides, not what it is called.
        ("wrong", "a.zip", gzip(&tar)),
    ] {
        let (status, answer) = ann.unpack(&format!("{folder}/{name}"), archive).await;
        assert_eq!(status, 201, "{folder}: {answer}");
        assert_eq!((&answer["stored"], &answer["refused"]), (&3.into(), &0.into()));
        assert_eq!(answer["state"], "done");
        assert_eq!(ann.stored(&format!("{folder}/Björk/01 Jóga.flac")).unwrap(), song);
        assert_eq!(ann.stored(&format!("{folder}/top.txt")).unwrap(), b"hello");
        assert_eq!(ann.stored(&format!("{folder}/Björk/empty.txt")).unwrap(), b"");
        assert!(ann.stored(&format!("{folder}/{name}")).is_none(), "the archive is not kept");
        let joga = item(&answer, "Björk/01 Jóga.flac");
        assert_eq!(joga["hash"], blake3::hash(&song).to_hex().as_str());
    }
    assert_eq!(ann.lockers.usage().await.used, 6 * 300_005);
    if machine::has("xz") {
        let mut packer = std::process::Command::new("xz")
            .arg("-c")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        packer.stdin.take().unwrap().write_all(&tar[..]).unwrap();
        let xz = packer.wait_with_output().unwrap().stdout;
        let (status, answer) = ann.unpack("xz/a.tar.xz", xz).await;
        assert_eq!(status, 201, "{answer}");
        assert_eq!(ann.stored("xz/Björk/01 Jóga.flac").unwrap(), song);
    }
    assert_eq!((ann.lockers.usage().await.reserved, ann.lockers.staged()), (0, 0));
}

#[tokio::test]
async fn nothing_slips_out_and_one_bad_entry_stops_nothing() {
    let ann = Box::with_quota(10_000_000).await;
    let mut tar = tar_of(&[
        ("good.txt", b"one"),
        ("../slip.txt", b"out"),
        ("/etc/slip.txt", b"out"),
        ("a/../../slip.txt", b"out"),
        ("./dotted/two.txt", b"two"),
        ("nul.txt", b"device"),
        ("trailing. ", b"x"),
        ("back\\slash", b"x"),
    ]);
    let mut link = |kind, name: &str, to: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        tar.append_link(&mut header, name, to).unwrap();
    };
    link(tar::EntryType::Symlink, "link", "/etc/passwd");
    link(tar::EntryType::Link, "hard", "good.txt");
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Char);
    header.set_size(0);
    tar.append_data(&mut header, "device", &b""[..]).unwrap();
    // Through the link that was not made.
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    tar.append_data(&mut header, "link/through", &b"four"[..]).unwrap();
    let (status, answer) = ann.unpack("in/x.tar", tar.into_inner().unwrap()).await;
    assert_eq!(status, 207, "{answer}");
    for (path, word, rule) in [
        ("../slip.txt", "name_invalid", "dots"),
        ("/etc/slip.txt", "name_invalid", "absolute"),
        ("a/../../slip.txt", "name_invalid", "dots"),
        ("nul.txt", "name_invalid", "reserved"),
        ("trailing. ", "name_invalid", "trailing"),
        ("back\\slash", "name_invalid", "backslash"),
        ("link", "unsupported_archive", "link"),
        ("hard", "unsupported_archive", "link"),
        ("device", "unsupported_archive", "special"),
    ] {
        let problem = &item(&answer, path)["problem"];
        assert_eq!((&problem["type"], &problem["rule"]), (&word.into(), &rule.into()), "{path}");
    }
    assert_eq!((&answer["stored"], &answer["refused"]), (&3.into(), &9.into()));
    assert_eq!(ann.stored("in/dotted/two.txt").unwrap(), b"two");
    assert_eq!(ann.stored("in/link/through").unwrap(), b"four");
    assert!(ann.stored("slip.txt").is_none() && ann.stored("in/slip.txt").is_none());
    let names: Vec<_> =
        std::fs::read_dir(ann.lockers.drive_root().join("lockers")).unwrap().collect();
    assert_eq!(names.len(), 2, "two users, and nothing beside them");

    // The same from a zip: a link is a file with a mode, a password a flag, a slip a name.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    zip.start_file("fine", SimpleFileOptions::default()).unwrap();
    zip.write_all(b"fine").unwrap();
    let (status, answer) = ann.unpack("zip/x.zip", zip.finish().unwrap().into_inner()).await;
    assert_eq!(status, 207);
    assert_eq!(item(&answer, "link")["problem"]["rule"], "link");
    assert_eq!(ann.stored("zip/fine").unwrap(), b"fine");
}

#[tokio::test]
async fn what_is_broken_is_told_and_the_rest_is_there() {
    let ann = Box::with_quota(10_000_000).await;
    let mut broken =
        zip_of(&[("one", b"first content"), ("two", b"second content"), ("three", b"3")]);
    let at = broken.windows(14).position(|window| window == b"second content").unwrap();
    broken[at] ^= 1;
    let (status, answer) = ann.unpack("b.zip", broken).await;
    assert_eq!(status, 207);
    let problem = &item(&answer, "two")["problem"];
    assert_eq!(
        (&problem["type"], &problem["rule"]),
        (&"unsupported_archive".into(), &"broken".into())
    );
    assert!(ann.stored("one").is_some() && ann.stored("three").is_some());
    assert!(ann.stored("two").is_none());

    let tar = tar_of(&[("first", &[7; 5000]), ("last", &[8; 5000])]).into_inner().unwrap();
    let (status, answer) = ann.unpack("cut/t.tar", tar[..8000].to_vec()).await;
    assert_eq!((status, &answer["state"]), (207, &"failed".into()), "{answer}");
    assert_eq!(answer["problem"]["type"], "unsupported_archive");
    assert!(ann.stored("cut/first").is_some() && ann.stored("cut/last").is_none());

    for (name, bytes) in [
        ("no.zip", b"fLaC, not a zip".to_vec()),
        ("r.rar", b"Rar!\x1a\x07".to_vec()),
        ("e", vec![]),
    ] {
        let (status, answer) = ann.unpack(name, bytes).await;
        assert_eq!((status, &answer["type"]), (422, &"unsupported_archive".into()), "{name}");
        assert!(answer["detail"].as_str().unwrap().len() > 10);
    }
    assert_eq!((ann.lockers.usage().await.reserved, ann.lockers.staged()), (0, 0));
}

#[tokio::test]
async fn a_bomb_does_not_go_off() {
    // Room enough for it: what stops it is that so much cannot be right.
    let ann = Box::with_quota(100_000_000_000).await;
    let zeros = vec![0; 40_000_000];
    let bomb = packed(
        &[("a", b"fine"), ("b", &zeros), ("c", &zeros), ("d", b"fine")],
        CompressionMethod::Deflated,
    );
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    let (status, answer) = ann.unpack("bomb.zip", bomb).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(item(&answer, "c")["problem"]["rule"], "ratio");
    assert!(ann.stored("a").is_some() && ann.stored("b").is_some() && ann.stored("d").is_some());
    assert!(ann.stored("c").is_none());

    // One that lies about what is in it.
    let mut liar = packed(&[("small", &zeros)], CompressionMethod::Deflated);
    let size = 40_000_000_u32.to_le_bytes();
    while let Some(at) = liar.windows(4).position(|window| window == size) {
        liar[at..at + 4].copy_from_slice(&1000_u32.to_le_bytes());
    }
    let (status, answer) = ann.unpack("liar.zip", liar).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(item(&answer, "small")["problem"]["rule"], "broken");
    assert!(ann.stored("small").is_none());

    // Gzip has no list of what is in it, so it is stopped on the way.
    let tar = tar_of(&[("e", &zeros), ("f", &zeros)]).into_inner().unwrap();
    let (status, answer) = ann.unpack("bomb.tar.gz", gzip(&tar)).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(item(&answer, "f")["problem"]["rule"], "ratio");
    assert!(ann.stored("e").is_some() && ann.stored("f").is_none());
}

#[tokio::test]
async fn the_quota_decides_entry_by_entry_to_the_byte() {
    let ann = Box::with_quota(10_000).await;
    let (six, four) = (vec![6; 6000], vec![4; 4000]);
    // It fits although the archive is larger than the quota.
    let archive = zip_of(&[("six", &six), ("big", &vec![0; 4001]), ("four", &four)]);
    assert!(archive.len() > 14_000);
    let (status, answer) = ann.unpack("x.zip", archive).await;
    assert_eq!(status, 207, "{answer}");
    let problem = &item(&answer, "big")["problem"];
    assert_eq!(problem["type"], "quota_exceeded", "{problem}");
    assert_eq!((ann.lockers.usage().await.used, ann.lockers.usage().await.reserved), (10_000, 0));
    let (_, answer) = ann.unpack("y.zip", zip_of(&[("one", b"1")])).await;
    assert_eq!(item(&answer, "one")["problem"]["type"], "quota_exceeded");
    // What is replaced makes room, and becomes a version that gives way.
    let (status, _) = ann.unpack("z.zip", zip_of(&[("six", &[9; 6000])])).await;
    assert_eq!(status, 201);
    assert_eq!(ann.stored("six").unwrap(), [9; 6000]);
    // An archive that is far too large is refused before it is read.
    let large = ann.request(Method::PUT, "files/l.zip?unpack=true").body(vec![0; 3_000_000]);
    let (status, answer) = whole(large.send().await.unwrap()).await;
    assert_eq!((status, &answer["type"]), (413, &"quota_exceeded".into()));
    assert_eq!(ann.lockers.staged(), 0);
}

#[tokio::test]
async fn only_new_ones_if_so_wished() {
    let ann = Box::with_quota(1_000_000).await;
    ann.lockers.put("here", b"before").await.unwrap();
    let archive = zip_of(&[("here", b"after"), ("new", b"new")]);
    let url = "files/?unpack=true&ifAbsent=true";
    let request = ann.request(Method::POST, url).body(archive.clone());
    let (status, answer) = whole(request.send().await.unwrap()).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(ann.stored("here").unwrap(), b"before");
    assert_eq!(ann.stored("new").unwrap(), b"new");
    let put = ann.request(Method::PUT, "files/x.zip?unpack=true").header("If-None-Match", "*");
    let (status, answer) = whole(put.body(archive).send().await.unwrap()).await;
    assert_eq!((status, &answer["stored"]), (207, &0.into()));
    // It is listed, and forgotten when its user says so.
    let (_, list) = whole(ann.request(Method::GET, "imports").send().await.unwrap()).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(list["mayFetch"], false);
    let id = list["items"][0]["id"].as_str().unwrap();
    let gone = ann.request(Method::DELETE, &format!("imports/{id}")).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let gone = ann.request(Method::GET, &format!("imports/{id}")).send().await.unwrap();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn an_archive_by_tus_is_unpacked_when_its_last_byte_is_there() {
    let ann = Box::with_quota(1_000_000).await;
    let archive = zip_of(&[("a/one", &[1; 50_000]), ("a/two", &[2; 60_000])]);
    let metadata =
        format!("path {},unpack {}", STANDARD.encode("In/album.zip"), STANDARD.encode("true"));
    let tus =
        |method: Method, path: &str| ann.request(method, path).header("Tus-Resumable", "1.0.0");
    let made = tus(Method::POST, "uploads")
        .header("Upload-Length", archive.len())
        .header("Upload-Metadata", metadata)
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    let address = made.headers()["location"].to_str().unwrap().replace("/api/v1/", "");
    let mut last = None;
    for (at, piece) in [(0, &archive[..70_000]), (70_000, &archive[70_000..])] {
        let patch = tus(Method::PATCH, &address)
            .header("Upload-Offset", at)
            .header("Content-Type", "application/offset+octet-stream");
        let answer = patch.body(piece.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), 204);
        last = answer.headers().get("tunelocker-import").cloned();
    }
    let id = last.expect("the import's id").to_str().unwrap().to_owned();
    let import = ended(&ann, &id).await;
    assert_eq!((&import["state"], &import["stored"]), (&"done".into(), &2.into()), "{import}");
    assert_eq!((&import["folder"], &import["name"]), (&"In".into(), &"album.zip".into()));
    assert_eq!(ann.stored("In/a/two").unwrap(), vec![2; 60_000]);
    assert_eq!((ann.lockers.usage().await.used, ann.lockers.usage().await.reserved), (110_000, 0));
    assert_eq!(ann.lockers.staged(), 0);
}

/// How an import ended.
pub(super) async fn ended(ann: &Box, id: &str) -> Value {
    loop {
        let request = ann.request(Method::GET, &format!("imports/{id}"));
        let (status, import) = whole(request.send().await.unwrap()).await;
        assert_eq!(status, 200, "{import}");
        if import["over"] == true {
            return import;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
