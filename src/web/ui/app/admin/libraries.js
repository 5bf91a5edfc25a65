// Libraries and scans.
import { h, html, useState } from '../../vendor/ui.js';
import { get, patch, post, put } from '../api.js';
import { libraryVersion, scan } from '../events.js';
import { ago, bytes } from '../format.js';
import { t } from '../i18n.js';
import { complain, revision, toast, useFetched } from '../store.js';
import { Button, Failed, Icon } from '../ui/parts.js';
import { AnalysisCard, ScanCard } from './overview.js';

const policies = ['off', 'own', 'server'];

function Matching() {
  const [version, bump] = useState(0);
  const { data } = useFetched('match/policy', version);
  if (!data) return null;
  const choose = (policy) => put('match/policy', { policy }).then(() => bump(version + 1), complain);
  return html`<section class="card" aria-labelledby="matching"><header>${h(Icon, { name: 'copy' })}<h2 id="matching">${t('matching.title')}</h2>
      <div class="end filters" role="group" aria-labelledby="matching">${policies.map((one) => html`<button type="button" key=${one} aria-pressed=${String(one === data.policy)} onClick=${() => choose(one)}>${t(`matching.${one}`)}</button>`)}</div></header>
    <p class="muted">${t(`matching.${data.policy}Text`)}</p></section>`;
}

/** What looks like music and is none, asked for when somebody wants to know. */
function Unreadable({ library, count }) {
  const [files, set] = useState([]);
  const [next, setNext] = useState('');
  const more = () => get(`libraries/${library}/unreadable?after=${encodeURIComponent(next)}`).then((part) => { set([...files, ...part.items]); setNext(part.next); }, complain);
  return html`<details class="unreadable" onToggle=${(event) => { if (event.currentTarget.open && files.length === 0) more(); }}><summary>${h(Icon, { name: 'triangle-alert' })}${t('libraries.unreadable', { count })}</summary>
    <ul class="list">${files.map((one) => html`<li key=${one.path}><span class="what"><b class="wrap" dir="auto">${one.path}</b><small class="wrap">${bytes(one.size)} · ${one.reason}</small></span></li>`)}</ul>
    ${files.length > 0 && next && h(Button, { className: 'small', onClick: more }, t('libraries.unreadableMore'))}</details>`;
}

export default function Libraries() {
  const { data, failure, retry } = useFetched('libraries', libraryVersion.value, revision.value);
  const { data: first } = useFetched('scan');
  const state = scan.value ?? first;
  const start = (full) => post('scan', { full }).then((now) => { scan.value = now; toast(t('scan.started')); }, complain);
  // Refused or not, the switches show what holds.
  const share = (one, change) => patch(`libraries/${one.id}`, { shared: one.shared, onLan: one.onLan, granted: one.granted, ...change }).catch(complain).then(() => { libraryVersion.value += 1; });
  return html`<div class="page"><div class="pagehead"><h1>${t('libraries.title')}</h1><div class="filters">${h(Button, { kind: 'primary', icon: 'refresh-cw', onClick: () => start(false) }, t('scan.now'))}${h(Button, { onClick: () => start(true) }, t('scan.full'))}</div></div>
    <div class="stack">${state && h(ScanCard, { scan: state })}${h(AnalysisCard)}
    ${failure && !data && h(Failed, { failure, retry })}
    ${data?.items.map((one) => html`<section class="card" key=${one.id} aria-label=${one.name}><header>${h(Icon, { name: one.kind === 'folder' ? 'folder-open' : 'hard-drive' })}<h2 dir="auto">${one.name}</h2>
        <span class="end"><span class=${`chip ${one.state === 'ok' ? 'ok' : 'warn'}`}>${h(Icon, { name: one.state === 'ok' ? 'circle-check' : 'triangle-alert' })}${one.state === 'ok' ? t('libraries.fine') : t('libraries.held')}</span></span></header>
      ${one.state !== 'ok' && html`<p>${one.state}</p>`}
      <p class="note wrap" dir="auto">${one.path}</p><p class="note">${[t(`library.${one.kind}`), Number.isInteger(one.albums) && t('count.albums', { count: one.albums }), one.scannedAt ? t('scan.last', { when: ago(one.scannedAt) }) : t('scan.never'), one.watching].filter(Boolean).join(' · ')}</p>
      ${one.unreadable > 0 && h(Unreadable, { library: one.id, count: one.unreadable })}
      <div class="switches"><label><input type="checkbox" role="switch" checked=${one.shared} disabled=${!one.changeable} onChange=${(event) => share(one, { shared: event.currentTarget.checked })}/><span>${t('libraries.shared')}</span></label>
        <label><input type="checkbox" role="switch" checked=${one.onLan} disabled=${!one.changeable} onChange=${(event) => share(one, { onLan: event.currentTarget.checked })}/><span>${t('libraries.onLan')}</span></label>
        ${one.lends !== null && html`<label><input type="checkbox" role="switch" checked=${one.lends} disabled=${one.lendsFixed} onChange=${(event) => share(one, { lends: event.currentTarget.checked })}/><span>${t('libraries.lends')}</span></label>`}</div>
      ${one.lends !== null && html`<p class="note">${t('libraries.lendsText')}</p>`}
      ${one.lendsFixed && html`<p class="note">${t('libraries.lendsFixed')}</p>`}
      ${one.lent?.files > 0 && html`<p class="note">${t(one.lends ? 'libraries.lent' : 'libraries.recalled', { count: one.lent.files, size: bytes(one.lent.bytes) })}</p>`}</section>`)}
    ${h(Matching)}<p class="note">${t('libraries.add')}</p></div></div>`;
}
