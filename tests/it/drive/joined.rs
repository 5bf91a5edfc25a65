//! Parts that are joined (tus "concatenation"): what was promised to them is the file's, to the byte, and a
//! refusal leaves them as they were.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use tunelocker::accounts::PlanChange;

use super::archives::{Box, whole};

#[tokio::test]
async fn parts_that_fill_a_locker_are_joined_without_a_byte_more_and_stay_where_they_are_refused() {
    let ann = Box::with_quota(10_000).await;
    let set_quota = async |bytes: u64| {
        let change = PlanChange { quota: Some(Some(bytes)), ..PlanChange::default() };
        ann.lockers.accounts.set_plan(&ann.lockers.admin, "Test", &change).await.unwrap();
    };
    let figures = async || {
        let usage = ann.lockers.usage().await;
        (usage.used, usage.reserved, ann.lockers.staged())
    };
    let mut places = Vec::new();
    for byte in [1, 2] {
        let made = ann
            .request(Method::POST, "uploads")
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Concat", "partial")
            .header("Upload-Length", 5_000)
            .header("Content-Type", "application/offset+octet-stream")
            .body(vec![byte; 5_000]);
        let made = made.send().await.unwrap();
        assert_eq!(made.status(), 201);
        places.push(made.headers()["location"].to_str().unwrap().to_owned());
    }
    assert_eq!(figures().await, (0, 10_000, 2));
    let join = async || {
        let joined = ann
            .request(Method::POST, "uploads")
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Concat", format!("final;{}", places.join(" ")))
            .header("Upload-Metadata", format!("path {}", STANDARD.encode("whole.bin")));
        whole(joined.send().await.unwrap()).await
    };
    // The quota shrank since: the parts wait until there is room.
    set_quota(9_999).await;
    let (status, problem) = join().await;
    assert_eq!((status, &problem["type"]), (413, &"quota_exceeded".into()), "{problem}");
    for place in &places {
        let head = ann.request(Method::HEAD, &place.replace("/api/v1/", ""));
        let head = head.header("Tus-Resumable", "1.0.0").send().await.unwrap();
        assert_eq!(head.headers()["upload-offset"], "5000");
    }
    assert_eq!(figures().await, (0, 10_000, 2));
    set_quota(10_000).await;
    assert_eq!(join().await.0, 201);
    assert_eq!(figures().await, (10_000, 0, 0));
    let stored = std::fs::read(ann.lockers.folder().join("whole.bin")).unwrap();
    assert_eq!(stored, [[1; 5_000], [2; 5_000]].concat());
    // What it was joined from is told of it, and is gone.
    let gone = ann.request(Method::HEAD, &places[0].replace("/api/v1/", ""));
    assert_eq!(gone.header("Tus-Resumable", "1.0.0").send().await.unwrap().status(), 404);
    let (_, ledger) = whole(ann.request(Method::GET, "ledger").send().await.unwrap()).await;
    let rows = ledger["items"].as_array().unwrap().iter();
    let stored: Vec<_> = rows.filter(|row| row["reason"] == "upload").collect();
    assert_eq!((stored.len(), &stored[0]["bytes"]), (1, &10_000.into()), "{ledger}");
}
