//! Where bytes of others are nobody's business, nobody is told of them: whatever a user asks, by whatever
//! way, the answers are the same, byte by byte, whether somebody else has the file or not. The same ears
//! hear the difference where the server is told to share.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Method, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tunelocker::{
    accounts::{MatchPolicy, NewUser, QuotaRules, SharedCopies},
    clock::Clock,
    config::Feature,
    drive::{Condition, RelativePath, Target},
};

use crate::{
    drive::{Lockers, archives::zip_of, body},
    harness::TestApp,
    outside::stub::{Reply, Stub},
    quota::NOW,
};

/// More than the first 64 KiB, so that a quick key is not all of it.
const LENGTH: usize = 300_000;
/// Room for a few of them, and less than for one at the end.
const QUOTA: u64 = 3_200_000;

fn bytes(seed: &str) -> Vec<u8> {
    let mut bytes = vec![0; LENGTH];
    blake3::Hasher::new().update(seed.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// What ann hears.
struct Ears {
    lockers: Lockers,
    secret: String,
    stub: Stub,
    heard: Vec<String>,
}

impl Ears {
    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = self.lockers.app.url(path);
        reqwest::Client::new().request(method, url).basic_auth("ann", Some(&self.secret))
    }

    fn api(&self, method: &str, path: &str) -> RequestBuilder {
        self.request(method, &format!("/api/v1/{path}"))
    }

    /// Sends it and keeps all of the answer that is not chance: its body and `Location`.
    async fn hear(&mut self, what: &str, request: RequestBuilder) -> (String, String) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let place = answer.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
        let mut headers: Vec<String> = answer
            .headers()
            .iter()
            // The clock on the wall, and the length of addresses.
            .filter(|(name, _)| {
                !matches!(name.as_str(), "date" | "last-modified" | "content-length")
            })
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        headers.sort();
        let text = answer.text().await.unwrap();
        let line = format!("{what}: {status} {} | {text}", headers.join(" | "));
        self.heard.push(self.masked(&line));
        (text, place.unwrap_or_default())
    }

    /// Without ports, and without what is drawn by lot.
    fn masked(&self, text: &str) -> String {
        let text = text
            .replace(&self.lockers.app.http.to_string(), "SERVER")
            .replace(&self.stub.address.to_string(), "SHOP");
        let (mut out, mut run) = (String::new(), String::new());
        for letter in text.chars().chain(['\n']) {
            if letter.is_ascii_hexdigit() {
                run.push(letter);
                continue;
            }
            // Times of files are the disk's, to the millisecond.
            let is_time = run.len() == 13 && run.bytes().all(|letter| letter.is_ascii_digit());
            out.push_str(if 20 <= run.len() || is_time { "#" } else { &run });
            run.clear();
            out.push(letter);
        }
        out
    }

    /// Every figure and list that could tell something.
    async fn look_around(&mut self, after: &str) {
        for path in ["storage", "lockers", "ledger?limit=200", "duplicates", "files/", "uploads"] {
            let look = self.api("GET", path);
            self.hear(&format!("{path} after {after}"), look).await;
        }
        let properties = "<propfind xmlns='DAV:'><prop><quota-available-bytes/><quota-used-bytes/><getetag/><getcontentlength/></prop></propfind>";
        let look = self.request("PROPFIND", "/dav/ann/").header("Depth", "1").body(properties);
        self.hear(&format!("quota after {after}"), look).await;
    }

    async fn tus(&mut self, name: &str, form: &[(&'static str, String)], sent: &[u8], sum: &str) {
        let mut made = self.api("POST", "uploads").header("Tus-Resumable", "1.0.0");
        made = made.header("Upload-Metadata", format!("path {}", STANDARD.encode(name)));
        for (key, value) in form {
            made = made.header(*key, value);
        }
        let (_, place) = self.hear(name, made).await;
        if place.is_empty() {
            return;
        }
        let mut patch = self
            .request("PATCH", &place)
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", "0")
            .header("Content-Type", "application/offset+octet-stream");
        if !sum.is_empty() {
            patch = patch.header("Upload-Checksum", sum);
        }
        if form.iter().any(|(key, _)| *key == "Upload-Defer-Length") {
            patch = patch.header("Upload-Length", sent.len());
        }
        self.hear(name, patch.body(sent.to_vec())).await;
        let head = self.request("HEAD", &place).header("Tus-Resumable", "1.0.0");
        self.hear(name, head).await;
        let end = self.request("DELETE", &place).header("Tus-Resumable", "1.0.0");
        self.hear(name, end).await;
    }

    /// What may be asked of bytes, with their hashes and without them.
    async fn ask(&mut self, song: &[u8]) {
        let hash = blake3::hash(song).to_hex().to_string();
        let quick = blake3::hash(&song[..65_536]).to_hex().to_string();
        for item in [
            json!({ "quick": quick, "size": song.len(), "path": "q.bin" }),
            json!({ "hash": hash, "quick": quick, "size": song.len(), "path": "h.bin" }),
            json!({ "hash": hash, "size": song.len(), "path": "h.bin" }),
        ] {
            let question = self.api("POST", "match").json(&json!({ "items": [item] }));
            let (answer, _) = self.hear("match", question).await;
            let answer: Value = serde_json::from_str(&answer).unwrap();
            // Whatever it is told, it answers as who has the bytes.
            let standing = &answer["items"][0];
            let mut key = [0; 32];
            if let Some(told) = standing["key"].as_str() {
                hex::decode_to_slice(told, &mut key).unwrap();
            }
            let claim = standing["claim"].as_str().map_or("00".repeat(16), str::to_owned);
            let proof = blake3::keyed_hash(&key, song).to_hex().to_string();
            let claims = json!({ "claims": [{ "claim": claim, "proof": proof }] });
            let claimed = self.api("POST", "claims").json(&claims);
            self.hear("claims", claimed).await;
        }
        let found = self.api("GET", &format!("contents/{hash}"));
        self.hear("contents", found).await;
    }

    /// All that she may do with a file, by every way.
    async fn try_all(&mut self, song: &[u8]) {
        self.ask(song).await;
        self.look_around("asking").await;
        // A hash alone brings nothing: other bytes under the right sum, no bytes under it.
        let sum = format!("blake3 {}", STANDARD.encode(blake3::hash(song).as_bytes()));
        let length = [("Upload-Length", song.len().to_string())];
        let other = vec![1; song.len()];
        self.tus("wrong.bin", &length, &other, &sum).await;
        self.tus("half.bin", &length, &song[..song.len() / 2], &sum).await;
        self.look_around("sums").await;
        self.tus("tus.bin", &length, song, &sum).await;
        let deferred = [("Upload-Defer-Length", "1".to_owned())];
        self.tus("deferred.bin", &deferred, song, "").await;
        self.look_around("tus").await;
        let put = self.api("PUT", "files/put.bin").body(song.to_vec());
        self.hear("put", put).await;
        let form = Form::new().part("file", Part::bytes(song.to_vec()).file_name("form.bin"));
        let form = self.api("POST", "files/").multipart(form);
        self.hear("form", form).await;
        let dav = self.request("PUT", "/dav/ann/dav.bin").body(song.to_vec());
        self.hear("dav", dav).await;
        let zip = zip_of(&[("zip.bin", song)]);
        let zip = self.api("PUT", "files/pack.zip?unpack=true").body(zip);
        self.hear("zip", zip).await;
        self.look_around("ways").await;
        let held = song.to_vec();
        self.stub.answer(move |_| Reply::ok("audio/flac", held.clone()));
        let order = json!({ "url": self.stub.url("/import.bin"), "folder": "" });
        let begun = self.api("POST", "imports").json(&order).send().await.unwrap();
        let begun: Value = begun.json().await.unwrap();
        let place = format!("imports/{}", begun["id"].as_str().unwrap());
        loop {
            let state: Value = self.api("GET", &place).send().await.unwrap().json().await.unwrap();
            if state["over"] == true {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let state = self.api("GET", &place);
        self.hear("import", state).await;
        for name in ["tus", "put", "form", "dav", "zip", "import"] {
            let stat = self.api("GET", &format!("files/{name}.bin?as=stat"));
            self.hear(name, stat).await;
            let head = self.request("HEAD", &format!("/dav/ann/{name}.bin"));
            self.hear(name, head).await;
        }
        self.look_around("an import").await;
        // What is left is less than one more: the refusal's figures are the same, too.
        for number in 0..5 {
            let more = self.api("PUT", &format!("files/more{number}.bin")).body(song.to_vec());
            self.hear("more", more).await;
        }
        self.ask(song).await;
        self.look_around("all").await;
    }
}

/// What ann hears on a server where bob has the song, in his locker, his trash and his versions; or
/// other files in its place.
async fn heard(policy: MatchPolicy, copies: SharedCopies, has: bool) -> Vec<String> {
    let stub = Stub::start(|_| Reply::status(404)).await;
    let allowed = stub.address.to_string().parse().unwrap();
    let app = TestApp::spawn_at(Clock::manual(NOW), |config| {
        config.drive = config.data.with_file_name("drive");
        config.egress.allow = vec![allowed];
    })
    .await;
    let lockers = Lockers::over(app, QUOTA).await;
    let (accounts, admin) = (&lockers.accounts, &lockers.admin);
    accounts.set_match_policy(admin, policy).await.unwrap();
    let rules = QuotaRules { shared_copies: copies, ..accounts.quota_rules().await.unwrap() };
    accounts.set_quota_rules(admin, &rules).await.unwrap();
    lockers.app.services.outside.set_on(admin, Feature::Imports, true).await.unwrap();
    let song = bytes("the song");
    let theirs = if has { song.clone() } else { bytes("another song") };
    let bob = accounts.create_user(admin, &NewUser::new("bob", "bob's very own")).await.unwrap();
    let bob = accounts.principal(bob).await.unwrap();
    let locker = accounts.lockers(&bob).await.unwrap()[0].id;
    let put = async |name: &str, held: &[u8]| {
        let path = RelativePath::parse(name).unwrap();
        let target = Target { locker, path, condition: Condition::None };
        lockers.drive.put(&bob, &target, Some(held.len() as u64), body(held)).await.unwrap();
    };
    put("kept.bin", &theirs).await;
    put("gone.bin", &theirs).await;
    let gone = RelativePath::parse("gone.bin").unwrap();
    lockers.drive.trash(&bob, locker, &gone, &Condition::None).await.unwrap();
    put("replaced.bin", &theirs).await;
    put("replaced.bin", b"new").await;
    let secret = accounts.create_app_password(&lockers.ann, "ears").await.unwrap().secret;
    let mut ears = Ears { lockers, secret, stub, heard: Vec::new() };
    ears.try_all(&song).await;
    ears.heard
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_what_others_have() {
    for policy in [MatchPolicy::Own, MatchPolicy::Off] {
        let with = heard(policy, SharedCopies::Full, true).await;
        let without = heard(policy, SharedCopies::Full, false).await;
        for (one, other) in with.iter().zip(&without) {
            assert_eq!(one, other, "{policy:?}");
        }
        assert_eq!(with.len(), without.len(), "{policy:?}");
    }
}

/// Who listens like this hears it where it is told: by a server that shares, and by an administrator who
/// lets owners of the same bytes pay for them together, which is what that means.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_ears_hear_what_is_told() {
    for (policy, copies) in
        [(MatchPolicy::Server, SharedCopies::Full), (MatchPolicy::Own, SharedCopies::FirstOwner)]
    {
        let with = heard(policy, copies, true).await;
        let without = heard(policy, copies, false).await;
        assert_ne!(with, without, "{policy:?} {copies:?}");
    }
}
