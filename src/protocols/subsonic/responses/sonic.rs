//! `sonicMatch`: a song, and how much it sounds like another.

use serde::Serialize;

use super::Song;
use crate::{catalog::SonicMatch, playback::Unasked};

/// One of a list.
#[derive(Serialize)]
pub(in super::super) struct Sonic<'a> {
    /// From 1.0, the same, to 0.0; -1 where nobody has listened to it.
    similarity: f64,
    entry: Song<'a>,
}

impl<'a> Sonic<'a> {
    /// As found.
    pub(in super::super) fn of(found: &'a SonicMatch, unasked: &'a Unasked) -> Self {
        // Three digits are more than anybody hears.
        let digits = |likeness: f32| (f64::from(likeness) * 1000.0).round() / 1000.0;
        Self {
            similarity: found.similarity.map_or(-1.0, digits),
            entry: Song::of(&found.track, unasked),
        }
    }
}
