//! An upload that loses its ground while its bytes come in is told so within the next stretch of 4 MiB,
//! and not at its end: its account is shut out, may no longer upload, or its quota shrinks. The bodies
//! here have no end that comes, so nothing but such a judgement ever answers them.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{Body, Method, RequestBuilder, Response};
use tokio::sync::mpsc;
use tunelocker::accounts::{Abilities, PlanChange, UserChange};

use super::{House, send::Way};

/// More than one stretch.
const FIRST: u64 = 5_000_000;
/// All that would come.
const ALL: u64 = 50_000_000;

/// What is taken from under an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Its account is shut out.
    ShutOut,
    /// Its account may no longer upload.
    NoUpload,
    /// The quota is less than it needs.
    Quota,
    /// Something came to its place, where nothing may be.
    Taken,
    /// Its account is removed.
    Removed,
}

impl House {
    async fn lose(&self, loss: Loss, path: &str) {
        let (accounts, admin) = (&self.lockers().accounts, &self.lockers().admin);
        match loss {
            Loss::ShutOut => {
                let change = UserChange { is_disabled: Some(true), ..UserChange::default() };
                accounts.update_user(admin, "ann", &change).await.unwrap();
            }
            Loss::NoUpload => {
                let abilities = Abilities { upload: false, ..Abilities::default() };
                let change = UserChange { abilities: Some(abilities), ..UserChange::default() };
                accounts.update_user(admin, "ann", &change).await.unwrap();
            }
            Loss::Quota => {
                let change = PlanChange { quota: Some(Some(ALL / 2)), ..PlanChange::default() };
                accounts.set_plan(admin, "Test", &change).await.unwrap();
            }
            Loss::Taken => {
                self.lockers().put(path, b"faster").await.unwrap();
            }
            Loss::Removed => accounts.remove_user(admin, "ann").await.unwrap(),
        }
    }

    /// A request whose body is what comes through the channel.
    async fn endless(&self, way: Way, path: &str) -> (RequestBuilder, mpsc::Sender<Bytes>) {
        let (send, receive) = mpsc::channel::<Bytes>(1);
        let body = futures_util::stream::unfold(receive, |mut receive| async {
            let piece = receive.recv().await?;
            Some((Ok::<_, std::io::Error>(piece), receive))
        });
        let body = Body::wrap_stream(body);
        let declared = |request: RequestBuilder| match way {
            Way::Put | Way::Dav => request.header("Content-Length", ALL),
            _ => request,
        };
        let request = match way {
            Way::Put | Way::PutChunked => {
                let request = self.ann.request(Method::PUT, &format!("files/{path}"));
                declared(request).header("If-None-Match", "*").body(body)
            }
            Way::Dav | Way::DavChunked => {
                let request = self.ann.request(Method::PUT, &format!("../../dav/ann/{path}"));
                declared(request).header("If-None-Match", "*").body(body)
            }
            _ => {
                let metadata =
                    format!("path {},ifAbsent {}", STANDARD.encode(path), STANDARD.encode("true"));
                let made = self.tus_request(Method::POST, "uploads");
                let made = made.header("Upload-Metadata", metadata);
                let made = match way {
                    Way::Tus => made.header("Upload-Length", ALL),
                    _ => made.header("Upload-Defer-Length", "1"),
                };
                let made = made.send().await.unwrap();
                let place = made.headers()["location"].to_str().unwrap().to_owned();
                self.tus_request(Method::PATCH, &place.replace("/api/v1/", ""))
                    .header("Upload-Offset", "0")
                    .header("Content-Type", "application/offset+octet-stream")
                    .body(body)
            }
        };
        (request, send)
    }

    /// Waits until bytes of an upload lie in staging.
    async fn until_staged(&self, bytes: u64) {
        let staging = self.lockers().drive_root().join("staging");
        loop {
            let files = std::fs::read_dir(&staging).unwrap();
            let sizes = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len()));
            if sizes.sum::<u64>() >= bytes {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Begins, loses its ground, goes on; the answer that comes before the end does.
    async fn lost(&self, way: Way, loss: Loss, path: &str) -> Response {
        let (request, send) = self.endless(way, path).await;
        let piece = Bytes::from(vec![7; 100_000]);
        let sending = async {
            for _ in 0..FIRST / 100_000 {
                send.send(piece.clone()).await.unwrap();
            }
            self.until_staged(FIRST / 2).await;
            self.lose(loss, path).await;
            // Two stretches more, and then nothing, with the connection open.
            for _ in 0..2 * 4 * 1024 * 1024 / 100_000 {
                if send.send(piece.clone()).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            answer = request.send() => answer.unwrap_or_else(|error| panic!("{way:?} {loss:?}: {error}")),
            () = sending => unreachable!(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_learns_that_it_lost_its_ground() {
    let ways = [Way::Put, Way::PutChunked, Way::Dav, Way::DavChunked, Way::Tus, Way::TusDeferred];
    for way in ways {
        for (loss, word, status) in [
            (Loss::ShutOut, "forbidden", 403),
            (Loss::NoUpload, "forbidden", 403),
            (Loss::Quota, "quota_exceeded", 413),
            (Loss::Taken, "exists", 412),
            (Loss::Removed, "forbidden", 403),
        ] {
            // Whose length nobody knows is not refused before it needs what is not there.
            let is_told = matches!(way, Way::Put | Way::Dav | Way::Tus);
            if loss == Loss::Quota && !is_told {
                continue;
            }
            let house = House::with_quota(ALL * 2).await;
            let answer = house.lost(way, loss, "long.bin").await;
            let told = answer.status().as_u16();
            let is_dav = matches!(way, Way::Dav | Way::DavChunked);
            // With its account an upload that could go on is gone, too.
            let is_gone = loss == Loss::Removed && matches!(way, Way::Tus | Way::TusDeferred);
            let (word, status) = if is_gone { ("not_found", 404) } else { (word, status) };
            let status = if is_dav && loss == Loss::Quota { 507 } else { status };
            let text = answer.text().await.unwrap();
            assert_eq!(told, status, "{way:?} {loss:?}: {text}");
            assert!(text.contains(word), "{way:?} {loss:?}: {text}");
            let stored = house.stored("long.bin");
            assert_eq!(stored.is_some(), loss == Loss::Taken, "{way:?} {loss:?}");
        }
    }
}
