//! A daemon that dies again and again, on a disk that may lose its power with it, and those who
//! work with it. Every start judges the death before it.

use reqwest::Method;
use serde_json::json;

use super::{
    api::Api,
    hand::{Act, Hand},
    seen::Seen,
    shop::Shop,
    volume::Volume,
    world::{LENT_ROUND, PROMISED, ROUND},
};
use crate::harness::{
    daemon::{ADMIN, Daemon, Folders, folders},
    music,
};

/// Room for everything.
const QUOTA: u64 = 10_000_000_000;

/// Where its things lie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// On disks that keep their power.
    Safe,
    /// Database and lockers on one disk that loses it.
    OneDisk,
    /// The lockers on one that loses it, the database on another that does not.
    MusicDisk,
}

pub(super) struct House {
    pub(super) home: tempfile::TempDir,
    pub(super) folders: Folders,
    secret: String,
    pub(super) daemon: Daemon,
    pub(super) hands: Vec<Hand>,
    pub(super) volume: Option<Volume>,
    /// What everybody does, one after the other.
    pub(super) round: Vec<Act>,
    /// A watched folder, on a file system that no blocks can be shared with, and that keeps its power.
    songs: Option<tempfile::TempDir>,
}

/// Songs of the folder for each who works.
const SONGS: u64 = 60;

/// A watched folder with so many songs, and the songs.
fn songs(count: u64) -> (tempfile::TempDir, Vec<Vec<u8>>) {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let write = |number: u64| {
        // Each of another length, so of other bytes.
        let seconds = 0.05 + 0.001 * f64::from(u32::try_from(number).unwrap());
        std::fs::read(music::wav(folder.path(), &format!("{number}.wav"), seconds)).unwrap()
    };
    let all = (0..count).map(write).collect();
    (folder, all)
}

impl House {
    /// With so many who send files of up to `most` bytes.
    pub(super) async fn new(layout: Layout, hands: u64, most: usize) -> Self {
        Self::over(layout, hands, most, None).await
    }

    /// With a neighbour, who shares a folder that one may write to.
    pub(super) async fn beside_another(layout: Layout, most: usize) -> Self {
        let mut house = Self::over(layout, 1, most, None).await;
        let api = house.hands[0].api.clone();
        let who = ("bob", "bob's very own");
        let new = json!({ "name": who.0, "password": who.1 });
        api.must(api.administer(Method::POST, "users").json(&new)).await;
        api.must(api.as_user(who, Method::PUT, "files/Shared/")).await;
        let share = json!({ "path": "Shared", "user": ADMIN.0, "write": true });
        api.must(api.as_user(who, Method::PUT, "folder-shares").json(&share)).await;
        let places = api.must(api.request(Method::GET, "places")).await.json();
        let shared = places["items"].as_array().unwrap().iter().find(|one| one["kind"] == "shared");
        shared.unwrap()["id"].as_str().unwrap().clone_into(&mut house.hands[0].shared);
        house
    }

    /// With so many whose files point into a watched folder.
    pub(super) async fn lending(layout: Layout, hands: u64) -> Self {
        let (folder, mut songs) = songs(hands * SONGS);
        let mut house = Self::over(layout, hands, 50_000, Some(folder)).await;
        for hand in &mut house.hands {
            hand.songs = songs.split_off(songs.len() - usize::try_from(SONGS).unwrap());
        }
        house.round = LENT_ROUND.to_vec();
        house
    }

    async fn over(
        layout: Layout,
        hands: u64,
        most: usize,
        songs: Option<tempfile::TempDir>,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut folders = folders(home.path());
        let volume = (layout != Layout::Safe).then(|| Volume::new(200_000_000));
        if let Some(volume) = &volume {
            folders.drive = volume.path().join("drive");
            if layout == Layout::OneDisk {
                folders.data = volume.path().join("data");
                std::fs::create_dir(&folders.data).unwrap();
            }
        }
        let shop = Shop::open().await;
        let mut said = shop.allowed();
        if let Some(songs) = &songs {
            let path = songs.path().display();
            said.push_str(&format!("[libraries]\nMusic = '{path}'\n"));
        }
        std::fs::write(folders.data.join("tunelocker.toml"), said).unwrap();
        // Nobody who cuts the power means this.
        for kept in [folders.data.join("tunelocker.toml"), folders.data.clone()] {
            std::fs::File::open(kept).unwrap().sync_all().unwrap();
        }
        let daemon = Daemon::start(&folders);
        let secret = folders.app_password();
        let api = Api::new(&daemon, &secret).over(volume.as_ref());
        api.set_quota(QUOTA).await;
        let shop = shop.trusted_by(&api).await;
        let hand = |number| {
            let mut hand = Hand::new(number, api.clone(), most);
            hand.shop = Some(shop.clone());
            hand.drive.clone_from(&folders.drive);
            hand
        };
        let hands = (0..hands).map(hand).collect();
        if songs.is_some() {
            while !api.folder().await.unwrap()["scannedAt"].is_i64() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
        let mut round = ROUND.to_vec();
        // Each behind a few of the others.
        for (number, act) in PROMISED.iter().enumerate() {
            round.insert(number * 6 + 3, *act);
        }
        Self { home, folders, secret, daemon, hands, volume, round, songs }
    }

    /// Kills it if it still lives, starts it again and tells what is wrong.
    pub(super) async fn revive(&mut self, lost_power: bool) -> Vec<String> {
        self.daemon.kill();
        if let Some(volume) = self.volume.as_ref().filter(|_| lost_power) {
            volume.remount();
        }
        self.daemon = Daemon::start(&self.folders);
        let api = Api::new(&self.daemon, &self.secret).over(self.volume.as_ref());
        // What was begun goes on by itself.
        api.until_quiet().await;
        if self.songs.is_some() {
            assert!(api.until_real().await);
        }
        let seen = Seen::of(&self.folders).unwrap();
        let quota = api.usage().await["quota"].as_u64().unwrap() - QUOTA;
        let mut wrong = Vec::new();
        for (number, hand) in self.hands.iter_mut().enumerate() {
            hand.api = api.clone();
            hand.hear_of_import().await;
            wrong.extend(hand.settle(&seen, (number == 0).then_some(quota)).err());
        }
        wrong.extend(seen.against_the_books(&self.folders, &api).await);
        if wrong.is_empty() {
            for hand in &mut self.hands {
                wrong.extend(hand.resume().await.err());
            }
        }
        wrong
    }

    /// How often somebody's file came to point at something.
    pub(super) fn pointed(&self) -> usize {
        self.hands.iter().map(|hand| hand.pointed).sum()
    }

    /// Everybody works, beginning at `turn` of the round, until `end` is over and nobody answers.
    /// How much was done.
    pub(super) async fn work_until(&mut self, turn: usize, end: impl Future<Output = ()>) -> usize {
        let round = &self.round;
        let hands = self.hands.iter_mut().enumerate().map(|(number, hand)| async move {
            for at in 0.. {
                if !hand.act(round[(turn + at + number * 5) % round.len()]).await {
                    return at;
                }
            }
            0
        });
        let (done, ()) = tokio::join!(futures_util::future::join_all(hands), end);
        done.into_iter().sum()
    }
}
