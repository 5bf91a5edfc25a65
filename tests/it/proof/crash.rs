//! Killed by SIGKILL at each of the system calls that publishing, keeping and counting are made
//! of, and at moments that nobody chose. Every start judges the death before it.

use std::collections::BTreeMap;

use reqwest::Method;

use super::{
    any_moment,
    hand::{Act, Hand},
    house::{House, Layout},
    seen::Seen,
    trace::Trace,
    world::ROUND,
};
use crate::harness::times;

/// Bytes of the largest file: more than is written at a time.
const MOST: usize = 700_000;

impl House {
    async fn restart(&mut self, why: &str) {
        let wrong = self.revive(false).await;
        assert!(wrong.is_empty(), "{why}:\n{}", wrong.join("\n"));
    }

    /// How often the busiest thread makes each call while an act is carried out.
    async fn calls_of(&mut self, act: Act) -> BTreeMap<&'static str, usize> {
        assert!(self.hands[0].provide(act).await);
        let step = self.hands[0].prepare(act).await.unwrap();
        let trace = Trace::count(self.daemon.pid(), self.home.path().join("calls"));
        assert!(self.hands[0].perform(act, step).await, "{act:?}");
        trace.counted()
    }

    /// Dies at the `n`th `call` of an act. Whether it did.
    async fn die_at(&mut self, act: Act, call: &str, n: usize) -> bool {
        let why = format!("killed at {call} {n} of {act:?}");
        assert!(self.hands[0].provide(act).await, "{why}");
        let step = self.hands[0].prepare(act).await.unwrap();
        let trace = Trace::kill_at(self.daemon.pid(), call, n);
        self.hands[0].perform(act, step).await;
        // What is done after the answer counts, too.
        let died = !trace.lives();
        drop(trace);
        self.restart(&why).await;
        died
    }

    /// Takes each act through its calls; every so many of all these points, so that `wanted` of
    /// them are tried at least, all where the tests are told to take their time.
    async fn die_through(&mut self, acts: &[Act], wanted: usize) {
        let mut points = Vec::new();
        for act in acts {
            let calls = self.calls_of(*act).await;
            for (call, most) in calls {
                points.extend((1..=most).map(|n| (*act, call, n)));
            }
        }
        let step = if times() == 1 { (points.len() / wanted).max(1) } else { 1 };
        let mut died = 0;
        // Where a point was not reached, the one beside it is tried.
        for group in points.chunks(step) {
            for (act, call, n) in group {
                if self.die_at(*act, call, *n).await {
                    died += 1;
                    break;
                }
            }
            if times() == 1 && died == wanted {
                break;
            }
        }
        assert!(wanted <= died, "{died} deaths of {} points", points.len());
        println!("{died} deaths at {} points of {acts:?}", points.len());
    }
}

#[tokio::test]
async fn killed_while_files_arrive() {
    let mut house = House::new(Layout::Safe, 1, MOST).await;
    let acts =
        [Act::Put, Act::PutChunked, Act::Tus, Act::TusWhole, Act::Dav, Act::Form, Act::Claim];
    house.die_through(&acts, 36).await;
}

#[tokio::test]
async fn killed_while_files_are_replaced() {
    let mut house = House::new(Layout::Safe, 1, MOST).await;
    let acts = [
        Act::Replace,
        Act::ReplaceByTus,
        Act::ReplaceByDav,
        Act::VersionBack,
        Act::MoveOver,
        Act::CopyOver,
    ];
    house.die_through(&acts, 36).await;
}

#[tokio::test]
async fn killed_while_files_move_and_go() {
    let mut house = House::new(Layout::Safe, 1, MOST).await;
    let acts = [
        Act::Move,
        Act::MoveByDav,
        Act::MoveFolder,
        Act::Copy,
        Act::Trash,
        Act::Restore,
        Act::Purge,
        Act::Remove,
        Act::GrantEnd,
    ];
    house.die_through(&acts, 36).await;
}

#[tokio::test]
async fn killed_at_any_moment() {
    let mut house = House::new(Layout::Safe, 4, MOST).await;
    let mut turn = 0;
    for death in 0..12 * times() {
        let pid = house.daemon.pid();
        // Moments that no two runs share.
        let moment = any_moment();
        let killer = async {
            tokio::time::sleep(moment).await;
            let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        };
        turn += house.work_until(ROUND, turn, killer).await;
        house.restart(&format!("death {death} after {moment:?}")).await;
    }
    // What is told over HTTP is what lies there.
    let Hand { api, .. } = &house.hands[0];
    let seen = Seen::of(&house.folders).unwrap();
    for (path, (hash, _)) in &seen.files {
        let back = api.must(api.request(Method::GET, &format!("files/{path}"))).await;
        assert_eq!(blake3::hash(back.bytes()).as_bytes(), hash, "{path}");
    }
}
