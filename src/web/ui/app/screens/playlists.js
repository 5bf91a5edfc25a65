// Playlists, one playlist, and the dialog that adds tracks to one.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { coverUrl, patch, remove } from '../api.js';
import { length } from '../format.js';
import { t } from '../i18n.js';
import { play } from '../player/player.js';
import { go } from '../router.js';
import { complain, forget, revision, session, toast, useFetched } from '../store.js';
import { Art, Button, Dialog, Empty, Failed, Field, Icon, Menu, Soon } from '../ui/parts.js';
import { addToPlaylist, myPlaylists, newPlaylist, picking, TrackList } from '../ui/tracks.js';

const again = () => { forget(); revision.value += 1; };

export default function Playlists() {
  const { data, failure, retry } = useFetched('playlists', revision.value);
  return html`<div class="page"><div class="pagehead"><h1>${t('playlists.title')}</h1>${h(Button, { icon: 'plus', kind: 'primary', onClick: () => { picking.value = []; } }, t('playlist.new'))}</div>
    ${failure && !data && h(Failed, { failure, retry })}
    ${data && (data.items.length === 0 ? h(Empty, { title: t('playlists.none'), icon: 'list-music' }, html`<p>${t('playlists.noneText')}</p>`)
      : html`<ul class="tilegrid">${data.items.map((one) => html`<li key=${one.id}><div class="tile"><a class="cover" href=${`/playlist/${one.id}`} tabindex="-1" aria-hidden="true">${h(Art, { cover: one.cover, icon: 'list-music', name: one.name })}</a>
        <span class="name" dir="auto"><a href=${`/playlist/${one.id}`}>${one.name}</a></span><span class="sub">${t('count.tracks', { count: one.trackCount })}${one.own ? '' : ` · ${one.owner}`}</span></div></li>`)}</ul>`)}</div>`;
}

export function Playlist({ id }) {
  const { data: list, failure, retry, isMissing } = useFetched(`playlists/${id}`, revision.value);
  const [rename, setRename] = useState(false);
  if (isMissing) return html`<div class="page">${h(Empty, { title: t('playlist.missing'), icon: 'list-music', level: 'h1' }, html`<a class="btn secondary" href="/playlists">${t('playlists.title')}</a>`)}</div>`;
  if (failure && !list) return h(Failed, { failure, retry });
  if (!list) return h(Soon, {}, html`<div class="hero"></div>`);
  const change = (body) => patch(`playlists/${id}`, body).then(again, complain);
  const drop = () => remove(`playlists/${id}`).then(() => { again(); go('/playlists'); toast(t('playlist.removed', { name: list.name })); }, complain);
  return html`<article><header class="hero">${list.cover && html`<div class="tintbox"><img class="tint" src=${coverUrl(list.cover, 96)} alt=""/></div>`}${h(Art, { cover: list.cover, size: 640, icon: 'list-music', name: list.name, lazy: false })}<div class="texts"><p class="kind">${[t('kind.playlist'), list.owner, t('count.tracks', { count: list.tracks.length }), list.duration > 0 && length(list.duration * 1000)].filter(Boolean).join(' · ')}</p><h1 dir="auto">${list.name}</h1></div></header>
    <div class="actions">${h(Button, { kind: 'primary', icon: 'play', disabled: !list.tracks.length, onClick: () => play(list.tracks, 0, { from: list.name, shuffle: false }) }, t('action.play'))}
      ${h(Button, { icon: 'shuffle', disabled: !list.tracks.length, onClick: () => play(list.tracks, 0, { from: list.name, shuffle: true }) }, t('action.shuffle'))}
      ${list.editable && h(Menu, { label: t('playlist.more'), items: [
        { label: t('playlist.rename'), icon: 'pencil', onPick: () => setRename(true) },
        { label: t(list.public ? 'playlist.private' : 'playlist.public'), icon: 'users', onPick: () => change({ public: !list.public }) },
        { label: t('playlist.delete'), icon: 'trash-2', danger: true, onPick: drop }] })}</div>
    <div class="body">${list.tracks.length ? h(TrackList, { tracks: list.tracks, from: list.name, wide: true, removeAt: list.editable ? (at) => change({ remove: [at] }) : undefined })
      : h(Empty, { title: t('playlist.empty'), icon: 'list-music' }, html`<p>${t('playlists.noneText')}</p>`)}</div>
    ${rename && h(NameDialog, { title: t('playlist.rename'), name: list.name, onClose: () => setRename(false), onName: (name) => change({ name }) })}</article>`;
}

function NameDialog({ title, name: was, onName, onClose }) {
  const [name, set] = useState(was);
  const done = (event) => { event.preventDefault(); if (name.trim()) { onName(name.trim()); onClose(); } };
  return h(Dialog, { title, onClose }, html`<form class="stack" onSubmit=${done}>${h(Field, { id: 'playlist-name', label: t('playlist.name') },
    html`<input class="input" id="playlist-name" value=${name} onInput=${(event) => set(event.currentTarget.value)} autofocus required maxlength="200"/>`)}
    <footer><button class="btn primary">${t('action.save')}</button></footer></form>`);
}

/** Open while `picking` holds tracks. With none, it just makes a playlist. */
export function PlaylistPicker() {
  const tracks = picking.value;
  const [lists, set] = useState([]);
  const [name, setName] = useState('');
  useEffect(() => { if (tracks?.length) myPlaylists().then((all) => set(all.items.filter((one) => one.own)), complain); }, [tracks]);
  if (!tracks) return null;
  const close = () => { picking.value = null; setName(''); };
  const done = (to) => { close(); toast(tracks.length ? t('playlist.added', { count: tracks.length, name: to }) : t('playlist.made', { name: to })); };
  const make = (event) => { event.preventDefault(); if (name.trim()) newPlaylist(name.trim(), tracks).then(() => done(name.trim()), complain); };
  return h(Dialog, { title: t(tracks.length ? 'playlist.add' : 'playlist.new'), onClose: close }, html`
    ${tracks.length > 0 && lists.length > 0 && html`<ul class="list">${lists.map((one) => html`<li key=${one.id}><button type="button" class="what pickrow" onClick=${() => addToPlaylist(one.id, tracks).then(() => done(one.name), complain)}>
      ${h(Icon, { name: 'list-music' })}<span><b>${one.name}</b><small>${t('count.tracks', { count: one.trackCount })}</small></span></button></li>`)}</ul>`}
    <form class="stack" onSubmit=${make}>${h(Field, { id: 'new-playlist', label: t('playlist.newName') }, html`<input class="input" id="new-playlist" value=${name} onInput=${(event) => setName(event.currentTarget.value)} required maxlength="200" placeholder=${t('playlist.namePlaceholder', { name: session.value.user.displayName })}/>`)}
      <footer><button class="btn primary">${t('playlist.create')}</button></footer></form>`);
}
