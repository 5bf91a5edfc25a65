//! Jellyfin before 10.11: `library.db` with `TypedBaseItems` and `UserDatas`, joined by
//! `UserDataKey` (its `SqliteItemRepository`); `UserDatas.userId` is `Users.InternalId` of
//! `jellyfin.db`.

use std::{collections::HashMap, path::Path};

use super::{
    jellyfin::{ALBUM, ARTIST, AUDIO, Items, PLAYLIST, Use, User, id, one_use},
    sqlite::Source,
};
use crate::{Error, Result};

/// Reads both.
pub(super) async fn read(library: &Path, users: Option<&Path>) -> Result<(Items, Vec<User>)> {
    let mut source = Source::open(library).await?;
    if !source.has("TypedBaseItems").await? {
        return Err(Error::Invalid(format!("{} is no database of Jellyfin", library.display())));
    }
    let Some(users) = users else {
        return Err(Error::Invalid(format!(
            "the names of the users are in jellyfin.db; put it beside {}",
            library.display()
        )));
    };
    let (items, keys) = items(&mut source).await?;
    let mut uses: HashMap<i64, Vec<Use>> = HashMap::new();
    let columns = [
        "userId",
        "key",
        "rating",
        "playCount",
        "isFavorite",
        "playbackPositionTicks",
        "lastPlayedDate",
    ];
    for row in source.rows("UserDatas", &columns, "").await? {
        if let Some(item) = keys.get(row.text(1)) {
            uses.entry(row.number(0)).or_default().push(one_use(item.clone(), &row));
        }
    }
    let mut source = Source::open(users).await?;
    let rows =
        source.rows("Users", &["Id", "Username", "InternalId"], "order by \"Username\"").await?;
    let people = rows.iter().map(|row| User {
        id: id(row.text(0)),
        name: row.text(1).to_owned(),
        uses: uses.remove(&row.number(2)).unwrap_or_default(),
    });
    let people: Vec<User> = people.collect();
    if people.is_empty() {
        return Err(Error::Invalid(format!("{} has no users", users.display())));
    }
    Ok((items, people))
}

/// The items, and which of them a key of user data means.
async fn items(source: &mut Source) -> Result<(Items, HashMap<String, String>)> {
    let columns = [
        "hex:guid",
        "type",
        "Path",
        "Name",
        "Album",
        "Artists",
        "AlbumArtists",
        "RunTimeTicks",
        "data",
        "UserDataKey",
        "ProviderIds",
    ];
    let tail = format!("where type in ('{AUDIO}', '{ALBUM}', '{ARTIST}', '{PLAYLIST}')");
    let (mut items, mut keys) = (Items::default(), HashMap::new());
    for row in source.rows("TypedBaseItems", &columns, &tail).await? {
        let id = guid(row.text(0));
        if row.has(9) {
            keys.insert(row.text(9).to_owned(), id.clone());
        }
        let providers: Vec<(String, String)> = row
            .text(10)
            .split('|')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        items.add(id, &row, &providers, Vec::new());
    }
    Ok((items, keys))
}

/// .NET keeps the first three parts of a GUID little-endian.
fn guid(hex: &str) -> String {
    if hex.len() != 32 {
        return id(hex);
    }
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let digits = order.iter().filter_map(|at| hex.get(at * 2..at * 2 + 2)).collect::<String>();
    digits.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #[test]
    fn guids_are_put_in_order() {
        let stored = "D37ECB9D75B0C0A8E9ECB0A864EC670E";
        assert_eq!(super::guid(stored), "9dcb7ed3b075a8c0e9ecb0a864ec670e");
        assert_eq!(super::guid(""), "");
    }
}
