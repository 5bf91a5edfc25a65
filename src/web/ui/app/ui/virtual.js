// The one list: a grid of one or many columns over any number of items, fetched in pages as they come into sight.
import { h, html, useEffect, useLayoutEffect, useRef, useState } from '../../vendor/ui.js';
import { get } from '../api.js';
import { t } from '../i18n.js';
import { revision } from '../store.js';
import { Failed } from './parts.js';

const PAGE = 120;
const MOST_PAGES = 60;
const OVERSCAN = 3;

/**
 * `source` is an address without offset and limit that answers {items, total}. `item(data, index)` draws one,
 * `skeleton()` a missing one. `shape(width)` gives {columns, gap, height}: the height of a row with its gap.
 */
export function Virtual({ source, shape, item, skeleton, label, empty, onTotal }) {
  const box = useRef();
  const pages = useRef(new Map());
  const asked = useRef(new Map());
  const [state, set] = useState({ total: null, failure: null, tick: 0 });
  const [view, look] = useState({ width: 0, first: 0, last: 12 });
  const version = revision.value;
  const form = shape(view.width || 1000);

  const ask = (page) => {
    if (asked.current.has(page)) return;
    const stop = new AbortController();
    asked.current.set(page, stop);
    get(`${source}${source.includes('?') ? '&' : '?'}offset=${page * PAGE}&limit=${PAGE}`, { signal: stop.signal }).then(
      (list) => {
        pages.current.set(page, list.items);
        for (const old of pages.current.keys()) {
          if (pages.current.size <= MOST_PAGES) break;
          if (old !== page) { pages.current.delete(old); asked.current.delete(old); }
        }
        onTotal?.(list.total);
        set((was) => ({ total: list.total, failure: null, tick: was.tick + 1 }));
      },
      (failure) => {
        asked.current.delete(page);
        if (failure.name !== 'AbortError') set((was) => ({ ...was, failure }));
      },
    );
  };

  useEffect(() => {
    // What is shown stays until the new answer is there, so a refresh does not blink.
    for (const stop of asked.current.values()) stop.abort();
    asked.current = new Map();
    const first = Math.floor((view.first * form.columns) / PAGE);
    ask(first);
    return () => { for (const stop of asked.current.values()) stop.abort(); };
  }, [source, version]);
  useEffect(() => { pages.current = new Map(); set({ total: null, failure: null, tick: 0 }); }, [source]);

  const rows = Math.ceil((state.total ?? 0) / form.columns);
  useLayoutEffect(() => {
    let frame = 0;
    const measure = () => {
      frame = 0;
      const place = box.current?.getBoundingClientRect();
      if (!place) return;
      const { height } = shape(place.width);
      const first = Math.max(0, Math.floor(-place.top / height) - OVERSCAN);
      const last = Math.ceil((innerHeight - place.top) / height) + OVERSCAN;
      look((was) => (was.width === place.width && was.first === first && was.last === last ? was : { width: place.width, first, last }));
    };
    const soon = () => { frame ||= requestAnimationFrame(measure); };
    measure();
    const watch = new ResizeObserver(soon);
    watch.observe(box.current);
    addEventListener('scroll', soon, { passive: true });
    return () => { watch.disconnect(); removeEventListener('scroll', soon); cancelAnimationFrame(frame); };
  }, [source]);

  const last = Math.min(rows, view.last);
  const from = view.first * form.columns;
  const to = Math.min(state.total ?? 0, last * form.columns);
  useEffect(() => {
    if (state.total === null) return;
    for (let page = Math.floor(from / PAGE); page * PAGE < to; page += 1) if (!pages.current.has(page)) ask(page);
  }, [from, to, state.total]);

  const list = useRef();
  useLayoutEffect(() => {
    box.current.style.height = `${rows * form.height}px`;
    if (list.current) {
      list.current.style.transform = `translateY(${view.first * form.height}px)`;
      list.current.style.gridTemplateColumns = `repeat(${form.columns}, minmax(0, 1fr))`;
      list.current.style.gridAutoRows = `${form.height}px`;
      list.current.style.setProperty('--gap', `${form.gap}px`);
    }
  });

  if (state.failure && state.total === null) return h(Failed, { failure: state.failure, retry: () => { set({ ...state, failure: null }); ask(0); } });
  const shown = [];
  for (let at = from; at < to; at += 1) {
    const data = pages.current.get(Math.floor(at / PAGE))?.[at % PAGE];
    shown.push(html`<li key=${data ? data.id : `n${at}`} aria-setsize=${state.total} aria-posinset=${at + 1}>${data ? item(data, at) : skeleton()}</li>`);
  }
  return html`<div class="vgrid" ref=${box} aria-busy=${state.total === null}>
    ${state.total === 0 ? empty : state.total === null ? html`<span class="sr">${t('loading')}</span>` : html`<ul ref=${list} aria-label=${label}>${shown}</ul>`}
  </div>`;
}

/** Tiles: as many columns as fit, square art and two lines below. */
export function tiles(width) {
  const narrow = width < 640;
  const gap = narrow ? 14 : 24;
  const columns = Math.max(2, Math.floor((width + gap) / ((narrow ? 150 : 176) + gap)));
  const side = (width - gap * (columns - 1)) / columns;
  return { columns, gap, height: Math.round(side + 8 + 48 + 22) };
}

/** Rows of a track table. */
export const rowsOf52 = () => ({ columns: 1, gap: 0, height: 52 });
