//! Visitors of shares. Every request comes through [`Shares::open`], which looks the row up:
//! expiry, password, revocation and membership are judged anew for each byte. Unknown, expired
//! and revoked are one answer.

use super::{Shares, is_over};
use crate::{
    Error, Result,
    accounts::{Origin, Principal},
    catalog::{Door, Item, Share, Track, Visit},
    ids::{ShareId, TrackId, UserId},
};

/// A row that an address leads to.
struct Found {
    id: ShareId,
    lookup: [u8; 32],
    password_hash: Option<String>,
    owner: Principal,
}

impl Shares {
    /// What the address with this token opens, for a browser that holds `proof` of the password.
    pub async fn open(&self, token: &str, proof: Option<&str>, origin: &Origin) -> Result<Door> {
        let found = self.find(token, origin).await?;
        if let Some(hash) = &found.password_hash {
            let is_unlocked =
                proof.is_some_and(|proof| self.accounts.is_share_proof(&found.lookup, hash, proof));
            if !is_unlocked {
                return Ok(Door::Locked);
            }
        }
        let share = self.read(None, Some(found.id)).await?.pop().ok_or(Error::NotFound("Share"))?;
        let tracks = self.tracks(&found.owner, &share).await?;
        let (title, artist) = self.named(&found.owner, &share).await?;
        // A list without songs is a list; of anything else nothing is left, and nothing is told.
        if tracks.is_empty() && title.is_none() {
            return Err(Error::NotFound("Share"));
        }
        let own = match share.items.as_slice() {
            [item] if !tracks.is_empty() => Some(*item),
            _ => None,
        };
        let face = match own {
            Some(item) if self.catalog.has_cover(&found.owner, item).await? => Some(item),
            _ => tracks
                .iter()
                .find(|track| track.picture.is_some())
                .map(|track| Item::Track(track.id)),
        };
        let principal = found.owner;
        Ok(Door::Open(Box::new(Visit { share, principal, tracks, title, artist, face })))
    }

    /// Judges a guess at the password. Gives back the proof for the browser to hold.
    pub async fn unlock(&self, token: &str, password: &str, origin: &Origin) -> Result<String> {
        let found = self.find(token, origin).await?;
        let Some(hash) = &found.password_hash else { return Ok(String::new()) };
        self.accounts.check_share_password(&found.lookup, hash, password, origin).await?;
        Ok(self.accounts.share_proof(&found.lookup, hash))
    }

    /// Counts a visit.
    pub async fn visited(&self, share: &Share) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update share set visit_count = visit_count + 1, visited_at = ? where share_id = ?",
            now,
            share.id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    async fn find(&self, token: &str, origin: &Origin) -> Result<Found> {
        match self.find_row(token).await? {
            Some(found) => Ok(found),
            None => {
                self.accounts.share_missed(origin.address)?;
                Err(Error::NotFound("Share"))
            }
        }
    }

    async fn find_row(&self, token: &str) -> Result<Option<Found>> {
        let Some(lookup) = self.accounts.share_lookup(token) else { return Ok(None) };
        let key = lookup.as_slice();
        let row = sqlx::query!(
            "select share_id, user_id, password_hash, expires_at from share where lookup = ?",
            key
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(row) = row.filter(|row| !is_over(row.expires_at, self.clock.now())) else {
            return Ok(None);
        };
        let owner = self.accounts.share_owner(UserId(row.user_id)).await?;
        Ok(owner.map(|owner| Found {
            id: ShareId(row.share_id),
            lookup,
            password_hash: row.password_hash,
            owner,
        }))
    }

    /// Name and artist of a share of one thing.
    async fn named(
        &self,
        owner: &Principal,
        share: &Share,
    ) -> Result<(Option<String>, Option<String>)> {
        let named = match share.items.as_slice() {
            [Item::Album(id)] => self
                .catalog
                .album(owner, *id)
                .await
                .map(|album| (Some(album.name.clone()), Some(album.display_artist.clone()))),
            [Item::Playlist(id)] => {
                self.catalog.playlist(owner, *id).await.map(|list| (Some(list.name), None))
            }
            [Item::Track(id)] => self
                .catalog
                .track(owner, *id)
                .await
                .map(|track| (Some(track.title.clone()), Some(track.display_artist.clone()))),
            [Item::Folder(id)] => {
                self.catalog.folder(owner, *id).await.map(|folder| (Some(folder.name), None))
            }
            _ => Ok((None, None)),
        };
        match named {
            Err(Error::NotFound(_)) => Ok((None, None)),
            other => other,
        }
    }
}

impl Visit {
    /// A track of the share; any other is *not found*.
    pub fn track(&self, id: TrackId) -> Result<&Track> {
        self.tracks.iter().find(|track| track.id == id).ok_or(Error::NotFound("Track"))
    }
}
