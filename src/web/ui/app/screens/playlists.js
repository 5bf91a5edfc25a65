// Playlists, one playlist, and the dialog that adds tracks to one.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { coverUrl, patch, remove } from '../api.js';
import { length } from '../format.js';
import { t } from '../i18n.js';
import { play } from '../player/player.js';
import { go } from '../router.js';
import { canShare, complain, forget, revision, session, toast, useFetched } from '../store.js';
import { Art, Button, Dialog, Empty, Failed, Field, Icon, Menu, Soon } from '../ui/parts.js';
import { addToPlaylist, myPlaylists, newPlaylist, picking, sharing, TrackList } from '../ui/tracks.js';
import { bringIn, PeopleDialog, RulesDialog } from './playlist_edit.js';

const again = () => { forget(); revision.value += 1; };

export default function Playlists() {
  const { data, failure, retry } = useFetched('playlists', revision.value);
  const [smart, setSmart] = useState(false);
  return html`<div class="page"><div class="pagehead"><h1>${t('playlists.title')}</h1><div class="filters">${h(Button, { icon: 'plus', kind: 'primary', onClick: () => { picking.value = []; } }, t('playlist.new'))}
      ${h(Menu, { label: t('playlists.more'), items: [{ label: t('rules.new'), icon: 'list-music', onPick: () => setSmart(true) }, { label: t('bring.in'), icon: 'upload', onPick: bringIn }] })}</div></div>
    ${smart && h(RulesDialog, { onClose: () => setSmart(false) })}
    ${failure && !data && h(Failed, { failure, retry })}
    ${data && (data.items.length === 0 ? h(Empty, { title: t('playlists.none'), icon: 'list-music' }, html`<p>${t('playlists.noneText')}</p>`)
      : html`<ul class="tilegrid">${data.items.map((one) => html`<li key=${one.id}><div class="tile"><a class="cover" href=${`/playlist/${one.id}`} tabindex="-1" aria-hidden="true">${h(Art, { cover: one.cover, icon: 'list-music', name: one.name })}</a>
        <span class="name" dir="auto"><a href=${`/playlist/${one.id}`}>${one.name}</a></span><span class="sub">${t('count.tracks', { count: one.trackCount })}${one.rules ? ` · ${t('kind.smart')}` : ''}${one.own ? '' : ` · ${one.owner}`}</span></div></li>`)}</ul>`)}</div>`;
}

export function Playlist({ id }) {
  const { data: list, failure, retry, isMissing } = useFetched(`playlists/${id}`, revision.value);
  const [dialog, setDialog] = useState(null);
  if (isMissing) return html`<div class="page">${h(Empty, { title: t('playlist.missing'), icon: 'list-music', level: 'h1' }, html`<a class="btn secondary" href="/playlists">${t('playlists.title')}</a>`)}</div>`;
  if (failure && !list) return h(Failed, { failure, retry });
  if (!list) return h(Soon, {}, html`<div class="hero"></div>`);
  const change = (body) => patch(`playlists/${id}`, body).then(again, complain);
  const drop = () => remove(`playlists/${id}`).then(() => { again(); go('/playlists'); toast(t('playlist.removed', { name: list.name })); }, complain);
  return html`<article><header class="hero">${list.cover && html`<div class="tintbox"><img class="tint" src=${coverUrl(list.cover, 96)} alt=""/></div>`}${h(Art, { cover: list.cover, size: 640, icon: 'list-music', name: list.name, lazy: false })}<div class="texts"><p class="kind">${[t(list.rules ? 'kind.smart' : 'kind.playlist'), list.owner, t('count.tracks', { count: list.tracks.length }), list.duration > 0 && length(list.duration * 1000)].filter(Boolean).join(' · ')}</p><h1 dir="auto">${list.name}</h1></div></header>
    <div class="actions">${h(Button, { kind: 'primary', icon: 'play', disabled: !list.tracks.length, onClick: () => play(list.tracks, 0, { from: list.name, shuffle: false }) }, t('action.play'))}
      ${h(Button, { icon: 'shuffle', disabled: !list.tracks.length, onClick: () => play(list.tracks, 0, { from: list.name, shuffle: true }) }, t('action.shuffle'))}
      ${h(Menu, { label: t('playlist.more'), items: [
        list.managed && list.rules && { label: t('rules.title'), icon: 'list-music', onPick: () => setDialog('rules') },
        list.managed && !list.rules && { label: t('playlist.rename'), icon: 'pencil', onPick: () => setDialog('rename') },
        list.managed && { label: t('share.title'), icon: 'users', onPick: () => setDialog('people') },
        ...['m3u8', 'xspf', 'pls'].map((format) => ({ label: t('playlist.save', { format: format.toUpperCase() }), icon: 'file-music', onPick: () => location.assign(`/api/v1/playlists/${id}/file?format=${format}`) })),
        canShare.value && list.own && list.tracks.length > 0 && { label: t('shares.menu'), icon: 'share-2', onPick: () => { sharing.value = { ids: [list.id], name: list.name }; } },
        list.managed && { label: t('playlist.delete'), icon: 'trash-2', danger: true, onPick: drop }] })}</div>
    <div class="body">${list.tracks.length ? h(TrackList, { tracks: list.tracks, from: list.name, wide: true, removeAt: list.editable ? (at) => change({ remove: [at] }) : undefined })
      : h(Empty, { title: t('playlist.empty'), icon: 'list-music' }, html`<p>${t('playlists.noneText')}</p>`)}</div>
    ${dialog === 'rename' && h(NameDialog, { title: t('playlist.rename'), name: list.name, onClose: () => setDialog(null), onName: (name) => change({ name }) })}
    ${dialog === 'people' && h(PeopleDialog, { list, onClose: () => setDialog(null) })}
    ${dialog === 'rules' && h(RulesDialog, { list, onClose: () => setDialog(null) })}</article>`;
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
  useEffect(() => { if (tracks?.length) myPlaylists().then((all) => set(all.items.filter((one) => one.editable)), complain); }, [tracks]);
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
