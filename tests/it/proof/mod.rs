//! Proved, not claimed: a real daemon that is killed, whose disk loses its power, whose disk fills
//! up or breaks, and that many fill at once. What was acknowledged must be there, and no byte besides.

mod api;
mod crash;
mod crowd;
mod dropped;
mod dying;
mod full;
mod hand;
mod house;
mod no_room;
mod power;
mod references;
mod seen;
mod shop;
mod trace;
mod upgrade;
mod world;

use crate::harness::volume;

/// Bytes that no other seed gives.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A moment within less than a second that no two runs share.
fn any_moment() -> std::time::Duration {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).unwrap();
    std::time::Duration::from_micros(u64::from(u16::from_le_bytes(bytes)) * 10)
}
