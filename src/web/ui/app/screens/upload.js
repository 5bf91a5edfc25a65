// Upload by dropping folders or files anywhere in this screen: the queue lives in upload.js and goes on elsewhere.
import { h, html, useEffect, useRef, useState } from '../../vendor/ui.js';
import { bytes, number } from '../format.js';
import { t } from '../i18n.js';
import { accountVersion } from '../events.js';
import { session, useFetched } from '../store.js';
import { add, batch as current, cancel, clearDone, collect, figures, items, locker, retryFailed } from '../upload.js';
import { Bar, Button, Icon, IconButton, Part } from '../ui/parts.js';

const chips = { waiting: ['', 'upload.waiting'], sending: ['info', 'upload.sending'], done: ['ok', 'upload.done'], failed: ['danger', 'upload.failed'] };

export default function Upload() {
  const [over, setOver] = useState(0);
  const files = useRef();
  const folder = useRef();
  const { data } = useFetched('lockers', accountVersion.value, figures.value.done);
  const lockers = data?.items ?? [];
  const chosen = lockers.find((one) => one.id === locker.value?.id) ?? lockers[0];
  useEffect(() => { if (chosen && locker.value?.id !== chosen.id) locker.value = chosen; }, [chosen?.id]);
  const take = (list) => { add([...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }))); };
  const drop = async (event) => { event.preventDefault(); setOver(0); add(await collect(event.dataTransfer)); };
  const of = figures.value;
  return html`<div class="page" onDragEnter=${(event) => { event.preventDefault(); setOver(over + 1); }} onDragLeave=${() => setOver(over - 1)} onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
    <div class="pagehead"><div><h1>${t('upload.title')}</h1><p>${t('upload.lead')}</p></div></div>
    <div class=${`drop ${over > 0 ? 'over' : ''}`}>${h(Icon, { name: 'folder-up' })}<h2>${t('upload.drop')}</h2><p>${t('upload.formats')}</p>
      <div class="row">${h(Button, { kind: 'primary', onClick: () => folder.current.click() }, t('upload.folder'))}${h(Button, { onClick: () => files.current.click() }, t('upload.files'))}</div>
      <input type="file" multiple hidden ref=${files} id="upload-files" onChange=${(event) => { take(event.currentTarget.files); event.currentTarget.value = ''; }}/>
      <input type="file" multiple webkitdirectory hidden ref=${folder} onChange=${(event) => { take(event.currentTarget.files); event.currentTarget.value = ''; }}/></div>
    <div class="stack">
      ${chosen && html`<section class="card" aria-label=${t('upload.where')}><header>${h(Icon, { name: 'hard-drive' })}<h2>${t('upload.where')}</h2>
          <div class="end filters" role="group" aria-label=${t('upload.where')}>${lockers.length > 1 && lockers.map((one) => html`<button type="button" key=${one.id} aria-pressed=${String(one.id === chosen.id)} onClick=${() => { locker.value = one; }}>${t(`locker.${one.kind}`)}</button>`)}</div></header>
        ${h(Quota, { locker: chosen })}<p class="note">${t(`locker.${chosen.kind}.help`, { name: session.value.user.name })}</p></section>`}
      ${items.value.length > 0 && html`<section class="card" aria-label=${t('upload.batch')}><header>${h(Icon, { name: 'activity' })}<h2>${t('upload.batch')}</h2>
          <span class="end">${of.speed > 0 && html`<span class="chip info">${bytes(of.speed)}/s</span>`}
            ${of.failed > 0 && h(Button, { className: 'small', icon: 'refresh-cw', onClick: retryFailed }, t('upload.retry'))}
            ${of.left === 0 && h(Button, { className: 'small', onClick: clearDone }, t('upload.clear'))}</span></header>
        <p class="bignum">${number(of.done)} <small>${t('upload.ofDone', { count: of.total })}</small></p>
        <div class="bar" role="progressbar" aria-label=${t('upload.batch')} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(of.part)}>${h(Part, { value: of.donePart })}${h(Part, { value: of.part - of.donePart, className: 'c2' })}${h(Part, { value: of.failedPart, className: 'c4' })}</div>
        <p class="legend"><span><i class="dot"></i>${t('upload.legendDone')} <b>${number(of.done)}</b></span><span><i class="dot rest"></i>${t('upload.legendWaiting')} <b>${number(of.left)}</b></span>${of.failed > 0 && html`<span><i class="dot c4"></i>${t('upload.legendFailed')} <b>${number(of.failed)}</b></span>`}</p>
        <p class="sr" role="status">${of.spoken}</p>
        <ul class="list">${items.value.slice(0, 200).map((item) => html`<li key=${item.key}>${h(Icon, { name: 'file-music', className: 'muted' })}<span class="what"><b dir="auto">${item.name}</b><small dir="auto">${item.state === 'failed' ? item.reason : `${item.folder || t(`locker.${item.lockerKind}`)} · ${bytes(item.size)}`}</small></span>
          <span class=${`chip ${chips[item.state][0]}`}>${item.state === 'sending' ? `${Math.floor((item.sent / Math.max(1, item.size)) * 100)} %` : t(chips[item.state][1])}</span>
          ${(item.state === 'waiting' || item.state === 'sending') && h(IconButton, { icon: 'x', label: t('upload.cancel', { name: item.name }), onClick: () => cancel(item) })}</li>`)}</ul>
        ${items.value.length > 200 && html`<p class="note">${t('upload.more', { count: items.value.length - 200 })}</p>`}
        ${of.left === 0 && of.done > 0 && html`<p><a class="link" href="/albums?order=newest">${t('upload.look')}</a></p>`}</section>`}
    </div></div>`;
}

export function Quota({ locker: of }) {
  const used = of.used + of.reserved;
  if (of.quota === null) return html`<p class="stat"><span class="value">${bytes(of.used)} <small>${t('quota.usedUnlimited')}</small></span></p>`;
  const part = of.quota ? (used / of.quota) * 100 : 100;
  return html`<div class="stack tight"><p class="stat"><span class="value">${bytes(Math.max(0, of.quota - used))} <small>${t('quota.leftOf', { quota: bytes(of.quota) })}</small></span></p>
    ${h(Bar, { value: part, label: t('quota.label'), className: part >= 100 ? 'dangerbar' : part >= 80 ? 'warnbar' : '' })}</div>`;
}

/** The small dock that shows on other screens while something is sent. */
export function UploadDock() {
  const of = figures.value;
  if (!of.left || current.value === 0) return null;
  return html`<a class="dock" href="/upload" aria-label=${t('upload.dock', { done: of.done, total: of.total })}>${h(Icon, { name: 'upload' })}<span>${t('upload.dockShort', { done: of.done, total: of.total })}</span>${h(Bar, { value: of.part, label: t('upload.batch') })}</a>`;
}
