//! `navidrome.db`.

use serde_json::json;
use sqlx::Connection as _;
use tunelocker::{
    catalog::Trial,
    moving::{self, Joins, Outcome, Program, Tally},
};

use super::{bring, database};
use crate::subsonic::{App, House, names};

/// The tables as Navidrome's migrations leave them, those that matter, every column.
pub(crate) const SCHEMA: &str = r"
create table user (id varchar(255) not null primary key, user_name varchar(255) default '' not null unique,
    name varchar(255) collate nocase default '' not null, email varchar(255) default '' not null,
    password varchar(255) default '' not null, is_admin bool default FALSE not null, last_login_at datetime,
    last_access_at datetime, created_at datetime not null, updated_at datetime not null);
create table library (id integer primary key autoincrement, name text not null unique, path text not null unique,
    remote_path text null default '', last_scan_at datetime not null default '0000-00-00 00:00:00',
    updated_at datetime not null default current_timestamp, created_at datetime not null default current_timestamp);
create table media_file (id varchar(255) not null primary key, path varchar(255) default '' not null,
    title varchar(255) default '' not null, album varchar(255) default '' not null,
    artist varchar(255) default '' not null, artist_id varchar(255) default '' not null,
    album_artist varchar(255) default '' not null, album_id varchar(255) default '' not null,
    has_cover_art bool default FALSE not null, track_number integer default 0 not null,
    disc_number integer default 0 not null, year integer default 0 not null, size integer default 0 not null,
    suffix varchar(255) default '' not null, duration real default 0 not null, bit_rate integer default 0 not null,
    genre varchar(255) default '' not null, compilation bool default FALSE not null, created_at datetime,
    updated_at datetime, mbz_recording_id varchar(255) default '' not null,
    mbz_album_id varchar(255) default '' not null, mbz_release_track_id varchar(255) default '' not null,
    library_id integer default 1 not null references library(id) on delete cascade,
    folder_id varchar default '' not null, pid varchar default '' not null, missing boolean default false not null,
    tags jsonb default '{}' not null, participants jsonb default '{}' not null);
create table album (id varchar(255) not null primary key, name varchar(255) default '' not null,
    embed_art_path varchar(255) default '' not null, album_artist varchar(255) default '' not null,
    min_year int default 0 not null, max_year integer default 0 not null, compilation bool default FALSE not null,
    song_count integer default 0 not null, duration real default 0 not null, genre varchar(255) default '' not null,
    created_at datetime, updated_at datetime, album_artist_id varchar(255) default '',
    mbz_album_id varchar(255) default '' not null, library_id integer default 1 not null,
    missing boolean default false not null);
create table artist (id varchar(255) not null primary key, name varchar(255) default '' not null,
    order_artist_name varchar collate nocase default '' not null, mbz_artist_id varchar(255) default '' not null,
    missing boolean default false not null);
create table annotation (user_id varchar(255) default '' not null references user(id) on delete cascade on update cascade,
    item_id varchar(255) default '' not null, item_type varchar(255) default '' not null,
    play_count integer default 0, play_date datetime, rating integer default 0,
    starred bool default FALSE not null, starred_at datetime, rated_at datetime, unique (user_id, item_id, item_type));
create table playlist (id varchar(255) not null primary key, name varchar(255) collate nocase default '' not null,
    comment varchar(255) default '' not null, duration real default 0 not null, song_count integer default 0 not null,
    public bool default FALSE not null, created_at datetime, updated_at datetime, path string default '' not null,
    sync bool default false not null, size integer default 0 not null, rules varchar, evaluated_at datetime,
    owner_id varchar(255) not null references user(id));
create table playlist_tracks (id integer default 0 not null, playlist_id varchar(255) not null, media_file_id varchar(255) not null);
create table playqueue (id varchar(255) not null, user_id varchar(255) not null references user(id),
    current integer not null default 0, position real, changed_by varchar(255), items varchar(255),
    created_at datetime, updated_at datetime);
create table bookmark (user_id varchar(255) not null references user(id), item_id varchar(255) not null,
    item_type varchar(255) not null, comment varchar(255), position integer, changed_by varchar(255),
    created_at datetime, updated_at datetime, constraint bookmark_pk unique (user_id, item_id, item_type));
create table scrobbles (id integer primary key, media_file_id varchar(255) not null,
    user_id varchar(255) not null, submission_time integer not null);
create table radio (id varchar(255) not null primary key, name varchar not null unique, stream_url varchar not null,
    home_page_url varchar default '' not null, created_at datetime, updated_at datetime);
create table share (id varchar(255) not null primary key, expires_at datetime, last_visited_at datetime,
    resource_ids varchar not null, created_at datetime, updated_at datetime, user_id varchar(255) not null,
    downloadable bool not null default false, description text not null default '', resource_type varchar not null default '',
    contents varchar not null default '', format varchar not null default '', max_bit_rate integer not null default 0,
    visit_count integer not null default 0);
";

/// A household's: `ann`, who is here, and `Carl`, who is not. `gone` is no file of this library.
pub(crate) const ROWS: &str = r#"
insert into user (id, user_name, name, email, is_admin, created_at, updated_at) values
    ('u1', 'ann', 'Ann', 'ann@example.org', 1, '2021-01-01', '2021-01-01'),
    ('u2', 'Carl', 'Carl C.', 'carl@example.org', 0, '2021-01-01', '2021-01-01');
insert into library (name, path) values ('Music Library', '/music');
insert into media_file (id, path, title, artist, album, duration, mbz_recording_id) values
    ('first', 'Various/Hits/01 First.flac', 'First', 'A Band', 'Hits', 2.0, ''),
    ('second', 'somewhere/else.mp3', 'Second', 'Ōther Band', 'Hits', 2.4, ''),
    ('want', 'Joni Mitchell/Blue/01 All I Want.flac', 'All I Want', 'Joni Mitchell', 'Blue', 2.0, ''),
    ('gone', 'No/Where/9 Gone.mp3', 'Gone', 'Nobody', 'Nothing', 100.5, 'b1a9c0e9-d987-4042-ae91-78d6a3267d69');
insert into album (id, name, album_artist) values ('hits', 'Hits', 'Various Artists'), ('blue', 'Blue', 'Joni Mitchell'),
    ('nothing', 'Nothing', 'Nobody');
insert into artist (id, name) values ('joni', 'Joni Mitchell'), ('nobody', 'Nobody');
insert into annotation (user_id, item_id, item_type, play_count, play_date, rating, starred, starred_at) values
    ('u1', 'first', 'media_file', 7, '2024-01-23T13:57:19.360759986-05:00', 4, 1, '2023-05-06T07:08:09Z'),
    ('u1', 'second', 'media_file', 2, '2024-02-01 10:00:00+00:00', 0, 0, null),
    ('u1', 'gone', 'media_file', 50, '2024-02-01 10:00:00+00:00', 5, 1, '2023-05-06T07:08:09Z'),
    ('u1', 'want', 'media_file', 0, null, 0, 0, null),
    ('u1', 'blue', 'album', 12, null, 5, 1, '2023-05-06T07:08:09Z'),
    ('u1', 'nothing', 'album', 0, null, 0, 1, '2023-05-06T07:08:09Z'),
    ('u1', 'joni', 'artist', 12, null, 0, 1, '2023-05-06T07:08:09Z'),
    ('u2', 'first', 'media_file', 1, '2024-02-01 10:00:00+00:00', 2, 0, null);
insert into scrobbles (media_file_id, user_id, submission_time) values
    ('first', 'u1', 1706036239), ('first', 'u1', 1706036839), ('gone', 'u1', 1706036939);
insert into playlist (id, name, comment, public, owner_id, rules, created_at, updated_at) values
    ('mix', 'Mix', 'for the road', 1, 'u1', null, '2022-02-02T02:02:02Z', '2022-03-03T03:03:03Z'),
    ('best', 'Best', '', 0, 'u1', '{"all":[{"gt":{"rating":3}}],"sort":"title","limit":10}', null, null),
    ('odd', 'Odd', '', 0, 'u1', '{"all":[{"is":{"moonphase":"full"}}]}', null, null),
    ('lost', 'Lost', '', 0, 'u2', null, null, null);
insert into playlist_tracks (id, playlist_id, media_file_id) values
    (1, 'mix', 'second'), (2, 'mix', 'gone'), (3, 'mix', 'first'), (10, 'mix', 'second'), (1, 'odd', 'want'), (1, 'lost', 'gone');
insert into playqueue (id, user_id, current, position, changed_by, items, updated_at) values
    ('q', 'u1', 2, 1500, 'phone', 'want,gone,first', '2024-03-04T05:06:07Z');
insert into bookmark (user_id, item_id, item_type, comment, position, created_at, updated_at) values
    ('u1', 'want', 'media_file', 'the bridge', 1250, '2024-03-04T05:06:07Z', '2024-03-04T05:06:08Z');
insert into radio (id, name, stream_url, home_page_url) values ('r', 'Jazz', 'http://radio.example/jazz', '');
insert into share (id, resource_ids, user_id) values ('s', 'first', 'u1');
"#;

/// A song as its getSong has it.
async fn song(app: &App, title: &str) -> serde_json::Value {
    let id = app.id("song", title).await;
    app.ok("getSong", &format!("id={id}")).await["song"].clone()
}

fn tally(taken: u64, kept: u64) -> Tally {
    Tally { taken, kept }
}

#[tokio::test]
async fn moving_navidrome_brings_everything_once() {
    let house = House::open().await;
    let ann = &house.ann;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("navidrome.db");
    database(&path, &format!("{SCHEMA}{ROWS}")).await;
    let before = std::fs::read(&path).unwrap();

    // A trial says what would be done, and does nothing.
    let trial = bring(&house, Program::Navidrome, &path, None, Trial::Yes).await;
    let (carl, taken) = trial.of("Carl");
    assert_eq!((carl.joins, carl.as_name.as_str(), &carl.invitation), (Joins::New, "carl", &None));
    assert_eq!((taken.plays, taken.ratings), (tally(1, 0), tally(1, 0)));
    assert_eq!(ann.ok("getStarred2", "").await["starred2"]["song"], json!([]));
    assert_eq!(ann.ok("getPlaylists", "").await["playlists"]["playlist"], json!([]));
    assert!(house.app.services.accounts.principal_named("carl").await.is_err());

    let came = bring(&house, Program::Navidrome, &path, None, Trial::No).await;
    let taken = came.taken("ann");
    for (what, expected) in [
        (taken.stars, tally(3, 0)),
        (taken.ratings, tally(2, 0)),
        (taken.plays, tally(9, 0)),
        (taken.listens, tally(2, 0)),
        (taken.lists, tally(3, 0)),
        (taken.bookmarks, tally(1, 0)),
        (taken.queue, tally(1, 0)),
    ] {
        assert_eq!(what, expected, "{taken:?}");
    }
    assert_eq!(trial.taken("ann").stars, taken.stars);
    let known = |outcome| taken.tracks.iter().filter(|one| **one == outcome).count();
    assert_eq!((known(Outcome::Path), known(Outcome::Tags), known(Outcome::Unknown)), (2, 1, 1));
    assert_eq!(taken.albums, [Outcome::Tags, Outcome::Unknown]);
    assert!(taken.notes.iter().any(|note| note.contains("\"Odd\"")), "{:?}", taken.notes);

    // As apps see it.
    let first = song(ann, "First").await;
    assert_eq!((&first["userRating"], &first["playCount"]), (&json!(4), &json!(7)));
    assert!(first["starred"].as_str().unwrap().starts_with("2023-05-06T07:08:09"), "{first}");
    assert!(first["played"].as_str().unwrap().starts_with("2024-01-23T18:57:19"), "{first}");
    assert_eq!(song(ann, "Second").await["playCount"], 2);
    let starred = ann.ok("getStarred2", "").await["starred2"].clone();
    assert_eq!(names(&starred["album"]), ["Blue"]);
    assert_eq!(names(&starred["artist"]), ["Joni Mitchell"]);
    let hits = ann.id("album", "Hits").await;
    assert_eq!(ann.ok("getAlbum", &format!("id={hits}")).await["album"]["playCount"], 9);
    let lists = ann.ok("getPlaylists", "").await["playlists"]["playlist"].clone();
    assert_eq!(names(&lists), ["Best", "Mix", "Odd"]);
    let mix = lists[1]["id"].as_str().unwrap();
    let mix = ann.ok("getPlaylist", &format!("id={mix}")).await["playlist"].clone();
    assert_eq!(names(&mix["entry"]), ["Second", "First", "Second"]);
    assert_eq!((&mix["public"], &mix["comment"]), (&json!(true), &json!("for the road")));
    let best = lists[0]["id"].as_str().unwrap();
    let best = ann.ok("getPlaylist", &format!("id={best}")).await["playlist"].clone();
    assert_eq!(names(&best["entry"]), ["First"]);
    let queue = ann.ok("getPlayQueue", "").await["playQueue"].clone();
    assert_eq!(names(&queue["entry"]), ["All I Want", "First"]);
    assert_eq!((&queue["current"], &queue["position"]), (&first["id"], &json!(1500)));
    let marks = ann.ok("getBookmarks", "").await["bookmarks"]["bookmark"].clone();
    assert_eq!((&marks[0]["position"], &marks[0]["comment"]), (&json!(1250), &json!("the bridge")));
    // Who is new chooses a password by the link, and sees what is his.
    let (carl, taken) = came.of("Carl");
    assert_eq!((carl.joins, taken.plays), (Joins::New, tally(1, 0)));
    assert!(taken.notes[0].contains("\"Lost\""), "{taken:?}");
    let link = format!("/invite/{}", carl.invitation.as_ref().unwrap());
    let page = reqwest::get(house.app.url(&link)).await.unwrap();
    assert_eq!(page.status(), 200);

    // Once more: nothing new, and what was decided here since stays.
    ann.ok("unstar", &format!("id={}", first["id"].as_str().unwrap())).await;
    let again = bring(&house, Program::Navidrome, &path, None, Trial::No).await;
    let taken = again.taken("ann");
    assert_eq!((taken.stars, taken.plays, taken.listens), (tally(0, 3), tally(0, 9), tally(0, 2)));
    assert_eq!((taken.lists, taken.queue), (tally(0, 3), tally(0, 1)));
    assert_eq!(again.of("Carl").0.joins, Joins::Known);
    assert_eq!(song(ann, "First").await["playCount"], 7);
    assert!(song(ann, "First").await.get("starred").is_none());
    assert_eq!(std::fs::read(&path).unwrap(), before, "the source was written to");

    // What was added over there since comes along; what here was heard since stays counted.
    let first = first["id"].as_str().unwrap();
    ann.ok("scrobble", &format!("id={first}&time=1760000000000")).await;
    let sql = "update annotation set play_count = 9 where item_id = 'first' and user_id = 'u1';
               update media_file set path = 'Two & More/Double/CD1/01 One.flac', title = 'One' where id = 'gone'";
    database(&path, sql).await;
    let later = bring(&house, Program::Navidrome, &path, None, Trial::No).await;
    assert_eq!(later.taken("ann").plays, tally(52, 9));
    assert_eq!(later.taken("ann").lists, tally(1, 2));
    assert_eq!(song(ann, "First").await["playCount"], 10);
    let mix = lists[1]["id"].as_str().unwrap();
    let mix = ann.ok("getPlaylist", &format!("id={mix}")).await["playlist"].clone();
    assert_eq!(names(&mix["entry"]), ["Second", "One", "First", "Second"]);
    assert_eq!(later.1.stations.len(), 1);
    assert!(later.1.left_out[0].contains("shares"), "{:?}", later.1.left_out);
}

#[tokio::test]
async fn moving_navidrome_of_old_and_of_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    // As of 2021: playlists by the owner's name, a queue by the current track, no scrobbles.
    let old = "create table user (id varchar(255) primary key, user_name varchar(255), name varchar(255));
        create table media_file (id varchar(255) primary key, path varchar(255), title varchar(255), artist varchar(255),
            album varchar(255), duration real, mbz_track_id varchar(255));
        create table annotation (ann_id varchar(255) primary key, user_id varchar(255), item_id varchar(255),
            item_type varchar(255), play_count integer, play_date datetime, rating integer, starred bool, starred_at datetime);
        create table playlist (id varchar(255) primary key, name varchar(255), owner varchar(255), public bool);
        create table playlist_tracks (id integer, playlist_id varchar(255), media_file_id varchar(255));
        create table playqueue (id varchar(255), user_id varchar(255), current varchar(255), position real, items varchar(255));
        insert into user values ('u', 'ann', '');
        insert into media_file values ('a', '/m/x/a.mp3', 'A', 'X', 'Y', 1.5, 'm-1'), ('b', '/m/x/b.mp3', 'B', 'X', 'Y', 2, '');
        insert into annotation values ('n', 'u', 'a', 'media_file', 3, '2020-05-05 10:00:00', 0, 0, null);
        insert into playlist values ('p', 'List', 'ann', 0);
        insert into playlist_tracks values (2, 'p', 'a'), (1, 'p', 'b');
        insert into playqueue values ('q', 'u', 'b', 10, 'a,b');";
    database(&path, old).await;
    let legacy = moving::read(Program::Navidrome, &path, None).await.unwrap();
    let ann = &legacy.people[0].belongings;
    let title = |at: &usize| ann.tracks[*at].title.clone();
    assert_eq!(ann.lists[0].tracks.iter().map(title).collect::<String>(), "BA");
    assert_eq!(ann.queue.as_ref().map(|queue| title(&queue.tracks[queue.current])).unwrap(), "B");
    assert_eq!((ann.marks[0].play_count, ann.marks[0].played_at), (3, Some(1_588_672_800_000)));
    assert_eq!(ann.tracks.iter().find(|one| one.title == "A").unwrap().mbids, ["m-1"]);

    // Changes that wait beside the database are seen, and neither file is touched.
    let running = folder.path().join("running.db");
    let url = format!("sqlite://{}?mode=rwc", running.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let sql = format!("pragma journal_mode = wal; {SCHEMA}{ROWS}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    let log = folder.path().join("running.db-wal");
    let both = || (std::fs::read(&running).unwrap(), std::fs::read(&log).unwrap());
    let before = both();
    assert!(!before.1.is_empty());
    let legacy = moving::read(Program::Navidrome, &running, None).await.unwrap();
    assert_eq!(legacy.people.len(), 2);
    assert_eq!(both(), before);

    for (name, bytes) in [("text", &b"not a database, but long enough"[..]), ("empty", b"")] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let refused = moving::read(Program::Navidrome, &path, None).await.unwrap_err().to_string();
        assert!(refused.contains("no SQLite database"), "{refused}");
    }
}
