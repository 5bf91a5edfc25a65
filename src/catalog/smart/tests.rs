//! Rules read, refused, written back and turned into tests.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalog::Mark;

const NOW: Millis = 1_700_000_000_000;

fn tests_of(json: &Json) -> Criteria {
    Rules::parse(json).unwrap().criteria(UserId(7), NOW, &Criteria::InPlaylist)
}

#[test]
fn rules_become_tests() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    let number = |field, how, value| Criteria::Number(field, how, value);
    let marked = |mark, how, value| Criteria::Marked(UserId(7), mark, how, value);
    let day = |text: &str| match Value::parse(Operator::Is, Kind::Moment, &json!(text)) {
        Some(Value::Moments(at, _)) => at,
        other => panic!("{other:?}"),
    };
    for (rule, expected) in [
        (json!({"is": {"loved": true}}), marked(Mark::Starred, Equal, 1)),
        (json!({"isNot": {"LOVED": "true"}}), marked(Mark::Starred, Equal, 1).negate()),
        (json!({"gt": {"rating": 3}}), marked(Mark::Rating, Greater, 3)),
        (json!({"lt": {"duration": 90.5}}), number(Field::Duration, Less, 90_500)),
        (
            json!({"inTheRange": {"year": [1981, "1990"]}}),
            Criteria::all([
                number(Field::Year, GreaterOrEqual, 1981),
                number(Field::Year, LessOrEqual, 1990),
            ]),
        ),
        (
            json!({"notContains": {"genre": "jazz"}}),
            Criteria::Text(Field::Genre, TextMatch::Contains, "jazz".into()).negate(),
        ),
        (
            json!({"inTheLast": {"lastPlayed": 30}}),
            marked(Mark::PlayedAt, GreaterOrEqual, NOW - 30 * DAY),
        ),
        (json!({"notInTheLast": {"dateadded": 1}}), number(Field::Added, Less, NOW - DAY)),
        (
            json!({"after": {"dateAdded": "2024-02-29"}}),
            number(Field::Added, Greater, day("2024-02-29") + DAY - 1),
        ),
        (
            json!({"before": {"lastplayed": "2024-01-01"}}),
            Criteria::all([
                marked(Mark::PlayedAt, Less, day("2024-01-01")),
                marked(Mark::PlayedAt, Greater, 0),
            ]),
        ),
        (
            json!({"is": {"date": 1999}}),
            Criteria::Text(Field::ReleaseDate, TextMatch::StartsWith, "1999".into()),
        ),
        (json!({"inPlaylist": {"id": "pl-3"}}), Criteria::InPlaylist(PlaylistId(3))),
        (json!({"any": []}), Criteria::Never),
        (json!({"all": []}), Criteria::Always),
    ] {
        assert_eq!(tests_of(&json!({"all": [rule]})), expected, "{rule}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    for (rules, reason) in [
        (json!([]), "JSON object"),
        (json!({"all": {"is": {"loved": true}}}), "list of rules"),
        (json!({"all": [{"is": {"password": "x"}}]}), "no field"),
        (json!({"all": [{"like": {"title": "x"}}]}), "no operator"),
        (json!({"all": [{"gt": {"title": "x"}}]}), "does not fit"),
        (json!({"all": [{"inTheLast": {"year": 3}}]}), "does not fit"),
        (json!({"all": [{"is": {"year": "x"}}]}), "no value"),
        (json!({"all": [{"is": {"rating": 1e300}}]}), "no value"),
        (json!({"all": [{"is": {"title": ""}}]}), "no value"),
        (json!({"all": [{"is": {"title": "x".repeat(1001)}}]}), "no value"),
        (json!({"all": [{"inTheRange": {"year": [1]}}]}), "no value"),
        (json!({"all": [{"before": {"lastPlayed": "yesterday"}}]}), "no value"),
        (json!({"all": [{"inPlaylist": {"id": "3"}}]}), "no value"),
        (json!({"all": [{"is": {"title": "x", "album": "y"}}]}), "one field"),
        (json!({"all": [{"is": {"title": "x"}, "gt": {"year": 1}}]}), "one operator"),
        (json!({"sort": "title;drop table track"}), "to sort by"),
        (json!({"sort": "playlist"}), "to sort by"),
        (json!({"order": "up"}), "asc or desc"),
        (json!({"limit": -1}), "from 1 to"),
        (json!({"limitPercent": 101}), "from 1 to"),
    ] {
        let refused = Rules::parse(&rules).unwrap_err().to_string();
        assert!(refused.contains(reason), "{rules}: {refused}");
    }
    let mut deep = json!({"is": {"loved": true}});
    for _ in 0..20 {
        deep = json!({"all": [deep]});
    }
    assert!(Rules::parse(&deep).unwrap_err().to_string().contains("deep"));
    let many = vec![json!({"is": {"loved": true}}); 201];
    assert!(Rules::parse(&json!({"any": many})).unwrap_err().to_string().contains("at most"));
}

#[test]
fn rules_are_written_as_they_are_read() {
    let rules = json!({
        "any": [
            {"all": [{"is": {"loved": true}}, {"lt": {"duration": 90.5}}]},
            {"inTheRange": {"dateAdded": ["2024-01-01", "2024-12-31"]}},
            {"inTheRange": {"releaseDate": ["1999", "2001-05"]}},
            {"startsWith": {"filePath": "Live/"}},
            {"notInPlaylist": {"playlist": "pl-9"}}
        ],
        "sort": "-rating,title",
        "limit": 50
    });
    let read = Rules::parse(&rules).unwrap();
    assert_eq!(read.to_json(), rules);
    assert_eq!(read.playlists().into_iter().collect::<Vec<_>>(), [PlaylistId(9)]);
    let turned = Rules::parse(&json!({"sort": "-rating,title", "order": "desc"})).unwrap();
    assert_eq!(turned.to_json()["sort"], "rating,-title");
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-z0-9 %'-]{0,12}".prop_map(Json::from),
        Just(json!("2024-02-30")),
        Just(json!("pl-1")),
    ];
    let names: Vec<String> = ["all", "any", "sort", "limit"]
        .into_iter()
        .chain(Operator::ALL.iter().map(|(name, _)| *name))
        .chain(fields::all().iter().map(|field| field.name))
        .map(ToOwned::to_owned)
        .collect();
    leaf.prop_recursive(5, 60, 4, move |inner| {
        let member = (proptest::sample::select(names.clone()), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Json::from),
            proptest::collection::vec(member, 0..3)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics_and_what_is_read_is_stable(json in any_json()) {
        if let Ok(rules) = Rules::parse(&json) {
            let again = Rules::parse(&rules.to_json());
            prop_assert!(again.is_ok(), "{json} -> {}", rules.to_json());
            let _ = rules.criteria(UserId(1), NOW, &Criteria::InPlaylist);
        }
    }
}
