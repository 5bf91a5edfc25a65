// Reads files and computes their BLAKE3, away from the page. Asked: {id, file, most, key}; said: {id, read} as it
// goes on, then {id, hash} or {id, failure}. {stop: id} ends one.
import { blake3 } from '../vendor/blake3.js';

const PIECE = 2 << 20;
const stopped = new Set();
let turn = Promise.resolve();

addEventListener('message', ({ data }) => {
  if (data.stop) { stopped.add(data.stop); return; }
  // One after the other: a disk is read best so.
  turn = turn.then(() => compute(data));
});

async function compute({ id, file, most, key }) {
  try {
    const hasher = blake3.create(key ? { key } : {});
    const end = Math.min(file.size, most ?? file.size);
    for (let at = 0; at < end; at += PIECE) {
      if (stopped.delete(id)) { postMessage({ id, failure: 'stopped' }); return; }
      hasher.update(new Uint8Array(await file.slice(at, Math.min(end, at + PIECE)).arrayBuffer()));
      postMessage({ id, read: Math.min(end, at + PIECE) });
    }
    postMessage({ id, hash: [...hasher.digest()].map((byte) => byte.toString(16).padStart(2, '0')).join('') });
  } catch (failure) {
    postMessage({ id, failure: failure.name === 'NotReadableError' || failure.name === 'NotFoundError' ? 'unreadable' : String(failure.message) });
  }
}
