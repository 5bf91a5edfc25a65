//! 64 uploads at once by four ways against one quota: never above it by a byte, and each refusal
//! true. The same judgement catches a house that looks first and takes later.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::Barrier;

use super::{
    api::{Answer, Api, OFFSET_STREAM, chunked},
    bytes,
    seen::Seen,
};
use crate::harness::{
    daemon::{Daemon, Folders, folders},
    times,
};

const UPLOADS: u64 = 64;

/// How one of them comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Put,
    PutChunked,
    Dav,
    DavChunked,
    /// Whose length is not told of the file, but of the form.
    Form,
    /// Made, then sent in two pieces.
    Tus,
    /// Made and sent by one request.
    TusWhole,
}

/// Who says whether there is room.
#[derive(Clone)]
enum Door {
    /// The daemon, while the bytes come in.
    Own,
    /// Somebody before it, who looks at the figures and lets in whoever fits: all look before any
    /// has come in, which is what a race may do and this does each time.
    LooksFirst { quota: u64, all_looked: Arc<Barrier> },
}

struct Crowd {
    _home: tempfile::TempDir,
    folders: Folders,
    api: Api,
    _daemon: Daemon,
}

/// What became of an upload.
#[derive(Debug)]
enum Outcome {
    Accepted,
    /// With the figures that were given as the reason.
    Refused {
        used: u64,
        quota: u64,
        needed: u64,
    },
}

impl Crowd {
    async fn with_quota(quota: u64) -> Self {
        let home = tempfile::tempdir().unwrap();
        let folders = folders(home.path());
        let daemon = Daemon::start(&folders);
        let api = Api::new(&daemon, &folders.app_password());
        api.set_quota(quota).await;
        api.must(api.request(Method::PUT, "files/crowd/")).await;
        Self { _home: home, folders, api, _daemon: daemon }
    }

    async fn send(api: &Api, way: Way, name: &str, bytes: &[u8]) -> Outcome {
        let (path, file) = (format!("crowd/{name}"), format!("files/crowd/{name}"));
        let answer = match way {
            Way::Put => api.ask(api.request(Method::PUT, &file).body(bytes.to_vec())).await,
            Way::PutChunked => api.ask(api.request(Method::PUT, &file).body(chunked(bytes))).await,
            Way::Dav => api.ask(api.dav("PUT", &path).body(bytes.to_vec())).await,
            Way::DavChunked => api.ask(api.dav("PUT", &path).body(chunked(bytes))).await,
            Way::Form => api.ask(api.form(&path, bytes)).await,
            Way::TusWhole => {
                let create = api.tus_create(&path, bytes.len());
                let create = create.header("Content-Type", OFFSET_STREAM);
                api.ask(create.body(bytes.to_vec())).await
            }
            Way::Tus => {
                let made = api.ask(api.tus_create(&path, bytes.len())).await.unwrap();
                if !made.is_success() {
                    return refusal(&made);
                }
                let (address, half) = (made.header("location"), bytes.len() / 2);
                api.must(api.tus_patch(&address, 0, &bytes[..half])).await;
                api.ask(api.tus_patch(&address, half, &bytes[half..])).await
            }
        };
        let answer = answer.expect("an answer");
        if answer.is_success() { Outcome::Accepted } else { refusal(&answer) }
    }

    /// All of them at once, each by the next of these ways.
    async fn rush(&self, ways: &[Way], size: u64, door: &Door) -> Vec<Outcome> {
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|number| {
                let (api, door) = (self.api.clone(), door.clone());
                let way = ways[usize::try_from(number).unwrap() % ways.len()];
                tokio::spawn(async move {
                    let bytes = bytes(number, usize::try_from(size).unwrap());
                    if let Door::LooksFirst { quota, all_looked } = door {
                        let used = api.usage().await["used"].as_u64().unwrap();
                        let fits = used + size <= quota;
                        all_looked.wait().await;
                        if !fits {
                            return Outcome::Refused { used, quota, needed: size };
                        }
                    }
                    Self::send(&api, way, &format!("{number}.bin"), &bytes).await
                })
            })
            .collect();
        let mut outcomes = Vec::new();
        for upload in uploads {
            outcomes.push(upload.await.unwrap());
        }
        outcomes
    }

    async fn used(&self) -> u64 {
        self.api.usage().await["used"].as_u64().unwrap()
    }

    /// Nothing that does not fit together.
    async fn assert_whole(&self) {
        let seen = Seen::of(&self.folders).unwrap();
        let wrong = seen.against_the_books(&self.folders, &self.api).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// What is left fits to the byte, and a byte more does not, by any way.
    async fn assert_the_rest_fits(&self, quota: u64, ways: &[Way]) {
        let used = self.used().await;
        let rest = bytes(99, usize::try_from(quota - used).unwrap());
        let more = [rest.as_slice(), &[7]].concat();
        for way in ways {
            let one_more = Self::send(&self.api, *way, "more.bin", &more).await;
            let Outcome::Refused { used: then, needed, .. } = one_more else {
                panic!("{way:?}: a byte more was taken")
            };
            assert!(quota < then + needed, "{way:?}: {one_more:?}");
        }
        let rest = Self::send(&self.api, ways[0], "rest.bin", &rest).await;
        assert!(matches!(rest, Outcome::Accepted), "{rest:?}");
        assert_eq!(self.used().await, quota);
        for way in ways {
            let byte = Self::send(&self.api, *way, "byte.bin", &[7]).await;
            assert!(matches!(byte, Outcome::Refused { .. }), "{way:?}: {byte:?}");
        }
    }
}

/// The figures in a refusal, in whatever form the way gives them.
fn refusal(answer: &Answer) -> Outcome {
    let mut problem = answer.json();
    // A form tells of each file.
    if let Some(first) = problem["items"].get(0) {
        problem = first["problem"].clone();
    }
    let figures = if problem == Value::Null {
        assert_eq!(answer.status, 507, "{}", answer.text());
        assert!(answer.text().contains("quota-not-exceeded"), "{}", answer.text());
        let text = answer.text();
        let (_, sentence) = text.split_once("does not fit").unwrap();
        let words = sentence.split(|letter: char| !letter.is_ascii_digit());
        words.filter_map(|word| word.parse().ok()).collect::<Vec<u64>>()
    } else {
        let kind = (answer.status, &problem["type"]);
        assert_eq!(kind, (413, &"quota_exceeded".into()), "{problem}");
        ["used", "quota", "needed"].iter().map(|it| problem[it].as_u64().unwrap()).collect()
    };
    Outcome::Refused { used: figures[0], quota: figures[1], needed: figures[2] }
}

/// What is wrong with the outcome of uploads of one size against a quota, if anything is. Of those
/// whose length is known, exactly as many as fit must have been taken.
fn judge(
    outcomes: &[Outcome],
    (size, quota, used, most): (u64, u64, u64, u64),
    is_declared: bool,
) -> Result<(), String> {
    let accepted = outcomes.iter().filter(|it| matches!(it, Outcome::Accepted)).count() as u64;
    let fit = quota / size;
    if quota < most || quota < used {
        return Err(format!("{most} bytes were used of {quota}"));
    }
    if used != accepted * size {
        return Err(format!("{accepted} of {size} bytes were taken, and {used} are used"));
    }
    if fit < accepted || (is_declared && accepted < fit) {
        return Err(format!("{accepted} were taken, and {fit} fit"));
    }
    for outcome in outcomes {
        if let Outcome::Refused { used, quota: told, needed } = outcome
            && (*told != quota || quota < *used || used + needed <= quota || size < *needed)
        {
            return Err(format!("not a true refusal: {outcome:?}"));
        }
    }
    Ok(())
}

/// The rush, watched all the while: what was wrong, if anything was.
async fn try_it(
    crowd: &Crowd,
    ways: &[Way],
    (size, quota): (u64, u64),
    door: Door,
    is_declared: bool,
) -> Result<(), String> {
    let most = AtomicU64::new(0);
    let rush = crowd.rush(ways, size, &door);
    let watch = async {
        loop {
            let usage = crowd.api.usage().await;
            let sum = ["used", "reserved"].iter().map(|it| usage[it].as_u64().unwrap()).sum();
            most.fetch_max(sum, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let outcomes = tokio::select! {
        outcomes = rush => outcomes,
        () = watch => Vec::new(),
    };
    let most = most.load(Ordering::Relaxed);
    judge(&outcomes, (size, quota, crowd.used().await, most), is_declared)
}

const DECLARED: [Way; 4] = [Way::Put, Way::Dav, Way::Tus, Way::TusWhole];

#[tokio::test]
async fn of_declared_uploads_exactly_as_many_as_fit() {
    let (size, quota) = (100_003, 20 * 100_003 + 50_000);
    for _ in 0..times() {
        let crowd = Crowd::with_quota(quota).await;
        let judged = try_it(&crowd, &DECLARED, (size, quota), Door::Own, true).await;
        assert_eq!(judged, Ok(()));
        crowd.assert_the_rest_fits(quota, &DECLARED).await;
        crowd.assert_whole().await;
    }
}

#[tokio::test]
async fn of_chunked_uploads_never_a_byte_too_many() {
    let (size, quota) = (300_007, 20 * 300_007 + 50_000);
    for _ in 0..times() {
        let crowd = Crowd::with_quota(quota).await;
        let ways = [Way::PutChunked, Way::DavChunked, Way::Form, Way::Tus];
        let judged = try_it(&crowd, &ways, (size, quota), Door::Own, false).await;
        assert_eq!(judged, Ok(()));
        crowd.assert_the_rest_fits(quota, &ways).await;
        crowd.assert_whole().await;
    }
}

#[tokio::test]
async fn a_door_that_looks_first_and_takes_later_is_caught() {
    let (size, quota) = (100_003, 20 * 100_003 + 50_000);
    let crowd = Crowd::with_quota(1_000_000_000).await;
    let all_looked = Arc::new(Barrier::new(usize::try_from(UPLOADS).unwrap()));
    let door = Door::LooksFirst { quota, all_looked };
    let judged = try_it(&crowd, &DECLARED, (size, quota), door, true).await;
    assert!(judged.is_err(), "not caught");
}
