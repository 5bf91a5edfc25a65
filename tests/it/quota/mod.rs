//! Quota beyond the single upload: what it is made of, what does not count, what explains it, and
//! what streaming may take.

mod caps;
mod deliveries;
mod dropped;
mod exempt;
mod fetched;
mod grants;
mod panel;
mod rules;
mod sending;
mod streaming;
mod takedown;
mod ways;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tunelocker::clock::Clock;

use crate::{
    drive::{ADMIN, Lockers},
    harness::TestApp,
    web::schema,
};

pub(crate) const DAY: Duration = Duration::from_hours(24);
/// 2026-11-25T22:00:00Z
pub(crate) const NOW: i64 = 1_795_644_000_000;

/// A server by a clock that stands, and the API as an administrator and as ann.
pub(crate) struct Desk {
    pub(crate) lockers: Lockers,
    pub(crate) clock: Clock,
    client: Client,
    ann: String,
}

impl Desk {
    pub(crate) async fn new(quota: u64) -> Self {
        let clock = Clock::manual(NOW);
        let app = TestApp::spawn_at(clock.clone(), |config| {
            config.drive = config.data.with_file_name("drive");
        })
        .await;
        Self::over(app, clock, quota).await
    }

    pub(crate) async fn over(app: TestApp, clock: Clock, quota: u64) -> Self {
        let lockers = Lockers::over(app, quota).await;
        let ann = lockers.accounts.create_app_password(&lockers.ann, "test").await.unwrap().secret;
        Self { clock, client: Client::new(), ann, lockers }
    }

    pub(crate) fn request(&self, who: &str, method: Method, path: &str) -> RequestBuilder {
        self.plain(method, path).bearer_auth(who)
    }

    fn plain(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.lockers.app.url(&format!("/api/v1/{path}")))
    }

    pub(crate) fn as_admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.plain(method, path).basic_auth(ADMIN.0, Some(ADMIN.1))
    }

    pub(crate) fn as_ann(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(&self.ann, method, path)
    }

    /// ann's app password.
    pub(crate) fn secret(&self) -> &str {
        &self.ann
    }

    /// What an answer holds.
    pub(crate) async fn json(request: RequestBuilder) -> Value {
        let (status, text) = schema::send(request).await;
        assert!((200..300).contains(&status), "{status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Its status alone.
    pub(crate) async fn status(request: RequestBuilder) -> u16 {
        schema::send(request).await.0
    }

    pub(crate) async fn storage(&self) -> Value {
        Self::json(self.as_ann(Method::GET, "storage")).await
    }

    /// The ledger adds up to the figures.
    pub(crate) async fn explained(&self) -> Vec<Value> {
        let ledger = Self::json(self.as_ann(Method::GET, "ledger?limit=200")).await;
        let rows = ledger["items"].as_array().unwrap().clone();
        let sum = |name: &str| rows.iter().map(|row| row[name].as_i64().unwrap()).sum::<i64>();
        let storage = self.storage().await;
        for (column, figure) in
            [("bytes", "used"), ("exempt", "exempt"), ("reclaimable", "reclaimable")]
        {
            assert_eq!(Some(sum(column)), storage[figure].as_i64(), "{column}: {rows:#?}");
        }
        rows
    }
}
