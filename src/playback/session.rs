//! One playback as its player tells it: begun, playing, paused, stopped. Between two reports the
//! position is reckoned from the rate. Pure: times come in, nothing goes out.

use crate::{
    catalog::ListenSource,
    clock::Millis,
    ids::{EpisodeId, TrackId},
};

/// After the planned end a player is waited for this long (OpenSubsonic `playbackReport`).
const WAITED_FOR: Millis = 30 * 60 * 1000;
/// A listen counts after half of the track or this much of it, as scrobblers agree.
const HEARD_AT_MOST: u64 = 4 * 60 * 1000;
/// No player is slower or faster.
const RATES: std::ops::RangeInclusive<f64> = 0.01..=100.0;

/// What a player does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayState {
    /// It loads the track; its clock stands still.
    Starting,
    /// It sounds.
    Playing,
    /// It waits.
    Paused,
    /// It is over.
    Stopped,
}

impl PlayState {
    /// As the protocol and the panel write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Playing => "playing",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    /// Reads [`PlayState::as_str`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Starting, Self::Playing, Self::Paused, Self::Stopped]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// Whether a playback leaves a listen in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// It does, once enough was heard.
    Listens,
    /// It is shown and nothing else.
    Nothing,
}

/// What can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Media {
    /// Of the catalogue.
    Track(TrackId),
    /// Of a podcast.
    Episode(EpisodeId),
}

/// What a player says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What it plays.
    pub media: Media,
    /// What it does.
    pub state: PlayState,
    /// Where it is in the track, ms.
    pub position_ms: u64,
    /// Speed; 1.0 is as recorded.
    pub rate: f64,
    /// Whether it counts.
    pub counting: Counting,
    /// By which way we know.
    pub source: ListenSource,
}

/// A playback under way.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) media: Media,
    pub(super) state: PlayState,
    pub(super) rate: f64,
    pub(super) source: ListenSource,
    duration_ms: u64,
    /// Position and time of the last report.
    position_ms: u64,
    at: Millis,
    /// When it was begun, and when it first sounded.
    begun_at: Millis,
    sounded_at: Option<Millis>,
    /// How much of the track sounded, as far as reports confirm it.
    heard_ms: u64,
    counting: Counting,
}

impl Session {
    /// Begins one at `now`.
    pub(super) fn begin(report: &Report, duration_ms: u64, now: Millis) -> Self {
        let mut session = Self {
            media: report.media,
            state: PlayState::Starting,
            rate: 1.0,
            source: report.source,
            duration_ms,
            position_ms: 0,
            at: now,
            begun_at: now,
            sounded_at: None,
            heard_ms: 0,
            counting: report.counting,
        };
        session.hear(report, now);
        session
    }

    /// Whether this report is about it, and not the beginning of another.
    pub(super) fn goes_on_with(&self, report: &Report, now: Millis) -> bool {
        let is_restart = report.state == PlayState::Starting;
        self.media == report.media && !is_restart && now < self.expires_at()
    }

    /// Takes a report in.
    pub(super) fn hear(&mut self, report: &Report, now: Millis) {
        let now = now.max(self.at);
        self.heard_ms = self.heard_ms.saturating_add(self.moved(now));
        self.state = report.state;
        self.rate = if report.rate.is_finite() {
            report.rate.clamp(*RATES.start(), *RATES.end())
        } else {
            1.0
        };
        self.position_ms = report.position_ms.min(self.longest());
        self.at = now;
        if report.state == PlayState::Playing {
            self.sounded_at.get_or_insert(now);
        }
        // One word that it is for show holds for the whole of it.
        if report.counting == Counting::Nothing {
            self.counting = Counting::Nothing;
        }
    }

    /// How far it has moved since the last report, ms of the track.
    fn moved(&self, now: Millis) -> u64 {
        if self.state != PlayState::Playing {
            return 0;
        }
        let elapsed = now.saturating_sub(self.at).max(0) as f64 * self.rate;
        (elapsed as u64).min(self.longest().saturating_sub(self.position_ms))
    }

    /// A track of unknown length may go on for a day.
    fn longest(&self) -> u64 {
        if self.duration_ms == 0 { 24 * 3600 * 1000 } else { self.duration_ms }
    }

    /// Where it is now, ms; never beyond the end.
    pub(super) fn position(&self, now: Millis) -> u64 {
        self.position_ms + self.moved(now)
    }

    /// When it began: when it first sounded, or was begun.
    pub(super) fn started_at(&self) -> Millis {
        self.sounded_at.unwrap_or(self.begun_at)
    }

    /// When the player last said something.
    pub(super) fn reported_at(&self) -> Millis {
        self.at
    }

    /// When it would end, were it to play on from the last report.
    pub(super) fn planned_end(&self) -> Millis {
        let left = self.longest().saturating_sub(self.position_ms) as f64 / self.rate;
        self.at.saturating_add(left as Millis)
    }

    /// When its player is waited for no longer.
    pub(super) fn expires_at(&self) -> Millis {
        self.planned_end().saturating_add(WAITED_FOR)
    }

    /// When it began and ended and how much of it sounded, if that is a listen. What was not
    /// reported is not counted: a player that vanished may have played on, or not.
    pub(super) fn listen(&self) -> Option<(Millis, Millis, u64)> {
        let enough = match self.duration_ms {
            0 => HEARD_AT_MOST,
            length => (length / 2).min(HEARD_AT_MOST),
        };
        let counts = self.counting == Counting::Listens && 0 < self.heard_ms;
        (counts && enough <= self.heard_ms).then_some((self.started_at(), self.at, self.heard_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: u64 = 200_000;

    fn report(state: PlayState, position_ms: u64) -> Report {
        Report {
            media: Media::Track(TrackId(1)),
            state,
            position_ms,
            rate: 1.0,
            counting: Counting::Listens,
            source: ListenSource::Report,
        }
    }

    fn begun() -> Session {
        Session::begin(&report(PlayState::Starting, 0), LENGTH, 1_000)
    }

    #[test]
    fn the_clock_runs_only_while_it_plays() {
        let mut session = begun();
        assert_eq!(session.position(60_000), 0, "buffering takes as long as it takes");
        session.hear(&report(PlayState::Playing, 0), 10_000);
        assert_eq!(session.position(15_000), 5_000);
        session.hear(&report(PlayState::Paused, 5_000), 15_000);
        assert_eq!(session.position(99_000), 5_000);
        session.hear(&Report { rate: 2.0, ..report(PlayState::Playing, 5_000) }, 100_000);
        assert_eq!(session.position(110_000), 25_000);
        assert_eq!(session.position(10_000_000), LENGTH, "never beyond the end");
        assert_eq!(session.started_at(), 10_000);
    }

    #[test]
    fn half_of_it_is_a_listen_and_seeking_is_not_hearing() {
        let mut session = begun();
        session.hear(&report(PlayState::Playing, 0), 10_000);
        session.hear(&report(PlayState::Playing, 190_000), 20_000);
        session.hear(&report(PlayState::Stopped, LENGTH), 30_000);
        assert_eq!(session.listen(), None, "twenty seconds of two hundred");
        let mut session = begun();
        session.hear(&report(PlayState::Playing, 0), 10_000);
        session.hear(&report(PlayState::Stopped, 100_000), 110_000);
        assert_eq!(session.listen(), Some((10_000, 110_000, 100_000)));
    }

    #[test]
    fn a_late_stop_hears_no_more_than_there_was() {
        let mut session = begun();
        session.hear(&report(PlayState::Playing, 50_000), 10_000);
        session.hear(&report(PlayState::Stopped, LENGTH), 10_000 + 900_000);
        assert_eq!(session.listen().map(|(_, _, heard)| heard), Some(150_000));
    }

    #[test]
    fn who_vanishes_is_waited_for_half_an_hour_and_counts_what_was_told() {
        let mut session = begun();
        session.hear(&report(PlayState::Playing, 0), 0);
        let end = 1_000 + LENGTH as Millis;
        assert_eq!(session.planned_end(), end, "clocks that go back stand still");
        assert_eq!(session.expires_at(), end + WAITED_FOR);
        assert!(session.goes_on_with(&report(PlayState::Playing, 0), end + WAITED_FOR - 1));
        assert!(!session.goes_on_with(&report(PlayState::Playing, 0), end + WAITED_FOR));
        assert_eq!(session.listen(), None);
        session.hear(&report(PlayState::Playing, 120_000), 121_000);
        assert!(session.listen().is_some());
    }

    #[test]
    fn what_is_for_show_counts_nothing() {
        for at in 0..3 {
            let mut session = begun();
            for (step, state) in
                [PlayState::Playing, PlayState::Paused, PlayState::Stopped].into_iter().enumerate()
            {
                let counting = if step == at { Counting::Nothing } else { Counting::Listens };
                let time = 10_000 + step as Millis * 180_000;
                session.hear(&Report { counting, ..report(state, 0) }, time);
            }
            assert_eq!(session.listen(), None, "{at}");
        }
    }

    #[test]
    fn another_track_or_a_new_start_is_another_playback() {
        let session = begun();
        assert!(session.goes_on_with(&report(PlayState::Paused, 7), 2_000));
        assert!(!session.goes_on_with(&report(PlayState::Starting, 0), 2_000));
        let other = Report { media: Media::Track(TrackId(2)), ..report(PlayState::Playing, 0) };
        assert!(!session.goes_on_with(&other, 2_000));
    }

    #[test]
    fn strange_rates_do_no_harm() {
        for rate in [f64::NAN, f64::INFINITY, -3.0, 0.0, 1e300] {
            let mut session = begun();
            session.hear(&Report { rate, ..report(PlayState::Playing, u64::MAX) }, 5_000);
            assert_eq!(session.position(i64::MAX), LENGTH);
            assert!(5_000 <= session.expires_at());
        }
    }
}
