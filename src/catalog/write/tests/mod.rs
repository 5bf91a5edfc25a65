//! The write side against a real database, with tags made by hand.

mod retagged;

use super::*;
use crate::{
    clock::Clock,
    db::Db,
    events::Events,
    ids::MediaFileId,
    media::tags::{Audio, PictureFacts, Tags},
    media::worker::Pool,
};

struct Bench {
    db: Db,
    clock: Clock,
    catalog: Catalog,
    _folder: tempfile::TempDir,
}

const LIBRARY: LibraryId = LibraryId(1);

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("x.db")).await.unwrap();
        let events = Events::default();
        let cache = folder.path().join("cache");
        let clock = Clock::manual(1_000);
        let pool = Pool::new("/nonexistent".into(), 1);
        let catalog = Catalog::open(db.clone(), clock.clone(), events, cache, pool).await.unwrap();
        let mut tx = db.write().await.unwrap();
        sqlx::query!(
            "insert into library (name, kind, path, created_at) values ('m', 'folder', '/m', 0)"
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        Self { db, clock, catalog, _folder: folder }
    }

    async fn apply(&self, files: Vec<FileFound>) -> Applied {
        self.catalog.apply(LIBRARY, &Batch { files, ..Batch::default() }).await.unwrap()
    }

    /// One column of text a row, for comparing.
    async fn rows(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(self.db.read()).await.unwrap()
    }

    async fn gone(&self, path: &str) {
        let id = sqlx::query_scalar!("select media_file_id from media_file where path = ?", path)
            .fetch_one(self.db.read())
            .await
            .unwrap();
        let gone = [FileGone { id: id.into(), path: path.to_owned() }];
        assert_eq!(self.catalog.remove_files(LIBRARY, &gone, &[]).await.unwrap(), 1);
    }

    /// No search row without a visible track or album, and none missing; works as they are counted.
    async fn check(&self) {
        self.catalog.settle_works().await.unwrap();
        let wrong = self
            .rows(
                "with counted as (
                   select ta.artist_id, t.library_id, count(distinct ta.track_id) as tracks,
                          (select count(*) from album_artist aa join album b using (album_id)
                           where aa.artist_id = ta.artist_id and b.library_id = t.library_id and 0 < b.track_count) as albums
                   from track_artist ta join track t using (track_id)
                   where t.missing_at is null group by ta.artist_id, t.library_id),
                 kept as (select artist_id, library_id, tracks, albums from artist_work)
                 select 'works of ' || artist_id from (select * from counted except select * from kept)
                 union all select 'no works of ' || artist_id from (select * from kept except select * from counted)
                 union all select 'genres of ' || album_id from (
                   select tg.genre_id, a.order_key, a.album_id, a.library_id, count(*) as tracks
                   from track_genre tg join track t using (track_id) join album a using (album_id)
                   where t.missing_at is null group by a.album_id, tg.genre_id
                   except select genre_id, order_key, album_id, library_id, tracks from genre_album)
                 union all select 'no genres of ' || album_id from genre_album ga where not exists (
                   select 1 from track_genre tg join track t using (track_id)
                   where t.album_id = ga.album_id and t.missing_at is null and tg.genre_id = ga.genre_id)
                 union all select 'genre of ' || name from album a where 0 < track_count and genre <> coalesce(
                   (select g.name from genre_album ga join genre g using (genre_id)
                    where ga.album_id = a.album_id and ga.place = 0), '')
                 union all select 'cover of ' || a.name from album a left join picture p using (picture_id)
                   where a.picture_id is not null and a.picture_hash is not hex(substr(p.hash, 1, 4))
                 union all select 'face of ' || f.path from folder f where f.face_id is not coalesce(f.picture_id,
                   (select b.picture_id from album b where b.folder_id = f.folder_id and b.picture_id is not null limit 1),
                   (select b.picture_id from folder c join album b on b.folder_id = c.folder_id
                    where c.library_id = f.library_id and f.path <> '' and c.path > f.path || '/'
                      and c.path < f.path || '0' and b.picture_id is not null order by c.path limit 1))
                 union all select 'face hash of ' || f.path from folder f left join picture p on p.picture_id = f.face_id
                   where f.face_hash is not hex(substr(p.hash, 1, 4)) and f.face_id is not null
                 union all select 'track ' || track_id from track where (missing_at is null)
                   <> (track_id in (select rowid from track_search))
                 union all select 'album ' || album_id from album where (0 < track_count)
                   <> (album_id in (select rowid from album_search))
                 union all select 'artist ' || artist_id from artist
                   where artist_id not in (select rowid from artist_search)
                 union all select 'album without artist ' || album_id from album
                   where album_id not in (select album_id from album_artist)
                 union all select 'count ' || album_id from album where track_count <>
                   (select count(*) from track t where t.album_id = album.album_id and missing_at is null)
                 union all select 'picture ' || picture_id from picture p where is_embedded = 1 and not exists
                   (select 1 from track t where t.path = p.path and t.picture_id = p.picture_id)
                 union all select 'broken ' || \"table\" from pragma_foreign_key_check",
            )
            .await;
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

fn tags(title: &str, artist: &str, album: &str) -> Tags {
    Tags {
        audio: Audio {
            container: "flac".into(),
            codec: "flac".into(),
            duration_ms: 1000,
            ..Audio::default()
        },
        title: Some(title.to_owned()),
        artists: vec![artist.to_owned()],
        display_artist: Some(artist.to_owned()),
        album: Some(album.to_owned()),
        album_artists: vec![artist.to_owned()],
        genres: vec!["Folk".to_owned()],
        date: Some("1971".to_owned()),
        ..Tags::default()
    }
}

fn file(path: &str, key: u8, tags: Tags) -> FileFound {
    let track = TrackFound { cue_index: None, start_ms: 0, tags, lyrics: Vec::new() };
    FileFound {
        path: path.to_owned(),
        size_bytes: 10,
        modified_ns: 5,
        inode: i64::from(key),
        sidecar_stamp: 0,
        moved_from: None,
        audio_hash: None,
        content: Content::Tracks { quick_key: [key; 32], tracks: vec![track] },
    }
}

const TRACKS: &str =
    "select track_id || ' ' || path || ' ' || title || iif(missing_at is null, '', ' gone')
     from track order by track_id";
const ALBUMS: &str =
    "select name || ' by ' || display_artist || ' ' || coalesce(year, '') || ' ' || genre
     || ' ' || track_count from album order by album_id";

#[tokio::test]
async fn a_batch_becomes_rows_and_may_come_twice() {
    let bench = Bench::new().await;
    let batch = || {
        vec![
            file("Ann/Blue/1.flac", 1, tags("One", "Ann", "Blue")),
            file("Ann/Blue/2.flac", 2, tags("Two", "Ann", "Blue")),
            file("Bob/3.flac", 3, tags("Three", "Bob", "Red")),
        ]
    };
    assert_eq!(bench.apply(batch()).await, Applied { new_tracks: 3, known_tracks: 0 });
    let first = bench.rows(TRACKS).await;
    assert_eq!(first, ["1 Ann/Blue/1.flac One", "2 Ann/Blue/2.flac Two", "3 Bob/3.flac Three"]);
    assert_eq!(bench.rows(ALBUMS).await, ["Blue by Ann 1971 Folk 2", "Red by Bob 1971 Folk 1"]);
    assert_eq!(
        bench.rows("select path from folder order by path").await,
        ["", "Ann", "Ann/Blue", "Bob"]
    );
    bench.check().await;
    assert_eq!(bench.apply(batch()).await, Applied { new_tracks: 0, known_tracks: 3 });
    assert_eq!(bench.rows(TRACKS).await, first);
    bench.check().await;
}

#[tokio::test]
async fn retagging_keeps_the_track_and_prunes_what_is_left() {
    let bench = Bench::new().await;
    bench.apply(vec![file("a.flac", 1, tags("One", "Ann", "Blue"))]).await;
    bench.apply(vec![file("a.flac", 2, tags("Uno", "Anna", "Azul"))]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 a.flac Uno"]);
    assert_eq!(bench.rows(ALBUMS).await, ["Azul by Anna 1971 Folk 1"]);
    assert_eq!(bench.rows("select name from artist").await, ["Anna"]);
    bench.check().await;
}

#[tokio::test]
async fn moving_and_swapping_keep_tracks() {
    let bench = Bench::new().await;
    bench
        .apply(vec![
            file("a.flac", 1, tags("One", "Ann", "Blue")),
            file("b.flac", 2, tags("Two", "Ann", "Blue")),
        ])
        .await;
    let moved = |path: &str, key: u8, title: &str| FileFound {
        moved_from: Some(MediaFileId(i64::from(key))),
        ..file(path, key, tags(title, "Ann", "Blue"))
    };
    bench.apply(vec![moved("a.flac", 2, "Two"), moved("b.flac", 1, "One")]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 b.flac One", "2 a.flac Two"]);
    bench.apply(vec![moved("new/c.flac", 1, "One")]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 new/c.flac One", "2 a.flac Two"]);
    // Onto another: that one is gone then.
    bench.apply(vec![moved("a.flac", 1, "One")]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 a.flac One", "2 a.flac Two gone"]);
    bench.check().await;
}

#[tokio::test]
async fn what_is_gone_hides_and_comes_back() {
    let bench = Bench::new().await;
    bench
        .apply(vec![
            file("a.flac", 1, tags("One", "Ann", "Blue")),
            file("b.flac", 2, tags("Two", "Ann", "Blue")),
        ])
        .await;
    bench.gone("a.flac").await;
    assert_eq!(bench.rows(TRACKS).await, ["1 a.flac One gone", "2 b.flac Two"]);
    assert_eq!(bench.rows(ALBUMS).await, ["Blue by Ann 1971 Folk 1"]);
    bench.gone("b.flac").await;
    assert_eq!(bench.rows(ALBUMS).await, ["Blue by Ann 1971  0"]);
    bench.check().await;
    // By path; by quick key elsewhere; by tags elsewhere with other bytes.
    bench.apply(vec![file("a.flac", 9, tags("Other", "Ann", "Blue"))]).await;
    bench.apply(vec![file("x/c.flac", 2, tags("Dos", "Ann", "Blue"))]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 a.flac Other", "2 x/c.flac Dos"]);
    bench.gone("x/c.flac").await;
    bench.apply(vec![file("y/d.flac", 7, tags("Dos", "Ann", "Blue"))]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 a.flac Other", "2 y/d.flac Dos"]);
    assert_eq!(bench.rows(ALBUMS).await, ["Blue by Ann 1971 Folk 2"]);
    bench.check().await;
}

#[tokio::test]
async fn unreadable_files_hide_their_tracks_until_they_heal() {
    let bench = Bench::new().await;
    bench.apply(vec![file("a.flac", 1, tags("One", "Ann", "Blue"))]).await;
    let mut broken = file("a.flac", 1, Tags::default());
    broken.content = Content::Unreadable("This is not music".to_owned());
    bench.apply(vec![broken]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 a.flac One gone"]);
    assert_eq!(
        bench.rows("select state || ': ' || reason from media_file").await,
        ["unreadable: This is not music"]
    );
    bench.check().await;
    bench.apply(vec![file("a.flac", 3, tags("One", "Ann", "Blue"))]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 a.flac One"]);
    bench.check().await;
}

#[tokio::test]
async fn albums_without_album_artist_are_by_their_tracks() {
    let bench = Bench::new().await;
    let bare = |title: &str, artist: &str| Tags {
        album_artists: Vec::new(),
        ..tags(title, artist, "Mix")
    };
    bench.apply(vec![file("m/1.flac", 1, bare("One", "Ann"))]).await;
    assert_eq!(bench.rows(ALBUMS).await, ["Mix by Ann 1971 Folk 1"]);
    bench.apply(vec![file("m/2.flac", 2, bare("Two", "Bob"))]).await;
    assert_eq!(bench.rows(ALBUMS).await, ["Mix by Various Artists 1971 Folk 2"]);
    bench.gone("m/1.flac").await;
    assert_eq!(bench.rows(ALBUMS).await, ["Mix by Bob 1971 Folk 1"]);
    bench.check().await;
}

#[tokio::test]
async fn a_bare_name_is_the_artist_with_the_id() {
    let bench = Bench::new().await;
    let with_id = |title: &str| Tags {
        mbid_artists: vec!["m1".into()],
        mbid_album_artists: vec!["m1".into()],
        ..tags(title, "Ann", "Blue")
    };
    bench.apply(vec![file("1.flac", 1, tags("One", "Ann", "Blue"))]).await;
    bench.apply(vec![file("2.flac", 2, with_id("Two"))]).await;
    bench.apply(vec![file("3.flac", 3, tags("Three", "ann", "Blue"))]).await;
    assert_eq!(bench.rows("select name || ' ' || mbid from artist").await, ["Ann m1"]);
    bench.check().await;
}

#[tokio::test]
async fn pictures_follow_their_files() {
    let bench = Bench::new().await;
    let facts =
        PictureFacts { hash: "ab".repeat(32), mime: "image/png".into(), ..PictureFacts::default() };
    let with = |title: &str| Tags { picture: Some(facts.clone()), ..tags(title, "Ann", "Blue") };
    bench.apply(vec![file("a/1.flac", 1, with("One")), file("a/2.flac", 2, with("Two"))]).await;
    let source = "select path from picture";
    let first = bench.rows(source).await.remove(0);
    bench.gone(&first).await;
    assert_ne!(bench.rows(source).await, [first]);
    bench.check().await;
    let picture = FolderPicture {
        path: "a/cover.jpg".into(),
        facts: PictureFacts {
            hash: "cd".repeat(32),
            mime: "image/jpeg".into(),
            ..PictureFacts::default()
        },
    };
    let batch = Batch { pictures: vec![("a".into(), Some(picture))], ..Batch::default() };
    bench.catalog.apply(LIBRARY, &batch).await.unwrap();
    let cover = "select p.path from album join picture p using (picture_id)";
    assert_eq!(bench.rows(cover).await, ["a/cover.jpg"]);
    let batch = Batch { pictures: vec![("a".into(), None)], ..Batch::default() };
    bench.catalog.apply(LIBRARY, &batch).await.unwrap();
    assert_ne!(bench.rows(cover).await, ["a/cover.jpg"]);
    bench.check().await;
}

#[tokio::test]
async fn parts_of_an_image_are_tracks() {
    let bench = Bench::new().await;
    let image = |titles: &[&str]| {
        let mut file = file("i.flac", 1, Tags::default());
        let tracks = titles.iter().zip(1..).map(|(title, at)| TrackFound {
            cue_index: Some(at),
            start_ms: u64::from(at) * 1000,
            tags: tags(title, "Ann", "Blue"),
            lyrics: Vec::new(),
        });
        file.content = Content::Tracks { quick_key: [1; 32], tracks: tracks.collect() };
        file
    };
    bench.apply(vec![image(&["One", "Two", "Three"])]).await;
    bench.apply(vec![image(&["One", "Dos"])]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 i.flac One", "2 i.flac Dos", "3 i.flac Three gone"]);
    bench.apply(vec![image(&["One", "Dos", "Three"])]).await;
    assert_eq!(bench.rows(TRACKS).await, ["1 i.flac One", "2 i.flac Dos", "3 i.flac Three"]);
    bench.check().await;
}
