//! Downloads that break off: they go on where they were, in this life of the daemon or the next.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tunelocker::{
    accounts::{NewUser, Principal},
    clock::Clock,
    config::Feature,
    outside::{Episode, EpisodeStatus},
};

use super::{
    podcasts::{show, sound},
    stub::{Asked, Reply, Stub},
};
use crate::harness::TestApp;

const TAG: &str = "\"first\"";

/// The part of the sound that a request asks for, if it knows what file it is about.
pub(crate) fn part(asked: &Asked, bytes: &[u8], tag: &str) -> Reply {
    let range = asked.headers.get("range").and_then(|range| range.strip_prefix("bytes="));
    let start = range.and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
    match start.filter(|_| asked.headers.get("if-range").map(String::as_str) == Some(tag)) {
        None => Reply::ok("audio/flac", bytes).with("etag", tag),
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
            let rest = Reply::ok("audio/flac", &bytes[start..]).with("content-range", &range);
            Reply { status: 206, ..rest.with("etag", tag) }
        }
    }
}

/// A daemon over this folder whose one way out is the stub, and its user bob.
async fn daemon(folder: &Path, clock: &Clock, stub: &Stub) -> (TestApp, Principal) {
    let app = TestApp::spawn_at(clock.clone(), |config| {
        folder.clone_into(&mut config.data);
        folder.clone_into(&mut config.drive);
        config.egress.allow = vec![stub.address.to_string().parse().unwrap()];
    })
    .await;
    let accounts = &app.services.accounts;
    if accounts.principal_named("bob").await.is_err() {
        let new = NewUser::new("bob", "correct horse battery");
        accounts.create_user(&accounts.operator(), &new).await.unwrap();
    }
    let operator = accounts.operator();
    app.services.outside.set_on(&operator, Feature::Podcasts, true).await.unwrap();
    let bob = accounts.principal_named("bob").await.unwrap();
    (app, bob)
}

/// The newest episode, once it is so.
async fn episode_when(app: &TestApp, bob: &Principal, is_so: impl Fn(&Episode) -> bool) -> Episode {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let found = app.services.outside.podcasts.newest(bob, 1).await.unwrap().pop();
        if let Some(episode) = found.clone().filter(&is_so) {
            return episode;
        }
        assert!(Instant::now() < deadline, "never: {found:?}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Time passes, and who waits for it is woken.
async fn pass(app: &TestApp, clock: &Clock) {
    clock.advance(Duration::from_mins(10));
    let operator = app.services.accounts.operator();
    app.services.outside.set_on(&operator, Feature::Podcasts, true).await.unwrap();
}

/// The bytes of a downloaded episode.
async fn stored(app: &TestApp, bob: &Principal, episode: &Episode) -> Vec<u8> {
    let source = app.services.outside.podcasts.source(bob, episode.id).await.unwrap();
    std::fs::read(source.path).unwrap()
}

/// Whether a download broke off and waits for its next try.
fn broke_off(episode: &Episode) -> bool {
    episode.status == EpisodeStatus::Downloading && episode.error.contains("broke off")
}

#[tokio::test]
async fn podcasts_go_on_where_they_broke_off_also_after_a_restart() {
    let bytes = sound(40);
    let half = bytes.len() / 2;
    let times = Arc::new(AtomicUsize::new(0));
    let (counter, whole) = (Arc::clone(&times), bytes.clone());
    let stub = Stub::start(move |asked| match asked.place() {
        "/audio/1.flac" => {
            let reply = part(asked, &whole, TAG);
            // The first two connections break: in the middle, and a little later.
            match counter.fetch_add(1, Ordering::SeqCst) {
                0 => Reply { breaks_after: Some(half), ..reply },
                1 => Reply { breaks_after: Some(100), ..reply },
                _ => reply,
            }
        }
        _ => show(asked, 1),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Clock::System.now());
    let (app, bob) = daemon(folder.path(), &clock, &stub).await;
    app.services.outside.podcasts.subscribe(&bob, &stub.url("/feed.xml")).await.unwrap();
    episode_when(&app, &bob, broke_off).await;
    pass(&app, &clock).await;
    let twice = |episode: &Episode| broke_off(episode) && times.load(Ordering::SeqCst) == 2;
    episode_when(&app, &bob, twice).await;
    drop(app);

    let (app, bob) = daemon(folder.path(), &clock, &stub).await;
    pass(&app, &clock).await;
    let there = |episode: &Episode| episode.status == EpisodeStatus::Completed;
    let episode = episode_when(&app, &bob, there).await;
    assert!(stored(&app, &bob, &episode).await == bytes, "every byte once and in its place");
    let asked = stub.asked("/audio/1.flac");
    let ranges: Vec<_> = asked.iter().map(|asked| asked.headers.get("range").cloned()).collect();
    let at = |offset: usize| Some(format!("bytes={offset}-"));
    assert_eq!(ranges, [None, at(half), at(half + 100)]);
    assert!(asked[1..].iter().all(|asked| asked.headers["if-range"] == TAG));
    let used = app.services.accounts.lockers(&bob).await.unwrap()[0].usage;
    assert_eq!((used.used, used.reserved), (bytes.len() as u64, 0), "nothing is promised any more");
}

#[tokio::test]
async fn podcasts_that_changed_meanwhile_begin_anew() {
    let (old, new) = (sound(40), sound(30));
    let half = old.len() / 2;
    let stub = Stub::start(move |asked| match asked.place() {
        "/audio/1.flac" => Reply { breaks_after: Some(half), ..part(asked, &old, TAG) },
        _ => show(asked, 1),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Clock::System.now());
    let (app, bob) = daemon(folder.path(), &clock, &stub).await;
    app.services.outside.podcasts.subscribe(&bob, &stub.url("/feed.xml")).await.unwrap();
    episode_when(&app, &bob, broke_off).await;
    let other = new.clone();
    stub.answer(move |asked| match asked.place() {
        "/audio/1.flac" => part(asked, &other, "\"second\""),
        _ => show(asked, 1),
    });
    pass(&app, &clock).await;
    let there = |episode: &Episode| episode.status == EpisodeStatus::Completed;
    let episode = episode_when(&app, &bob, there).await;
    assert!(stored(&app, &bob, &episode).await == new);
    assert_eq!(stub.asked("/audio/1.flac").len(), 2, "the whole file came at once");
    // Nobody waits for what was given up.
    app.services.outside.podcasts.delete_episode(&bob, episode.id).await.unwrap();
    let used = app.services.accounts.lockers(&bob).await.unwrap()[0].usage;
    assert_eq!((used.used, used.reserved), (0, 0));
}
