//! 64 uploads at once against one quota: to the byte, and a control that is wrong on purpose.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::StreamExt as _;
use tunelocker::{Error, accounts::PlanChange, drive::Condition};

use super::{Lockers, body, is_quota};

const UPLOADS: usize = 64;

/// What is wrong with the outcome of uploads of one size against a quota, if anything.
fn judge(quota: u64, size: u64, accepted: u64, used: u64) -> Option<String> {
    let fit = quota / size;
    if used != accepted * size {
        return Some(format!("{accepted} of {size} were accepted but {used} are used"));
    }
    (accepted != fit).then(|| format!("{accepted} were accepted and {fit} fit"))
}

async fn race(lockers: Arc<Lockers>, size: u64, declared: impl Fn(usize) -> Option<u64>) -> u64 {
    let uploads: Vec<_> = (0..UPLOADS)
        .map(|number| {
            let (lockers, declared) = (Arc::clone(&lockers), declared(number));
            tokio::spawn(async move {
                let bytes = vec![number as u8; size as usize];
                let target = lockers.target(&format!("Music/{number}.bin"));
                let answer = lockers.drive.put(&lockers.ann, &target, declared, body(&bytes)).await;
                assert!(answer.is_ok() || is_quota(&answer), "{answer:?}");
                u64::from(answer.is_ok())
            })
        })
        .collect();
    let mut accepted = 0;
    for upload in uploads {
        accepted += upload.await.unwrap();
    }
    accepted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_declared_lengths_exactly_as_many_as_fit() {
    let (size, quota) = (100_003, 20 * 100_003 + 50_000);
    let lockers = Arc::new(Lockers::with_quota(quota).await);
    let accepted = race(Arc::clone(&lockers), size, |_| Some(size)).await;
    let usage = lockers.usage().await;
    assert_eq!(judge(quota, size, accepted, usage.used), None);
    assert_eq!(usage.reserved, 0);
    assert_eq!(lockers.on_disk(), usage.used);
    assert_eq!(lockers.staged(), 0, "refused uploads leave nothing");

    let rest = vec![7; usize::try_from(quota - usage.used).unwrap()];
    let more = [rest.as_slice(), &[7]].concat();
    assert!(is_quota(&lockers.put("one byte more", &more).await));
    lockers.put("exactly the rest", &rest).await.unwrap();
    assert_eq!(lockers.usage().await.used, quota);
    assert!(is_quota(&lockers.put("a single byte", &[7]).await));
    lockers.put("nothing", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_unknown_lengths_never_a_byte_too_many() {
    let (size, quota) = (300_007, 20 * 300_007 + 50_000);
    let lockers = Arc::new(Lockers::with_quota(quota).await);
    let accepted =
        race(Arc::clone(&lockers), size, |number| (number % 2 == 0).then_some(size)).await;
    let usage = lockers.usage().await;
    assert_eq!(usage.used, accepted * size);
    assert!(usage.used <= quota);
    assert_eq!((usage.reserved, lockers.on_disk(), lockers.staged()), (0, usage.used, 0));

    let rest = vec![7; usize::try_from(quota - usage.used).unwrap()];
    let more = [rest.as_slice(), &[7]].concat();
    let target = lockers.target("rest");
    let one_more = lockers.drive.put(&lockers.ann, &target, None, body(&more)).await;
    assert!(is_quota(&one_more));
    assert_eq!(lockers.usage().await, usage, "a refusal gives everything back");
    lockers.drive.put(&lockers.ann, &target, None, body(&rest)).await.unwrap();
    assert_eq!(lockers.usage().await.used, quota, "what fits exactly is never refused");
}

/// Looks first and takes later, as many have done.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_judgement_catches_check_then_act() {
    let (size, quota) = (100_003_u64, 20 * 100_003 + 50_000);
    let used = Arc::new(AtomicU64::new(0));
    // All look before any takes: what a race may do, this does each time.
    let all_looked = Arc::new(tokio::sync::Barrier::new(UPLOADS));
    let uploads: Vec<_> = (0..UPLOADS)
        .map(|_| {
            let (used, all_looked) = (Arc::clone(&used), Arc::clone(&all_looked));
            tokio::spawn(async move {
                let fits = used.load(Ordering::SeqCst) + size <= quota;
                all_looked.wait().await;
                if fits {
                    used.fetch_add(size, Ordering::SeqCst);
                }
                u64::from(fits)
            })
        })
        .collect();
    let mut accepted = 0;
    for upload in uploads {
        accepted += upload.await.unwrap();
    }
    assert!(judge(quota, size, accepted, used.load(Ordering::SeqCst)).is_some());
}

#[tokio::test]
async fn what_cannot_fit_is_refused_before_a_byte_is_read() {
    let lockers = Lockers::with_quota(1000).await;
    lockers.put("first", &[1; 400]).await.unwrap();
    let untouched = futures_util::stream::poll_fn(
        |_| -> std::task::Poll<Option<std::io::Result<bytes::Bytes>>> {
            panic!("a byte was asked for")
        },
    );
    let answer =
        lockers.drive.put(&lockers.ann, &lockers.target("second"), Some(700), untouched).await;
    let Err(Error::QuotaExceeded { used: 400, quota: 1000, needed: 700 }) = answer else {
        panic!("{answer:?}")
    };
}

#[tokio::test]
async fn replacing_counts_the_difference() {
    let lockers = Lockers::with_quota(1000).await;
    let first = lockers.put("a", &[1; 900]).await.unwrap();
    let second = lockers.put("a", &[2; 950]).await.unwrap();
    assert!(first.is_new && !second.is_new);
    assert_ne!(first.etag, second.etag);
    assert_eq!(lockers.usage().await.used, 950, "it fits because the old one goes");
    assert!(is_quota(&lockers.put("a", &[3; 1001]).await));
    assert_eq!(std::fs::read(lockers.folder().join("a")).unwrap(), [2; 950], "the old one stays");
    lockers.put("a", &[4; 10]).await.unwrap();
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reserved, lockers.on_disk(), lockers.staged()), (10, 0, 10, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_replacements_of_one_file_stay_within() {
    let lockers = Arc::new(Lockers::with_quota(200_000).await);
    lockers.put("a", &[0; 90_000]).await.unwrap();
    let uploads: Vec<_> = (0..32)
        .map(|number| {
            let lockers = Arc::clone(&lockers);
            tokio::spawn(async move {
                let bytes = vec![number; 90_000 + usize::from(number)];
                let answer = lockers.put("a", &bytes).await;
                assert!(answer.is_ok() || is_quota(&answer), "{answer:?}");
                let usage = lockers.usage().await;
                assert!(usage.used + usage.reserved <= 200_000, "{usage:?}");
            })
        })
        .collect();
    for upload in uploads {
        upload.await.unwrap();
    }
    let usage = lockers.usage().await;
    let bytes = std::fs::read(lockers.folder().join("a")).unwrap();
    assert!(bytes.iter().all(|byte| *byte == bytes[0]), "one upload, not a mixture");
    assert_eq!((usage.used, usage.reserved, lockers.staged()), (bytes.len() as u64, 0, 0));
    // The row tells of the bytes that are there.
    let stored = lockers
        .drive
        .open_file(&lockers.ann, lockers.locker, &lockers.target("a").path)
        .await
        .unwrap();
    assert!(!stored.etag.starts_with('d'), "{}", stored.etag);
}

#[tokio::test]
async fn conditions_are_held() {
    let lockers = Lockers::with_quota(1000).await;
    let put = async |condition: Condition, byte: u8| {
        let mut target = lockers.target("a");
        target.condition = condition;
        lockers.drive.put(&lockers.ann, &target, Some(1), body(&[byte])).await
    };
    assert!(matches!(
        put(Condition::Match(vec!["x".into()]), 1).await,
        Err(Error::PreconditionFailed { etag: None, .. })
    ));
    let first = put(Condition::Absent, 1).await.unwrap();
    assert!(matches!(put(Condition::Absent, 2).await, Err(Error::Exists { etag: Some(_), .. })));
    let second = put(Condition::Match(vec![first.etag.clone()]), 2).await.unwrap();
    assert!(matches!(
        put(Condition::Match(vec![first.etag]), 3).await,
        Err(Error::PreconditionFailed { .. })
    ));
    assert_eq!(std::fs::read(lockers.folder().join("a")).unwrap(), [2]);
    assert_eq!(lockers.usage().await.used, 1);
    assert_ne!(second.etag, "");
}

#[tokio::test]
async fn a_dropped_upload_gives_everything_back() {
    let lockers = Lockers::with_quota(1_000_000).await;
    let (send, receive) = tokio::sync::mpsc::channel(1);
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
    let target = lockers.target("never");
    let mut upload = Box::pin(lockers.drive.put(&lockers.ann, &target, None, stream));
    tokio::select! {
        answer = &mut upload => panic!("{answer:?}"),
        () = async {
            for _ in 0..20 {
                send.send(Ok(bytes::Bytes::from_static(&[1; 30_000]))).await.unwrap();
            }
        } => (),
    }
    assert!(0 < lockers.usage().await.reserved);
    drop(upload);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while lockers.usage().await.reserved != 0 || lockers.staged() != 0 {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", lockers.usage().await);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!((lockers.usage().await.used, lockers.on_disk()), (0, 0));
}

#[tokio::test]
async fn a_quota_that_was_lowered_meanwhile_holds() {
    let lockers = Lockers::with_quota(1_000_000).await;
    lockers.put("kept", &[1; 100_000]).await.unwrap();
    lockers.put("replaced", &[1; 100_000]).await.unwrap();
    for (name, declared) in [("new", true), ("new", false), ("replaced", true)] {
        // The whole body is there, and before its last piece the plan shrinks.
        let (accounts, admin) = (lockers.accounts.clone(), lockers.admin.clone());
        let lower = async move {
            let quota = Some(Some(350_000));
            let change = PlanChange { quota, ..PlanChange::default() };
            accounts.set_plan(&admin, "Test", &change).await.unwrap();
            Ok(bytes::Bytes::from_static(&[2; 40_000]))
        };
        let pieces = body(&[2; 360_000]).chain(futures_util::stream::once(lower));
        let declared = declared.then_some(400_000);
        let target = lockers.target(name);
        let answer = lockers.drive.put(&lockers.ann, &target, declared, pieces).await;
        let Err(Error::QuotaExceeded { used: 200_000, quota: 350_000, needed }) = answer else {
            panic!("{name}: {answer:?}")
        };
        assert!(needed == if name == "new" { 400_000 } else { 300_000 }, "{name}: {needed}");
        let usage = lockers.usage().await;
        assert_eq!((usage.used, usage.reserved), (200_000, 0), "{name}: all is given back");
        assert_eq!((lockers.on_disk(), lockers.staged()), (200_000, 0), "{name}");
        assert!(!lockers.folder().join("new").exists());
        assert_eq!(std::fs::read(lockers.folder().join("replaced")).unwrap(), [1; 100_000]);
        let quota = Some(Some(1_000_000));
        let change = PlanChange { quota, ..PlanChange::default() };
        lockers.accounts.set_plan(&lockers.admin, "Test", &change).await.unwrap();
    }
    // A locker that is over its quota may still shrink.
    let change = PlanChange { quota: Some(Some(150_000)), ..PlanChange::default() };
    lockers.accounts.set_plan(&lockers.admin, "Test", &change).await.unwrap();
    lockers.put("replaced", &[3; 90_000]).await.unwrap();
    assert!(is_quota(&lockers.put("new", &[3; 10]).await));
    assert_eq!(lockers.usage().await.used, 190_000);
}
