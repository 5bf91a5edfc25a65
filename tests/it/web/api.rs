//! The API and the pages by plain requests: who gets in, what is refused, what every answer carries.

use reqwest::{Client, Method, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use tunelocker::accounts::NewUser;

use crate::harness::TestApp;

const PASSWORD: &str = "correct horse battery";

/// A browser-like client: keeps cookies, does not follow.
fn client() -> Client {
    Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap()
}

async fn household() -> TestApp {
    let app = TestApp::spawn().await;
    app.services.accounts.ensure_first_admin("mira", PASSWORD).await.unwrap();
    app
}

async fn sign_in(app: &TestApp, name: &str, password: &str) -> (Client, String) {
    let client = client();
    let answer = client
        .post(app.url("/api/v1/session"))
        .json(&json!({ "name": name, "password": password }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204, "{:?}", answer.text().await);
    let session: Value =
        client.get(app.url("/api/v1/session")).send().await.unwrap().json().await.unwrap();
    (client, session["token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn nobody_is_let_in_without_a_credential() {
    let app = household().await;
    for address in [
        "session",
        "albums",
        "albums/al-1",
        "artists",
        "tracks",
        "tracks/tr-1/stream",
        "search?q=a",
        "covers/al-1",
        "queue",
        "history",
        "shares",
        "jukebox",
        "chat",
        "avatars/mira",
        "history/summary?from=0&to=1",
        "playlists",
        "lockers",
        "app-passwords",
        "addresses",
        "qr?text=a",
        "server",
        "users",
        "plans",
        "libraries",
        "scan",
        "devices",
        "sessions",
        "genres",
    ] {
        let answer = client().get(app.url(&format!("/api/v1/{address}"))).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{address}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{address}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["type"], "unauthenticated", "{address}");
    }
    for page in ["/", "/albums", "/album/al-1", "/server/people"] {
        let answer = client().get(app.url(page)).send().await.unwrap();
        assert_eq!(
            (answer.status(), answer.headers()["location"].as_bytes()),
            (StatusCode::SEE_OTHER, &b"/login"[..])
        );
    }
}

#[tokio::test]
async fn a_session_changes_things_only_from_our_own_pages() {
    let app = household().await;
    let (client, token) = sign_in(&app, "mira", PASSWORD).await;
    let host = app.http.to_string();
    let own = format!("http://{host}");
    let cases: [(&[(&str, &str)], u16); 6] = [
        (&[("origin", own.as_str())], 201),
        (&[("x-csrf-token", token.as_str())], 201),
        (&[], 403),
        (&[("x-csrf-token", "0000")], 403),
        (&[("origin", "http://evil.example"), ("x-csrf-token", token.as_str())], 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", own.as_str())], 403),
    ];
    for (headers, expected) in cases {
        let mut request =
            client.post(app.url("/api/v1/playlists")).json(&json!({ "name": "Evening" }));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        assert_eq!(request.send().await.unwrap().status(), expected, "{headers:?}");
    }
    // A password for an app, told this once, as described.
    let request = client.post(app.url("/api/v1/app-passwords")).header("x-csrf-token", &token);
    let request = request.json(&json!({ "label": "a phone" }));
    assert_eq!(super::schema::send(request).await.0, 201);
    let lists: Value =
        client.get(app.url("/api/v1/playlists")).send().await.unwrap().json().await.unwrap();
    assert_eq!(lists["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn only_our_own_names_are_answered() {
    let app = household().await;
    for (host, expected) in [
        ("127.0.0.1", 200),
        ("localhost:4040", 200),
        ("nas.local", 200),
        ("evil.example", 421),
        ("8.8.8.8", 421),
    ] {
        let answer = client().get(app.url("/login")).header("host", host).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{host}");
    }
}

#[tokio::test]
async fn pages_and_assets_carry_their_headers() {
    let app = household().await;
    let (client, _) = sign_in(&app, "mira", PASSWORD).await;
    let shell = client.get(app.url("/albums")).send().await.unwrap();
    assert_eq!(shell.status(), 200);
    let policy = shell.headers()["content-security-policy"].to_str().unwrap().to_owned();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "require-trusted-types-for 'script'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(shell.headers()["cache-control"], "no-store");
    assert_eq!(shell.headers()["x-content-type-options"], "nosniff");
    // In the open it would be ignored, and behind a proxy it is the proxy's to say.
    assert!(!shell.headers().contains_key("strict-transport-security"));
    let text = shell.text().await.unwrap();
    assert!(!text.contains("style=") && !text.contains("<script>"), "{text}");
    let links: Vec<&str> = text.split('"').filter(|part| part.starts_with("/a/")).collect();
    assert!(links.iter().filter(|link| link.ends_with(".js")).count() <= 27, "{links:?}");
    for link in links {
        let asset = client.get(app.url(link)).send().await.unwrap();
        assert_eq!(asset.status(), 200, "{link}");
    }
    assert_eq!(client.get(app.url("/a/0/../../Cargo.toml")).send().await.unwrap().status(), 404);
    assert_eq!(client.get(app.url("/a/0/no-such-file")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn administration_is_for_administrators() {
    let app = household().await;
    let admin = app.services.accounts.principal_named("mira").await.unwrap();
    app.services.accounts.create_user(&admin, &NewUser::new("jo", PASSWORD)).await.unwrap();
    let (client, token) = sign_in(&app, "jo", PASSWORD).await;
    let phone = app.services.accounts.create_app_password(&admin, "phone").await.unwrap().secret;
    for (method, address) in [
        (Method::GET, "server"),
        (Method::GET, "users"),
        (Method::POST, "users"),
        (Method::PATCH, "users/mira"),
        (Method::PUT, "users/mira/password"),
        (Method::DELETE, "users/mira"),
        (Method::GET, "plans"),
        (Method::PUT, "plans/Free"),
        (Method::DELETE, "plans/Free"),
        (Method::GET, "libraries"),
        (Method::GET, "scan"),
        (Method::POST, "scan"),
        (Method::GET, "devices"),
        (Method::PATCH, "devices/de-1"),
    ] {
        let body = match address {
            "users" => json!({ "name": "eve", "password": PASSWORD, "role": "admin" }),
            "users/mira" => json!({ "role": "user" }),
            "users/mira/password" => json!({ "password": "another long one" }),
            _ => json!({}),
        };
        let answer = client
            .request(method.clone(), app.url(&format!("/api/v1/{address}")))
            .header("x-csrf-token", &token)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403, "{method} {address}");
        // Nor is an administrator's app, but that it may have new files looked for.
        let request = Client::new().request(method.clone(), app.url(&format!("/api/v1/{address}")));
        let answer = request.basic_auth("mira", Some(&phone)).json(&body).send().await.unwrap();
        let expected = if (method.as_str(), address) == ("POST", "scan") { 202 } else { 403 };
        assert_eq!(answer.status(), expected, "{method} {address} by an app password");
    }
    sign_in(&app, "mira", PASSWORD).await;
}

#[tokio::test]
async fn nonsense_gets_a_sentence() {
    let app = household().await;
    let (client, token) = sign_in(&app, "mira", PASSWORD).await;
    for (address, expected) in [
        ("albums/nonsense", 404),
        ("albums/al-999999", 404),
        ("albums/tr-1", 404),
        ("tracks/tr-0/stream", 404),
        ("albums?limit=-1", 400),
        ("albums?limit=", 400),
        ("albums?order=sideways", 400),
        ("tracks/tr-1/stream?format=vhs", 400),
        ("tracks/tr-1/stream?offset=-5", 400),
        ("qr?text=", 400),
        ("no-such-thing", 404),
        ("playlists/pl-99", 404),
        ("covers/al-99", 404),
    ] {
        let answer = client.get(app.url(&format!("/api/v1/{address}"))).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{address}");
        let problem: Value = answer.json().await.unwrap();
        let said = problem["detail"].as_str().unwrap();
        assert!(!said.is_empty() && !said.contains("deserialize"), "{address}: {said}");
        // What is wrong with a query is told with the name of the parameter.
        if let Some((name, _)) =
            address.split_once('?').and_then(|(_, query)| query.split_once('='))
            && name != "text"
            && !said.contains("format")
        {
            assert!(said.to_lowercase().contains(name), "{address}: {said}");
        }
    }
    for (body, kind, status) in
        [(String::new(), "text/plain", 400), ("x".repeat((1 << 20) + 1), "application/json", 413)]
    {
        let request = client.post(app.url("/api/v1/playlists")).header("x-csrf-token", &token);
        let answer = request.header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{kind}");
        let problem: Value = answer.json().await.unwrap();
        let said = problem["detail"].as_str().unwrap();
        let expected = if status == 413 { "larger than" } else { "application/json" };
        assert!(said.contains(expected), "{said}");
    }
    for body in ["", "{", "[]", "{\"name\":1}", "{\"name\":\"a\",\"owner\":\"jo\"}"] {
        let answer = client
            .post(app.url("/api/v1/playlists"))
            .header("x-csrf-token", &token)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let app = household().await;
    let (client, token) = sign_in(&app, "mira", PASSWORD).await;
    let answer = client
        .delete(app.url("/api/v1/session"))
        .header("x-csrf-token", &token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(client.get(app.url("/api/v1/session")).send().await.unwrap().status(), 401);
}

#[test]
fn every_text_that_is_asked_for_is_in_the_catalogue() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/ui");
    let texts: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&std::fs::read_to_string(root.join("i18n/en.json")).unwrap()).unwrap();
    let mut folders = vec![root.join("app")];
    let mut asked = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            for (at, _) in source.match_indices("t('") {
                let is_call = !source[..at]
                    .ends_with(|letter: char| letter.is_alphanumeric() || letter == '.');
                let key = source[at + 3..].split('\'').next().unwrap();
                if is_call {
                    asked += 1;
                    let is_there =
                        texts.contains_key(key) || texts.contains_key(&format!("{key}.other"));
                    assert!(is_there, "{}: no text for {key:?}", path.display());
                }
            }
            assert!(!source.contains("innerHTML"), "{}", path.display());
        }
    }
    assert!(asked > 150, "{asked}");
}

/// Monitors and link checkers ask for headers alone.
#[tokio::test]
async fn pages_answer_head_like_get() {
    let app = household().await;
    let (client, _) = sign_in(&app, "mira", PASSWORD).await;
    let pages = ["/", "/login", "/albums", "/server/people", "/manifest.webmanifest", "/health"];
    for page in pages.into_iter().chain(["/metrics", "/s/unknown", "/nothing-here"]) {
        let get = client.get(app.url(page)).send().await.unwrap();
        let head = client.head(app.url(page)).send().await.unwrap();
        assert_eq!(head.status(), get.status(), "{page}");
        for name in ["content-type", "content-security-policy", "cache-control"] {
            assert_eq!(head.headers().get(name), get.headers().get(name), "{page}: {name}");
        }
        assert!(head.bytes().await.unwrap().is_empty());
        assert!(!get.bytes().await.unwrap().is_empty());
    }
}
