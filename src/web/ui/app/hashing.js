// Hashes of files, computed by a worker that starts with the first one.
const waiting = new Map();
let worker = null;
let next = 1;

const own = new URL('hash_worker.js', import.meta.url).href;
// The page's policy takes scripts by name of this policy only, and this one knows one script.
const trusted = () => {
  if (!globalThis.trustedTypes) return own;
  const policy = trustedTypes.createPolicy('app', { createScriptURL: (url) => { if (url !== own) throw new TypeError(url); return url; } });
  return policy.createScriptURL(own);
};

function start() {
  worker = new Worker(trusted(), { type: 'module' });
  worker.addEventListener('message', ({ data }) => {
    const asked = waiting.get(data.id);
    if (!asked) return;
    if (data.read !== undefined) { asked.onRead?.(data.read); return; }
    waiting.delete(data.id);
    if (data.hash) asked.done(data.hash);
    else asked.fail(data.failure === 'stopped' ? new DOMException('stopped', 'AbortError') : new Error(data.failure));
  });
  worker.addEventListener('error', () => {
    for (const asked of waiting.values()) asked.fail(new Error('no worker'));
    waiting.clear();
  });
}

/** Hex of a file's BLAKE3: of the first `most` bytes, under a `key` of 32 bytes in hex. */
export function hash(file, { most, key, onRead, signal } = {}) {
  if (!worker) start();
  const id = next++;
  return new Promise((done, fail) => {
    if (signal?.aborted) { fail(new DOMException('stopped', 'AbortError')); return; }
    waiting.set(id, { done, fail, onRead });
    worker.postMessage({ id, file, most, key: key && Uint8Array.from(key.match(/../g), (two) => parseInt(two, 16)) });
    signal?.addEventListener('abort', () => worker.postMessage({ stop: id }), { once: true });
  });
}
