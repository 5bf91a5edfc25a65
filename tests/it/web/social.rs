//! What people do with each other and across devices, in Chromium: shares without an account,
//! history, another device's queue, speakers, chat, pictures, rights.

use std::time::Duration;

use tunelocker::{
    catalog::{AlbumFilter, AlbumOrder, Item, Listen, NewShare, Page},
    config::JukeboxOutput,
};

use super::{music, script::Script};
use crate::harness::{TestApp, music::jpeg};

const DAY: i64 = 24 * 3600 * 1000;

#[tokio::test(flavor = "multi_thread")]
async fn people_share_and_go_on_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("library");
    music::library(&root);
    let app = TestApp::spawn_with(|config| {
        config.libraries = vec![("Music".to_owned(), root)];
        config.jukebox.output = JukeboxOutput::Silence { speed: 1 };
    })
    .await;
    let of = &app.services;
    of.accounts.ensure_first_admin("mira", "correct horse battery").await.unwrap();
    let light = loop {
        let mira = of.accounts.principal_named("mira").await.unwrap();
        let page = Page { offset: 0, limit: 10 };
        let albums = of
            .catalog
            .albums(&mira, &AlbumFilter::default(), AlbumOrder::Name, page)
            .await
            .unwrap();
        let complete = |name: &str, tracks: u32| {
            albums.items.iter().find(|album| album.name == name && album.track_count == tracks)
        };
        if let (Some(light), Some(_)) = (complete("First Light", 3), complete("Second Sun", 2)) {
            break light.id;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let mira = of.accounts.principal_named("mira").await.unwrap();
    let tracks = of.catalog.album_tracks(&mira, light).await.unwrap();
    let now = of.clock.now();
    let listens: Vec<Listen> = (0..40_i64)
        .map(|at| {
            let track = &tracks[(at * at % 3) as usize];
            Listen::scrobble(track.id, Some(now - at * 2 * DAY - at * 1000), "Pocket")
        })
        .collect();
    of.catalog.record_listens(&mira, &listens).await.unwrap();
    let new = NewShare {
        items: vec![Item::Album(light)],
        description: "For a quiet evening".to_owned(),
        ..NewShare::default()
    };
    let share = of.shares.create(&mira, &new).await.unwrap();
    let locked = NewShare { password: Some("lemon tree".to_owned()), ..new };
    let locked = of.shares.create(&mira, &locked).await.unwrap();
    let secret = of.accounts.create_app_password(&mira, "Pocket").await.unwrap().secret;
    let face = folder.path().join("face.jpg");
    std::fs::write(&face, jpeg(300, [200, 80, 40])).unwrap();
    let base = app.url("");
    let (share, locked) = (of.shares.address(&share, &base), of.shares.address(&locked, &base));
    Script::new("social.mjs")
        .with("base", base)
        .with("share", share)
        .with("locked", locked)
        .with("secret", secret)
        .with("picture", face)
        .pass_beside()
        .await;
}
