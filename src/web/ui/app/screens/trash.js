// The trash of a place: what was deleted, back with one click or gone for good.
import { h, html, useState } from '../../vendor/ui.js';
import { post, remove } from '../api.js';
import { accountVersion } from '../events.js';
import { ago, bytes } from '../format.js';
import { t } from '../i18n.js';
import { path as address } from '../router.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Dialog, Empty, Failed, Icon, Menu } from '../ui/parts.js';
import { placeName, save } from './files.js';

export default function Trash() {
  const query = new URLSearchParams(address.value.split('?')[1] ?? '');
  const [version, bump] = useState(0);
  const [asks, setAsks] = useState(null);
  const { data: all } = useFetched('places', accountVersion.value);
  const places = all?.items ?? [];
  const place = places.find((one) => one.id === query.get('place')) ?? places[0];
  const { data, failure, retry } = useFetched(place ? `trash?locker=${encodeURIComponent(place.id)}` : null, accountVersion.value, version);
  if (!place) return null;
  const again = () => bump((one) => one + 1);
  const restore = (one) => post(`trash/${one.id}`).then((back) => { again(); toast(t('files.restoredTo', { path: back.path })); }, complain);
  const forget = (one) => remove(`trash/${one.id}`).then(() => { setAsks(null); again(); toast(t('files.forgotten', { name: one.name })); }, complain);
  const empty = () => remove(`trash?locker=${encodeURIComponent(place.id)}`).then(() => { setAsks(null); again(); toast(t('files.emptied')); }, complain);
  const size = data?.items.reduce((sum, one) => sum + one.size, 0) ?? 0;
  return html`<div class="page files"><div class="pagehead"><div><h1>${t('files.trash')}</h1><p>${t('files.trashLead')}</p></div>
      <div class="row"><a class="btn secondary" href=${`/files?place=${encodeURIComponent(place.id)}`}>${h(Icon, { name: 'arrow-left' })}${t('files.title')}</a>
        ${data?.items.length > 0 && place.write && place.kind !== 'shared' && h(Button, { icon: 'trash-2', onClick: () => setAsks('all') }, t('files.emptyTrash'))}</div></div>
    ${places.length > 1 && html`<div class="filters" role="group" aria-label=${t('files.places')}>${places.map((one) => html`<a key=${one.id} class="place" href=${`/trash?place=${encodeURIComponent(one.id)}`} aria-current=${one.id === place.id ? 'true' : undefined}>${placeName(one)}</a>`)}</div>`}
    ${failure && !data && h(Failed, { failure, retry })}
    ${data?.items.length === 0 && h(Empty, { title: t('files.trashEmpty'), icon: 'trash-2' }, html`<p>${t('files.trashEmptyText')}</p>`)}
    ${data?.items.length > 0 && html`<p class="crumbs note">${t('files.trashSize', { size: bytes(size) })}</p><ul class="list filelist" aria-label=${t('files.trash')}>${data.items.map((one) => html`<li key=${one.id}>
      ${h(Icon, { name: one.kind === 'folder' ? 'folder-open' : 'file', className: one.kind === 'folder' ? 'folder' : 'muted' })}
      <span class="what"><b dir="auto">${one.name}</b><small dir="auto">${[one.path.split('/').slice(0, -1).join('/'), one.kind === 'folder' ? t('files.count', { count: one.files }) : '', bytes(one.size), ago(one.at), one.by].filter(Boolean).join(' · ')}</small></span>
      ${place.write && h(Button, { className: 'small', icon: 'refresh-cw', onClick: () => restore(one) }, t('files.restore'))}
      ${h(Menu, { label: t('files.more', { name: one.name }), items: [
        one.kind === 'file' && { label: t('files.download'), icon: 'download', onPick: () => save(`trash/${one.id}`) },
        place.write && { label: t('files.forget'), icon: 'trash-2', danger: true, onPick: () => setAsks(one) }] })}</li>`)}</ul>`}
    ${asks && h(Dialog, { title: t(asks === 'all' ? 'files.emptyTrash' : 'files.forget'), onClose: () => setAsks(null) }, html`<p>${asks === 'all' ? t('files.emptyAsk', { count: data.items.length }) : t('files.forgetAsk', { name: asks.name })}</p>
      <footer>${h(Button, { onClick: () => setAsks(null) }, t('action.cancel'))}${h(Button, { kind: 'danger', onClick: () => (asks === 'all' ? empty() : forget(asks)) }, t('files.forget'))}</footer>`)}</div>`;
}
