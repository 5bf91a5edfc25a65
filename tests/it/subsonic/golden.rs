//! Whole bodies of the drawn library, in JSON and XML. `UPDATE_GOLDEN=1` writes them anew.

use std::{collections::BTreeSet, fs, path::Path};

use tunelocker::config::JukeboxOutput;

use super::House;

/// Name of the file, method, and what is asked; `{...}` is the id of something by its name.
const CASES: &[(&str, &str, &str)] = &[
    ("get_album_blue", "getAlbum", "id={album:Blue}"),
    ("get_album_double", "getAlbum", "id={album:Double}"),
    ("get_artists", "getArtists", ""),
    ("get_indexes", "getIndexes", ""),
    ("get_album_list2", "getAlbumList2", "type=alphabeticalByArtist&size=3"),
    ("get_lyrics_by_song_id", "getLyricsBySongId", "id={song:All I Want}"),
    ("get_lyrics_words", "getLyricsBySongId", "id={song:My Old Man}&enhanced=true"),
    ("get_lyrics_voices", "getLyricsBySongId", "id={song:One}&enhanced=true"),
    ("get_lyrics_voices_plain", "getLyricsBySongId", "id={song:One}"),
    ("get_genres", "getGenres", ""),
    ("get_user", "getUser", "username=ann"),
    ("get_now_playing", "getNowPlaying", ""),
    ("get_play_queue_by_index", "getPlayQueueByIndex", ""),
    ("get_shares", "getShares", ""),
    ("get_chat_messages", "getChatMessages", ""),
    ("jukebox_get", "jukeboxControl", "action=get"),
    ("jukebox_status", "jukeboxControl", "action=status"),
];

#[tokio::test]
async fn subsonic_bodies_are_as_they_were() {
    let house = House::open_with(|config| {
        config.jukebox.output = JukeboxOutput::Silence { speed: 1 };
    })
    .await;
    seed(&house).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/subsonic");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut used = BTreeSet::new();
    for (name, method, query) in CASES {
        let mut query = (*query).to_owned();
        if let Some((kind, rest)) = query.split_once('{').and_then(|(_, rest)| rest.split_once(':'))
        {
            let (wanted, more) = rest.split_once('}').unwrap();
            let id = house.ann.id(kind, wanted).await;
            query = format!("id={id}{more}");
        }
        for form in ["json", "xml"] {
            let url = house.ann.url(method, &query).replace("f=json", &format!("f={form}"));
            let text = reqwest::get(url).await.unwrap().text().await.unwrap();
            let text = steady(form, &text);
            let file = format!("{name}.{form}");
            let path = folder.join(&file);
            if update {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&path, &text).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            assert!(text == expected, "{file} is now:\n{text}\nand was:\n{expected}");
            used.insert(file);
        }
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(used.contains(&name), "{name} belongs to no case");
    }
}

/// What bodies show beside the library itself.
async fn seed(house: &House) {
    let ann = &house.ann;
    let (first, blue) = (ann.id("song", "First").await, ann.id("album", "Blue").await);
    let report = format!("mediaId={first}&mediaType=song&positionMs=250&state=paused");
    ann.ok("reportPlayback", &report).await;
    let queue = format!("id={first}&id={first}&currentIndex=1&position=250");
    ann.ok("savePlayQueueByIndex", &queue).await;
    ann.ok("createShare", &format!("id={first}&description=for%20you&expires=4000000000000")).await;
    ann.ok("createShare", &format!("id={blue}")).await;
    ann.ok("addChatMessage", "message=Who%20plays%20%3Cthis%3E%3F").await;
    house.bob.ok("addChatMessage", "message=I%20do").await;
    let queue = format!("action=set&id={first}&id={first}");
    ann.ok("jukeboxControl", &queue).await;
    ann.ok("jukeboxControl", "action=setGain&gain=0.5").await;
}

/// One member or element a line, and what differs from run to run replaced: times, ids (by their
/// order), picture hashes, our version.
fn steady(form: &str, text: &str) -> String {
    let text = &without_images(text);
    let text = if form == "json" {
        let whole: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&whole).unwrap()
    } else {
        text.replace("><", ">\n<")
    };
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(&steady_line(line));
        out.push('\n');
    }
    out
}

/// Addresses of pictures carry a port and a proof, which differ from run to run.
fn without_images(text: &str) -> String {
    let mut parts = text.split("/rest/image/");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let host = out.rfind("http://").unwrap();
        out.truncate(host);
        out.push_str("IMAGE");
        out.push_str(&part[part.find('"').unwrap()..]);
    }
    out
}

fn steady_line(line: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for letter in line.chars().chain(['\n']) {
        if letter.is_ascii_alphanumeric() || "-_:.".contains(letter) {
            word.push(letter);
        } else {
            out.push_str(&steady_word(&word));
            word.clear();
            out.push(letter);
        }
    }
    out.pop();
    out
}

fn steady_word(word: &str) -> String {
    let is_id = |text: &str| {
        text.split_once('-').is_some_and(|(kind, row)| {
            ["tr", "al", "ar", "fo", "pl", "sh"].contains(&kind)
                && !row.is_empty()
                && row.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    match word.split_once('_') {
        Some((id, _)) if is_id(id) => format!("{}-N_HASH", &id[..2]),
        _ if word.starts_with("127.0.0.1:") => "HOST".to_owned(),
        _ if word.len() == 32
            && word.bytes().all(|byte| b"abcdefghijklmnopqrstuvwxyz234567".contains(&byte)) =>
        {
            "TOKEN".to_owned()
        }
        _ if is_id(word) => format!("{}-N", &word[..2]),
        _ if word.ends_with('Z') && word.len() == 24 => "TIME".to_owned(),
        _ if word.len() == 13 && word.bytes().all(|byte| byte.is_ascii_digit()) => "MS".to_owned(),
        _ if word == env!("CARGO_PKG_VERSION") => "VERSION".to_owned(),
        _ => word.to_owned(),
    }
}
