// What is asked about a file or folder: a name, a place to move or copy to, its versions, who may see it.
import { h, html, useState } from '../../vendor/ui.js';
import { post, put, remove } from '../api.js';
import { ago, bytes } from '../format.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Dialog, Field, Icon, IconButton } from '../ui/parts.js';
import { fileUrl, placeName, save } from './files.js';

export function NameDialog({ title, action, name = '', onClose, onDone }) {
  const [value, set] = useState(name);
  const ready = value.trim() && value !== name;
  return h(Dialog, { title, onClose }, html`<form class="stack" onSubmit=${(event) => { event.preventDefault(); if (ready) onDone(value.trim()); }}>
    ${h(Field, { id: 'file-name', label: t('files.name') }, html`<input class="input" id="file-name" autofocus autocomplete="off" spellcheck="false" maxlength="255" value=${value} onInput=${(event) => set(event.currentTarget.value)}/>`)}
    <footer><button class="btn primary" disabled=${!ready}>${action}</button></footer></form>`);
}

/** Walks folders of all places that one may write to, until one is chosen. */
export function TargetDialog({ of, copies, places, onClose, onDone }) {
  const writable = places.filter((one) => one.write);
  const [place, setPlace] = useState(writable.find((one) => one.id === of.locker) ?? writable[0]);
  const [path, setPath] = useState('');
  const [asks, setAsks] = useState(false);
  const { data } = useFetched(place ? fileUrl(place.id, path) : null);
  const folders = (data?.entries ?? []).filter((one) => one.kind === 'folder' && !(place.id === of.locker && of.path === (path ? `${path}/${one.name}` : one.name)));
  const to = path ? `${path}/${of.name}` : of.name;
  const carry = (replace) => post(fileUrl(of.locker, of.path), { to, locker: place.id, copy: copies, replace }).then(
    () => onDone(t(copies ? 'files.copied' : 'files.moved', { name: of.name })),
    (failure) => { if (failure.body?.type === 'exists' && !replace) setAsks(true); else complain(failure); },
  );
  if (!place) return h(Dialog, { title: of.name, onClose }, html`<p>${t('files.nowhere')}</p>`);
  return h(Dialog, { title: t(copies ? 'files.copyTo' : 'files.moveTo', { name: of.name }), onClose }, html`<div class="stack">
    ${writable.length > 1 && html`<div class="filters" role="group" aria-label=${t('files.places')}>${writable.map((one) => html`<button type="button" key=${one.id} aria-pressed=${String(one.id === place.id)} onClick=${() => { setPlace(one); setPath(''); setAsks(false); }}>${placeName(one)}</button>`)}</div>`}
    <p class="row2">${path && h(IconButton, { icon: 'arrow-left', label: t('files.up'), onClick: () => { setPath(path.split('/').slice(0, -1).join('/')); setAsks(false); } })}<b dir="auto">${path || placeName(place)}</b></p>
    <ul class="list pick" aria-label=${t('files.folders')}>${folders.map((one) => html`<li key=${one.name}><button type="button" onClick=${() => { setPath(path ? `${path}/${one.name}` : one.name); setAsks(false); }}>${h(Icon, { name: 'folder-open', className: 'folder' })}<span dir="auto">${one.name}</span>${h(Icon, { name: 'chevron-right', className: 'muted' })}</button></li>`)}
      ${folders.length === 0 && html`<li class="muted">${t('files.noFolders')}</li>`}</ul>
    ${asks && html`<p role="alert" class="wrong">${t('files.exists', { name: of.name })}</p>`}
    <footer>${asks ? h(Button, { kind: 'primary', onClick: () => carry(true) }, t('files.replace')) : h(Button, { kind: 'primary', onClick: () => carry(false) }, t(copies ? 'files.copyHere' : 'files.moveHere'))}</footer></div>`);
}

export function Versions({ of, onClose, onDone }) {
  const [version, bump] = useState(0);
  const { data } = useFetched(`versions?path=${encodeURIComponent(of.path)}&locker=${encodeURIComponent(of.locker)}`, version);
  const back = (one) => post(`versions/${one.id}`).then(() => onDone(t('files.versionBack', { name: of.name })), complain);
  const drop = (one) => remove(`versions/${one.id}`).then(() => bump(version + 1), complain);
  return h(Dialog, { title: t('files.versionsOf', { name: of.name }), onClose }, html`<div class="stack"><p class="muted">${t('files.versionsText')}</p>
    ${data?.items.length === 0 && html`<p>${t('files.noVersions')}</p>`}
    <ul class="list">${data?.items.map((one) => html`<li key=${one.id}><span class="what"><b>${ago(one.at)}</b><small>${bytes(one.size)}${one.by ? ` · ${one.by}` : ''}</small></span>
      ${h(IconButton, { icon: 'download', label: t('files.download'), onClick: () => save(`versions/${one.id}`) })}
      ${of.write && h(IconButton, { icon: 'refresh-cw', label: t('files.restoreVersion'), onClick: () => back(one) })}
      ${of.write && h(IconButton, { icon: 'trash-2', label: t('files.forget'), onClick: () => drop(one) })}</li>`)}</ul></div>`);
}

export function ShareFolder({ of, onClose }) {
  const [version, bump] = useState(0);
  const [user, setUser] = useState('');
  const [write, setWrite] = useState(false);
  const { data } = useFetched(`folder-shares?locker=${encodeURIComponent(of.locker)}`, version);
  const mine = data?.items.filter((one) => one.path === of.path) ?? [];
  const set = (name, may) => put('folder-shares', { locker: of.locker, path: of.path, user: name, write: may }).then(() => { setUser(''); bump(version + 1); toast(t('files.shared', { name })); }, complain);
  return h(Dialog, { title: t('files.shareOf', { name: of.name }), onClose }, html`<div class="stack"><p class="muted">${t('files.shareText')}</p>
    <ul class="list">${mine.map((one) => html`<li key=${one.id}>${h(Icon, { name: 'circle-user', className: 'muted' })}<span class="what"><b>${one.user}</b><small>${t(one.write ? 'files.mayWrite' : 'files.mayRead')}</small></span>
      ${h(Button, { className: 'small', onClick: () => set(one.user, !one.write) }, t(one.write ? 'files.onlyRead' : 'files.letWrite'))}
      ${h(IconButton, { icon: 'x', label: t('files.unshare', { name: one.user }), onClick: () => remove(`folder-shares/${one.id}`).then(() => bump(version + 1), complain) })}</li>`)}</ul>
    <form class="stack" onSubmit=${(event) => { event.preventDefault(); if (user.trim()) set(user.trim(), write); }}>
      ${h(Field, { id: 'share-with', label: t('files.shareWith') }, html`<input class="input" id="share-with" autocomplete="off" autocapitalize="none" spellcheck="false" value=${user} onInput=${(event) => setUser(event.currentTarget.value)}/>`)}
      <label class="check"><input type="checkbox" checked=${write} onChange=${(event) => setWrite(event.currentTarget.checked)}/><span>${t('files.letWriteLong')}</span></label>
      <footer><button class="btn primary" disabled=${!user.trim()}>${t('files.shareIt')}</button></footer></form></div>`);
}

/** What shall become of archives among the files that were picked. */
export function ArchiveDialog({ names, onPick, onClose }) {
  return html`<${Dialog} title=${t('files.archive')} onClose=${onClose} footer=${html`${h(Button, { onClick: () => onPick(false) }, t('files.archiveKeep'))}${h(Button, { kind: 'primary', onClick: () => onPick(true) }, t('files.archiveUnpack'))}`}>
    <p>${t('files.archiveText')}</p><p class="muted" dir="auto">${names.slice(0, 5).join(', ')}</p><//>`;
}
