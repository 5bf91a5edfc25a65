//! Libraries and the tree as it lies on disk, and genres.

use std::{path::PathBuf, sync::Arc};

use serde::Deserialize;
use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, Folder, Genre, Item, Library, LibraryKind, Page, Picture, Track,
        find::folders_below,
        lists::{Keep, Listing, Order, Total},
        visible::{json_ids, within},
    },
    ids::{FolderId, LibraryId},
};

impl Catalog {
    /// Visible active libraries, by name.
    pub async fn libraries(&self, principal: &Principal) -> Result<Vec<Library>> {
        let visible = principal.libraries_json();
        let rows = sqlx::query!(
            "select library_id, name, kind, path, is_on_lan, state, scanned_at from library
             where is_active = 1 and library_id in (select value from json_each(?)) order by name, library_id",
            visible
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Library {
                id: row.library_id.into(),
                name: row.name,
                kind: match row.kind.as_str() {
                    "locker" => LibraryKind::Locker,
                    "household" => LibraryKind::Household,
                    _ => LibraryKind::Folder,
                },
                path: PathBuf::from(row.path),
                is_on_lan: row.is_on_lan != 0,
                state: row.state,
                scanned_at: row.scanned_at,
            })
            .collect())
    }

    /// A folder.
    pub async fn folder(&self, principal: &Principal, id: FolderId) -> Result<Folder> {
        let condition = format!("f.folder_id = {}", id.0);
        self.read_folders(principal, &condition).await?.pop().ok_or(Error::NotFound("Folder"))
    }

    /// The root folder of a library.
    pub async fn root_folder(&self, principal: &Principal, id: LibraryId) -> Result<Folder> {
        let condition = format!("f.library_id = {} and f.path = ''", id.0);
        self.read_folders(principal, &condition).await?.pop().ok_or(Error::NotFound("Folder"))
    }

    /// Ids and names of the folders right below, in no order: for lists too long to hold.
    pub async fn subfolder_names(
        &self,
        principal: &Principal,
        id: FolderId,
    ) -> Result<Vec<(FolderId, String)>> {
        let sql = format!(
            "select json_group_array(json_array(folder_id, name)) from folder f
             where parent_id = {} and {}",
            id.0,
            within("f.library_id", principal, None)
        );
        let json: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.db.read()).await?;
        Ok(serde_json::from_str(&json)?)
    }

    /// Several folders in the order asked; what is not visible or gone is left out.
    pub async fn folders_by_id(
        &self,
        principal: &Principal,
        ids: &[FolderId],
    ) -> Result<Vec<Folder>> {
        let mut rows: Vec<i64> = ids.iter().map(|id| id.0).collect();
        rows.sort_unstable();
        let condition = "f.folder_id in (select value from json_each(?1))";
        let found = self
            .read_folders_of(principal, condition, "f.folder_id", &json_ids(rows.iter().copied()))
            .await?;
        let mut places: Vec<Option<Folder>> =
            std::iter::repeat_with(|| None).take(ids.len()).collect();
        // Where each of those that ascend belongs.
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_unstable_by_key(|at| ids[*at]);
        let mut found = found.into_iter().peekable();
        for at in order {
            places[at] = found.next_if(|folder| folder.id == ids[at]);
        }
        Ok(places.into_iter().flatten().collect())
    }

    /// Folders right below, ordered by name.
    pub async fn subfolders(&self, principal: &Principal, id: FolderId) -> Result<Vec<Folder>> {
        self.read_folders(principal, &format!("f.parent_id = {}", id.0)).await
    }

    /// Tracks right in a folder, ordered by path and place in it.
    pub async fn folder_tracks(&self, principal: &Principal, id: FolderId) -> Result<Vec<Track>> {
        let visible = within("library_id", principal, None);
        let list = Listing {
            id: "track_id",
            from: format!(
                "from track where folder_id = {} and missing_at is null and {visible}",
                id.0
            ),
            start: String::new(),
            order: Order::By("path collate nocase, cue_index, track_id".to_owned()),
            keep: Keep::Revision,
            without: Arc::default(),
        };
        let ids = self.window(&list, Page::ALL, Total::Unasked).await?;
        self.tracks_by_row(principal, &ids.window).await
    }

    /// Tracks in a folder and in all below it, as far as anybody has use for so many.
    pub async fn tree_tracks(&self, principal: &Principal, id: FolderId) -> Result<Vec<Track>> {
        const MOST: u32 = 10_000;
        let visible = within("library_id", principal, None);
        let below = folders_below(id);
        let list = Listing {
            id: "track_id",
            from: format!(
                "from track where folder_id in ({below}) and missing_at is null and {visible}"
            ),
            start: String::new(),
            order: Order::By("path collate nocase, cue_index, track_id".to_owned()),
            keep: Keep::Revision,
            without: Arc::default(),
        };
        let page = Page { offset: 0, limit: MOST };
        let ids = self.window(&list, page, Total::Unasked).await?;
        self.tracks_by_row(principal, &ids.window).await
    }

    /// Genres with counts of what is visible, by name.
    pub async fn genres(&self, principal: &Principal) -> Result<Arc<Vec<Genre>>> {
        let visible = within("t.library_id", principal, None);
        let (revision, memory) = (self.revision().number, &self.inner.memory.genres);
        if let Some(genres) = memory.get(revision, visible.as_str()) {
            return Ok(genres);
        }
        // What each album has of a genre is counted with the album; few tracks have none.
        let sql = format!(
            "select g.genre_id, g.name, sum(c.tracks) as tracks, sum(c.albums) as albums
             from (select genre_id, tracks, 1 as albums from genre_album c where {}
                   union all
                   select tg.genre_id, 1, 0 from track t join track_genre tg using (track_id)
                   where t.album_id is null and t.missing_at is null and {visible}) c
                  join genre g using (genre_id)
             group by g.genre_id order by g.name",
            within("c.library_id", principal, None)
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let genres: Arc<Vec<Genre>> = Arc::new(
            rows.into_iter()
                .map(|row| Genre {
                    id: row.get::<i64, _>("genre_id").into(),
                    name: row.get("name"),
                    track_count: row.get::<i64, _>("tracks") as u32,
                    album_count: row.get::<i64, _>("albums") as u32,
                })
                .collect(),
        );
        memory.insert(revision, visible, genres.clone(), 1);
        Ok(genres)
    }

    pub(super) async fn read_folders(
        &self,
        principal: &Principal,
        condition: &str,
    ) -> Result<Vec<Folder>> {
        let by_name = "f.name collate nocase, f.folder_id";
        self.read_folders_of(principal, condition, by_name, "[]").await
    }

    /// The same in an order, with a list of ids for `?1`.
    async fn read_folders_of(
        &self,
        principal: &Principal,
        condition: &str,
        order: &str,
        ids: &str,
    ) -> Result<Vec<Folder>> {
        let visible = within("f.library_id", principal, None);
        // All rows travel as one JSON array, as those of tracks do.
        let sql = format!(
            "select json_group_array(json_array(folder_id, library_id, parent_id, path, name, created_at,
                    face_id, face_hash))
             from (select f.folder_id, f.library_id, f.parent_id, f.path, f.created_at,
                    iif(f.path = '', l.name, f.name) as name, f.face_id, f.face_hash
             from folder f join library l on l.library_id = f.library_id
             where {condition} and {visible} and ?1 is not null order by {order})"
        );
        let marks = self.marks(principal).await?;
        let query = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).bind(ids);
        let json = query.fetch_one(self.db.read()).await?;
        let rows: Vec<Row> = serde_json::from_str(&json)?;
        Ok(rows
            .into_iter()
            .map(|Row(id, library, parent, path, name, created_at, picture, hash)| {
                let id = FolderId(id);
                Folder {
                    id,
                    library: LibraryId(library),
                    parent: parent.map(Into::into),
                    name,
                    path,
                    picture: Picture::from_hex(picture, hash.as_deref()),
                    created_at,
                    annotation: marks.of(Item::Folder(id)),
                }
            })
            .collect())
    }
}

/// A row as [`Catalog::read_folders`] packs it: folder, library, parent, path, name, when it was
/// made, picture and the beginning of its hash.
#[derive(Deserialize)]
struct Row(i64, i64, Option<i64>, String, String, i64, Option<i64>, Option<String>);
