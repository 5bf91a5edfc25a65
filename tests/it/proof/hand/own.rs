//! What a hand has, and makes anew.

use super::*;

impl Hand {
    pub(super) async fn kept_id(&self, shelf: &str, path: &str) -> Option<String> {
        let answer = self.api.ask(self.api.request(Method::GET, shelf)).await?;
        let all = answer.json()["items"].as_array()?.clone();
        let found = all.iter().find(|it| it["path"] == path);
        assert!(found.is_some() || !answer.is_success(), "{shelf}: {path} is not among {all:?}");
        Some(found?["id"].as_str()?.to_owned())
    }

    /// `WebDAV` wants it to be there.
    pub(super) async fn make_folder_of(&self, path: &str) -> Option<()> {
        let folder = path.rsplit_once('/')?.0;
        let made = self.api.request(Method::PUT, &format!("files/{folder}/"));
        self.api.ask(made).await.filter(crate::proof::api::Answer::is_success).map(drop)
    }

    /// Files of the own locker without versions.
    pub(super) fn plain(&self) -> Vec<String> {
        let has_past = |path: &&String| self.world.versions.iter().any(|it| it.0 == **path);
        let own = self.world.files.keys().filter(|path| !path.contains(':'));
        own.filter(|path| !has_past(path)).cloned().collect()
    }

    /// Takes the last of what is in the own trash.
    pub(super) fn trashed(world: &mut World) -> Option<(String, Hash)> {
        let at = world.trash.iter().rposition(|it| !it.0.contains(':'))?;
        Some(world.trash.remove(at))
    }

    pub(super) fn new_path(&mut self) -> String {
        self.seed += 1;
        let number = self.seed & 0xffff_ffff;
        format!("{}/at {number:04}/{number:04} é.bin", self.folder)
    }

    pub(super) fn new_bytes(&mut self) -> Vec<u8> {
        self.seed += 1;
        let size = usize::try_from(self.seed * 7_919 % 900 + 100).unwrap() * self.most / 1_000;
        bytes(self.seed, size)
    }

    /// The name in staging of the upload by tus that was begun last.
    pub(in super::super) fn staged(&self) -> Option<String> {
        let id = self.begun.last()?.address.rsplit('/').next()?;
        Some(format!("up-{id}"))
    }
}
