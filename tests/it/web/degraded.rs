//! A disk that failed, as administrators see it.

use super::script::Script;
use crate::{drive::Lockers, ingest::until};

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_failed_is_tried_again_by_a_button() {
    let lockers = Lockers::with_quota(1_000).await;
    let fails = async {
        let mark = lockers.drive_root().join("lockers/root/fail");
        until("it is told to fail", async || mark.exists()).await;
        lockers.app.services.db.storage().degrade("an fsync failed (a test)");
    };
    let script = Script::new("degraded.mjs").with("base", lockers.app.url(""));
    tokio::join!(script.pass_beside(), fails);
}
