//! Loudness correction as a number: from what is known of a track to what a transcode is turned
//! up or down by, so that nothing clips.

use super::Gain;
use crate::catalog::ReplayGain;

/// Tags beyond it are nonsense, dB.
const MOST_DB: f64 = 51.0;

/// By how much a transcode is turned up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Level {
    /// Thousandths of a dB.
    pub(super) milli_db: i32,
    /// Peaks are held down: it is turned up and nobody knows how high it goes.
    pub(super) is_limited: bool,
}

/// The level for this mode; `None` where nothing is to be done or nothing is known.
pub(super) fn level(mode: Gain, known: &ReplayGain) -> Option<Level> {
    let track = known.track_gain.map(|gain| (gain, known.track_peak));
    let album = known.album_gain.map(|gain| (gain, known.album_peak.or(known.track_peak)));
    let (gain, peak) = match mode {
        Gain::Off => None,
        Gain::Track => track.or(album),
        Gain::Album | Gain::Auto => album.or(track),
    }?;
    if !gain.is_finite() || MOST_DB < gain.abs() {
        return None;
    }
    let room = peak.filter(|peak| peak.is_finite() && 0.0 < *peak).map(|peak| -20.0 * peak.log10());
    // Up only as far as the peak has room; what is to be turned down is, and no further.
    let turned = room.map_or(gain, |room| gain.min(room.max(gain.min(0.0))));
    let milli_db = (turned * 1000.0).floor() as i32;
    let level = Level { milli_db, is_limited: room.is_none() && 0.0 < gain };
    (milli_db != 0).then_some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_turned_by_how_much() {
        let of = |track_gain, track_peak, album_gain, album_peak| ReplayGain {
            track_gain,
            album_gain,
            track_peak,
            album_peak,
        };
        let both = of(Some(-6.5), Some(0.98), Some(-4.0), Some(1.0));
        let quiet = of(Some(8.0), Some(0.5), None, None);
        let unmeasured = of(Some(3.0), None, None, None);
        for (mode, known, expected) in [
            (Gain::Off, both, None),
            (Gain::Track, both, Some((-6500, false))),
            (Gain::Album, both, Some((-4000, false))),
            (Gain::Auto, both, Some((-4000, false))),
            // As loud as it goes without clipping: 6.02 dB up from a peak of one half.
            (Gain::Track, quiet, Some((6020, false))),
            (Gain::Album, quiet, Some((6020, false))),
            // Nobody knows its peak: turned up as asked, behind a limiter.
            (Gain::Auto, unmeasured, Some((3000, true))),
            (Gain::Track, of(Some(-3.0), None, None, None), Some((-3000, false))),
            // A peak above full scale is no reason to turn it down beyond what is asked.
            (Gain::Track, of(Some(-1.0), Some(1.3), None, None), Some((-1000, false))),
            (Gain::Track, of(Some(2.0), Some(1.0), None, None), None),
            (Gain::Track, of(None, Some(1.0), None, None), None),
            (Gain::Track, of(None, None, Some(-2.0), None), Some((-2000, false))),
            (Gain::Track, of(Some(f64::NAN), None, None, None), None),
            (Gain::Track, of(Some(99.0), None, None, None), None),
        ] {
            let found = level(mode, &known).map(|level| (level.milli_db, level.is_limited));
            assert_eq!(found, expected, "{mode:?} {known:?}");
        }
    }
}
