//! How a file is brought by others: fetched from an address, in an archive or alone, and handed over by a
//! shop.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{
    super::archives::{ended, whole},
    House,
    send::{Only, Refusal, Sent, encoded, listed, plain},
};
use crate::outside::stub::Reply;

impl House {
    /// From an address whose last part is this name.
    pub(super) async fn import(
        &self,
        folder: &str,
        name: &str,
        held: Vec<u8>,
        only: Only<'_>,
    ) -> Sent {
        self.stub.answer(move |_| Reply::ok("application/octet-stream", held.clone()));
        let url = self.stub.url(&format!("/{}", encoded(name)));
        let is_only_new = only == Only::Absent;
        let order = json!({ "url": url, "folder": folder, "ifAbsent": is_only_new });
        let begun = self.ann.request(Method::POST, "imports").json(&order).send().await.unwrap();
        let (status, begun) = whole(begun).await;
        if status != 202 {
            return Err(Refusal::of(&begun));
        }
        let import = ended(&self.ann, begun["id"].as_str().unwrap()).await;
        if import["problem"].is_null() {
            listed(&import)
        } else {
            Err(Refusal::of(&import["problem"]))
        }
    }

    pub(super) async fn deliver_by_address(&self, path: &str, bytes: &[u8]) -> Sent {
        let held = bytes.to_vec();
        self.stub.answer(move |_| Reply::ok("audio/flac", held.clone()));
        self.deliver(&json!({ "url": self.stub.url("/x"), "path": path })).await
    }

    /// The shop sends the bytes with its key, then says whose they are.
    pub(super) async fn deliver_upload(&self, path: &str, bytes: &[u8]) -> Sent {
        let client = Client::new();
        let by_shop = |method: Method, url: String| {
            client.request(method, url).bearer_auth(&self.key).header("Tus-Resumable", "1.0.0")
        };
        let app = &self.lockers().app;
        let made = by_shop(Method::POST, app.url("/api/v1/uploads"))
            .header("Upload-Concat", "partial")
            .header("Upload-Length", bytes.len())
            .header("Content-Type", "application/offset+octet-stream")
            .body(bytes.to_vec());
        let made = made.send().await.unwrap();
        let Some(place) = made.headers().get("location").cloned() else {
            return plain(made).await;
        };
        let place = place.to_str().unwrap();
        let sent = self.deliver(&json!({ "upload": place, "path": path })).await;
        if sent.is_err() {
            // A shop that gives up says so.
            let gone = by_shop(Method::DELETE, app.url(place)).send().await.unwrap();
            assert!(matches!(gone.status().as_u16(), 204 | 404), "{}", gone.status());
        }
        sent
    }

    /// An order of one file, which counts.
    async fn deliver(&self, item: &Value) -> Sent {
        let number = rand::random::<u64>().to_string();
        let order = json!({ "user": "ann", "order": number, "exempt": null, "items": [item] });
        let client = Client::new();
        let url = self.lockers().app.url("/api/v1/deliveries");
        let ordered = client.post(&url).bearer_auth(&self.key).json(&order).send().await;
        let (status, mut answer) = whole(ordered.unwrap()).await;
        if status >= 400 {
            return Err(Refusal::of(&answer));
        }
        // It is fetched behind the answer.
        let place = format!("{url}/{}", answer["id"].as_str().unwrap());
        while answer["state"] == "running" {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            let asked = client.get(&place).bearer_auth(&self.key).send().await;
            answer = whole(asked.unwrap()).await.1;
        }
        let item = &answer["items"][0];
        if item["state"] == "stored" {
            return Ok(());
        }
        let mut refusal = Refusal::of(item);
        refusal.detail = item["problem"].to_string();
        Err(refusal)
    }
}
