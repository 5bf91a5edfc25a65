//! Lyrics as LRC or as plain text: lines, with times where there are any.

use super::text;

/// Lyrics of one body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lyrics {
    /// Whether the lines have times.
    pub is_synced: bool,
    /// To be added to each time, in ms: positive shows lines earlier, as LRC has it.
    pub offset_ms: i64,
    /// `ti` of the file.
    pub title: Option<String>,
    /// `ar` of the file.
    pub artist: Option<String>,
    /// `la` of the file.
    pub lang: Option<String>,
    /// In order of their times.
    pub lines: Vec<Line>,
}

/// One line of lyrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it is sung, without the offset; `None` in plain text.
    pub start_ms: Option<u64>,
    /// What is sung.
    pub text: String,
}

impl Lyrics {
    /// All lines without their times.
    #[must_use]
    pub fn plain(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }
}

/// Reads the bytes of an `.lrc` or text file.
#[must_use]
pub fn parse_bytes(bytes: &[u8]) -> Lyrics {
    parse(&text::decode(bytes))
}

/// Reads lyrics: LRC with its times, repeated times, word times (dropped) and offset; anything
/// else is plain text. Never fails.
#[must_use]
pub fn parse(body: &str) -> Lyrics {
    let mut lyrics = Lyrics::default();
    let mut plain = Vec::new();
    let mut synced = Vec::new();
    for line in body.lines().take(text::MOST_LINES) {
        let line = line.trim_end();
        let (stamps, rest) = stamps(line);
        if !stamps.is_empty() {
            let words = without_word_stamps(rest);
            for start_ms in stamps {
                if synced.len() < text::MOST_LINES {
                    synced.push(Line { start_ms: Some(start_ms), text: words.clone() });
                }
            }
        } else if !lyrics.take_header(line) {
            plain.push(Line { start_ms: None, text: line.to_owned() });
        }
    }
    if synced.is_empty() {
        let is_empty = |line: &Line| line.text.is_empty();
        let start = plain.iter().take_while(|line| is_empty(line)).count();
        let end = plain.iter().rev().take_while(|line| is_empty(line)).count();
        lyrics.lines = plain.into_iter().skip(start).collect();
        lyrics.lines.truncate(lyrics.lines.len().saturating_sub(end));
    } else {
        synced.sort_by_key(|line| line.start_ms);
        lyrics.is_synced = true;
        lyrics.lines = synced;
    }
    lyrics
}

impl Lyrics {
    /// `[ti:...]` and its like; true if the line was one.
    fn take_header(&mut self, line: &str) -> bool {
        let header = line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        let Some((name, value)) = header.and_then(|header| header.split_once(':')) else {
            return false;
        };
        let value = value.trim();
        let text = || (!value.is_empty()).then(|| value.chars().take(300).collect());
        match name.trim().to_ascii_lowercase().as_str() {
            "ti" => self.title = text(),
            "ar" => self.artist = text(),
            "la" | "lang" => self.lang = text(),
            "offset" => {
                let offset = value.trim_start_matches('+').parse().unwrap_or(0);
                self.offset_ms = if (-600_000..=600_000).contains(&offset) { offset } else { 0 };
            }
            "al" | "au" | "by" | "re" | "ve" | "length" | "id" | "tool" | "lr" => (),
            _ => return false,
        }
        true
    }
}

/// The times that a line begins with, and what follows them.
fn stamps(line: &str) -> (Vec<u64>, &str) {
    let mut stamps = Vec::new();
    let mut rest = line.trim_start();
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|line| line.split_once(']')) {
        let Some(stamp) = stamp(inside) else { break };
        stamps.push(stamp);
        rest = after;
        if stamps.len() == 100 {
            break;
        }
    }
    (stamps, rest)
}

/// `mm:ss`, `mm:ss.xx`, `mm:ss.xxx`, `mm:ss:xx`, `hh:mm:ss.xx` in milliseconds.
fn stamp(text: &str) -> Option<u64> {
    let digits = |part: &str, most: usize| {
        let is_number = !part.is_empty()
            && part.len() <= most
            && part.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| part.parse::<u64>().ok()).flatten()
    };
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None if text.matches(':').count() == 2 => text.rsplit_once(':')?,
        None => (text, ""),
    };
    let fraction_ms = match fraction.len() {
        0 => 0,
        1 => digits(fraction, 1)? * 100,
        2 => digits(fraction, 2)? * 10,
        _ => digits(fraction.get(..3)?, 3)?,
    };
    let mut parts = whole.rsplitn(3, ':');
    let seconds = digits(parts.next()?, 2).filter(|seconds| *seconds < 60)?;
    let minutes = digits(parts.next()?, 3)?;
    let hours = parts.next().map_or(Some(0), |hours| digits(hours, 2))?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction_ms)
}

/// Enhanced LRC times every word by `<mm:ss.xx>`; those go.
fn without_word_stamps(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        words.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        match after.split_once('>') {
            Some((inside, tail)) if stamp(inside).is_some() => rest = tail,
            _ => {
                words.push('<');
                rest = after;
            }
        }
    }
    words.push_str(rest);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lrc_has_times_in_order() {
        let lyrics = parse(
            "[ti:Song]\n[ar: Someone ]\n[offset:+500]\n\n[00:02.50][00:10]Chorus\n[00:01:25]First\n[01:00:00.125]Late\n",
        );
        assert!(lyrics.is_synced);
        assert_eq!(lyrics.offset_ms, 500);
        assert_eq!(lyrics.title.as_deref(), Some("Song"));
        assert_eq!(lyrics.artist.as_deref(), Some("Someone"));
        let lines: Vec<_> =
            lyrics.lines.iter().map(|line| (line.start_ms.unwrap(), line.text.as_str())).collect();
        assert_eq!(
            lines,
            [(1250, "First"), (2500, "Chorus"), (10_000, "Chorus"), (3_600_125, "Late")]
        );
    }

    #[test]
    fn word_times_are_dropped() {
        let lyrics = parse("[00:12.00]<00:12.10> One <00:12.50>two <3 <b>\n");
        assert_eq!(lyrics.lines[0].text, "One two <3 <b>");
    }

    #[test]
    fn plain_text_stays_plain() {
        let lyrics = parse("\n[Chorus]\nLa la\n\nLa [x2]\n\n");
        assert!(!lyrics.is_synced);
        assert_eq!(lyrics.plain(), "[Chorus]\nLa la\n\nLa [x2]");
    }

    #[test]
    fn nonsense_is_text() {
        let hostile = format!("[99999999:99.99]x\n[00:00.00{}", "[".repeat(5000));
        assert!(!parse(&hostile).is_synced);
        assert_eq!(parse("").lines, []);
    }

    proptest! {
        #[test]
        fn no_text_panics(body in "\\PC*") {
            let _ = parse(&body);
        }

        #[test]
        fn nothing_like_lrc_panics(body in "[\\[\\]<>:.0-9a-zé\n ]{0,200}") {
            for line in parse(&body).lines {
                prop_assert!(!line.text.contains('\n'));
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_bytes(&bytes);
        }
    }
}
