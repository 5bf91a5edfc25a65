//! `import`, beside a running server and without one.

use std::time::Duration;

use super::{Place, error_text};
use crate::{
    harness::music::flac,
    moving::navidrome::{ROWS, SCHEMA},
};

const PASSWORD: &str = "correct horse battery\n";

#[tokio::test]
async fn import_says_what_it_would_do_and_does_it() {
    let place = Place::new();
    let music = place.folder.path().join("Music");
    flac("Various/Hits/01 First.flac").of("A Band", "Hits", "First").write(&music);
    flac("Various/Hits/02 Second.flac").of("Ōther Band", "Hits", "Second").write(&music);
    let old = place.folder.path().join("navidrome.db");
    crate::moving::database(&old, &format!("{SCHEMA}{ROWS}")).await;
    let old = old.to_str().unwrap();

    // Nobody to administer the newcomers.
    place.done(&["plan", "set", "Tiny", "--quota", "1000"], "");
    let refused = place.run(&["import", "navidrome", old]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(error_text(&refused).contains("set this server up"), "{refused:?}");
    place.done(&["user", "add", "ann", "--password-stdin", "--role", "admin"], PASSWORD);

    let library = format!("Music={}", music.display());
    let server = place.serve(&["--no-lan", "--library", &library]);
    let scan = || place.json(&["scan", "--wait"])["files"] == 2;
    while !scan() {
        std::thread::sleep(Duration::from_millis(100));
    }
    let trial = place.json(&["import", "navidrome", old, "--dry-run"]);
    assert_eq!(trial["dryRun"], true);
    let of = |told: &serde_json::Value, name: &str| {
        told["users"].as_array().unwrap().iter().find(|user| user["name"] == name).unwrap().clone()
    };
    let (ann, carl) = (of(&trial, "ann"), of(&trial, "Carl"));
    assert_eq!(
        (&ann["known"], &ann["tracks"], &ann["plays"]["taken"]),
        (&2.into(), &4.into(), &9.into())
    );
    assert_eq!(
        (&carl["as"], &carl["isNew"], &carl["invitation"]),
        (&"carl".into(), &true.into(), &().into())
    );
    assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 1);

    let report = place.folder.path().join("report.csv");
    let report = report.to_str().unwrap();
    let text =
        place.done(&["import", "navidrome", old, "--user", "carl=karl", "--report", report], "");
    // Where the server really is.
    let link = format!("karl chooses a password at {}/invite/", server.url("http").unwrap());
    assert!(text.contains(&link), "{text}");
    assert!(text.contains("not taken: 1 shares"), "{text}");
    assert!(text.contains("1 stations: internet radio is turned off"), "{text}");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(
        report.contains("ann,track,path,,Various/Hits/01 First.flac,First,A Band,Hits\n"),
        "{report}"
    );
    assert!(report.contains("ann,track,unknown,\"no file here"), "{report}");
    let users = place.json(&["user", "list"]);
    assert!(users.as_array().unwrap().iter().any(|user| user["name"] == "karl"), "{users}");
    drop(server);

    // Without a server the command does it itself, and finds nothing new.
    let again = place.json(&["import", "navidrome", old, "--user", "carl="]);
    assert_eq!(again["users"].as_array().unwrap().len(), 1);
    let ann = of(&again, "ann");
    assert_eq!((&ann["plays"]["taken"], &ann["plays"]["kept"]), (&0.into(), &9.into()));

    for wrong in [
        &["import", "navidrome", "/nowhere.db"][..],
        &["import", "itunes", old, "--user", "ann"],
        &["import", "navidrome", old, "--user", "zed=ann"],
    ] {
        let refused = place.run(wrong);
        assert_eq!(refused.status.code(), Some(1), "{wrong:?}: {refused:?}");
    }
}
