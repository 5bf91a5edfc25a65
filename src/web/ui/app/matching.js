// What need not be sent: files that the server has already are found by hash, and where the server wants it, got by a
// proof over every byte. What is not sure is sent.
import { post } from './api.js';
import { hash } from './hashing.js';

const QUICK = 64 << 10;
/** Read to their end and asked about together. */
const TOGETHER = 16;

/**
 * Decides about files of one place: sets `item.state` to `have`, `claimed`, `failed` or `ready` (to be sent). `touch` is
 * called whenever something changed.
 */
export async function match(items, touch) {
  const settle = (item, state, more = {}) => { Object.assign(item, { state, read: 0, ...more }); touch(); };
  const left = [];
  for (const item of items) {
    if (item.unpack || !item.size) { settle(item, 'ready'); continue; }
    try {
      item.quick = await hash(item.file, { most: QUICK, signal: item.stop.signal });
      if (item.size <= QUICK) item.hash = item.quick;
      left.push(item);
    } catch (failure) { gone(item, failure, settle); }
  }
  const maybe = await ask(left, settle);
  for (let at = 0; at < maybe.length; at += TOGETHER) {
    const known = [];
    for (const item of maybe.slice(at, at + TOGETHER)) {
      try {
        item.hash = await whole(item, touch);
        known.push(item);
      } catch (failure) { gone(item, failure, settle); }
    }
    for (const item of await ask(known, settle)) settle(item, 'ready');
  }
}

const whole = (item, touch, key) => hash(item.file, { key, signal: item.stop.signal, onRead: (read) => { item.read = read; touch(); } });

function gone(item, failure, settle) {
  // Who cancelled took it off the list himself; what cannot be hashed may still be sent.
  if (failure.name !== 'AbortError') settle(item, 'ready');
}

/** Those that have to be read to their end. */
async function ask(items, settle) {
  if (!items.length) return [];
  let answer;
  try {
    answer = await post('match', {
      locker: items[0].locker,
      items: items.map(({ path, size, quick, hash: full }) => ({ path, size, quick, ...(full ? { hash: full } : {}) })),
    });
  } catch {
    // Sending says better what is wrong.
    for (const item of items) settle(item, 'ready');
    return [];
  }
  const maybe = [];
  const claims = [];
  items.forEach((item, at) => {
    const { state, paths, claim, key, detail, rule, type } = answer.items[at];
    if (item.stop.signal.aborted) return;
    if (state === 'have' && (paths.includes(item.path) || (!item.exact && paths.length))) settle(item, 'have', { at: paths.includes(item.path) ? item.path : paths[0] });
    else if ((state === 'have' || state === 'claimable') && claim) claims.push({ item, claim, key });
    else if (state === 'maybe') maybe.push(item);
    else if (state === 'refused') settle(item, 'failed', { reason: detail, word: type, rule });
    else settle(item, 'ready');
  });
  for (const one of claims) await prove(one, settle);
  return maybe;
}

/** Proves that one holds all of a file; then it need not be sent. */
async function prove({ item, claim, key }, settle) {
  try {
    const proof = await whole(item, () => {}, key);
    const [made] = (await post('claims', { claims: [{ claim, proof }] })).claims;
    if (made.state === 'claimed') settle(item, 'claimed', { sent: item.size });
    else if (made.state === 'refused' && made.type !== 'proof_wrong') settle(item, 'failed', { reason: made.detail, word: made.type });
    else settle(item, 'ready');
  } catch (failure) { gone(item, failure, settle); }
}
