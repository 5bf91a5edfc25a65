//! The features as one short vector of small whole numbers, on fixed scales, so that vectors of
//! different days can be compared. Distances count groups of them by [`weights`].

use super::{
    harmony::Key,
    rhythm::{Beat, TEMPI},
    spectrum::{COEFFICIENTS, OCTAVES},
    statistics::Spread,
};

/// Values of a vector.
pub const DIMENSIONS: usize = 48;
/// Means and spreads of the cepstrum that are kept (without the first, which is loudness).
const MEANS: usize = 12;
const SPREADS: usize = 9;
/// Spreads of its changes.
pub(super) const DELTAS: usize = 6;
/// One standard deviation of music at large, in steps.
const STEP: f32 = 24.0;

/// All that was found.
pub(super) struct Findings<'a> {
    pub(super) cepstrum: &'a [Spread; COEFFICIENTS],
    pub(super) deltas: &'a [Spread; DELTAS],
    pub(super) crest: &'a [Spread; OCTAVES],
    pub(super) flatness: &'a Spread,
    pub(super) centroid: &'a Spread,
    /// Loud and soft parts against the middle, dB.
    pub(super) dynamics: [f32; 2],
    pub(super) beat: &'a Beat,
    pub(super) key: &'a Key,
}

/// The vector.
pub(super) fn features(findings: &Findings<'_>) -> Vec<i8> {
    raw(findings)
        .iter()
        .zip(&SCALES)
        .map(|(value, (mean, deviation))| {
            ((value - mean) / deviation * STEP).round().clamp(-127.0, 127.0) as i8
        })
        .collect()
}

fn raw(findings: &Findings<'_>) -> Vec<f32> {
    let mut values = Vec::with_capacity(DIMENSIONS);
    values.extend(findings.cepstrum[1..=MEANS].iter().map(Spread::mean));
    values.extend(findings.cepstrum[1..=SPREADS].iter().map(Spread::deviation));
    values.extend(findings.deltas.iter().map(Spread::deviation));
    values.extend(findings.crest.iter().map(Spread::mean));
    values.extend([findings.flatness.mean(), findings.flatness.deviation()]);
    values.extend([findings.centroid.mean(), findings.centroid.deviation()]);
    values.extend(findings.dynamics);
    values.extend([findings.beat.strength, findings.beat.unevenness]);
    values.extend(findings.beat.tempi);
    values.extend([findings.key.majorness, findings.key.evenness]);
    values
}

/// How much each value counts in a distance.
#[must_use]
pub fn weights() -> [f32; DIMENSIONS] {
    let mut weights = [1.0; DIMENSIONS];
    let mut at = 0;
    for &(count, weight) in GROUPS {
        weights[at..at + count].fill(weight);
        at += count;
    }
    weights
}

/// How many values in a row, and their weight each.
const GROUPS: &[(usize, f32)] = &[
    (MEANS, 1.0),
    (SPREADS, 1.0),
    (DELTAS, 1.0),
    (OCTAVES, 1.0),
    // Flatness, centroid.
    (4, 1.0),
    // Dynamics: what mastering changes most.
    (2, 0.7),
    // Onsets.
    (2, 1.0),
    // A slower or faster piece may be of the same kind.
    (TEMPI, 0.75),
    // Harmony.
    (2, 1.0),
];

/// Mean and standard deviation of each value in music at large (57 pieces, orchestral to
/// electronic). They only have to be about right: a library's own are put over them.
const SCALES: [(f32, f32); DIMENSIONS] = [
    // Means of the cepstrum.
    (12.3, 3.76),
    (-0.392, 2.89),
    (1.59, 1.35),
    (-0.121, 1.28),
    (0.12, 0.764),
    (0.0469, 0.67),
    (-0.124, 0.642),
    (-0.0641, 0.534),
    (-0.0771, 0.468),
    (0.00627, 0.535),
    (0.235, 0.438),
    (0.121, 0.436),
    // Spreads of the cepstrum.
    (3.96, 1.29),
    (2.71, 0.811),
    (1.89, 0.527),
    (1.64, 0.423),
    (1.45, 0.344),
    (1.35, 0.339),
    (1.32, 0.348),
    (1.26, 0.331),
    (1.24, 0.349),
    // Spreads of its changes.
    (3.53, 2.32),
    (2.07, 1.05),
    (1.53, 0.604),
    (1.25, 0.383),
    (1.14, 0.283),
    (1.09, 0.23),
    // Tone over noise, by octave.
    (1.37, 0.111),
    (1.87, 0.139),
    (2.36, 0.207),
    (2.69, 0.236),
    (2.93, 0.334),
    // Flatness, centroid, dynamics: mean and spread, or up and down.
    (-2.83, 0.978),
    (0.952, 0.29),
    (4.79, 1.62),
    (2.39, 0.862),
    (7.08, 2.41),
    (11.0, 7.23),
    // Onsets: strength, unevenness.
    (0.263, 0.0765),
    (0.91, 0.436),
    // Beat in each range of tempi.
    (0.422, 0.198),
    (0.396, 0.198),
    (0.371, 0.19),
    (0.343, 0.198),
    (0.274, 0.225),
    (0.355, 0.201),
    // Major over minor, evenness of notes.
    (-0.0158, 0.152),
    (0.935, 0.0446),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_weight_and_a_scale() {
        assert_eq!(GROUPS.iter().map(|(count, _)| count).sum::<usize>(), DIMENSIONS);
        assert!(weights().iter().all(|weight| 0.0 < *weight));
        assert!(SCALES.iter().all(|(_, deviation)| 0.0 < *deviation));
        let nothing = Findings {
            cepstrum: &Default::default(),
            deltas: &Default::default(),
            crest: &Default::default(),
            flatness: &Spread::default(),
            centroid: &Spread::default(),
            dynamics: [f32::INFINITY, f32::NEG_INFINITY],
            beat: &Beat::default(),
            key: &Key::default(),
        };
        assert_eq!(raw(&nothing).len(), DIMENSIONS);
        assert_eq!(features(&nothing).len(), DIMENSIONS);
    }
}
