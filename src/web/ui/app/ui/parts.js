// Small parts that every screen uses: icon, button, picture, empty, error, dialog, menu.
import { h, html, useEffect, useLayoutEffect, useRef, useState } from '../../vendor/ui.js';
import { coverUrl } from '../api.js';
import { t } from '../i18n.js';
import { isSlow } from '../player/line.js';
import { dismiss, isHushed, toast, toasts } from '../store.js';

const sprite = new URL('../../vendor/icons.svg', import.meta.url).pathname;

export function Icon({ name, filled, className = '' }) {
  return html`<svg class=${`icon ${filled ? 'filled' : ''} ${className}`} aria-hidden="true"><use href=${`${sprite}#${name}`}/></svg>`;
}

export function Button({ kind = 'secondary', icon, busy, children, className = '', ...rest }) {
  return html`<button type="button" class=${`btn ${kind} ${className}`} aria-busy=${busy ? 'true' : undefined} ...${rest}>
    ${icon && h(Icon, { name: icon, filled: icon === 'play' })}${children}</button>`;
}

export function IconButton({ icon, label, pressed, filled, className = '', ...rest }) {
  return html`<button type="button" class=${`ib ${className}`} aria-label=${label} title=${label}
    aria-pressed=${pressed === undefined ? undefined : String(pressed)} ...${rest}>${h(Icon, { name: icon, filled: filled ?? pressed === true })}</button>`;
}

/** A quiet colour that a name always has: for what has no picture. */
function tone(name) {
  let hue = 0;
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  return { backgroundColor: `light-dark(hsl(${hue} 34% 87%), hsl(${hue} 24% 20%))`, color: `light-dark(hsl(${hue} 34% 34%), hsl(${hue} 34% 74%))` };
}

/** Pixels of a cover on a slow line. */
const SMALL = 320;

/** A cover with space reserved; without one, an icon or initials on a colour of its own. */
export function Art({ cover, size = 320, className = '', initials, icon = 'disc-3', name = '', lazy = true }) {
  const [broken, setBroken] = useState(null);
  const image = useRef();
  const url = coverUrl(cover, isSlow() ? Math.min(size, SMALL) : size);
  const isShown = url && broken !== url;
  // Without an address the browser drops what it was fetching.
  const waits = isHushed.value && !(image.current?.naturalWidth > 0 && image.current.getAttribute('src') === url);
  return html`<span class=${`art ${className}`} aria-hidden="true" style=${isShown || !name ? undefined : tone(name)}>
    ${isShown
      ? html`<img ref=${image} src=${waits ? undefined : url} alt="" loading=${lazy ? 'lazy' : undefined} decoding="async" fetchpriority=${isSlow() ? 'low' : undefined} onError=${() => setBroken(url)}/>`
      : initials ? html`<span class="initials">${initials}</span>` : h(Icon, { name: icon })}
  </span>`;
}

export const initialsOf = (name) => name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();

export function Empty({ icon = 'music-4', title, children, level = 'h2' }) {
  return html`<div class="empty">${h(Icon, { name: icon })}<${level}>${title}</${level}>${children}</div>`;
}

export function Failed({ failure, retry }) {
  return html`<div class="empty" role="alert">${h(Icon, { name: 'triangle-alert' })}<h2>${t('error.title')}</h2>
    <p>${failure.message}</p>${retry && h(Button, { onClick: retry, icon: 'refresh-cw' }, t('action.retry'))}</div>`;
}

/** Nothing for 150 ms, so that what is fast does not flicker. */
export function Soon({ children }) {
  const [show, set] = useState(false);
  useEffect(() => { const timer = setTimeout(() => set(true), 150); return () => clearTimeout(timer); }, []);
  return show ? children : null;
}

export function Dialog({ title, onClose, children, footer }) {
  const ref = useRef();
  useLayoutEffect(() => { ref.current.showModal(); }, []);
  return html`<dialog class="sheet" ref=${ref} aria-labelledby="sheet-title" onClose=${onClose}
      onClick=${(event) => event.target === ref.current && ref.current.close()}>
    <div><header><h2 id="sheet-title">${title}</h2>${h(IconButton, { icon: 'x', label: t('action.close'), onClick: () => ref.current.close() })}</header>
    ${children}${footer && html`<footer>${footer}</footer>`}</div></dialog>`;
}

/** A button with a menu. Items: {label, icon, onPick, danger} or null. */
export function Menu({ label, items, icon = 'ellipsis', className }) {
  const [at, set] = useState(null);
  const list = useRef();
  const button = useRef();
  const close = () => { set(null); button.current?.focus(); };
  useLayoutEffect(() => {
    if (!at) return undefined;
    const menu = list.current;
    menu.showPopover();
    const box = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(at.right - box.width, innerWidth - box.width - 8))}px`;
    menu.style.top = `${at.bottom + box.height + 8 < innerHeight ? at.bottom + 4 : Math.max(8, at.top - box.height - 4)}px`;
    menu.querySelector('button')?.focus();
    const away = (event) => { if (event.newState === 'closed') set(null); };
    const scroll = () => set(null);
    menu.addEventListener('toggle', away);
    addEventListener('scroll', scroll, { once: true, passive: true });
    return () => { menu.removeEventListener('toggle', away); removeEventListener('scroll', scroll); };
  }, [at]);
  const keys = (event) => {
    const all = [...list.current.querySelectorAll('button')];
    const here = all.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); event.stopPropagation(); all[to % all.length].focus(); }
    if (event.key === 'Escape' || event.key === 'Tab') { event.stopPropagation(); close(); }
  };
  return html`<button type="button" class=${`ib ${className ?? ''}`} ref=${button} aria-label=${label} title=${label} aria-haspopup="menu"
      aria-expanded=${at ? 'true' : 'false'} onClick=${(event) => set(at ? null : event.currentTarget.getBoundingClientRect())}>${h(Icon, { name: icon })}</button>
    ${at && html`<div class="menu" role="menu" popover="auto" ref=${list} onKeyDown=${keys}>
      ${items.filter(Boolean).map((item) => html`<button type="button" role="menuitem" tabindex="-1" class=${item.danger ? 'danger' : ''} key=${item.label}
        onClick=${() => { close(); item.onPick(); }}>${h(Icon, { name: item.icon })}<span>${item.label}</span></button>`)}
    </div>`}`;
}

export function Toasts() {
  return html`<div class="toasts" role="status">${toasts.value.map((one) => html`<div class="toast" key=${one.id}>
    <span>${one.text}</span>${one.action && html`<button type="button" onClick=${() => { dismiss(one.id); one.action.run(); }}>${one.action.label}</button>`}
  </div>`)}</div>`;
}

/** Copies also where the clipboard interface is missing, which is on every plain http address. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'sr';
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast(t('copied'));
}

export function Copy({ text, shown, label, big }) {
  return html`<div class=${`copy ${big ? 'big' : ''}`}><code>${shown ?? text}</code>
    ${h(IconButton, { icon: 'copy', label, onClick: () => copy(text) })}</div>`;
}

export function Field({ id, label, help, wrong, children }) {
  return html`<div class="field"><label for=${id}>${label}</label>${children}
    ${help && html`<span class="help" id=${`${id}-help`}>${help}</span>`}
    ${wrong && html`<span class="wrong" role="alert">${wrong}</span>`}</div>`;
}

/** One of a few, each with a word on what it means. Options: {value, title, text}. */
export function Choice({ name, legend, value, options, onPick }) {
  return html`<fieldset class="choice"><legend class="sr">${legend}</legend>${options.map((one) => html`<label key=${one.value}><input type="radio" name=${name} value=${one.value} checked=${one.value === value} onChange=${() => onPick(one.value)}/><b>${one.title}</b><small>${one.text}</small></label>`)}</fieldset>`;
}

export function Part({ value, className }) {
  const ref = useRef();
  useLayoutEffect(() => { ref.current.style.setProperty('--part', `${Math.max(0, Math.min(100, value))}%`); }, [value]);
  return html`<i ref=${ref} class=${className ?? ''}></i>`;
}

export function Bar({ value, label, busy, className }) {
  return html`<div class=${`bar ${busy ? 'busy' : ''}`} role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${busy ? undefined : Math.round(value)}>${h(Part, { value, className })}</div>`;
}
