//! A daemon that dies again and again, on a disk that may lose its power with it, and those who
//! work with it. Every start judges the death before it.

use super::{api::Api, hand::Hand, seen::Seen, shop::Shop, volume::Volume};
use crate::harness::daemon::{Daemon, Folders, folders};

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
}

impl House {
    /// With so many who send files of up to `most` bytes.
    pub(super) async fn new(layout: Layout, hands: u64, most: usize) -> Self {
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
        std::fs::write(folders.data.join("tunelocker.toml"), shop.allowed()).unwrap();
        let daemon = Daemon::start(&folders);
        let secret = folders.app_password();
        let api = Api::new(&daemon, &secret).over(volume.as_ref());
        api.set_quota(QUOTA).await;
        let shop = shop.trusted_by(&api).await;
        let hand = |number| {
            let mut hand = Hand::new(number, api.clone(), most);
            hand.shop = Some(shop.clone());
            hand
        };
        let hands = (0..hands).map(hand).collect();
        Self { home, folders, secret, daemon, hands, volume }
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
        api.until_imported().await;
        let seen = Seen::of(&self.folders).unwrap();
        let quota = api.usage().await["quota"].as_u64().unwrap() - QUOTA;
        let mut wrong = Vec::new();
        for (number, hand) in self.hands.iter_mut().enumerate() {
            hand.api = api.clone();
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

    /// Everybody works, beginning at `turn` of the round, until `end` is over and nobody answers.
    /// How much was done.
    pub(super) async fn work_until(
        &mut self,
        round: &[super::hand::Act],
        turn: usize,
        end: impl Future<Output = ()>,
    ) -> usize {
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
