//! Killed by SIGKILL at each of the system calls that publishing, keeping and counting are made
//! of, and at moments that nobody chose. Every start judges the death before it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    any_moment,
    hand::{Act, Hand},
    house::{House, Layout},
    seen::Seen,
    trace::Trace,
};
use crate::harness::{daemon::ADMIN, times};

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

    /// Says of every file that it does not count; contents of those, in lockers and on shelves.
    async fn mark_all(&mut self) -> BTreeMap<String, usize> {
        let api = self.hands[0].api.clone();
        for path in self.hands[0].world.files.keys() {
            let gift = json!({ "user": ADMIN.0, "path": path, "reason": "gift" });
            api.must(api.administer(Method::PUT, "exempt").json(&gift)).await;
        }
        self.marked().await
    }

    /// How many files of each known content do not count.
    async fn marked(&self) -> BTreeMap<String, usize> {
        let options = SqliteConnectOptions::new()
            .filename(self.folders.data.join("tunelocker.db"))
            .pragma("query_only", "on");
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let rows = sqlx::query(
            "select hex(content_hash), count(*) from (
                 select content_hash from drive_file where exempt = 'gift' and missing_at is null
                 union all
                 select content_hash from drive_kept_file join drive_kept using (kept_id)
                 where exempt = 'gift' and gone_at is null) where content_hash is not null group by 1",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        connection.close().await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get::<i64, _>(1) as usize)).collect()
    }

    /// Dies so often, at moments that no two runs share, in the middle of everybody's work.
    async fn die_at_any_moment(&mut self, deaths: u64) {
        let mut turn = 0;
        for death in 0..deaths {
            let pid = self.daemon.pid();
            // Moments that no two runs share.
            let moment = any_moment();
            let killer = async {
                tokio::time::sleep(moment).await;
                let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            };
            turn += self.work_until(turn, killer).await;
            self.restart(&format!("death {death} after {moment:?}")).await;
        }
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
        // Other points each time. Where one was not reached, the one beside it is tried.
        let first = usize::try_from(any_moment().as_micros()).unwrap();
        for group in points.chunks(step) {
            let beginning = first % group.len();
            let turned = group[beginning..].iter().chain(&group[..beginning]);
            for (act, call, n) in turned {
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
    let acts = [
        Act::Put,
        Act::PutChunked,
        Act::Tus,
        Act::TusWhole,
        Act::TusDeferred,
        Act::TusJoin,
        Act::Dav,
        Act::Form,
        Act::Claim,
    ];
    house.die_through(&acts, 36).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_others_bring_files() {
    let mut house = House::new(Layout::Safe, 1, MOST).await;
    let acts = [
        Act::Zip,
        Act::TusZip,
        Act::Import,
        Act::ImportZip,
        Act::ImportList,
        Act::Delivery,
        Act::DeliveryByUrl,
    ];
    house.die_through(&acts, 28).await;
}

/// Whether it died before the rename, between it and the row, or after: what was known of the file is
/// known of it where it is now.
#[tokio::test]
async fn a_move_that_was_cut_short_forgets_nothing() {
    let mut house = House::new(Layout::Safe, 1, MOST).await;
    for act in [Act::Move, Act::MoveFolder, Act::MoveOver, Act::Trash, Act::Restore] {
        let calls = house.calls_of(act).await;
        let mut died = 0;
        for call in
            ["renameat2", "renameat", "rename", "fsync", "fdatasync", "pwrite64", "unlinkat"]
        {
            for n in 1..=calls.get(call).copied().unwrap_or(0).min(6) {
                assert!(house.hands[0].provide(act).await);
                let step = house.hands[0].prepare(act).await.unwrap();
                let marked = house.mark_all().await;
                let trace = Trace::kill_at(house.daemon.pid(), call, n);
                house.hands[0].perform(act, step).await;
                died += usize::from(!trace.lives());
                drop(trace);
                let why = format!("killed at {call} {n} of {act:?}");
                house.restart(&why).await;
                assert_eq!(house.marked().await, marked, "{why}");
            }
        }
        assert!(0 < died, "{act:?}: {calls:?}");
    }
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
        Act::MoveOverTwin,
        Act::CopyOverTwin,
    ];
    house.die_through(&acts, 48).await;
}

#[tokio::test]
async fn killed_while_files_move_and_go() {
    let mut house = House::new(Layout::Safe, 1, MOST).await;
    let acts = [
        Act::Move,
        Act::MoveByDav,
        Act::MoveFolder,
        Act::Copy,
        Act::CopyByDav,
        Act::Trash,
        Act::TrashByDav,
        Act::Restore,
        Act::Purge,
        Act::EmptyTrash,
        Act::Remove,
        Act::TakeDown,
        Act::GrantEnd,
    ];
    house.die_through(&acts, 36).await;
}

#[tokio::test]
async fn killed_while_files_go_between_lockers() {
    let mut house = House::beside_another(Layout::Safe, MOST).await;
    let acts = [
        Act::PutInHouse,
        Act::MoveToHouse,
        Act::CopyToHouse,
        Act::MoveFromHouse,
        Act::TrashInHouse,
        Act::PutInShared,
        Act::MoveToShared,
        Act::CopyToShared,
        Act::MoveFromShared,
    ];
    house.die_through(&acts, 27).await;
}

#[tokio::test]
async fn killed_while_somebody_goes() {
    let mut house = House::new(Layout::Safe, 1, MOST).await;
    house.die_through(&[Act::RemoveUser, Act::RemoveUserAndFiles], 12).await;
}

#[tokio::test]
async fn killed_while_what_points_moves_and_goes() {
    let mut house = House::lending(Layout::Safe, 1).await;
    let acts = [
        Act::Refer,
        Act::Move,
        Act::MoveFolder,
        Act::Copy,
        Act::Trash,
        Act::Restore,
        Act::Purge,
        Act::Remove,
    ];
    house.die_through(&acts, 30).await;
    assert!(0 < house.pointed());
}

#[tokio::test]
async fn killed_while_what_points_is_replaced() {
    let mut house = House::lending(Layout::Safe, 1).await;
    let acts = [
        Act::Replace,
        Act::VersionBack,
        Act::MoveOver,
        Act::CopyOver,
        Act::MoveOverTwin,
        Act::CopyOverTwin,
    ];
    house.die_through(&acts, 24).await;
    assert!(0 < house.pointed());
}

#[tokio::test]
async fn killed_at_any_moment_over_what_points() {
    let mut house = House::lending(Layout::Safe, 3).await;
    house.die_at_any_moment(10 * times()).await;
    assert!(0 < house.pointed());
}

#[tokio::test]
async fn killed_at_any_moment() {
    let mut house = House::new(Layout::Safe, 4, MOST).await;
    house.die_at_any_moment(12 * times()).await;
    // What is told over HTTP is what lies there.
    let Hand { api, .. } = &house.hands[0];
    let seen = Seen::of(&house.folders).unwrap();
    for (path, (hash, _)) in &seen.files {
        let address = match path.strip_prefix("household:") {
            Some(path) => format!("files/{path}?locker=household"),
            None => format!("files/{path}"),
        };
        let back = api.must(api.request(Method::GET, &address)).await;
        assert_eq!(blake3::hash(back.bytes()).as_bytes(), hash, "{path}");
    }
}
