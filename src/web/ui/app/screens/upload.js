// Upload by dropping folders or files anywhere in this screen: the queue lives in upload.js and goes on elsewhere.
import { h, html, useEffect, useRef, useState } from '../../vendor/ui.js';
import { bytes, number } from '../format.js';
import { t } from '../i18n.js';
import { accountVersion } from '../events.js';
import { complain, session, toast, useFetched } from '../store.js';
import { add, batch as current, cancel, clearDone, figures, items, locker, pause, paused, refusals, resume, retryFailed, shown } from '../upload.js';
import { again, begun, collect, forget, pickFolder, remember } from '../upload_sources.js';
import { Bar, Button, Icon, IconButton, Part } from '../ui/parts.js';
import { Imports } from './imports.js';

const chips = {
  waiting: ['', 'upload.waiting'], checking: ['info', 'upload.checking'], ready: ['', 'upload.waiting'], sending: ['info', 'upload.sending'], unpacking: ['info', 'upload.unpacking'],
  done: ['ok', 'upload.done'], have: ['ok', 'upload.have'], claimed: ['ok', 'upload.claimed'], partly: ['warn', 'upload.partlyTaken'], failed: ['danger', 'upload.failed'], skipped: ['', 'upload.skipped'],
};
const share = (part, item) => `${Math.floor((part / Math.max(1, item.size)) * 100)} %`;

export default function Upload() {
  const [over, setOver] = useState(0);
  const [unpack, setUnpack] = useState(true);
  const files = useRef();
  const folder = useRef();
  const { data } = useFetched('lockers', accountVersion.value, figures.value.done);
  const lockers = data?.items ?? [];
  const chosen = lockers.find((one) => one.id === locker.value?.id) ?? lockers[0];
  useEffect(() => { if (chosen && locker.value?.id !== chosen.id) locker.value = chosen; }, [chosen?.id]);
  const put = async (found, memory) => {
    add(found, null, { unpack, memory: memory ?? await remember(found.handles, locker.value?.id, session.value.user.name) });
    if (!found.length) toast(t('upload.nothing'));
  };
  const take = (list) => put([...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }))).catch(complain);
  const drop = (event) => { event.preventDefault(); setOver(0); collect(event.dataTransfer).then((found) => put(found)).catch(complain); };
  const choose = () => pickFolder().then((found) => (found ? put(found) : folder.current.click()), (failure) => { if (failure.name !== 'AbortError') folder.current.click(); }).catch(complain);
  return html`<div class="page" onDragEnter=${(event) => { event.preventDefault(); setOver(over + 1); }} onDragLeave=${() => setOver(over - 1)} onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
    <div class="pagehead"><div><h1>${t('upload.title')}</h1><p>${t('upload.lead')}</p></div></div>
    ${h(Begun, { onFiles: put })}
    <div class=${`drop ${over > 0 ? 'over' : ''}`}>${h(Icon, { name: 'folder-up' })}<h2>${t('upload.drop')}</h2><p>${t('upload.formats')}</p>
      <div class="row">${h(Button, { kind: 'primary', className: 'wide-only', onClick: choose }, t('upload.folder'))}${h(Button, { className: 'thumb', onClick: () => files.current.click() }, t('upload.files'))}</div>
      <label class="check"><input type="checkbox" checked=${unpack} onChange=${(event) => setUnpack(event.currentTarget.checked)}/><span>${t('upload.unpack')}</span></label>
      <input type="file" multiple hidden ref=${files} id="upload-files" onChange=${(event) => { take(event.currentTarget.files); event.currentTarget.value = ''; }}/>
      <input type="file" multiple webkitdirectory hidden ref=${folder} id="upload-folder" onChange=${(event) => { take(event.currentTarget.files); event.currentTarget.value = ''; }}/></div>
    <div class="stack">
      ${chosen && html`<section class="card" aria-label=${t('upload.where')}><header>${h(Icon, { name: 'hard-drive' })}<h2>${t('upload.where')}</h2>
          <div class="end filters" role="group" aria-label=${t('upload.where')}>${lockers.length > 1 && lockers.map((one) => html`<button type="button" key=${one.id} aria-pressed=${String(one.id === chosen.id)} onClick=${() => { locker.value = one; }}>${t(`locker.${one.kind}`)}</button>`)}</div></header>
        ${h(Quota, { locker: chosen })}<p class="note">${t(`locker.${chosen.kind}.help`, { name: session.value.user.name })}</p></section>`}
      ${items.value.length > 0 && h(Batch)}
      ${chosen && h(Imports, { place: chosen.id })}
    </div></div>`;
}

function Batch() {
  const of = figures.value;
  return html`<section class="card" aria-label=${t('upload.batch')}><header>${h(Icon, { name: 'activity' })}<h2>${t('upload.batch')}</h2>
      <span class="end">${of.speed > 0 && html`<span class="chip info">${bytes(of.speed)}/s</span>`}
        ${of.left > 0 && (paused.value ? h(Button, { className: 'small', icon: 'play', onClick: resume }, t('upload.resume')) : h(Button, { className: 'small', icon: 'pause', onClick: pause }, t('upload.pause')))}
        ${of.again > 0 && h(Button, { className: 'small', icon: 'refresh-cw', onClick: retryFailed }, t('upload.retry'))}
        ${of.failed + of.skipped > 0 && h(Button, { className: 'small', icon: 'download', onClick: saveRefusals }, t('upload.save'))}
        ${of.left === 0 && h(Button, { className: 'small', onClick: clearDone }, t('upload.clear'))}</span></header>
    <p class="bignum">${number(of.done)} <small>${t('upload.ofDone', { count: of.total })}</small></p>
    <div class="bar" role="progressbar" aria-label=${t('upload.batch')} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(of.part)}>${h(Part, { value: of.donePart })}${h(Part, { value: of.part - of.donePart, className: 'c2' })}${h(Part, { value: of.failedPart, className: 'c4' })}</div>
    <p class="legend"><span><i class="dot"></i>${t('upload.legendDone')} <b>${number(of.done)}</b></span>${of.had > 0 && html`<span>${t('upload.legendHad')} <b>${number(of.had)}</b></span>`}<span><i class="dot rest"></i>${t('upload.legendWaiting')} <b>${number(of.left)}</b></span>${of.failed > 0 && html`<span><i class="dot c4"></i>${t('upload.legendFailed')} <b>${number(of.failed)}</b></span>`}${of.skipped > 0 && html`<span>${t('upload.legendSkipped')} <b>${number(of.skipped)}</b></span>`}${paused.value && of.left > 0 && html`<span class="chip warn">${t('upload.paused')}</span>`}</p>
    <p class="sr" role="status">${of.spoken}</p>
    <ul class="list uploads">${shown.value.slice(0, 200).map((item) => html`<li key=${item.key}>${h(Icon, { name: item.unpack ? 'folder-open' : 'file-music', className: 'muted' })}<span class="what"><b dir="auto">${item.name}</b><small dir="auto">${item.reason ? item.reason : item.state === 'have' && item.at !== item.path ? t('upload.haveAt', { path: item.at }) : `${item.folder || t(`locker.${item.lockerKind}`)} · ${bytes(item.size)}`}</small>
        ${item.refused.length > 0 && html`<details><summary>${t('upload.inside', { count: item.refused.length })}</summary><ul class="plain">${item.refused.slice(0, 50).map((one) => html`<li key=${one.path}><b dir="auto">${one.path}</b> ${one.reason}</li>`)}</ul></details>`}</span>
      <span class=${`chip ${chips[item.state][0]}`}>${item.state === 'sending' ? share(item.sent, item) : item.state === 'checking' && item.read ? t('upload.checkingPart', { part: share(item.read, item) }) : item.state === 'unpacking' && item.inside ? t('upload.unpackingCount', { count: item.inside }) : t(chips[item.state][1])}</span>
      ${['waiting', 'ready', 'sending', 'checking'].includes(item.state) && h(IconButton, { icon: 'x', label: t('upload.cancel', { name: item.name }), onClick: () => cancel(item) })}</li>`)}</ul>
    ${items.value.length > 200 && html`<p class="note">${t('upload.more', { count: items.value.length - 200 })}</p>`}
    ${of.left === 0 && of.done > 0 && html`<p><a class="link" href="/albums?order=newest">${t('upload.look')}</a></p>`}</section>`;
}

/** Uploads that a closed tab broke off, where the browser remembers their folders. */
function Begun({ onFiles }) {
  const [all, set] = useState([]);
  const look = () => begun(session.value.user.name).then((found) => set(found.filter((one) => !items.value.some((item) => item.memory === one.id))));
  useEffect(() => { look(); }, [figures.value.total]);
  const go = (one) => again(one).then(async (found) => { await onFiles(found, one.id); set((rest) => rest.filter((other) => other !== one)); }).catch(complain);
  const drop = (one) => forget(one.id).then(look);
  return all.map((one) => html`<section class="card begun" key=${one.id} aria-label=${t('upload.begun')}><header>${h(Icon, { name: 'history' })}<h2>${t('upload.begun')}</h2>
      <span class="end">${h(Button, { kind: 'primary', className: 'small', onClick: () => go(one) }, t('upload.goOn'))}${h(Button, { className: 'small', onClick: () => drop(one) }, t('upload.letBe'))}</span></header>
    <p class="muted" dir="auto">${one.names.slice(0, 5).join(', ')}</p></section>`);
}

function saveRefusals() {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([refusals()], { type: 'text/csv' }));
  link.download = t('upload.listName');
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
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
