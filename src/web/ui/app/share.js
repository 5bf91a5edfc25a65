// The public page of a share: plays its tracks in order. Without it the page plays track by track by its links.
import { streamFrom } from './api.js';
import * as engine from './player/engine.js';

const root = document.querySelector('.shared');
const rows = [...document.querySelectorAll('.tracklist > li')];
const byId = (id) => document.getElementById(id);
const tracks = rows.map((row) => ({ id: row.dataset.id, title: row.dataset.title, artist: row.dataset.artist, duration: Number(row.dataset.duration), container: row.dataset.container, codec: row.dataset.codec }));
streamFrom(root.dataset.tracks);
let index = -1;
let held = false;
let isPlaying = false;

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function show() {
  const track = tracks[index];
  byId('player').hidden = !track;
  document.body.classList.toggle('noplayer', !track);
  if (!track) return;
  byId('now-title').textContent = track.title;
  byId('now-artist').textContent = track.artist;
  byId('of').textContent = clock(track.duration);
  byId('seek').max = String(Math.max(1, track.duration));
  for (const [at, row] of rows.entries()) {
    row.classList.toggle('on', at === index);
    if (at === index) row.setAttribute('aria-current', 'true'); else row.removeAttribute('aria-current');
  }
  if (navigator.mediaSession && globalThis.MediaMetadata) navigator.mediaSession.metadata = new MediaMetadata({ title: track.title, artist: track.artist });
}

function state(on) {
  isPlaying = on;
  const toggle = byId('toggle');
  toggle.classList.toggle('playing', on);
  toggle.setAttribute('aria-label', on ? toggle.dataset.pause : toggle.dataset.play);
}

function play(at) {
  if (!tracks[at]) return;
  index = at;
  show();
  place(0);
  state(true);
  engine.start(tracks[at]);
}

function place(at) {
  byId('at').textContent = clock(at);
  if (held) return;
  const seek = byId('seek');
  seek.value = String(at);
  seek.style.setProperty('--at', `${(at / Number(seek.max)) * 100}%`);
}

function toggle() {
  if (index < 0) play(0);
  else if (isPlaying) { state(false); engine.pause(); } else { state(true); engine.resume(); }
}

engine.events.addEventListener('time', () => {
  place(engine.position());
  if (index >= 0 && engine.position() > 5) engine.prepare(tracks[index + 1] ?? null);
});
engine.events.addEventListener('playing', () => state(true));
engine.events.addEventListener('paused', () => state(false));
engine.events.addEventListener('ended', () => { if (tracks[index + 1]) play(index + 1); else state(false); });
engine.events.addEventListener('failed', () => { if (tracks[index + 1]) play(index + 1); else state(false); });

for (const [at, row] of rows.entries()) {
  row.querySelector('a.what').addEventListener('click', (event) => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    if (at === index) toggle(); else play(at);
  });
}
byId('play').hidden = !tracks.length;
byId('play').addEventListener('click', () => play(0));
byId('toggle').addEventListener('click', toggle);
byId('previous').addEventListener('click', () => { if (engine.position() > 3 || index === 0) engine.seek(0); else play(index - 1); });
byId('next').addEventListener('click', () => play(index + 1));
byId('seek').addEventListener('input', () => { held = true; byId('at').textContent = clock(Number(byId('seek').value)); });
byId('seek').addEventListener('change', () => { held = false; engine.seek(Number(byId('seek').value)); });
for (const [action, run] of Object.entries({ play: toggle, pause: toggle, previoustrack: () => play(index - 1), nexttrack: () => play(index + 1) })) {
  try { navigator.mediaSession?.setActionHandler(action, run); } catch { /* an action that this browser does not know */ }
}
document.body.classList.add('noplayer');
