//! Who is let in, by which of the protocol's doors, and how everybody else is refused.

use tunelocker::config::LoginPassword;

use super::{App, House, PASSWORD};

/// The code with which a query without any credentials of ours is answered; 0 for let in... is
/// told as `None`.
async fn code(app: &App, query: &str) -> Option<i64> {
    let url = format!("{}ping?v=1.16.1&c=tests&f=json&{query}", app.base);
    let answer = app.http.get(url).header("Authorization", "Basic YW5uOndyb25n").send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200, "{query}");
    assert!(answer.headers().get("www-authenticate").is_none());
    let whole: serde_json::Value = answer.json().await.unwrap();
    whole["subsonic-response"]["error"]["code"].as_i64()
}

fn token(secret: &str, salt: &str) -> String {
    use md5::Digest as _;
    hex::encode(md5::Md5::digest(format!("{secret}{salt}")))
}

#[tokio::test]
async fn subsonic_every_way_of_signing_in() {
    let house = House::empty().await;
    let ann = &house.ann;
    let secret = &ann.secret;
    let spelled_hex = hex::encode(secret);
    let salted = token(secret, "c19b2d");
    let login = PASSWORD.replace(' ', "%20");
    for (query, expected) in [
        (format!("u=ann&p={secret}"), None),
        (format!("u=ann&p=enc:{spelled_hex}"), None),
        (format!("u=ann&p=enc:{}", spelled_hex.to_uppercase()), None),
        (format!("u=ann&t={salted}&s=c19b2d"), None),
        (format!("u=ann&t={}&s=c19b2d", salted.to_uppercase()), None),
        // The same salt again: some apps never change it.
        (format!("u=ann&t={salted}&s=c19b2d"), None),
        (format!("u=ann&p={login}"), None),
        (format!("apiKey={secret}"), None),
        // Wrong ones.
        ("u=ann&p=wrong".to_owned(), Some(40)),
        ("u=nobody&p=wrong".to_owned(), Some(40)),
        (format!("u=bob&p={secret}"), Some(40)),
        (format!("u=ann&t={}&s=c19b2d", token("wrong", "c19b2d")), Some(40)),
        (format!("u=ann&t={salted}&s=other1"), Some(40)),
        // The empty secret of a user who is not there (CVE-2025-27112) opens nothing.
        (format!("u=nobody&t={}&s=c19b2d", token("", "c19b2d")), Some(41)),
        ("apiKey=wrong".to_owned(), Some(44)),
        // Too many or too few.
        (format!("apiKey={secret}&u=ann"), Some(43)),
        (format!("apiKey={secret}&p={secret}"), Some(43)),
        (format!("apiKey={secret}&t={salted}&s=c19b2d"), Some(43)),
        (format!("u=ann&p={secret}&t={salted}&s=c19b2d"), Some(43)),
        (String::new(), Some(10)),
        ("u=ann".to_owned(), Some(10)),
        (format!("p={secret}"), Some(10)),
        (format!("u=ann&t={salted}"), Some(10)),
        ("u=ann&s=c19b2d".to_owned(), Some(10)),
    ] {
        assert_eq!(code(ann, &query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn subsonic_tokens_without_app_passwords_get_41_and_help() {
    let house = House::empty().await;
    let accounts = &house.app.services.accounts;
    let new = tunelocker::accounts::NewUser::new("cat", PASSWORD);
    accounts.create_user(&accounts.operator(), &new).await.unwrap();
    let token = token(PASSWORD, "salt12");
    // Somebody without an app password, and nobody at all, look the same.
    for user in ["cat", "nobody"] {
        let query = format!("u={user}&t={token}&s=salt12&v=1.16.1&c=tests&f=json");
        let url = format!("{}ping?{query}", house.ann.base);
        let whole: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let error = &whole["subsonic-response"]["error"];
        assert_eq!(error["code"], 41, "{user}");
        let help = error["helpUrl"].as_str().unwrap();
        assert!(help.starts_with(&house.app.url("/")), "{help}");
    }
}

/// Whoever asks may say that he came through a proxy; only a trusted one is believed.
#[tokio::test]
async fn subsonic_help_leads_to_the_address_that_was_asked() {
    let house = House::empty().await;
    let url = format!("{}ping?u=nobody&t=00&s=salt12&v=1.16.1&c=tests&f=json", house.ann.base);
    let answer = reqwest::Client::new()
        .get(url)
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Proto", "https")
        .header("Forwarded", "host=evil.example;proto=https")
        .send();
    let whole: serde_json::Value = answer.await.unwrap().json().await.unwrap();
    let help = whole["subsonic-response"]["error"]["helpUrl"].as_str().unwrap();
    assert_eq!(help, house.app.url("/connect"));
}

#[tokio::test]
async fn subsonic_a_revoked_app_password_is_shut_out_at_once() {
    let house = House::empty().await;
    let accounts = &house.app.services.accounts;
    let ann = house.principal("ann").await;
    house.ann.ok("ping", "").await;
    for each in accounts.app_passwords(&ann).await.unwrap() {
        accounts.revoke_app_password(&ann, each.id).await.unwrap();
    }
    assert_eq!(house.ann.refused("ping", "").await, 40);
}

#[tokio::test]
async fn subsonic_a_key_tells_whose_it_is() {
    let house = House::empty().await;
    let url = format!("{}tokenInfo?apiKey={}&c=t&f=json", house.bob.base, house.bob.secret);
    let whole: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(whole["subsonic-response"]["tokenInfo"]["username"], "bob");
}

#[tokio::test]
async fn subsonic_only_administrators_manage_users() {
    let house = House::empty().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let new = "username=dan&password=enc:6c6f6e672d656e6f756768&email=d@example.org";
    for (method, query) in [
        ("getUsers", ""),
        ("getUser", "username=ann"),
        ("createUser", new),
        ("updateUser", "username=bob&adminRole=true"),
        ("deleteUser", "username=ann"),
        ("changePassword", "username=ann&password=something-long"),
        ("startScan", ""),
    ] {
        assert_eq!(bob.refused(method, query).await, 50, "{method}");
    }
    let own = bob.ok("getUser", "username=bob").await;
    assert_eq!(own["user"]["adminRole"], false);
    assert_eq!(own["user"]["streamRole"], true);

    // An administrator's app is no administrator, whatever it asks; what apps do goes on.
    for (method, query) in [
        ("getUsers", ""),
        ("getUser", "username=bob"),
        ("createUser", new),
        ("updateUser", "username=bob&adminRole=true"),
        ("updateUser", "username=bob&password=something-long"),
        ("deleteUser", "username=bob"),
        ("changePassword", "username=ann&password=something-long"),
        ("changePassword", "username=bob&password=something-long"),
    ] {
        let answer = ann.as_app(method, query).await;
        assert_eq!(answer["error"]["code"], 50, "{method}: {answer}");
        let said = answer["error"]["message"].as_str().unwrap();
        assert!(said.contains("your own password"), "{method}: {said}");
    }
    assert_eq!(ann.as_app("getUser", "username=ann").await["user"]["username"], "ann");
    assert_eq!(ann.as_app("startScan", "").await["status"], "ok");

    ann.ok("createUser", new).await;
    assert_eq!(ann.refused("createUser", new).await, 0);
    let users = ann.ok("getUsers", "").await;
    let listed: Vec<&str> = users["users"]["user"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect();
    assert_eq!(listed, ["ann", "bob", "dan"]);
    assert_eq!(code(ann, "u=dan&p=long-enough").await, None);

    ann.ok("updateUser", "username=dan&downloadRole=true&maxBitRate=128&email=").await;
    let dan = ann.ok("getUser", "username=dan").await["user"].clone();
    assert_eq!((&dan["downloadRole"], &dan["maxBitRate"]), (&true.into(), &128.into()));
    assert_eq!((&dan["email"], &dan["uploadRole"]), (&"".into(), &false.into()));
    ann.ok("changePassword", "username=dan&password=another-long-one").await;
    assert_eq!(code(ann, "u=dan&p=long-enough").await, Some(40));
    assert_eq!(code(ann, "u=dan&p=another-long-one").await, None);
    ann.ok("deleteUser", "username=dan").await;
    assert_eq!(code(ann, "u=dan&p=another-long-one").await, Some(40));
}

/// Where only app passwords open, the login password is told apart from a wrong one.
#[tokio::test]
async fn subsonic_login_passwords_may_be_refused() {
    let house = House::over(tempfile::tempdir().unwrap().keep(), |config, _| {
        config.subsonic.login_password = LoginPassword::Refuse;
    })
    .await;
    let ann = &house.ann;
    let signed = async |secret: &str| code(ann, &format!("u=ann&p={secret}")).await;
    assert_eq!(signed(&PASSWORD.replace(' ', "%20")).await, Some(42));
    assert_eq!(signed("nothing%20of%20the%20kind").await, Some(40));
    assert_eq!(signed(&ann.secret).await, None);
}
