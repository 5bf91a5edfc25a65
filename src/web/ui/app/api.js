// The only file that speaks to the server. Failures are problem+json and become `Problem`.
import { t } from './i18n.js';

const root = '/api/v1/';
let token = '';

export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || t('error.status', { status }));
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
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => null));
  return answer.status === 204 ? null : answer.json();
}

export const get = (path, options) => call('GET', path, undefined, options);
export const post = (path, body = {}) => call('POST', path, body);
export const put = (path, body = {}) => call('PUT', path, body);
export const patch = (path, body = {}) => call('PATCH', path, body);
export const remove = (path) => call('DELETE', path);

export const coverUrl = (cover, size) => (cover ? `${root}covers/${cover}?size=${size}` : null);

export function streamUrl(id, format, offset) {
  const query = new URLSearchParams();
  if (format) query.set('format', format);
  if (offset) query.set('offset', offset.toFixed(3));
  const text = query.toString();
  return `${root}tracks/${id}/stream${text ? `?${text}` : ''}`;
}

/** One file by PUT; fetch can't tell how far an upload is, so this is the one XMLHttpRequest. */
export function upload(locker, path, file, onProgress, signal) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    const place = path.split('/').map(encodeURIComponent).join('/');
    request.open('PUT', `${root}files/${place}?locker=${encodeURIComponent(locker)}`);
    request.setRequestHeader('x-csrf-token', token);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      let body = null;
      try { body = JSON.parse(request.responseText); } catch { /* no body */ }
      if (request.status >= 200 && request.status < 300) done(body);
      else fail(new Problem(request.status, body));
    };
    request.onerror = () => fail(new Problem(0, { detail: t('error.network') }));
    request.onabort = () => fail(new DOMException('stopped', 'AbortError'));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
