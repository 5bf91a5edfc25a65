//! A writer of Monkey's Audio, for no system ships one: version 3.99, compression "fast", two
//! channels with the same sound ("pseudo stereo"), 16 bit. What a decoder does, backwards: the
//! predictor leaves residues, which a range coder packs.

/// Samples in all frames but the last.
const BLOCKS: usize = 73_728;

/// The whole file.
pub(crate) fn encode(samples: &[i16], rate: u32) -> Vec<u8> {
    let frames: Vec<Vec<u8>> = samples.chunks(BLOCKS).map(frame).collect();
    let audio: usize = frames.iter().map(Vec::len).sum();
    let seek_table = 4 * frames.len();
    let mut out = b"MAC ".to_vec();
    let small = |out: &mut Vec<u8>, numbers: &[u16]| {
        numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    };
    let large = |out: &mut Vec<u8>, numbers: &[usize]| {
        numbers.iter().for_each(|number| out.extend_from_slice(&(*number as u32).to_le_bytes()));
    };
    // The descriptor: version, padding; lengths of itself, header, seek table, WAVE header, sound
    // (64 bit), tail; an MD5 that nobody checks.
    small(&mut out, &[3990, 0]);
    large(&mut out, &[52, 24, seek_table, 0, audio, 0, 0]);
    out.extend_from_slice(&[0; 16]);
    // The header: compression, flags (no WAVE header is kept), then lengths and the form.
    small(&mut out, &[1000, 32]);
    large(&mut out, &[BLOCKS, samples.len() - BLOCKS * (frames.len() - 1), frames.len()]);
    small(&mut out, &[16, 2]);
    large(&mut out, &[rate as usize]);
    let mut at = out.len() + seek_table;
    for frame in &frames {
        large(&mut out, &[at]);
        at += frame.len();
    }
    out.extend(frames.into_iter().flatten());
    out
}

fn frame(samples: &[i16]) -> Vec<u8> {
    let pcm: Vec<u8> =
        samples.iter().flat_map(|sample| [sample.to_le_bytes(); 2].concat()).collect();
    let mut bytes = ((crc32(&pcm) >> 1) | 0x8000_0000).to_be_bytes().to_vec();
    // Flags follow: both channels are the same.
    bytes.extend_from_slice(&4_u32.to_be_bytes());
    let mut coder = RangeCoder::new(bytes);
    let mut rice = Rice { k: 10, sum: 16 << 10 };
    let mut predictor = Predictor::new();
    for sample in samples {
        coder.value(predictor.residue(i32::from(*sample)), &mut rice);
    }
    let mut bytes = coder.finish();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    // Kept in words of 32 bits, little-endian.
    bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 0 { 0 } else { 0xedb8_8320 }
        })
    })
}

/// A fixed filter, then one with four taps (the last value, the last three differences) that
/// learns from the sign of what was left.
struct Predictor {
    last_sample: i32,
    last: i32,
    differences: [i32; 3],
    weights: [i32; 4],
}

impl Predictor {
    fn new() -> Self {
        Self { last_sample: 0, last: 0, differences: [0; 3], weights: [360, 317, -109, 98] }
    }

    fn residue(&mut self, sample: i32) -> i32 {
        let filtered = sample - ((self.last_sample * 31) >> 5);
        self.last_sample = sample;
        let taps = [self.last, self.differences[0], self.differences[1], self.differences[2]];
        let predicted: i32 =
            taps.iter().zip(self.weights).map(|(tap, weight)| tap.wrapping_mul(weight)).sum();
        let residue = filtered - (predicted >> 10);
        for (weight, tap) in self.weights.iter_mut().zip(taps) {
            *weight += tap.signum() * residue.signum();
        }
        self.differences = [filtered - self.last, self.differences[0], self.differences[1]];
        self.last = filtered;
        residue
    }
}

/// How large the values are just now.
struct Rice {
    k: u32,
    sum: u32,
}

impl Rice {
    fn update(&mut self, value: u32) {
        let least = if self.k == 0 { 0 } else { 1 << (self.k + 4) };
        self.sum = self.sum + value.div_ceil(2) - ((self.sum + 16) >> 5);
        if self.sum < least {
            self.k -= 1;
        } else if 1 << (self.k + 5) <= self.sum && self.k < 24 {
            self.k += 1;
        }
    }
}

/// Where the symbols of the overflow begin, in 65,536ths; from 21 on each has one.
const STARTS: [u32; 22] = [
    0, 19578, 36160, 48417, 56323, 60899, 63265, 64435, 64971, 65232, 65351, 65416, 65447, 65466,
    65476, 65482, 65485, 65488, 65490, 65491, 65492, 65493,
];

const TOP: u32 = 1 << 31;
const BOTTOM: u32 = TOP >> 8;
const SHIFT: u32 = 23;

/// The range coder of Schindler.
struct RangeCoder {
    out: Vec<u8>,
    low: u32,
    range: u32,
    held: u8,
    carries: usize,
}

impl RangeCoder {
    fn new(out: Vec<u8>) -> Self {
        Self { out, low: 0, range: TOP, held: 0, carries: 0 }
    }

    fn value(&mut self, value: i32, rice: &mut Rice) {
        let value = if 0 < value { 2 * value - 1 } else { -2 * value } as u32;
        let pivot = (rice.sum >> 5).max(1);
        assert!(pivot < 0x1_0000, "16 bit sound has no such residues");
        let (overflow, base) = (value / pivot, value % pivot);
        match overflow {
            0..=20 => {
                let (start, end) = (STARTS[overflow as usize], STARTS[overflow as usize + 1]);
                self.put(end - start, start, |range| range >> 16);
            }
            21..=62 => self.put(1, overflow + 65_472, |range| range >> 16),
            _ => {
                self.put(1, 65_535, |range| range >> 16);
                self.put(1, overflow >> 16, |range| range >> 16);
                self.put(1, overflow & 0xffff, |range| range >> 16);
            }
        }
        self.put(1, base, |range| range / pivot);
        rice.update(value);
    }

    fn put(&mut self, frequency: u32, start: u32, unit: impl FnOnce(u32) -> u32) {
        self.normalize();
        let unit = unit(self.range);
        self.low += unit * start;
        self.range = unit * frequency;
    }

    fn normalize(&mut self) {
        while self.range <= BOTTOM {
            if self.low < 0xff << SHIFT {
                self.emit(0, 0xff);
            } else if self.low & TOP != 0 {
                self.emit(1, 0);
            } else {
                self.carries += 1;
            }
            self.range <<= 8;
            self.low = (self.low << 8) & (TOP - 1);
        }
    }

    /// What was held, with its carry, and what that makes of the bytes that waited for it.
    fn emit(&mut self, carry: u8, waiting: u8) {
        self.out.push(self.held.wrapping_add(carry));
        self.out.extend(std::iter::repeat_n(waiting, std::mem::take(&mut self.carries)));
        self.held = (self.low >> SHIFT) as u8;
    }

    fn finish(mut self) -> Vec<u8> {
        self.normalize();
        let last = (self.low >> SHIFT) + 1;
        if last <= 0xff {
            self.emit(0, 0xff);
        } else {
            self.emit(1, 0);
        }
        self.out.push(last as u8);
        self.out.extend_from_slice(&[0; 8]);
        self.out
    }
}
