//! Packets of AAC into fragments of MP4: a whole file of them, or one that was cut out.

use std::{
    fs::File,
    io::{self, Write as _},
};

use tunelocker::media::{
    decode::Cut,
    fragments::{self, PACKET, PRIMING, Sound, fragment},
};

use crate::pipeline::Plan;

/// Packets that are encoded before a cut and dropped, until the encoder is in its stride.
const STRIDE: u64 = 8;

/// Packets that it sees behind a cut, for it looks ahead.
const AHEAD: u64 = 3;

/// About how many seconds a fragment of a whole file lasts; the first is shorter, so that the
/// first sound comes early.
const SECONDS: u64 = 2;

/// The packet that encoding begins with.
pub(crate) fn first_packet(cut: &Cut) -> u64 {
    cut.first.saturating_sub(STRIDE)
}

/// Samples that are to be encoded for a cut.
pub(crate) fn samples(cut: &Cut) -> u64 {
    (cut.first - first_packet(cut) + u64::from(cut.packets) + AHEAD) * PACKET
}

/// Collects packets and writes fragments.
pub(crate) struct Writer {
    to: File,
    /// Samples of the whole track.
    total: Option<u64>,
    /// Number of the fragment, and of the first packet in it.
    number: u32,
    first: u64,
    packets: Vec<Vec<u8>>,
    size: usize,
    rate: u32,
    cut: Option<Cut>,
    /// Packets still to be dropped.
    skip: u64,
}

impl Writer {
    /// Writes the header, unless it is a cut.
    pub(crate) fn open(mut to: File, plan: &Plan, bitrate_kbps: u32) -> io::Result<Self> {
        let total = plan.cut.map(|cut| cut.total).or(plan.total.filter(|_| plan.is_cut));
        let (rate, channels) = (plan.rate, plan.channels);
        if plan.cut.is_none() {
            to.write_all(&fragments::header(&Sound { rate, channels, bitrate_kbps, total }))?;
        }
        let packets = |seconds: u64| (seconds * u64::from(rate)).div_ceil(PACKET) as usize;
        Ok(Self {
            to,
            total,
            number: plan.cut.map_or(0, |cut| cut.number),
            first: plan.cut.map_or(0, |cut| cut.first),
            packets: Vec::new(),
            size: plan.cut.map_or(packets(SECONDS) / 8 + 1, |cut| cut.packets as usize),
            rate,
            skip: plan.cut.map_or(0, |cut| cut.first - first_packet(&cut)),
            cut: plan.cut,
        })
    }

    /// The next packet of the encoder.
    pub(crate) fn add(&mut self, packet: &[u8]) -> io::Result<()> {
        if 0 < self.skip {
            self.skip -= 1;
            return Ok(());
        }
        let is_full = self.packets.len() == self.size;
        if is_full && self.cut.is_some() {
            return Ok(());
        }
        if is_full {
            self.write(PACKET)?;
            self.size = (SECONDS * u64::from(self.rate)).div_ceil(PACKET) as usize;
        }
        self.packets.push(packet.to_owned());
        Ok(())
    }

    /// Writes what is left. The last packet of a track counts for what is sound in it.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.packets.is_empty() {
            return Ok(());
        }
        let begins = (self.first + self.packets.len() as u64 - 1) * PACKET;
        let ends = self.total.map_or(u64::MAX, |total| total + PRIMING);
        self.write(ends.saturating_sub(begins).clamp(1, PACKET))
    }

    fn write(&mut self, last: u64) -> io::Result<()> {
        self.to.write_all(&fragment(self.number, self.first, &self.packets, last))?;
        self.first += self.packets.len() as u64;
        self.number += 1;
        self.packets.clear();
        Ok(())
    }
}
