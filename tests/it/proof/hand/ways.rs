//! How bytes are brought: by every way in, and by claims.

use tunelocker::media::playlist_file::{self, Syntax};

use super::*;

/// Whether what is told failed because of the disk that lost its power.
pub(super) fn is_the_disks(problem: &Value) -> bool {
    matches!(problem["type"].as_str(), Some("storage_degraded" | "internal"))
}

impl Hand {
    /// The request that brings new bytes to a path. Of an upload by tus, all but its last half.
    pub(super) async fn upload(
        &mut self,
        by: Act,
        path: &str,
        after: &mut World,
    ) -> Option<RequestBuilder> {
        let bytes = self.new_bytes();
        let hash = *blake3::hash(&bytes).as_bytes();
        after.files.insert(path.to_owned(), hash);
        self.sent.insert(hash, bytes.clone());
        let api = self.api.clone();
        let file = format!("files/{path}");
        Some(match by {
            Act::Put => api.request(Method::PUT, &file).body(bytes),
            Act::PutChunked => api.request(Method::PUT, &file).body(chunked(&bytes)),
            Act::Dav => api.dav("PUT", path).body(bytes),
            Act::Form => api.form(path, &bytes),
            Act::TusWhole => {
                api.tus_create(path, bytes.len()).header("Content-Type", OFFSET_STREAM).body(bytes)
            }
            Act::TusJoin => {
                self.joining = Some(Joining { path: path.to_owned(), parts: Vec::new() });
                let (first, second) = bytes.split_at(bytes.len() / 2);
                for part in [first, second] {
                    let made = api.ask(api.tus_part(part.len())).await?;
                    let address = made.is_success().then(|| made.header("location"))?;
                    let begun = Begun {
                        address: address.clone(),
                        path: String::new(),
                        bytes: part.to_vec(),
                        acknowledged: 0,
                    };
                    self.joining.as_mut()?.parts.push(begun);
                    let sent = api.ask(api.tus_patch(&address, 0, part)).await?;
                    if !sent.is_success() {
                        return None;
                    }
                    self.joining.as_mut()?.parts.last_mut()?.acknowledged = part.len();
                }
                let parts: Vec<String> =
                    self.joining.as_ref()?.parts.iter().map(|part| part.address.clone()).collect();
                api.tus_join(&parts, path)
            }
            _ => {
                let made = match by {
                    Act::TusDeferred => api.tus_deferred(path),
                    _ => api.tus_create(path, bytes.len()),
                };
                let made = api.ask(made).await?;
                if !made.is_success() {
                    return None;
                }
                let (address, half) = (made.header("location"), bytes.len() / 2);
                let path = path.to_owned();
                let begun =
                    Begun { address: address.clone(), path, bytes: bytes.clone(), acknowledged: 0 };
                self.begun.push(begun);
                let stored = api.ask(api.tus_patch(&address, 0, &bytes[..half])).await?;
                if !stored.is_success() {
                    return None;
                }
                self.begun.last_mut()?.acknowledged = half;
                let rest = api.tus_patch(&address, half, &bytes[half..]);
                if by == Act::TusDeferred {
                    rest.header("Upload-Length", bytes.len())
                } else {
                    rest
                }
            }
        })
    }

    /// What comes in by others' hands: in an archive, from an address, from a shop.
    pub(super) async fn brought(&mut self, act: Act, after: &mut World) -> Option<RequestBuilder> {
        let (path, bytes) = (self.new_path(), self.new_bytes());
        let hash = *blake3::hash(&bytes).as_bytes();
        after.files.insert(path.clone(), hash);
        let api = self.api.clone();
        Some(match act {
            Act::Zip => {
                let address = "files/pack.zip?unpack=true";
                api.request(Method::PUT, address).body(zip_of(&[(&path, &bytes)]))
            }
            Act::TusZip => {
                let pack = zip_of(&[(&path, &bytes)]);
                let made = api.ask(api.tus_archive(pack.len())).await?;
                let address = made.is_success().then(|| made.header("location"))?;
                api.tus_patch(&address, 0, &pack)
            }
            Act::Import => {
                let (folder, name) = path.rsplit_once('/')?;
                let url = self.shop.as_ref()?.show(name, bytes);
                let wish = json!({ "url": url, "folder": folder });
                api.request(Method::POST, "imports").json(&wish)
            }
            Act::ImportZip => {
                let (folder, name) = path.rsplit_once('/')?;
                let url = self.shop.as_ref()?.show("pack.zip", zip_of(&[(name, &bytes)]));
                api.request(Method::POST, "imports").json(&json!({ "url": url, "folder": folder }))
            }
            Act::ImportList => {
                let (folder, shop) = (path.rsplit_once('/')?.0.to_owned(), self.shop.clone()?);
                let more = self.new_bytes();
                after.files.remove(&path);
                let mut list = "#EXTM3U\n".to_owned();
                for (name, bytes) in [("one.bin", bytes), ("two.bin", more)] {
                    let hash = *blake3::hash(&bytes).as_bytes();
                    after.files.insert(format!("{folder}/{name}"), hash);
                    // No two lists are alike: a take-down of one takes all that are.
                    let title = format!("{name} of {folder}");
                    list.push_str(&format!("#EXTINF:1,{title}\n{}\n", shop.show(name, bytes)));
                }
                let mut kept = playlist_file::parse(Syntax::M3u, list.as_bytes());
                for (entry, name) in kept.entries.iter_mut().zip(["one.bin", "two.bin"]) {
                    name.clone_into(&mut entry.location);
                }
                let kept = playlist_file::write(Syntax::M3u, &kept);
                let hash = *blake3::hash(kept.as_bytes()).as_bytes();
                after.files.insert(format!("{folder}/list.m3u8"), hash);
                let url = shop.show("list.m3u", list.into_bytes());
                api.request(Method::POST, "imports").json(&json!({ "url": url, "folder": folder }))
            }
            Act::DeliveryByUrl => {
                let shop = self.shop.clone()?;
                self.seed += 1;
                let order = json!({
                    "user": ADMIN.0, "order": self.seed.to_string(), "exempt": null,
                    "items": [{ "url": shop.show("bought.bin", bytes), "path": path }],
                });
                self.ordered = Some((order.clone(), path, hash));
                shop.order(&api, &order)
            }
            _ => {
                let made = api.ask(api.tus_part(bytes.len())).await?;
                let address = made.is_success().then(|| made.header("location"))?;
                let sent = api.ask(api.tus_patch(&address, 0, &bytes)).await?;
                if !sent.is_success() {
                    return None;
                }
                self.seed += 1;
                let order = json!({
                    "user": ADMIN.0, "order": self.seed.to_string(), "exempt": null,
                    "items": [{ "upload": address, "path": path }],
                });
                self.ordered = Some((order.clone(), path, hash));
                self.shop.as_ref()?.order(&api, &order)
            }
        })
    }

    /// What became of an import whose end nobody told before the death: where its worker was killed over
    /// its archive first, what it promised is told to have failed.
    pub(in super::super) async fn hear_of_import(&mut self) {
        let Some((import, before)) = self.importing.take() else { return };
        match self.is_over(&import).await {
            Ended::Unreadable => self.world = before,
            Ended::Failed => self.pending = Some(std::mem::replace(&mut self.world, before)),
            Ended::Done | Ended::Unknown => (),
        }
    }

    /// Waits for the end of an import, unless somebody dies before.
    pub(super) async fn is_over(&self, import: &str) -> Ended {
        loop {
            let look = self.api.request(Method::GET, &format!("imports/{import}"));
            let Some(answer) =
                self.api.ask(look).await.filter(crate::proof::api::Answer::is_success)
            else {
                return Ended::Unknown;
            };
            let state = answer.json();
            if state["over"] == true {
                if state["problem"]["type"] == "unsupported_archive" {
                    // What came out of it before is told, and there.
                    return if state["stored"] == 1 { Ended::Done } else { Ended::Unreadable };
                }
                if is_the_disks(&state["problem"]) {
                    return Ended::Failed;
                }
                assert_eq!(state["state"], "done", "{state}");
                return Ended::Done;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// What was sent a moment ago, at another path without sending it.
    pub(super) async fn claim(&mut self, after: &mut World) -> Option<RequestBuilder> {
        let hash = self.world.files[self.fresh.as_ref()?];
        let (path, bytes) = (self.new_path(), self.sent[&hash].clone());
        self.claim_as(path, &bytes, after).await
    }

    /// The request that claims these bytes as a path.
    pub(super) async fn claim_as(
        &self,
        path: String,
        bytes: &[u8],
        after: &mut World,
    ) -> Option<RequestBuilder> {
        let claim = self.api.claim(&path, bytes).await?;
        after.files.insert(path, *blake3::hash(bytes).as_bytes());
        Some(claim)
    }
}
