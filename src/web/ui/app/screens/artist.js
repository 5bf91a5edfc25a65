// One artist: what is played most, the albums, where else it appears, and who is like it.
import { h, html } from '../../vendor/ui.js';
import { coverUrl, get } from '../api.js';
import { t } from '../i18n.js';
import { play, radio } from '../player/player.js';
import { complain, revision, useFetched } from '../store.js';
import { Art, Button, Empty, Failed, initialsOf, Soon } from '../ui/parts.js';
import { AlbumTile, ArtistTile } from '../ui/tiles.js';
import { Heart, TrackList } from '../ui/tracks.js';

const Grid = ({ title, albums, byYear }) => albums.length > 0 && html`<section class="section"><header><h2>${title}</h2></header>
  <ul class="tilegrid">${albums.map((album) => html`<li key=${album.id}>${h(AlbumTile, { album, byYear })}</li>`)}</ul></section>`;

function Similar({ id }) {
  const { data } = useFetched(`artists/${id}/similar?limit=12`);
  return data?.items.length > 0 && html`<section class="section"><header><h2>${t('artist.similar')}</h2></header>
    <ul class="tilegrid">${data.items.map((artist) => html`<li key=${artist.id}>${h(ArtistTile, { artist })}</li>`)}</ul></section>`;
}

export default function Artist({ id }) {
  const { data: artist, failure, retry, isMissing } = useFetched(`artists/${id}`, revision.value);
  if (isMissing) return html`<div class="page">${h(Empty, { title: t('artist.missing'), icon: 'mic', level: 'h1' }, html`<a class="btn secondary" href="/artists">${t('artists.title')}</a>`)}</div>`;
  if (failure && !artist) return h(Failed, { failure, retry });
  if (!artist) return h(Soon, {}, html`<div class="hero"></div>`);
  const all = (options) => get(`tracks?artist=${id}&order=album&limit=1000`).then((list) => play(list.items, 0, { from: artist.name, ...options }), complain);
  return html`<article><header class="hero left">${artist.cover && html`<div class="tintbox"><img class="tint" src=${coverUrl(artist.cover, 96)} alt=""/></div>`}
      ${h(Art, { cover: artist.cover, size: 640, className: 'round', initials: initialsOf(artist.name), name: artist.name, lazy: false })}
      <div class="texts"><p class="kind">${[t('kind.artist'), artist.albumCount > 0 && t('count.albums', { count: artist.albumCount }), t('count.tracks', { count: artist.trackCount })].filter(Boolean).join(' · ')}</p><h1 dir="auto">${artist.name}</h1></div></header>
    <div class="actions">${h(Button, { kind: 'primary', icon: 'play', onClick: () => all({ shuffle: false }) }, t('action.play'))}
      ${h(Button, { icon: 'shuffle', onClick: () => all({ shuffle: true }) }, t('action.shuffle'))}
      ${h(Button, { icon: 'activity', onClick: () => radio(artist, artist.name) }, t('radio.radio'))}${h(Heart, { item: artist, name: artist.name })}</div>
    <div class="body">${artist.topTracks.length > 0 && html`<section class="section"><header><h2>${t('artist.top')}</h2></header>${h(TrackList, { tracks: artist.topTracks, from: artist.name, wide: true })}</section>`}
      ${h(Grid, { title: t('albums.title'), albums: artist.albums, byYear: true })}${h(Grid, { title: t('artist.appears'), albums: artist.appearsOn })}${h(Similar, { id })}</div></article>`;
}
