// The only file that speaks to the server. Failures are problem+json and become `Problem`.
import { bytes } from './format.js';
import { t } from './i18n.js';

const root = '/api/v1/';
let token = '';

/** What a problem says, with sizes as people read them. */
export function sentence(body) {
  const key = { quota_exceeded: 'error.quota', locker_full_grace: 'error.grace' }[body?.type];
  if (!key || !Number.isFinite(body.quota)) return body?.detail || body?.title;
  return t(key, { used: bytes(body.used), quota: bytes(body.quota), needed: bytes(body.needed) });
}

export class Problem extends Error {
  constructor(status, body) {
    super(sentence(body) || t('error.status', { status }));
    this.status = status;
    this.body = body ?? {};
  }
}

/** The session's anti-forgery token, for browsers that send no Origin. */
export function useToken(value) { token = value; }

export async function call(method, path, body, options = {}) {
  const headers = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET') headers['x-csrf-token'] = token;
  let answer;
  try {
    answer = await fetch(root + path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...options,
    });
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new Problem(0, { detail: t('error.network') });
  }
  if (answer.status === 401 && !path.startsWith('session')) location.assign('/login');
  if (!answer.ok) {
    const problem = new Problem(answer.status, await answer.json().catch(() => null));
    // An app of one's own works on that file: it is done only if that is meant.
    if (problem.body.mine && !path.includes('despiteLock') && confirm(problem.message)) {
      return call(method, `${path}${path.includes('?') ? '&' : '?'}despiteLock=true`, body, options);
    }
    throw problem;
  }
  // Nothing to tell is no body at all.
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

export const get = (path, options) => call('GET', path, undefined, options);
export const post = (path, body = {}) => call('POST', path, body);
export const put = (path, body = {}) => call('PUT', path, body);
export const patch = (path, body = {}) => call('PATCH', path, body);
export const remove = (path) => call('DELETE', path);

export const coverUrl = (cover, size) => (cover ? `${root}covers/${cover}?size=${size}` : null);

let tracks = `${root}tracks/`;
/** A page without the API has its tracks elsewhere. */
export function streamFrom(place) { tracks = place; }

/** `bitrate`: the most kbit/s. */
export function streamUrl(id, format, offset, bitrate) {
  const query = new URLSearchParams();
  if (format) query.set('format', format);
  if (bitrate) query.set('bitrate', bitrate);
  if (offset) query.set('offset', offset.toFixed(3));
  const text = query.toString();
  return `${id.startsWith('pe-') ? `${root}episodes/` : tracks}${id}/stream${text ? `?${text}` : ''}`;
}

/**
 * One file by tus: what broke off goes on where it stopped, also after the tab was closed. With `unpack` it is an archive,
 * and the answer names the import that tells what becomes of it. A signal aborted with 'pause' leaves what was sent.
 */
export async function upload(locker, path, file, { onProgress, signal, unpack }) {
  const { Upload } = await import('../vendor/tus.js');
  return new Promise((done, fail) => {
    const one = new Upload(file, {
      endpoint: `${root}uploads`, metadata: { path, locker, ...(unpack ? { unpack: 'true' } : {}) }, headers: { 'x-csrf-token': token },
      // Where the bytes go is part of what they are known again by.
      fingerprint: async () => `tunelocker ${locker} ${path} ${file.size} ${file.lastModified}${unpack ? ' unpack' : ''}`,
      // One request for what is small; what is large needs an address before its bytes.
      uploadDataDuringCreation: file.size <= 1 << 20, removeFingerprintOnSuccess: true, retryDelays: [0, 1000, 3000, 8000, 15000, 30000],
      onShouldRetry: (failure) => {
        const status = failure.originalResponse?.getStatus() ?? 0;
        return [0, 409, 423].includes(status) || (status >= 500 && status !== 507);
      },
      onProgress, onSuccess: ({ lastResponse }) => done({ importId: lastResponse?.getHeader('Tunelocker-Import') ?? null }), onError: (failure) => fail(refusal(failure)),
    });
    signal.addEventListener('abort', () => {
      const stopped = () => fail(new DOMException('stopped', 'AbortError'));
      one.abort(signal.reason !== 'pause').then(stopped, stopped);
    });
    one.findPreviousUploads().then((before) => {
      if (before.length) one.resumeFromPreviousUpload(before[0]);
      one.start();
    }, fail);
  });
}

/** What the server said, as everywhere else. */
function refusal(failure) {
  const answer = failure.originalResponse;
  if (!answer) return new Problem(0, { detail: t('error.network') });
  let body = null;
  try { body = JSON.parse(answer.getBody()); } catch { /* no body */ }
  return new Problem(answer.getStatus(), body);
}
