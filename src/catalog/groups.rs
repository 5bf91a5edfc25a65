//! Albums by what they have in common: the years there are, and the initials of their titles.

use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Album, Catalog, List, Page,
        lists::{Keep, Listing, Order, Total},
        visible::within,
    },
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
        let range = match initial {
            SIGNS => "order_key < 'a'".to_owned(),
            IDEOGRAPHS => format!("order_key >= char({})", FIRST_IDEOGRAPH as u32),
            letter => {
                let code = letter as u32;
                format!("order_key >= char({code}) and order_key < char({})", code + 1)
            }
        };
        let visible = within("library_id", principal, None);
        let list = Listing {
            id: "a.album_id",
            from: format!("from album a where a.track_count > 0 and {range} and {visible}"),
            order: Order::along("album", "a", &["order_key", "album_id"]),
            keep: Keep::Revision,
        };
        let ids = self.window(&list, page, Total::Counted).await?;
        let items = self.albums_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total.unwrap_or(0) })
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
