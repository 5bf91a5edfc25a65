//! The Subsonic face, spoken to as apps do: over HTTP, on a library of real files.

mod any_parameter;
mod archives;
mod auth;
mod base;
mod browsing;
mod clients;
mod conformance;
mod fields;
mod golden;
mod history;
mod hls;
mod jukebox;
mod lists;
mod lyrics;
mod marks;
mod matrix;
mod media;
mod methods;
mod people;
mod reports;
mod requirements;
mod rescans;
pub(crate) mod schema;
mod shared_folders;
mod shares;
mod sonic;
mod taken_down;
mod traces;
mod transcoding;
mod twins;
mod web_app;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;
use tunelocker::{
    accounts::{NewUser, Principal, Role},
    clock::Clock,
    config::Config,
};

use crate::harness::{
    TestApp,
    music::{self, flac},
};

/// The login password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server over the library drawn below, an admin `ann` and a user `bob`, each with an app
/// password.
///
/// ```text
/// Music/
/// ├── Joni Mitchell/
/// │   └── Blue/                       cover.jpg in the folder; explicit; ReplayGain; lyrics
/// │       ├── 01 All I Want.flac      synced lyrics; starred by nobody
/// │       ├── 02 My Old Man.flac      with an .lrc that times words
/// │       └── 03 Little Green.flac
/// ├── Two & More/
/// │   └── Double/                     two album artists, two discs with titles
/// │       ├── CD1/01 One.flac         embedded cover; conductor, work, movement; a .ttml of voices
/// │       └── CD2/01 Two.flac         another embedded cover; feat. guest
/// ├── Various/
/// │   └── Hits/                       a compilation
/// │       ├── 01 First.flac           by A Band; genre Pop
/// │       └── 02 Second.flac          by Ōther Band; genre Pop and Rock
/// ├── The Empty/                      no tags, no cover: names from the path
/// │   └── Nothing/04 Untitled.wav
/// ├── broken.flac                     not a FLAC at all
/// └── loose.flac                      at the top, title "Loose <&> \"quoted\""
/// ```
pub(crate) struct House {
    pub(crate) app: TestApp,
    pub(crate) ann: App,
    pub(crate) bob: App,
    pub(crate) music: PathBuf,
}

/// An app with its credentials.
#[derive(Clone)]
pub(crate) struct App {
    base: String,
    pub(crate) user: &'static str,
    /// Its app password.
    pub(crate) secret: String,
    http: reqwest::Client,
}

impl House {
    /// Starts it over the drawn library and waits for the scan.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| ()).await
    }

    /// The same with other settings.
    pub(crate) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let music = tempfile::tempdir().unwrap().keep();
        write_library(&music);
        let house = Self::over(music, |config, music| {
            config.libraries.push(("Music".to_owned(), music.to_owned()));
            change(config);
        })
        .await;
        house.wait_for_scan().await;
        house
    }

    /// The same over a library that stays.
    pub(crate) async fn over_library(library: &Path) -> Self {
        let library = library.to_owned();
        let nothing = tempfile::tempdir().unwrap().keep();
        let house = Self::over(nothing, |config, _| {
            config.libraries.push(("Music".to_owned(), library));
        })
        .await;
        house.wait_for_scan().await;
        house
    }

    /// The same over nothing at all.
    pub(crate) async fn empty() -> Self {
        Self::over(tempfile::tempdir().unwrap().keep(), |_, _| ()).await
    }

    /// The same over one song.
    pub(crate) async fn of_one() -> Self {
        let music = tempfile::tempdir().unwrap().keep();
        flac("Ann/Album/01 Song.flac")
            .of("Ann", "Album", "Song")
            .number(1)
            .tag("GENRE", "Pop")
            .tag("DATE", "1999")
            .tag("LYRICS", "one line")
            .tag("COMPOSER", "Com Poser")
            .write(&music);
        let house = Self::over(music, |config, music| {
            config.libraries.push(("Music".to_owned(), music.to_owned()));
        })
        .await;
        house.wait_for_scan().await;
        house
    }

    async fn over(music: PathBuf, change: impl FnOnce(&mut Config, &Path)) -> Self {
        Self::at(Clock::System, music, change).await
    }

    /// Over a folder that `change` may make a library of, by a clock of one's own.
    pub(crate) async fn at(
        clock: Clock,
        music: PathBuf,
        change: impl FnOnce(&mut Config, &Path),
    ) -> Self {
        let app = TestApp::spawn_at(clock, |config| change(config, &music)).await;
        let operator = app.services.accounts.operator();
        for (name, role) in [("ann", Role::Admin), ("bob", Role::User)] {
            let new = NewUser { role, ..NewUser::new(name, PASSWORD) };
            app.services.accounts.create_user(&operator, &new).await.unwrap();
        }
        let ann = App::of(&app, "ann").await;
        let bob = App::of(&app, "bob").await;
        Self { app, ann, bob, music }
    }

    /// Whom a name stands for, for seeding.
    pub(crate) async fn principal(&self, name: &str) -> Principal {
        self.app.services.accounts.principal_named(name).await.unwrap()
    }

    /// Waits until the first scan has ended.
    pub(crate) async fn wait_for_scan(&self) {
        let deadline = Instant::now() + Duration::from_secs(300);
        loop {
            let status = self.app.services.ingest.status();
            if !status.is_scanning && status.last_scan_at.is_some() {
                return;
            }
            assert!(Instant::now() < deadline, "the scan does not end: {status:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.music);
    }
}

impl App {
    async fn of(app: &TestApp, user: &'static str) -> Self {
        let accounts = &app.services.accounts;
        let principal = accounts.principal_named(user).await.unwrap();
        let secret = accounts.create_app_password(&principal, "tests").await.unwrap().secret;
        Self { base: app.url("/rest/"), user, secret, http: reqwest::Client::new() }
    }

    /// The URL of a method with credentials, asking for JSON. `query` comes behind. Who manages
    /// users gives his own password, as he must.
    pub(crate) fn url(&self, method: &str, query: &str) -> String {
        self.url_with(&self.secret_for(method), method, query)
    }

    /// What opens a method, as it stands in an address.
    pub(crate) fn secret_for(&self, method: &str) -> String {
        let secret = if user_management(method) { PASSWORD } else { &self.secret };
        secret.replace(' ', "%20")
    }

    fn url_with(&self, secret: &str, method: &str, query: &str) -> String {
        format!("{}{method}?u={}&p={secret}&v=1.16.1&c=tests&f=json&{query}", self.base, self.user)
    }

    /// How an app is answered that has nothing but its app password.
    pub(crate) async fn as_app(&self, method: &str, query: &str) -> Value {
        let answer = self.http.get(self.url_with(&self.secret, method, query)).send().await;
        let whole: Value = answer.unwrap().json().await.unwrap();
        whole["subsonic-response"].clone()
    }

    /// The whole answer of a method.
    pub(crate) async fn get(&self, method: &str, query: &str) -> reqwest::Response {
        self.http.get(self.url(method, query)).send().await.unwrap()
    }

    pub(crate) async fn head(&self, method: &str, query: &str) -> reqwest::Response {
        self.http.head(self.url(method, query)).send().await.unwrap()
    }

    /// The envelope of a method.
    pub(crate) async fn envelope(&self, method: &str, query: &str) -> Value {
        let answer = self.get(method, query).await;
        assert_eq!(answer.status(), 200, "{method} {query}");
        let text = answer.text().await.unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        whole["subsonic-response"].clone()
    }

    /// The payload of a method that has to succeed, as is published; what only reads is asked in
    /// XML as well.
    pub(crate) async fn ok(&self, method: &str, query: &str) -> Value {
        let envelope = self.envelope(method, query).await;
        assert_eq!(envelope["status"], "ok", "{method} {query}: {envelope}");
        schema::holds(method, &serde_json::json!({ "subsonic-response": envelope }));
        if method.starts_with("get") || method.starts_with("search") {
            let url = self.url(method, query).replace("&f=json", "");
            let xml = self.http.get(url).send().await.unwrap().text().await.unwrap();
            schema::is_ok_xml(&xml);
        }
        envelope
    }

    /// The code of a method that has to be refused.
    pub(crate) async fn refused(&self, method: &str, query: &str) -> i64 {
        let envelope = self.envelope(method, query).await;
        assert_eq!(envelope["status"], "failed", "{method} {query}: {envelope}");
        assert!(envelope["error"]["message"].is_string(), "{envelope}");
        envelope["error"]["code"].as_i64().unwrap()
    }

    /// The id of the song, album or artist with this name, by search.
    pub(crate) async fn id(&self, kind: &str, name: &str) -> String {
        let words = name.replace(['&', '<', '>', '"'], " ").replace(' ', "%20");
        let query = format!("query={words}&artistCount=50&albumCount=50&songCount=50");
        let found = self.ok("search3", &query).await;
        let list = found["searchResult3"][kind].as_array().unwrap();
        let field = if kind == "song" { "title" } else { "name" };
        let item = list.iter().find(|item| item[field] == name);
        let item = item.unwrap_or_else(|| panic!("no {kind} {name}: {found}"));
        item["id"].as_str().unwrap().to_owned()
    }
}

/// Methods that only the own password opens, but for asking about oneself.
fn user_management(method: &str) -> bool {
    ["changePassword", "createUser", "deleteUser", "getUser", "getUsers", "updateUser"]
        .contains(&method)
}

/// The titles (or names) of a list.
pub(crate) fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    list.iter().map(|item| item["title"].as_str().or(item["name"].as_str()).unwrap()).collect()
}

/// Two voices and one behind them, a translation and a pronunciation.
const VOICES: &str = r#"<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xml:lang="ja">
<head><metadata>
<ttm:agent type="person" xml:id="lead"><ttm:name>Two</ttm:name></ttm:agent>
<ttm:agent type="group" xml:id="all"/>
</metadata></head>
<body><div>
<p begin="0.5s" end="1s" ttm:agent="lead"><span begin="0.5s" end="0.7s">目</span><span begin="0.7s" end="1s">を</span><span ttm:role="x-bg"><span begin="0.8s" end="1s">(oh)</span></span><span ttm:role="x-translation" xml:lang="en">Eyes</span><span ttm:role="x-roman" xml:lang="ja-Latn">me o</span></p>
<p begin="1s" end="2s" ttm:agent="all"><span begin="1s" end="1.5s">All </span><span begin="1.5s" end="2s">of us</span></p>
</div></body></tt>"#;

fn write_library(root: &Path) {
    let blue = |number: u32, title: &str| {
        flac(&format!("Joni Mitchell/Blue/{number:02} {title}.flac"))
            .of("Joni Mitchell", "Blue", title)
            .number(number)
            .tag("ALBUMARTIST", "Joni Mitchell")
            .tag("DATE", "1971-06-22")
            .tag("ORIGINALDATE", "1971-06")
            .tag("GENRE", "Folk")
            .tag("LABEL", "Reprise")
            .tag("RELEASETYPE", "album")
            .tag("MUSICBRAINZ_ALBUMID", "aaaaaaaa-0000-4000-8000-000000000001")
            .tag("REPLAYGAIN_TRACK_GAIN", "-6.50 dB")
            .tag("REPLAYGAIN_TRACK_PEAK", "0.98")
    };
    blue(1, "All I Want")
        .tag("LYRICS", "[00:00.50]I am on a lonely road\n[00:01.00]and I am traveling")
        .tag("ITUNESADVISORY", "1")
        .write(root);
    blue(2, "My Old Man").tag("BPM", "88").tag("COMMENT", "a comment").write(root);
    let words = "[00:00.20]<00:00.20>My <00:00.45>old <00:00.60>man<00:01.00>\n[00:01.20]He's a singer in the park\n";
    music::write(root, "Joni Mitchell/Blue/02 My Old Man.lrc", words.as_bytes());
    blue(3, "Little Green").tag("ISRC", "USRE10000001").tag("MOOD", "calm").write(root);
    music::write(root, "Joni Mitchell/Blue/cover.jpg", &music::jpeg(600, [20, 60, 160]));

    let double = |disc: u32, title: &str, artist: &str| {
        flac(&format!("Two & More/Double/CD{disc}/01 {title}.flac"))
            .of(artist, "Double", title)
            .number(1)
            .tag("ALBUMARTIST", "Two & More")
            .tag("ALBUMARTISTS", "Two")
            .tag("ALBUMARTISTS", "More")
            .tag("DISCNUMBER", &disc.to_string())
            .tag("DISCSUBTITLE", if disc == 1 { "Heads" } else { "Tails" })
            .tag("DATE", "2001")
            .tag("GENRE", "Jazz")
    };
    double(1, "One", "Two")
        .tag("CONDUCTOR", "Con Ductor")
        .tag("COMPOSER", "Com Poser")
        .tag("WORK", "A Work")
        .tag("MOVEMENTNAME", "Allegro")
        .tag("MOVEMENT", "1")
        .tag("MOVEMENTTOTAL", "3")
        .picture(music::jpeg(400, [200, 30, 30]))
        .write(root);
    double(2, "Two", "Two feat. Guest")
        .tag("ARTISTS", "Two")
        .tag("ARTISTS", "Guest")
        .picture(music::jpeg(300, [30, 200, 30]))
        .write(root);

    music::write(root, "Two & More/Double/CD1/01 One.ttml", VOICES.as_bytes());

    let hits = |number: u32, title: &str, artist: &str| {
        flac(&format!("Various/Hits/{number:02} {title}.flac"))
            .of(artist, "Hits", title)
            .number(number)
            .tag("ALBUMARTIST", "Various Artists")
            .tag("COMPILATION", "1")
            .tag("DATE", "1985")
            .tag("GENRE", "Pop")
    };
    hits(1, "First", "A Band").write(root);
    hits(2, "Second", "Ōther Band").tag("GENRE", "Rock").write(root);

    music::wav(root, "The Empty/Nothing/04 Untitled.wav", 1.0);
    music::write(root, "broken.flac", b"this is no music");
    flac("loose.flac").of("Loner", "Singles", "Loose <&> \"quoted\"").write(root);
}
