//! `jellyfin.db` of 10.11, and `library.db` of the versions before.

use serde_json::json;
use tunelocker::{catalog::Trial, moving::Program};

use super::{bring, database};
use crate::subsonic::{House, names};

const AUDIO: &str = "MediaBrowser.Controller.Entities.Audio.Audio";
const ALBUM: &str = "MediaBrowser.Controller.Entities.Audio.MusicAlbum";
const ARTIST: &str = "MediaBrowser.Controller.Entities.Audio.MusicArtist";
const PLAYLIST: &str = "MediaBrowser.Controller.Playlists.Playlist";

/// `Users` as both generations have it.
const USERS: &str = r#"
create table "Users" ("Id" TEXT not null primary key, "Username" TEXT not null, "Password" TEXT,
    "MustUpdatePassword" INTEGER not null, "AuthenticationProviderId" TEXT not null, "PasswordResetProviderId" TEXT not null,
    "InvalidLoginAttemptCount" INTEGER not null, "InternalId" INTEGER not null, "RowVersion" INTEGER not null);
insert into "Users" values ('DC68CD36-0909-4B02-B129-8B1BA641A16A', 'ann', null, 0, '', '', 0, 7, 0);
"#;

/// What ann sees afterwards, whichever generation it came from.
async fn check(house: &House) {
    let ann = &house.ann;
    let first = ann.id("song", "First").await;
    let first = ann.ok("getSong", &format!("id={first}")).await["song"].clone();
    assert_eq!((&first["playCount"], &first["userRating"]), (&json!(5), &json!(4)), "{first}");
    assert!(first["played"].as_str().unwrap().starts_with("2024-01-23T18:57:19"), "{first}");
    let starred = ann.ok("getStarred2", "").await["starred2"].clone();
    assert_eq!(names(&starred["song"]), ["First"]);
    assert_eq!(names(&starred["album"]), ["Blue"]);
    assert_eq!(names(&starred["artist"]), ["Joni Mitchell"]);
    let marks = ann.ok("getBookmarks", "").await["bookmarks"]["bookmark"].clone();
    assert_eq!(
        (&marks[0]["position"], &marks[0]["entry"]["title"]),
        (&json!(1200), &json!("Second"))
    );
    let lists = ann.ok("getPlaylists", "").await["playlists"]["playlist"].clone();
    assert_eq!(names(&lists), ["Road"]);
    let road = lists[0]["id"].as_str().unwrap();
    let road = ann.ok("getPlaylist", &format!("id={road}")).await["playlist"].clone();
    assert_eq!(names(&road["entry"]), ["Second", "First"]);
}

#[tokio::test]
async fn moving_jellyfin_new_and_old_bring_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new");
    std::fs::create_dir(&new).unwrap();
    let items = format!(
        r#"create table "BaseItems" ("Id" TEXT not null primary key, "Type" TEXT not null, "Data" TEXT, "Path" TEXT,
            "Name" TEXT, "Album" TEXT, "Artists" TEXT, "AlbumArtists" TEXT, "RunTimeTicks" INTEGER, "IsFolder" INTEGER not null default 0);
        create table "BaseItemProviders" ("ItemId" TEXT not null, "ProviderId" TEXT not null, "ProviderValue" TEXT not null,
            primary key ("ItemId", "ProviderId"));
        create table "UserData" ("ItemId" TEXT not null, "UserId" TEXT not null, "CustomDataKey" TEXT not null, "Rating" REAL,
            "PlaybackPositionTicks" INTEGER not null, "PlayCount" INTEGER not null, "IsFavorite" INTEGER not null,
            "LastPlayedDate" TEXT, "Played" INTEGER not null, "AudioStreamIndex" INTEGER, "SubtitleStreamIndex" INTEGER,
            "Likes" INTEGER, primary key ("ItemId", "UserId", "CustomDataKey"));
        insert into "BaseItems" ("Id", "Type", "Data", "Path", "Name", "Album", "Artists", "AlbumArtists", "RunTimeTicks") values
            ('00000000-0000-0000-0000-00000000000A', '{AUDIO}', null, '/media/Various/Hits/01 First.flac', 'First', 'Hits', 'A Band', '', 20000000),
            ('00000000-0000-0000-0000-00000000000B', '{AUDIO}', null, '/media/x.mp3', 'Second', 'Hits', 'Ōther Band|Guest', '', 20000000),
            ('00000000-0000-0000-0000-00000000000C', '{ALBUM}', null, '/media/Joni Mitchell/Blue', 'Blue', '', '', 'Joni Mitchell', 0),
            ('00000000-0000-0000-0000-00000000000D', '{ARTIST}', null, '', 'Joni Mitchell', '', '', '', 0),
            ('00000000-0000-0000-0000-00000000000E', '{PLAYLIST}', '{{"OwnerUserId":"dc68cd3609094b02b1298b1ba641a16a","OpenAccess":false,"Shares":[],"LinkedChildren":[{{"Path":"/media/x.mp3","Type":"Manual"}},{{"Path":"/media/film.mkv","Type":"Manual","ItemId":"0000000000000000000000000000000f"}},{{"Type":"Manual","ItemId":"0000000000000000000000000000000a"}}]}}', '', 'Road', '', '', '', 0);
        insert into "UserData" values
            ('00000000-0000-0000-0000-00000000000A', 'DC68CD36-0909-4B02-B129-8B1BA641A16A', 'k', 8.0, 0, 5, 1, '2024-01-23 18:57:19.3607599', 1, null, null, null),
            ('00000000-0000-0000-0000-00000000000B', 'DC68CD36-0909-4B02-B129-8B1BA641A16A', 'k', null, 12000000, 0, 0, null, 0, null, null, null),
            ('00000000-0000-0000-0000-00000000000C', 'DC68CD36-0909-4B02-B129-8B1BA641A16A', 'k', null, 0, 0, 1, null, 0, null, null, null),
            ('00000000-0000-0000-0000-00000000000D', 'DC68CD36-0909-4B02-B129-8B1BA641A16A', 'k', null, 0, 0, 1, null, 0, null, null, null);"#
    );
    database(&new.join("jellyfin.db"), &format!("{USERS}{items}")).await;
    let house = House::open().await;
    bring(&house, Program::Jellyfin, &new, None, Trial::No).await;
    check(&house).await;
    // The file itself may be named too.
    let again = bring(&house, Program::Jellyfin, &new.join("jellyfin.db"), None, Trial::No).await;
    assert_eq!((again.taken("ann").plays.taken, again.taken("ann").plays.kept), (0, 5));

    let old = folder.path().join("old");
    std::fs::create_dir(&old).unwrap();
    database(&old.join("jellyfin.db"), USERS).await;
    let items = format!(
        r#"create table TypedBaseItems (guid GUID primary key NOT NULL, type TEXT NOT NULL, data BLOB NULL, ParentId GUID NULL,
            Path TEXT NULL, Name Text, RunTimeTicks BIGINT, Album Text, Artists Text, AlbumArtists Text, UserDataKey Text, ProviderIds Text);
        create table UserDatas (key nvarchar not null, userId INT not null, rating float null, played bit not null,
            playCount int not null, isFavorite bit not null, playbackPositionTicks bigint not null, lastPlayedDate datetime null,
            AudioStreamIndex INT, SubtitleStreamIndex INT);
        insert into TypedBaseItems values
            (x'0A000000000000000000000000000000', '{AUDIO}', null, null, '/media/Various/Hits/01 First.flac', 'First', 20000000, 'Hits', 'A Band', '', 'first-key', ''),
            (x'0B000000000000000000000000000000', '{AUDIO}', null, null, '/media/x.mp3', 'Second', 20000000, 'Hits', 'Ōther Band', '', 'second-key', 'MusicBrainzTrack=nothing'),
            (x'0C000000000000000000000000000000', '{ALBUM}', null, null, '', 'Blue', 0, '', '', 'Joni Mitchell', 'Joni Mitchell-Blue', ''),
            (x'0D000000000000000000000000000000', '{ARTIST}', null, null, '', 'Joni Mitchell', 0, '', '', '', 'Artist-Joni', ''),
            (x'0E000000000000000000000000000000', '{PLAYLIST}', cast('{{"OwnerUserId":"dc68cd3609094b02b1298b1ba641a16a","LinkedChildren":[{{"Path":"/media/x.mp3"}},{{"ItemId":"0000000a000000000000000000000000"}}]}}' as blob), null, '', 'Road', 0, '', '', '', 'road', '');
        insert into UserDatas values
            ('first-key', 7, 8.0, 1, 5, 1, 0, '2024-01-23 18:57:19.3607599Z', null, null),
            ('first-key', 8, 2.0, 1, 9, 0, 0, null, null, null),
            ('second-key', 7, null, 0, 0, 0, 12000000, null, null, null),
            ('Joni Mitchell-Blue', 7, null, 0, 0, 1, 0, null, null, null),
            ('Artist-Joni', 7, null, 0, 0, 1, 0, null, null, null);"#
    );
    database(&old.join("library.db"), &items).await;
    let house = House::open().await;
    bring(&house, Program::Jellyfin, &old, None, Trial::No).await;
    check(&house).await;
}
