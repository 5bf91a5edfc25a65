//! What the box hears by itself, and what it does not do meanwhile.

mod courtesy;
mod levelled;
mod not_now;
pub(crate) mod pieces;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use tunelocker::{
    accounts::{NewUser, Principal, Role},
    analysis::{Phase, Status},
    catalog::{Page, Track, TrackFilter, TrackOrder},
};

use self::pieces::{BANDS, encode};
use crate::harness::TestApp;

/// A server over a folder that hears.
async fn hearing(folder: &Path, data: &Path, is_on: bool) -> TestApp {
    TestApp::spawn_with(|config| {
        config.libraries.push(("Music".to_owned(), folder.to_owned()));
        data.clone_into(&mut config.data);
        data.clone_into(&mut config.drive);
        config.analysis.enabled = is_on;
    })
    .await
}

/// An administrator, who sees it.
async fn administrator(app: &TestApp) -> Principal {
    let operator = app.services.accounts.operator();
    let new = NewUser { role: Role::Admin, ..NewUser::new("ann", "correct horse battery") };
    app.services.accounts.create_user(&operator, &new).await.unwrap();
    app.services.accounts.principal_named("ann").await.unwrap()
}

/// Waits until it is so; far longer than it can take, for busy machines.
pub(crate) async fn until(
    app: &TestApp,
    ann: &Principal,
    what: &str,
    is_so: impl Fn(&Status) -> bool,
) {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let status = app.services.analysis.status(ann).await.unwrap();
        if is_so(&status) {
            return;
        }
        assert!(Instant::now() < deadline, "{what} does not come: {status:?}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Whether so many tracks are there and all of them were heard.
pub(crate) fn all_of(tracks: u64) -> impl Fn(&Status) -> bool {
    move |status| {
        status.phase == Phase::Done
            && status.counts.tracks == tracks
            && status.counts.done == tracks
    }
}

async fn tracks(app: &TestApp, ann: &Principal) -> Vec<Track> {
    let filter = TrackFilter::default();
    let list = app.services.catalog.tracks(ann, &filter, TrackOrder::Title, Page::ALL).await;
    list.unwrap().items
}

/// Processes of ours that stand back for others.
fn nice_workers() -> usize {
    let children = |task: fs::DirEntry| fs::read_to_string(task.path().join("children"));
    let ids: Vec<String> = fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| children(task.ok()?).ok())
        .flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let niceness = |id: &String| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(16)?.parse::<i32>().ok()
    };
    ids.iter().filter(|id| niceness(id) == Some(19)).count()
}

#[tokio::test]
async fn analysis_hears_each_file_once_and_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let scratch = tempfile::tempdir().unwrap();
    let wav = BANDS[0].piece(scratch.path(), "a", 1);
    let tags = [("title", "A"), ("artist", "Slow Bells"), ("album", "One")];
    encode(&wav, &root.join("a.flac"), &[], &tags);
    encode(&wav, &root.join("b.opus"), &["-c:a", "libopus"], &[("title", "B"), ("album", "One")]);
    // A good head, and nothing of what it promises.
    encode(&wav, &root.join("broken.flac"), &[], &[("title", "Broken")]);
    let mut broken = fs::read(root.join("broken.flac")).unwrap();
    broken[9_000..].fill(0x55);
    fs::write(root.join("broken.flac"), broken).unwrap();

    let data = tempfile::tempdir().unwrap();
    let app = hearing(root, data.path(), true).await;
    let ann = administrator(&app).await;
    until(&app, &ann, "the end", all_of(3)).await;
    assert_eq!(app.services.analysis.status(&ann).await.unwrap().counts.unheard, 1);
    let before = tracks(&app, &ann).await;
    let heard = |title: &str| before.iter().find(|track| track.title == title).unwrap().gain;
    assert!(heard("A").track_gain.is_some() && heard("B").track_gain.is_some());
    let difference = heard("A").track_gain.unwrap() - heard("B").track_gain.unwrap();
    assert!(difference.abs() < 0.5, "the copy is as loud: {difference}");

    // Louder by 6 dB: heard again, and the box says so.
    let louder = scratch.path().join("louder.wav");
    encode(&wav, &louder, &["-af", "volume=6dB"], &[]);
    encode(&louder, &root.join("a.flac"), &[], &tags);
    app.services.ingest.request_scan(tunelocker::ingest::ScanKind::Changes);
    let gain = async || {
        let now = tracks(&app, &ann).await;
        now.iter().find(|track| track.title == "A").unwrap().gain.track_gain.unwrap()
    };
    let deadline = Instant::now() + Duration::from_secs(300);
    let quiet = heard("A").track_gain.unwrap();
    while (gain().await - quiet + 6.0).abs() > 0.1 {
        assert!(Instant::now() < deadline, "{} after {quiet}", gain().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // And its worker is gone when there is nothing left to hear.
    until(&app, &ann, "rest", |status| all_of(3)(status) && nice_workers() == 0).await;
}

#[tokio::test]
async fn analysis_can_be_paused_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..3 {
        BANDS[1].piece(folder.path(), &format!("{number}"), number);
    }
    let data = tempfile::tempdir().unwrap();
    let app = hearing(folder.path(), data.path(), false).await;
    let ann = administrator(&app).await;
    until(&app, &ann, "nothing", |status| {
        status.phase == Phase::Disabled && status.counts.tracks == 3
    })
    .await;
    assert_eq!(app.services.analysis.status(&ann).await.unwrap().counts.done, 0);
    app.services.analysis.switch(&ann, false).await.unwrap();
    let bob = NewUser::new("bob", "correct horse battery");
    app.services.accounts.create_user(&app.services.accounts.operator(), &bob).await.unwrap();
    let bob = app.services.accounts.principal_named("bob").await.unwrap();
    assert!(app.services.analysis.switch(&bob, true).await.is_err());
    assert!(app.services.analysis.status(&bob).await.is_err());

    // Another start, with what the administrator said before still standing.
    drop(app);
    let again = hearing(folder.path(), data.path(), true).await;
    until(&again, &ann, "a pause", |status| status.phase == Phase::Paused).await;
    again.services.analysis.switch(&ann, true).await.unwrap();
    until(&again, &ann, "the end", all_of(3)).await;
}
