//! `doctor`, beside a running server and without one: a sentence for each difference, and an exit
//! code that scripts rely on.

use std::fs;

use super::Place;

#[test]
fn the_books_are_checked_and_set_right() {
    let place = Place::new();
    place.done(
        &["user", "add", "ann", "--password-stdin", "--role", "admin"],
        "a password of hers\n",
    );
    assert_eq!(place.done(&["doctor"], ""), "everything is in order");
    let locker = place.data().join("lockers/ann");
    fs::create_dir_all(&locker).unwrap();
    fs::write(locker.join("by hand"), "12345").unwrap();
    let output = place.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "lockers/ann: by hand lies on the disk and is not counted\n");
    let output = place.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["differences"].as_array().unwrap().len(), 1, "{told}");

    // People are told of the first fifty, programs of all; and what the file system can.
    for number in 0..60 {
        fs::write(locker.join(format!("by hand {number}")), "12345").unwrap();
    }
    let said = String::from_utf8(place.run(&["doctor"]).stdout).unwrap();
    assert_eq!(said.lines().count(), 51, "{said}");
    assert!(said.ends_with("11 more differences; --json names all of them\n"), "{said}");
    let told = place.run(&["doctor", "--json", "--read-data"]).stdout;
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["differences"].as_array().unwrap().len(), 61, "{told}");
    assert_eq!(told["abilities"]["links"], true, "{told}");
    assert_eq!(
        (&told["reading"]["files"], &told["reading"]["damaged"]),
        (&0.into(), &serde_json::json!([]))
    );
    for number in 0..60 {
        fs::remove_file(locker.join(format!("by hand {number}"))).unwrap();
    }

    assert_eq!(place.done(&["doctor", "--repair"], ""), "everything is in order");
    let _server = place.serve(&["--no-lan"]);
    assert_eq!(place.done(&["doctor"], ""), "everything is in order");
    fs::remove_file(locker.join("by hand")).unwrap();
    let output = place.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "lockers/ann: by hand is counted and not on the disk\n");
    assert_eq!(place.done(&["doctor", "--repair"], ""), "everything is in order");
}
