// Addresses. A link inside the page is a plain <a href>; clicks on it are taken here.
import { signal } from '../vendor/ui.js';

export const path = signal(location.pathname + location.search);

export function go(to, options = {}) {
  if (to === path.value) return;
  history[options.replace ? 'replaceState' : 'pushState']({}, '', to);
  path.value = to;
}

const places = new Map();
addEventListener('popstate', () => {
  path.value = location.pathname + location.search;
  const y = places.get(path.value) ?? 0;
  // The list behind the address needs a frame to stand before it can be scrolled.
  requestAnimationFrame(() => requestAnimationFrame(() => scrollTo(0, y)));
});
addEventListener('scroll', () => places.set(path.value, scrollY), { passive: true });

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const href = link.getAttribute('href');
  if (!href.startsWith('/') || link.target || link.hasAttribute('download') || href.startsWith('/api/')) return;
  event.preventDefault();
  if (href === path.value) return;
  go(href);
  scrollTo(0, 0);
});

/** `/album/:id` against the address: the parts, or nothing. */
export function match(pattern, address) {
  const want = pattern.split('/');
  const have = address.split('?')[0].split('/');
  if (want.length !== have.length) return null;
  const parts = {};
  for (const [at, word] of want.entries()) {
    if (word.startsWith(':')) parts[word.slice(1)] = decodeURIComponent(have[at]);
    else if (word !== have[at]) return null;
  }
  return parts;
}
