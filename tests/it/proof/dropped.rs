//! Killed while an order that was dropped into a folder is taken in: at each of some of the system calls
//! that this is made of. The next start takes it in once, and no byte of it is there twice.

use std::{fs, time::Duration};

use super::{
    bytes,
    house::{House, Layout},
    trace::Trace,
};
use crate::harness::times;

const SIZE: usize = 300_000;
/// Calls that taking an order in comes to, and which of them.
const POINTS: &[(&str, usize)] = &[
    ("renameat2", 1),
    ("fsync", 1),
    ("fsync", 2),
    ("pwrite64", 8),
    ("fdatasync", 3),
    ("unlinkat", 1),
    ("openat2", 4),
    ("fallocate", 1),
];

impl House {
    /// Drops an order, dies at the `n`th `call` after that, and takes it in for good. Whether it died.
    async fn die_over_a_drop(&mut self, number: usize, call: &str, n: usize) -> bool {
        let why = format!("killed at {call} {n} over order {number}");
        let (name, held) = (format!("{number}.bin"), bytes(number as u64 + 1_000, SIZE));
        let aside = self.home.path().join("aside");
        fs::create_dir(&aside).unwrap();
        fs::write(aside.join(&name), &held).unwrap();
        let folder = self.folders.drive.join("drop/root");
        fs::create_dir_all(&folder).unwrap();
        let order = folder.join("hand0");
        let mut after = self.hands[0].world.clone();
        after.files.insert(format!("Music/hand0/{name}"), *blake3::hash(&held).as_bytes());
        self.hands[0].may_become(after.clone());
        let trace = Trace::kill_at(self.daemon.pid(), call, n);
        fs::rename(&aside, &order).unwrap();
        while trace.lives() && order.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let died = !trace.lives();
        drop(trace);
        let wrong = self.revive(false).await;
        assert!(wrong.is_empty(), "{why}:\n{}", wrong.join("\n"));
        // It comes in by itself, and once.
        while order.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.hands[0].world = after;
        let wrong = self.revive(false).await;
        assert!(wrong.is_empty(), "{why}, and after it:\n{}", wrong.join("\n"));
        died
    }
}

#[tokio::test]
async fn killed_while_an_order_is_dropped() {
    let mut house = House::new(Layout::Safe, 1, SIZE).await;
    let mut died = 0;
    for number in 0..POINTS.len() * usize::try_from(times()).unwrap() {
        let (call, n) = POINTS[number % POINTS.len()];
        // Later rounds die later.
        let n = n + number / POINTS.len();
        died += usize::from(house.die_over_a_drop(number, call, n).await);
    }
    assert!(POINTS.len() / 2 <= died, "{died} deaths");
}
