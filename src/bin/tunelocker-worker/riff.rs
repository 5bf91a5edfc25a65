//! The header of a RIFF WAVE file of plain PCM.

/// 44 bytes. `data` is the length of the sound in bytes; unknown or too long for 32 bits is
/// written as the largest number, which players read as "until the end".
pub(crate) fn header(rate: u32, channels: u32, bits: u32, data: Option<u64>) -> Vec<u8> {
    let data = data.and_then(|data| u32::try_from(data).ok()).unwrap_or(u32::MAX);
    let block = channels * bits / 8;
    let mut header = Vec::with_capacity(44);
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&data.saturating_add(36).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt ");
    header.extend_from_slice(&16_u32.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes());
    header.extend_from_slice(&(channels as u16).to_le_bytes());
    header.extend_from_slice(&rate.to_le_bytes());
    header.extend_from_slice(&(rate * block).to_le_bytes());
    header.extend_from_slice(&(block as u16).to_le_bytes());
    header.extend_from_slice(&(bits as u16).to_le_bytes());
    header.extend_from_slice(b"data");
    header.extend_from_slice(&data.to_le_bytes());
    header
}
