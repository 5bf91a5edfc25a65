//! Who is who: the keys by which artists and albums are told apart, the keys by which lists are
//! ordered, and index letters. Pure functions; their cases stand in the table below.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Leading articles that ordering skips. Subsonic shows them as `ignoredArticles`.
pub const IGNORED_ARTICLES: &str = "The El La Los Las Le Les";

/// The MusicBrainz artist "Various Artists".
pub const VARIOUS_ARTISTS_MBID: &str = "89ad4ac3-39f7-470e-963a-56509c546377";

/// What "Various Artists" is shown as.
pub const VARIOUS_ARTISTS: &str = "Various Artists";

/// What tells an album apart from others of its library.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlbumFacts<'a> {
    /// MusicBrainz release id.
    pub mbid: Option<&'a str>,
    /// Title.
    pub title: &'a str,
    /// Edition, "Deluxe", ...
    pub version: &'a str,
    /// Album artists in order.
    pub artists: &'a [String],
    /// Marked as a compilation.
    pub is_compilation: bool,
    /// When this release came out, `YYYY...`, or ''. A date that may be that of a recording is none:
    /// soundtracks and best-of albums have one a track.
    pub date: &'a str,
    /// Folder of the file, relative to the library.
    pub folder: &'a str,
}

/// The key of an album inside its library; `None` without a title or a MusicBrainz id.
#[must_use]
pub fn album_key(facts: &AlbumFacts<'_>) -> Option<String> {
    if let Some(mbid) = facts.mbid.filter(|mbid| !mbid.is_empty()) {
        return Some(format!("mb:{}", mbid.to_ascii_lowercase()));
    }
    let title = name_key(facts.title);
    if title.is_empty() {
        return None;
    }
    let year = facts.date.get(..4).unwrap_or_default();
    let version = name_key(facts.version);
    if facts.is_compilation || facts.artists.iter().any(|artist| is_various(artist)) {
        return Some(format!("al:various\u{1f}{title}\u{1f}{year}\u{1f}{version}"));
    }
    if facts.artists.is_empty() {
        let folder = album_folder(facts.folder);
        return Some(format!("fo:{folder}\u{1f}{title}\u{1f}{version}"));
    }
    let artists: Vec<String> = facts.artists.iter().map(|artist| name_key(artist)).collect();
    Some(format!("al:{}\u{1f}{title}\u{1f}{year}\u{1f}{version}", artists.join("\u{1e}")))
}

/// The key of an artist: the MusicBrainz id, else the folded name.
#[must_use]
pub fn artist_key(name: &str, mbid: Option<&str>) -> String {
    match mbid.filter(|mbid| !mbid.is_empty()) {
        Some(mbid) => format!("mb:{}", mbid.to_ascii_lowercase()),
        None => format!("na:{}", artist_name_key(name)),
    }
}

/// The folded name of an artist, one for all spellings of "Various Artists".
#[must_use]
pub fn artist_name_key(name: &str) -> String {
    if is_various(name) { "various artists".to_owned() } else { name_key(name) }
}

/// A name as it is compared: NFC, case folded, blanks squeezed.
#[must_use]
pub fn name_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for word in name.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        if word.is_ascii() {
            key.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
        } else {
            key.extend(word.nfc().flat_map(char::to_lowercase).nfc());
        }
    }
    key
}

/// Whether a name means "Various Artists".
#[must_use]
pub fn is_various(name: &str) -> bool {
    let name = name.trim();
    ["various artists", "various", "va", "v.a.", "v/a", "verschiedene interpreten"]
        .iter()
        .any(|various| name.eq_ignore_ascii_case(various))
}

/// What a name is ordered by: folded case and accents, no leading punctuation, no leading article.
#[must_use]
pub fn order_key(name: &str) -> String {
    let folded = fold(name);
    for article in IGNORED_ARTICLES.split(' ') {
        let length = article.len();
        if folded.len() > length + 1
            && folded.as_bytes()[length] == b' '
            && folded[..length].eq_ignore_ascii_case(article)
        {
            return folded[length + 1..].to_owned();
        }
    }
    folded
}

/// The index letter of an order key: A to Z, the first letter of other alphabets, `#` for the rest.
#[must_use]
pub fn index_letter(order_key: &str) -> String {
    match order_key.chars().next() {
        Some(letter) if letter.is_alphabetic() && !is_ideograph(letter) => {
            letter.to_uppercase().collect()
        }
        _ => "#".to_owned(),
    }
}

/// The folder that an album lies in: disc folders count as their parent.
#[must_use]
pub fn album_folder(folder: &str) -> &str {
    match folder.rsplit_once('/') {
        Some((parent, name)) if is_disc_folder(name) => parent,
        None if is_disc_folder(folder) => "",
        _ => folder,
    }
}

/// Whether a folder holds one disc of an album: `CD1`, `Disc 2`, `disk_03 - Live`.
#[must_use]
pub fn is_disc_folder(name: &str) -> bool {
    let lower = name.trim().to_lowercase();
    ["cd", "disc", "disk", "disque", "vinyl", "side"].iter().any(|word| {
        lower.strip_prefix(word).is_some_and(|rest| {
            let rest = rest.trim_start_matches([' ', '_', '-', '.', '#']);
            let digits = rest.chars().take_while(char::is_ascii_digit).count();
            (1..=2).contains(&digits)
                && !rest[digits..].starts_with(|letter: char| letter.is_alphanumeric())
        })
    })
}

/// Lower case, no accents, blanks squeezed, no leading punctuation unless there is nothing else.
pub(super) fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for word in name.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        if word.is_ascii() {
            folded.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
            continue;
        }
        for letter in word.nfkd().filter(|letter| !is_combining_mark(*letter)) {
            match letter {
                'ß' | 'ẞ' => folded.push_str("ss"),
                'æ' | 'Æ' => folded.push_str("ae"),
                'œ' | 'Œ' => folded.push_str("oe"),
                'ø' | 'Ø' => folded.push('o'),
                'đ' | 'Đ' | 'ð' | 'Ð' => folded.push('d'),
                'ł' | 'Ł' => folded.push('l'),
                'ı' => folded.push('i'),
                'þ' | 'Þ' => folded.push_str("th"),
                letter => folded.extend(letter.to_lowercase()),
            }
        }
    }
    let bare = folded.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    if bare.is_empty() { folded } else { bare.to_owned() }
}

/// Scripts whose first sign is no letter of an index: Han and Hangul syllables.
fn is_ideograph(letter: char) -> bool {
    matches!(letter as u32, 0x3400..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_keys() {
        for (name, key) in [
            ("The Beatles", "beatles"),
            ("the  beatles", "beatles"),
            ("Los Lobos", "lobos"),
            ("The", "the"),
            ("Thermals", "thermals"),
            ("Theory of a Deadman", "theory of a deadman"),
            ("Die Ärzte", "die arzte"),
            ("Björk", "bjork"),
            ("Sigur Rós", "sigur ros"),
            ("Łona", "lona"),
            ("Motörhead", "motorhead"),
            ("Weiß", "weiss"),
            ("“Noun” — Adj", "noun” — adj"),
            ("...And Justice", "and justice"),
            ("!!!", "!!!"),
            ("", ""),
            ("Кино", "кино"),
            ("東京", "東京"),
            ("La La Land", "la land"),
        ] {
            assert_eq!(order_key(name), key, "{name}");
        }
    }

    #[test]
    fn index_letters() {
        for (key, letter) in [
            ("beatles", "B"),
            ("2pac", "#"),
            ("", "#"),
            ("!!!", "#"),
            ("кино", "К"),
            ("東京", "#"),
            ("서울", "#"),
            ("λ", "Λ"),
        ] {
            assert_eq!(index_letter(key), letter, "{key}");
        }
    }

    #[test]
    fn artists_are_one_whatever_their_case() {
        assert_eq!(artist_key("BJÖRK", None), artist_key("bjo\u{308}rk", None));
        assert_eq!(artist_key("Anna  Lind", None), artist_key(" anna lind ", None));
        assert_ne!(artist_key("Bjork", None), artist_key("Björk", None));
        assert_eq!(artist_key("VA", None), artist_key("Various Artists", None));
        assert_eq!(artist_key("x", Some("ABC")), "mb:abc");
        assert_eq!(artist_key("x", Some("")), "na:x");
    }

    #[test]
    fn disc_folders() {
        for name in ["CD1", "cd 02", "Disc 1", "disk_3", "Disc 1 - Live", "CD#1", "Side 2"] {
            assert!(is_disc_folder(name), "{name}");
        }
        for name in ["Discovery", "CDs", "Discs", "CD", "Disc 2nd", "1", "cd2000", "Disco 3"] {
            assert!(!is_disc_folder(name), "{name}");
        }
        assert_eq!(album_folder("A/B/CD1"), "A/B");
        assert_eq!(album_folder("CD1"), "");
        assert_eq!(album_folder("A/B"), "A/B");
    }

    /// Two descriptions, and whether they mean one album.
    #[test]
    fn albums_are_told_apart() {
        let ann = ["Ann".to_owned()];
        let ann_again = ["ANN".to_owned()];
        let bob = ["Bob".to_owned()];
        let various = ["Various".to_owned()];
        let blue =
            AlbumFacts { title: "Blue", artists: &ann, date: "1971", ..AlbumFacts::default() };
        let same = |a: &AlbumFacts<'_>, b: &AlbumFacts<'_>| album_key(a) == album_key(b);

        assert!(same(&blue, &AlbumFacts { artists: &ann_again, title: "BLUE", ..blue }));
        assert!(same(&blue, &AlbumFacts { folder: "elsewhere", ..blue }));
        assert!(same(&blue, &AlbumFacts { date: "1971-06-22", ..blue }));
        assert!(!same(&blue, &AlbumFacts { date: "1999", ..blue }));
        assert!(!same(&blue, &AlbumFacts { version: "Deluxe", ..blue }));
        assert!(!same(&blue, &AlbumFacts { artists: &bob, ..blue }));
        let by_id = AlbumFacts { mbid: Some("1"), ..blue };
        assert!(same(&by_id, &AlbumFacts { mbid: Some("1"), title: "Other", ..blue }));
        assert!(!same(&by_id, &AlbumFacts { mbid: Some("2"), ..blue }));
        let mix = AlbumFacts { is_compilation: true, ..blue };
        assert!(same(&mix, &AlbumFacts { artists: &bob, ..mix }));
        assert!(same(&mix, &AlbumFacts { artists: &various, is_compilation: false, ..mix }));
        let nobody = AlbumFacts { artists: &[], folder: "x/Blue", ..blue };
        assert!(!same(&nobody, &AlbumFacts { folder: "y/Blue", ..nobody }));
        assert!(same(&nobody, &AlbumFacts { folder: "x/Blue/CD2", ..nobody }));
        assert_eq!(album_key(&AlbumFacts { title: " ", ..blue }), None);
    }
}
