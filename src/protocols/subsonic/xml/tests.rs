//! How values look as XML.

use super::*;

#[derive(serde::Serialize)]
struct Song<'a> {
    id: u32,
    title: &'a str,
    year: Option<i32>,
    gain: Gain,
    moods: Vec<&'a str>,
    notes: Text<'a>,
}

#[derive(serde::Serialize, Default)]
struct Gain {
    #[serde(skip_serializing_if = "Option::is_none")]
    track: Option<f64>,
}

#[derive(serde::Serialize)]
struct Genre {
    count: u8,
    value: &'static str,
}

#[derive(serde::Serialize)]
struct Entry<'a> {
    username: &'static str,
    #[serde(flatten)]
    song: Song<'a>,
}

fn song() -> Song<'static> {
    Song {
        id: 7,
        title: "A \"B\" <&>\n\u{1}\u{ffff}é",
        year: None,
        gain: Gain::default(),
        moods: vec!["calm", "x&y"],
        notes: Text("n"),
    }
}

fn check(value: &impl Serialize, expected: &str) {
    let mut out = Vec::new();
    append(&mut out, "e", value, Dialect::Full).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn scalars_are_attributes_and_structs_are_children() {
    let inner = "title=\"A &quot;B&quot; &lt;&amp;&gt;&#10;\u{fffd}\u{fffd}é\"><gain/>\
                 <moods>calm</moods><moods>x&amp;y</moods><notes>n</notes></e>";
    check(&song(), &format!("<e id=\"7\" {inner}"));
    check(
        &Entry { username: "ann", song: song() },
        &format!("<e username=\"ann\" id=\"7\" {inner}"),
    );
}

#[test]
fn value_is_text_and_lists_repeat() {
    check(
        &[Genre { count: 1, value: "Jazz & Co" }, Genre { count: 2, value: "" }].as_slice(),
        "<e count=\"1\">Jazz &amp; Co</e><e count=\"2\"></e>",
    );
    check(&Gain { track: Some(-1.5) }, "<e track=\"-1.5\"/>");
    check(&[1, 2].as_slice(), "<e>1</e><e>2</e>");
    check(&Vec::<u8>::new(), "");
}

#[test]
fn legacy_readers_get_no_added_elements() {
    let mut out = Vec::new();
    append(&mut out, "e", &song(), Dialect::Legacy).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains("moods"));
}

#[test]
fn an_attribute_after_a_child_is_a_fault() {
    #[derive(serde::Serialize)]
    struct Wrong {
        gain: Gain,
        late: u8,
    }
    let wrong = Wrong { gain: Gain::default(), late: 1 };
    assert!(append(&mut Vec::new(), "e", &wrong, Dialect::Full).is_err());
}
