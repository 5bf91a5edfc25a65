//! Putting a person's belongings together: the tracks that are spoken of get positions, each once.

use std::collections::HashMap;

use super::model::{Belongings, Mark, Track};

/// A row of a table, whatever it was read from: every value as text.
#[derive(Debug, Clone)]
pub(super) struct Row(pub(super) Vec<Option<String>>);

impl Row {
    /// The text at a column, '' for nothing.
    pub(super) fn text(&self, column: usize) -> &str {
        self.0.get(column).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Whether there is something.
    pub(super) fn has(&self, column: usize) -> bool {
        !self.text(column).is_empty()
    }

    /// A whole number, 0 for nothing.
    pub(super) fn number(&self, column: usize) -> i64 {
        let text = self.text(column);
        text.parse().unwrap_or_else(|_| self.real(column) as i64)
    }

    /// A number, 0 for nothing.
    pub(super) fn real(&self, column: usize) -> f64 {
        self.text(column).parse().unwrap_or(0.0)
    }

    /// A yes: `1`, `true`, `t`, or the bit of MySQL.
    pub(super) fn is_true(&self, column: usize) -> bool {
        let text = self.text(column);
        matches!(text, "1" | "t" | "\u{1}") || text.eq_ignore_ascii_case("true")
    }
}

/// A rating of 1 to 5.
pub(super) fn rating(stars: f64) -> Option<u8> {
    let whole = stars.round();
    (0.0 < stars).then_some(whole.clamp(1.0, 5.0) as u8)
}

/// One person's belongings under construction.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    belongings: Belongings,
    positions: HashMap<String, usize>,
    marks: HashMap<usize, usize>,
}

impl Gathered {
    pub(super) fn new(program: &str, origin: String) -> Self {
        let program = program.to_owned();
        Self {
            belongings: Belongings { origin, program, ..Belongings::default() },
            ..Self::default()
        }
    }

    /// The position of a track that the source knows by `id`.
    pub(super) fn track(&mut self, id: &str, all: &HashMap<String, Track>) -> Option<usize> {
        if let Some(position) = self.positions.get(id) {
            return Some(*position);
        }
        let position = self.belongings.tracks.len();
        self.belongings.tracks.push(all.get(id)?.clone());
        self.positions.insert(id.to_owned(), position);
        Some(position)
    }

    /// Positions of those that are known, in order.
    pub(super) fn tracks<'a>(
        &mut self,
        ids: impl IntoIterator<Item = &'a str>,
        all: &HashMap<String, Track>,
    ) -> Vec<usize> {
        ids.into_iter().filter_map(|id| self.track(id, all)).collect()
    }

    /// Adds to what is known of a track.
    pub(super) fn mark(&mut self, mark: Mark) {
        if mark.starred_at.is_none() && mark.rating.is_none() && mark.play_count == 0 {
            return;
        }
        let marks = &mut self.belongings.marks;
        let at = *self.marks.entry(mark.track).or_insert_with(|| {
            marks.push(Mark { track: mark.track, ..Mark::default() });
            marks.len() - 1
        });
        let known = &mut marks[at];
        known.starred_at = known.starred_at.or(mark.starred_at);
        known.rating = known.rating.or(mark.rating);
        known.play_count = known.play_count.max(mark.play_count);
        known.played_at = known.played_at.max(mark.played_at);
    }

    /// The rest, as it is.
    pub(super) fn rest(&mut self) -> &mut Belongings {
        &mut self.belongings
    }

    pub(super) fn done(self) -> Belongings {
        self.belongings
    }
}
