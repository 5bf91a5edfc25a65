// The queue and what plays: the one state that bar, queue, lists and keys show.
import { batch, computed, effect, signal } from '../../vendor/ui.js';
import { call, post } from '../api.js';
import { t } from '../i18n.js';
import { toast } from '../store.js';
import * as engine from './engine.js';

export const queue = signal([]);
export const index = signal(-1);
export const from = signal('');
export const isPlaying = signal(false);
export const isWaiting = signal(false);
export const position = signal(0);
export const volume = signal(1);
export const isMuted = signal(false);
export const isShuffled = signal(false);
/** 'off', 'all' or 'one'. */
export const repeat = signal('off');
export const current = computed(() => queue.value[index.value] ?? null);
export const duration = computed(() => current.value?.duration ?? 0);

let failures = 0;
let heard = 0;
let counted = false;
let startedAt = 0;
let unshuffled = null;

function shuffled(tracks, first) {
  const rest = tracks.filter((_, at) => at !== first);
  for (let at = rest.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    [rest[at], rest[other]] = [rest[other], rest[at]];
  }
  return first >= 0 ? [tracks[first], ...rest] : rest;
}

/** Replaces the queue. `at` is where to begin; `shuffle` begins anywhere. */
export function play(tracks, at = 0, { from: source = '', shuffle = null } = {}) {
  if (!tracks.length) return;
  const mix = shuffle ?? isShuffled.value;
  batch(() => {
    unshuffled = mix ? [...tracks] : null;
    isShuffled.value = mix;
    queue.value = mix ? shuffled(tracks, shuffle ? Math.floor(Math.random() * tracks.length) : at) : [...tracks];
    index.value = mix ? 0 : at;
    from.value = source;
  });
  begin();
}

function begin(offset = 0, options) {
  const track = current.value;
  if (!track) return;
  heard = 0;
  counted = false;
  startedAt = Date.now();
  position.value = offset;
  isWaiting.value = !options?.paused;
  engine.start(track, offset, options);
  describe(track);
  if (!options?.paused) {
    isPlaying.value = true;
    post('now-playing', { track: track.id }).catch(() => {});
  }
  save();
}

export function toggle() {
  if (!current.value) return;
  if (isPlaying.value) { isPlaying.value = false; engine.pause(); return; }
  isPlaying.value = true;
  if (engine.audible()) engine.resume(); else begin(position.value);
}

function after() {
  if (repeat.value === 'one') return index.value;
  const to = index.value + 1;
  if (to < queue.value.length) return to;
  return repeat.value === 'all' ? 0 : -1;
}

export function next() {
  const to = index.value + 1 < queue.value.length ? index.value + 1 : repeat.value === 'all' ? 0 : -1;
  if (to >= 0) jump(to);
}

export function previous() {
  if (engine.position() > 3 || index.value === 0) seek(0);
  else jump(index.value - 1);
}

export function jump(to) {
  if (to < 0 || to >= queue.value.length) return;
  index.value = to;
  begin();
}

export function seek(to) {
  const at = Math.max(0, Math.min(to, Math.max(0, duration.value - 0.2)));
  position.value = at;
  if (engine.audible()) engine.seek(at);
  place();
}

export function setVolume(to) {
  volume.value = Math.max(0, Math.min(1, to));
  isMuted.value = false;
}
export const toggleMute = () => { isMuted.value = !isMuted.value; };
effect(() => engine.setVolume(isMuted.value ? 0 : volume.value ** 1.6));

export function toggleShuffle() {
  const track = current.value;
  batch(() => {
    if (isShuffled.value) {
      isShuffled.value = false;
      if (unshuffled) { queue.value = unshuffled; index.value = Math.max(0, unshuffled.indexOf(track)); unshuffled = null; }
    } else {
      isShuffled.value = true;
      unshuffled = queue.value;
      if (track) { queue.value = shuffled(queue.value, index.value); index.value = 0; }
    }
  });
  ready();
}

export function cycleRepeat() {
  repeat.value = { off: 'all', all: 'one', one: 'off' }[repeat.value];
  ready();
}

export function addToQueue(tracks) {
  queue.value = [...queue.value, ...tracks];
  unshuffled &&= [...unshuffled, ...tracks];
  if (index.value < 0) jump(0);
  ready();
  save();
}
export function playNext(tracks) {
  const at = index.value + 1;
  queue.value = [...queue.value.slice(0, at), ...tracks, ...queue.value.slice(at)];
  unshuffled &&= [...unshuffled, ...tracks];
  if (index.value < 0) jump(0);
  ready();
  save();
}
export function removeAt(at) {
  const was = queue.value;
  batch(() => {
    queue.value = was.filter((_, place_) => place_ !== at);
    if (at < index.value) index.value -= 1;
    unshuffled &&= unshuffled.filter((track) => track !== was[at]);
  });
  if (at === index.value && !queue.value[at]) { index.value = queue.value.length - 1; }
  if (was[at] && !queue.value.length) { clear(); return; }
  ready();
  save();
}
export function move(at, to) {
  if (to < 0 || to >= queue.value.length) return;
  const list = [...queue.value];
  const track = current.value;
  const [one] = list.splice(at, 1);
  list.splice(to, 0, one);
  batch(() => { queue.value = list; index.value = list.indexOf(track); });
  ready();
  save();
}
export function clear() {
  engine.stop();
  batch(() => { queue.value = []; index.value = -1; isPlaying.value = false; position.value = 0; unshuffled = null; });
  save();
}

/** Loads the next track when this one is well on its way. */
function ready() {
  const to = after();
  engine.prepare(to >= 0 && to !== index.value ? queue.value[to] : null);
}

let lastTick = 0;
engine.events.addEventListener('time', () => {
  const at = engine.position();
  const step = at - position.value;
  if (step > 0 && step < 2 && isPlaying.value) heard += step;
  position.value = at;
  // A listen counts after half of it or four minutes, as scrobblers agree.
  if (!counted && current.value && heard > Math.min(240, duration.value / 2)) {
    counted = true;
    post('listens', { track: current.value.id, at: startedAt }).catch(() => {});
  }
  if (duration.value - at < 20 || at > 10) ready();
  if (Math.abs(at - lastTick) >= 1) { lastTick = at; place(); }
});
engine.events.addEventListener('playing', () => { batch(() => { isPlaying.value = true; isWaiting.value = false; }); failures = 0; });
engine.events.addEventListener('waiting', () => { isWaiting.value = true; });
engine.events.addEventListener('paused', () => batch(() => { isPlaying.value = false; isWaiting.value = false; }));
engine.events.addEventListener('ended', () => {
  const to = after();
  if (to < 0) { batch(() => { isPlaying.value = false; position.value = 0; }); engine.start(current.value, 0, { paused: true }); return; }
  index.value = to;
  begin();
});
engine.events.addEventListener('failed', ({ detail: track }) => {
  failures += 1;
  isWaiting.value = false;
  toast(t('player.failed', { name: track.title }));
  const to = after();
  if (failures >= 3 || to < 0 || to === index.value) { isPlaying.value = false; return; }
  index.value = to;
  begin();
});

// The system's own controls: lock screen, headset, media keys.
const media = navigator.mediaSession;
function describe(track) {
  if (!media || !globalThis.MediaMetadata) return;
  media.metadata = new MediaMetadata({
    title: track.title, artist: track.artist, album: track.albumName,
    artwork: track.cover ? [96, 256, 512].map((size) => ({ src: `/api/v1/covers/${track.cover}?size=${size}`, sizes: `${size}x${size}`, type: 'image/jpeg' })) : [],
  });
}
function place() {
  if (!media?.setPositionState || !duration.value) return;
  try { media.setPositionState({ duration: duration.value, position: Math.min(position.value, duration.value), playbackRate: 1 }); } catch { /* between two tracks */ }
}
for (const [action, run] of Object.entries({
  play: () => !isPlaying.value && toggle(), pause: () => isPlaying.value && toggle(), previoustrack: previous, nexttrack: next,
  seekto: (to) => seek(to.seekTime), seekbackward: () => seek(position.value - 10), seekforward: () => seek(position.value + 10),
})) {
  try { media?.setActionHandler(action, run); } catch { /* an action that this browser does not know */ }
}
effect(() => { if (media) media.playbackState = current.value ? (isPlaying.value ? 'playing' : 'paused') : 'none'; });

// The queue survives a reload and can be taken over by another device.
let saving = 0;
function save() {
  clearTimeout(saving);
  saving = setTimeout(() => send(), 1500);
}
const MOST_SAVED = 1000;
function send(options) {
  const start = Math.max(0, Math.min(index.value - 50, queue.value.length - MOST_SAVED));
  const part = queue.value.slice(start, start + MOST_SAVED);
  return call('PUT', 'queue', { tracks: part.map((one) => one.id), current: Math.max(0, index.value - start), position: position.value }, options).catch(() => {});
}
setInterval(() => { if (isPlaying.value) send(); }, 15000);
addEventListener('pagehide', () => { if (queue.value.length) send({ keepalive: true }); });

export async function restore() {
  const saved = await call('GET', 'queue').catch(() => null);
  if (!saved?.tracks.length || queue.value.length) return;
  batch(() => { queue.value = saved.tracks; index.value = saved.current; position.value = saved.position; });
}

try {
  const kept = JSON.parse(localStorage.getItem('tl.player') ?? '{}');
  volume.value = kept.volume ?? 1;
  repeat.value = kept.repeat ?? 'off';
} catch { /* storage is off */ }
effect(() => {
  const text = JSON.stringify({ volume: volume.value, repeat: repeat.value });
  try { localStorage.setItem('tl.player', text); } catch { /* storage is off */ }
});
