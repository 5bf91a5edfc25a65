//! Folders that somebody shared: a place of its own for who they were shared with, read or write.

use tunelocker::drive::RelativePath;

use super::{Dav, hrefs, token};

const LOCK: &str = "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>";

#[tokio::test]
async fn a_shared_folder_is_a_place_of_its_own() {
    let dav = Dav::with_quota(10_000).await;
    let bob = dav.bob().await;
    for folder in ["ann/All", "ann/All/Ours"] {
        assert_eq!(dav.status("MKCOL", folder, &[]).await, 201);
    }
    dav.put("ann/All/Ours/a%20b", b"1").await;
    dav.put("ann/All/secret", b"2").await;
    let bobs = async |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let answer = dav.ask_as(("bob", &bob), method, path, headers, body.to_owned()).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (drive, ann, locker) = (&dav.lockers.drive, &dav.lockers.ann, dav.lockers.locker);
    let ours = RelativePath::parse("All/Ours").unwrap();
    drive.share_folder(ann, locker, &ours, "bob", false).await.unwrap();

    let (_, places) = bobs("PROPFIND", "", &[("Depth", "1")], "").await;
    let expected = ["/dav/", "/dav/bob/", "/dav/household/", "/dav/Ours/"];
    assert_eq!(hrefs(&places), expected);
    let (_, list) = bobs("PROPFIND", "Ours/", &[("Depth", "1")], "").await;
    assert_eq!(hrefs(&list), ["/dav/Ours/", "/dav/Ours/a%20b"]);
    assert!(
        !list.contains("quota") && !list.contains("All"),
        "whose room it is is not told: {list}"
    );
    assert_eq!(bobs("GET", "Ours/a%20b", &[], "").await, (200, "1".to_owned()));
    for (method, path) in [
        ("PUT", "Ours/new"),
        ("PUT", "Ours/a%20b"),
        ("MKCOL", "Ours/new"),
        ("DELETE", "Ours/a%20b"),
        ("DELETE", "Ours"),
        ("LOCK", "Ours/a%20b"),
    ] {
        let body = if method == "LOCK" { LOCK } else { "" };
        assert_eq!(bobs(method, path, &[], body).await.0, 403, "read only: {method} {path}");
    }
    let away = [("Destination", "/dav/bob/mine")];
    assert_eq!(bobs("MOVE", "Ours/a%20b", &away, "").await.0, 403);
    assert_eq!(bobs("COPY", "Ours/a%20b", &away, "").await.0, 201, "a copy counts at bob's");
    for path in ["Ours/../secret", "Ours/%2e%2e/secret", "All/secret", "ann/All/secret"] {
        assert!(matches!(bobs("GET", path, &[], "").await.0, 403 | 404), "{path}");
    }

    drive.share_folder(ann, locker, &ours, "bob", true).await.unwrap();
    assert_eq!(bobs("PUT", "Ours/new", &[], "3").await.0, 201);
    assert_eq!(dav.get("ann/All/Ours/new").await, b"3", "in ann's locker, and counted there");
    assert_eq!(bobs("DELETE", "Ours", &[], "").await.0, 403, "the folder itself is ann's");
    // A lock that ann put above reaches what bob sees, and says no more than bob may know.
    let held = token(&dav.ask("LOCK", "ann/All", &[], LOCK).await);
    let (status, text) = bobs("PUT", "Ours/new", &[], "4").await;
    assert_eq!(status, 423);
    assert!(text.contains("<D:href>/dav/Ours/</D:href>") && !text.contains("All"), "{text}");
    let of = format!("<{held}>");
    assert_eq!(dav.status("UNLOCK", "ann/All", &[("Lock-Token", &of)]).await, 204);
    assert_eq!(bobs("PUT", "Ours/new", &[], "4").await.0, 204);
}
