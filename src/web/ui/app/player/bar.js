// The player bar, the full player on phones, and the queue with lyrics.
import { h, html, signal, useEffect, useLayoutEffect, useRef, useState } from '../../vendor/ui.js';
import { coverUrl, get } from '../api.js';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { Art, Button, Icon, IconButton } from '../ui/parts.js';
import { Heart, Names, picking } from '../ui/tracks.js';
import * as player from './player.js';
import { limit, streamed } from './engine.js';

/** 'queue', 'lyrics' or nothing. */
export const panel = signal('');
export const isFull = signal(false);

export function Range({ value, max, label, spoken, onInput, onCommit, step = 1 }) {
  const ref = useRef();
  useLayoutEffect(() => { ref.current.style.setProperty('--at', `${max ? (value / max) * 100 : 0}%`); }, [value, max]);
  return html`<input type="range" class="range" ref=${ref} min="0" max=${max} step=${step} value=${value} aria-label=${label} aria-valuetext=${spoken}
    onInput=${(event) => onInput(Number(event.currentTarget.value))} onChange=${(event) => onCommit?.(Number(event.currentTarget.value))}/>`;
}

/** Follows the music, except while it is dragged. */
export function Seek() {
  const [held, hold] = useState(null);
  const value = held ?? player.position.value;
  const max = Math.max(1, player.duration.value);
  return html`<div class="seek"><span>${clock(value)}</span>
    ${h(Range, { value: Math.min(value, max), max, step: 0.1, label: t('player.seek'), spoken: t('player.position', { at: clock(value), of: clock(max) }), onInput: hold, onCommit: (to) => { hold(null); player.seek(to); } })}
    <span>${clock(max)}</span></div>`;
}

const PlayPause = ({ className = 'go' }) => {
  const on = player.isPlaying.value;
  return html`<button type="button" class=${`${className} phone ${on && player.isWaiting.value ? 'busy' : ''}`} aria-label=${t(on ? 'player.pause' : 'player.play')} onClick=${player.toggle}>
    ${h(Icon, { name: on ? 'pause' : 'play', filled: true, className: on ? '' : 'play' })}</button>`;
};

const Modes = {
  shuffle: () => h(IconButton, { icon: 'shuffle', label: t('player.shuffle'), pressed: player.isShuffled.value, filled: false, onClick: player.toggleShuffle }),
  repeat: () => h(IconButton, { icon: player.repeat.value === 'one' ? 'repeat-1' : 'repeat', label: t(`player.repeat.${player.repeat.value}`), pressed: player.repeat.value !== 'off', filled: false, onClick: player.cycleRepeat }),
};

function quality(track) {
  const how = player.isPlaying.value || player.position.value ? streamed() : null;
  if (how) return t('quality.transcoded', { to: limit() ? `${how.toUpperCase()} ${limit()}` : how.toUpperCase() });
  const name = track.codec.toUpperCase();
  return track.lossless ? `${name} ${track.sampleRate / 1000}` : `${name} ${track.bitrate}`;
}

export function PlayerBar() {
  const track = player.current.value;
  if (!track) return null;
  const level = player.isMuted.value ? 0 : player.volume.value;
  const flip = (name) => { panel.value = panel.value === name ? '' : name; };
  return html`<section class="player" aria-label=${t('player.label')}>
    <div class="now">
      <button type="button" class="phoneonly" aria-label=${t('player.open')} onClick=${() => { isFull.value = true; }}>${h(Art, { cover: track.cover, size: 96, icon: 'music', name: track.albumName })}</button>
      <a class="wideonly" href=${track.album ? `/album/${track.album}` : '/albums'} aria-label=${t('go.album')}>${h(Art, { cover: track.cover, size: 128, icon: 'music', name: track.albumName })}</a>
      <div class="texts"><b dir="auto" title=${track.title}>${track.title}</b><small dir="auto">${h(Names, { artists: track.artists, text: track.artist })}</small></div>
      ${h(Heart, { item: track, name: track.title })}
    </div>
    <div class="mid"><div class="keys">
      ${h(Modes.shuffle)}
      ${h(IconButton, { icon: 'skip-back', label: t('player.previous'), onClick: player.previous })}
      ${h(PlayPause)}
      ${h(IconButton, { icon: 'skip-forward', label: t('player.next'), onClick: player.next, className: 'phone' })}
      ${h(Modes.repeat)}
    </div>${h(Seek)}</div>
    <div class="ends">
      <span class="chip" title=${t('quality.help')}>${quality(track)}</span>
      ${track.hasLyrics && h(IconButton, { icon: 'mic-vocal', label: t('lyrics.title'), pressed: panel.value === 'lyrics', filled: false, onClick: () => flip('lyrics') })}
      ${h(IconButton, { icon: 'activity', label: t('radio.like', { name: track.title }), onClick: () => player.radio(track, track.title) })}
      ${h(IconButton, { icon: 'list-music', label: t('queue.title'), pressed: panel.value === 'queue', filled: false, onClick: () => flip('queue') })}
      <div class="vol">${h(IconButton, { icon: level === 0 ? 'volume-x' : level < 0.5 ? 'volume-1' : 'volume-2', label: t('player.mute'), pressed: player.isMuted.value, filled: false, onClick: player.toggleMute })}
        ${h(Range, { value: level, max: 1, step: 0.01, label: t('player.volume'), spoken: `${Math.round(level * 100)} %`, onInput: player.setVolume })}</div>
    </div>
  </section>`;
}

/** What another device played last, to go on with here. */
export function Elsewhere() {
  const saved = player.elsewhere.value;
  const track = saved?.tracks[saved.current];
  if (!track) return null;
  return html`<section class="card elsewhere" aria-label=${t('elsewhere.title')}>${h(Art, { cover: track.cover, size: 96, className: 'm', icon: 'music', name: track.albumName })}
    <span class="what"><b dir="auto">${track.title}</b><small dir="auto">${t('elsewhere.from', { artist: track.artist, client: saved.changedBy || t('elsewhere.other'), at: clock(saved.position) })}</small></span>
    ${h(Button, { kind: 'primary', icon: 'play', onClick: player.takeOver }, t('elsewhere.continue'))}
    ${h(IconButton, { icon: 'x', label: t('action.close'), onClick: () => { player.elsewhere.value = null; } })}</section>`;
}

export function QueuePanel() {
  const close = () => { panel.value = ''; };
  if (panel.value === 'lyrics' && player.current.value) return h(LyricsPanel, { track: player.current.value, close });
  if (panel.value !== 'queue') return null;
  const list = player.queue.value;
  const at = player.index.value;
  // A queue may hold thousands; what is near is shown.
  const start = Math.max(0, at);
  const shown = list.slice(start, start + 200);
  return html`<aside class="queue" aria-label=${t('queue.title')}>
    <header><h2>${t('queue.title')}</h2>
      ${list.length > 0 && h(IconButton, { icon: 'list-plus', label: t('queue.save'), onClick: () => { picking.value = list; } })}
      ${list.length > 0 && h(IconButton, { icon: 'trash-2', label: t('queue.clear'), onClick: () => { player.clear(); close(); } })}
      ${h(IconButton, { icon: 'x', label: t('action.close'), onClick: close })}</header>
    ${h(Elsewhere)}
    <div class="scroll" tabindex="0" role="group" aria-label=${t('queue.title')}>${shown.map((track, n) => html`
      ${n === 0 && html`<h3>${t('queue.now')}</h3>`}${n === 1 && html`<h3>${player.from.value ? t('queue.from', { name: player.from.value }) : t('queue.upNext')}</h3>`}
      <div class=${`qrow ${n === 0 ? 'on' : ''}`} key=${`${track.id}-${start + n}`} onKeyDown=${(event) => {
        if (event.altKey && event.key === 'ArrowUp') { event.preventDefault(); player.move(start + n, start + n - 1); }
        if (event.altKey && event.key === 'ArrowDown') { event.preventDefault(); player.move(start + n, start + n + 1); }
        if (event.key === 'Delete' && n > 0) player.removeAt(start + n);
      }}>
        <button type="button" class="open" onClick=${() => (n === 0 ? player.toggle() : player.jump(start + n))}>
          ${h(Art, { cover: track.cover, size: 96, className: 's', icon: 'music', name: track.albumName })}<span><b dir="auto">${track.title}</b><small dir="auto">${track.artist}</small></span><span class="sr">, ${t('action.play')}</span></button>
        ${n > 1 && h(IconButton, { icon: 'chevron-down', className: 'up', label: t('queue.up', { name: track.title }), onClick: () => player.move(start + n, start + n - 1) })}
        ${n > 0 && h(IconButton, { icon: 'x', label: t('queue.remove', { name: track.title }), onClick: () => player.removeAt(start + n) })}
      </div>`)}
      ${list.length > start + 200 && html`<p class="note">${t('queue.more', { count: list.length - start - 200 })}</p>`}
    </div></aside>`;
}

function LyricsPanel({ track, close }) {
  const [all, set] = useState(null);
  const now = useRef();
  useEffect(() => { set(null); get(`tracks/${track.id}/lyrics`).then((found) => set(found.items), () => set([])); }, [track.id]);
  const sung = all?.filter((one) => one.main);
  const lyrics = sung?.find((one) => one.synced) ?? sung?.[0];
  const ms = player.position.value * 1000;
  const line = lyrics?.synced ? lyrics.lines.findLastIndex((one) => one.at <= ms) : -1;
  useEffect(() => { now.current?.scrollIntoView({ block: 'center', behavior: 'smooth' }); }, [line]);
  return html`<aside class="queue" aria-label=${t('lyrics.title')}><header><h2>${t('lyrics.title')}</h2>${h(IconButton, { icon: 'x', label: t('action.close'), onClick: close })}</header>
    <div class="scroll" tabindex="0" role="group" aria-label=${t('lyrics.title')}><div class="lyrics" dir="auto">
      ${all && !lyrics && html`<p>${t('lyrics.none')}</p>`}
      ${lyrics?.lines.map((one, at) => (lyrics.synced
        ? html`<button type="button" key=${at} ref=${at === line ? now : undefined} class=${at === line ? 'now' : ''} aria-current=${at === line ? 'true' : undefined} onClick=${() => player.seek(one.at / 1000)}>${at === line && one.words.length ? one.words.map((word) => html`<span class=${word.at <= ms ? '' : 'later'}>${word.text}</span>`) : one.text || '♪'}</button>`
        : html`<p key=${at}>${one.text || '\u00a0'}</p>`))}
    </div></div></aside>`;
}

/** The whole screen for what plays; phones open it from the bar. */
export function FullPlayer() {
  const ref = useRef();
  const track = player.current.value;
  useLayoutEffect(() => { ref.current?.showModal(); }, [!track]);
  if (!track) return null;
  const close = () => { isFull.value = false; };
  return html`<dialog class="full" ref=${ref} aria-label=${t('player.label')} onClose=${close}>
    ${track.cover && html`<img class="tint" src=${coverUrl(track.cover, 96)} alt=""/>`}
    <header>${h(IconButton, { icon: 'chevron-down', label: t('action.close'), onClick: () => ref.current.close() })}
      ${h(IconButton, { icon: 'activity', label: t('radio.like', { name: track.title }), onClick: () => player.radio(track, track.title) })}
      ${h(IconButton, { icon: 'list-music', label: t('queue.title'), onClick: () => { ref.current.close(); panel.value = 'queue'; } })}</header>
    <div class="body">${h(Art, { cover: track.cover, size: 640, lazy: false, icon: 'music', name: track.albumName })}
      <div class="panel"><div class="who"><span><b dir="auto">${track.title}</b><span dir="auto">${track.artist}</span></span>${h(Heart, { item: track, name: track.title })}</div>
        ${h(FullSeek)}
        <div class="keys">${h(Modes.shuffle)}${h(IconButton, { icon: 'skip-back', label: t('player.previous'), onClick: player.previous })}${h(PlayPause)}
          ${h(IconButton, { icon: 'skip-forward', label: t('player.next'), onClick: player.next })}${h(Modes.repeat)}</div></div></div></dialog>`;
}

function FullSeek() {
  const [held, hold] = useState(null);
  const value = held ?? player.position.value;
  const max = Math.max(1, player.duration.value);
  return html`<div>${h(Range, { value: Math.min(value, max), max, step: 0.1, label: t('player.seek'), spoken: t('player.position', { at: clock(value), of: clock(max) }), onInput: hold, onCommit: (to) => { hold(null); player.seek(to); } })}
    <div class="times"><span>${clock(value)}</span><span>${clock(max)}</span></div></div>`;
}
