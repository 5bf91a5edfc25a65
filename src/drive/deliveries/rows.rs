//! Deliveries and their files as rows.

use super::{Deliveries, Delivery, Granted, Item, ItemSource, NewDelivery, Product};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{Exempt, RelativePath},
    ids::{DeliveryId, UserId},
    media::format::{Named, named},
};

/// A delivery that is to be carried out.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) id: DeliveryId,
    pub(super) digest: [u8; 32],
    pub(super) order: String,
    pub(super) user: Option<UserId>,
    pub(super) product: Product,
    pub(super) exempt: Option<Exempt>,
    pub(super) grants: Vec<Granted>,
    pub(super) is_done: bool,
}

/// A file of it that is not there yet.
pub(super) struct Waiting {
    pub(super) id: i64,
    pub(super) from: ItemSource,
    pub(super) path: RelativePath,
}

impl Deliveries {
    pub(super) async fn find(&self, source: &str, order: &str) -> Result<Option<Known>> {
        let row = sqlx::query!(
            r#"select delivery_id as "id!: i64", digest, order_id, user_id, product, exempt, grants, state
               from delivery where source = ? and order_id = ?"#,
            source,
            order
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Known {
            id: row.id.into(),
            digest: row.digest.try_into().unwrap_or_default(),
            order: row.order_id,
            user: row.user_id.map(UserId),
            product: if row.product == "album" { Product::Album } else { Product::Other },
            exempt: row.exempt.as_deref().and_then(Exempt::parse),
            grants: serde_json::from_str(&row.grants)?,
            is_done: row.state == "done",
        }))
    }

    /// Those of which something is to be fetched or that want nothing but their end, the oldest first.
    pub(super) async fn fetched_ones(&self) -> Result<Vec<Known>> {
        let rows = sqlx::query!(
            r#"select source, order_id from delivery d where state = 'open' and user_id is not null and (
                   exists (select 1 from delivery_item i where i.delivery_id = d.delivery_id
                       and i.state = 'waiting' and origin like '{"url":%')
                   or not exists (select 1 from delivery_item i where i.delivery_id = d.delivery_id
                       and i.state <> 'stored'))
               order by delivery_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.extend(self.find(&row.source, &row.order_id).await?);
        }
        Ok(found)
    }

    /// Whether all of its files are there.
    pub(super) async fn is_whole(&self, id: DeliveryId) -> Result<bool> {
        Ok(self.waiting(id).await?.is_empty())
    }

    /// A file that failed is tried again.
    pub(super) async fn wait_again(&self, item: i64) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update delivery_item set state = 'waiting', word = '', problem = ''
             where delivery_item_id = ? and state = 'failed'",
            item
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// What arrived of a file before, and by what its server knows it again.
    pub(super) async fn begun(&self, item: i64) -> Result<Option<(String, String)>> {
        let row = sqlx::query!(
            r#"select upload_id, validator as "validator!: String"
               from upload join delivery_item using (delivery_item_id)
               where delivery_item_id = ? and etag is null and validator is not null"#,
            item
        )
        .fetch_optional(self.db.read())
        .await?;
        Ok(row.map(|row| (row.upload_id, row.validator)))
    }

    pub(super) async fn note_begun(&self, item: i64, validator: &str) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update delivery_item set validator = ? where delivery_item_id = ?",
            validator,
            item
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes an order down before anything of it is done.
    pub(super) async fn insert(
        &self,
        source: &str,
        new: &NewDelivery,
        digest: &[u8; 32],
    ) -> Result<Known> {
        let paths = paths(new)?;
        let user = match self.accounts.find_user(&new.user).await? {
            Some(user) => user,
            None if new.creates_account => self.accounts.invite(&new.user).await?,
            None => return Err(Error::NotFound("User")),
        };
        let product = new.product.unwrap_or_else(|| guess(&paths));
        let word = if product == Product::Album { "album" } else { "other" };
        let exempt = new.exempt.map(Exempt::as_str);
        let grants = serde_json::to_string(&new.grants)?;
        let (digest, now) = (digest.as_slice(), self.clock.now());
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into delivery (source, order_id, digest, user_id, product, exempt, grants, created_at)
               values (?, ?, ?, ?, ?, ?, ?, ?) returning delivery_id as "id!: i64""#,
            source,
            new.order,
            digest,
            user.0,
            word,
            exempt,
            grants,
            now
        )
        .fetch_one(&mut *tx)
        .await?;
        for (item, path) in new.items.iter().zip(&paths) {
            let (origin, path) = (serde_json::to_string(&item.from)?, path.as_str());
            sqlx::query!(
                "insert into delivery_item (delivery_id, origin, path) values (?, ?, ?)",
                id,
                origin,
                path
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.find(source, &new.order).await?.ok_or(Error::NotFound("Delivery"))
    }

    pub(super) async fn waiting(&self, id: DeliveryId) -> Result<Vec<Waiting>> {
        let rows = sqlx::query!(
            r#"select delivery_item_id as "id!: i64", origin, path from delivery_item
               where delivery_id = ? and state <> 'stored' order by delivery_item_id"#,
            id.0
        )
        .fetch_all(self.db.read())
        .await?;
        rows.into_iter()
            .map(|row| {
                let from = serde_json::from_str(&row.origin)?;
                Ok(Waiting { id: row.id, from, path: RelativePath::from_disk(row.path) })
            })
            .collect()
    }

    pub(super) async fn failed(&self, item: i64, error: &Error) -> Result<()> {
        let (word, problem) = (error.word(), error.to_string());
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update delivery_item set state = 'failed', word = ?, problem = ? where delivery_item_id = ?",
            word,
            problem,
            item
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn ids(&self, principal: &Principal, limit: u32) -> Result<Vec<DeliveryId>> {
        let (is_admin, user) = (principal.is_admin(), principal.user.0);
        let ids = sqlx::query_scalar!(
            r#"select delivery_id as "id!: i64" from delivery where ?1 or user_id = ?2
               order by delivery_id desc limit ?3"#,
            is_admin,
            user,
            limit
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(ids.into_iter().map(DeliveryId).collect())
    }

    /// How a delivery stands.
    pub(super) async fn state(&self, id: DeliveryId) -> Result<Delivery> {
        let row = sqlx::query!(
            r#"select d.source, d.order_id, d.user_id, u.name as "user?: String", d.state, d.created_at
               from delivery d left join user u using (user_id) where d.delivery_id = ?"#,
            id.0
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Delivery"))?;
        let items = sqlx::query!(
            r#"select path, size_bytes, state, problem, word,
                      state = 'waiting' and origin like '{"url":%' as "is_awaited!: bool"
               from delivery_item where delivery_id = ? order by delivery_item_id"#,
            id.0
        )
        .fetch_all(self.db.read())
        .await?;
        // After a start what is left is told as under way before anybody has begun with it again.
        let is_left = row.state == "open"
            && row.user_id.is_some()
            && (items.iter().any(|item| item.is_awaited)
                || items.iter().all(|item| item.state == "stored"));
        let invitation = match row.user_id {
            Some(user) => self.accounts.invitation(UserId(user)).await?,
            None => None,
        };
        Ok(Delivery {
            id,
            source: row.source,
            order: row.order_id,
            user: row.user,
            is_done: row.state == "done",
            is_running: is_left || self.running.has(id),
            created_at: row.created_at,
            items: items
                .into_iter()
                .map(|item| Item {
                    path: item.path,
                    size: item.size_bytes.map(i64::unsigned_abs),
                    is_stored: item.state == "stored",
                    word: item.word,
                    problem: item.problem,
                })
                .collect(),
            invitation,
        })
    }
}

/// Where each file goes.
fn paths(new: &NewDelivery) -> Result<Vec<RelativePath>> {
    let folder: String = new
        .order
        .chars()
        .map(|letter| if letter.is_alphanumeric() || "-_ ".contains(letter) { letter } else { '-' })
        .collect();
    let path = |(number, item): (usize, &super::NewItem)| {
        let path = match &item.path {
            Some(path) => path.clone(),
            None => {
                let name = match &item.from {
                    ItemSource::Upload(_) => None,
                    ItemSource::Url(url) => url::Url::parse(url).ok().and_then(|url| {
                        let last = url.path_segments()?.next_back()?.to_owned();
                        percent_encoding::percent_decode_str(&last)
                            .decode_utf8()
                            .ok()
                            .map(Into::into)
                    }),
                    ItemSource::File(path) => {
                        path.file_name().and_then(|name| name.to_str()).map(str::to_owned)
                    }
                };
                let name = name.filter(|name: &String| !name.is_empty());
                let name = name.unwrap_or_else(|| format!("{}", number + 1));
                format!("Music/{}/{name}", folder.trim())
            }
        };
        let parsed = RelativePath::parse(&path).map_err(|problem| Error::NameInvalid {
            rule: problem.rule,
            detail: format!("{path}: {}", problem.sentence),
        })?;
        if parsed.is_root() {
            return Err(Error::Invalid("A delivered file has a name".to_owned()));
        }
        Ok(parsed)
    };
    new.items.iter().enumerate().map(path).collect()
}

/// Two or more pieces of music in one folder are an album.
fn guess(paths: &[RelativePath]) -> Product {
    let folder = |path: &RelativePath| {
        path.as_str().rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned())
    };
    let music: Vec<String> = paths
        .iter()
        .filter(|path| named(path.as_str()) == Some(Named::Audio))
        .map(folder)
        .collect();
    let is_album = music.iter().any(|one| 1 < music.iter().filter(|other| *other == one).count());
    if is_album { Product::Album } else { Product::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_album_is_known_by_its_folder() {
        let of = |paths: &[&str]| {
            guess(&paths.iter().map(|path| RelativePath::parse(path).unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["A/1.flac", "A/2.flac", "A/cover.jpg"]), Product::Album);
        assert_eq!(of(&["A/1.flac", "B/2.flac"]), Product::Other);
        assert_eq!(of(&["A/1.flac", "A/cover.jpg", "A/booklet.pdf"]), Product::Other);
    }
}
