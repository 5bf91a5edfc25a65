//! Folders and files that may not or cannot be read: nothing known is forgotten for that, and what
//! becomes readable later is read by the next scan.

use std::{
    fs::{self, File},
    io::{Seek as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use tunelocker::{
    accounts::{NewUser, Principal, Role},
    ingest::ScanKind,
};

use super::{first_scan, ids, over, scan, tracks};
use crate::harness::{
    TestApp,
    denied::{with_bad_blocks_from, without_privileges},
    music::{flac, jpeg, wav, write},
};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_is_not_forgotten_and_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    for name in ["a/one", "b/two", "c/three"] {
        flac(&format!("{name}.flac")).of("Ann", "Album", name).write(&root);
    }
    let hidden = flac("b/later.flac").of("Ann", "Album", "later").write(&root);
    without_privileges(async || {
        set_mode(&hidden, 0);
        let app = over(&root).await;
        // In the order of their paths.
        let titles = async || {
            let list = tracks(&app).await;
            list.into_iter().map(|track| track.title.clone()).collect::<Vec<_>>()
        };
        assert_eq!(titles().await, ["a/one", "b/two", "c/three"]);
        assert_eq!(fs::read(&hidden).unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);

        // Its size and time stay, and so do those of its folder.
        set_mode(&hidden, 0o644);
        scan(&app, ScanKind::Changes).await;
        assert_eq!(titles().await, ["a/one", "later", "b/two", "c/three"]);

        // A folder, then all of it, is closed to us.
        for closed in [root.join("a"), root.clone()] {
            set_mode(&closed, 0);
            scan(&app, ScanKind::Full).await;
            assert_eq!(titles().await.len(), 4, "{}", closed.display());
            set_mode(&closed, 0o755);
        }
        scan(&app, ScanKind::Changes).await;
        assert_eq!(titles().await.len(), 4);
    });
}

/// An administrator, who gets the playlists of watched folders.
async fn administrator(app: &TestApp) -> Principal {
    let operator = app.services.accounts.operator();
    let new = NewUser { role: Role::Admin, ..NewUser::new("ann", "correct horse battery") };
    app.services.accounts.create_user(&operator, &new).await.unwrap();
    app.services.accounts.principal_named("ann").await.unwrap()
}

/// Why files of any library cannot be read.
async fn reasons(app: &TestApp, admin: &Principal) -> Vec<String> {
    let mut reasons = Vec::new();
    for library in app.services.catalog.libraries(admin).await.unwrap() {
        let found = app.services.catalog.unreadable(admin, library.id, "", 10).await.unwrap();
        reasons.extend(found.files.into_iter().map(|file| file.reason));
    }
    reasons
}

#[test]
fn playlists_in_a_folder_that_cannot_be_listed_stay() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    flac("a/one.flac").of("Ann", "Album", "one").write(&root);
    write(&root, "lists/kept.m3u", b"../a/one.flac\n");
    write(&root, "lists/gone.m3u", b"../a/one.flac\n");
    without_privileges(async || {
        let app = over(&root).await;
        let ann = administrator(&app).await;
        scan(&app, ScanKind::Full).await;
        let lists = async || {
            let lists = app.services.catalog.playlists(&ann).await.unwrap();
            lists.into_iter().map(|list| (list.id, list.name)).collect::<Vec<_>>()
        };
        let before = lists().await;
        assert_eq!(before.len(), 2);
        set_mode(&root.join("lists"), 0);
        scan(&app, ScanKind::Full).await;
        assert_eq!(lists().await, before);
        // What is surely gone goes.
        set_mode(&root.join("lists"), 0o755);
        fs::remove_file(root.join("lists/gone.m3u")).unwrap();
        scan(&app, ScanKind::Changes).await;
        let left: Vec<_> = before.into_iter().filter(|(_, name)| name == "kept").collect();
        assert_eq!(lists().await, left);
    });
}

#[test]
fn what_lies_beside_a_file_may_not_be_readable_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    let image = || flac("image/image.flac").of("Ann", "Album", "image").seconds(8.0);
    image().write(&root);
    let sheet = b"PERFORMER \"Ann\"\nTITLE \"Album\"\nFILE \"image.flac\" WAVE\n\
        TRACK 01 AUDIO\nTITLE \"One\"\nINDEX 01 00:00:00\n\
        TRACK 02 AUDIO\nTITLE \"Two\"\nINDEX 01 00:04:00\n";
    let cue = write(&root, "image/image.cue", sheet);
    let song = || flac("song/song.flac").of("Bob", "Songs", "song");
    song().write(&root);
    let lyrics = write(&root, "song/song.lrc", b"[00:01.00]La la la\n");
    let cover = write(&root, "song/cover.jpg", &jpeg(64, [9, 9, 9]));
    without_privileges(async || {
        let app = over(&root).await;
        let household = app.services.accounts.household().await.unwrap();
        let before = ids(&app).await;
        assert_eq!(before.len(), 3);
        let song_is = async || {
            let track = tracks(&app).await.into_iter().find(|it| it.title == "song").unwrap();
            let lyrics = app.services.catalog.lyrics(&household, track.id).await.unwrap();
            (lyrics.len(), track.picture.is_some())
        };
        assert_eq!(song_is().await, (1, true));

        // Both files changed, and nothing beside them can be read just now: no album becomes one
        // long track, no picture goes.
        for closed in [&cue, &lyrics, &cover] {
            set_mode(closed, 0);
        }
        image().tag("COMMENT", "changed").write(&root);
        song().tag("COMMENT", "changed").write(&root);
        scan(&app, ScanKind::Changes).await;
        assert!(!tracks(&app).await.iter().any(|track| track.title == "image"));
        assert_eq!(song_is().await, (0, true));
        for opened in [&cue, &lyrics, &cover] {
            set_mode(opened, 0o644);
        }
        scan(&app, ScanKind::Changes).await;
        assert_eq!((ids(&app).await, song_is().await), (before, (1, true)));
    });
}

#[test]
fn a_folder_is_looked_at_again_whatever_completes_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    // More than are read in one go.
    for number in 0..80 {
        let name = format!("many/{number:02}.flac");
        flac(&name).of("Ann", "Album", &name).seconds(0.1).write(&root);
    }
    let first = root.join("many/00.flac");
    let second = || flac("few/2.flac").of("Bob", "Few", "2");
    flac("few/1.flac").of("Bob", "Few", "1").write(&root);
    let changed = second().write(&root);
    without_privileges(async || {
        set_mode(&first, 0);
        let app = over(&root).await;
        assert_eq!(tracks(&app).await.len(), 81);
        set_mode(&first, 0o644);
        scan(&app, ScanKind::Changes).await;
        assert_eq!(tracks(&app).await.len(), 82);

        // One goes, the other changes and may not be read.
        fs::remove_file(root.join("few/1.flac")).unwrap();
        second().tag("COMMENT", "changed").write(&root);
        set_mode(&changed, 0);
        scan(&app, ScanKind::Changes).await;
        assert_eq!(tracks(&app).await.len(), 80);
        set_mode(&changed, 0o644);
        scan(&app, ScanKind::Changes).await;
        assert_eq!(tracks(&app).await.len(), 81);
    });
}

/// Nothing of a disk behind here can be read.
const GOOD: u64 = 8 << 20;

/// Silence that goes on behind the good part of the disk, with a title behind it.
fn long_silence(path: &Path) {
    let (data, title) = (9_u32 << 20, b"LIST\x12\0\0\0INFOINAM\x05\0\0\0Late\0\0");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = File::create(path).unwrap();
    file.write_all(b"RIFF").unwrap();
    file.write_all(&(36 + data + title.len() as u32).to_le_bytes()).unwrap();
    file.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0").unwrap();
    file.write_all(b"\x04\0\x10\0data").unwrap();
    file.write_all(&data.to_le_bytes()).unwrap();
    file.seek(std::io::SeekFrom::Current(i64::from(data))).unwrap();
    file.write_all(title).unwrap();
}

#[test]
fn what_a_failing_disk_does_not_give_is_read_when_it_is_well_again() {
    let folder = tempfile::tempdir().unwrap();
    let (root, data) = (folder.path().join("music"), folder.path().join("data"));
    long_silence(&root.join("a/silence.wav"));
    let open = async || {
        let (root, data) = (root.clone(), data.clone());
        let app = TestApp::spawn_with(|config| {
            config.data = data.clone();
            config.drive = data;
            config.libraries.push(("Music".to_owned(), root));
        });
        let app = app.await;
        first_scan(&app).await;
        app
    };
    with_bad_blocks_from(GOOD, async || {
        let app = open().await;
        let ann = administrator(&app).await;
        let reasons = reasons(&app, &ann).await;
        assert!(reasons[0].starts_with("It cannot be read: Input/output"), "{reasons:?}");
        assert!(tracks(&app).await.is_empty());
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let app = open().await;
        let titles: Vec<_> =
            tracks(&app).await.into_iter().map(|track| track.title.clone()).collect();
        assert_eq!(titles, ["Late"]);
    });
}

#[test]
fn what_cannot_be_checked_for_what_was_taken_down_waits() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    long_silence(&root.join("a/silence.wav"));
    // Without what cannot be read there.
    let silence = File::options().write(true).open(root.join("a/silence.wav")).unwrap();
    silence.set_len(44 + (9 << 20)).unwrap();
    wav(&root, "a/short.wav", 1.0);
    with_bad_blocks_from(GOOD, async || {
        let app = over(&root).await;
        let ann = administrator(&app).await;
        assert_eq!(tracks(&app).await.len(), 2);
        let database = app.folder.path().join("data/tunelocker.db");
        let database = sqlx::SqlitePool::connect(database.to_str().unwrap()).await.unwrap();
        sqlx::query(
            "insert into takedown (content_hash, audio_hash, reason, created_at, done_at)
             values (?1, ?1, 'no', 1, 1)",
        )
        .bind([7_u8; 32].as_slice())
        .execute(&database)
        .await
        .unwrap();
        // Twice: it is asked for again each time.
        for kind in [ScanKind::Full, ScanKind::Changes] {
            scan(&app, kind).await;
            let left = tracks(&app).await;
            assert_eq!(left.iter().map(|it| &*it.path).collect::<Vec<_>>(), ["a/short.wav"]);
            let reasons = reasons(&app, &ann).await;
            assert!(reasons[0].starts_with("It could not be checked"), "{reasons:?}");
        }
    });
}
