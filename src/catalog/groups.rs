//! Albums by what they have in common: the years there are, the initials of their titles, and a
//! cover for each such group.

use std::{collections::HashMap, sync::Arc};

use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Album, Catalog, List, Page, Picture,
        lists::{Keep, Listing, Order, Total},
        visible::{json_ids, within},
    },
    ids::{AlbumId, GenreId},
};

/// Stands for every title that begins before `a`: digits and signs.
pub const SIGNS: char = '#';
/// Stands for every title that begins with an ideograph or beyond.
pub const IDEOGRAPHS: char = '~';
const FIRST_IDEOGRAPH: char = '\u{3400}';

impl Catalog {
    /// Years that visible albums have, with how many, oldest first.
    pub async fn years(&self, principal: &Principal) -> Result<Vec<(u32, u32)>> {
        let sql = format!(
            "select year, count(*) as albums from album
             where year between 1 and 9999 and track_count > 0 and {} group by year order by year",
            within("library_id", principal, None)
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.get::<i64, _>("year") as u32, row.get::<i64, _>("albums") as u32))
            .collect())
    }

    /// A cover for each of these genres: of an album that has a picture and a track of the genre.
    pub async fn genre_covers(
        &self,
        principal: &Principal,
        genres: &[GenreId],
    ) -> Result<HashMap<GenreId, (AlbumId, Picture)>> {
        let sql = format!(
            "select g.value as grp,
                    (select b.album_id from track_genre tg join track t using (track_id)
                            join album b on b.album_id = t.album_id
                     where tg.genre_id = g.value and t.missing_at is null and b.picture_id is not null
                       and {} limit 1) as album
             from json_each('{}') g",
            within("t.library_id", principal, None),
            json_ids(genres.iter().map(|genre| genre.0))
        );
        let covers = self.group_covers(principal, sql).await?;
        Ok(covers.into_iter().map(|(genre, cover)| (GenreId(genre), cover)).collect())
    }

    /// A cover for each of these years, from an album of it that has a picture.
    pub async fn year_covers(
        &self,
        principal: &Principal,
        years: &[u32],
    ) -> Result<HashMap<u32, (AlbumId, Picture)>> {
        let sql = format!(
            "select y.value as grp,
                    (select b.album_id from album b
                     where b.year = y.value and b.track_count > 0 and b.picture_id is not null
                       and {} order by b.order_key limit 1) as album
             from json_each('{}') y",
            within("b.library_id", principal, None),
            json_ids(years.iter().map(|year| i64::from(*year)))
        );
        let covers = self.group_covers(principal, sql).await?;
        Ok(covers.into_iter().map(|(year, cover)| (year as u32, cover)).collect())
    }

    /// Runs a statement that gives a group and an album, and looks the albums' pictures up.
    async fn group_covers(
        &self,
        principal: &Principal,
        sql: String,
    ) -> Result<Vec<(i64, (AlbumId, Picture))>> {
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let mut pairs: Vec<(i64, i64)> = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(album) = row.get::<Option<i64>, _>("album") {
                pairs.push((row.get("grp"), album));
            }
        }
        let albums: Vec<i64> = pairs.iter().map(|(_, album)| *album).collect();
        let albums = self.albums_by_row(principal, &albums).await?;
        let picture = |id: i64| {
            let album = albums.iter().find(|album| album.id.0 == id)?;
            album.picture.map(|picture| (album.id, picture))
        };
        Ok(pairs.into_iter().filter_map(|(group, album)| Some((group, picture(album)?))).collect())
    }

    /// Initials of visible albums, with how many, in the order of the list by name.
    pub async fn album_initials(&self, principal: &Principal) -> Result<Vec<(char, u32)>> {
        let sql = format!(
            "select substr(order_key, 1, 1) as initial, count(*) as albums from album
             where track_count > 0 and {} group by initial order by initial",
            within("library_id", principal, None)
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let mut initials: Vec<(char, u32)> = Vec::new();
        for row in rows {
            let initial = bucket(row.get::<String, _>("initial").chars().next());
            let albums = row.get::<i64, _>("albums") as u32;
            match initials.last_mut() {
                Some((last, count)) if *last == initial => *count += albums,
                _ => initials.push((initial, albums)),
            }
        }
        Ok(initials)
    }

    /// The albums of one initial of [`Catalog::album_initials`], by name.
    pub async fn albums_by_initial(
        &self,
        principal: &Principal,
        initial: char,
        page: Page,
    ) -> Result<List<Album>> {
        let range = initial_range("order_key", initial);
        let visible = within("library_id", principal, None);
        let list = Listing {
            id: "a.album_id",
            from: format!("from album a where a.track_count > 0 and {range} and {visible}"),
            start: String::new(),
            order: Order::along("album", "a", &["order_key", "album_id"]),
            keep: Keep::Revision,
            without: Arc::default(),
        };
        let ids = self.window(&list, page, Total::Counted).await?;
        let items = self.albums_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total.unwrap_or(0) })
    }
}

/// The range of a column of order keys that is one group of initials.
pub(super) fn initial_range(column: &str, initial: char) -> String {
    match initial {
        SIGNS => format!("{column} < 'a'"),
        IDEOGRAPHS => format!("{column} >= char({})", FIRST_IDEOGRAPH as u32),
        letter => {
            let code = letter as u32;
            format!("{column} >= char({code}) and {column} < char({})", code + 1)
        }
    }
}

/// Which group a first letter belongs to; groups are ranges of the order by name.
fn bucket(first: Option<char>) -> char {
    match first {
        None => SIGNS,
        Some(letter) if letter < 'a' => SIGNS,
        Some(letter) if FIRST_IDEOGRAPH <= letter => IDEOGRAPHS,
        Some(letter) => letter,
    }
}
