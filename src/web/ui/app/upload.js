// The upload queue: collects, sends two at a time (four when nothing plays), keeps the state of each file.
// One failed file never stops the others.
import { computed, signal } from '../vendor/ui.js';
import { upload } from './api.js';
import { t } from './i18n.js';
import { isPlaying } from './player/player.js';

export const items = signal([]);
/** Where the next files go: {id, kind}. */
export const locker = signal(null);
export const batch = signal(0);
const version = signal(0);
const wanted = /\.(mp3|flac|ogg|oga|opus|m4a|m4b|mp4|aac|wav|aif|aiff|aifc|wv|ape|wma|dsf|dff|mka|cue|lrc|m3u8?|jpe?g|png|webp)$/i;
let nextKey = 1;
let running = 0;
let ticking = 0;
let window_ = [];

const touch = () => { ticking ||= setTimeout(() => { ticking = 0; version.value += 1; items.value = [...items.value]; }, 150); };

/** Walks what was dropped, folders too. `readEntries` gives a hundred at a time. */
export async function collect(transfer) {
  const found = [];
  const walk = async (entry, path) => {
    if (entry.isFile) {
      found.push({ file: await new Promise((done, fail) => entry.file(done, fail)), path: path + entry.name });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const part = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!part.length) return;
      for (const child of part) await walk(child, `${path}${entry.name}/`);
    }
  };
  // The list of a drop is gone after the first wait, so entries are taken first.
  const dropped = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  for (const one of dropped) {
    if (one instanceof File) found.push({ file: one, path: one.name });
    else if (one) await walk(one, '');
  }
  return found;
}

/** Music and what goes with it, to the chosen locker; with `place`, files of any kind, to there. */
export function add(files, place) {
  const taken = files.filter((one) => (place || wanted.test(one.path)) && !one.path.split('/').some((part) => part.startsWith('.')));
  const more = taken.map(({ file, path }) => ({
    key: nextKey++, file, path, name: file.name, folder: path.split('/').slice(0, -1).join('/'), size: file.size, sent: 0,
    state: 'waiting', reason: '', locker: (place ?? locker.value)?.id ?? 'me', lockerKind: (place ?? locker.value)?.kind ?? 'user', stop: new AbortController(),
  }));
  if (!more.length) return;
  batch.value += 1;
  items.value = [...items.value, ...more];
  pump();
}

function pump() {
  const most = isPlaying.value ? 2 : 4;
  while (running < most) {
    const item = items.value.find((one) => one.state === 'waiting');
    if (!item) return;
    send(item);
  }
}

async function send(item) {
  running += 1;
  item.state = 'sending';
  try {
    await upload(item.locker, item.path, item.file, (sent) => {
      window_.push([performance.now(), sent - item.sent]);
      item.sent = sent;
      touch();
    }, item.stop.signal);
    item.state = 'done';
    item.sent = item.size;
  } catch (failure) {
    if (failure.name === 'AbortError') items.value = items.value.filter((one) => one !== item);
    else { item.state = 'failed'; item.reason = failure.message; item.sent = 0; }
  }
  running -= 1;
  touch();
  pump();
}

export function cancel(item) {
  if (item.state === 'waiting') items.value = items.value.filter((one) => one !== item);
  item.stop.abort();
}
export function retryFailed() {
  for (const item of items.value) if (item.state === 'failed') { item.state = 'waiting'; item.reason = ''; }
  touch();
  pump();
}
export function clearDone() { items.value = items.value.filter((one) => one.state === 'waiting' || one.state === 'sending'); }

export const figures = computed(() => {
  version.value;
  const all = items.value;
  let done = 0; let failed = 0; let size = 0; let sent = 0; let doneSize = 0; let failedSize = 0;
  for (const item of all) {
    size += item.size;
    sent += item.sent;
    if (item.state === 'done') { done += 1; doneSize += item.size; }
    if (item.state === 'failed') { failed += 1; failedSize += item.size; }
  }
  const now = performance.now();
  window_ = window_.filter(([at]) => now - at < 3000);
  const left = all.length - done - failed;
  const speed = left ? window_.reduce((sum, [, bytes]) => sum + bytes, 0) / 3 : 0;
  const share = (bytes) => (size ? (bytes / size) * 100 : 0);
  // Said aloud at each quarter, not at each tick.
  const quarter = all.length ? Math.floor(((done + failed) / all.length) * 4) * 25 : 0;
  const spoken = !all.length ? '' : left === 0 ? t('upload.spokenEnd', { done, failed }) : quarter ? t('upload.spoken', { part: quarter }) : '';
  return { total: all.length, done, failed, left, speed, part: share(sent), donePart: share(doneSize), failedPart: share(failedSize), spoken };
});

addEventListener('beforeunload', (event) => { if (running) event.preventDefault(); });
