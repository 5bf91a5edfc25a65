//! Every field, written by another program into each family of tags, is read as the same thing.

use std::{path::Path, process::Command};

use tunelocker::media::tags::{Credit, Tags};

use super::{pool, read, tone};

#[tokio::test]
async fn every_field_means_the_same_in_every_family() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    let names = ["a.flac", "a.mp3", "a.m4a", "a.wv", "a.opus"];
    for name in names {
        tone(folder.path(), name, &["-map_metadata", "-1"]);
    }
    write_tags(folder.path());
    for name in &names[..4] {
        let tags = read(&pool, &folder.path().join(name)).await.unwrap().tags;
        check(name, &tags);
    }
    let opus = read(&pool, &folder.path().join("a.opus")).await.unwrap().tags;
    assert_eq!((opus.track_gain, opus.album_gain), (Some(-5.0), Some(5.5)));
}

fn check(name: &str, tags: &Tags) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = |number: usize| format!("{number:08}-0000-4000-8000-000000000000");
    assert_eq!((text(&tags.title), text(&tags.sort_title)), ("T".into(), "ST".into()), "{name}");
    assert_eq!(tags.artists, ["A", "B"], "{name}");
    assert_eq!(text(&tags.display_artist), "A feat. B", "{name}");
    assert_eq!(tags.sort_artists, ["SA", "SB"], "{name}");
    assert_eq!(tags.album_artists, ["C", "D"], "{name}");
    assert_eq!(text(&tags.display_album_artist), "C & D", "{name}");
    assert_eq!(tags.sort_album_artists, ["SC", "SD"], "{name}");
    assert_eq!((text(&tags.album), text(&tags.sort_album)), ("Al".into(), "SAl".into()), "{name}");
    assert_eq!(text(&tags.album_version), "Deluxe", "{name}");
    assert_eq!((tags.number, tags.number_total), (Some(3), Some(12)), "{name}");
    assert_eq!((tags.disc, tags.disc_total), (Some(1), Some(2)), "{name}");
    assert_eq!(text(&tags.disc_title), "First", "{name}");
    assert_eq!(text(&tags.date), "2001-02-03", "{name}");
    assert_eq!(text(&tags.release_date), "2002", "{name}");
    assert_eq!(text(&tags.original_date), "1999-05", "{name}");
    assert_eq!(tags.genres, ["Rock", "Pop"], "{name}");
    assert_eq!(tags.composers, ["K", "L"], "{name}");
    let credits = [
        ("conductor", "", "Con"),
        ("lyricist", "", "Lyr"),
        ("remixer", "", "Rem"),
        ("arranger", "", "Arr"),
        ("producer", "", "Pro"),
        ("engineer", "", "Eng"),
        ("mixer", "", "Mix"),
        ("djmixer", "", "Dj"),
        ("performer", "guitar", "P"),
        ("performer", "", "Q"),
    ];
    for (role, sub_role, person) in credits {
        let credit = Credit { role: role.into(), sub_role: sub_role.into(), name: person.into() };
        assert!(tags.credits.contains(&credit), "{name}: {credit:?} in {:?}", tags.credits);
    }
    assert_eq!(tags.credits.len(), credits.len(), "{name}: {:?}", tags.credits);
    assert!(tags.is_compilation, "{name}");
    assert_eq!(tags.explicit, "explicit", "{name}");
    assert_eq!(tags.bpm, Some(128), "{name}");
    assert_eq!(text(&tags.comment), "Hm", "{name}");
    assert_eq!((tags.track_gain, tags.album_gain), (Some(-7.03), Some(1.5)), "{name}");
    assert_eq!((tags.track_peak, tags.album_peak), (Some(0.98), Some(1.01)), "{name}");
    assert_eq!(tags.release_types, ["album", "live"], "{name}");
    assert_eq!(tags.record_labels, ["L1", "L2"], "{name}");
    assert_eq!(tags.extra.isrc, ["XX123"], "{name}");
    assert_eq!(tags.extra.moods, ["calm"], "{name}");
    assert_eq!(tags.extra.groupings, ["G"], "{name}");
    assert_eq!(tags.extra.works, [("W".to_owned(), id(7))], "{name}");
    assert_eq!(tags.extra.movement, Some(("Mv".to_owned(), 2, 4)), "{name}");
    assert_eq!(tags.mbid_artists, [id(0), id(1)], "{name}");
    assert_eq!(tags.mbid_album_artists, [id(2), id(3)], "{name}");
    assert_eq!((text(&tags.mbid_album), text(&tags.mbid_release_group)), (id(4), id(5)), "{name}");
    assert_eq!((text(&tags.mbid_recording), text(&tags.mbid_track)), (id(6), id(8)), "{name}");
    let mut lyrics: Vec<_> =
        tags.lyrics.iter().map(|lyrics| (lyrics.lang.as_str(), lyrics.body.as_str())).collect();
    lyrics.sort_unstable();
    if name == "a.mp3" {
        let synced = "[00:01.500]one\n[01:01.020]two";
        assert_eq!(lyrics, [("deu", "la\nla"), ("eng", synced)]);
    } else {
        assert_eq!(lyrics, [("und", "la\nla")], "{name}");
    }
}

fn write_tags(folder: &Path) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join(".cache/venv/bin/python");
    assert!(python.exists(), "{} is missing: run tests/setup.sh", python.display());
    let written = Command::new(python)
        .args(["-c", include_str!("write_tags.py")])
        .arg(folder)
        .status()
        .unwrap();
    assert!(written.success());
}
