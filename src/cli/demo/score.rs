//! From a few chords to a piece: bass, broken chords and a tune that wanders over them, the same
//! at every run.

use super::{RATE, voice::Voice};

/// How long it rings after the last bar, in seconds.
const TAIL: f32 = 3.0;

/// A piece.
pub(super) struct Score {
    pub(super) beats_per_minute: f32,
    /// MIDI number of the root and the steps above it; one chord a bar of four beats, twice.
    pub(super) chords: &'static [(u8, &'static [u8])],
    /// How often the chords come round.
    pub(super) rounds: usize,
    pub(super) lead: Voice,
    pub(super) bed: Voice,
    pub(super) seed: u32,
}

/// One note: when and how long in beats, MIDI number, loudness, place between left and right.
struct Note {
    at: f32,
    beats: f32,
    key: u8,
    gain: f32,
    pan: f32,
    voice: Voice,
}

/// The samples of a piece, left and right.
pub(super) fn render(score: &Score) -> Vec<[f32; 2]> {
    let beat = 60.0 / score.beats_per_minute;
    let bars = score.chords.len() * 2 * score.rounds;
    let frames = ((bars as f32 * 4.0 * beat + TAIL) * RATE as f32) as usize;
    let mut mix = vec![[0.0; 2]; frames];
    for note in notes(score) {
        let sound = note.voice.sound(frequency(note.key), note.beats * beat);
        let start = (note.at * beat * RATE as f32) as usize;
        let (left, right) = (note.gain * (1.0 - note.pan), note.gain * (1.0 + note.pan));
        for (frame, sample) in mix.iter_mut().skip(start).zip(sound) {
            frame[0] += sample * left;
            frame[1] += sample * right;
        }
    }
    echo(&mut mix);
    level(&mut mix);
    mix
}

fn notes(score: &Score) -> Vec<Note> {
    let mut dice = Dice(score.seed);
    let mut notes = Vec::new();
    let bars = score.chords.iter().flat_map(|chord| [chord, chord]);
    let bars = std::iter::repeat_n(bars, score.rounds).flatten();
    for (bar, (root, steps)) in bars.enumerate() {
        let start = bar as f32 * 4.0;
        notes.push(Note {
            at: start,
            beats: 4.0,
            key: root - 12,
            gain: 0.34,
            pan: 0.0,
            voice: Voice::Pad,
        });
        for eighth in 0_u8..8 {
            let step = steps[[0, 2, 1, 3, 2, 1, 3, 2][usize::from(eighth)]];
            let (at, pan) = (start + f32::from(eighth) / 2.0, -0.35);
            notes.push(Note {
                at,
                beats: 1.5,
                key: root + step,
                gain: 0.16,
                pan,
                voice: score.bed,
            });
        }
        // The tune rests through the first two bars and now and then.
        let mut at = 0.0;
        while bar >= 2 && at < 4.0 {
            let beats = [0.5, 1.0, 1.0, 2.0][dice.below(4)];
            if dice.below(5) > 0 {
                let key = root + 12 + steps[dice.below(steps.len())];
                let (at, gain) = (start + at, 0.30);
                notes.push(Note { at, beats: beats * 1.4, key, gain, pan: 0.3, voice: score.lead });
            }
            at += beats;
        }
    }
    notes
}

fn frequency(key: u8) -> f32 {
    440.0 * 2.0_f32.powf((f32::from(key) - 69.0) / 12.0)
}

/// A room: what was heard comes back softer from the other side.
fn echo(mix: &mut [[f32; 2]]) {
    let delay = RATE as usize * 31 / 100;
    for at in delay..mix.len() {
        let [left, right] = mix[at - delay];
        mix[at][0] += right * 0.28;
        mix[at][1] += left * 0.28;
    }
}

/// Even loudness, and an end without a click.
fn level(mix: &mut [[f32; 2]]) {
    let peak = mix.iter().flatten().fold(f32::EPSILON, |peak, sample| peak.max(sample.abs()));
    let fade = (TAIL * RATE as f32) as usize;
    let frames = mix.len();
    for (at, frame) in mix.iter_mut().enumerate() {
        let end = ((frames - at) as f32 / fade as f32).min(1.0);
        frame[0] *= 0.85 / peak * end;
        frame[1] *= 0.85 / peak * end;
    }
}

/// Numbers that look like chance and are the same every time (xorshift).
struct Dice(u32);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % end
    }
}
