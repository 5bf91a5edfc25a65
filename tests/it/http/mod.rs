//! What all HTTP faces share, over a real socket: files with ranges and conditions, and bodies
//! whose client goes away or stops reading.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Method, StatusCode};
use tokio_util::sync::CancellationToken;
use tunelocker::{
    body::{FileBody, LiveBody},
    http::{
        connection::{Patience, watched},
        file, live,
        server::{Plain, serve},
    },
};

const LARGE: u64 = 64 << 20;

/// Longer than several pieces, and no multiple of one.
const LEN: usize = 1_000_003;

/// 2023-11-14T22:13:20.120Z; HTTP does not know the milliseconds.
const MODIFIED: i64 = 1_700_000_000_120;
const MODIFIED_TEXT: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

/// How the bytes of a file get to the socket.
#[derive(Debug, Clone, Copy)]
enum Way {
    Straight,
    InPieces,
}

/// A small server of one file and three kinds of stream.
struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    held: Held,
}

/// How many bodies live.
#[derive(Clone, Default)]
struct Held(Arc<AtomicUsize>);

struct Hold(Held);

impl Held {
    fn hold(&self) -> Hold {
        self.0.fetch_add(1, Ordering::SeqCst);
        Hold(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Server {
    /// As the daemon serves without a certificate, where files go straight to the socket, or as
    /// with one.
    async fn start(patience: Patience, way: Way) -> Self {
        let held = Held::default();
        let data = web::Data::new(held.clone());
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(data.clone())
                        .route("/file", web::route().to(one_file))
                        .route("/large", web::route().to(large_file))
                        .route("/empty", web::route().to(empty_file))
                        .route("/{kind}", web::route().to(some_stream))
                };
                let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
                let address = listener.local_addr().unwrap();
                let server = match way {
                    Way::Straight => {
                        let stop = CancellationToken::new();
                        let (workers, drain_seconds) = (1, 1);
                        let how =
                            Plain { workers, drain_seconds, patience, stop, on_connect: |_, _| () };
                        serve(listener, how, app).unwrap()
                    }
                    Way::InPieces => HttpServer::new(app)
                        .on_connect(watched(patience))
                        .workers(1)
                        .disable_signals()
                        .shutdown_timeout(1)
                        .listen(listener)
                        .unwrap()
                        .run(),
                };
                assert!(tell.send((address, server.handle())).is_ok());
                server.await.unwrap();
            });
        });
        let (address, handle) = told.await.unwrap();
        Self { address, handle, held }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request =
            reqwest::Client::new().request(method, format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap() }
    }

    /// Sends a request by hand, reads the first of the answer, and gives the socket.
    fn begin(&self, path: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        let mut first = [0; 15];
        socket.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        assert_eq!(self.held.count(), 1);
        socket
    }

    async fn nothing_is_held(&self) {
        for _ in 0..500 {
            if self.held.count() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the body outlives its client");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The stop begins at once; nobody waits for its end.
        drop(self.handle.stop(false));
    }
}

struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn content() -> Vec<u8> {
    (0..LEN).map(|at| (at * 7 % 251) as u8).collect()
}

async fn one_file(request: HttpRequest, held: web::Data<Held>) -> HttpResponse {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content()).unwrap();
    file::respond(
        &request,
        FileBody {
            file,
            len: LEN as u64,
            content_type: "audio/flac".into(),
            etag: "abc-1".to_owned(),
            modified_at: Some(MODIFIED),
            duration: Some(Duration::from_millis(1500)),
            hold: Some(Box::new(held.hold())),
            meter: None,
        },
    )
}

/// More than any socket takes at once, and not in memory: it is all hole.
async fn large_file(request: HttpRequest, held: web::Data<Held>) -> HttpResponse {
    let file = tempfile::tempfile().unwrap();
    file.set_len(LARGE).unwrap();
    file::respond(
        &request,
        FileBody {
            file,
            len: LARGE,
            content_type: "audio/flac".into(),
            etag: String::new(),
            modified_at: None,
            duration: None,
            hold: Some(Box::new(held.hold())),
            meter: None,
        },
    )
}

async fn empty_file(request: HttpRequest) -> HttpResponse {
    file::respond(
        &request,
        FileBody {
            file: tempfile::tempfile().unwrap(),
            len: 0,
            content_type: "audio/mpeg".into(),
            etag: String::new(),
            modified_at: None,
            duration: None,
            hold: None,
            meter: None,
        },
    )
}

async fn some_stream(
    request: HttpRequest,
    kind: web::Path<String>,
    held: web::Data<Held>,
) -> HttpResponse {
    let hold = held.hold();
    let piece = || Ok(Bytes::from(vec![1; 65_536]));
    let keep = move |piece| {
        let _ = &hold;
        piece
    };
    let first = stream::iter([piece()]);
    let (len, stream) = match kind.as_str() {
        "short" => (Some(65_536), first.map(keep).boxed()),
        "waiting" => (None, first.chain(stream::pending()).map(keep).boxed()),
        "endless" => (None, stream::repeat_with(piece).map(keep).boxed()),
        _ => return HttpResponse::NotFound().finish(),
    };
    live::respond(
        &request,
        LiveBody { content_type: "audio/mpeg".into(), len, duration: None, stream },
    )
}

#[tokio::test]
async fn files_have_ranges_and_conditions() {
    files_are_served(Way::Straight).await;
    files_are_served(Way::InPieces).await;
}

async fn files_are_served(way: Way) {
    let server = Server::start(Patience::default(), way).await;
    let content = content();
    let whole = 0..LEN;
    for (headers, status, range) in [
        (&[][..], 200, whole.clone()),
        (&[("Range", "bytes=0-")], 206, whole.clone()),
        (&[("Range", "bytes=0-0")], 206, 0..1),
        (&[("Range", "bytes=100000-299999")], 206, 100_000..300_000),
        (&[("Range", "bytes=1000000-9999999")], 206, 1_000_000..LEN),
        (&[("Range", "bytes=-3")], 206, LEN - 3..LEN),
        (&[("Range", "bytes=0-1,5-6")], 200, whole.clone()),
        (&[("Range", "nonsense")], 200, whole.clone()),
        (&[("Range", "bytes=1000003-")], 416, 0..0),
        (&[("Range", "bytes=5-6"), ("If-Range", "\"abc-1\"")], 206, 5..7),
        (&[("Range", "bytes=5-6"), ("If-Range", "\"abc-2\"")], 200, whole.clone()),
        (&[("Range", "bytes=5-6"), ("If-Range", "W/\"abc-1\"")], 200, whole.clone()),
        (&[("Range", "bytes=5-6"), ("If-Range", MODIFIED_TEXT)], 206, 5..7),
        (
            &[("Range", "bytes=5-6"), ("If-Range", "Tue, 14 Nov 2023 22:13:19 GMT")],
            200,
            whole.clone(),
        ),
        (&[("If-None-Match", "\"x\", \"abc-1\"")], 304, 0..0),
        (&[("If-None-Match", "W/\"abc-1\"")], 304, 0..0),
        (&[("If-None-Match", "*")], 304, 0..0),
        (&[("If-None-Match", "\"x\"")], 200, whole.clone()),
        (&[("If-Modified-Since", MODIFIED_TEXT)], 304, 0..0),
        (&[("If-Modified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")], 200, whole.clone()),
        (&[("If-Match", "\"x\"")], 412, 0..0),
        (&[("If-Match", "\"abc-1\"")], 200, whole.clone()),
        (&[("If-Unmodified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")], 412, 0..0),
    ] {
        let got = server.ask(Method::GET, "/file", headers).await;
        assert_eq!(got.status, status, "{headers:?}");
        assert!(got.body == content[range.clone()], "{headers:?}: other bytes");
        assert_eq!(got.header("accept-ranges"), "bytes", "{headers:?}");
        assert_eq!(got.header("etag"), "\"abc-1\"", "{headers:?}");
        assert_eq!(got.header("last-modified"), MODIFIED_TEXT, "{headers:?}");
        let content_range = match status {
            206 => format!("bytes {}-{}/{LEN}", range.start, range.end - 1),
            416 => format!("bytes */{LEN}"),
            _ => String::new(),
        };
        assert_eq!(got.header("content-range"), content_range, "{headers:?}");
        if status < 300 {
            assert_eq!(got.header("content-type"), "audio/flac");
            assert_eq!(got.header("content-length"), range.len().to_string());
            assert_eq!(got.header("x-content-duration"), "1.500");
        }
        let head = server.ask(Method::HEAD, "/file", headers).await;
        assert_eq!(head.status, got.status, "HEAD {headers:?}");
        assert!(head.body.is_empty());
        for name in ["content-type", "content-length", "content-range", "etag", "accept-ranges"] {
            assert_eq!(head.header(name), got.header(name), "HEAD {headers:?}: {name}");
        }
    }
    server.nothing_is_held().await;
    let empty = server.ask(Method::GET, "/empty", &[]).await;
    assert_eq!((empty.status, empty.header("content-length")), (StatusCode::OK, "0"));
    let empty = server.ask(Method::GET, "/empty", &[("Range", "bytes=0-")]).await;
    assert_eq!(empty.status, StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn streams_have_a_length_only_if_it_is_exact() {
    let server = Server::start(Patience::default(), Way::Straight).await;
    let short = server.ask(Method::GET, "/short", &[("Range", "bytes=0-5")]).await;
    assert_eq!(short.status, StatusCode::OK, "a stream has no ranges");
    assert_eq!(short.header("accept-ranges"), "none");
    assert_eq!(short.header("content-length"), "65536");
    assert_eq!(short.body.len(), 65_536);
    let head = server.ask(Method::HEAD, "/short", &[]).await;
    assert_eq!((head.header("content-length"), head.body.len()), ("65536", 0));
    let head = server.ask(Method::HEAD, "/endless", &[]).await;
    assert_eq!((head.status, head.header("content-type")), (StatusCode::OK, "audio/mpeg"));
    assert!(!head.headers.contains_key("content-length"), "{:?}", head.headers);
    server.nothing_is_held().await;
}

/// Looks often, waits long: only a closed socket ends a body.
const WATCHFUL: Patience =
    Patience { look: Duration::from_millis(20), stall: Duration::from_mins(10) };

/// Looks often, waits hardly at all: a silent client ends a body.
const IMPATIENT: Patience =
    Patience { look: Duration::from_millis(20), stall: Duration::from_millis(200) };

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_client_ends_a_body_that_waits() {
    let server = Server::start(WATCHFUL, Way::Straight).await;
    let socket = server.begin("/waiting");
    drop(socket);
    server.nothing_is_held().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_waits_is_not_a_client_that_stalls() {
    let server = Server::start(IMPATIENT, Way::Straight).await;
    let mut socket = server.begin("/waiting");
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut rest = vec![0; 65_536];
    let mut read = 0;
    // Everything that comes is read; then nothing comes for longer than a client may stall.
    for _ in 0..20 {
        match socket.read(&mut rest) {
            Ok(0) => panic!("the server closed"),
            Ok(count) => read += count,
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    assert!(65_536 <= read);
    assert_eq!(server.held.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_loses_its_body() {
    let server = Server::start(IMPATIENT, Way::Straight).await;
    let socket = server.begin("/endless");
    server.nothing_is_held().await;
    drop(socket);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_client_ends_a_body_that_is_sent() {
    let server = Server::start(WATCHFUL, Way::Straight).await;
    let socket = server.begin("/endless");
    drop(socket);
    server.nothing_is_held().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_arrive_whole_one_after_another() {
    let server = Server::start(IMPATIENT, Way::Straight).await;
    let client = reqwest::Client::new();
    for _ in 0..3 {
        let response = client.get(format!("http://{}/large", server.address)).send().await.unwrap();
        assert_eq!(response.content_length(), Some(LARGE));
        assert_eq!(response.bytes().await.unwrap().len() as u64, LARGE);
    }
    server.nothing_is_held().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_loses_its_file() {
    for way in [Way::Straight, Way::InPieces] {
        let server = Server::start(IMPATIENT, way).await;
        let socket = server.begin("/large");
        server.nothing_is_held().await;
        drop(socket);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_client_ends_a_file_that_is_sent() {
    for way in [Way::Straight, Way::InPieces] {
        let server = Server::start(WATCHFUL, way).await;
        let mut socket = server.begin("/large");
        let mut some = vec![0; 300_000];
        socket.read_exact(&mut some).unwrap();
        drop(socket);
        server.nothing_is_held().await;
    }
}
