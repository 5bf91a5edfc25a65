//! Shares as apps make them.

use serde_json::json;

use super::{House, names};

#[tokio::test]
async fn subsonic_shares_are_made_changed_and_revoked() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let (blue, first) = (ann.id("album", "Blue").await, ann.id("song", "First").await);
    let list = ann.ok("createPlaylist", &format!("name=Mine&songId={first}")).await;
    let list = list["playlist"]["id"].as_str().unwrap().to_owned();
    let query =
        format!("id={blue}&id={first}&id={list}&description=for%20you&expires=4000000000000");
    let made = ann.ok("createShare", &query).await["shares"]["share"].clone();
    assert_eq!(made.as_array().unwrap().len(), 1);
    let share = &made[0];
    assert_eq!(
        names(&share["entry"]),
        ["All I Want", "My Old Man", "Little Green", "First", "First"]
    );
    assert_eq!(
        (&share["username"], &share["description"], &share["visitCount"], &share["expires"]),
        (&json!("ann"), &json!("for you"), &json!(0), &json!("2096-10-02T07:06:40.000Z"))
    );
    assert!(share.get("lastVisited").is_none());
    let url = share["url"].as_str().unwrap();
    let token = url.strip_prefix(&house.app.url("/s/")).unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{url}");
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);

    // Changed: words, and an end of 0 is none. The address stays.
    let id = share["id"].as_str().unwrap();
    ann.ok("updateShare", &format!("id={id}&description=&expires=0")).await;
    let share = ann.ok("getShares", "").await["shares"]["share"][0].clone();
    assert!(share.get("expires").is_none() && share.get("description").is_none(), "{share}");
    assert_eq!((&share["url"], &share["visitCount"]), (&json!(url), &json!(1)));
    assert!(share["lastVisited"].is_string());

    // Nobody else's business, and not told apart from nothing.
    assert_eq!(bob.ok("getShares", "").await["shares"]["share"], json!([]));
    for (method, more) in [("updateShare", "&description=x"), ("deleteShare", "")] {
        for id in [id, "sh-9999", "tr-1", "nonsense"] {
            assert_eq!(bob.refused(method, &format!("id={id}{more}")).await, 70, "{method} {id}");
        }
    }
    ann.ok("deleteShare", &format!("id={id}")).await;
    assert_eq!(reqwest::get(url).await.unwrap().status(), 404);
    assert_eq!(ann.refused("deleteShare", &format!("id={id}")).await, 70);
}

#[tokio::test]
async fn subsonic_sharing_needs_its_role_and_something_to_share() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let (first, artist) = (ann.id("song", "First").await, ann.id("artist", "Two").await);
    for (query, code) in [
        (String::new(), 10),
        ("id=tr-9999".to_owned(), 70),
        (format!("id={first}&id=tr-9999"), 70),
        ("id=nonsense".to_owned(), 70),
        (format!("id={artist}"), 0),
        (format!("id={first}&expires=soon"), 0),
        (format!("id={first}&expires=1000000000000"), 0),
    ] {
        assert_eq!(ann.refused("createShare", &query).await, code, "{query}");
    }
    assert_eq!(ann.ok("getShares", "").await["shares"]["share"], json!([]));
    let made = bob.ok("createShare", &format!("id={first}")).await;
    let share = &made["shares"]["share"][0];
    let (id, url) = (share["id"].as_str().unwrap(), share["url"].as_str().unwrap());
    ann.ok("updateUser", "username=bob&shareRole=false").await;
    assert_eq!(bob.refused("createShare", &format!("id={first}")).await, 50);
    assert_eq!(bob.refused("updateShare", &format!("id={id}&description=x")).await, 50);
    // What he shared opens nothing meanwhile, and he can still take it away.
    assert_eq!(reqwest::get(url).await.unwrap().status(), 404);
    ann.ok("updateUser", "username=bob&shareRole=true").await;
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
    ann.ok("updateUser", "username=bob&shareRole=false").await;
    bob.ok("deleteShare", &format!("id={id}")).await;
}

#[tokio::test]
async fn subsonic_shares_go_by_the_public_address() {
    let house = House::open_with(|config| {
        config.http.public_url = Some("https://music.example.org/".to_owned());
    })
    .await;
    let first = house.ann.id("song", "First").await;
    let made = house.ann.ok("createShare", &format!("id={first}")).await;
    let url = made["shares"]["share"][0]["url"].as_str().unwrap();
    assert!(url.starts_with("https://music.example.org/s/"), "{url}");
}

/// A directory is shared with all below it.
#[tokio::test]
async fn subsonic_a_shared_directory_is_all_that_lies_in_it() {
    let house = House::open().await;
    let indexes = house.ann.ok("getIndexes", "").await["indexes"].clone();
    let artists = indexes["index"].as_array().unwrap().iter();
    let mut artists = artists.flat_map(|index| index["artist"].as_array().unwrap());
    let directory = artists.find(|artist| artist["name"] == "Two & More").unwrap();
    let query = format!("id={}", directory["id"].as_str().unwrap());
    let share = house.ann.ok("createShare", &query).await["shares"]["share"][0].clone();
    assert_eq!(names(&share["entry"]), ["One", "Two"]);
}
