//! Where files come from that others bring: a site that shows them, and a shop that hands them over.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::api::Api;
use crate::outside::stub::{Reply, Stub};

/// Both.
#[derive(Clone)]
pub(super) struct Shop {
    stub: Stub,
    shown: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    key: String,
}

impl Shop {
    /// Nobody trusts it yet: [`Self::trusted_by`].
    pub(super) async fn open() -> Self {
        let shown: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
        let of = Arc::clone(&shown);
        let stub = Stub::start(move |asked| match of.lock().unwrap().get(asked.place()) {
            Some(bytes) => Reply::ok("application/octet-stream", bytes.clone()),
            None => Reply::status(404),
        })
        .await;
        Self { stub, shown, key: String::new() }
    }

    /// What the configuration has to say so that it can be asked.
    pub(super) fn allowed(&self) -> String {
        format!("[egress]\nallow = [\"{}\"]\n", self.stub.address)
    }

    /// An administrator lets it in.
    pub(super) async fn trusted_by(mut self, api: &Api) -> Self {
        for what in ["imports", "deliveries"] {
            let address = format!("outside/{what}");
            api.must(api.administer(Method::PUT, &address).json(&json!({ "on": true }))).await;
        }
        let key = json!({ "label": "shop" });
        let key = api.must(api.administer(Method::POST, "delivery-keys").json(&key)).await.json();
        key["secret"].as_str().unwrap().clone_into(&mut self.key);
        self
    }

    /// Shows a file; its address.
    pub(super) fn show(&self, name: &str, bytes: Vec<u8>) -> String {
        let name = name.replace(' ', "%20").replace('é', "%C3%A9");
        let place = format!("/{}/{name}", blake3::hash(&bytes).to_hex());
        self.shown.lock().unwrap().insert(place.clone(), bytes);
        self.stub.url(&place)
    }

    /// Hands an order over.
    pub(super) fn order(&self, api: &Api, order: &Value) -> RequestBuilder {
        Client::new().post(api.url("deliveries")).bearer_auth(&self.key).json(order)
    }

    /// How an order stands when nothing of it is under way. `None`: nobody is there.
    pub(super) async fn until_delivered(&self, api: &Api, order: &Value) -> Option<Value> {
        let mut told = api.ask(self.order(api, order)).await?;
        while told.json()["state"] == "running" {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            told = api.ask(self.order(api, order)).await?;
        }
        Some(told.json())
    }
}
