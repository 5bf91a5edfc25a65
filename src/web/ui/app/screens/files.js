// Files: every place that one may look into, as plain folders. Where one is stands in the address.
import { h, html, useEffect, useRef, useState } from '../../vendor/ui.js';
import { post, put, remove } from '../api.js';
import { accountVersion } from '../events.js';
import { ago, bytes } from '../format.js';
import { t } from '../i18n.js';
import { go, path as address } from '../router.js';
import { complain, toast, useFetched } from '../store.js';
import { add, figures, isArchive } from '../upload.js';
import { collect } from '../upload_sources.js';
import { Button, Empty, Failed, Icon, IconButton, Menu, Soon } from '../ui/parts.js';
import { ArchiveDialog, NameDialog, ShareFolder, TargetDialog, Versions } from './files_dialogs.js';

const music = /\.(mp3|flac|ogg|oga|opus|m4a|m4b|aac|wav|aiff?|wv|ape|wma|dsf|dff|mka)$/i;
const picture = /\.(jpe?g|png|webp|gif)$/i;
const iconOf = (one) => (one.kind === 'folder' ? 'folder-open' : music.test(one.name) ? 'file-music' : picture.test(one.name) ? 'image' : 'file');

export const placeName = (place) => (place.kind === 'shared' ? t('files.sharedBy', { name: place.name, owner: place.owner }) : t(`locker.${place.kind}`));
export const encoded = (path) => path.split('/').map(encodeURIComponent).join('/');
export const fileUrl = (place, path, more = '') => `files/${encoded(path)}?locker=${encodeURIComponent(place)}${more}`;
const here = (place, path = '', q = '') => {
  const query = new URLSearchParams({ place });
  if (path) query.set('path', path);
  if (q) query.set('q', q);
  return `/files?${query}`;
};
const inside = (folder, name) => (folder ? `${folder}/${name}` : name);
const above = (path) => path.split('/').slice(0, -1).join('/');

export default function Files() {
  const query = new URLSearchParams(address.value.split('?')[1] ?? '');
  const { data: all, failure: lost } = useFetched('places', accountVersion.value);
  const places = all?.items ?? [];
  const place = places.find((one) => one.id === query.get('place')) ?? places[0];
  const path = query.get('path') ?? '';
  const wanted = query.get('q') ?? '';
  const [dialog, setDialog] = useState(null);
  const [over, setOver] = useState(0);
  const [version, bump] = useState(0);
  const picker = useRef();
  const again = () => bump((one) => one + 1);
  const listed = useFetched(place && !wanted ? fileUrl(place.id, path) : null, accountVersion.value, version, figures.value.done);
  const found = useFetched(wanted ? `file-search?q=${encodeURIComponent(wanted)}` : null, version);
  if (lost && !all) return html`<div class="page">${h(Failed, { failure: lost })}</div>`;
  if (!place) return null;
  const done = (text, action) => { setDialog(null); again(); toast(text, action); };
  const begin = (files, unpack) => {
    const { skipped, unread } = add(files.map((one) => ({ ...one, path: inside(path, one.path) })), place, { unpack });
    const show = { label: t('upload.showList'), run: () => go('/upload') };
    if (skipped) toast(t('upload.skippedSome', { count: skipped }), show);
    if (unread) toast(t('upload.unreadSome', { count: unread }), show);
  };
  const send = (files) => (files.some((one) => isArchive(one.path)) ? setDialog({ kind: 'archive', files }) : begin(files, false));
  const drop = (event) => { event.preventDefault(); setOver(0); if (place.write) collect(event.dataTransfer).then(send).catch(complain); };
  const trash = (one) => remove(fileUrl(one.locker, one.path)).then((kept) => done(t('files.deleted', { name: one.name }), {
    label: t('files.undo'), run: () => post(`trash/${kept.id}`).then(() => { again(); toast(t('files.restored', { name: one.name })); }, complain),
  }), complain);
  const entries = listed.data?.entries.map((one) => ({ ...one, locker: place.id, path: inside(path, one.name), write: place.write }));
  const hits = found.data?.items.map((one) => {
    const where = places.find((other) => other.id === one.locker);
    return { ...one, write: where?.write, place: where ? placeName(where) : one.place };
  });
  const shown = wanted ? hits : entries && [...entries.filter((one) => one.kind === 'folder'), ...entries.filter((one) => one.kind !== 'folder')];
  const failure = wanted ? found.failure : listed.failure;
  const actions = (one) => [
    one.kind === 'file' && { label: t('files.download'), icon: 'download', onPick: () => save(fileUrl(one.locker, one.path)) },
    one.kind === 'folder' && { label: t('files.zip'), icon: 'download', onPick: () => save(fileUrl(one.locker, one.path, '&as=zip')) },
    one.write && { label: t('files.rename'), icon: 'pencil', onPick: () => setDialog({ kind: 'rename', of: one }) },
    one.write && { label: t('files.move'), icon: 'chevron-right', onPick: () => setDialog({ kind: 'move', of: one }) },
    { label: t('files.copy'), icon: 'copy', onPick: () => setDialog({ kind: 'copy', of: one }) },
    one.kind === 'file' && { label: t('files.versions'), icon: 'history', onPick: () => setDialog({ kind: 'versions', of: one }) },
    one.kind === 'folder' && place.kind === 'user' && !wanted && { label: t('files.share'), icon: 'users', onPick: () => setDialog({ kind: 'share', of: one }) },
    one.write && { label: t('files.delete'), icon: 'trash-2', danger: true, onPick: () => trash(one) },
  ];
  return html`<div class=${`page files ${over > 0 && place.write ? 'over' : ''}`} onDragEnter=${(event) => { event.preventDefault(); setOver(over + 1); }} onDragLeave=${() => setOver(over - 1)} onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
    <div class="pagehead"><div><h1>${t('files.title')}</h1><p>${t('files.lead')}</p></div>
      <div class="row">${place.write && !wanted && html`${h(Button, { kind: 'primary', icon: 'upload', onClick: () => picker.current.click() }, t('files.upload'))}
        ${h(Button, { icon: 'plus', onClick: () => setDialog({ kind: 'new' }) }, t('files.newFolder'))}`}
        <a class="btn secondary" href=${`/trash?place=${encodeURIComponent(place.id)}`}>${h(Icon, { name: 'trash-2' })}${t('files.trash')}</a></div>
      <input type="file" multiple hidden ref=${picker} id="files-upload" onChange=${(event) => { send([...event.currentTarget.files].map((file) => ({ file, path: file.name }))); event.currentTarget.value = ''; }}/></div>
    ${h(Search, { wanted, place, path })}
    ${!wanted && places.length > 1 && html`<div class="filters" role="group" aria-label=${t('files.places')}>${places.map((one) => html`<a key=${one.id} class="place" href=${here(one.id)} aria-current=${one.id === place.id ? 'true' : undefined}>${placeName(one)}</a>`)}</div>`}
    ${wanted ? html`<p class="crumbs" role="status">${found.data ? t(found.data.more ? 'files.foundMore' : 'files.found', { count: hits.length }) : ''}</p>` : h(Crumbs, { place, path, onZip: () => save(fileUrl(place.id, path, '&as=zip')) })}
    ${failure && !shown && h(Failed, { failure, retry: again })}
    ${!shown && !failure && h(Soon, {}, html`<p class="muted">${t('loading')}</p>`)}
    ${shown?.length === 0 && (wanted ? h(Empty, { title: t('files.nothing'), icon: 'search' }, html`<p>${t('files.nothingText')}</p>`)
      : h(Empty, { title: t('files.empty'), icon: 'folder-open' }, html`<p>${t(place.write ? 'files.emptyText' : 'files.emptyRead')}</p>`))}
    ${shown?.length > 0 && html`<ul class="list filelist" aria-label=${path || placeName(place)}>${shown.slice(0, 1000).map((one) => html`<li key=${`${one.locker}/${one.path}`}>
      ${h(Icon, { name: iconOf(one), className: one.kind === 'folder' ? 'folder' : 'muted' })}
      <span class="what">${one.kind === 'folder' ? html`<a href=${here(one.locker, one.path)}><b dir="auto">${one.name}</b></a>`
        : html`<a href=${`/api/v1/${fileUrl(one.locker, one.path)}`} download=${one.name}><b dir="auto">${one.name}</b></a>`}
        <small dir="auto">${wanted ? `${one.place}${above(one.path) ? ` / ${above(one.path)}` : ''}` : one.kind === 'folder' ? t('files.folder') : `${bytes(one.size)} · ${ago(one.modified)}`}</small>
        ${one.unplayable && html`<small class="unplayable">${h(Icon, { name: 'triangle-alert' })}${t('files.unplayable', { reason: one.unplayable })}</small>`}</span>
      ${h(Menu, { label: t('files.more', { name: one.name }), items: actions(one) })}</li>`)}</ul>
      ${shown.length > 1000 && html`<p class="note">${t('files.many', { count: shown.length - 1000 })}</p>`}`}
    ${dialog?.kind === 'new' && h(NameDialog, { title: t('files.newFolder'), action: t('files.make'), onClose: () => setDialog(null),
      onDone: (name) => put(`files/${encoded(inside(path, name))}/?locker=${encodeURIComponent(place.id)}`).then(() => done(t('files.made', { name })), complain) })}
    ${dialog?.kind === 'rename' && h(NameDialog, { title: t('files.rename'), action: t('files.rename'), name: dialog.of.name, onClose: () => setDialog(null),
      onDone: (name) => post(fileUrl(dialog.of.locker, dialog.of.path), { to: inside(above(dialog.of.path), name) }).then(() => done(t('files.renamed', { name })), complain) })}
    ${(dialog?.kind === 'move' || dialog?.kind === 'copy') && h(TargetDialog, { of: dialog.of, copies: dialog.kind === 'copy', places, onClose: () => setDialog(null), onDone: done })}
    ${dialog?.kind === 'archive' && h(ArchiveDialog, { names: dialog.files.filter((one) => isArchive(one.path)).map((one) => one.path), onClose: () => setDialog(null), onPick: (unpack) => { setDialog(null); begin(dialog.files, unpack); } })}
    ${dialog?.kind === 'versions' && h(Versions, { of: dialog.of, onClose: () => setDialog(null), onDone: done })}
    ${dialog?.kind === 'share' && h(ShareFolder, { of: dialog.of, onClose: () => setDialog(null) })}</div>`;
}

/** The browser keeps it, without leaving the page. */
export function save(path) {
  const link = document.createElement('a');
  link.href = `/api/v1/${path}`;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}

function Search({ wanted, place, path }) {
  const [text, set] = useState(wanted);
  useEffect(() => set(wanted), [wanted]);
  const look = (event) => { event.preventDefault(); go(here(place.id, path, text.trim())); };
  return html`<form class="searchbox" role="search" onSubmit=${look}>${h(Icon, { name: 'search' })}
    <input class="input" type="search" aria-label=${t('files.search')} placeholder=${t('files.search')} value=${text} onInput=${(event) => { set(event.currentTarget.value); if (!event.currentTarget.value && wanted) go(here(place.id, path)); }}/></form>`;
}

function Crumbs({ place, path, onZip }) {
  const parts = path ? path.split('/') : [];
  return html`<div class="crumbs"><nav aria-label=${t('files.where')}><ol><li><a href=${here(place.id)} aria-current=${parts.length ? undefined : 'page'}>${placeName(place)}</a></li>
    ${parts.map((part, at) => html`<li key=${at}>${h(Icon, { name: 'chevron-right' })}<a dir="auto" href=${here(place.id, parts.slice(0, at + 1).join('/'))} aria-current=${at === parts.length - 1 ? 'page' : undefined}>${part}</a></li>`)}</ol></nav>
    ${h(IconButton, { icon: 'download', label: t('files.zipHere'), onClick: onZip })}
    ${place.usage && html`<span class="note">${place.usage.quota === null ? t('files.used', { used: bytes(place.usage.used) }) : t('files.usedOf', { used: bytes(place.usage.used), quota: bytes(place.usage.quota) })}</span>`}</div>`;
}
