// Sound: two <audio> elements that take turns, the next one loaded before the first ends. The interface never
// touches an element; it hears `events` and calls these functions. Knows nothing of queues.
import { streamUrl } from '../api.js';
import { isSlow, limitFor, stalled } from './line.js';

const decks = [new Audio(), new Audio()];
let active = 0;
let volume = 1;
/** What each deck holds: {track, format, bitrate, offset}. */
const loaded = [null, null];
export const events = new EventTarget();
const tell = (type, detail) => events.dispatchEvent(new CustomEvent(type, { detail }));

const types = {
  mp3: 'audio/mpeg', flac: 'audio/flac', vorbis: 'audio/ogg; codecs="vorbis"', opus: 'audio/ogg; codecs="opus"',
  aac: 'audio/mp4; codecs="mp4a.40.2"', alac: 'audio/mp4; codecs="alac"', pcm: 'audio/wav; codecs="1"',
};

/** The format and most kbit/s to ask for: nothing for the original bytes where this browser and the line play them. */
export function formFor(track, isNow) {
  const playable = { mp3: ['mp3'], flac: ['flac'], ogg: ['vorbis', 'opus', 'flac'], mp4: ['aac', 'alac'], m4a: ['aac', 'alac'], wav: ['pcm'] };
  const known = playable[track.container]?.includes(track.codec) && types[track.codec];
  const bitrate = limitFor(track, isNow);
  if (!bitrate && known && !track.part && decks[0].canPlayType(known)) return { format: null, bitrate: null };
  // WebM and Ogg Opus are missing on older Apple browsers; mp3 plays everywhere.
  return { format: decks[0].canPlayType(types.opus) ? 'opus' : 'mp3', bitrate };
}

function fill(deck, track, { format, bitrate = null }, offset) {
  loaded[deck] = { track, format, bitrate, offset };
  decks[deck].src = streamUrl(track.id, format, offset, bitrate);
  decks[deck].volume = volume;
}

/** How long the sound may be missing before a smaller form is tried, ms. */
const PATIENCE = 2500;
let patience = 0;
/** Somebody waits for sound: if it doesn't come because the line is slow, it comes smaller, from where it was. */
function expect() {
  clearTimeout(patience);
  patience = setTimeout(() => {
    const was = loaded[active];
    if (!was || was.format || decks[active].paused) return;
    if (!stalled(was.track.bitrate || 1000)) return;
    const at = position();
    fill(active, was.track, formFor(was.track, true), at);
    decks[active].play().catch(() => {});
  }, PATIENCE);
}

for (const [deck, audio] of decks.entries()) {
  audio.preload = 'auto';
  const mine = (run) => () => { if (deck === active && loaded[deck]) run(); };
  audio.addEventListener('timeupdate', mine(() => tell('time')));
  audio.addEventListener('durationchange', mine(() => tell('time')));
  audio.addEventListener('playing', mine(() => { clearTimeout(patience); tell('playing'); }));
  audio.addEventListener('pause', mine(() => { clearTimeout(patience); if (!audio.ended) tell('paused'); }));
  audio.addEventListener('waiting', mine(() => { expect(); tell('waiting'); }));
  audio.addEventListener('ended', mine(() => tell('ended')));
  audio.addEventListener('error', mine(() => {
    const was = loaded[deck];
    // The original may be in a form that only claims to be playable: once more, decoded by the server.
    if (!was.format && audio.error?.code >= 3) {
      const at = position();
      fill(deck, was.track, { format: 'mp3' }, at);
      audio.play().catch(() => {});
    } else tell('failed', was.track);
  }));
}

export const position = () => (loaded[active]?.offset ?? 0) + (decks[active].currentTime || 0);
export const audible = () => loaded[active]?.track ?? null;
export const streamed = () => loaded[active]?.format ?? null;
/** Most kbit/s of what sounds, where a limit was asked for. */
export const limit = () => loaded[active]?.bitrate ?? null;

export function buffered() {
  const ranges = decks[active].buffered;
  return ranges.length ? (loaded[active]?.offset ?? 0) + ranges.end(ranges.length - 1) : 0;
}

/** Loads and plays; what was preloaded starts at once. */
export async function start(track, offset = 0, { paused = false } = {}) {
  const other = 1 - active;
  decks[active].pause();
  if (loaded[other]?.track.id === track.id && !offset) {
    active = other;
    loaded[1 - active] = null;
    decks[active].currentTime = 0;
  } else {
    const form = formFor(track, true);
    // What loads ahead would share the line with what is waited for.
    if (isSlow() && loaded[other]) decks[other].removeAttribute('src');
    fill(active, track, form, form.format ? offset : 0);
    loaded[1 - active] = null;
    if (!form.format && offset) decks[active].currentTime = offset;
  }
  if (paused) return;
  expect();
  try {
    await decks[active].play();
  } catch (failure) {
    // A newer start() interrupts this one; only a refusal to play at all is worth telling.
    if (failure.name === 'NotAllowedError') tell('paused');
  }
}

/** Has the next track ready in the other deck. */
export function prepare(track) {
  const other = 1 - active;
  if (loaded[other]?.track.id === track?.id) return;
  if (!track) { loaded[other] = null; decks[other].removeAttribute('src'); return; }
  fill(other, track, formFor(track, false), 0);
}

export const resume = () => decks[active].play().catch(() => tell('paused'));
export const pause = () => decks[active].pause();

export function seek(to) {
  const was = loaded[active];
  if (!was) return;
  const audio = decks[active];
  const within = to - was.offset;
  if (!was.format) { audio.currentTime = to; return; }
  const { seekable } = audio;
  for (let at = 0; at < seekable.length; at += 1) {
    if (within >= seekable.start(at) && within <= seekable.end(at) - 0.5) { audio.currentTime = within; return; }
  }
  // A running transcode has no ranges: ask for it from there.
  const wasPaused = audio.paused;
  fill(active, was.track, was, to);
  if (!wasPaused) audio.play().catch(() => {});
}

export function setVolume(to) { volume = to; for (const audio of decks) audio.volume = to; }

export function stop() {
  for (const [deck, audio] of decks.entries()) { audio.pause(); audio.removeAttribute('src'); loaded[deck] = null; }
}

/** For tests that listen: the element that sounds. */
export const element = () => decks[active];
/** What each deck was asked for. */
export const asked = () => decks.map((audio) => audio.getAttribute('src'));
