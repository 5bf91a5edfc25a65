//! Artist rows: one for a MusicBrainz id or a name, shared by all libraries.

use std::collections::HashMap;

use super::{
    facts::Person,
    rows::{Rows, last_id, list},
};
use crate::{Result, catalog::identity, clock::Millis, db::Tx};

/// Finds the row of a person.
#[derive(Debug, Default)]
pub(super) struct ArtistIds {
    by_key: HashMap<String, i64>,
    /// For names without an id, whichever artist has the name.
    by_name: HashMap<String, i64>,
    /// Rows after this one are new.
    last_known: i64,
}

struct Known {
    id: i64,
    name: String,
    sort_name: String,
    has_mbid: bool,
}

impl ArtistIds {
    /// Whether the row was made for this batch.
    pub(super) fn is_new(&self, artist: i64) -> bool {
        self.last_known < artist
    }

    /// Everybody in it.
    pub(super) fn all(&self) -> impl Iterator<Item = i64> {
        self.by_key.values().copied()
    }

    pub(super) fn of(&self, person: &Person) -> Option<i64> {
        let key = identity::artist_key(&person.name, person.mbid.as_deref());
        self.by_key.get(&key).copied().or_else(|| {
            let name = identity::artist_name_key(&person.name);
            person.mbid.is_none().then(|| self.by_name.get(&name).copied()).flatten()
        })
    }
}

/// Makes sure that everybody named has a row. A name without a MusicBrainz id means the artist of
/// that name, if there is one; an artist known by name alone gets the id that comes with it.
pub(super) async fn upsert<'a>(
    tx: &mut Tx,
    now: Millis,
    people: impl Iterator<Item = &'a Person>,
) -> Result<ArtistIds> {
    let mut wanted: Vec<(String, String, &Person)> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for person in people {
        let key = identity::artist_key(&person.name, person.mbid.as_deref());
        if let Some(at) = seen.get(&key) {
            let known = &mut wanted[*at];
            if known.2.sort_name.is_none() && person.sort_name.is_some() {
                known.2 = person;
            }
            continue;
        }
        seen.insert(key.clone(), wanted.len());
        wanted.push((key, identity::artist_name_key(&person.name), person));
    }
    if wanted.is_empty() {
        return Ok(ArtistIds::default());
    }
    // Those with an id first, so that a bare name in the same batch finds them.
    wanted.sort_by_key(|(_, _, person)| person.mbid.is_none());

    let keys = list(wanted.iter().map(|(key, ..)| key));
    let names = list(wanted.iter().map(|(_, name, _)| name));
    let rows = sqlx::query!(
        "select artist_id, key, name_key, name, sort_name, mbid from artist
         where artist_id in (
            select artist_id from artist where key in (select value from json_each(?))
            union select artist_id from artist where name_key in (select value from json_each(?)))
         order by artist_id desc",
        keys,
        names
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut ids = ArtistIds::default();
    let mut known: HashMap<i64, Known> = HashMap::with_capacity(rows.len());
    for row in rows {
        // The oldest comes last and stays.
        ids.by_name.insert(row.name_key, row.artist_id);
        ids.by_key.insert(row.key, row.artist_id);
        known.insert(
            row.artist_id,
            Known {
                id: row.artist_id,
                name: row.name,
                sort_name: row.sort_name,
                has_mbid: row.mbid.is_some(),
            },
        );
    }

    let mut next = last_id(tx, "artist").await?;
    ids.last_known = next;
    let (mut new, mut search, mut changed) = (Rows::new(), Rows::new(), Rows::new());
    for (key, name_key, person) in wanted {
        let by_key = ids.by_key.get(&key).copied();
        let same_name = ids.by_name.get(&name_key).copied();
        // The bare name of a known artist, or a known bare name that now gets its id.
        let claimed = same_name.filter(|id| {
            person.mbid.is_none() || known.get(id).is_some_and(|known| !known.has_mbid)
        });
        let sort_name = person.sort_name.as_deref().unwrap_or(&person.name);
        let order_key = identity::order_key(sort_name);
        if let Some(id) = by_key.or(claimed) {
            let Some(row) = known.get_mut(&id) else { continue };
            let gets_id = by_key.is_none() && person.mbid.is_some();
            let is_respelled = identity::artist_name_key(&row.name) == name_key
                && row.name != person.name
                && (by_key.is_some() || gets_id);
            let gets_sort = person.sort_name.is_some() && row.sort_name == row.name;
            if gets_id || is_respelled || gets_sort {
                let name = if is_respelled { person.name.as_str() } else { row.name.as_str() };
                let sort_name =
                    if gets_sort || is_respelled { sort_name } else { row.sort_name.as_str() };
                changed.row(|out| {
                    out.value(row.id).text(name).text(sort_name);
                    out.text(&identity::order_key(sort_name));
                    out.option(person.mbid.as_deref().filter(|_| gets_id));
                    out.option(gets_id.then_some(key.as_str()));
                });
                search.row(|out| {
                    out.value(row.id).text(name);
                });
                row.name = name.to_owned();
                row.has_mbid |= gets_id;
            }
            ids.by_key.insert(key, id);
            continue;
        }
        next += 1;
        new.row(|row| {
            row.value(next).text(&key).text(&person.name).text(&name_key).text(sort_name);
            row.text(&order_key).option(person.mbid.as_deref()).value(now);
        });
        search.row(|row| {
            row.value(next).text(&person.name);
        });
        known.insert(
            next,
            Known {
                id: next,
                name: person.name.clone(),
                sort_name: sort_name.to_owned(),
                has_mbid: person.mbid.is_some(),
            },
        );
        ids.by_key.insert(key, next);
        ids.by_name.entry(name_key).or_insert(next);
    }
    new.run(
        tx,
        "insert into artist (artist_id, key, name, name_key, sort_name, order_key, mbid, created_at)
         values {rows}",
    )
    .await?;
    changed
        .run(
            tx,
            "update artist set name = j.column2, sort_name = j.column3, order_key = j.column4,
                    mbid = coalesce(j.column5, artist.mbid), key = coalesce(j.column6, artist.key)
             from (values {rows}) j where artist_id = j.column1",
        )
        .await?;
    search.run(tx, "insert or replace into artist_search (rowid, name) values {rows}").await?;
    Ok(ids)
}
