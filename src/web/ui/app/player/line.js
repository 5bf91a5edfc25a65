// How many bits a second the line to the server carries, told by what came over it anyway, and in which form a
// track is asked for on such a line. Knows no element and no queue.

const settingKey = 'tl.quality';
const measureKey = 'tl.line';
/** A measure of another place or hour says nothing. */
const FRESH = 10 * 60_000;
/** Bytes that must have come before anything is concluded from them. */
const ENOUGH = 16 * 1024;
/** Bytes that make an older measure forgotten. */
const PLENTY = 64 * 1024;
/** What is there when the first byte is, and took no time of its own. */
const FIRST_PACKET = 1460;
/** Below this, kbit/s, an original's head alone (its cover) keeps the first sound waiting. */
const SLOW = 3000;
/** kbit/s of what is made for slow lines. */
const steps = [48, 64, 96, 128, 160, 192];

/** 'auto', 'original', or the most kbit/s that this device wants. */
export const choices = ['auto', 'original', '192', '128', '96', '64'];

const storage = (of, run) => { try { return run(globalThis[of]); } catch { return null; /* storage is off */ } };

let chosen = storage('localStorage', (kept) => kept.getItem(settingKey));
if (!choices.includes(chosen)) chosen = 'auto';
export const choice = () => chosen;
export function choose(to) {
  chosen = choices.includes(to) ? to : 'auto';
  storage('localStorage', (kept) => kept.setItem(settingKey, chosen));
}

/**
 * kbit/s of transfers that overlap, each {from, to, bytes} with ms; null when they say too little. What was carried
 * once can be carried: a transfer that waited for a busy server makes no line slow, so the fastest counts.
 */
export function rateOf(transfers) {
  let bytes = 0;
  let busy = 0;
  let until = -Infinity;
  let best = 0;
  const kbps = (of, ms) => (of * 8) / Math.max(ms, 1);
  for (const one of [...transfers].sort((a, b) => a.from - b.from)) {
    const own = Math.max(0, one.bytes - FIRST_PACKET);
    if (own >= ENOUGH / 4) best = Math.max(best, kbps(own, one.to - one.from));
    bytes += own;
    busy += Math.max(0, one.to - Math.max(one.from, until));
    until = Math.max(until, one.to);
  }
  return bytes < ENOUGH ? null : Math.max(best, kbps(bytes, busy));
}

let measured = storage('sessionStorage', (kept) => {
  const { rate, at } = JSON.parse(kept.getItem(measureKey) ?? '{}');
  return Date.now() - at < FRESH && rate > 0 ? rate : null;
});
let fresh = [];

function know(rate) {
  measured = rate;
  storage('sessionStorage', (kept) => kept.setItem(measureKey, JSON.stringify({ rate, at: Date.now() })));
}

/** Takes in what came; sound is left out, for the player reads it as slowly as it likes. */
export function learn(entries) {
  for (const one of entries) {
    if (['audio', 'video', 'beacon'].includes(one.initiatorType) || !(one.transferSize > 2 * FIRST_PACKET) || !one.responseStart) continue;
    fresh.push({ from: one.responseStart, to: one.responseEnd, bytes: one.transferSize });
  }
  const rate = rateOf(fresh);
  if (rate === null) return;
  const bytes = fresh.reduce((sum, one) => sum + one.bytes, 0);
  const weight = measured === null || measured < rate ? 1 : Math.min(1, bytes / PLENTY);
  know(weight * rate + (1 - weight) * (measured ?? 0));
  fresh = [];
}

if (globalThis.PerformanceObserver?.supportedEntryTypes?.includes('resource')) {
  new PerformanceObserver((list) => learn(list.getEntries())).observe({ type: 'resource', buffered: true });
}

const network = globalThis.navigator?.connection;
let way = network?.type;
network?.addEventListener?.('change', () => {
  // From the house to the street: what was measured is of another line.
  if (network.type === way) return;
  way = network.type;
  measured = null;
  fresh = [];
});

/** kbit/s, or null where nothing is known. */
export function rate() {
  if (measured !== null) return measured;
  return network && ['slow-2g', '2g', '3g'].includes(network.effectiveType) ? network.downlink * 1000 : null;
}

/** The sound stopped for want of bytes: unless the line is known to be much faster, it is as slow as that. */
export function stalled(kbps) {
  const now = rate();
  if (now !== null && 4 * kbps < now) return false;
  know(Math.min(now ?? Infinity, kbps));
  return true;
}

export const isSlow = () => chosen === 'auto' && (network?.saveData === true || (rate() ?? Infinity) < SLOW);
/** Whether sound may have to be made smaller for this device. */
export const makesSmaller = () => isSlow() || !['auto', 'original'].includes(chosen);

const lossless = ['flac', 'alac', 'pcm', 'wavpack', 'ape', 'tta', 'dsd'];
const bitrateOf = (track) => track.bitrate || (lossless.includes(track.codec) ? 1000 : 256);
const fitting = (kbps) => steps.findLast((step) => step <= kbps) ?? steps[0];

/**
 * The most kbit/s to ask for, or null for the original. `isNow`: somebody waits for the sound, so it is small; what is
 * loaded ahead is as good as the line carries.
 */
export function limitFor(track, isNow) {
  if (chosen === 'original') return null;
  const own = bitrateOf(track);
  if (chosen !== 'auto') return own <= Number(chosen) ? null : Number(chosen);
  if (network?.saveData === true) return own <= 96 ? null : 96;
  const carried = rate();
  if (carried === null) return null;
  if (isNow && carried < SLOW) return Math.min(96, fitting(carried * 0.4));
  return own * 1.5 <= carried ? null : fitting(carried * 0.7);
}
