//! Uploading in Chromium: matched first, only what is needed is sent, archives, refusals, pause, a
//! thousand files, a remembered folder, an import from an address.

use std::path::Path;

use tunelocker::{
    drive::{Condition, RelativePath, Target},
    matching::{Item, Standing},
};

use super::script::Script;
use crate::{
    drive::{archives::zip_of, body},
    harness::{TestApp, music},
    outside::stub::{Reply, Stub},
};

const PASSWORD: &str = "correct horse battery";

fn bytes(seed: u32, length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| ((at ^ seed).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_uploads() {
    let stub = Stub::start(|asked| match asked.place() {
        "/far.flac" => Reply::ok("audio/flac", bytes(9, 5000)),
        _ => Reply::status(404),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let tracks = folder.path().join("tracks");
    let library = folder.path().join("library");
    for at in [&tracks, &library] {
        std::fs::create_dir(at).unwrap();
    }
    let song = music::flac("the same as two.flac").of("Second", "Two", "Two").seconds(20.0);
    let two = std::fs::read(song.write(&library)).unwrap();
    let one = bytes(1, 300_000);
    std::fs::write(tracks.join("one.flac"), &one).unwrap();
    std::fs::write(tracks.join("two.flac"), &two).unwrap();
    std::fs::write(tracks.join("new.flac"), bytes(3, 500_000)).unwrap();
    std::fs::write(tracks.join("large.flac"), bytes(4, 20_000_000)).unwrap();
    let pack = zip_of(&[("in/fine.flac", b"fine"), ("../slip.flac", b"slip")]);
    std::fs::write(tracks.join("pack.zip"), pack).unwrap();
    let allowed = stub.address.to_string().parse().unwrap();
    let app = TestApp::spawn_with(|config| {
        config.libraries = vec![("Music".to_owned(), library)];
        config.egress.allow = vec![allowed];
    })
    .await;
    let (accounts, drive) = (&app.services.accounts, &app.services.drive);
    accounts.ensure_first_admin("mira", PASSWORD).await.unwrap();
    let mira = accounts.principal_named("mira").await.unwrap();
    let locker = accounts.lockers(&mira).await.unwrap()[0].id;
    let path = RelativePath::parse("Had/one.flac").unwrap();
    let target = Target { locker, path, condition: Condition::None };
    drive.put(&mira, &target, None, body(&one)).await.unwrap();
    wait_until_known(&app, &two).await;
    Script::new("upload.mjs")
        .with("base", app.url(""))
        .with("password", PASSWORD)
        .with("tracks", &tracks)
        .with("site", stub.url(""))
        .pass_beside()
        .await;
    let locker = app.folder.path().join("data/lockers/mira");
    let same = |path: &str, bytes: &[u8]| std::fs::read(locker.join(path)).unwrap() == bytes;
    assert!(same("new.flac", &bytes(3, 500_000)) && same("large.flac", &bytes(4, 20_000_000)));
    assert!(same("two.flac", &two) && same("in/fine.flac", b"fine"));
    assert!(
        same("far.flac", &bytes(9, 5000))
            && same("m999.flac", &"track 999 ".repeat(40).into_bytes())
    );
    assert!(!Path::new(&locker).join("one.flac").exists(), "it is there already, elsewhere");
}

/// Files of watched folders are known when they were scanned.
async fn wait_until_known(app: &TestApp, bytes: &[u8]) {
    let mira = app.services.accounts.principal_named("mira").await.unwrap();
    let locker = app.services.accounts.lockers(&mira).await.unwrap()[0].id;
    let item = Item {
        hash: Some(*blake3::hash(bytes).as_bytes()),
        quick_key: Some(*blake3::hash(&bytes[..bytes.len().min(65_536)]).as_bytes()),
        size: bytes.len() as u64,
        path: Ok(RelativePath::parse("two.flac").unwrap()),
        only_new: false,
    };
    loop {
        let found = app.services.matching.look(&mira, locker, std::slice::from_ref(&item)).await;
        if matches!(found.unwrap()[0], Standing::Claimable(_) | Standing::Maybe) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
