//! Stars and ratings: what people do to items.

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{Catalog, Item, Starred, marks::kind},
};

impl Catalog {
    /// Stars or unstars.
    pub async fn set_starred(
        &self,
        principal: &Principal,
        item: Item,
        starred: Starred,
    ) -> Result<()> {
        self.require_visible(principal, item).await?;
        let (kind, row) = kind(item);
        let at = (starred == Starred::Yes).then(|| self.clock.now());
        let mut tx = self.db.write().await?;
        // A second star keeps the first one's date.
        sqlx::query!(
            "insert into annotation (user_id, kind, item_id, starred_at) values (?1, ?2, ?3, ?4)
             on conflict do update set starred_at = iif(?4 is null, null, coalesce(starred_at, ?4))",
            principal.user,
            kind,
            row,
            at
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.marked(principal.user, &[item]).await
    }

    /// Rates 1 to 5, or removes the rating.
    pub async fn set_rating(
        &self,
        principal: &Principal,
        item: Item,
        rating: Option<u8>,
    ) -> Result<()> {
        if rating.is_some_and(|rating| !(1..=5).contains(&rating)) {
            return Err(Error::Invalid(
                "A rating is a number from 1 to 5, or 0 to remove it".to_owned(),
            ));
        }
        self.require_visible(principal, item).await?;
        let (kind, row) = kind(item);
        let at = rating.map(|_| self.clock.now());
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into annotation (user_id, kind, item_id, rating, rated_at) values (?1, ?2, ?3, ?4, ?5)
             on conflict do update set rating = ?4, rated_at = ?5",
            principal.user,
            kind,
            row,
            rating,
            at
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.marked(principal.user, &[item]).await
    }

    /// Fails as "not found" unless the principal is a person who may see the item.
    pub(super) async fn require_visible(&self, principal: &Principal, item: Item) -> Result<()> {
        require_person(principal)?;
        self.require_seen(principal, item).await
    }

    /// Fails as "not found" unless the principal may see the item.
    pub(super) async fn require_seen(&self, principal: &Principal, item: Item) -> Result<()> {
        match item {
            Item::Track(id) => self.track(principal, id).await.map(drop),
            Item::Album(id) => self.album(principal, id).await.map(drop),
            Item::Artist(id) => self.artist(principal, id).await.map(drop),
            Item::Folder(id) => self.folder(principal, id).await.map(drop),
            Item::Playlist(id) => self.playlist(principal, id).await.map(drop),
        }
    }
}

/// Devices have no stars, queue or playlists of their own.
pub(super) fn require_person(principal: &Principal) -> Result<()> {
    if principal.is_person() {
        Ok(())
    } else {
        Err(Error::Forbidden("A device without a user cannot keep anything".to_owned()))
    }
}
