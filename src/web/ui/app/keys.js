// The keyboard: single letters act only outside fields, and a focused control keeps its own keys.
import { signal } from '../vendor/ui.js';
import { panel } from './player/bar.js';
import * as player from './player/player.js';
import { go } from './router.js';
import { star } from './ui/tracks.js';

export const isHelpOpen = signal(false);
let awaitsPlace = 0;
const places = { h: '/', a: '/albums', r: '/artists', t: '/tracks', p: '/playlists', d: '/files', u: '/upload', o: '/server' };

export const shortcuts = [
  ['Space', 'keys.play'], ['← →', 'keys.seek'], ['Ctrl ← →', 'keys.track'], ['M', 'keys.mute'], ['S', 'keys.shuffle'], ['R', 'keys.repeat'],
  ['F', 'keys.star'], ['Q', 'keys.queue'], ['L', 'keys.lyrics'], ['/', 'keys.search'], ['G H A R T P D U', 'keys.go'], ['?', 'keys.help'],
];

addEventListener('keydown', (event) => {
  const at = event.target;
  if ((event.ctrlKey || event.metaKey) && event.key === 'k') { event.preventDefault(); go('/search'); return; }
  if (at.matches?.('input, textarea, select, [contenteditable]') || document.querySelector('dialog[open]') || event.defaultPrevented) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey && (key === 'ArrowLeft' || key === 'ArrowRight')) { event.preventDefault(); (key === 'ArrowLeft' ? player.previous : player.next)(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (awaitsPlace && Date.now() - awaitsPlace < 1500) {
    awaitsPlace = 0;
    if (places[key]) { event.preventDefault(); go(places[key]); scrollTo(0, 0); return; }
  }
  const far = event.shiftKey ? 30 : 5;
  const run = {
    ' ': at.matches?.('button, a, summary, [role="menuitem"]') ? null : player.toggle,
    ArrowLeft: () => player.seek(player.position.value - far), ArrowRight: () => player.seek(player.position.value + far),
    m: player.toggleMute, s: player.toggleShuffle, r: player.cycleRepeat,
    f: () => player.current.value && star(player.current.value),
    q: () => { panel.value = panel.value === 'queue' ? '' : 'queue'; },
    l: () => { panel.value = panel.value === 'lyrics' ? '' : 'lyrics'; },
    '/': () => go('/search'), g: () => { awaitsPlace = Date.now(); }, '?': () => { isHelpOpen.value = true; },
    Escape: () => { panel.value = ''; },
  }[key];
  if (!run) return;
  event.preventDefault();
  run();
});
