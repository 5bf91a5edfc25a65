// The upload queue: finds out what the server has already, sends the rest two at a time (four when nothing plays), keeps
// the state of each file. One failed file never stops the others. Many thousands are fine: the page is told seldom.
import { computed, signal } from '../vendor/ui.js';
import { get, sentence, upload } from './api.js';
import { t } from './i18n.js';
import { match } from './matching.js';
import { isPlaying } from './player/player.js';
import { forget } from './upload_sources.js';

export const items = signal([]);
/** Where the next files go: {id, kind}. */
export const locker = signal(null);
export const batch = signal(0);
export const paused = signal(false);
const version = signal(0);
/** What computers leave in folders for themselves. */
const leavings = /^(thumbs\.db|ehthumbs\.db|desktop\.ini|icon\r|__macosx|\$recycle\.bin|system volume information)$/i;
const archive = /.\.(zip|tar|tgz|tar\.gz|tar\.zst|tzst|tar\.xz|txz)$/i;
/** Asked about together. */
const TOGETHER = 100;
const ended = new Set(['done', 'have', 'claimed', 'partly', 'failed', 'skipped']);
let nextKey = 1;
let running = 0;
let checking = false;
let ticking = 0;
let window_ = [];

/** Whether not all of it was taken. */
export const isWrong = (item) => item.state === 'failed' || item.state === 'partly';
/** What could not be read cannot be sent by asking again. */
const mayTryAgain = (item) => isWrong(item) && item.file !== null;
const touch = () => { ticking ||= setTimeout(() => { ticking = 0; version.value += 1; items.value = [...items.value]; }, 150); };

export const isArchive = (name) => archive.test(name);

/** Why a file is not sent, if it is not: what is hidden, and what computers leave in folders for themselves. */
function whyNot(path) {
  const parts = path.split('/');
  if (parts.some((part) => leavings.test(part)) || /(^|\/)\.(ds_store|_[^/]*|trashes|spotlight-v100|fseventsd)(\/|$)/i.test(path)) return t('upload.leaving');
  return parts.some((part) => part.startsWith('.')) ? t('upload.hidden') : null;
}

/** How one begins: to be sent, or left out, or refused, as the browser could not read it. */
function beginning({ file, path, isFolder }) {
  const why = whyNot(path);
  if (why) return { state: 'skipped', reason: why, word: '' };
  return file ? { state: 'waiting', reason: '', word: '' } : { state: 'failed', reason: t(isFolder ? 'upload.unreadFolder' : 'upload.unread'), word: 'unreadable' };
}

/**
 * Files of any kind, to the chosen locker or to `place`. `unpack`: archives become what is in them. `memory`: what the
 * browser remembers these by. Every one of them stands in the list afterwards; how many are left out, and how many
 * could not be read.
 */
export function add(files, place, { unpack = !place, memory = null } = {}) {
  const more = files.map((one) => ({
    ...beginning(one), key: nextKey++, file: one.file, path: one.path, name: one.path.split('/').pop(), folder: one.path.split('/').slice(0, -1).join('/'), size: one.file?.size ?? 0, sent: 0, read: 0,
    refused: [], locker: (place ?? locker.value)?.id ?? 'me', lockerKind: (place ?? locker.value)?.kind ?? 'user',
    // In a place of one's choice a file has to be where it was put; music only has to be there.
    exact: Boolean(place), unpack: unpack && archive.test(one.path), memory, stop: new AbortController(),
  }));
  const many = (state) => more.filter((one) => one.state === state).length;
  if (more.every((one) => ended.has(one.state))) forget(memory);
  const told = { skipped: many('skipped'), unread: many('failed') };
  if (!more.length) return told;
  batch.value += 1;
  items.value = [...items.value, ...more];
  check();
  return told;
}

/** Finds out, in the order of the list, what has to be sent. */
async function check() {
  if (checking) return;
  checking = true;
  for (;;) {
    const first = paused.value ? null : items.value.find((one) => one.state === 'waiting');
    if (!first) break;
    if (first.locker === 'me') await tellOwn();
    const some = items.value.filter((one) => one.state === 'waiting' && one.locker === first.locker).slice(0, TOGETHER);
    for (const item of some) item.state = 'checking';
    touch();
    // What is known to be needed is sent while the next are looked at.
    await match(some, () => { touch(); pump(); });
    for (const item of some) if (item.state === 'checking') item.state = 'ready';
    pump();
    settle();
  }
  checking = false;
}

/**
 * Files that were chosen before the page knew its lockers go to one's own. It is named as it is at any other time: what
 * broke off is known again by where it goes.
 */
async function tellOwn() {
  const { items: all } = await get('lockers').catch(() => ({ items: [] }));
  const own = all.find((one) => one.kind === 'user');
  for (const item of items.value) if (own && item.locker === 'me') item.locker = own.id;
}

function pump() {
  const most = isPlaying.value ? 2 : 4;
  while (running < most && !paused.value) {
    const item = items.value.find((one) => one.state === 'ready');
    if (!item) return;
    send(item);
  }
}

async function send(item) {
  running += 1;
  item.state = 'sending';
  try {
    const { importId } = await upload(item.locker, item.path, item.file, {
      unpack: item.unpack,
      signal: item.stop.signal,
      onProgress: (sent) => { window_.push([performance.now(), Math.max(0, sent - item.sent)]); item.sent = sent; touch(); },
    });
    item.sent = item.size;
    if (importId) await unpacked(item, importId);
    else item.state = 'done';
  } catch (failure) {
    if (failure.name === 'AbortError') {
      if (item.stop.signal.reason === 'pause') { item.state = 'ready'; item.stop = new AbortController(); }
      else items.value = items.value.filter((one) => one !== item);
    } else { item.state = 'failed'; item.reason = failure.message; item.word = failure.body?.type ?? ''; item.sent = 0; }
  }
  running -= 1;
  touch();
  pump();
  settle();
}

/** Waits until the server has taken an archive apart. */
async function unpacked(item, id) {
  item.state = 'unpacking';
  touch();
  for (let wait = 200; ; wait = Math.min(2000, wait * 1.5)) {
    const one = await get(`imports/${id}`);
    item.inside = one.stored;
    touch();
    if (one.over) {
      item.refused = one.items.filter((each) => each.problem).map((each) => ({ path: each.path, reason: sentence(each.problem), word: each.problem.type }));
      item.state = one.state === 'done' && !one.refused ? 'done' : one.stored ? 'partly' : 'failed';
      item.reason = sentence(one.problem) ?? t('upload.partly', { stored: one.stored, refused: one.refused });
      item.word = one.problem?.type ?? '';
      return;
    }
    await new Promise((done) => { setTimeout(done, wait); });
  }
}

/** What is all there need not be remembered for another time. */
function settle() {
  const open = new Set(items.value.filter((one) => !ended.has(one.state)).map((one) => one.memory));
  for (const item of items.value) if (item.memory !== null && !open.has(item.memory)) { forget(item.memory); item.memory = null; }
}

export function cancel(item) {
  if (item.state !== 'sending') items.value = items.value.filter((one) => one !== item);
  item.stop.abort('cancel');
  settle();
}
/** What is being sent stops where it is, and goes on from there. */
export function pause() {
  paused.value = true;
  for (const item of items.value) if (item.state === 'sending') item.stop.abort('pause');
}
export function resume() {
  paused.value = false;
  check();
  pump();
}
export function retryFailed() {
  for (const item of items.value) if (mayTryAgain(item)) Object.assign(item, { state: 'waiting', reason: '', word: '', refused: [], stop: new AbortController() });
  touch();
  check();
}
export function clearDone() { items.value = items.value.filter((one) => !ended.has(one.state)); }

/** The refused files as a table for others: path, bytes, word, reason. */
export function refusals() {
  const cell = (text) => `"${String(text).replaceAll('"', '""').replace(/^[=+\-@\t\r]/, "'$&")}"`;
  const rows = items.value.filter((one) => isWrong(one) || one.state === 'skipped').flatMap((one) => (one.refused.length
    ? one.refused.map((inner) => [`${one.path} › ${inner.path}`, '', inner.word, inner.reason])
    : [[one.path, one.size, one.word, one.reason]]));
  return `\ufeff${[['path', 'bytes', 'error', 'reason'], ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

export const figures = computed(() => {
  version.value;
  // What is not sent counts for nothing.
  const all = items.value.filter((one) => one.state !== 'skipped');
  const skipped = items.value.length - all.length;
  let done = 0; let failed = 0; let again = 0; let had = 0; let size = 0; let sent = 0; let doneSize = 0; let failedSize = 0; let looked = 0;
  for (const item of all) {
    size += item.size;
    if (item.state === 'done') { done += 1; doneSize += item.size; }
    else if (item.state === 'have' || item.state === 'claimed') { done += 1; had += 1; doneSize += item.size; }
    else if (isWrong(item)) { failed += 1; failedSize += item.size; if (mayTryAgain(item)) again += 1; }
    else sent += item.sent;
    if (item.state === 'waiting' || item.state === 'checking') looked += 1;
  }
  const now = performance.now();
  window_ = window_.filter(([at]) => now - at < 3000);
  const left = all.length - done - failed;
  const speed = left ? window_.reduce((sum, [, bytes]) => sum + bytes, 0) / 3 : 0;
  const share = (bytes) => (size ? (bytes / size) * 100 : 0);
  // Said aloud at each quarter, not at each tick.
  const quarter = all.length ? Math.floor(((done + failed) / all.length) * 4) * 25 : 0;
  const spoken = !all.length ? '' : left === 0 ? t('upload.spokenEnd', { done, failed }) : quarter ? t('upload.spoken', { part: quarter }) : '';
  return { total: all.length, done, failed, again, skipped, had, left, looked, speed, part: share(sent + doneSize), donePart: share(doneSize), failedPart: share(failedSize), spoken };
});

/** What is under way or refused before what is over, then as they came. */
export const shown = computed(() => {
  const rank = { sending: 0, unpacking: 0, checking: 1, failed: 2, partly: 2, skipped: 2, ready: 3, waiting: 4, done: 5, claimed: 5, have: 5 };
  return [...items.value].sort((one, other) => rank[one.state] - rank[other.state] || one.key - other.key);
});

addEventListener('beforeunload', (event) => { if (running) event.preventDefault(); });
