//! The power goes: an ext4 is shut down without its journal, and what the daemon had not forced
//! onto it is gone. The same judgement catches daemons that force too little.

use std::path::PathBuf;

use super::{
    any_moment,
    hand::Act,
    house::{House, Layout},
    trace::Trace,
};
use crate::harness::times;

/// Bytes of the largest file.
const MOST: usize = 150_000;

impl House {
    fn cut(&self) {
        self.volume.as_ref().unwrap().cut();
    }

    /// Half of the cuts come right upon an answer, when least has had the time to reach the disk
    /// by itself; the others when they will, in the middle of everybody's work.
    async fn lose_power(&mut self, cuts: u64) {
        let mut turn = 0;
        for cut in 0..cuts {
            let why = if cut % 2 == 0 {
                let act = self.round[usize::try_from(cut).unwrap() * 5 % self.round.len()];
                assert!(self.hands[0].act(act).await, "{act:?}");
                self.cut();
                format!("cut {cut} right after {act:?}")
            } else {
                let moment = any_moment() / 2;
                let volume = self.volume.take().unwrap();
                let cutting = async {
                    tokio::time::sleep(moment).await;
                    volume.cut();
                };
                // Nobody is answered any more: the disk says no to everything.
                turn += self.work_until(turn, cutting).await;
                self.volume = Some(volume);
                format!("cut {cut} after {moment:?}")
            };
            let wrong = self.revive(true).await;
            assert!(wrong.is_empty(), "{why}:\n{}", wrong.join("\n"));
        }
    }
}

#[tokio::test]
async fn the_only_disk_loses_its_power() {
    let mut house = House::new(Layout::OneDisk, 3, MOST).await;
    house.lose_power(16 * times()).await;
}

#[tokio::test]
async fn the_disk_of_the_lockers_loses_its_power() {
    let mut house = House::new(Layout::MusicDisk, 3, MOST).await;
    house.lose_power(16 * times()).await;
}

#[tokio::test]
async fn the_only_disk_loses_its_power_under_what_points() {
    let mut house = House::lending(Layout::OneDisk, 2).await;
    house.lose_power(10 * times()).await;
    assert!(0 < house.pointed());
}

#[tokio::test]
async fn the_disk_of_the_lockers_loses_its_power_under_what_points() {
    let mut house = House::lending(Layout::MusicDisk, 2).await;
    house.lose_power(10 * times()).await;
    assert!(0 < house.pointed());
}

/// A daemon whose folders are not forced onto the disk: the bytes are there and have no name.
#[tokio::test]
async fn no_fsync_of_folders_is_caught() {
    let mut house = House::new(Layout::MusicDisk, 1, MOST).await;
    let folder = house.folders.drive.join("lockers/root");
    let own = folder.join("hand0");
    let mut folders: Vec<PathBuf> = (0..9).map(|at| own.join(format!("at {at:04}"))).collect();
    folders.extend([folder, own]);
    assert!(house.hands[0].act(Act::Put).await);
    let trace = Trace::pretend(house.daemon.pid(), "fsync", &folders);
    assert!(house.hands[0].act(Act::Dav).await);
    house.cut();
    drop(trace);
    let wrong = house.revive(true).await.join("\n");
    assert!(wrong.contains("lost: file hand0/"), "not caught: {wrong}");
}

/// A daemon that writes its rows and answers before the bytes are on the disk.
#[tokio::test]
async fn rows_before_bytes_are_caught() {
    let mut house = House::new(Layout::MusicDisk, 1, MOST).await;
    let step = house.hands[0].prepare(Act::Tus).await.unwrap();
    let staged = house.folders.drive.join("staging").join(house.hands[0].staged().unwrap());
    let trace = Trace::pretend(house.daemon.pid(), "fsync,fdatasync", &[staged]);
    assert!(house.hands[0].perform(Act::Tus, step).await);
    house.cut();
    drop(trace);
    let wrong = house.revive(true).await.join("\n");
    assert!(wrong.contains("lost: file hand0/"), "not caught: {wrong}");
}
