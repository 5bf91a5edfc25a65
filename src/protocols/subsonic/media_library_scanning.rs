//! Media library scanning.

use serde::Serialize;

use super::{
    call::{Answer, Call},
    responses::Date,
};
use crate::ingest::ScanKind;

/// `getScanStatus`: apps poll it until `scanning` is false (C36).
pub(super) fn get_scan_status(call: &Call) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ScanStatus {
        scanning: bool,
        count: u64,
        folder_count: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_scan: Option<Date>,
    }
    let status = call.ingest().status();
    let answer = ScanStatus {
        scanning: status.is_scanning,
        count: status.files,
        folder_count: status.folders,
        last_scan: status.last_scan_at.map(Date),
    };
    call.reply("scanStatus", &answer)
}

/// `startScan`: for what changed, or with `fullScan=true` for everything.
pub(super) fn start_scan(call: &Call) -> Answer {
    let kind = match call.params.flag("fullScan")? {
        Some(true) => ScanKind::Full,
        _ => ScanKind::Changes,
    };
    call.ingest().start_scan(&call.principal, kind)?;
    get_scan_status(call)
}
