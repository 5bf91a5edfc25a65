// Album and artist tiles: one link, and a play button that shows on hover and focus.
import { h, html } from '../../vendor/ui.js';
import { get } from '../api.js';
import { t } from '../i18n.js';
import { play } from '../player/player.js';
import { complain } from '../store.js';
import { Art, Icon, initialsOf } from './parts.js';

export const playAlbum = (id, options) => get(`albums/${id}`).then((album) => play(album.tracks, 0, { from: album.name, ...options }), complain);

export function AlbumTile({ album, byYear }) {
  return html`<div class="tile">
    <a class="cover" href=${`/album/${album.id}`} tabindex="-1" aria-hidden="true">${h(Art, { cover: album.cover, size: 320, name: album.name })}</a>
    <span class="name" dir="auto"><a href=${`/album/${album.id}`}>${album.name}</a></span>
    <span class="sub" dir="auto">${byYear
      ? [album.year, album.kind && t(`kind.${album.kind}`)].filter(Boolean).join(' · ') || '\u00a0'
      : album.artists.length === 1 ? html`<a href=${`/artist/${album.artists[0].id}`}>${album.artist}</a>` : album.artist}</span>
    <span class="pick"><button type="button" aria-label=${t('album.play', { name: album.name })} onClick=${() => playAlbum(album.id)}>${h(Icon, { name: 'play', filled: true })}</button></span>
  </div>`;
}

export function ArtistTile({ artist }) {
  return html`<div class="tile center">
    <a class="cover" href=${`/artist/${artist.id}`} tabindex="-1" aria-hidden="true">${h(Art, { cover: artist.cover, size: 320, className: 'round', initials: initialsOf(artist.name), name: artist.name })}</a>
    <span class="name" dir="auto"><a href=${`/artist/${artist.id}`}>${artist.name}</a></span>
    <span class="sub">${artist.albumCount ? t('count.albums', { count: artist.albumCount }) : t('count.tracks', { count: artist.trackCount })}</span>
  </div>`;
}

export const tileSkeleton = () => html`<div class="tile"><span class="art skel"></span><span class="skel name">\u00a0</span></div>`;
