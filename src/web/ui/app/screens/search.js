// Search while typing; the best of each kind.
import { h, html, useEffect, useRef, useState } from '../../vendor/ui.js';
import { t } from '../i18n.js';
import { go, path } from '../router.js';
import { revision, useFetched } from '../store.js';
import { Empty, Failed, Icon } from '../ui/parts.js';
import { AlbumTile, ArtistTile } from '../ui/tiles.js';
import { TrackList } from '../ui/tracks.js';

export default function Search() {
  const asked = new URLSearchParams(path.value.split('?')[1] ?? '').get('q') ?? '';
  const [text, setText] = useState(asked);
  const field = useRef();
  useEffect(() => field.current.focus(), []);
  useEffect(() => {
    const timer = setTimeout(() => go(text.trim() ? `/search?q=${encodeURIComponent(text.trim())}` : '/search', { replace: true }), 150);
    return () => clearTimeout(timer);
  }, [text]);
  const { data, failure, retry } = useFetched(asked && `search?q=${encodeURIComponent(asked)}`, revision.value);
  const found = data && data.artists.length + data.albums.length + data.tracks.length;
  return html`<div class="page"><h1 class="sr">${t('search.title')}</h1>
    <form class="searchbox" role="search" onSubmit=${(event) => event.preventDefault()}>${h(Icon, { name: 'search' })}
      <input class="input" type="search" ref=${field} value=${text} aria-label=${t('search.title')} placeholder=${t('search.placeholder')} autocomplete="off" spellcheck="false" onInput=${(event) => setText(event.currentTarget.value)}/></form>
    <p class="sr" role="status">${asked && data ? t('search.found', { count: found }) : ''}</p>
    ${!asked && h(Empty, { title: t('search.start'), icon: 'search' }, html`<p>${t('search.startText')}</p>`)}
    ${asked && failure && !data && h(Failed, { failure, retry })}
    ${asked && data && found === 0 && h(Empty, { title: t('search.none', { text: asked }), icon: 'search' }, html`<p>${t('search.noneText')}</p>`)}
    ${asked && data && html`
      ${data.tracks.length > 0 && html`<section class="section"><header><h2>${t('tracks.title')}</h2></header>${h(TrackList, { tracks: data.tracks, wide: true, from: t('search.from', { text: asked }) })}</section>`}
      ${data.albums.length > 0 && html`<section class="section"><header><h2>${t('albums.title')}</h2></header><ul class="tilegrid">${data.albums.map((album) => html`<li key=${album.id}>${h(AlbumTile, { album })}</li>`)}</ul></section>`}
      ${data.artists.length > 0 && html`<section class="section"><header><h2>${t('artists.title')}</h2></header><ul class="tilegrid">${data.artists.map((artist) => html`<li key=${artist.id}>${h(ArtistTile, { artist })}</li>`)}</ul></section>`}`}</div>`;
}
