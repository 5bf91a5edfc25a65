//! Names of files made from what a feed says: no text of a feed becomes a path as it is.

use crate::drive::RelativePath;

/// Longest name of a folder or file without its suffix, in bytes.
const LONGEST: usize = 120;

/// Where an episode goes in a locker. `again` tells apart what would have the same name.
pub(super) fn path(
    folder: &str,
    channel: &str,
    published: &str,
    title: &str,
    suffix: &str,
    again: Option<i64>,
) -> RelativePath {
    let again = again.map(|number| format!(" ({number})")).unwrap_or_default();
    let channel = safe(channel, "Podcast");
    let name = safe(title, "Episode");
    let made = format!("{folder}/{channel}/{published} {name}{again}.{suffix}");
    // `safe` makes nothing that a locker refuses; if it did, a plain name is better than none.
    RelativePath::parse(&made).unwrap_or_else(|_| {
        let plain = format!("{folder}/Podcast/{published} Episode{again}.mp3");
        RelativePath::parse(&plain).unwrap_or_else(|_| unreachable!("letters, digits and blanks"))
    })
}

/// A name that every file system takes.
fn safe(text: &str, instead: &str) -> String {
    let clean: String = text
        .chars()
        .map(|letter| {
            let is_odd = letter.is_control() || r#"/\:*?"<>|"#.contains(letter);
            if is_odd || letter == '\u{fffd}' { '_' } else { letter }
        })
        .collect();
    let mut end = clean.len().min(LONGEST);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    let name = clean[..end].trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return instead.to_owned();
    }
    match RelativePath::parse(name) {
        Ok(_) => name.to_owned(),
        Err(_) => format!("{instead} {name}"),
    }
}

/// The suffix of a sound of this type or address.
pub(super) fn suffix(media_type: &str, url: &str) -> &'static str {
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = match media_type.as_str() {
        "audio/mpeg" | "audio/mp3" => Some("mp3"),
        "audio/mp4" | "audio/x-m4a" | "audio/m4a" => Some("m4a"),
        "audio/ogg" | "application/ogg" => Some("ogg"),
        "audio/opus" => Some("opus"),
        "audio/flac" | "audio/x-flac" => Some("flac"),
        "audio/aac" => Some("aac"),
        "audio/wav" | "audio/x-wav" => Some("wav"),
        _ => None,
    };
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    known
        .or_else(|| {
            ["mp3", "m4a", "m4b", "ogg", "oga", "opus", "flac", "aac", "wav"]
                .into_iter()
                .find(|suffix| path.ends_with(&format!(".{suffix}")))
        })
        .unwrap_or("mp3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_feeds_stay_inside_their_folder() {
        for (channel, title, expected) in [
            ("The Show", "One: two?", "Podcasts/The Show/2024-01-02 One_ two_.mp3"),
            ("../../etc", "passwd", "Podcasts/_.._etc/2024-01-02 passwd.mp3"),
            ("..", ".", "Podcasts/Podcast/2024-01-02 Episode.mp3"),
            ("a/b\\c", "x\u{0}y", "Podcasts/a_b_c/2024-01-02 x_y.mp3"),
            ("con", "nul", "Podcasts/Podcast con/2024-01-02 Episode nul.mp3"),
            (".hidden", "End. ", "Podcasts/hidden/2024-01-02 End.mp3"),
        ] {
            let path = path("Podcasts", channel, "2024-01-02", title, "mp3", None);
            assert_eq!(path.as_str(), expected);
        }
        let long =
            path("Podcasts", &"é".repeat(300), "2024-01-02", &"x".repeat(999), "m4a", Some(7));
        assert!(long.as_str().ends_with("x (7).m4a") && long.as_str().len() < 300);
    }

    #[test]
    fn suffixes_by_type_then_by_address() {
        assert_eq!(suffix("audio/mpeg; charset=x", ""), "mp3");
        assert_eq!(suffix("application/octet-stream", "https://x/a.M4A?b=c.mp3"), "m4a");
        assert_eq!(suffix("", "https://x/"), "mp3");
    }

    proptest::proptest! {
        #[test]
        fn any_title_makes_a_path(channel in ".{0,300}", title in ".{0,300}") {
            let path = path("Podcasts", &channel, "2024-01-02", &title, "mp3", Some(1));
            proptest::prop_assert_eq!(path.as_str().matches('/').count(), 2);
            proptest::prop_assert!(path.as_str().starts_with("Podcasts/"));
        }
    }
}
