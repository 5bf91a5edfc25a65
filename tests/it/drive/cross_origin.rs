//! Uploads by tus from a page of another origin, as browsers let it: what the preflight allows, what the
//! page may read of each answer, and methods that a proxy or an old client cannot say.

use reqwest::{Method, RequestBuilder, Response};

use super::tus::{Tus, bytes, header, path};

/// Fetch lets a page read these always, or they are the browser's own business.
const PLAIN: &[&str] = &[
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "permissions-policy",
    "referrer-policy",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
    "x-frame-options",
    // What it may do it knows from the preflight, and who it is from its credential.
    "allow",
    "www-authenticate",
];

/// What clients of tus read, and ours besides.
const READ: &[&str] = &[
    "Location",
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Checksum-Algorithm",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Concat",
    "Upload-Expires",
    "ETag",
    "Tunelocker-Import",
    "Retry-After",
];

/// What they send.
const SENT: &[&str] = &[
    "Authorization",
    "Content-Type",
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Offset",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Concat",
    "Upload-Checksum",
    "X-HTTP-Method-Override",
    "X-Requested-With",
];

fn lists(list: &str, name: &str) -> bool {
    list.split(',').any(|one| one.trim().eq_ignore_ascii_case(name))
}

/// A page elsewhere may read it, with all that it tells.
fn is_readable(what: &str, answer: &Response) {
    assert_eq!(header(answer, "access-control-allow-origin"), "*", "{what}");
    let exposed = header(answer, "access-control-expose-headers");
    for name in READ {
        assert!(lists(&exposed, name), "{what}: {name} is not in {exposed}");
    }
    for name in answer.headers().keys().map(reqwest::header::HeaderName::as_str) {
        let is_plain = PLAIN.contains(&name) || name.starts_with("access-control-");
        assert!(is_plain || lists(&exposed, name), "{what}: {name} is not in {exposed}");
    }
    // Its cookie is not taken from elsewhere, so nothing may say that it is.
    assert_eq!(header(answer, "access-control-allow-credentials"), "", "{what}");
}

fn from_elsewhere(request: RequestBuilder) -> RequestBuilder {
    request.header("Origin", "https://elsewhere.example").header("Sec-Fetch-Site", "cross-site")
}

#[tokio::test]
async fn a_page_elsewhere_is_told_before_it_sends() {
    let tus = Tus::with_quota(1_000).await;
    let made = tus.create(10, &path("half")).await;
    for address in ["/api/v1/uploads", &made] {
        for method in ["POST", "PATCH", "HEAD", "DELETE"] {
            // Preflights bring no credential.
            let request = tus.client.request(Method::OPTIONS, tus.lockers.app.url(address));
            let request = from_elsewhere(request)
                .header("Access-Control-Request-Method", method)
                .header("Access-Control-Request-Headers", SENT.join(",").to_lowercase());
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 204, "{method} {address}");
            assert!(lists(&header(&answer, "access-control-allow-methods"), method), "{method}");
            let allowed = header(&answer, "access-control-allow-headers");
            for name in SENT {
                assert!(lists(&allowed, name), "{name} is not in {allowed}");
            }
            is_readable(&format!("OPTIONS for {method} {address}"), &answer);
        }
    }
}

#[tokio::test]
async fn a_page_elsewhere_reads_every_answer() {
    let tus = Tus::with_quota(1_000).await;
    let whole = bytes(900);
    let send = async |what: &str, status: u16, request: RequestBuilder| {
        let answer = from_elsewhere(request).send().await.unwrap();
        assert_eq!(answer.status(), status, "{what}");
        is_readable(what, &answer);
        answer
    };
    let create = |length: usize| {
        let request = tus.request(Method::POST, "/api/v1/uploads");
        request.header("Upload-Length", length).header("Upload-Metadata", path("sent"))
    };
    let made = header(&send("creation", 201, create(900)).await, "location");
    send("what does not fit", 413, create(901)).await;
    send("no metadata", 400, tus.request(Method::POST, "/api/v1/uploads")).await;
    let patch = |at: usize, body: &[u8]| {
        let request = tus.request(Method::PATCH, &made).header("Upload-Offset", at);
        request.header("Content-Type", "application/offset+octet-stream").body(body.to_vec())
    };
    send("bytes", 204, patch(0, &whole[..400])).await;
    send("bytes that are not next", 409, patch(0, &whole[..400])).await;
    let wrong =
        patch(400, &whole[400..]).header("Upload-Checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    send("a wrong sum", 460, wrong).await;
    send("no body of tus", 415, tus.request(Method::PATCH, &made).body("x")).await;
    let state = send("how it stands", 200, tus.request(Method::HEAD, &made)).await;
    assert!(!header(&state, "upload-metadata").is_empty());
    let done = send("the last bytes", 204, patch(400, &whole[400..])).await;
    assert!(!header(&done, "etag").is_empty());
    send("nothing there", 404, tus.request(Method::HEAD, "/api/v1/uploads/none")).await;
    let url = |address: &str| tus.lockers.app.url(address);
    let old = tus.client.head(url(&made)).bearer_auth(&tus.secret);
    send("another version", 412, old.header("Tus-Resumable", "0.2.2")).await;
    let nobody = tus.client.post(url("/api/v1/uploads")).header("Tus-Resumable", "1.0.0");
    send("nobody", 401, nobody).await;
    let method = Method::from_bytes(b"LINK").unwrap();
    send("another method", 405, tus.request(method, &made)).await;
}

#[tokio::test]
async fn methods_that_cannot_be_said_are_said_in_a_header() {
    let tus = Tus::with_quota(10_000).await;
    let whole = bytes(1_000);
    let over = |method: Method, address: &str, said: &str| {
        tus.request(method, address).header("X-HTTP-Method-Override", said)
    };
    let address = tus.create(whole.len(), &path("over.bin")).await;
    let patch = over(Method::POST, &address, "PATCH").header("Upload-Offset", 0);
    let patch = patch.header("Content-Type", "application/offset+octet-stream");
    let answer = patch.body(whole[..600].to_vec()).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "upload-offset")), (204, "600".into()));
    let head = over(Method::POST, &address, "HEAD").send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "upload-offset")), (200, "600".into()));

    // Nothing else is another method, and only a POST may be.
    for said in ["PUT", "GET", "POST", "MOVE", "OPTIONS", "patch", "", "PATCH, DELETE"] {
        let answer = over(Method::POST, &address, said).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{said:?}");
        assert!(lists(&header(&answer, "allow"), "PATCH"), "{said:?}");
    }
    assert_eq!(tus.request(Method::POST, &address).send().await.unwrap().status(), 405);
    for method in [Method::GET, Method::PUT] {
        let answer = over(method.clone(), &address, "DELETE").send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
    }
    let head = over(Method::HEAD, &address, "DELETE").send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(tus.offset(&address).await, 600, "it was not thrown away");
    assert_eq!(tus.usage().await, (0, 1_000));

    // The rest as it should be, and another that is given up.
    assert_eq!(tus.patch(&address, 600, &whole[600..]).await.status(), 204);
    assert_eq!(tus.stored("over.bin"), whole);
    let second = tus.create(500, &path("second.bin")).await;
    let gone = over(Method::POST, &second, "DELETE").send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(tus.request(Method::HEAD, &second).send().await.unwrap().status(), 404);
    assert_eq!((tus.usage().await, tus.lockers.staged()), ((1_000, 0), 0));
}
