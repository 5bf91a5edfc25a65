//! Who may do what, over every operation of the API: nobody without an account, no member what is an
//! administrator's, and nobody, administrators neither, what is somebody else's. Whoever adds an
//! operation says here whose it is.

mod things;

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use self::things::Things;
use super::schema::document;

/// Whoever asks.
const OPEN: &str = "post /session, get /openapi.json";

/// What is the caller's own, or everybody's who has an account.
const MEMBERS: &str = "
    get /session, patch /session, delete /session, put /session/password, get /sessions, get /app-passwords,
    post /app-passwords, get /addresses, get /qr, put /avatar, delete /avatar, get /avatars/{name}, get /chat,
    post /chat, get /lockers, get /places, get /imports, post /imports, get /match/policy, get /duplicates,
    post /duplicates, get /duplicates/done, post /claims, post /match, get /albums, get /artists, get /tracks,
    get /search, get /genres, get /history, get /history/summary, post /playback/expect, get /jukebox, post /jukebox,
    get /listening, put /listening, get /queue, get /shares, get /playlists, post /playlists,
    post /playlists/file, get /smart-fields, get /outside, get /podcasts, post /podcasts, post /podcasts/refresh,
    get /episodes, get /radio, get /scrobbling, post /scrobbling/lastfm, put /scrobbling/{service},
    patch /scrobbling/{service}, delete /scrobbling/{service}, get /keeping, get /analysis, get /events,
    get /notices, get /deliveries, get /storage, put /queue, post /uploads";

/// Of one who has something: others do not find it, administrators neither.
const OWNERS: &str = "
    delete /sessions/{id}, delete /app-passwords/{id}, get /files/{path}, head /files/{path}, put /files/{path},
    post /files/{path}, delete /files/{path}, get /imports/{id}, delete /imports/{id}, get /file-search, get /trash,
    delete /trash, get /trash/{id}, post /trash/{id}, delete /trash/{id}, get /versions, get /versions/{id},
    post /versions/{id}, delete /versions/{id}, get /folder-shares, put /folder-shares, delete /folder-shares/{id},
    head /uploads/{id}, patch /uploads/{id}, post /uploads/{id}, delete /uploads/{id}, delete /duplicates/done/{id},
    get /albums/{id}, get /artists/{id}, get /artists/{id}/similar, get /radio/{id}, get /tracks/{id},
    get /tracks/{id}/stream, get /tracks/{id}/decision, get /tracks/{id}/lyrics, get /covers/{id}, put /stars/{id},
    delete /stars/{id}, delete /history/{id}, post /playback, post /shares, patch /shares/{id},
    delete /shares/{id}, get /playlists/{id}, patch /playlists/{id}, delete /playlists/{id}, get /playlists/{id}/file,
    post /notices/{id}/seen, get /ledger, get /deliveries/{id}, patch /libraries/{id}";

/// What administrators may do besides to what is somebody else's.
const HOUSE_RULES: &str = "delete /shares/{id}, get /deliveries/{id}";

/// Of whoever follows a podcast; another test has a feed.
const FOLLOWERS: &str = "
    get /podcasts/{id}, patch /podcasts/{id}, delete /podcasts/{id}, put /episodes/{id}/file,
    delete /episodes/{id}/file, put /episodes/{id}/position, get /episodes/{id}/stream";

/// Of shops, by their keys.
const SHOPS: &str = "post /deliveries";

type Operation = (Method, String);

fn named(list: &str) -> BTreeSet<String> {
    list.split(',').map(|one| one.trim().to_owned()).collect()
}

/// Every operation of the document.
fn all() -> Vec<(Operation, Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let mut found = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            if method != "options" {
                let method = method.to_uppercase().parse().unwrap();
                found.push(((method, path.clone()), operation.clone()));
            }
        }
    }
    found
}

fn name((method, path): &Operation) -> String {
    format!("{} {path}", method.as_str().to_lowercase())
}

/// Every operation is of exactly one kind.
#[test]
fn every_operation_is_somebodys() {
    let lists = [OPEN, MEMBERS, OWNERS, FOLLOWERS, SHOPS].map(named);
    let known: BTreeSet<String> = all().iter().map(|(operation, _)| name(operation)).collect();
    let mut seen = BTreeSet::new();
    for one in lists.iter().flatten() {
        assert!(known.contains(one), "there is no {one}");
        assert!(seen.insert(one), "{one} is named twice");
    }
}

#[tokio::test]
async fn nobody_does_what_is_not_theirs() {
    let things = Things::new().await;
    let [open, members, owners, followers, shops] =
        [OPEN, MEMBERS, OWNERS, FOLLOWERS, SHOPS].map(named);
    let all = all();
    let before = things.state().await;
    let mut wrong = Vec::new();
    for operation in &all {
        let name = name(&operation.0);
        // Nobody.
        let (status, text) = things.ask(None, operation).await;
        if (status == StatusCode::UNAUTHORIZED) == open.contains(&name) && name != "post /session" {
            wrong.push(format!("{name}: nobody got {status} {text}"));
        }
        let others: &[&str] = if named(HOUSE_RULES).contains(&name) {
            &["kim"]
        } else if open.contains(&name) || members.contains(&name) {
            &[]
        } else if owners.contains(&name) {
            &["kim", "ann"]
        } else {
            &["kim"]
        };
        for who in others {
            let (status, text) = things.ask(Some(who), operation).await;
            let is_hidden = status == StatusCode::NOT_FOUND;
            // Administrators know of every locker that it is there.
            let may_know = !owners.contains(&name) || *who == "ann";
            let is_refused = status == StatusCode::FORBIDDEN && may_know;
            let is_shops = shops.contains(&name) && status == StatusCode::UNAUTHORIZED;
            let is_feedless = followers.contains(&name);
            if !is_hidden && !is_refused && !is_shops && !is_feedless {
                wrong.push(format!("{name}: {who} got {status} {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(things.state().await, before, "somebody else changed it");
    // That was of things that are there: their owner may.
    for operation in all.iter().filter(|one| owners.contains(&name(&one.0))) {
        let is_last = operation.0.0 == Method::DELETE || operation.0.0 == Method::POST;
        let name = name(&operation.0);
        if is_last || name == "get /covers/{id}" {
            continue;
        }
        let (status, text) = things.ask(Some("bob"), operation).await;
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) {
            wrong.push(format!("{name}: its owner got {status} {text}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
