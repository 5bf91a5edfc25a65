//! The queue over an output that is as bad as the trait allows: late, deaf, broken, gone.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tunelocker::{
    Error, Result,
    accounts::Principal,
    clock::Clock,
    ids::TrackId,
    playback::{Command, Item, Jukebox, Output, Phase, Snapshot, Status},
};

use crate::subsonic::House;

/// How it takes what it is told.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Takes,
    Refuses,
    /// Never answers.
    Hangs,
}

/// An output by the test's hand. It never plays what should follow.
#[derive(Debug)]
struct Poor {
    manner: Mutex<Manner>,
    told: Mutex<Vec<(u64, TrackId)>>,
    says: watch::Sender<Status>,
}

impl Poor {
    fn answer(&self) -> BoxFuture<'_, Result<()>> {
        match *self.manner.lock().unwrap() {
            Manner::Takes => async { Ok(()) }.boxed(),
            Manner::Refuses => {
                async { Err(Error::Unavailable("It does not want to".into())) }.boxed()
            }
            Manner::Hangs => std::future::pending().boxed(),
        }
    }
}

impl Output for Poor {
    fn name(&self) -> &'static str {
        "Poor"
    }

    fn play(&self, item: Item) -> BoxFuture<'_, Result<()>> {
        self.told.lock().unwrap().push((item.number, item.track));
        self.answer()
    }

    fn follow_with(&self, _: Option<Item>) -> BoxFuture<'_, Result<()>> {
        self.answer()
    }

    fn set_paused(&self, _: bool) -> BoxFuture<'_, Result<()>> {
        self.answer()
    }

    fn stop(&self) -> BoxFuture<'_, Result<()>> {
        self.answer()
    }

    fn set_gain(&self, _: f32) -> BoxFuture<'_, Result<()>> {
        self.answer()
    }

    fn status(&self) -> watch::Receiver<Status> {
        self.says.subscribe()
    }
}

/// A queue of three over such an output.
struct Speakers {
    house: House,
    output: Arc<Poor>,
    jukebox: Jukebox,
    ann: Principal,
    tracks: Vec<TrackId>,
    stop: CancellationToken,
}

impl Speakers {
    async fn new() -> Self {
        let house = House::open().await;
        let ann = house.principal("ann").await;
        let services = &house.app.services;
        let output = Arc::new(Poor {
            manner: Mutex::new(Manner::Takes),
            told: Mutex::default(),
            says: watch::Sender::default(),
        });
        let jukebox = Jukebox::new(
            services.playback.clone(),
            Clock::System,
            services.events.clone(),
            Some(output.clone()),
        );
        let stop = CancellationToken::new();
        tokio::spawn(jukebox.clone().run(stop.clone()));
        let mut tracks = Vec::new();
        for title in ["All I Want", "My Old Man", "Little Green"] {
            let id = house.ann.id("song", title).await;
            tracks.push(TrackId::parse(&id).unwrap());
        }
        let of = Self { house, output, jukebox, ann, tracks, stop };
        of.tell(Command::Add(of.tracks.clone())).await.unwrap();
        of
    }

    async fn tell(&self, command: Command) -> Result<Snapshot> {
        self.jukebox.control(&self.ann, command).await
    }

    /// The output says this of what it was told last, or of something else.
    fn says(&self, item: Option<u64>, phase: Phase) {
        let item = item.or_else(|| self.told().last().map(|(number, _)| *number));
        self.output.says.send_replace(Status { item, phase, rate: 1.0, ..Status::default() });
    }

    fn told(&self) -> Vec<(u64, TrackId)> {
        self.output.told.lock().unwrap().clone()
    }

    /// Waits until it is so.
    async fn until(&self, is_so: impl Fn(&Snapshot) -> bool) -> Snapshot {
        loop {
            let now = self.tell(Command::Look).await.unwrap();
            if is_so(&now) {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Speakers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn what_is_deaf_to_what_follows_is_told_when_it_ends() {
    let of = Speakers::new().await;
    of.tell(Command::Start).await.unwrap();
    for at in 0..3 {
        of.says(None, Phase::Loading);
        of.says(None, Phase::Playing);
        let now = of.until(|now| now.current == Some(at)).await;
        assert!(now.is_playing && now.trouble.is_none());
        assert_eq!(of.told().len(), at + 1);
        // What it says late of another item is not about this one.
        of.says(Some(9_999), Phase::Ended);
        of.says(Some(9_999), Phase::Failed("old news".into()));
        assert_eq!(of.tell(Command::Look).await.unwrap().current, Some(at));
        of.says(None, Phase::Ended);
        if at < 2 {
            of.until(|now| now.current == Some(at + 1)).await;
        }
    }
    let end = of.until(|now| !now.is_playing).await;
    assert!(end.trouble.is_none(), "{end:?}");
    let played: Vec<TrackId> = of.told().into_iter().map(|(_, track)| track).collect();
    assert_eq!(played, of.tracks);
}

#[tokio::test]
async fn what_fails_is_passed_over_until_that_makes_no_sense() {
    let of = Speakers::new().await;
    of.tell(Command::Start).await.unwrap();
    for at in 1..3 {
        of.says(None, Phase::Failed("It is no music".into()));
        let now = of.until(|now| now.current == Some(at)).await;
        assert_eq!(now.trouble.as_deref(), Some("It is no music"));
    }
    of.says(None, Phase::Failed("It is no music either".into()));
    let now = of.until(|now| !now.is_playing).await;
    assert_eq!(now.trouble.as_deref(), Some("It is no music either"));
    // Nothing is lost by it.
    assert_eq!(now.entries.len(), 3);
    of.tell(Command::Skip { index: 0, offset: Duration::ZERO }).await.unwrap();
    of.says(None, Phase::Playing);
    of.until(|now| now.is_playing && now.current == Some(0) && now.trouble.is_none()).await;
}

#[tokio::test]
async fn what_is_gone_is_said_and_may_come_back() {
    let of = Speakers::new().await;
    of.tell(Command::Start).await.unwrap();
    of.says(None, Phase::Playing);
    of.says(None, Phase::Gone);
    let now = of.until(|now| !now.is_playing).await;
    assert_eq!(now.trouble.as_deref(), Some("The speakers are gone"));
    of.tell(Command::Start).await.unwrap();
    of.says(None, Phase::Playing);
    let now = of.until(|now| now.is_playing).await;
    assert_eq!((now.current, now.trouble), (Some(0), None));
    assert_eq!(of.told().len(), 2);
}

#[tokio::test]
async fn what_refuses_or_says_nothing_any_more_is_an_error_and_no_standstill() {
    let of = Speakers::new().await;
    for (manner, sentence) in [(Manner::Refuses, "It does not want to"), (Manner::Hangs, "")] {
        *of.output.manner.lock().unwrap() = manner;
        let refused = of.tell(Command::Start).await.unwrap_err().to_string();
        assert!(refused.contains(sentence) && refused.len() > 10, "{refused}");
        let now = of.tell(Command::Look).await.unwrap();
        assert!(!now.is_playing && now.trouble.as_deref() == Some(refused.as_str()), "{now:?}");
    }
    *of.output.manner.lock().unwrap() = Manner::Takes;
    let now = of.tell(Command::Start).await.unwrap();
    assert!(now.is_playing && now.trouble.is_none());
    of.house.ann.ok("ping", "").await;
}
