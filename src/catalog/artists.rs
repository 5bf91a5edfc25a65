//! Artists: whole lists by role, remembered, and single ones.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Annotation, Artist, ArtistFacts, ArtistFilter, ArtistRole, Catalog, Item, List, Page,
        Picture,
        visible::{json_ids, within},
    },
    ids::ArtistId,
};

impl Catalog {
    /// Artists with at least one visible work in the wanted role, by order key.
    pub async fn artists(
        &self,
        principal: &Principal,
        filter: &ArtistFilter,
        page: Page,
    ) -> Result<List<Artist>> {
        let all = self.artist_list(principal, filter).await?;
        let marks = self.marks(principal).await?;
        let annotated = all.iter().map(|artist| Artist {
            facts: artist.facts.clone(),
            annotation: marks.of(Item::Artist(artist.id)),
        });
        let (offset, limit) = (page.offset as usize, page.limit as usize);
        if filter.starred {
            let mut starred: Vec<Artist> =
                annotated.filter(|artist| artist.annotation.starred_at.is_some()).collect();
            starred
                .sort_by_key(|artist| std::cmp::Reverse((artist.annotation.starred_at, artist.id)));
            let total = starred.len() as u64;
            return Ok(List {
                items: starred.into_iter().skip(offset).take(limit).collect(),
                total,
            });
        }
        Ok(List { items: annotated.skip(offset).take(limit).collect(), total: all.len() as u64 })
    }

    /// One artist.
    pub async fn artist(&self, principal: &Principal, id: ArtistId) -> Result<Artist> {
        self.artists_by_row(principal, &[id.0]).await?.pop().ok_or(Error::NotFound("Artist"))
    }

    /// Artists by row, annotated, in the order of `rows`; those without a visible work are left out.
    pub(super) async fn artists_by_row(
        &self,
        principal: &Principal,
        rows: &[i64],
    ) -> Result<Vec<Artist>> {
        let condition = format!(
            "r.artist_id in (select value from json_each('{}'))",
            json_ids(rows.iter().copied())
        );
        let read = self.read_artists(principal, None, &condition).await?;
        let marks = self.marks(principal).await?;
        Ok(rows
            .iter()
            .filter_map(|row| read.iter().find(|artist| artist.id.0 == *row))
            .map(|artist| Artist {
                facts: artist.facts.clone(),
                annotation: marks.of(Item::Artist(artist.id)),
            })
            .collect())
    }

    /// The whole list for these libraries and this role, from memory if it is there.
    async fn artist_list(
        &self,
        principal: &Principal,
        filter: &ArtistFilter,
    ) -> Result<Arc<Vec<Artist>>> {
        let within = within("library_id", principal, filter.library);
        let key = format!("{} {:?} {within}", self.revision().number, filter.role);
        if let Some(list) = self.inner.memory.artists.get(&key).await {
            return Ok(list);
        }
        let condition = match filter.role {
            ArtistRole::AlbumArtist => format!(
                "r.artist_id in (select aa.artist_id from album_artist aa join album b using (album_id)
                    where b.track_count > 0 and b.{within})"
            ),
            ArtistRole::Artist | ArtistRole::Composer => format!(
                "r.artist_id in (select ta.artist_id from track_artist ta join track t using (track_id)
                    where ta.role = '{}' and t.missing_at is null and t.{within})",
                if filter.role == ArtistRole::Artist { "artist" } else { "composer" }
            ),
            ArtistRole::Any => "true".to_owned(),
        };
        let list = Arc::new(self.read_artists(principal, filter.library, &condition).await?);
        self.inner.memory.artists.insert(key, list.clone()).await;
        Ok(list)
    }

    /// Artists under a condition with what is visible of them counted; those without are left out.
    async fn read_artists(
        &self,
        principal: &Principal,
        library: Option<crate::ids::LibraryId>,
        condition: &str,
    ) -> Result<Vec<Artist>> {
        let visible = within("library_id", principal, library);
        // Roles are few, so the distinct ones of an artist fit one short text.
        let sql = format!(
            "select r.artist_id, r.name, r.sort_name, r.order_key, r.mbid,
                    coalesce(own.picture_id, (select b.picture_id from album_artist aa join album b using (album_id)
                        where aa.artist_id = r.artist_id and b.picture_id is not null and b.track_count > 0 and b.{visible}
                        order by b.year desc, b.album_id limit 1)) as picture_id,
                    (select count(*) from album_artist aa join album b using (album_id)
                        where aa.artist_id = r.artist_id and b.track_count > 0 and b.{visible}) as albums,
                    works.tracks, works.roles
             from artist r
             left join picture own on own.picture_id = r.picture_id and own.{visible}
             join (select ta.artist_id, count(distinct ta.track_id) as tracks, group_concat(distinct ta.role) as roles
                   from track_artist ta join track t using (track_id)
                   where t.missing_at is null and t.{visible} {narrow}
                   group by ta.artist_id) works on works.artist_id = r.artist_id
             where {condition} order by r.order_key, r.artist_id",
            narrow = condition
                .strip_prefix("r.artist_id in (select value")
                .map(|rest| format!("and ta.artist_id in (select value{rest}"))
                .unwrap_or_default(),
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let pictures = self.pictures(rows.iter().filter_map(|row| row.get("picture_id"))).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let id: i64 = row.get("artist_id");
                let picture: Option<i64> = row.get("picture_id");
                let roles: String = row.get("roles");
                let mut roles: Vec<String> = roles.split(',').map(str::to_owned).collect();
                roles.sort_unstable();
                Artist {
                    facts: Arc::new(ArtistFacts {
                        id: id.into(),
                        name: row.get("name"),
                        sort_name: row.get("sort_name"),
                        order_key: row.get("order_key"),
                        mbid: row.get("mbid"),
                        picture: picture.and_then(|picture| pictures.get(&picture).copied()),
                        album_count: row.get::<i64, _>("albums") as u32,
                        track_count: row.get::<i64, _>("tracks") as u32,
                        roles,
                    }),
                    annotation: Annotation::default(),
                }
            })
            .collect())
    }

    /// Pictures by row.
    pub(super) async fn pictures(
        &self,
        rows: impl IntoIterator<Item = i64>,
    ) -> Result<std::collections::HashMap<i64, Picture>> {
        let mut rows: Vec<i64> = rows.into_iter().collect();
        if rows.is_empty() {
            return Ok(std::collections::HashMap::new());
        }
        rows.sort_unstable();
        rows.dedup();
        let rows = json_ids(rows);
        let found = sqlx::query!(
            "select picture_id, hash from picture where picture_id in (select value from json_each(?))",
            rows
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(found
            .into_iter()
            .filter_map(|row| {
                Picture::from_row(Some(row.picture_id), Some(&row.hash))
                    .map(|p| (row.picture_id, p))
            })
            .collect())
    }
}
