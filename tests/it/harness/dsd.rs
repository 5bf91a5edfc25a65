//! Direct Stream Digital: sound as one bit a sample, in the two containers there are.

/// Samples a second of DSD64.
pub(crate) const RATE: u32 = 2_822_400;

/// Bytes of a block of one channel in DSF.
const BLOCK: usize = 4096;

/// Turns a signal within ±1 into bits, the first one topmost: a sigma-delta modulator of second
/// order, whose noise lies far above what can be heard.
pub(crate) fn modulate(seconds: f64, signal: impl Fn(f64) -> f64) -> Vec<u8> {
    let (mut first, mut second, mut fed_back) = (0.0, 0.0, 0.0);
    let bytes = (seconds * f64::from(RATE) / 8.0).round() as usize;
    let mut bit = |level: f64| {
        first += level - fed_back;
        second += first - fed_back;
        let is_up = 0.0 <= second;
        fed_back = if is_up { 1.0 } else { -1.0 };
        u8::from(is_up)
    };
    let byte = |byte: usize| {
        let level = signal(8.0 * byte as f64 / f64::from(RATE));
        (0..8).fold(0, |bits, _| (bits << 1) | bit(level))
    };
    (0..bytes).map(byte).collect()
}

/// A DSF file with the same bits in both channels, and this ID3v2 tag.
pub(crate) fn dsf(bits: &[u8], tag: &[u8]) -> Vec<u8> {
    let mut sound = Vec::with_capacity(2 * bits.len() + 2 * BLOCK);
    for piece in bits.chunks(BLOCK) {
        // The first bit is the lowest one; the last block is filled up.
        let mut block: Vec<u8> = piece.iter().map(|byte| byte.reverse_bits()).collect();
        block.resize(BLOCK, 0);
        sound.extend_from_slice(&block);
        sound.extend_from_slice(&block);
    }
    let tag_at = 28 + 52 + 12 + sound.len() as u64;
    let mut file = b"DSD ".to_vec();
    file.extend(28_u64.to_le_bytes());
    file.extend((tag_at + tag.len() as u64).to_le_bytes());
    file.extend(if tag.is_empty() { 0 } else { tag_at }.to_le_bytes());
    file.extend(b"fmt ");
    file.extend(52_u64.to_le_bytes());
    // Version, form, two channels of that kind, rate, bits a sample.
    for number in [1, 0, 2, 2, RATE, 1] {
        file.extend(number.to_le_bytes());
    }
    file.extend((8 * bits.len() as u64).to_le_bytes());
    file.extend((BLOCK as u32).to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    file.extend(b"data");
    file.extend((12 + sound.len() as u64).to_le_bytes());
    file.extend(sound);
    file.extend(tag);
    file
}

/// The same as DFF.
pub(crate) fn dff(bits: &[u8], tag: &[u8]) -> Vec<u8> {
    let chunk = |id: &[u8], body: &[u8]| {
        [id, &(body.len() as u64).to_be_bytes(), body, &vec![0; body.len() % 2]].concat()
    };
    let version = chunk(b"FVER", &[1, 5, 0, 0]);
    let rate = chunk(b"FS  ", &RATE.to_be_bytes());
    let channels = chunk(b"CHNL", b"\0\x02SLFTSRGT");
    let compression = chunk(b"CMPR", b"DSD \x0enot compressed\0");
    let properties = chunk(b"PROP", &[b"SND ", &rate[..], &channels, &compression].concat());
    let sound: Vec<u8> = bits.iter().flat_map(|byte| [*byte; 2]).collect();
    let sound = chunk(b"DSD ", &sound);
    let tag = if tag.is_empty() { Vec::new() } else { chunk(b"ID3 ", tag) };
    let body = [b"DSD ", &version[..], &properties, &sound, &tag].concat();
    chunk(b"FRM8", &body)
}
