//! The fuzz targets in the ordinary suite: each some hundred times, with bytes that are nothing,
//! bytes that begin well, and pieces of the real thing in any order.

#[path = "../../fuzz/targets.rs"]
mod targets;

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// Pieces that the readers look for.
const PIECES: &[&str] = &[
    "u=a&p=enc:",
    "&t=",
    "&s=",
    "%",
    "%zz",
    "%C3%A9",
    "+",
    "id=al-",
    "&id=tr-1_0a1b2c3d",
    "f=jsonp",
    "&callback=x",
    "time=-1",
    "\0",
    "[00:01.00]",
    "[offset:",
    "[99999999999:99]",
    "<00:02.5>",
    "[ti:",
    "#EXTM3U\n",
    "#EXTINF:",
    "-1,",
    "\n",
    "\r\n",
    "file:///",
    "%23",
    "%0A",
    "../",
    "[playlist]\n",
    "File1=",
    "Title99999999999=",
    "Length1=-1",
    "<playlist",
    "<trackList>",
    "<track>",
    "<location>",
    "</",
    ">",
    "FILE \"a\" WAVE\n",
    "TRACK 01 AUDIO\n",
    "INDEX 01 99:99:99\n",
    "REM ",
    "PERFORMER \"",
    "\"",
    "\\",
    "dc:title",
    " contains ",
    " derivedfrom ",
    " exists ",
    "true",
    " and ",
    " or ",
    "(",
    ")",
    "=",
    "!=",
    "<=",
    "upnp:artist[@role=\"Composer\"]",
    "@id",
    "de.1990",
    "v.pl.3.1.tr.8",
    "albums.",
    "+dc:date,",
    "*",
    "<s:Envelope xmlns:s=\"x\">",
    "<s:Body>",
    "<u:Browse>",
    "<ObjectID>",
    "&lt;",
    "&#x1;",
    "<![CDATA[",
    "<!DOCTYPE a [",
    "M-SEARCH * HTTP/1.1\r\n",
    "MAN: \"ssdp:discover\"\r\n",
    "MX: 99999999999\r\n",
    "MX: -1\r\n",
    "ST: ssdp:all\r\n",
    "ST: uuid:1-2-3\r\n",
    "HOST: 239.255.255.250:1900\r\n",
    "<tt xmlns=\"http://www.w3.org/ns/ttml\"><body>",
    "<p begin=\"1s\" end=\"9s\" ttm:agent=\"v1\">",
    "<p begin=\"99999999999999h\" dur=\"-1s\">",
    "<span begin=\"00:02.5\" end=\"3s\">",
    "<span ttm:role=\"x-bg\">",
    "<span ttm:role=\"x-translation\" xml:lang=\"en\">",
    "<ttm:agent type=\"person\" xml:id=\"v1\"/>",
    "</span>",
    "</p>",
    "{\"all\": [",
    "{\"any\": [",
    "{\"is\": {\"loved\": true}}",
    "{\"inTheLast\": {\"lastPlayed\": 9223372036854775807}}",
    "{\"inTheRange\": {\"year\": [1e300, -1]}}",
    "{\"after\": {\"dateAdded\": \"9999-12-31\"}}",
    ", ",
    "]}",
    "], \"sort\": \"-rating,random\", \"limit\": 99999999999}",
    "<rss><channel>",
    "<item>",
    "</item>",
    "<title>x</title>",
    "<enclosure url=\"https://a/b.mp3\" type=\"audio/mpeg\" length=\"-1\"/>",
    "<itunes:duration>99999999999:1e9:NaN</itunes:duration>",
    "<pubDate>Mon, 99 Jan 99999 25:61:00 +9999</pubDate>",
    "</channel></rss>",
    "<artist>",
    "<musicBrainzArtistID>aaaaaaaa-0000-4000-8000-00000000000\u{e9}</musicBrainzArtistID>",
    "<biography>&amp;lt;script&amp;gt;",
    "<thumb>https://a</thumb>",
    "</artist>",
    "<D:propfind xmlns:D='DAV:'>",
    "<D:prop>",
    "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop>",
    "<x xmlns='urn:x' a:b='",
    "</x></D:prop></D:set></D:propertyupdate>",
    "<lockinfo xmlns='DAV:'><lockscope><shared/></lockscope><locktype><write/></locktype><owner>",
    "</owner></lockinfo>",
    "xmlns:a='DAV:'",
    "(<urn:uuid:1> [\"",
    "\"]) (Not <DAV:no-lock>)",
    "</dav/ann/",
    "http://box/dav/ann/",
    "%2e%2e",
    "%2f",
    "Second-99999999999999999999",
    "infinity",
    "\u{feff}",
    "\u{1}",
    "🎵",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..12),
        1 => "[a-z0-9 ]{0,8}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn readers_of_untrusted_bytes_come_back_whatever_they_get() {
    let mut runner = TestRunner::new(Config { cases: 400, ..Config::default() });
    runner
        .run(&bytes(), |bytes| {
            for (_, target) in targets::ALL {
                target(&bytes);
            }
            Ok(())
        })
        .unwrap();
}

/// Deep, long and repeated.
#[test]
fn readers_of_untrusted_bytes_hold_their_bounds() {
    for piece in PIECES {
        let long = piece.repeat(20_000 / piece.len());
        for (_, target) in targets::ALL {
            target(long.as_bytes());
        }
    }
}

/// A target without a program would be fuzzed by nobody.
#[test]
fn every_target_has_its_program() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for (name, _) in targets::ALL {
        let program = std::fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs")));
        assert!(program.unwrap().contains(&format!("targets::{name}(")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    let programs = std::fs::read_dir(folder.join("fuzz_targets")).unwrap().count();
    assert_eq!(programs, targets::ALL.len());
}
