//! The read side over a small library written by hand:
//!
//! ```text
//! 1 "Music" (shared)                       2 "Ann's locker"
//! ├── Björk / Debut (1993)  11, 12         └── Nobody / Secret (2020)  31
//! └── Various / Mix (2001)  21 Björk, 22 Aphex Twin ft. Björk
//! ```

use std::sync::Arc;

use super::*;
use crate::{
    Error,
    accounts::{Caps, Principal, Role, Scope},
    ids::{AlbumId, ArtistId, LibraryId, TrackId, UserId},
    media::worker::Pool,
};

const SEED: &str = "
insert into plan (plan_id, name, created_at) values (901, 'any', 0);
insert into user (user_id, name, role, password_hash, plan_id, created_at, changed_at)
  values (7, 'ann', 'user', '', 901, 0, 0), (8, 'bob', 'user', '', 901, 0, 0);
insert into library (library_id, name, kind, path, created_at) values (1, 'Music', 'folder', '/m', 0), (2, 'Ann', 'locker', '/l', 0);
insert into folder (folder_id, library_id, parent_id, path, name, created_at)
  values (1, 1, null, '', '', 0), (2, 1, 1, 'Debut', 'Debut', 0), (3, 1, 1, 'Mix', 'Mix', 0), (4, 2, null, '', '', 0);
insert into artist (artist_id, key, name, name_key, sort_name, order_key, created_at) values
  (1, 'bjork', 'Björk', 'björk', 'Björk', 'bjork', 0), (2, 'va', 'Various Artists', 'various artists', 'Various Artists', 'various artists', 0),
  (3, 'aphex', 'Aphex Twin', 'aphex twin', 'Aphex Twin', 'aphex twin', 0), (4, 'nobody', 'Nobody', 'nobody', 'Nobody', 'nobody', 0);
insert into album (album_id, library_id, key, name, sort_name, order_key, display_artist, artist_order_key, year, is_compilation, folder_id, track_count, duration_ms, created_at) values
  (1, 1, 'debut', 'Debut', 'Debut', 'debut', 'Björk', 'bjork', 1993, 0, 2, 2, 3000, 10),
  (2, 1, 'mix', 'Mix', 'Mix', 'mix', 'Various Artists', 'various artists', 2001, 1, 3, 2, 4000, 20),
  (3, 2, 'secret', 'Secret', 'Secret', 'secret', 'Nobody', 'nobody', 2020, 0, 4, 1, 1000, 30);
insert into album_artist values (1, 0, 1), (2, 0, 2), (3, 0, 4);
insert into track (track_id, library_id, folder_id, album_id, path, size_bytes, modified_ns, title, sort_title, order_key, display_artist, album_name, disc, number, year, duration_ms, container, codec, suffix, created_at, changed_at) values
  (11, 1, 2, 1, 'Debut/1.flac', 1, 0, 'Human Behaviour', '', 'human behaviour', 'Björk', 'Debut', 1, 1, 1993, 1000, 'flac', 'flac', 'flac', 10, 0),
  (12, 1, 2, 1, 'Debut/2.flac', 1, 0, 'Crying', '', 'crying', 'Björk', 'Debut', 1, 2, 1993, 2000, 'flac', 'flac', 'flac', 10, 0),
  (21, 1, 3, 2, 'Mix/1.mp3', 1, 0, 'Army of Me', '', 'army of me', 'Björk', 'Mix', 1, 1, 2001, 2000, 'mp3', 'mp3', 'mp3', 20, 0),
  (22, 1, 3, 2, 'Mix/2.mp3', 1, 0, 'Windowlicker', '', 'windowlicker', 'Aphex Twin', 'Mix', 1, 2, 2001, 2000, 'mp3', 'mp3', 'mp3', 20, 0),
  (31, 2, 4, 3, 'Secret.mp3', 1, 0, 'Secret', '', 'secret', 'Nobody', 'Secret', 1, 1, 2020, 1000, 'mp3', 'mp3', 'mp3', 30, 0);
insert into track_artist (track_id, role, position, artist_id) values
  (11, 'artist', 0, 1), (12, 'artist', 0, 1), (21, 'artist', 0, 1), (22, 'artist', 0, 3), (22, 'artist', 1, 1), (22, 'composer', 0, 3), (31, 'artist', 0, 4),
  (11, 'albumartist', 0, 1), (12, 'albumartist', 0, 1), (21, 'albumartist', 0, 2), (22, 'albumartist', 0, 2), (31, 'albumartist', 0, 4);
insert into genre values (1, 'Pop'), (2, 'Electronic');
insert into track_genre values (11, 0, 1), (12, 0, 1), (12, 1, 2), (21, 0, 1), (22, 0, 2), (31, 0, 1);
insert into genre_album (genre_id, order_key, album_id, library_id, place, tracks) values
  (1, 'debut', 1, 1, 0, 2), (2, 'debut', 1, 1, 1, 1), (1, 'mix', 2, 1, 0, 1), (2, 'mix', 2, 1, 1, 1), (1, 'secret', 3, 2, 0, 1);
insert into track_search (rowid, title, album, artist) select track_id, title, album_name, display_artist from track;
insert into album_search (rowid, name, artist) select album_id, name, display_artist from album;
insert into artist_search (rowid, name) select artist_id, name from artist;
";

pub(super) struct World {
    pub(super) catalog: Catalog,
    pub(super) ann: Principal,
    pub(super) bob: Principal,
    _folder: tempfile::TempDir,
}

pub(super) async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("db")).await.unwrap();
    let mut tx = db.write().await.unwrap();
    sqlx::raw_sql(SEED).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let pool = Pool::new("/nonexistent".into(), 1);
    let catalog = Catalog::open(
        db,
        Clock::manual(5_000),
        Events::default(),
        folder.path().join("cache"),
        pool,
    )
    .await
    .unwrap();
    let person = |id, name: &str, libraries: &[i64]| Principal {
        user: UserId(id),
        name: name.into(),
        role: Role::User,
        scope: Scope::Full,
        libraries: libraries.iter().copied().map(LibraryId).collect::<Vec<_>>().into(),
        caps: Caps::default(),
        abilities: crate::accounts::Abilities::default(),
    };
    World { catalog, ann: person(7, "ann", &[1, 2]), bob: person(8, "bob", &[1]), _folder: folder }
}

fn names(list: &List<Album>) -> Vec<&str> {
    list.items.iter().map(|album| album.name.as_str()).collect()
}

fn titles(tracks: &[Track]) -> Vec<&str> {
    tracks.iter().map(|track| track.title.as_str()).collect()
}

pub(super) const TEN: Page = Page { offset: 0, limit: 10 };

#[tokio::test]
async fn what_a_principal_may_not_see_is_not_found() {
    let w = world().await;
    assert_eq!(w.catalog.album(&w.ann, AlbumId(3)).await.unwrap().name, "Secret");
    assert!(matches!(w.catalog.album(&w.bob, AlbumId(3)).await, Err(Error::NotFound(_))));
    assert!(matches!(w.catalog.track(&w.bob, TrackId(31)).await, Err(Error::NotFound(_))));
    assert!(matches!(w.catalog.artist(&w.bob, ArtistId(4)).await, Err(Error::NotFound(_))));
    assert!(matches!(w.catalog.track_source(&w.bob, TrackId(31)).await, Err(Error::NotFound(_))));
    assert!(w.catalog.album_tracks(&w.bob, AlbumId(3)).await.unwrap().is_empty());
    assert_eq!(w.catalog.tracks_by_id(&w.bob, &[TrackId(31), TrackId(11)]).await.unwrap().len(), 1);
    assert!(w.catalog.search_tracks(&w.bob, "secret", TEN).await.unwrap().is_empty());
    assert_eq!(w.catalog.count_tracks(&w.bob, "secret").await.unwrap(), 0);
}

#[tokio::test]
async fn album_lists_come_in_every_order() {
    let w = world().await;
    let all = AlbumFilter::default();
    for (order, expected) in [
        (AlbumOrder::Name, ["Debut", "Mix", "Secret"]),
        (AlbumOrder::Artist, ["Debut", "Secret", "Mix"]),
        (AlbumOrder::Newest, ["Secret", "Mix", "Debut"]),
        (AlbumOrder::Year, ["Debut", "Mix", "Secret"]),
        (AlbumOrder::YearDescending, ["Secret", "Mix", "Debut"]),
    ] {
        let list = w.catalog.albums(&w.ann, &all, order, TEN).await.unwrap();
        assert_eq!(names(&list), expected, "{order:?}");
        assert_eq!(list.total, 3);
    }
    let second = w
        .catalog
        .albums(&w.ann, &all, AlbumOrder::Name, Page { offset: 1, limit: 1 })
        .await
        .unwrap();
    assert_eq!((names(&second), second.total), (vec!["Mix"], 3));
    let past = w
        .catalog
        .albums(&w.ann, &all, AlbumOrder::Name, Page { offset: 9, limit: 5 })
        .await
        .unwrap();
    assert_eq!((past.items.len(), past.total), (0, 3));
    let guests = AlbumFilter { guest_artist: Some(ArtistId(1)), ..AlbumFilter::default() };
    assert_eq!(
        names(&w.catalog.albums(&w.bob, &guests, AlbumOrder::Name, TEN).await.unwrap()),
        ["Mix"]
    );
    let genre = AlbumFilter { genre: Some("electronic".to_owned()), ..AlbumFilter::default() };
    assert_eq!(
        names(&w.catalog.albums(&w.bob, &genre, AlbumOrder::Name, TEN).await.unwrap()),
        ["Debut", "Mix"]
    );
    let years =
        AlbumFilter { from_year: Some(1993), to_year: Some(2001), ..AlbumFilter::default() };
    assert_eq!(w.catalog.albums(&w.ann, &years, AlbumOrder::Year, TEN).await.unwrap().total, 2);
}

#[tokio::test]
async fn facts_are_whole() {
    let w = world().await;
    let album = w.catalog.album(&w.ann, AlbumId(1)).await.unwrap();
    assert_eq!(album.genres, ["Pop", "Electronic"]);
    assert_eq!(album.artists[0].name.as_ref(), "Björk");
    assert_eq!(
        titles(&w.catalog.album_tracks(&w.ann, AlbumId(1)).await.unwrap()),
        ["Human Behaviour", "Crying"]
    );
    let track = w.catalog.track(&w.ann, TrackId(22)).await.unwrap();
    assert_eq!(
        track.artists.iter().map(|a| a.name.as_ref()).collect::<Vec<_>>(),
        ["Aphex Twin", "Björk"]
    );
    assert_eq!(track.contributors[0].role, "composer");
    assert_eq!((track.content_type, track.disc, track.number), ("audio/mpeg", Some(1), Some(2)));
    let artists = w.catalog.artists(&w.bob, &ArtistFilter::default(), TEN).await.unwrap();
    let seen: Vec<_> =
        artists.items.iter().map(|a| (a.name.as_str(), a.album_count, a.track_count)).collect();
    assert_eq!(seen, [("Björk", 1, 4), ("Various Artists", 1, 2)]);
    let genres = w.catalog.genres(&w.bob).await.unwrap();
    let counts: Vec<_> =
        genres.iter().map(|g| (g.name.as_str(), g.track_count, g.album_count)).collect();
    assert_eq!(counts, [("Electronic", 2, 2), ("Pop", 3, 2)]);
    let root = w.catalog.root_folder(&w.bob, LibraryId(1)).await.unwrap();
    assert_eq!(root.name, "Music");
    let below = w.catalog.subfolders(&w.bob, root.id).await.unwrap();
    assert_eq!(
        below.iter().map(|folder| folder.name.as_str()).collect::<Vec<_>>(),
        ["Debut", "Mix"]
    );
    assert_eq!(w.catalog.folder_tracks(&w.bob, below[1].id).await.unwrap().len(), 2);
}

/// However long it is, and however often the others say it.
#[tokio::test]
async fn what_is_called_so_is_found_before_what_is_only_on_it() {
    let w = world().await;
    let mut tx = w.catalog.db.write().await.unwrap();
    let renamed = "delete from track_search where rowid in (12, 22);
        insert into track_search (rowid, title, album, artist) values
          (12, 'Crying for a long time in a mixture of very many other words', 'Debut', 'Björk'),
          (22, 'Windowlicker', 'Mix of a Mix', 'Mix Mixer');";
    sqlx::raw_sql(renamed).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let found = w.catalog.search_tracks(&w.bob, "mix", TEN).await.unwrap();
    let found: Vec<i64> = found.iter().map(|track| track.id.0).collect();
    assert_eq!((found[0], found.len()), (12, 3), "{found:?}");
}

#[tokio::test]
async fn search_ignores_case_and_accents() {
    let w = world().await;
    for query in ["bjork", "BJÖRK", "bjö", "army bjork"] {
        let found = w.catalog.search_tracks(&w.bob, query, TEN).await.unwrap();
        assert!(titles(&found).contains(&"Army of Me"), "{query}");
    }
    let wanted = Wanted { artists: TEN, albums: TEN, tracks: TEN };
    let found = w.catalog.search(&w.bob, "deb", None, wanted).await.unwrap();
    assert_eq!((found.albums.len(), found.albums[0].name.as_str()), (1, "Debut"));
    assert_eq!(titles(&found.tracks), ["Crying", "Human Behaviour"]);
    assert_eq!(w.catalog.search_artists(&w.bob, "bjo", TEN).await.unwrap()[0].name, "Björk");
    assert_eq!(w.catalog.count_tracks(&w.bob, "bjork").await.unwrap(), 3);
    let mut seen = Vec::new();
    for offset in 0..5 {
        let page = Page { offset, limit: 1 };
        seen.extend(
            w.catalog.search_tracks(&w.ann, "\"\"", page).await.unwrap().iter().map(|t| t.id.0),
        );
    }
    assert_eq!(seen, [11, 12, 21, 22, 31]);
}

#[tokio::test]
async fn windows_put_together_are_the_list() {
    let w = world().await;
    let all = AlbumFilter::default();
    let years = AlbumFilter { from_year: Some(1990), to_year: Some(2030), ..all.clone() };
    for (filter, order) in [
        (&all, AlbumOrder::Name),
        (&all, AlbumOrder::Artist),
        (&all, AlbumOrder::Newest),
        (&all, AlbumOrder::Year),
        (&years, AlbumOrder::Year),
        (&years, AlbumOrder::YearDescending),
    ] {
        let whole = w.catalog.albums(&w.ann, filter, order, TEN).await.unwrap();
        // A window in the middle comes first, so that it is looked for from the front; the others
        // begin where one is known to end.
        for offset in [1, 2, 0, 1, 2, 3] {
            let page = Page { offset, limit: 1 };
            let window = w.catalog.albums(&w.ann, filter, order, page).await.unwrap();
            let expected: Vec<&str> =
                names(&whole).into_iter().skip(offset as usize).take(1).collect();
            assert_eq!((names(&window), window.total), (expected, 3), "{order:?} {offset}");
        }
    }
    let artists = ArtistFilter { role: ArtistRole::Any, ..ArtistFilter::default() };
    let whole = w.catalog.artists(&w.ann, &artists, TEN).await.unwrap();
    let index = w.catalog.artist_index(&w.ann, &artists).await.unwrap();
    let ids: Vec<ArtistId> = index.into_iter().flat_map(|(_, ids)| ids).collect();
    assert_eq!(ids, whole.items.iter().map(|artist| artist.id).collect::<Vec<_>>());
    assert_eq!(w.catalog.artists_by_id(&w.bob, None, &ids).await.unwrap().len(), 3, "not Nobody");
}

#[tokio::test]
async fn annotations_are_each_users_own() {
    let w = world().await;
    let (album, track) = (Item::Album(AlbumId(1)), Item::Track(TrackId(11)));
    w.catalog.set_starred(&w.ann, album, Starred::Yes).await.unwrap();
    w.catalog.set_rating(&w.ann, track, Some(4)).await.unwrap();
    w.catalog.set_rating(&w.bob, track, Some(5)).await.unwrap();
    assert!(w.catalog.set_rating(&w.bob, track, Some(6)).await.is_err());
    assert_eq!(
        w.catalog.album(&w.ann, AlbumId(1)).await.unwrap().annotation.starred_at,
        Some(5_000)
    );
    assert_eq!(w.catalog.album(&w.bob, AlbumId(1)).await.unwrap().annotation.starred_at, None);
    let seen = w.catalog.track(&w.bob, TrackId(11)).await.unwrap().annotation;
    assert_eq!((seen.rating, seen.average_rating), (Some(5), Some(4.5)));
    let starred = AlbumFilter { starred: true, ..AlbumFilter::default() };
    assert_eq!(
        names(&w.catalog.albums(&w.ann, &starred, AlbumOrder::Starred, TEN).await.unwrap()),
        ["Debut"]
    );
    w.catalog.set_starred(&w.ann, album, Starred::No).await.unwrap();
    assert_eq!(
        w.catalog.albums(&w.ann, &starred, AlbumOrder::Starred, TEN).await.unwrap().total,
        0
    );
    assert!(matches!(
        w.catalog.set_starred(&w.bob, Item::Track(TrackId(31)), Starred::Yes).await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn a_listen_counts_once_however_often_it_comes() {
    let w = world().await;
    let listen = |at| Listen::scrobble(TrackId(22), Some(at), "test");
    w.catalog.record_listens(&w.bob, &[listen(200), listen(100), listen(200)]).await.unwrap();
    w.catalog.record_listens(&w.bob, &[listen(100)]).await.unwrap();
    let seen = w.catalog.track(&w.bob, TrackId(22)).await.unwrap().annotation;
    assert_eq!((seen.play_count, seen.played_at), (2, Some(200)));
    let recent =
        w.catalog.albums(&w.bob, &AlbumFilter::default(), AlbumOrder::Recent, TEN).await.unwrap();
    assert_eq!(names(&recent), ["Mix"]);
    let top = w.catalog.top_tracks(&w.bob, ArtistId(1), 2).await.unwrap();
    assert_eq!(titles(&top)[0], "Windowlicker");
    let like = w.catalog.similar_tracks(&w.bob, Item::Track(TrackId(11)), 10).await.unwrap();
    assert!(!like.is_empty() && like.iter().all(|track| track.id != TrackId(11)));
}

#[tokio::test]
async fn a_listen_that_is_scrobbled_and_reported_counts_once() {
    let w = world().await;
    let track = w.catalog.track(&w.bob, TrackId(22)).await.unwrap();
    let length = track.duration_ms as i64;
    let count = async || w.catalog.track(&w.bob, TrackId(22)).await.unwrap().annotation.play_count;
    let scrobble = |at| Listen::scrobble(TrackId(22), Some(at), "app");
    let report = |at: i64| Listen {
        source: ListenSource::Report,
        heard_ms: Some(track.duration_ms),
        ended_at: Some(at + length),
        ..scrobble(at)
    };
    let record = async |listen| w.catalog.record_listens(&w.bob, &[listen]).await.unwrap();
    // Reported, then scrobbled under its beginning, and that again.
    record(report(1_000_000)).await;
    record(scrobble(1_000_300)).await;
    record(scrobble(1_000_300)).await;
    assert_eq!(count().await, 1);
    // Scrobbled under its end, then reported; heard again at once, the same.
    record(scrobble(9_000_000 + length)).await;
    record(report(9_000_000)).await;
    record(report(9_000_500 + length)).await;
    record(scrobble(9_000_500 + 2 * length)).await;
    assert_eq!(count().await, 3);
    let history = w.catalog.history(&w.bob, TEN).await.unwrap();
    assert_eq!(history.total, 3);
    assert!(history.items.iter().all(|heard| heard.heard_ms == Some(track.duration_ms)));
    // Another app, or long before, is another listen.
    record(Listen { client: "other".to_owned(), ..scrobble(9_000_001) }).await;
    record(scrobble(100_000)).await;
    assert_eq!(count().await, 5);
}

#[tokio::test]
async fn playlists_and_queue() {
    let w = world().await;
    let ids = [TrackId(11), TrackId(31), TrackId(22), TrackId(11)];
    let list = w.catalog.create_playlist(&w.ann, " Evening ", &ids).await.unwrap();
    let before = w.catalog.revision().number;
    assert!(matches!(w.catalog.playlist(&w.bob, list).await, Err(Error::NotFound(_))));
    let change = PlaylistChange { is_public: Some(true), ..PlaylistChange::default() };
    w.catalog.update_playlist(&w.ann, list, &change).await.unwrap();
    assert!(before < w.catalog.revision().number);
    let seen = w.catalog.playlist(&w.bob, list).await.unwrap();
    assert_eq!((seen.name.as_str(), seen.track_count, seen.is_readonly), ("Evening", 3, true));
    assert!(matches!(
        w.catalog.update_playlist(&w.bob, list, &change).await,
        Err(Error::Forbidden(_))
    ));
    let change =
        PlaylistChange { remove: vec![0, 1], add: vec![TrackId(12)], ..PlaylistChange::default() };
    w.catalog.update_playlist(&w.ann, list, &change).await.unwrap();
    let tracks = w.catalog.playlist_tracks(&w.ann, list).await.unwrap();
    assert_eq!(titles(&tracks), ["Windowlicker", "Human Behaviour", "Crying"]);
    w.catalog.remove_playlist(&w.ann, list).await.unwrap();
    assert!(w.catalog.playlists(&w.ann).await.unwrap().is_empty());

    w.catalog.save_play_queue(&w.ann, &ids, 2, 1234, "phone").await.unwrap();
    let queue = w.catalog.play_queue(&w.ann).await.unwrap().unwrap();
    assert_eq!((queue.tracks.len(), queue.current_index, queue.position_ms), (4, 2, 1234));
    w.catalog.save_play_queue(&w.ann, &[], 0, 0, "phone").await.unwrap();
    assert!(w.catalog.play_queue(&w.ann).await.unwrap().is_none());
    w.catalog.set_bookmark(&w.ann, TrackId(12), 77, "here").await.unwrap();
    assert_eq!(w.catalog.track(&w.ann, TrackId(12)).await.unwrap().bookmark_ms, Some(77));
    assert_eq!(w.catalog.bookmarks(&w.ann).await.unwrap()[0].comment, "here");
}

#[tokio::test]
async fn facts_are_shared_until_something_changes() {
    let w = world().await;
    let first = w.catalog.album(&w.ann, AlbumId(1)).await.unwrap();
    let second = w.catalog.album(&w.bob, AlbumId(1)).await.unwrap();
    assert!(Arc::ptr_eq(&first.facts, &second.facts));
    let mut tx = w.catalog.db.write().await.unwrap();
    sqlx::query!("update album set name = 'Debut!' where album_id = 1")
        .execute(&mut *tx)
        .await
        .unwrap();
    let revision = w.catalog.bump_revision(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    w.catalog.announce(revision);
    assert_eq!(w.catalog.album(&w.ann, AlbumId(1)).await.unwrap().name, "Debut!");
}

/// Only what was marked is read again; it is what reading everything would give.
#[tokio::test]
async fn marks_are_mended_as_they_would_be_read() {
    let w = world().await;
    let (album, track) = (Item::Album(AlbumId(1)), Item::Track(TrackId(22)));
    for step in 0..9 {
        // Both are about, so that both are mended.
        for who in [&w.ann, &w.bob] {
            w.catalog.marks(who).await.unwrap();
        }
        let of = &w.catalog;
        match step {
            0 => of.set_starred(&w.ann, album, Starred::Yes).await,
            1 => of.set_rating(&w.bob, track, Some(2)).await,
            2 => of.set_rating(&w.ann, track, Some(5)).await,
            3 => {
                let listen = Listen::scrobble(TrackId(22), Some(4_000), "app");
                of.record_listens(&w.ann, &[listen]).await
            }
            4 => of.set_bookmark(&w.ann, TrackId(22), 900, "").await,
            5 => of.set_rating(&w.bob, track, None).await,
            6 => of.remove_bookmark(&w.ann, TrackId(22)).await,
            7 => of.set_rating(&w.ann, track, None).await,
            _ => of.set_starred(&w.ann, album, Starred::No).await,
        }
        .unwrap();
        let mut mended = Vec::new();
        for who in [&w.ann, &w.bob] {
            mended.push(w.catalog.marks(who).await.unwrap());
        }
        w.catalog.inner.marks.changed();
        for (who, mended) in [&w.ann, &w.bob].into_iter().zip(mended) {
            assert_eq!(w.catalog.marks(who).await.unwrap(), mended, "{step} {}", who.name);
        }
    }
}
