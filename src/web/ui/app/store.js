// What all screens share: who is signed in, what was fetched, what is told at the edge.
import { computed, signal, useEffect, useState } from '../vendor/ui.js';
import { get, Problem } from './api.js';

export const session = signal(null);
export const isAdmin = computed(() => session.value?.user.role === 'admin');
export const hasSpeakers = computed(() => session.value?.user.speakers === true);
export const canShare = computed(() => session.value?.user.may?.share === true);
/** Grows when the catalogue changed; lists fetch anew. */
export const revision = signal(0);
export const online = signal(true);
/** Sound is waited for on a slow line: pictures that are not there yet wait too. */
export const isHushed = signal(false);
/** What of the internet is on here: 'podcasts', 'radio', ... */
export const outside = signal(new Set());
export const toasts = signal([]);
export const spoken = signal('');

export const lookOutside = () => get('outside').then(
  (found) => { outside.value = new Set(found.features.filter((one) => one.on).map((one) => one.name)); }, () => {});

let nextToast = 1;
export function toast(text, action) {
  const id = nextToast++;
  toasts.value = [...toasts.value.slice(-2), { id, text, action }];
  setTimeout(() => dismiss(id), action ? 10000 : 5000);
}
export function dismiss(id) { toasts.value = toasts.value.filter((one) => one.id !== id); }
export function complain(failure) { if (failure?.name !== 'AbortError') toast(failure.message); }

const kept = new Map();
const MOST_KEPT = 60;
export function forget() { kept.clear(); }

/** Fetches `path` and again when `versions` change; what was fetched before shows meanwhile. */
export function useFetched(path, ...versions) {
  const [state, set] = useState({ path, data: kept.get(path), failure: null });
  const [again, retry] = useState(0);
  useEffect(() => {
    if (!path) return undefined;
    const stop = new AbortController();
    if (state.path !== path) set({ path, data: kept.get(path), failure: null });
    get(path, { signal: stop.signal }).then(
      (data) => {
        kept.delete(path);
        kept.set(path, data);
        if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
        set({ path, data, failure: null });
      },
      (failure) => { if (failure.name !== 'AbortError') set({ path, data: kept.get(path), failure }); },
    );
    return () => stop.abort();
  }, [path, again, ...versions]);
  const current = state.path === path ? state : { data: kept.get(path), failure: null };
  return { ...current, isMissing: current.failure instanceof Problem && current.failure.status === 404, retry: () => retry(again + 1) };
}
