// Track rows, in a table of an album or a long list.
import { h, html } from '../../vendor/ui.js';
import { call, get, post } from '../api.js';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { addToQueue, current, isPlaying, play, playNext, radio, toggle } from '../player/player.js';
import { go } from '../router.js';
import { canShare, complain, forget, hasSpeakers, revision, toast } from '../store.js';
import { signal } from '../../vendor/ui.js';
import { Art, Icon, IconButton, Menu } from './parts.js';

/** Stars given in this tab, ahead of what lists say. */
export const stars = signal(new Map());
export const isStarred = (item) => stars.value.get(item.id) ?? item.starred;

export async function star(item) {
  const to = !isStarred(item);
  stars.value = new Map(stars.value).set(item.id, to);
  try {
    await call(to ? 'PUT' : 'DELETE', `stars/${item.id}`);
    forget();
  } catch (failure) {
    stars.value = new Map(stars.value).set(item.id, !to);
    complain(failure);
  }
}

export function Heart({ item, name, className }) {
  const on = isStarred(item);
  return h(IconButton, { icon: 'heart', label: t(on ? 'star.remove' : 'star.add', { name }), pressed: on, className, onClick: () => star(item) });
}

/** The playlist dialog listens to this: the tracks to be added. */
export const picking = signal(null);

/** The share dialog listens to this: {ids, name}. */
export const sharing = signal(null);

export function trackMenu(track, remove) {
  return [
    { label: t('queue.next'), icon: 'list-end', onPick: () => { playNext([track]); toast(t('queue.added', { count: 1 })); } },
    { label: t('queue.add'), icon: 'list-plus', onPick: () => { addToQueue([track]); toast(t('queue.added', { count: 1 })); } },
    { label: t('radio.play'), icon: 'activity', onPick: () => radio(track, track.title) },
    { label: t('playlist.add'), icon: 'list-music', onPick: () => { picking.value = [track]; } },
    hasSpeakers.value && { label: t('speakers.add'), icon: 'speaker', onPick: () => import('../screens/speakers.js').then((module) => module.addToSpeakers([track]), complain) },
    canShare.value && { label: t('shares.menu'), icon: 'share-2', onPick: () => { sharing.value = { ids: [track.id], name: track.title }; } },
    track.album && { label: t('go.album'), icon: 'disc-3', onPick: () => go(`/album/${track.album}`) },
    track.artists[0] && { label: t('go.artist'), icon: 'mic', onPick: () => go(`/artist/${track.artists[0].id}`) },
    remove && { label: t('playlist.removeTrack'), icon: 'trash-2', danger: true, onPick: remove },
  ];
}

export function Eq() { return html`<span class=${`eq ${isPlaying.value ? 'go' : ''}`} aria-hidden="true"><i/><i/><i/></span>`; }

export const Names = ({ artists, text }) => (artists.length
  ? artists.map((one, at) => html`${at > 0 && ', '}<a href=${`/artist/${one.id}`}>${one.name}</a>`)
  : text);

/** `wide`: with cover, album and artist; else for an album page. */
export function TrackRow({ track, number, wide, albumArtist, onPlay, remove }) {
  const on = current.value?.id === track.id;
  const act = () => (on ? toggle() : onPlay());
  const label = t(on && isPlaying.value ? 'track.pause' : 'track.play', { name: track.title });
  return html`<div class=${`trow ${on ? 'on' : ''}`} aria-current=${on ? 'true' : undefined} onDblClick=${(event) => !event.target.closest('button,a') && onPlay()}
      onClick=${(event) => matchMedia('(hover: none)').matches && !event.target.closest('button,a') && act()}>
    <span class="no"><span>${on ? h(Eq) : number}</span><button type="button" aria-label=${label} onClick=${act}>${h(Icon, { name: on && isPlaying.value ? 'pause' : 'play', filled: true })}</button></span>
    ${wide
      ? html`<span class="cellart">${h(Art, { cover: track.cover, size: 96, className: 's', icon: 'music', name: track.albumName })}<span><span class="title" dir="auto">${track.title}</span><span class="by phoneonly" dir="auto">${track.artist}</span></span></span>
        <span class="cell wideonly" dir="auto">${h(Names, { artists: track.artists, text: track.artist })}</span>
        <span class="cell wideonly" dir="auto">${track.album ? html`<a href=${`/album/${track.album}`}>${track.albumName}</a>` : track.albumName}</span>`
      : html`<span class="cell"><span class="title" dir="auto">${track.title}</span>${track.artist !== albumArtist && html`<span class="by" dir="auto">${h(Names, { artists: track.artists, text: track.artist })}</span>`}</span>
        <span class="cell wideonly">${track.playCount || ''}</span>`}
    <span class="num">${clock(track.duration)}</span>
    <span class="acts"><span class="wideonly">${h(Heart, { item: track, name: track.title, className: 'fav' })}</span>${h(Menu, { label: t('track.more', { name: track.title }), items: trackMenu(track, remove) })}</span>
  </div>`;
}

export const TrackHead = ({ wide }) => html`<div class="trow head" aria-hidden="true"><span>#</span><span>${t('column.title')}</span>
  ${wide ? html`<span class="wideonly">${t('column.artist')}</span><span class="wideonly">${t('column.album')}</span>` : html`<span class="wideonly">${t('column.plays')}</span>`}
  <span class="num">${t('column.time')}</span><span></span></div>`;

export const trackSkeleton = () => html`<div class="trow"><span class="skel">\u00a0</span><span class="skel">\u00a0</span></div>`;

/** A list of tracks that are all here. */
export function TrackList({ tracks, from, wide, removeAt }) {
  return html`<div class=${`tracks ${wide ? 'wide' : ''}`}>${h(TrackHead, { wide })}<ul>${tracks.map((track, at) => html`<li key=${`${track.id}-${at}`}>
    ${h(TrackRow, { track, number: at + 1, wide, onPlay: () => play(tracks, at, { from }), remove: removeAt && (() => removeAt(at)) })}</li>`)}</ul></div>`;
}

export async function addToPlaylist(id, tracks) {
  await call('PATCH', `playlists/${id}`, { add: tracks.map((one) => one.id) });
  forget(); revision.value += 1;
}
export async function newPlaylist(name, tracks) {
  const made = await post('playlists', { name, tracks: tracks.map((one) => one.id) });
  forget(); revision.value += 1;
  return made;
}
export const myPlaylists = () => get('playlists');
