//! Fragmented MP4 with one track of AAC-LC (ISO/IEC 14496-12 and -14): the header that a player
//! needs first, and the fragments behind it. The edit list and iTunes' gapless tag say how many
//! samples an encoder put in front and how many are sound, so that players show the right length
//! and cut it to the sample.

/// Samples a packet.
pub const PACKET: u64 = 1024;

/// Samples that the encoder puts in front: one packet.
pub const PRIMING: u64 = PACKET;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// Hz; one that AAC has.
    pub rate: u32,
    /// 1 or 2.
    pub channels: u32,
    /// kbit/s, for the record.
    pub bitrate_kbps: u32,
    /// Samples a channel, where known.
    pub total: Option<u64>,
}

/// Packets that an encoder makes of so many samples.
#[must_use]
pub fn packets(total: u64) -> u64 {
    total.div_ceil(PACKET) + 1
}

/// The header: `ftyp` and `moov`.
#[must_use]
pub fn header(sound: &Sound) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write(&mut out, b"ftyp", |out| out.extend_from_slice(b"iso6\0\0\0\x01iso6mp41M4A "));
    write(&mut out, b"moov", |out| {
        movie_header(out, sound);
        write(out, b"trak", |out| track(out, sound));
        write(out, b"mvex", |out| {
            if let Some(total) = sound.total {
                full(out, b"mehd", 1, 0, |out| out.extend_from_slice(&total.to_be_bytes()));
            }
            full(out, b"trex", 0, 0, |out| words(out, &[1, 1, PACKET as u32, 0, SYNC]));
        });
        if let Some(total) = sound.total {
            gapless(out, total);
        }
    });
    out
}

/// A fragment: `moof` and `mdat`. `number` counts from 0; `first` is the number of its first
/// packet; `last` the samples that the last packet counts for.
#[must_use]
pub fn fragment(number: u32, first: u64, packets: &[Vec<u8>], last: u64) -> Vec<u8> {
    let data: usize = packets.iter().map(Vec::len).sum();
    let mut out = Vec::with_capacity(data + 16 * packets.len() + 128);
    let is_even = last == PACKET;
    let mut offset_at = 0;
    write(&mut out, b"moof", |out| {
        full(out, b"mfhd", 0, 0, |out| words(out, &[number.wrapping_add(1)]));
        write(out, b"traf", |out| {
            // Offsets count from here; the usual duration and flags.
            full(out, b"tfhd", 0, 0x02_0028, |out| words(out, &[1, PACKET as u32, SYNC]));
            full(out, b"tfdt", 1, 0, |out| out.extend_from_slice(&(first * PACKET).to_be_bytes()));
            let flags = if is_even { 0x201 } else { 0x301 };
            full(out, b"trun", 0, flags, |out| {
                words(out, &[packets.len() as u32]);
                offset_at = out.len();
                words(out, &[0]);
                for (at, packet) in packets.iter().enumerate() {
                    if !is_even {
                        let duration = if at + 1 == packets.len() { last } else { PACKET };
                        words(out, &[duration as u32]);
                    }
                    words(out, &[packet.len() as u32]);
                }
            });
        });
    });
    let offset = out.len() as u32 + 8;
    out[offset_at..offset_at + 4].copy_from_slice(&offset.to_be_bytes());
    write(&mut out, b"mdat", |out| {
        for packet in packets {
            out.extend_from_slice(packet);
        }
    });
    out
}

/// Sample flags: depends on nothing.
const SYNC: u32 = 0x0200_0000;

const IDENTITY: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

fn movie_header(out: &mut Vec<u8>, sound: &Sound) {
    full(out, b"mvhd", 1, 0, |out| {
        out.extend_from_slice(&[0; 16]);
        words(out, &[sound.rate]);
        out.extend_from_slice(&sound.total.unwrap_or(0).to_be_bytes());
        // Speed, loudness.
        out.extend_from_slice(&[0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        words(out, &IDENTITY);
        out.extend_from_slice(&[0; 24]);
        // The number of the next track.
        words(out, &[2]);
    });
}

fn track(out: &mut Vec<u8>, sound: &Sound) {
    // Enabled, in the movie and its preview.
    full(out, b"tkhd", 1, 7, |out| {
        out.extend_from_slice(&[0; 16]);
        words(out, &[1, 0]);
        out.extend_from_slice(&sound.total.unwrap_or(0).to_be_bytes());
        // Layer and group, then loudness.
        out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0]);
        words(out, &IDENTITY);
        words(out, &[0, 0]);
    });
    write(out, b"edts", |out| {
        full(out, b"elst", 1, 0, |out| {
            words(out, &[1]);
            out.extend_from_slice(&sound.total.unwrap_or(0).to_be_bytes());
            out.extend_from_slice(&PRIMING.to_be_bytes());
            out.extend_from_slice(&[0, 1, 0, 0]);
        });
    });
    write(out, b"mdia", |out| {
        full(out, b"mdhd", 1, 0, |out| {
            out.extend_from_slice(&[0; 16]);
            words(out, &[sound.rate]);
            out.extend_from_slice(&[0; 8]);
            // The language "und".
            out.extend_from_slice(&[0x55, 0xc4, 0, 0]);
        });
        full(out, b"hdlr", 0, 0, |out| {
            out.extend_from_slice(b"\0\0\0\0soun\0\0\0\0\0\0\0\0\0\0\0\0\0");
        });
        write(out, b"minf", |out| {
            full(out, b"smhd", 0, 0, |out| words(out, &[0]));
            write(out, b"dinf", |out| {
                full(out, b"dref", 0, 0, |out| {
                    words(out, &[1]);
                    full(out, b"url ", 0, 1, |_| ());
                });
            });
            write(out, b"stbl", |out| {
                full(out, b"stsd", 0, 0, |out| {
                    words(out, &[1]);
                    write(out, b"mp4a", |out| sample_entry(out, sound));
                });
                full(out, b"stts", 0, 0, |out| words(out, &[0]));
                full(out, b"stsc", 0, 0, |out| words(out, &[0]));
                full(out, b"stsz", 0, 0, |out| words(out, &[0, 0]));
                full(out, b"stco", 0, 0, |out| words(out, &[0]));
            });
        });
    });
}

fn sample_entry(out: &mut Vec<u8>, sound: &Sound) {
    out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&(sound.channels as u16).to_be_bytes());
    out.extend_from_slice(&[0, 16, 0, 0, 0, 0]);
    words(out, &[sound.rate << 16]);
    full(out, b"esds", 0, 0, |out| {
        let bits = sound.bitrate_kbps * 1000;
        // Descriptors within each other, their lengths known: stream, decoder, its configuration.
        out.extend_from_slice(&[3, 25, 0, 0, 0, 4, 17, 0x40, 0x15, 0, 0, 0]);
        words(out, &[bits, bits]);
        out.extend_from_slice(&[5, 2]);
        out.extend_from_slice(&configuration(sound.rate, sound.channels));
        out.extend_from_slice(&[6, 1, 2]);
    });
}

/// AAC-LC's `AudioSpecificConfig` (ISO/IEC 14496-3, 1.6.2.1).
fn configuration(rate: u32, channels: u32) -> [u8; 2] {
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000, 7_350,
    ];
    let index = RATES.iter().position(|known| *known == rate).unwrap_or(4) as u16;
    ((2 << 11) | (index << 7) | ((channels as u16) << 3)).to_be_bytes()
}

/// iTunes' note of what is sound and what is not.
fn gapless(out: &mut Vec<u8>, total: u64) {
    let behind = packets(total) * PACKET - PRIMING - total;
    let mut note = format!(" 00000000 {PRIMING:08X} {behind:08X} {total:016X}");
    note += &" 00000000".repeat(8);
    write(out, b"udta", |out| {
        full(out, b"meta", 0, 0, |out| {
            full(out, b"hdlr", 0, 0, |out| {
                out.extend_from_slice(b"\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0");
            });
            write(out, b"ilst", |out| {
                write(out, b"----", |out| {
                    full(out, b"mean", 0, 0, |out| out.extend_from_slice(b"com.apple.iTunes"));
                    full(out, b"name", 0, 0, |out| out.extend_from_slice(b"iTunSMPB"));
                    // Text, of no country.
                    full(out, b"data", 0, 1, |out| {
                        words(out, &[0]);
                        out.extend_from_slice(note.as_bytes());
                    });
                });
            });
        });
    });
}

/// A box: its length is filled in behind.
fn write(out: &mut Vec<u8>, kind: &[u8], content: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(kind);
    content(out);
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// A box with a version and flags.
fn full(
    out: &mut Vec<u8>,
    kind: &[u8],
    version: u8,
    flags: u32,
    content: impl FnOnce(&mut Vec<u8>),
) {
    write(out, kind, |out| {
        words(out, &[u32::from(version) << 24 | flags]);
        content(out);
    });
}

fn words(out: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The boxes right inside, by name.
    fn boxes(mut bytes: &[u8]) -> Vec<(String, &[u8])> {
        let mut found = Vec::new();
        while let Some((head, _)) = bytes.split_first_chunk::<8>() {
            let length = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
            let name = String::from_utf8(head[4..].to_vec()).unwrap();
            found.push((name, &bytes[8..length]));
            bytes = &bytes[length..];
        }
        assert!(bytes.is_empty());
        found
    }

    fn inside<'a>(bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
        path.iter().fold(bytes, |bytes, name| {
            boxes(bytes).into_iter().find(|(each, _)| each == name).unwrap().1
        })
    }

    #[test]
    fn the_header_says_how_long_it_is() {
        let sound = Sound { rate: 44_100, channels: 2, bitrate_kbps: 192, total: Some(176_400) };
        let header = header(&sound);
        let names: Vec<_> = boxes(&header).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["ftyp", "moov"]);
        let edit = inside(&header, &["moov", "trak", "edts", "elst"]);
        assert_eq!(edit[8..16], 176_400_u64.to_be_bytes());
        assert_eq!(edit[16..24], 1024_u64.to_be_bytes());
        assert_eq!(inside(&header, &["moov", "mvex", "mehd"])[4..], 176_400_u64.to_be_bytes());
        assert_eq!(configuration(44_100, 2), [0x12, 0x10]);
        assert_eq!(configuration(48_000, 1), [0x11, 0x88]);
    }

    #[test]
    fn fragments_point_at_their_data() {
        let packets = [vec![1; 10], vec![2; 20], vec![3; 5]];
        for (last, per_packet) in [(PACKET, 4), (100, 8)] {
            let made = fragment(6, 43, &packets, last);
            let run = inside(&made, &["moof", "traf", "trun"]);
            assert_eq!(run.len(), 12 + 3 * per_packet);
            let offset = u32::from_be_bytes(run[8..12].try_into().unwrap()) as usize;
            assert_eq!(made[offset..offset + 10], packets[0]);
            assert_eq!(inside(&made, &["mdat"]), packets.concat());
            assert_eq!(inside(&made, &["moof", "traf", "tfdt"])[4..], (43 * PACKET).to_be_bytes());
            assert_eq!(inside(&made, &["moof", "mfhd"])[4..], 7_u32.to_be_bytes());
        }
    }
}
