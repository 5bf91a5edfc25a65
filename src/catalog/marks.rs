//! What a user added to items, in memory while he is about: stars, ratings, counts, bookmarks.
//! A household's annotations are few thousand rows, and every list needs some of them; reading
//! them once is cheaper than joining them into each page. A write goes to the database first.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Annotation, Catalog, Item,
        memory::{Forget as _, Recent},
    },
    ids::{AlbumId, ArtistId, FolderId, PlaylistId, TrackId, UserId},
};

/// One user's annotations and bookmarks.
#[derive(Debug, Default)]
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
}

/// Marks of the users who are about.
#[derive(Debug)]
pub(super) struct AllMarks {
    by_user: Recent<UserId, Arc<Marks>>,
    /// Counts writes, so that a read which began before one is not remembered after it.
    generation: AtomicI64,
}

impl Default for AllMarks {
    fn default() -> Self {
        Self { by_user: Recent::with_room(128), generation: 0.into() }
    }
}

impl AllMarks {
    /// Something was written, by anybody: averages belong to all.
    pub(super) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.by_user.forget();
    }

    /// Grows with every write by anybody.
    pub(super) fn generation(&self) -> i64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Lets go of idle users.
    pub(super) fn tidy(&self) {
        self.by_user.forget_idle();
    }
}

impl Catalog {
    /// The principal's annotations.
    pub(super) async fn marks(&self, principal: &Principal) -> Result<Arc<Marks>> {
        if !principal.is_person() {
            return Ok(self.inner.nobody.clone());
        }
        let all = &self.inner.marks;
        let generation = all.generation();
        if let Some(marks) = all.by_user.get(generation, &principal.user) {
            return Ok(marks);
        }
        let marks = Arc::new(self.read_marks(principal.user).await?);
        all.by_user.insert(generation, principal.user, marks.clone(), 1);
        Ok(marks)
    }

    async fn read_marks(&self, user: UserId) -> Result<Marks> {
        let own = sqlx::query!(
            "select kind, item_id, starred_at, rating, play_count, played_at from annotation where user_id = ?",
            user
        )
        .fetch_all(self.db.read())
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
        let mut items: HashMap<Item, Annotation> = HashMap::with_capacity(own.len());
        for row in own {
            let Some(item) = item(&row.kind, row.item_id) else { continue };
            items.insert(
                item,
                Annotation {
                    starred_at: row.starred_at,
                    rating: row.rating.and_then(|rating| u8::try_from(rating).ok()),
                    average_rating: None,
                    play_count: row.play_count.max(0) as u64,
                    played_at: row.played_at,
                },
            );
        }
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
