//! Podcast feeds: RSS 2.0 with Apple's namespace, and Atom. Tells episodes apart by their guid,
//! leaves out what has no sound, and takes no HTML along.

use serde::{Deserialize, Serialize};

use super::markup;
use crate::xml::{self, Element, Manner, Names, Rules};

/// A feed of two thousand episodes has fewer elements.
pub(super) const RULES: Rules = Rules {
    elements: 65_536,
    bytes: 2 << 20,
    names: Names::Lower,
    manner: Manner::Lenient,
    ..Rules::STRICT
};
/// Episodes of a feed that are looked at; feeds begin with the newest.
const MOST_EPISODES: usize = 3000;
/// Longest title, in characters.
const TITLE: usize = 300;

/// Longest description, in characters: what [`markup::plain`] leaves.
const DESCRIPTION: usize = 20_001;
/// Longest episode, ms.
const LONGEST_MS: u64 = 4 * 86_400 * 1000;

/// A podcast.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Never empty.
    pub title: String,
    /// Plain text.
    pub description: String,
    /// Who makes it.
    pub author: String,
    /// Its page.
    pub link: String,
    /// Its picture.
    pub image_url: String,
    /// As listed, each guid once.
    pub episodes: Vec<FeedEpisode>,
}

/// An episode with sound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedEpisode {
    /// What it is known by in its feed.
    pub guid: String,
    /// Never empty.
    pub title: String,
    /// Plain text.
    pub description: String,
    /// Where the sound is.
    pub audio_url: String,
    /// As the feed says.
    pub audio_type: String,
    /// As the feed says; 0 unknown.
    pub size_bytes: u64,
    /// As the feed says; 0 unknown.
    pub duration_ms: u64,
    /// Milliseconds since the epoch, if the feed says.
    pub published_at: Option<i64>,
}

impl Feed {
    /// The same with every bound that [`read`] keeps: for one that came from a process which may
    /// have been taken over by what it read.
    #[must_use]
    pub fn held_to_bounds(mut self) -> Self {
        self.title = cut(&self.title, TITLE);
        self.author = cut(&self.author, TITLE);
        self.description = cut(&self.description, DESCRIPTION);
        self.episodes.truncate(MOST_EPISODES);
        self.episodes.retain(|episode| {
            is_sound(&episode.audio_url, &episode.audio_type)
                && !episode.guid.is_empty()
                && !episode.title.is_empty()
        });
        for episode in &mut self.episodes {
            episode.guid = cut(&episode.guid, 1000);
            episode.title = cut(&episode.title, TITLE);
            episode.description = cut(&episode.description, DESCRIPTION);
            episode.audio_type = cut(&episode.audio_type, 100);
            episode.duration_ms = episode.duration_ms.min(LONGEST_MS);
        }
        self
    }
}

/// Reads a feed. An error is a sentence.
pub fn read(bytes: &[u8]) -> Result<Feed, String> {
    let root = xml::read(bytes, &RULES).map_err(|refused| refused.to_string())?;
    let mut feed = match root.name.as_str() {
        "rss" => rss(root.child("channel").ok_or("The feed has no channel")?),
        "feed" | "atom:feed" => atom(&root),
        _ => return Err("This is not a podcast feed".to_owned()),
    };
    let mut known = std::collections::HashSet::new();
    feed.episodes.retain(|episode| known.insert(episode.guid.clone()));
    if feed.title.is_empty() {
        "Untitled podcast".clone_into(&mut feed.title);
    }
    Ok(feed)
}

fn rss(channel: &Element) -> Feed {
    let image = channel.child("itunes:image").map_or("", |image| image.attribute("href"));
    let image = if image.is_empty() {
        channel.child("image").map_or("", |image| image.text_of(&["url"]))
    } else {
        image
    };
    Feed {
        title: one_line(channel.text_of(&["title", "itunes:title"])),
        description: markup::plain(channel.text_of(&["description", "itunes:summary"])),
        author: one_line(channel.text_of(&["itunes:author", "author", "managingeditor"])),
        link: channel.text_of(&["link"]).to_owned(),
        image_url: image.to_owned(),
        episodes: channel.all("item").take(MOST_EPISODES).filter_map(rss_item).collect(),
    }
}

fn rss_item(item: &Element) -> Option<FeedEpisode> {
    let sound = item
        .all("enclosure")
        .map(|each| (each.attribute("url"), each.attribute("type"), each.attribute("length")))
        .chain(item.all("media:content").map(|each| {
            (each.attribute("url"), each.attribute("type"), each.attribute("filesize"))
        }))
        .find(|(url, kind, _)| is_sound(url, kind))?;
    let (url, kind, length) = sound;
    let guid = item.text_of(&["guid"]);
    let title = one_line(item.text_of(&["title", "itunes:title"]));
    Some(FeedEpisode {
        guid: cut(if guid.is_empty() { url } else { guid }, 1000),
        title: if title.is_empty() { "Untitled episode".to_owned() } else { title },
        description: markup::plain(item.text_of(&[
            "description",
            "content:encoded",
            "itunes:summary",
            "itunes:subtitle",
        ])),
        audio_url: url.to_owned(),
        audio_type: cut(kind, 100),
        size_bytes: length.parse().unwrap_or(0),
        duration_ms: duration(item.text_of(&["itunes:duration"])),
        published_at: date(item.text_of(&["pubdate", "dc:date"])),
    })
}

fn atom(root: &Element) -> Feed {
    let link = |of: &Element, rel: &str| {
        let own = |each: &&Element| {
            let own = each.attribute("rel");
            own == rel || (own.is_empty() && rel == "alternate")
        };
        of.all("link").find(own).map(|each| each.attribute("href").to_owned()).unwrap_or_default()
    };
    let author = |of: &Element| {
        of.child("author").map(|author| one_line(author.text_of(&["name"]))).unwrap_or_default()
    };
    let entry = |entry: &Element| {
        let sound = entry.all("link").find(|each| {
            each.attribute("rel") == "enclosure"
                && is_sound(each.attribute("href"), each.attribute("type"))
        })?;
        let (url, id) = (sound.attribute("href"), entry.text_of(&["id"]));
        let title = one_line(&markup::plain(entry.text_of(&["title"])));
        Some(FeedEpisode {
            guid: cut(if id.is_empty() { url } else { id }, 1000),
            title: if title.is_empty() { "Untitled episode".to_owned() } else { title },
            description: markup::plain(entry.text_of(&["summary", "content"])),
            audio_url: url.to_owned(),
            audio_type: cut(sound.attribute("type"), 100),
            size_bytes: sound.attribute("length").parse().unwrap_or(0),
            duration_ms: duration(entry.text_of(&["itunes:duration"])),
            published_at: date(entry.text_of(&["published", "updated"])),
        })
    };
    Feed {
        title: one_line(&markup::plain(root.text_of(&["title"]))),
        description: markup::plain(root.text_of(&["subtitle"])),
        author: author(root),
        link: link(root, "alternate"),
        image_url: root.text_of(&["logo", "icon"]).to_owned(),
        episodes: root.all("entry").take(MOST_EPISODES).filter_map(entry).collect(),
    }
}

/// By type, else by suffix; an address is needed in any case.
fn is_sound(url: &str, kind: &str) -> bool {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return false;
    }
    let kind = kind.to_ascii_lowercase();
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    kind.starts_with("audio/")
        || kind == "application/ogg"
        || [".mp3", ".m4a", ".m4b", ".ogg", ".oga", ".opus", ".flac", ".aac", ".wav"]
            .iter()
            .any(|suffix| path.ends_with(suffix))
}

/// `h:mm:ss`, `mm:ss`, or seconds, as ms; 0 for nonsense and for more than four days.
fn duration(text: &str) -> u64 {
    let mut seconds = 0.0;
    for part in text.split(':') {
        match part.trim().parse::<f64>() {
            Ok(value) if (0.0..1e6).contains(&value) => seconds = seconds * 60.0 + value,
            _ => return 0,
        }
    }
    if seconds < 4.0 * 86_400.0 { (seconds * 1000.0) as u64 } else { 0 }
}

/// RFC 2822, with what feeds make of it, or RFC 3339.
fn date(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    if let Ok(at) = parser.parse_timestamp(text) {
        return Some(at.as_millisecond());
    }
    // Full month names, and no seconds or zone that anybody agreed on.
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|word| word.parse::<u8>().is_ok())?;
    let day: i8 = words[at].parse().ok()?;
    let name = words.get(at + 1)?.get(..3)?.to_ascii_lowercase();
    let months =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month = months.iter().position(|each| *each == name)? as i8 + 1;
    let year: i16 = words.get(at + 2)?.parse().ok()?;
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|letter| !letter.is_control()).collect();
    cut(&line, TITLE)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">
<channel><title> The  Show </title><description>&lt;p&gt;About &amp;amp; on&lt;/p&gt;</description>
<itunes:author>Ann</itunes:author><link>https://example.org/</link>
<itunes:image href="https://example.org/a.jpg"/>
<item><title>Two</title><guid isPermaLink="false">g2</guid><pubDate>Tue, 02 Jan 2024 03:04:05 +0100</pubDate>
<enclosure url="https://example.org/2.mp3?x=1" type="audio/mpeg" length="1234"/>
<itunes:duration>1:02:03</itunes:duration><description><![CDATA[<b>Bold</b>]]></description></item>
<item><title>Video</title><enclosure url="https://example.org/v.mp4" type="video/mp4"/></item>
<item><title>No sound</title></item>
<item><title></title><enclosure url="https://example.org/1.m4a"/><pubDate>Mon, 1 January 2024</pubDate></item>
<item><title>Again</title><guid>g2</guid><enclosure url="https://example.org/3.mp3" type="audio/mpeg"/></item>
<item><title>File</title><guid>g9</guid><enclosure url="file:///etc/passwd" type="audio/mpeg"/></item>
</channel></rss>"#;

    #[test]
    fn rss_is_read() {
        let feed = read(RSS.as_bytes()).unwrap();
        assert_eq!((feed.title.as_str(), feed.author.as_str()), ("The Show", "Ann"));
        assert_eq!(feed.description, "About & on");
        assert_eq!(feed.image_url, "https://example.org/a.jpg");
        let [two, one] = &feed.episodes[..] else { panic!("{:?}", feed.episodes) };
        assert_eq!((two.guid.as_str(), two.title.as_str()), ("g2", "Two"));
        assert_eq!((two.size_bytes, two.duration_ms), (1234, 3_723_000));
        assert_eq!(two.published_at, Some(1_704_161_045_000));
        assert_eq!(two.description, "Bold");
        assert_eq!(one.guid, "https://example.org/1.m4a");
        assert_eq!(one.title, "Untitled episode");
        assert_eq!(one.published_at, Some(1_704_067_200_000));
    }

    #[test]
    fn atom_is_read() {
        let feed = read(
            br#"<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><author><name>B</name></author>
            <link href="https://example.org/page"/><logo>https://example.org/l.png</logo>
            <entry><id>urn:1</id><title type="html">T &lt;i&gt;x&lt;/i&gt;</title><updated>2024-01-02T00:00:00Z</updated>
            <link rel="enclosure" href="https://example.org/1.ogg" type="audio/ogg" length="9"/></entry></feed>"#,
        )
        .unwrap();
        assert_eq!((feed.title.as_str(), feed.author.as_str()), ("A", "B"));
        assert_eq!(feed.link, "https://example.org/page");
        assert_eq!(feed.episodes[0].title, "T x");
        assert_eq!(feed.episodes[0].published_at, Some(1_704_153_600_000));
    }

    #[test]
    fn bounds_change_nothing_that_was_read() {
        let read = read(RSS.as_bytes()).unwrap();
        assert_eq!(read.clone().held_to_bounds(), read);
        let mut forged = read;
        forged.episodes[0].audio_url = "file:///etc/passwd".to_owned();
        forged.title = "x".repeat(1000);
        let held = forged.held_to_bounds();
        assert_eq!((held.episodes.len(), held.title.len()), (1, TITLE));
    }

    #[test]
    fn durations_and_dates_of_all_kinds() {
        for (text, ms) in [
            ("90", 90_000),
            ("1:30", 90_000),
            ("01:00:00", 3_600_000),
            ("", 0),
            ("x", 0),
            ("-5", 0),
        ] {
            assert_eq!(duration(text), ms, "{text}");
        }
        for wrong in ["", "yesterday", "99 Foo 2024"] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
        assert!(date("Wed, 31 Dec 2025 23:59:59 GMT").is_some());
        // The wrong weekday is no reason to lose the date.
        assert!(date("Sun, 31 Dec 2025 23:59:59 GMT").is_some());
    }

    #[test]
    fn other_documents_are_refused() {
        for other in ["<html/>", "<rss/>", "{}", "<!DOCTYPE rss><rss/>"] {
            assert!(read(other.as_bytes()).is_err(), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_feed_is_read_or_refused(
            title in ".{0,40}",
            date in ".{0,40}",
            length in "[0-9:.eE+-]{0,20}",
            url in "(https?://[a-z./?&=#%]{0,30}|.{0,30})",
            rest in "[<>/a-z&;!\\[\\]\"' ]{0,60}",
        ) {
            let url = url.replace(['"', '<', '&'], "");
            let title = title.replace(['<', '&'], "");
            let feed = format!(
                "<rss><channel><title>{title}</title><item><pubDate>{date}</pubDate>\
                 <itunes:duration>{length}</itunes:duration><enclosure url=\"{url}\" type=\"audio/x\"/>{rest}</item></channel></rss>"
            );
            if let Ok(feed) = read(feed.as_bytes()) {
                for episode in feed.episodes {
                    proptest::prop_assert!(episode.audio_url.starts_with("http"));
                    proptest::prop_assert!(!episode.title.is_empty() && !episode.guid.is_empty());
                    proptest::prop_assert!(episode.duration_ms < 5 * 86_400_000);
                }
            }
        }
    }
}
