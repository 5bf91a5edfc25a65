//! Start, ports, signals, the data folder's lock, and the service manager.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    time::Duration,
};

use sqlx::Connection as _;

use super::{Place, Server, error_text, wait_for};

async fn status(url: &str) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn serves_until_a_signal() {
    let place = Place::new();
    let mut server = place.serve(&["--lan-listen", "127.0.0.1:0", "--lan-interface", "lo"]);
    let http = server.url("http").unwrap().to_owned();
    assert!(server.url("lan").unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(status(&format!("{http}/health")).await, 200);
    let figures = reqwest::get(format!("{http}/metrics")).await.unwrap().text().await.unwrap();
    assert!(figures.contains("tunelocker_http_responses_total"), "{figures}");
    assert!(place.data().join("control.sock").exists());
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
    assert!(!place.data().join("control.sock").exists());
    // The log was written back into the database.
    assert!(!place.data().join("tunelocker.db-wal").exists());
}

/// The shell that read the log is gone; what cannot be written must not keep the server.
#[test]
fn a_log_that_nobody_reads_does_not_hold_up_the_end() {
    let place = Place::new();
    for level in ["info", "debug"] {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--no-lan"]);
        command.env("TUNELOCKER_LOG_LEVEL", level).stderr(Stdio::piped());
        let mut server = Server::start_with(command);
        drop(server.child.stderr.take());
        server.signal("TERM");
        assert_eq!(server.ended(), Some(0), "{level}");
    }
}

#[tokio::test]
async fn the_set_up_link_opens_once_there_is_nobody() {
    let place = Place::new();
    let mut server = place.serve(&["--no-lan"]);
    assert_eq!(server.url("lan"), None);
    let line = server.next_line();
    let link = line.trim_end().strip_prefix("setup ").unwrap();
    assert!(link.starts_with(server.url("http").unwrap()), "{link}");
    assert_eq!(status(link).await, 200);
}

#[test]
fn the_first_administrators_lockers_are_there_from_the_start() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--no-lan"]);
    command.env("TUNELOCKER_ADMIN_USER", "ann").env("TUNELOCKER_ADMIN_PASSWORD", "a long password");
    let _server = Server::start(command);
    for folder in ["household", "lockers/ann"] {
        wait_for(folder, || place.data().join(folder).is_dir().then_some(()));
    }
}

#[test]
fn a_taken_public_port_is_fatal_and_names_its_holder() {
    let place = Place::new();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let output = place.run(&["serve", "--listen", &address, "--no-lan"]);
    assert_eq!(output.status.code(), Some(1));
    let text = error_text(&output);
    let process = format!("(process {})", std::process::id());
    assert!(text.contains(&address) && text.contains(&process), "{text}");
}

#[tokio::test]
async fn a_taken_lan_port_is_done_without() {
    let place = Place::new();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let server = place.serve(&["--lan-listen", &address, "--lan-interface", "lo"]);
    assert_eq!(server.url("lan"), None);
    assert_eq!(status(&format!("{}/health", server.url("http").unwrap())).await, 200);
}

/// Takes UDP port 1900 for itself, and becomes the program that follows.
const TAKER: &str = "
import os, socket, sys, time
taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
taken.bind(('0.0.0.0', 1900))
server = os.getpid()
if os.fork() == 0:
    while os.getppid() == server:
        time.sleep(0.1)
    os._exit(0)
taken.close()
os.execv(sys.argv[1], sys.argv[1:])
";

#[tokio::test]
async fn a_taken_ssdp_port_is_done_without_and_its_holder_named() {
    let place = Place::new();
    // In a network of its own: other tests need the port.
    let mut command = Command::new("unshare");
    command
        .args(["--net", "sh", "-c", "ip link set lo up && exec python3 -c \"$0\" \"$@\""])
        .args([TAKER, super::PROGRAM, "serve", "--listen", "127.0.0.1:0"])
        .args(["--lan-listen", "127.0.0.1:0", "--lan-interface", "lo"])
        .env("TUNELOCKER_DATA", place.data())
        .stderr(Stdio::piped());
    let mut server = Server::start_with(command);
    assert!(server.url("lan").is_some(), "the LAN port is there");
    let log = BufReader::new(server.child.stderr.take().unwrap());
    let mut log = log.lines().map_while(Result::ok);
    let line = log.find(|line| line.contains("port 1900 is in use")).expect("it is said");
    assert!(line.contains("python3") && line.contains("(process "), "{line}");
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn one_server_a_data_folder() {
    let place = Place::new();
    let server = place.serve(&["--no-lan"]);
    let output = place.run(&["serve", "--listen", "127.0.0.1:0", "--no-lan"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(error_text(&output).contains(&server.child.id().to_string()), "{output:?}");
}

#[test]
fn a_killed_server_is_followed_by_another() {
    let place = Place::new();
    let mut server = place.serve(&["--no-lan"]);
    server.signal("KILL");
    server.ended();
    // The socket of the dead is in the way, and the lock is free.
    assert!(place.data().join("control.sock").exists());
    drop(place.serve(&["--no-lan"]));
}

#[tokio::test]
async fn a_newer_database_is_left_untouched() {
    let place = Place::new();
    place.done(&["plan", "set", "Tiny", "--quota", "1"], "");
    let file = place.data().join("tunelocker.db");
    let url = format!("sqlite://{}", file.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (999999, 'of tomorrow', 1, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = std::fs::read(&file).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0", "--no-lan"][..], &["user", "list"]] {
        let output = place.run(command);
        assert_eq!(output.status.code(), Some(78), "{output:?}");
        assert!(error_text(&output).contains("newer version"), "{output:?}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn the_service_manager_is_told() {
    let place = Place::new();
    let path = place.folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--no-lan"]);
    let mut server = super::Server::start({
        command.env("NOTIFY_SOCKET", &path);
        command
    });
    let mut heard = String::new();
    let mut hear = |word: &str| {
        let mut buffer = [0; 4096];
        wait_for(word, || {
            if !heard.contains(word) {
                let length = manager.recv(&mut buffer).unwrap();
                heard.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            }
            heard.contains(word).then_some(())
        });
    };
    hear("READY=1");
    server.signal("TERM");
    hear("STOPPING=1");
    assert_eq!(server.ended(), Some(0));
}
