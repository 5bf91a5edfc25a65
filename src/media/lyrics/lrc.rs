//! LRC: lines with times, words with times (`<mm:ss.xx>`), headers, or plain text when there is no
//! time at all.

use super::{CueLine, Line, Lyrics, cues::Pieces, text};

/// Reads lyrics: LRC with its times, repeated times, word times and offset; anything else is plain
/// text. Never fails.
pub(super) fn parse(body: &str) -> Lyrics {
    let mut lyrics = Lyrics::default();
    let mut plain = Vec::new();
    let mut synced = Vec::new();
    for line in body.lines().take(text::MOST_LINES) {
        let line = line.trim_end();
        let (stamps, rest) = stamps(line);
        if !stamps.is_empty() {
            // Words have times of their own, so a line that is sung again has them once.
            let is_once = stamps.len() == 1;
            for start_ms in stamps {
                if synced.len() < text::MOST_LINES {
                    synced.push((start_ms, pieces(rest, is_once)));
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
        synced.sort_by_key(|(start_ms, _)| *start_ms);
        lyrics.is_synced = true;
        let starts: Vec<u64> = synced.iter().map(|(start_ms, _)| *start_ms).collect();
        for (line, (start_ms, pieces)) in synced.into_iter().enumerate() {
            let (first, last) = (pieces.first_ms(), pieces.last_ms());
            let next = starts[line..].iter().copied().find(|next| start_ms < *next);
            let end_ms = last.or(next);
            let (text, cues) = pieces.finish(end_ms);
            if !cues.is_empty() {
                let end_ms = cues.last().and_then(|cue| cue.end_ms).or(end_ms);
                let start_ms = first.unwrap_or(start_ms);
                let text = text.clone();
                lyrics.cue_lines.push(CueLine { line, start_ms, end_ms, text, agent: None, cues });
            }
            lyrics.lines.push(Line { start_ms: Some(start_ms), text });
        }
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

/// The text of a line; enhanced LRC times every word by `<mm:ss.xx>`, and with one more stamp its
/// end.
fn pieces(text: &str, has_cues: bool) -> Pieces {
    let mut pieces = Pieces::default();
    let mut parts: Vec<(Option<u64>, String)> = vec![(None, String::new())];
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (_, last) = parts.last_mut().expect("there always is one");
        last.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        match after.split_once('>').map(|(inside, tail)| (stamp(inside), tail)) {
            Some((Some(start_ms), tail)) => {
                parts.push((Some(start_ms), String::new()));
                rest = tail;
            }
            _ => {
                last.push('<');
                rest = after;
            }
        }
    }
    parts.last_mut().expect("there always is one").1.push_str(rest);
    for (at, (start, piece)) in parts.iter().enumerate() {
        let end = parts.get(at + 1).and_then(|(next, _)| *next);
        let end = end.filter(|end| start.is_some_and(|start| start <= *end));
        pieces.push(piece, start.filter(|_| has_cues).map(|start| (start, end)));
    }
    pieces
}

#[cfg(test)]
mod tests {
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
    fn words_have_times() {
        let lyrics = parse("[00:12.00]<00:12.10> One <00:12.50>two <3 <b>\n[00:14.00]Next\n");
        assert_eq!(lyrics.lines[0].text, "One two <3 <b>");
        let line = &lyrics.cue_lines[0];
        assert_eq!((line.line, line.start_ms, line.end_ms), (0, 12_100, Some(14_000)));
        let cues: Vec<_> = line
            .cues
            .iter()
            .map(|cue| (cue.start_ms, cue.end_ms, &line.text[cue.bytes.clone()]))
            .collect();
        assert_eq!(cues, [(12_100, Some(12_500), "One"), (12_500, Some(14_000), "two <3 <b>")]);
        assert_eq!(lyrics.cue_lines.len(), 1);
        let last = parse("[00:01.00]<00:01.00>a<00:01.50>b<00:02.25>");
        assert_eq!(last.lines[0].text, "ab");
        assert_eq!(last.cue_lines[0].cues[1].end_ms, Some(2250));
        let without_end = parse("[00:01.00]<00:01.00>a <00:01.50>b");
        assert!(without_end.cue_lines[0].cues.iter().all(|cue| cue.end_ms.is_none()));
        assert!(parse("[00:01.00][00:09.00]<00:01.00>a <00:01.50>b").cue_lines.is_empty());
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
}
