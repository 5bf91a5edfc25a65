//! Names out of a path, for files that say nothing about themselves.

use super::Tags;

/// Fills in a title always; artist and album only where neither is known, for a single song in a
/// folder is not an album by the folder's name.
pub(super) fn complete(tags: &mut Tags, relative_path: &str) {
    let guess = Guess::of(relative_path);
    if tags.title.is_none() {
        tags.number = tags.number.or(guess.number);
        tags.disc = tags.disc.or(guess.disc);
        if tags.artists.is_empty() && tags.album.is_none() {
            tags.artists.extend(guess.artist.clone().or_else(|| guess.album_artist.clone()));
            tags.display_artist = tags.artists.first().cloned();
            tags.album = guess.album;
            if tags.album_artists.is_empty() && tags.album.is_some() {
                tags.album_artists.extend(guess.album_artist);
                tags.display_album_artist = tags.album_artists.first().cloned();
            }
            tags.date = tags.date.take().or(guess.year);
        }
        tags.title = Some(guess.title);
    } else {
        tags.disc = tags.disc.or(guess.folder_disc);
    }
}

/// What a path says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Guess {
    title: String,
    number: Option<u32>,
    disc: Option<u32>,
    /// The disc, if the folder says it.
    folder_disc: Option<u32>,
    artist: Option<String>,
    album: Option<String>,
    album_artist: Option<String>,
    year: Option<String>,
}

impl Guess {
    fn of(path: &str) -> Self {
        let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let file = parts.pop().unwrap_or_default();
        let mut guess = Self::of_name(stem(file));
        if let Some(disc) = parts.last().and_then(|folder| disc_folder(folder)) {
            guess.folder_disc = Some(disc);
            guess.disc = guess.disc.or(Some(disc));
            parts.pop();
        }
        if let Some(folder) = parts.pop() {
            let (folder, year) = without_year(folder);
            guess.year = year;
            match (parts.pop(), folder.split_once(" - ")) {
                // "Artist - Album", with nothing above that would say the artist better.
                (None, Some((artist, album))) => {
                    guess.album = Some(tidy(album));
                    guess.album_artist = Some(tidy(artist));
                }
                (Some(parent), Some((artist, album))) if artist.trim() == parent => {
                    guess.album = Some(tidy(album));
                    guess.album_artist = Some(tidy(parent));
                }
                (parent, _) => {
                    guess.album = Some(tidy(folder));
                    guess.album_artist = parent.map(tidy);
                }
            }
        }
        guess.artist = guess.artist.filter(|artist| !artist.is_empty());
        guess.album = guess.album.filter(|album| !album.is_empty());
        guess.album_artist = guess.album_artist.filter(|artist| !artist.is_empty());
        guess
    }

    /// `03 - Title`, `1-03 Title`, `03. Artist - Title`, `Artist - 03 - Title`, `Title`.
    fn of_name(stem: &str) -> Self {
        let mut guess = Self::default();
        let stem = if stem.contains(' ') { stem.to_owned() } else { stem.replace('_', " ") };
        let mut rest = stem.trim();
        if let Some((disc, number, tail)) = leading_numbers(rest) {
            (guess.disc, guess.number, rest) = (disc, Some(number), tail);
        }
        if let Some((artist, tail)) = rest.split_once(" - ") {
            match leading_numbers(tail) {
                Some((disc, number, title)) if guess.number.is_none() => {
                    (guess.disc, guess.number) = (disc, Some(number));
                    guess.artist = Some(tidy(artist));
                    rest = title;
                }
                _ => {
                    guess.artist = Some(tidy(artist));
                    rest = tail;
                }
            }
        }
        guess.title = tidy(rest);
        if guess.title.is_empty() {
            guess.title = tidy(&stem);
        }
        if guess.title.is_empty() {
            "Untitled".clone_into(&mut guess.title);
        }
        guess
    }
}

/// Disc, number and what follows. A number needs a mark or two digits: `7 Seconds` is a title.
fn leading_numbers(text: &str) -> Option<(Option<u32>, u32, &str)> {
    let (first, digits, after) = number(text)?;
    if let Some(second) = after.strip_prefix(['-', '.'])
        && let Some((number, 2, tail)) = number(second)
        && digits == 1
    {
        return Some((Some(first), number, without_mark(tail)?));
    }
    let rest = without_mark(after)?;
    let is_marked = rest.len() + 1 < after.len() || !after.starts_with(' ');
    (digits <= 3 && (digits >= 2 || is_marked)).then_some((None, first, rest))
}

fn number(text: &str) -> Option<(u32, usize, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().ok().filter(|number| (1..=999).contains(number))?;
    Some((number, end, &text[end..]))
}

/// What comes after ` - `, `. `, `_` or a space; nothing is not a title.
fn without_mark(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches([' ', '-', '.', '_', ')']);
    (rest.len() < text.len() && !rest.is_empty()).then_some(rest)
}

fn disc_folder(name: &str) -> Option<u32> {
    let lower = name.to_lowercase();
    let rest = ["cd", "disc", "disk"].iter().find_map(|word| lower.strip_prefix(word))?;
    let (number, _, after) = number(rest.trim_start_matches([' ', '-', '_', '#']))?;
    (number < 100 && (after.is_empty() || after.starts_with([' ', '-', ':', '_', '('])))
        .then_some(number)
}

/// `Album (1999)`, `[1999] Album`, `1999 - Album` without the year.
fn without_year(folder: &str) -> (&str, Option<String>) {
    let year = |text: &str| {
        let is_year = text.len() == 4
            && text.bytes().all(|digit| digit.is_ascii_digit())
            && (text.starts_with("19") || text.starts_with("20"));
        is_year.then(|| text.to_owned())
    };
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some((before, inside)) =
            folder.strip_suffix(close).and_then(|folder| folder.rsplit_once(open))
            && let Some(year) = year(inside)
            && !before.trim().is_empty()
        {
            return (before.trim_end(), Some(year));
        }
        if let Some((inside, after)) =
            folder.strip_prefix(open).and_then(|folder| folder.split_once(close))
            && let Some(year) = year(inside)
            && !after.trim().is_empty()
        {
            return (after.trim_start(), Some(year));
        }
    }
    match folder.split_once(" - ") {
        Some((start, after)) if year(start).is_some() => (after, year(start)),
        _ => (folder, None),
    }
}

fn stem(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, suffix)) if !stem.is_empty() && suffix.len() <= 5 => stem,
        _ => file,
    }
}

fn tidy(text: &str) -> String {
    let visible = text.chars().filter(|letter| !letter.is_control());
    visible.take(300).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_come_out_of_paths() {
        type Row<'r> =
            (&'r str, &'r str, Option<u32>, Option<u32>, [Option<&'r str>; 3], Option<&'r str>);
        let table: &[Row<'_>] = &[
            ("03 - Song.mp3", "Song", Some(3), None, [None; 3], None),
            ("A/B/03 Song.mp3", "Song", Some(3), None, [None, Some("B"), Some("A")], None),
            (
                "A/B (1999)/CD2/03. Song.mp3",
                "Song",
                Some(3),
                Some(2),
                [None, Some("B"), Some("A")],
                Some("1999"),
            ),
            ("A - B/1-03 Song.flac", "Song", Some(3), Some(1), [None, Some("B"), Some("A")], None),
            (
                "[2001] B/X - 07 - Song.ogg",
                "Song",
                Some(7),
                None,
                [Some("X"), Some("B"), None],
                Some("2001"),
            ),
            (
                "2001 - B/07 - X - Song.ogg",
                "Song",
                Some(7),
                None,
                [Some("X"), Some("B"), None],
                Some("2001"),
            ),
            ("7 Seconds.mp3", "7 Seconds", None, None, [None; 3], None),
            ("99 Luftballons.mp3", "Luftballons", Some(99), None, [None; 3], None),
            ("1999.mp3", "1999", None, None, [None; 3], None),
            ("my_song_title.mp3", "my song title", None, None, [None; 3], None),
            (".mp3", ".mp3", None, None, [None; 3], None),
            ("new\nline.mp3", "newline", None, None, [None; 3], None),
            ("   .mp3", "Untitled", None, None, [None; 3], None),
            ("", "Untitled", None, None, [None; 3], None),
        ];
        for (path, title, number, disc, [artist, album, album_artist], year) in table {
            let guess = Guess::of(path);
            assert_eq!(guess.title, *title, "{path}");
            assert_eq!((guess.number, guess.disc), (*number, *disc), "{path}");
            assert_eq!(guess.artist.as_deref(), *artist, "{path}");
            assert_eq!(guess.album.as_deref(), *album, "{path}");
            assert_eq!(guess.album_artist.as_deref(), *album_artist, "{path}");
            assert_eq!(guess.year.as_deref(), *year, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_gives_a_title(path in "\\PC*") {
            prop_assert!(!Guess::of(&path).title.is_empty());
        }

        #[test]
        fn numbers_and_marks_give_a_title(path in "[0-9 ._()\\[\\]/A-]{0,40}") {
            prop_assert!(!Guess::of(&path).title.is_empty());
        }
    }
}
