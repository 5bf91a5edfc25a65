//! After a start: what must be there is held against what is, and what was begun goes on.

use super::*;

impl Hand {
    /// What it may be instead of what is known, as long as nobody said.
    pub(in super::super) fn may_become(&mut self, world: World) {
        self.pending = Some(world);
    }

    /// After a start: which of the worlds it is that the disk shows, or what is wrong.
    pub(in super::super) fn settle(
        &mut self,
        seen: &Seen,
        quota: Option<u64>,
    ) -> Result<(), String> {
        // In whosever locker it lies.
        let own = |path: &str| path.split(['/', ':']).any(|part| part == self.folder);
        let shelf = |shelf: &[(String, Hash)]| {
            let mut kept: Vec<_> = shelf.iter().filter(|it| own(&it.0)).cloned().collect();
            kept.sort();
            kept
        };
        let files = seen.files.iter().filter(|it| own(it.0));
        let files: BTreeMap<String, Hash> = files.map(|(path, it)| (path.clone(), it.0)).collect();
        let (trash, versions) = (shelf(&seen.trash), shelf(&seen.versions));
        let is = |world: &&World| {
            let sorted = |shelf: &[(String, Hash)]| {
                let mut kept = shelf.to_vec();
                kept.sort();
                kept
            };
            world.files == files
                && sorted(&world.trash) == trash
                && sorted(&world.versions) == versions
                && quota.is_none_or(|quota| world.grants * GIFT == quota)
        };
        let pending = self.pending.take();
        let found = [Some(&self.world), pending.as_ref()].into_iter().flatten().find(is).cloned();
        if let Some(found) = found {
            self.world = found;
            self.fresh = None;
            return Ok(());
        }
        let there = World { files, trash, versions, grants: quota.unwrap_or(0) / GIFT };
        let last = self.last.map_or_else(String::new, |act| format!(" after {act:?}"));
        let mut text = format!("{}{last} is neither as acknowledged", self.folder);
        text.push_str(&self.world.told_from(&there));
        if let Some(pending) = pending {
            text = format!(
                "{text}\nnor as it would be after what was asked{}",
                pending.told_from(&there)
            );
        }
        Err(text)
    }

    /// After a start: uploads that were begun go on where they were, at or behind what was
    /// acknowledged.
    pub(in super::super) async fn resume(&mut self) -> Result<(), String> {
        // A shop that heard nothing sends its order again; that brings what is missing, once.
        if let Some((order, path, hash)) = self.ordered.take() {
            let shop = self.shop.as_ref().ok_or("there is no shop")?;
            let told = shop.until_delivered(&self.api, &order).await;
            let told = told.ok_or("nobody is there")?;
            if told["items"][0]["state"] != "stored" || told["items"][0]["path"] != path.as_str() {
                return Err(format!("the order of {path} is not carried out: {told}"));
            }
            self.world.files.insert(path, hash);
        }
        self.join_again().await?;
        for begun in std::mem::take(&mut self.begun) {
            let Begun { address, path, bytes, acknowledged } = begun;
            let head = self.api.ask(self.api.tus(Method::HEAD, &address)).await;
            let head = head.ok_or("nobody is there")?;
            let offset: Option<usize> = head.header("upload-offset").parse().ok();
            let Some(offset) = offset.filter(|offset| acknowledged <= *offset) else {
                return Err(format!(
                    "{path}: {acknowledged} bytes were acknowledged, and the upload stands at {offset:?} ({})",
                    head.status
                ));
            };
            let hash = *blake3::hash(&bytes).as_bytes();
            let is_deferred = head.header("upload-defer-length") == "1";
            if offset < bytes.len() || is_deferred {
                let mut rest = self.api.tus_patch(&address, offset, &bytes[offset..]);
                if is_deferred {
                    rest = rest.header("Upload-Length", bytes.len());
                }
                let sent = self.api.ask(rest).await.ok_or("nobody is there")?;
                if !sent.is_success() {
                    return Err(format!("{path} does not go on: {}", sent.text()));
                }
                if self.world.files.contains_key(&path) {
                    self.world.keep_version(&path);
                }
                self.world.files.insert(path, hash);
            } else if self.world.files.get(&path) != Some(&hash) {
                return Err(format!("{path} is whole and not published"));
            }
        }
        Ok(())
    }

    /// Parts that were to be joined and are not: what was acknowledged of them is there, and they can
    /// be joined if they are whole.
    async fn join_again(&mut self) -> Result<(), String> {
        let Some(Joining { path, parts }) = self.joining.take() else { return Ok(()) };
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.bytes.clone()).collect();
        let hash = *blake3::hash(&whole).as_bytes();
        if self.world.files.get(&path) == Some(&hash) {
            return Ok(());
        }
        let mut are_whole = parts.len() == 2;
        for part in &parts {
            let head = self.api.ask(self.api.tus(Method::HEAD, &part.address)).await;
            let head = head.ok_or("nobody is there")?;
            let offset: Option<usize> = head.header("upload-offset").parse().ok();
            if offset.is_none_or(|offset| offset < part.acknowledged) {
                return Err(format!("a part of {path} stands at {offset:?} ({})", head.status));
            }
            are_whole &= offset == Some(part.bytes.len());
        }
        let places: Vec<String> = parts.iter().map(|part| part.address.clone()).collect();
        if !are_whole {
            for place in &places {
                self.api.ask(self.api.tus(Method::DELETE, place)).await.ok_or("nobody is there")?;
            }
            return Ok(());
        }
        let joined = self.api.ask(self.api.tus_join(&places, &path)).await;
        let joined = joined.ok_or("nobody is there")?;
        if !joined.is_success() {
            return Err(format!("the parts of {path} are not joined: {}", joined.text()));
        }
        self.world.files.insert(path, hash);
        Ok(())
    }
}
