// The speakers of the house: one queue that everybody drives.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { get, post } from '../api.js';
import { jukeboxVersion } from '../events.js';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import * as player from '../player/player.js';
import { Range } from '../player/bar.js';
import { complain, toast } from '../store.js';
import { Art, Button, Empty, Failed, Icon, IconButton } from '../ui/parts.js';

export default function Speakers() {
  const [state, set] = useState(null);
  const [failure, fail] = useState(null);
  const [tick, setTick] = useState(0);
  const take = (now) => set({ ...now, at: performance.now() });
  useEffect(() => { get('jukebox').then(take, fail); }, [jukeboxVersion.value]);
  useEffect(() => {
    const timer = setInterval(() => setTick((one) => one + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  if (failure && !state) return h(Failed, { failure });
  if (!state) return null;
  if (!state.there) return html`<div class="page">${h(Empty, { title: t('speakers.none'), icon: 'speaker', level: 'h1' }, html`<p>${t('speakers.noneText')}</p>`)}</div>`;
  const wish = (body) => post('jukebox', body).then(take, complain);
  const track = state.tracks[state.current];
  const at = state.playing ? Math.min(track?.duration ?? 0, state.position + (performance.now() - state.at) / 1000) : state.position;
  const mine = player.queue.value;
  const send = () => { wish({ action: 'play', tracks: mine.map((one) => one.id), index: Math.max(0, player.index.value), offset: player.position.value }); if (player.isPlaying.value) player.toggle(); };
  return html`<div class="page speakers" data-tick=${tick}><div class="pagehead"><div><h1>${t('speakers.title')}</h1><p>${t('speakers.by', { name: state.output })}</p></div>
      ${mine.length > 0 && h(Button, { icon: 'speaker', onClick: send }, t('speakers.send'))}</div>
    ${state.trouble && html`<p class="chip danger tall" role="alert">${state.trouble}</p>`}
    <section class="card box" aria-label=${t('speakers.now')}>
      ${h(Art, { cover: track?.cover, size: 320, className: 'm', icon: 'speaker', name: track?.albumName ?? '' })}
      <div class="what"><b dir="auto">${track?.title ?? t('speakers.silent')}</b><small dir="auto">${track ? `${track.artist} · ${clock(at)} / ${clock(track.duration)}` : t('speakers.silentText')}</small></div>
      <div class="keys">${h(IconButton, { icon: 'skip-back', label: t('player.previous'), disabled: !(state.current > 0), onClick: () => wish({ action: 'skip', index: state.current - 1 }) })}
        <button type="button" class="go" aria-label=${t(state.playing ? 'speakers.stop' : 'speakers.start')} disabled=${!state.tracks.length} onClick=${() => wish({ action: state.playing ? 'stop' : 'start' })}>${h(Icon, { name: state.playing ? 'pause' : 'play', filled: true })}</button>
        ${h(IconButton, { icon: 'skip-forward', label: t('player.next'), disabled: state.current === null || state.current + 1 >= state.tracks.length, onClick: () => wish({ action: 'skip', index: state.current + 1 }) })}</div>
      <div class="gain">${h(Icon, { name: 'volume-2' })}${h(Range, { value: state.gain, max: 1, step: 0.01, label: t('speakers.gain'), spoken: `${Math.round(state.gain * 100)} %`, onInput: (gain) => set({ ...state, gain }), onCommit: (gain) => wish({ action: 'gain', gain }) })}</div>
    </section>
    <section class="section"><header><h2>${t('queue.title')}</h2><span class="row">${state.tracks.length > 1 && h(Button, { className: 'small', icon: 'shuffle', onClick: () => wish({ action: 'shuffle' }) }, t('player.shuffle'))}
      ${state.tracks.length > 0 && h(Button, { className: 'small', icon: 'trash-2', onClick: () => wish({ action: 'clear' }) }, t('queue.clear'))}</span></header>
    ${state.tracks.length === 0 ? h(Empty, { title: t('speakers.empty'), icon: 'list-music', level: 'h3' }, html`<p>${t('speakers.emptyText')}</p>`)
      : html`<ol class="list ranked">${state.tracks.map((one, place) => html`<li key=${`${one.id}-${place}`} class=${place === state.current ? 'on' : ''} aria-current=${place === state.current ? 'true' : undefined}>${h(Art, { cover: one.cover, size: 96, className: 's', icon: 'music', name: one.albumName })}
        <span class="what"><b dir="auto">${one.title}</b><small dir="auto">${one.artist}</small></span>
        ${h(IconButton, { icon: 'play', label: t('track.play', { name: one.title }), onClick: () => wish({ action: 'skip', index: place }) })}
        ${h(IconButton, { icon: 'x', label: t('speakers.remove', { name: one.title }), onClick: () => wish({ action: 'remove', index: place }) })}</li>`)}</ol>`}</section></div>`;
}

/** Puts tracks at the end of what the speakers play. */
export function addToSpeakers(tracks) {
  return post('jukebox', { action: 'add', tracks: tracks.map((one) => one.id) }).then(() => toast(t('speakers.added', { count: tracks.length })), complain);
}
