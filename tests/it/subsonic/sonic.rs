//! What sounds alike goes together: radios, ways from one sound to another, similar artists; and
//! nobody hears what he may not see.

use std::path::Path;

use serde_json::Value;

use super::{App, House, names};
use crate::analysis::{
    all_of,
    pieces::{BANDS, encode},
    until,
};

/// Pieces of each band.
const PIECES: usize = 4;

/// Every band with two albums, as FLAC; the first piece of each also in other codecs; one more
/// band in a folder that only ann sees.
fn write_music(root: &Path, hidden: &Path) -> usize {
    let scratch = tempfile::tempdir().unwrap();
    let mut files = 0;
    for band in BANDS {
        for number in 0..PIECES {
            let title = format!("{} {number}", band.name);
            let wav = band.piece(scratch.path(), &title, number as u32 + 1);
            let album = if number < 3 { "First" } else { "Second" };
            let album = format!("{album} of {}", band.name);
            let mut write = |to: &Path, more: &[&str], album: &str| {
                let tags = [("title", &*title), ("artist", band.name), ("album", album)];
                encode(&wav, to, more, &[&tags[..], &[("genre", band.genre)]].concat());
                files += 1;
            };
            write(&root.join(band.name).join(&title).with_extension("flac"), &[], &album);
            if number == 0 {
                let copies = root.join("copies");
                let mp3 = ["-c:a", "libmp3lame", "-b:a", "128k"];
                write(&copies.join(&title).with_extension("mp3"), &mp3, "Copies");
                let ogg = ["-c:a", "libvorbis", "-q:a", "3"];
                write(&copies.join(&title).with_extension("ogg"), &ogg, "Copies");
                let opus = ["-c:a", "libopus", "-b:a", "96k"];
                write(&copies.join(&title).with_extension("opus"), &opus, "Copies");
                let aac = ["-c:a", "aac", "-b:a", "128k"];
                write(&copies.join(&title).with_extension("m4a"), &aac, "Copies");
            }
        }
    }
    let wav = BANDS[0].piece(scratch.path(), "secret", 99);
    let tags = [("title", "Secret"), ("artist", "Hidden Bells"), ("genre", BANDS[0].genre)];
    encode(&wav, &hidden.join("secret.flac"), &[], &tags);
    files + 1
}

/// `id`, title, artist and similarity of matches.
async fn matches(app: &App, method: &str, query: &str) -> Vec<(String, String, String, f64)> {
    let answer = app.ok(method, query).await;
    let list = answer["sonicMatch"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    list.iter()
        .map(|one| {
            let entry = &one["entry"];
            let similarity = one["similarity"].as_f64().unwrap();
            (text(entry, "id"), text(entry, "title"), text(entry, "artist"), similarity)
        })
        .collect()
}

#[tokio::test]
async fn subsonic_music_that_sounds_alike_goes_together() {
    let hidden = tempfile::tempdir().unwrap();
    let music = tempfile::tempdir().unwrap().keep();
    let files = write_music(&music, hidden.path());
    let house = House::over(music, |config, music| {
        config.libraries.push(("Music".to_owned(), music.to_owned()));
        config.libraries.push(("Hidden".to_owned(), hidden.path().to_owned()));
        config.analysis.enabled = true;
    })
    .await;
    let accounts = &house.app.services.accounts;
    let ann = house.principal("ann").await;
    until(&house.app, &ann, "the end", all_of(files as u64)).await;
    assert_eq!(house.app.services.analysis.status(&ann).await.unwrap().counts.unheard, 0);
    let access = accounts.library_access(&ann).await.unwrap();
    let hidden = access.iter().find(|one| one.name == "Hidden").unwrap().id;
    let sharing = tunelocker::accounts::LibrarySharing {
        is_shared: false,
        is_on_lan: false,
        granted: vec![ann.user],
    };
    accounts.share_library(&ann, hidden, &sharing).await.unwrap();
    let (ann, bob) = (&house.ann, &house.bob);

    // A copy in another codec is nearest to its piece, whichever of them is asked.
    let all = ann.ok("search3", "query=&songCount=500&artistCount=0&albumCount=0").await;
    let all = all["searchResult3"]["song"].as_array().unwrap();
    assert_eq!(all.len(), files);
    let (mut hits, mut asked, mut chance) = (0, 0, 0.0);
    for song in all.iter().filter(|song| song["title"] != "Secret") {
        let (id, title) = (song["id"].as_str().unwrap(), song["title"].as_str().unwrap());
        let near = matches(ann, "getSonicSimilarTracks", &format!("id={id}&count=30")).await;
        assert!(near.iter().all(|one| one.0 != id), "never itself");
        assert!(near.is_sorted_by(|a, b| a.3 >= b.3) && near.iter().all(|one| 0.0 <= one.3));
        if title.ends_with(" 0") {
            let copies = &near[..4];
            let what = format!("{title} in {}: {near:?}", song["suffix"]);
            assert!(copies.iter().all(|one| one.1 == title && 0.9 < one.3), "{what}");
        }
        // Of what is no copy, the same band's comes first far more often than by chance.
        let others: Vec<_> = near.iter().filter(|one| one.1 != title).take(3).collect();
        let artist = song["artist"].as_str().unwrap();
        hits += others.iter().filter(|one| one.2 == artist).count();
        asked += others.len();
        let is_other = |other: &&Value| other["title"] != title;
        let same = all.iter().filter(is_other).filter(|other| other["artist"] == artist).count();
        let there = all.iter().filter(is_other).count();
        chance += others.len() as f64 * same as f64 / there as f64;
    }
    let share = hits as f64 / asked as f64;
    let chance = chance / asked as f64;
    println!("of the same band: {share:.2}, by chance {chance:.2}");
    assert!(2.5 * chance < share, "{share} is hardly more than {chance}");

    // What bob may not see he does not hear of, in any way.
    let bells = ann.id("song", "Slow Bells 1").await;
    let secret = ann.id("song", "Secret").await;
    let of_ann = matches(ann, "getSonicSimilarTracks", &format!("id={bells}&count=500")).await;
    let of_bob = matches(bob, "getSonicSimilarTracks", &format!("id={bells}&count=500")).await;
    assert!(of_ann.iter().any(|one| one.0 == secret));
    assert_eq!(of_bob.len(), of_ann.len() - 1);
    assert!(of_bob.iter().all(|one| one.0 != secret));
    assert_eq!(bob.refused("getSonicSimilarTracks", &format!("id={secret}")).await, 70);
    let drone = ann.id("song", "Low Drone 1").await;
    for ends in [(&secret, &bells), (&bells, &secret)] {
        let query = format!("startSongId={}&endSongId={}", ends.0, ends.1);
        assert_eq!(bob.refused("findSonicPath", &query).await, 70);
    }

    // A way has its ends, no song twice, and as many as asked for at most.
    for (count, expected) in [(2, 2), (5, 5), (1, 2), (500, files - 1)] {
        let query = format!("startSongId={bells}&endSongId={drone}&count={count}");
        let way = matches(bob, "findSonicPath", &query).await;
        assert_eq!(way.len(), expected);
        assert_eq!((&way[0].0, &way[way.len() - 1].0), (&bells, &drone));
        let mut ids: Vec<_> = way.iter().map(|one| &one.0).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), expected);
        assert!((way[0].3 - 1.0).abs() < 1e-9);
    }
    let query = format!("startSongId={bells}&endSongId={bells}");
    assert_eq!(matches(bob, "findSonicPath", &query).await.len(), 1);
    assert_eq!(ann.refused("findSonicPath", &format!("startSongId={bells}")).await, 10);

    // Radios: varied, without the seed and without its copies.
    for (item, kind) in [(&bells, "song"), (&ann.id("artist", "Rattle").await, "artist")] {
        let radio = bob.ok("getSimilarSongs2", &format!("id={item}&count=10")).await;
        let songs = &radio["similarSongs2"]["song"];
        let mut titles = names(songs);
        assert_eq!(titles.len(), 10, "{kind}");
        assert!(!titles.contains(&"Slow Bells 1") || kind == "artist");
        assert!(!titles.contains(&"Secret"));
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), 10, "{kind}: nothing twice");
        let songs = songs.as_array().unwrap();
        let of = |artist: &str| songs.iter().filter(|song| song["artist"] == artist).count();
        assert!(BANDS.iter().all(|band| of(band.name) <= 5), "{songs:?}");
    }

    // Measured gain where no tag says any; an album's songs share the album's.
    let song = bob.ok("getSong", &format!("id={bells}")).await;
    let gain = &song["song"]["replayGain"];
    assert!(gain["trackGain"].is_number() && gain["trackPeak"].is_number(), "{gain}");
    let album = song["song"]["albumId"].as_str().unwrap();
    let album = bob.ok("getAlbum", &format!("id={album}")).await;
    let gains: Vec<&Value> = album["album"]["song"]
        .as_array()
        .unwrap()
        .iter()
        .map(|song| &song["replayGain"]["albumGain"])
        .collect();
    assert!(gains.len() == 3 && gains[0].is_number(), "{gains:?}");
    assert!(gains.iter().all(|gain| *gain == gains[0]), "{gains:?}");

    // XML: an element a match, with its song inside.
    let query = format!("id={bells}&count=1&f=xml");
    let text = bob.get("getSonicSimilarTracks", &query.replace("f=xml", "")).await;
    assert_eq!(text.status(), 200);
    let url = bob.url("getSonicSimilarTracks", &query).replace("f=json&", "");
    let xml = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(xml.contains("<sonicMatch similarity=\"") && xml.contains("<entry id=\"tr-"), "{xml}");
}

#[tokio::test]
async fn subsonic_without_analysis_tags_say_what_goes_together() {
    let house = House::open().await;
    let ann = &house.ann;
    let song = ann.id("song", "All I Want").await;
    let near = matches(ann, "getSonicSimilarTracks", &format!("id={song}")).await;
    assert!(!near.is_empty() && near.iter().all(|one| one.3 < 0.0), "{near:?}");
    assert!(near.iter().all(|one| one.0 != song));
    let other = ann.id("song", "First").await;
    let query = format!("startSongId={song}&endSongId={other}&count=3");
    let way = matches(ann, "findSonicPath", &query).await;
    assert_eq!(way.len(), 3, "{way:?}");
    assert_eq!((&way[0].0, &way[2].0), (&song, &other));
    for nonsense in ["id=tr-999999", "id=al-1", "id=x"] {
        assert_eq!(ann.refused("getSonicSimilarTracks", nonsense).await, 70, "{nonsense}");
    }
    assert_eq!(ann.refused("getSonicSimilarTracks", "").await, 10);
}
