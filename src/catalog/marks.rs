//! What a user added to items, in memory while he is about: stars, ratings, counts, bookmarks.
//! Every list needs some of them; reading them once is cheaper than joining them into each page. A
//! write goes to the database first, and then what it changed is read again: a heavy listener has
//! a hundred thousand of them, and marks one at a time.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::Deserialize;

use crate::{
    Result,
    accounts::Principal,
    catalog::{Annotation, Catalog, Item},
    ids::{AlbumId, ArtistId, FolderId, PlaylistId, TrackId, UserId},
};

/// One user's annotations and bookmarks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Marks {
    items: HashMap<Item, Annotation>,
    bookmarks: HashMap<TrackId, i64>,
}

impl Marks {
    /// The annotation of an item; empty if there is none.
    pub(super) fn of(&self, item: Item) -> Annotation {
        if self.items.is_empty() {
            return Annotation::default();
        }
        self.items.get(&item).cloned().unwrap_or_default()
    }

    /// Artists with a star.
    pub(super) fn starred_artists(&self) -> impl Iterator<Item = ArtistId> {
        self.items.iter().filter_map(|(item, annotation)| match item {
            Item::Artist(id) if annotation.starred_at.is_some() => Some(*id),
            _ => None,
        })
    }

    /// The bookmark in a track, ms.
    pub(super) fn bookmark(&self, track: TrackId) -> Option<i64> {
        if self.bookmarks.is_empty() {
            return None;
        }
        self.bookmarks.get(&track).copied()
    }

    /// Takes what was read again of an item: all if the user did it himself, else the mean alone.
    fn take(&mut self, item: Item, fresh: &Annotation, is_own: bool) {
        let kept = self.items.entry(item).or_default();
        let mean = fresh.average_rating;
        *kept = if is_own { fresh.clone() } else { std::mem::take(kept) };
        kept.average_rating = mean;
        if *kept == Annotation::default() {
            self.items.remove(&item);
        }
    }
}

/// Marks of the users who are about.
#[derive(Debug, Default)]
pub(super) struct AllMarks {
    kept: RwLock<Kept>,
    /// Whoever changed something reads it again and puts it in before the next one does, so that
    /// what is put in last is what was written last.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Counts writes, so that a read which began before one is not remembered after it.
    generation: i64,
    by_user: HashMap<UserId, (Arc<Marks>, AtomicBool)>,
}

impl AllMarks {
    /// Something was written that nobody can name item by item.
    pub(super) fn changed(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.generation += 1;
        kept.by_user = HashMap::new();
    }

    /// Grows with every write by anybody.
    pub(super) fn generation(&self) -> i64 {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// Lets go of users who asked for nothing since the last time.
    pub(super) fn tidy(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.by_user.retain(|_, (_, was_asked)| std::mem::take(was_asked.get_mut()));
        kept.by_user.shrink_to_fit();
    }

    /// A user's marks if they are known, and the generation.
    fn known(&self, user: UserId) -> (Option<Arc<Marks>>, i64) {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let marks = kept.by_user.get(&user).map(|(marks, was_asked)| {
            was_asked.store(true, Ordering::Relaxed);
            marks.clone()
        });
        (marks, kept.generation)
    }

    /// Keeps what was read while this generation lasted.
    fn keep(&self, generation: i64, user: UserId, marks: &Arc<Marks>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.generation == generation {
            kept.by_user.insert(user, (marks.clone(), true.into()));
        }
    }

    /// Puts in what was read again.
    fn patch(
        &self,
        user: UserId,
        annotations: &[(Item, Annotation)],
        bookmarks: &[(TrackId, Option<i64>)],
    ) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.generation += 1;
        for (who, (marks, _)) in &mut kept.by_user {
            // Copied only if an answer is being made of them.
            let marks = Arc::make_mut(marks);
            for (item, fresh) in annotations {
                marks.take(*item, fresh, *who == user);
            }
            if *who == user {
                for (track, position) in bookmarks {
                    match position {
                        Some(position) => marks.bookmarks.insert(*track, *position),
                        None => marks.bookmarks.remove(track),
                    };
                }
            }
        }
    }
}

/// A row of `annotation`: kind, item, star, rating, count, last listen.
#[derive(Deserialize)]
struct Row(String, i64, Option<i64>, Option<u8>, i64, Option<i64>, Option<f64>);

impl Row {
    fn read(self) -> Option<(Item, Annotation)> {
        let Self(kind, row, starred_at, rating, play_count, played_at, average_rating) = self;
        let play_count = play_count.max(0) as u64;
        let found = Annotation { starred_at, rating, average_rating, play_count, played_at };
        Some((item(&kind, row)?, found))
    }
}

impl Catalog {
    /// The principal's annotations.
    pub(super) async fn marks(&self, principal: &Principal) -> Result<Arc<Marks>> {
        if !principal.is_person() {
            return Ok(self.inner.nobody.clone());
        }
        let all = &self.inner.marks;
        let (known, generation) = all.known(principal.user);
        if let Some(marks) = known {
            return Ok(marks);
        }
        let marks = Arc::new(self.read_marks(principal.user).await?);
        all.keep(generation, principal.user, &marks);
        Ok(marks)
    }

    /// A user marked these: they are read again, and nothing else.
    pub(super) async fn marked(&self, user: UserId, items: &[Item]) -> Result<()> {
        let all = &self.inner.marks;
        let _turn = all.turn.lock().await;
        let mut fresh = Vec::with_capacity(items.len());
        for part in items.chunks(500) {
            let named: Vec<_> = part.iter().map(|item| kind(*item)).collect();
            let named = serde_json::to_string(&named)?;
            let json = sqlx::query_scalar!(
                r#"select json_group_array(json_array(kind, item_id, starred_at, rating, play_count, played_at, average))
                          as "rows!: String"
                   from (select j.value ->> 0 as kind, j.value ->> 1 as item_id, a.starred_at, a.rating,
                                coalesce(a.play_count, 0) as play_count, a.played_at,
                                (select avg(e.rating) from annotation e
                                 where e.kind = j.value ->> 0 and e.item_id = j.value ->> 1) as average
                         from json_each(?1) j left join annotation a
                              on a.user_id = ?2 and a.kind = j.value ->> 0 and a.item_id = j.value ->> 1)"#,
                named,
                user
            )
            .fetch_one(self.db.read())
            .await?;
            let rows: Vec<Row> = serde_json::from_str(&json)?;
            fresh.extend(rows.into_iter().filter_map(Row::read));
        }
        all.patch(user, &fresh, &[]);
        Ok(())
    }

    /// A user's bookmark in a track was set or removed.
    pub(super) async fn bookmarked(&self, user: UserId, track: TrackId) -> Result<()> {
        let all = &self.inner.marks;
        let _turn = all.turn.lock().await;
        let position = sqlx::query_scalar!(
            "select position_ms from bookmark where user_id = ? and track_id = ?",
            user,
            track
        )
        .fetch_optional(self.db.read())
        .await?;
        all.patch(user, &[], &[(track, position)]);
        Ok(())
    }

    async fn read_marks(&self, user: UserId) -> Result<Marks> {
        // As one text: a hundred thousand rows would be sent to this thread one by one.
        let json = sqlx::query_scalar!(
            r#"select json_group_array(json_array(kind, item_id, starred_at, rating, play_count, played_at, null))
                      as "rows!: String" from annotation where user_id = ?"#,
            user
        )
        .fetch_one(self.db.read())
        .await?;
        let averages = sqlx::query!(
            r#"select kind, item_id, avg(rating) as "average!: f64" from annotation
               where rating is not null group by kind, item_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        let bookmarks =
            sqlx::query!("select track_id, position_ms from bookmark where user_id = ?", user)
                .fetch_all(self.db.read())
                .await?;
        let rows: Vec<Row> = serde_json::from_str(&json)?;
        let mut items: HashMap<Item, Annotation> = rows
            .into_iter()
            .filter_map(Row::read)
            // What was taken back leaves an empty row.
            .filter(|(_, annotation)| *annotation != Annotation::default())
            .collect();
        for row in averages {
            if let Some(item) = item(&row.kind, row.item_id) {
                items.entry(item).or_default().average_rating = Some(row.average);
            }
        }
        let bookmarks =
            bookmarks.into_iter().map(|row| (row.track_id.into(), row.position_ms)).collect();
        Ok(Marks { items, bookmarks })
    }
}

/// Kind and row of an item, as the table has them.
pub(super) fn kind(item: Item) -> (&'static str, i64) {
    match item {
        Item::Track(id) => ("track", id.0),
        Item::Album(id) => ("album", id.0),
        Item::Artist(id) => ("artist", id.0),
        Item::Folder(id) => ("folder", id.0),
        Item::Playlist(id) => ("playlist", id.0),
    }
}

/// The item of a row; `None` for kinds of a later version.
pub(super) fn item(kind: &str, row: i64) -> Option<Item> {
    Some(match kind {
        "track" => Item::Track(TrackId(row)),
        "album" => Item::Album(AlbumId(row)),
        "artist" => Item::Artist(ArtistId(row)),
        "folder" => Item::Folder(FolderId(row)),
        "playlist" => Item::Playlist(PlaylistId(row)),
        _ => return None,
    })
}
