//! Shares, for their owners: made, listed, changed, revoked. A share is a row that lists object
//! ids; visitors come in by [`visit`], which looks that row up for every single request.

mod visit;

use crate::{
    Error, Result,
    accounts::{Accounts, Principal},
    catalog::{
        Catalog, Item, NewShare, Share, ShareChange, Track, annotations::require_person, marks,
    },
    clock::{Clock, Millis},
    db::{Db, Tx},
    ids::{ShareId, UserId},
};

/// Shares of one user.
const MOST: i64 = 1000;
/// Objects of one share.
const MOST_ITEMS: usize = 500;

/// The shares. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shares {
    db: Db,
    clock: Clock,
    accounts: Accounts,
    catalog: Catalog,
    public_url: Option<String>,
}

impl Shares {
    /// Over an open database. `public_url` is the address that people use, if the operator named one.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Clock,
        accounts: Accounts,
        catalog: Catalog,
        public_url: Option<String>,
    ) -> Self {
        Self { db, clock, accounts, catalog, public_url }
    }

    /// Where visitors find a share: below the operator's address, else below `own`, the one that
    /// the request came to.
    #[must_use]
    pub fn address(&self, share: &Share, own: &str) -> String {
        let base = self.public_url.as_deref().unwrap_or(own).trim_end_matches('/');
        format!("{base}/s/{}", share.token)
    }

    /// Makes a share of what the principal may see. What it may not see is *not found*.
    pub async fn create(&self, principal: &Principal, new: &NewShare) -> Result<Share> {
        require_sharing(principal)?;
        if new.items.is_empty() || MOST_ITEMS < new.items.len() {
            return Err(Error::Invalid(format!("A share has from 1 to {MOST_ITEMS} items")));
        }
        for item in &new.items {
            if matches!(item, Item::Artist(_)) {
                return Err(Error::Invalid(
                    "Songs, albums, playlists and folders can be shared".to_owned(),
                ));
            }
            self.catalog.require_seen(principal, *item).await?;
        }
        // Later on a time that is past is a way to end it; at first it is a mistake.
        if is_over(new.expires_at, self.clock.now()) {
            return Err(Error::Invalid("A share ends in the future".to_owned()));
        }
        let token = self.accounts.new_share_token(principal.user)?;
        let hash = match &new.password {
            Some(password) => Some(self.accounts.hash_share_password(password).await?),
            None => None,
        };
        let (lookup, now) = (token.lookup.as_slice(), self.clock.now());
        let description = described(&new.description);
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into share (user_id, lookup, sealed, description, password_hash, may_download,
                                  created_at, expires_at)
             select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
             where (select count(*) from share where user_id = ?1) < ?9
             returning share_id as "id!: i64""#,
            principal.user,
            lookup,
            token.sealed,
            description,
            hash,
            new.may_download,
            now,
            new.expires_at,
            MOST
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or_else(|| {
            Error::Conflict("There are too many shares; remove some first".to_owned())
        })?;
        for (position, item) in new.items.iter().enumerate() {
            let (position, (kind, row)) = (position as i64, marks::kind(*item));
            sqlx::query!(
                "insert into share_item (share_id, position, kind, item_id) values (?, ?, ?, ?)",
                id,
                position,
                kind,
                row
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.one(principal, ShareId(id)).await
    }

    /// The principal's shares, newest first.
    pub async fn all(&self, principal: &Principal) -> Result<Vec<Share>> {
        self.read(Some(principal.user), None).await
    }

    /// Everybody's shares, newest first. Administrators only.
    pub async fn of_everybody(&self, principal: &Principal) -> Result<Vec<Share>> {
        principal.require_admin()?;
        self.read(None, None).await
    }

    /// One of them.
    pub async fn one(&self, principal: &Principal, id: ShareId) -> Result<Share> {
        self.read(Some(principal.user), Some(id)).await?.pop().ok_or(Error::NotFound("Share"))
    }

    /// Changes one of the principal's.
    pub async fn update(
        &self,
        principal: &Principal,
        id: ShareId,
        change: &ShareChange,
    ) -> Result<()> {
        require_sharing(principal)?;
        let hash = match &change.password {
            Some(Some(password)) => Some(self.accounts.hash_share_password(password).await?),
            _ => None,
        };
        let description = change.description.as_deref().map(described);
        let (sets_expiry, expires_at) = (change.expires_at.is_some(), change.expires_at.flatten());
        let sets_password = change.password.is_some();
        let mut tx = self.db.write().await?;
        let changed = sqlx::query!(
            "update share set description = coalesce(?1, description),
                    expires_at = iif(?2, ?3, expires_at),
                    password_hash = iif(?4, ?5, password_hash),
                    may_download = coalesce(?6, may_download)
             where share_id = ?7 and user_id = ?8",
            description,
            sets_expiry,
            expires_at,
            sets_password,
            hash,
            change.may_download,
            id,
            principal.user
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        finish(tx, changed).await
    }

    /// Revokes one of the principal's, or anybody's for an administrator: its address opens
    /// nothing from now on.
    pub async fn remove(&self, principal: &Principal, id: ShareId) -> Result<()> {
        let is_admin = principal.is_admin();
        let mut tx = self.db.write().await?;
        let changed = sqlx::query!(
            "delete from share where share_id = ? and (user_id = ? or ?)",
            id,
            principal.user,
            is_admin
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        finish(tx, changed).await
    }

    /// The tracks of a share as the principal sees them.
    pub async fn tracks(&self, principal: &Principal, share: &Share) -> Result<Vec<Track>> {
        let mut tracks: Vec<Track> = Vec::new();
        for item in &share.items {
            let more = match *item {
                Item::Track(id) => self.catalog.tracks_by_id(principal, &[id]).await,
                Item::Album(id) => self.catalog.album_tracks(principal, id).await,
                Item::Playlist(id) => self.catalog.playlist_tracks(principal, id).await,
                Item::Folder(id) => self.catalog.tree_tracks(principal, id).await,
                Item::Artist(_) => Ok(Vec::new()),
            };
            match more {
                Ok(more) => tracks.extend(more),
                // What went away since is no reason to hide the rest.
                Err(Error::NotFound(_)) => (),
                Err(error) => return Err(error),
            }
        }
        Ok(tracks)
    }

    async fn read(&self, owner: Option<UserId>, id: Option<ShareId>) -> Result<Vec<Share>> {
        let rows = sqlx::query!(
            r#"select s.share_id, s.user_id, u.name as owner, s.sealed, s.description,
                      s.password_hash is not null as "has_password: bool",
                      s.may_download as "may_download: bool", s.created_at, s.expires_at,
                      s.visited_at, s.visit_count
               from share s join user u using (user_id)
               where (?1 is null or s.user_id = ?1) and (?2 is null or s.share_id = ?2)
               order by s.share_id desc"#,
            owner,
            id
        )
        .fetch_all(self.db.read())
        .await?;
        let items = sqlx::query!(
            "select share_id, kind, item_id from share_item join share using (share_id)
             where (?1 is null or user_id = ?1) and (?2 is null or share_id = ?2)
             order by share_id, position",
            owner,
            id
        )
        .fetch_all(self.db.read())
        .await?;
        let mut shares = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(token) = self.accounts.open_share_token(UserId(row.user_id), &row.sealed)
            else {
                tracing::warn!(share = row.share_id, "a share was sealed under another key");
                continue;
            };
            shares.push(Share {
                id: ShareId(row.share_id),
                token,
                owner: row.owner,
                description: row.description,
                items: items
                    .iter()
                    .filter(|item| item.share_id == row.share_id)
                    .filter_map(|item| marks::item(&item.kind, item.item_id))
                    .collect(),
                has_password: row.has_password,
                may_download: row.may_download,
                created_at: row.created_at,
                expires_at: row.expires_at,
                visited_at: row.visited_at,
                visit_count: row.visit_count.max(0) as u64,
            });
        }
        Ok(shares)
    }
}

/// Commits a change that met a row.
async fn finish(tx: Tx, changed: u64) -> Result<()> {
    if changed == 0 {
        return Err(Error::NotFound("Share"));
    }
    tx.commit().await
}

fn require_sharing(principal: &Principal) -> Result<()> {
    require_person(principal)?;
    if principal.abilities.share {
        Ok(())
    } else {
        Err(Error::Forbidden("This user may not share".to_owned()))
    }
}

fn described(text: &str) -> String {
    text.trim().chars().filter(|letter| !letter.is_control() || *letter == '\n').take(500).collect()
}

/// Whether an end has come.
fn is_over(expires_at: Option<Millis>, now: Millis) -> bool {
    expires_at.is_some_and(|end| end <= now)
}
