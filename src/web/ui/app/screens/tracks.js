// Every track, as one long virtual table.
import { h, html, useState } from '../../vendor/ui.js';
import { get } from '../api.js';
import { t } from '../i18n.js';
import { play } from '../player/player.js';
import { complain } from '../store.js';
import { Button, Empty } from '../ui/parts.js';
import { TrackHead, TrackRow, trackSkeleton } from '../ui/tracks.js';
import { rowsOf52, Virtual } from '../ui/virtual.js';

export default function Tracks() {
  const [order, setOrder] = useState('title');
  const [total, setTotal] = useState(null);
  const source = order === 'favourites' ? 'tracks?order=starred&starred=true' : `tracks?order=${order}`;
  // What plays on is the list from here: as far as a queue reasonably goes.
  const from = (at) => get(`${source}&offset=${at}&limit=500`).then((list) => play(list.items, 0, { from: t('tracks.title'), shuffle: false }), complain);
  const mix = () => get('tracks?order=random&limit=300').then((list) => play(list.items, 0, { from: t('tracks.mix'), shuffle: false }), complain);
  return html`<div class="page"><div class="pagehead"><div><h1>${t('tracks.title')}</h1><p>${total === null ? '\u00a0' : t('count.tracks', { count: total })}</p></div>
      <div class="filters"><div class="filters" role="group" aria-label=${t('tracks.order')}>${['title', 'album', 'newest', 'frequent', 'favourites'].map((one) => html`<button type="button" key=${one} aria-pressed=${String(one === order)} onClick=${() => setOrder(one)}>${t(`order.${one}`)}</button>`)}</div>
        ${h(Button, { icon: 'shuffle', className: 'small', onClick: mix }, t('action.shuffleAll'))}</div></div>
    <div class="tracks wide">${h(TrackHead, { wide: true })}
      ${h(Virtual, { key: source, source, shape: rowsOf52, label: t('tracks.title'), onTotal: setTotal, skeleton: trackSkeleton,
        item: (track, at) => h(TrackRow, { track, number: at + 1, wide: true, onPlay: () => from(at) }), empty: h(Empty, { title: t('tracks.none'), icon: 'music' }) })}</div></div>`;
}
