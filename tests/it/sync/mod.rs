//! Nothing is sent twice: have and need, claims and those who attack them, and the commands that
//! bring a folder to a locker and back.

mod attacks;
mod commands;
mod duplicates;
mod filesystems;
mod matching;
mod references;
mod shared;
mod silence;
mod wire;

use std::path::Path;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tunelocker::{
    accounts::{MatchPolicy, NewUser, Principal},
    config::Config,
};

use crate::{drive::Lockers, harness::TestApp};

/// ann and bob with a locker each, and what speaks for them.
struct Two {
    lockers: Lockers,
    bob: Principal,
    client: Client,
    secrets: [String; 2],
}

/// Who asks.
#[derive(Clone, Copy)]
enum Who {
    Ann = 0,
    Bob = 1,
}

impl Two {
    async fn new() -> Self {
        Self::over(None).await
    }

    /// With a watched folder.
    async fn over(library: Option<&Path>) -> Self {
        Self::with(|config| {
            config.libraries.extend(library.map(|path| ("Music".to_owned(), path.to_owned())));
        })
        .await
    }

    /// Where tracks are heard in the background.
    async fn hearing() -> Self {
        Self::with(|config| config.analysis.enabled = true).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::spawn_with(|config| {
            config.drive = config.data.with_file_name("drive");
            change(config);
        })
        .await;
        let lockers = Lockers::over(app, 1 << 40).await;
        let bob =
            NewUser { plan: Some("Test".to_owned()), ..NewUser::new("bob", "bob's very own") };
        let bob = lockers.accounts.create_user(&lockers.admin, &bob).await.unwrap();
        let bob = lockers.accounts.principal(bob).await.unwrap();
        let ann = lockers.accounts.create_app_password(&lockers.ann, "sync").await.unwrap().secret;
        let secrets =
            [ann, lockers.accounts.create_app_password(&bob, "sync").await.unwrap().secret];
        Self { lockers, bob, client: Client::new(), secrets }
    }

    async fn policy(&self, policy: MatchPolicy) {
        self.lockers.accounts.set_match_policy(&self.lockers.admin, policy).await.unwrap();
    }

    async fn post(&self, who: Who, address: &str, body: &Value) -> Response {
        let request = self.client.request(Method::POST, self.lockers.app.url(address));
        request.bearer_auth(&self.secrets[who as usize]).json(body).send().await.unwrap()
    }

    /// How it stands with one file of these bytes.
    async fn look(&self, who: Who, path: &str, bytes: &[u8]) -> Value {
        let item = json!({ "hash": hash(bytes), "quick": quick(bytes), "size": bytes.len(), "path": path });
        self.look_at(who, &json!([item])).await[0].clone()
    }

    async fn look_at(&self, who: Who, items: &Value) -> Value {
        self.told(who, "/match", &json!({ "items": items })).await["items"].clone()
    }

    /// Answers the key of a standing with what these bytes give.
    async fn claim(&self, who: Who, standing: &Value, bytes: &[u8]) -> Value {
        let proof = proof(standing, bytes);
        let claims = json!({ "claims": [{ "claim": standing["claim"], "proof": proof }] });
        self.told(who, "/claims", &claims).await["claims"][0].clone()
    }

    /// A good answer, which is as the API's document says.
    async fn told(&self, who: Who, path: &str, body: &Value) -> Value {
        let answer = self.post(who, &format!("/api/v1{path}"), body).await;
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{text}");
        crate::web::schema::hold("POST", path, status, &text);
        serde_json::from_str(&text).unwrap()
    }

    fn file(&self, who: &str, path: &str) -> std::path::PathBuf {
        self.lockers.drive_root().join("lockers").join(who).join(path)
    }
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn quick(bytes: &[u8]) -> String {
    hash(&bytes[..bytes.len().min(65_536)])
}

fn proof(standing: &Value, bytes: &[u8]) -> String {
    let mut key = [0; 32];
    hex::decode_to_slice(standing["key"].as_str().unwrap(), &mut key).unwrap();
    blake3::keyed_hash(&key, bytes).to_hex().to_string()
}

/// Bytes that no other seed gives.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
