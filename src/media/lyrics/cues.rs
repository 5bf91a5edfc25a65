//! A line as it is put together from pieces with and without times, so that its cues keep the
//! rules: in order, not overlapping, all with an end or none.

use super::Cue;

/// Pieces of one line.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces {
    text: String,
    has_gap: bool,
    cues: Vec<Cue>,
}

impl Pieces {
    /// Appends a piece; runs of white space become one blank. A piece of nothing else has no cue.
    pub(super) fn push(&mut self, piece: &str, time: Option<(u64, Option<u64>)>) {
        let mut words = piece.split_whitespace().peekable();
        if words.peek().is_none() {
            self.has_gap |= !piece.is_empty();
            return;
        }
        self.has_gap |= piece.starts_with(char::is_whitespace);
        let mut start = None;
        for word in words {
            if self.has_gap && !self.text.is_empty() {
                self.text.push(' ');
            }
            start.get_or_insert(self.text.len());
            self.text.push_str(word);
            self.has_gap = true;
        }
        self.has_gap = piece.ends_with(char::is_whitespace);
        if let (Some(start), Some((start_ms, end_ms))) = (start, time) {
            self.cues.push(Cue { start_ms, end_ms, bytes: start..self.text.len() });
        }
    }

    /// What it says.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// When its first cue begins.
    pub(super) fn first_ms(&self) -> Option<u64> {
        self.cues.iter().map(|cue| cue.start_ms).min()
    }

    /// When its last cue ends.
    pub(super) fn last_ms(&self) -> Option<u64> {
        self.cues.last().and_then(|cue| cue.end_ms)
    }

    /// Moves all cues.
    pub(super) fn shift(&mut self, by_ms: u64) {
        for cue in &mut self.cues {
            cue.start_ms = cue.start_ms.saturating_add(by_ms);
            cue.end_ms = cue.end_ms.map(|end| end.saturating_add(by_ms));
        }
    }

    /// The text and its cues. `end_ms` is when the line ends, if that is known. Cues that go back
    /// in time are no cues.
    pub(super) fn finish(self, end_ms: Option<u64>) -> (String, Vec<Cue>) {
        let mut cues = self.cues;
        if !cues.is_sorted_by_key(|cue| cue.start_ms) {
            return (self.text, Vec::new());
        }
        let mut next = end_ms;
        for cue in cues.iter_mut().rev() {
            let end = match (cue.end_ms, next) {
                (Some(end), Some(next)) => Some(end.min(next)),
                (end, next) => end.or(next),
            };
            cue.end_ms = end.map(|end| end.max(cue.start_ms));
            next = Some(cue.start_ms);
        }
        if cues.iter().any(|cue| cue.end_ms.is_none()) {
            cues.iter_mut().for_each(|cue| cue.end_ms = None);
        }
        (self.text, cues)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(
        pieces: &[(&str, Option<(u64, Option<u64>)>)],
        end: Option<u64>,
    ) -> (String, Vec<Cue>) {
        let mut all = Pieces::default();
        pieces.iter().for_each(|(piece, time)| all.push(piece, *time));
        all.finish(end)
    }

    #[test]
    fn bytes_are_those_of_the_text() {
        let (text, cues) = finish(
            &[
                ("Oh", Some((0, Some(300)))),
                (" love ", None),
                ("l\u{f6}ve", Some((900, Some(1300)))),
                (" me", Some((1300, None))),
            ],
            Some(2000),
        );
        assert_eq!(text, "Oh love l\u{f6}ve me");
        let seen: Vec<_> =
            cues.iter().map(|cue| (cue.start_ms, cue.end_ms, &text[cue.bytes.clone()])).collect();
        assert_eq!(
            seen,
            [(0, Some(300), "Oh"), (900, Some(1300), "l\u{f6}ve"), (1300, Some(2000), "me")]
        );
        assert_eq!(cues[1].bytes, 8..13);
    }

    #[test]
    fn ends_are_cut_or_dropped() {
        let (_, cues) = finish(&[("a", Some((0, Some(500)))), ("b", Some((200, Some(900))))], None);
        assert_eq!((cues[0].end_ms, cues[1].end_ms), (Some(200), Some(900)));
        let (_, cues) = finish(&[("a", Some((0, Some(500)))), ("b", Some((200, None)))], None);
        assert_eq!((cues[0].end_ms, cues[1].end_ms), (None, None));
        let (text, cues) = finish(&[("a", Some((500, None))), ("b", Some((200, None)))], None);
        assert_eq!((text.as_str(), cues.len()), ("ab", 0));
        let (text, cues) = finish(&[("  ", Some((0, None))), ("x ", None), (" ", None)], None);
        assert_eq!((text.as_str(), cues.len()), ("x", 0));
    }
}
