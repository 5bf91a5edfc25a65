//! Chat, pictures of people, and managing users with every parameter.

use reqwest::Client;
use serde_json::{Value, json};

use super::{App, House};
use crate::harness::music;

fn said(list: &Value) -> Vec<(&str, &str)> {
    let text = |one: &'_ Value, name: &str| one[name].as_str().map(ToOwned::to_owned);
    let list = list["chatMessages"]["chatMessage"].as_array().unwrap();
    assert!(list.iter().all(|one| text(one, "username").is_some()));
    list.iter()
        .map(|one| (one["username"].as_str().unwrap(), one["message"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn subsonic_chat_is_one_room() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    assert_eq!(ann.ok("getChatMessages", "").await["chatMessages"]["chatMessage"], json!([]));
    ann.ok("addChatMessage", "message=%3Cb%3Ehello%3C%2Fb%3E%20%26%20you%0Athere").await;
    bob.ok("addChatMessage", "message=hi").await;
    bob.ok("addChatMessage", "message=again").await;
    let all = ann.ok("getChatMessages", "").await;
    assert_eq!(said(&all), [("bob", "again"), ("bob", "hi"), ("ann", "<b>hello</b> & you there")]);
    // Times grow, so that asking for what came since loses nothing.
    let list = all["chatMessages"]["chatMessage"].as_array().unwrap();
    let time = |at: usize| list[at]["time"].as_i64().unwrap();
    assert!(time(2) < time(1) && time(1) < time(0));
    let since = ann.ok("getChatMessages", &format!("since={}", time(1))).await;
    assert_eq!(said(&since), [("bob", "again")]);
    let none = ann.ok("getChatMessages", &format!("since={}", time(0))).await;
    assert_eq!(none["chatMessages"]["chatMessage"], json!([]));
    let long = "x".repeat(5000);
    ann.ok("addChatMessage", &format!("message={long}")).await;
    let all = ann.ok("getChatMessages", "").await;
    assert_eq!(said(&all)[0].1.len(), 1000);
    for (query, code) in [("", 10), ("message=", 10), ("message=%20%09", 0)] {
        assert_eq!(ann.refused("addChatMessage", query).await, code, "{query}");
    }
    assert_eq!(ann.refused("getChatMessages", "since=yesterday").await, 0);
}

#[tokio::test]
async fn subsonic_old_chat_is_forgotten() {
    let house = House::empty().await;
    let ann = house.principal("ann").await;
    for number in 0..520 {
        house.app.services.accounts.say(&ann, &format!("{number}")).await.unwrap();
    }
    let all = house.bob.ok("getChatMessages", "").await;
    let all = said(&all);
    assert_eq!((all.len(), all[0].1, all[499].1), (500, "519", "20"));
}

async fn put_picture(house: &House, app: &App, bytes: Vec<u8>) -> u16 {
    let put =
        Client::new().put(house.app.url("/api/v1/avatar")).bearer_auth(&app.secret).body(bytes);
    put.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn subsonic_avatars_are_encoded_anew() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    // Who has none has initials, and a name that is nobody's has them too: nobody learns who is here.
    for name in ["bob", "nobody", "%D0%90"] {
        let answer = ann.get("getAvatar", &format!("username={name}")).await;
        assert_eq!(answer.headers()["content-type"], "image/png", "{name}");
        let drawn = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (256, 256));
    }
    assert_eq!(ann.refused("getAvatar", "").await, 10);
    assert!(ann.ok("getUser", "username=bob").await["user"].get("avatarLastChanged").is_none());
    // What rides along in the file does not come out again; large ones are made smaller.
    let mut picture = music::jpeg(900, [200, 10, 10]);
    picture.extend_from_slice(b"<script>SECRET</script>");
    assert_eq!(put_picture(&house, bob, picture).await, 204);
    let answer = ann.get("getAvatar", "username=bob").await;
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    let bytes = answer.bytes().await.unwrap();
    assert!(bytes.starts_with(&[0xff, 0xd8]) && !bytes.windows(6).any(|part| part == b"SECRET"));
    assert!(ann.ok("getUser", "username=bob").await["user"]["avatarLastChanged"].is_string());
    // What is no picture is refused and changes nothing.
    for wrong in [b"not a picture".to_vec(), Vec::new(), b"<svg onload=alert(1)/>".to_vec()] {
        assert_eq!(put_picture(&house, bob, wrong).await, 400);
    }
    assert_eq!(put_picture(&house, bob, vec![0xff; 13 << 20]).await, 413);
    assert_eq!(ann.get("getAvatar", "username=bob").await.bytes().await.unwrap(), bytes);
    ann.ok("updateUser", "username=bob&settingsRole=false").await;
    assert_eq!(put_picture(&house, bob, music::jpeg(100, [1, 2, 3])).await, 403);
}

#[tokio::test]
async fn subsonic_users_with_every_parameter() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let folders = ann.ok("getMusicFolders", "").await;
    let folders = folders["musicFolders"]["musicFolder"].as_array().unwrap();
    let folder = folders.iter().find(|folder| folder["name"] == "Music").unwrap();
    let folder = folder["id"].as_i64().unwrap();
    // A password in hex, all roles, one folder.
    let password: String = "sésame, open".bytes().map(|byte| format!("{byte:02x}")).collect();
    let query = format!(
        "username=cleo&password=enc:{password}&email=c@example.org&ldapAuthenticated=false&adminRole=false\
         &settingsRole=false&streamRole=true&jukeboxRole=true&downloadRole=true&uploadRole=false&playlistRole=false\
         &coverArtRole=true&commentRole=true&podcastRole=true&shareRole=true&videoConversionRole=true\
         &musicFolderId={folder}"
    );
    ann.ok("createUser", &query).await;
    let user = ann.ok("getUser", "username=cleo").await["user"].clone();
    for (role, expected) in [
        ("adminRole", false),
        ("settingsRole", false),
        ("streamRole", true),
        ("jukeboxRole", true),
        ("downloadRole", true),
        ("uploadRole", false),
        ("playlistRole", false),
        ("coverArtRole", true),
        ("commentRole", true),
        ("podcastRole", true),
        ("shareRole", true),
        ("videoConversionRole", false),
        ("scrobblingEnabled", true),
    ] {
        assert_eq!(user[role], expected, "{role}");
    }
    assert_eq!((&user["email"], &user["maxBitRate"]), (&json!("c@example.org"), &json!(0)));
    assert!(user["folder"].as_array().unwrap().contains(&json!(folder)));
    // The defaults of the protocol where nothing is said.
    ann.ok("createUser", "username=dora&password=long%20enough&email=d@example.org").await;
    let user = ann.ok("getUser", "username=dora").await["user"].clone();
    assert_eq!((&user["settingsRole"], &user["streamRole"]), (&json!(true), &json!(true)));
    for role in ["downloadRole", "uploadRole", "jukeboxRole", "shareRole", "podcastRole"] {
        assert_eq!(user[role], false, "{role}");
    }

    // She gets in with that password, as it is and in hex, and her ceiling holds.
    let sign_in = |p: &str, method: &str| {
        house.app.url(&format!("/rest/{method}?u=cleo&p={p}&v=1.16.1&c=tests&f=json"))
    };
    for p in ["s%C3%A9same,%20open", &format!("enc:{password}")] {
        let answer: Value = reqwest::get(sign_in(p, "ping")).await.unwrap().json().await.unwrap();
        assert_eq!(answer["subsonic-response"]["status"], "ok", "{p}");
    }
    let song = ann.id("song", "Untitled").await;
    let stream = sign_in(&format!("enc:{password}&id={song}"), "stream");
    let kind = async || {
        let answer = reqwest::get(&stream).await.unwrap();
        answer.headers()["content-type"].to_str().unwrap().to_owned()
    };
    let original = kind().await;
    assert!(original.starts_with("audio/"), "{original}");
    ann.ok("updateUser", "username=cleo&maxBitRate=64").await;
    assert_eq!(ann.ok("getUser", "username=cleo").await["user"]["maxBitRate"], 64);
    assert_ne!(kind().await, original);
    ann.ok("updateUser", "username=cleo&maxBitRate=0").await;
    assert_eq!(kind().await, original);
    // What is not sent stays; the folder can be taken away, and then it is not there.
    ann.ok("updateUser", "username=cleo&email=x@example.org&musicFolderId=9999").await;
    let user = ann.ok("getUser", "username=cleo").await["user"].clone();
    assert_eq!((&user["email"], &user["shareRole"]), (&json!("x@example.org"), &json!(true)));
    assert!(!user["folder"].as_array().unwrap().contains(&json!(folder)));
    let get = sign_in(&format!("enc:{password}&id={song}"), "getSong");
    let answer: Value = reqwest::get(get).await.unwrap().json().await.unwrap();
    assert_eq!(answer["subsonic-response"]["error"]["code"], 70);

    // Passwords: an administrator's right, and the old one is out.
    ann.ok("changePassword", "username=cleo&password=another%20one").await;
    let old = sign_in(&format!("enc:{password}"), "ping");
    let answer: Value = reqwest::get(old).await.unwrap().json().await.unwrap();
    assert_eq!(answer["subsonic-response"]["error"]["code"], 40);

    for (method, query, code) in [
        ("createUser", "username=eve&password=long%20enough", 50),
        ("updateUser", "username=bob&adminRole=true", 50),
        ("deleteUser", "username=cleo", 50),
        ("changePassword", "username=cleo&password=long%20enough", 50),
        ("getUser", "username=cleo", 50),
        ("getUsers", "", 50),
    ] {
        assert_eq!(bob.refused(method, query).await, code, "{method}");
    }
    for (method, query, code) in [
        ("createUser", "username=cleo&password=long%20enough", 0),
        ("createUser", "username=eve", 10),
        ("createUser", "password=long%20enough", 10),
        ("createUser", "username=eve&password=short", 0),
        ("createUser", "username=..%2Feve&password=long%20enough", 0),
        ("updateUser", "username=nobody&email=x", 70),
        ("updateUser", "username=cleo&maxBitRate=lots", 0),
        ("updateUser", "username=cleo&shareRole=maybe", 0),
        ("changePassword", "username=nobody&password=long%20enough", 70),
        ("deleteUser", "username=nobody", 70),
        ("deleteUser", "", 10),
        ("getUser", "username=nobody", 70),
    ] {
        assert_eq!(ann.refused(method, query).await, code, "{method} {query}");
    }
    let users = ann.ok("getUsers", "").await;
    assert_eq!(users["users"]["user"].as_array().unwrap().len(), 4);
    ann.ok("deleteUser", "username=cleo").await;
    assert_eq!(ann.refused("getUser", "username=cleo").await, 70);
    // The last administrator stays one.
    assert_eq!(ann.refused("updateUser", "username=ann&adminRole=false").await, 0);
    assert_eq!(ann.refused("deleteUser", "username=ann").await, 0);
}
