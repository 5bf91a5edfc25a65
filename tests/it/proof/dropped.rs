//! Killed while an order that was dropped into a folder is taken in: at each of some of the system calls
//! that this is made of. The next start takes it in once, and no byte of it is there twice.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    any_moment, bytes,
    house::{House, Layout},
    trace::Trace,
    world::World,
};
use crate::harness::times;

const SIZE: usize = 300_000;
/// Calls that storing and counting are made of; looking at the folders is made of others.
const CALLS: &[&str] =
    &["renameat2", "fsync", "fdatasync", "pwrite64", "unlinkat", "linkat", "fallocate", "mkdirat"];
/// Deaths that are wanted.
const WANTED: usize = 8;

impl House {
    /// Makes an order beside the folders: where it is, where it is dropped, and what is there then.
    fn order(&mut self, number: usize) -> (PathBuf, PathBuf, World) {
        let (name, held) = (format!("{number}.bin"), bytes(number as u64 + 1_000, SIZE));
        let aside = self.home.path().join("aside");
        fs::create_dir(&aside).unwrap();
        fs::write(aside.join(&name), &held).unwrap();
        let folder = self.folders.drive.join("drop/root");
        fs::create_dir_all(&folder).unwrap();
        let order = folder.join("hand0");
        let mut after = self.hands[0].world.clone();
        after.files.insert(format!("Music/hand0/{name}"), *blake3::hash(&held).as_bytes());
        (aside, order, after)
    }

    /// How often the busiest thread makes each call while an order is taken in.
    async fn calls_of_a_drop(&mut self) -> Vec<(&'static str, usize)> {
        let (aside, order, after) = self.order(0);
        let trace = Trace::count(self.daemon.pid(), self.home.path().join("calls"));
        fs::rename(&aside, &order).unwrap();
        until_gone(&order, || true).await;
        self.hands[0].world = after;
        let calls = trace.counted().into_iter().filter(|(call, _)| CALLS.contains(call));
        calls.flat_map(|(call, most)| (1..=most).map(move |n| (call, n))).collect()
    }

    /// Drops an order, dies at the `n`th `call` after that, and takes it in for good. Whether it died.
    async fn die_over_a_drop(&mut self, number: usize, (call, n): (&str, usize)) -> bool {
        let why = format!("killed at {call} {n} over order {number}");
        let (aside, order, after) = self.order(number);
        self.hands[0].may_become(after.clone());
        let trace = Trace::kill_at(self.daemon.pid(), call, n);
        fs::rename(&aside, &order).unwrap();
        until_gone(&order, || trace.lives()).await;
        let died = !trace.lives();
        drop(trace);
        let wrong = self.revive(false).await;
        assert!(wrong.is_empty(), "{why}:\n{}", wrong.join("\n"));
        // It comes in by itself, and once.
        until_gone(&order, || true).await;
        self.hands[0].world = after;
        let wrong = self.revive(false).await;
        assert!(wrong.is_empty(), "{why}, and after it:\n{}", wrong.join("\n"));
        died
    }
}

/// Waits until an order was taken in, as long as anybody lives to do it.
async fn until_gone(order: &Path, lives: impl Fn() -> bool) {
    while order.exists() && lives() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn killed_while_an_order_is_dropped() {
    let mut house = House::new(Layout::Safe, 1, SIZE).await;
    let points = house.calls_of_a_drop().await;
    // Other points each time, all of them where the tests are told to take their time.
    let step = if times() == 1 { (points.len() / WANTED).max(1) } else { 1 };
    let first = usize::try_from(any_moment().as_micros()).unwrap() % step;
    let chosen = points.iter().skip(first).step_by(step);
    let mut died = 0;
    for (number, point) in chosen.enumerate() {
        died += usize::from(house.die_over_a_drop(number + 1, *point).await);
    }
    println!("{died} deaths at {} points of a dropped order", points.len());
    assert!(WANTED / 2 <= died, "{died} deaths of {points:?}");
}
