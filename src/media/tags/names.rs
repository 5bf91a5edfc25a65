//! From the text of a tag to names: splitting what taggers joined, without splitting AC/DC.

use lofty::id3::v1::GENRES;
use serde::{Deserialize, Serialize};

/// How texts that hold several names are split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOptions {
    /// What separates names in a single artist text. ID3v2.3's slash needs no setting.
    pub artist_separators: Vec<String>,
    /// What separates genres in a single text.
    pub genre_separators: Vec<String>,
    /// Names that hold a separator and are one name.
    pub exceptions: Vec<String>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            artist_separators: Vec::new(),
            genre_separators: list(&[";"]),
            exceptions: list(&[
                "AC/DC",
                "M/A/R/R/S",
                "Case/Lang/Veirs",
                "A/T/O/S",
                "Decline/Fall",
                "Singer/Songwriter",
                "Singer / Songwriter",
                "Folk/Rock",
                "Pop/Rock",
                "Pop / Rock",
                "Soul/R&B",
                "Rap/Hip-Hop",
            ]),
        }
    }
}

/// Splits `text` at each separator, except inside a name that is one of `whole`.
pub(super) fn split(text: &str, separators: &[&str], whole: &[&str]) -> Vec<String> {
    let separators: Vec<_> = separators.iter().filter(|separator| !separator.is_empty()).collect();
    let mut names = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let ends_name = |tail: &str| {
            let tail = tail.trim_start();
            tail.is_empty() || separators.iter().any(|mark| tail.starts_with(mark.trim_start()))
        };
        let protected = whole
            .iter()
            .filter(|name| {
                rest.get(..name.len()).is_some_and(|there| there.eq_ignore_ascii_case(name))
            })
            .filter(|name| ends_name(&rest[name.len()..]))
            .map(|name| name.len())
            .max();
        let from = protected.unwrap_or(0);
        let next = separators
            .iter()
            .filter_map(|mark| rest[from..].find(**mark).map(|at| (from + at, mark.len())))
            .min_by_key(|(at, length)| (*at, usize::MAX - length));
        let (name, after) = match next {
            Some((at, length)) => (&rest[..at], &rest[at + length..]),
            None => (rest, ""),
        };
        push_once(&mut names, name.trim());
        rest = after.trim_start();
    }
    names
}

/// Splits a text that ID3v2.3 may have joined by slashes. `expected`: how many names there are, if
/// something says so; `whole`: names that are known.
pub(super) fn split_slashes(text: &str, expected: Option<usize>, whole: &[&str]) -> Vec<String> {
    if !text.contains('/') || expected == Some(1) {
        return vec![text.trim().to_owned()];
    }
    let names = split(text, &["/"], whole);
    match expected {
        // The last names hold slashes themselves: better two right than three wrong.
        Some(expected) if names.len() > expected && expected > 1 => {
            let mut names = names;
            let last = names.split_off(expected - 1).join("/");
            names.push(last);
            names
        }
        _ => names,
    }
}

/// Genres of one text: numbers of ID3v1 in all the ways they are written, and names.
pub(super) fn genres(text: &str, separators: &[&str], whole: &[&str], into: &mut Vec<String>) {
    let mut rest = text.trim();
    while let Some((reference, tail)) =
        rest.strip_prefix('(').and_then(|inside| inside.split_once(')'))
    {
        let Some(name) = reference_name(reference) else { break };
        push_once(into, name);
        rest = tail.trim();
        // `(4)Eurodisco` refines its number.
        if !rest.is_empty() && !rest.starts_with('(') {
            into.retain(|genre| genre != name);
        }
    }
    // `((` is an escaped bracket.
    if rest.starts_with("((") {
        rest = &rest[1..];
    }
    for name in split(rest, separators, whole) {
        push_once(into, reference_name(&name).unwrap_or(&name));
    }
}

fn reference_name(reference: &str) -> Option<&'static str> {
    match reference {
        "RX" => Some("Remix"),
        "CR" => Some("Cover"),
        number if number.len() <= 3 && number.bytes().all(|digit| digit.is_ascii_digit()) => {
            GENRES.get(number.parse::<usize>().ok()?).copied()
        }
        _ => None,
    }
}

/// Adds a name that is not there yet.
pub(super) fn push_once(names: &mut Vec<String>, name: &str) {
    if !name.is_empty() && names.len() < 200 && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// MusicBrainz ids in a text, however they were joined.
pub(super) fn mbids<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let separators = |letter: char| matches!(letter, '/' | ';' | ',' | ' ' | '\\');
    texts
        .flat_map(|text| text.split(separators))
        .filter(|id| is_mbid(id))
        .map(str::to_ascii_lowercase)
        .take(200)
        .collect()
}

fn is_mbid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_separators_but_not_inside_known_names() {
        let table: &[(&str, &[&str], &[&str], &[&str])] = &[
            ("A; B;C", &[";"], &[], &["A", "B", "C"]),
            ("AC/DC", &["/"], &["AC/DC"], &["AC/DC"]),
            ("ac/dc/Bon Scott", &["/"], &["AC/DC"], &["ac/dc", "Bon Scott"]),
            ("Bon Scott / AC/DC", &["/"], &["AC/DC"], &["Bon Scott", "AC/DC"]),
            ("AC/DCX", &["/"], &["AC/DC"], &["AC", "DCX"]),
            ("A feat. B", &[" feat. ", ";"], &[], &["A", "B"]),
            ("A;A;;", &[";"], &[], &["A"]),
            ("é/è", &["/"], &["a"], &["é", "è"]),
            ("", &[";"], &[], &[]),
        ];
        for (text, separators, whole, expected) in table {
            assert_eq!(split(text, separators, whole), *expected, "{text}");
        }
    }

    #[test]
    fn slashes_split_by_what_is_known() {
        assert_eq!(split_slashes("A/B", None, &[]), ["A", "B"]);
        assert_eq!(split_slashes("A/B", Some(1), &[]), ["A/B"]);
        assert_eq!(split_slashes("A/B/C", Some(2), &["A/B"]), ["A/B", "C"]);
        assert_eq!(split_slashes("A/B/C", Some(2), &[]), ["A", "B/C"]);
        assert_eq!(split_slashes("A", Some(3), &[]), ["A"]);
    }

    #[test]
    fn genres_are_numbers_in_many_ways() {
        let table: &[(&str, &[&str])] = &[
            ("17", &["Rock"]),
            ("(17)", &["Rock"]),
            ("(17)Rock", &["Rock"]),
            ("(51)(39)", &["Techno-Industrial", "Noise"]),
            ("(4)Eurodisco", &["Eurodisco"]),
            ("((Odd)", &["(Odd)"]),
            ("(RX)", &["Remix"]),
            ("Rock; Pop", &["Rock", "Pop"]),
            ("999", &["999"]),
            ("2010s", &["2010s"]),
            ("(unfinished", &["(unfinished"]),
        ];
        for (text, expected) in table {
            let mut found = Vec::new();
            genres(text, &[";"], &[], &mut found);
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn only_real_ids_count() {
        let id = "89AD4AC3-39f7-470e-963a-56509c546377";
        let texts = [format!("{id}/{id}"), "nonsense".to_owned()];
        let found = mbids(texts.iter().map(String::as_str));
        assert_eq!(found, [id.to_lowercase(), id.to_lowercase()]);
    }
}
