// The queue and what plays: the one state that bar, queue, lists and keys show.
import { batch, computed, effect, signal } from '../../vendor/ui.js';
import { call, get } from '../api.js';
import { queueVersion } from '../events.js';
import { t } from '../i18n.js';
import { path } from '../router.js';
import { complain, isHushed, toast } from '../store.js';
import * as engine from './engine.js';
import { isSlow, makesSmaller } from './line.js';

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
  begin(current.value.position ?? 0);
}

/** Episodes of podcasts play like tracks, but are none: their place is kept, and not in the queue. */
export const isEpisode = (track) => track?.id.startsWith('pe-') ?? false;

function begin(offset = 0, options) {
  const track = current.value;
  if (!track) return;
  position.value = offset;
  isWaiting.value = !options?.paused;
  hush(!options?.paused && isSlow());
  engine.start(track, offset, options);
  describe(track);
  if (!options?.paused) {
    isPlaying.value = true;
    report('starting', offset);
  }
  save();
}

/** Pictures wait for the sound on a slow line, but not for ever. */
let hushed = 0;
function hush(on) {
  clearTimeout(hushed);
  isHushed.value = on;
  if (on) hushed = setTimeout(() => { isHushed.value = false; }, 5000);
}

/** Plays on with music like `item` (a track, album or artist); the track that plays now plays on. */
export async function radio(item, name) {
  const found = await get(`radio/${item.id}?limit=60`).catch(complain);
  if (!found) return;
  if (!found.items.length) { toast(t('radio.nothing')); return; }
  const playing = current.value?.id === item.id ? current.value : null;
  const source = t('radio.from', { name });
  if (!playing) { play(item.title ? [item, ...found.items] : found.items, 0, { from: source, shuffle: false }); return; }
  batch(() => {
    unshuffled = null;
    isShuffled.value = false;
    queue.value = [playing, ...found.items];
    index.value = 0;
    from.value = source;
  });
  toast(t('radio.started', { name }));
  ready();
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
  if (isPlaying.value) report('playing', at);
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
  report('stopped');
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
  position.value = at;
  if (duration.value - at < 20 || at > 10) ready();
  if (Math.abs(at - lastTick) >= 1) { lastTick = at; place(); }
});
engine.events.addEventListener('playing', () => { if (isHushed.value) { hush(false); describe(current.value); } report('playing'); batch(() => { isPlaying.value = true; isWaiting.value = false; }); failures = 0; });
engine.events.addEventListener('waiting', () => { if (isPlaying.value) report('paused'); isWaiting.value = true; });
engine.events.addEventListener('paused', () => { report('paused'); batch(() => { isPlaying.value = false; isWaiting.value = false; }); });
engine.events.addEventListener('ended', () => {
  const to = after();
  if (to < 0) { report('stopped', duration.value); batch(() => { isPlaying.value = false; position.value = 0; }); engine.start(current.value, 0, { paused: true }); return; }
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
  if (!track || !media || !globalThis.MediaMetadata) return;
  media.metadata = new MediaMetadata({
    title: track.title, artist: track.artist, album: track.albumName,
    artwork: track.cover && !isHushed.value ? [96, 256, 512].map((size) => ({ src: `/api/v1/covers/${track.cover}?size=${size}`, sizes: `${size}x${size}`, type: 'image/jpeg' })) : [],
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

// Where sound has to be made smaller, the server gets ready for it while somebody is still choosing.
const READY_FOR = 4 * 60_000;
let expected = -Infinity;
effect(() => {
  if (!path.value || !makesSmaller() || performance.now() - expected < READY_FOR) return;
  expected = performance.now();
  call('POST', 'playback/expect').catch(() => {});
});

// The server is told how it goes: it knows what plays now, and what was heard enough to be a listen.
const device = Math.random().toString(36).slice(2);
let told = '';
function report(state, at = engine.position(), options) {
  const track = current.value;
  if (!track || (state === 'stopped' && !told)) return;
  if (state === 'paused' && told !== 'playing') return;
  told = state === 'stopped' ? '' : state;
  call('POST', 'playback', { track: track.id, state, position: at || 0, device }, options).catch(() => {});
}

// The queue survives a reload and can be taken over by another device.
let saving = 0;
function save() {
  clearTimeout(saving);
  saving = setTimeout(() => send(), 1500);
}
const MOST_SAVED = 1000;
function send(options) {
  const start = Math.max(0, Math.min(index.value - 50, queue.value.length - MOST_SAVED));
  if (isEpisode(current.value)) {
    const at = duration.value - position.value < 30 ? null : position.value;
    return call('PUT', `episodes/${current.value.id}/position`, { position: at }, options).catch(() => {});
  }
  const part = queue.value.slice(start, start + MOST_SAVED).filter((one) => !isEpisode(one));
  const saved = call('PUT', 'queue', { tracks: part.map((one) => one.id), current: Math.max(0, index.value - start), position: position.value }, options);
  return saved.then(({ changedAt }) => { savedAt = Math.max(savedAt, changedAt); }).catch(() => {});
}
setInterval(() => { if (isPlaying.value) send(); }, 15000);
addEventListener('pagehide', () => {
  if (!queue.value.length) return;
  report('stopped', engine.position(), { keepalive: true });
  send({ keepalive: true });
});

export async function restore() {
  const saved = await call('GET', 'queue').catch(() => null);
  if (!saved) return;
  savedAt = saved.changedAt;
  if (!saved.tracks.length || queue.value.length) return;
  batch(() => { queue.value = saved.tracks; index.value = saved.current; position.value = saved.position; });
}

/** The queue that another device saved since this tab did, or nothing. */
export const elsewhere = signal(null);
let savedAt = 0;
effect(() => {
  if (!queueVersion.value) return;
  // What this tab saves is told to it as well; its own answer comes first or soon.
  setTimeout(async () => {
    const saved = await call('GET', 'queue').catch(() => null);
    if (!saved || saved.changedAt <= savedAt) return;
    elsewhere.value = saved.tracks.length && !isPlaying.value ? saved : null;
  }, 300);
});
/** Goes on here with what another device played. */
export function takeOver() {
  const from_ = elsewhere.value;
  if (!from_) return;
  elsewhere.value = null;
  savedAt = from_.changedAt;
  batch(() => { queue.value = from_.tracks; index.value = from_.current; isShuffled.value = false; unshuffled = null; from.value = from_.changedBy; });
  begin(from_.position);
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
