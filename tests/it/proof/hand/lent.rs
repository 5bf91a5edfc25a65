//! Files that point into a watched folder.

use super::*;

impl Hand {
    /// What files come from that others act upon.
    pub(super) fn base(&self) -> Act {
        if self.songs.is_empty() { Act::Put } else { Act::Refer }
    }

    /// A song that is nowhere in the locker, at a new path without sending it.
    pub(super) async fn refer(&mut self, after: &mut World) -> Option<RequestBuilder> {
        let on = self.api.lends(true).await?;
        self.api.ask(on).await.filter(crate::proof::api::Answer::is_success)?;
        let is_new = |bytes: &&Vec<u8>| {
            let hash = *blake3::hash(bytes).as_bytes();
            !self.world.files.values().any(|known| *known == hash)
        };
        let bytes = self.songs.iter().find(is_new).expect("a song is left").clone();
        // The next time it is another one's turn.
        let at = self.songs.iter().position(|one| *one == bytes)?;
        self.songs[at..].rotate_left(1);
        let path = self.new_path();
        self.claim_as(path, &bytes, after).await
    }
}
