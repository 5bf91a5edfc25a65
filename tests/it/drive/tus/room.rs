//! What a resumable upload may take: decided before a byte is sent, and each byte of room given once.

use super::*;

#[tokio::test]
async fn tus_refuses_what_does_not_fit_before_a_byte_is_sent() {
    let tus = Tus::with_quota(1000).await;
    let create = async |length: &str, metadata: &str| {
        let request = tus.request(Method::POST, "/api/v1/uploads").header("Upload-Length", length);
        request.header("Upload-Metadata", metadata).send().await.unwrap()
    };
    let first = tus.create(600, &path("first")).await;
    let refused = create("401", &path("second")).await;
    assert_eq!(refused.status(), 413);
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(problem["type"], "quota_exceeded");
    assert_eq!(
        (&problem["used"], &problem["quota"], &problem["needed"]),
        (&600.into(), &1000.into(), &401.into())
    );
    assert_eq!(create("400", &path("second")).await.status(), 201);
    assert_eq!(create("1", &path("third")).await.status(), 413);
    for (length, metadata, status) in [
        ("", path("x"), 400),
        ("-1", path("x"), 400),
        ("9223372036854775807", path("x"), 400),
        ("1", String::new(), 400),
        ("1", path("../x"), 400),
        ("1", path("a/con"), 400),
        ("1", format!("{},locker {}", path("x"), STANDARD.encode("lo-99")), 404),
    ] {
        assert_eq!(create(length, &metadata).await.status(), status, "{length:?} {metadata}");
    }
    // Given up: the room is free again, and the upload is nobody's.
    assert_eq!(tus.request(Method::DELETE, &first).send().await.unwrap().status(), 204);
    assert_eq!(tus.request(Method::HEAD, &first).send().await.unwrap().status(), 404);
    assert_eq!(tus.usage().await, (0, 400));
    assert_eq!(tus.lockers.staged(), 1);
    // Another's upload is not found.
    let root = tus.lockers.accounts.create_app_password(&tus.lockers.admin, "x").await.unwrap();
    let second = create("0", &path("empty")).await;
    assert_eq!(tus.stored("empty"), b"", "nothing to wait for");
    let address = header(&second, "location");
    let other = tus.client.head(tus.lockers.app.url(&address)).header("Tus-Resumable", "1.0.0");
    assert_eq!(other.bearer_auth(root.secret).send().await.unwrap().status(), 404);
    let nobody = tus.client.post(tus.lockers.app.url("/api/v1/uploads"));
    assert_eq!(nobody.header("Tus-Resumable", "1.0.0").send().await.unwrap().status(), 401);
}

/// Ten bytes of room are left beside a file of 990: whoever replaces it needs no more, once.
#[tokio::test]
async fn tus_gives_the_room_of_a_replaced_file_to_one_upload() {
    let tus = Tus::with_quota(1000).await;
    let (first, second) = (bytes(990), vec![7; 1000]);
    tus.lockers.put("song", &first).await.unwrap();
    let create = async |length: usize, name: &str| {
        let request = tus.request(Method::POST, "/api/v1/uploads").header("Upload-Length", length);
        request.header("Upload-Metadata", path(name)).send().await.unwrap()
    };
    let holder = tus.create(1000, &path("song")).await;
    assert_eq!(tus.usage().await, (990, 10), "the difference is promised");
    assert_eq!(create(990, "song").await.status(), 413, "the credit is in another's hand");
    assert!(is_quota(&tus.lockers.put("song", &[1; 990]).await), "nor for one request");
    // The file elsewhere is no second file.
    let moving = async |from: &str, to: &str| {
        let (from, to) = (tus.lockers.target(from), tus.lockers.target(to));
        tus.lockers.drive.move_to(&tus.lockers.ann, from.locker, &from.path, &to).await.unwrap()
    };
    moving("song", "moved").await;
    assert_eq!(create(990, "moved").await.status(), 413);
    moving("moved", "song").await;
    assert_eq!(tus.lockers.staged(), 1, "what was refused took no room");

    // It is judged by what is true when its turn comes, also after a start.
    let gone = tus.request(Method::DELETE, &holder).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let holder = tus.create(1000, &path("song")).await;
    assert_eq!(tus.patch(&holder, 0, &second).await.status(), 204);
    assert_eq!((tus.usage().await, tus.stored("song") == second), ((1000, 0), true));
    let next = tus.create(1000, &path("song")).await;
    assert_eq!(tus.usage().await, (1000, 0));
    assert_eq!(tus.patch(&next, 0, &bytes(1000)).await.status(), 204);
}

/// Whose length comes later asks for the credit as its bytes come.
#[tokio::test]
async fn tus_of_unknown_length_shares_no_credit() {
    let tus = Tus::with_quota(1000).await;
    tus.lockers.put("song", &bytes(900)).await.unwrap();
    let holder = tus.create(900, &path("song")).await;
    let request = tus.request(Method::POST, "/api/v1/uploads").header("Upload-Defer-Length", "1");
    let made = request.header("Upload-Metadata", path("song")).send().await.unwrap();
    let later = header(&made, "location");
    assert_eq!(tus.patch(&later, 0, &bytes(900)).await.status(), 413);
    let gone = tus.request(Method::DELETE, &holder).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let at = tus.offset(&later).await;
    assert_eq!(tus.patch(&later, at, &bytes(900)[at..]).await.status(), 204);
    let end = tus.request(Method::PATCH, &later).header("Upload-Offset", 900);
    let end = end.header("Content-Type", "application/offset+octet-stream");
    let end = end.header("Upload-Length", 900).send().await.unwrap();
    assert_eq!(end.status(), 204);
    assert_eq!(tus.usage().await, (900, 0));
}
