//! Lyrics of every form that people keep: plain text, LRC with times of lines or of words, TTML
//! with voices and translations. All of them become the same lines and cues. Nothing here fails:
//! what is not understood is text.

mod cues;
mod lrc;
mod ttml;

use std::ops::Range;

use super::text;

/// One layer of a song's words: what is sung, its translation, or how it is pronounced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lyrics {
    /// Which layer.
    pub kind: Kind,
    /// Whether the lines have times.
    pub is_synced: bool,
    /// To be added to each time, in ms: positive shows lines earlier, as LRC has it.
    pub offset_ms: i64,
    /// The song, as the lyrics name it.
    pub title: Option<String>,
    /// Whose it is, as the lyrics name it.
    pub artist: Option<String>,
    /// Language.
    pub lang: Option<String>,
    /// In order of their times.
    pub lines: Vec<Line>,
    /// Who sings, where the lyrics tell: none or at least one, exactly one of them the main voice.
    pub agents: Vec<Agent>,
    /// Words and syllables with times, in the order of lines, the main voice first; only of synced
    /// lyrics. With agents each has one.
    pub cue_lines: Vec<CueLine>,
}

/// Which layer of a song's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What is sung.
    #[default]
    Main,
    /// In another language.
    Translation,
    /// In another script.
    Pronunciation,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it is sung, without the offset; `None` in plain text.
    pub start_ms: Option<u64>,
    /// What is sung.
    pub text: String,
}

/// Somebody who sings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Unique in these lyrics.
    pub id: String,
    /// His part.
    pub role: Role,
    /// '' if unknown.
    pub name: String,
}

/// A singer's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that counts most.
    Main,
    /// Another.
    Voice,
    /// Behind the others.
    Background,
    /// All together.
    Group,
}

/// A line, or one voice's part of it, word by word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CueLine {
    /// Which line, from 0.
    pub line: usize,
    /// When it begins.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: Option<u64>,
    /// Its text.
    pub text: String,
    /// Who sings it: a place in the list of agents.
    pub agent: Option<usize>,
    /// In order; they do not overlap, and all have an end or none.
    pub cues: Vec<Cue>,
}

/// A word or syllable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// When it begins.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: Option<u64>,
    /// Where it lies in the text of its line, in bytes; never empty.
    pub bytes: Range<usize>,
}

impl Lyrics {
    /// All lines without their times.
    #[must_use]
    pub fn plain(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }
}

/// Reads the bytes of a file of lyrics.
#[must_use]
pub fn parse_bytes(bytes: &[u8]) -> Lyrics {
    parse(&text::decode(bytes))
}

/// Reads what is sung, without other layers.
#[must_use]
pub fn parse(body: &str) -> Lyrics {
    layers(body).into_iter().next().unwrap_or_default()
}

/// Reads every layer, what is sung first. At least one, perhaps without lines.
#[must_use]
pub fn layers(body: &str) -> Vec<Lyrics> {
    if ttml::is_ttml(body)
        && let Some(layers) = ttml::parse(body)
    {
        return layers;
    }
    vec![lrc::parse(body)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rules of OpenSubsonic's songLyrics 2, which every reader relies on.
    fn check(lyrics: &Lyrics) {
        let starts = lyrics.lines.iter().map(|line| line.start_ms);
        assert!(starts.clone().is_sorted());
        assert!(starts.clone().all(|start| start.is_some() == lyrics.is_synced));
        assert!(lyrics.is_synced || lyrics.cue_lines.is_empty());
        let main = lyrics.agents.iter().filter(|agent| agent.role == Role::Main).count();
        assert_eq!(main, usize::from(!lyrics.agents.is_empty()));
        assert!(lyrics.agents.is_empty() || !lyrics.cue_lines.is_empty());
        for (at, agent) in lyrics.agents.iter().enumerate() {
            assert!(lyrics.agents[..at].iter().all(|other| other.id != agent.id));
        }
        assert!(lyrics.cue_lines.is_sorted_by_key(|cues| cues.line));
        for cue_line in &lyrics.cue_lines {
            assert!(cue_line.line < lyrics.lines.len());
            assert_eq!(cue_line.agent.is_some(), !lyrics.agents.is_empty());
            assert!(cue_line.agent.is_none_or(|agent| agent < lyrics.agents.len()));
            assert!(!cue_line.cues.is_empty());
            let has_end = cue_line.cues[0].end_ms.is_some();
            assert!(cue_line.cues.iter().all(|cue| cue.end_ms.is_some() == has_end));
            for cue in &cue_line.cues {
                assert!(!cue_line.text[cue.bytes.clone()].is_empty());
                assert!(cue.end_ms.is_none_or(|end| cue.start_ms <= end));
            }
            for two in cue_line.cues.windows(2) {
                assert!(two[0].end_ms.unwrap_or(two[0].start_ms) <= two[1].start_ms);
                assert!(two[0].bytes.end <= two[1].bytes.start);
            }
        }
        for two in lyrics.cue_lines.windows(2).filter(|two| two[0].line == two[1].line) {
            let is_main = |at: Option<usize>| at.map(|at| lyrics.agents[at].role == Role::Main);
            assert!(is_main(two[1].agent) != Some(true), "the main voice comes first");
        }
    }

    const PIECES: &str = "[\\[\\]<>:.0-9a-zé&;/=\" \n]{0,200}";

    proptest! {
        #[test]
        fn no_text_panics(body in "\\PC*") {
            layers(&body).iter().for_each(check);
        }

        #[test]
        fn nothing_like_lrc_panics(body in PIECES) {
            for lyrics in layers(&body) {
                check(&lyrics);
                prop_assert!(lyrics.lines.iter().all(|line| !line.text.contains('\n')));
            }
        }

        #[test]
        fn word_times_keep_the_rules(
            words in proptest::collection::vec((0..100_u64, 0..60_u64, "[a-zé ]{0,6}"), 0..12),
            lines in 1..4_usize,
        ) {
            let words: String = words
                .iter()
                .map(|(seconds, hundredths, word)| format!("<00:{:02}.{hundredths:02}>{word}", seconds % 60))
                .collect();
            let body: String = (0..lines).map(|at| format!("[00:{at:02}.00]{words}\n")).collect();
            layers(&body).iter().for_each(check);
        }

        #[test]
        fn nothing_like_ttml_panics(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("<p begin=\"1s\" end=\"9s\" ttm:agent=\"v1\">"), Just("</p>"), Just("<p>"),
                    Just("<span begin=\"2s\" end=\"3s\">"), Just("<span begin=\"00:04.5\">"),
                    Just("<span ttm:role=\"x-bg\">"), Just("<span ttm:role=\"x-translation\" xml:lang=\"en\">"),
                    Just("</span>"), Just("<br/>"), Just("word "), Just(" é "), Just("&amp;"), Just("&x;"),
                    Just("<ttm:agent type=\"person\" xml:id=\"v1\"/>"), Just("</div>"), Just("<!--"), Just("]]>"),
                ],
                0..40,
            )
        ) {
            let body = format!("<tt xmlns=\"http://www.w3.org/ns/ttml\"><body><div>{}</div></body></tt>", parts.concat());
            layers(&body).iter().for_each(check);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            check(&parse_bytes(&bytes));
        }
    }
}
