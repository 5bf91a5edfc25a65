// How full one's locker is, what the quota is made of, and why every figure is what it is.
import { h, html, useState } from '../../vendor/ui.js';
import { get, post } from '../api.js';
import { accountVersion } from '../events.js';
import { ago, bytes, date } from '../format.js';
import { t } from '../i18n.js';
import { complain, useFetched } from '../store.js';
import { Bar, Button, Empty, Failed, Icon } from '../ui/parts.js';

const room = (quota) => (quota === null ? t('plans.unlimited') : bytes(quota));
const signed = (count) => `${count < 0 ? '−' : '+'}${bytes(Math.abs(count))}`;

export default function Storage() {
  const storage = useFetched('storage', accountVersion.value);
  const notices = useFetched('notices', accountVersion.value);
  if (storage.failure && !storage.data) return h(Failed, storage);
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('storage.title')}</h1><p>${t('storage.lead')}</p></div></div>
    <div class="stack">${notices.data?.items.map((one) => h(Notice, { key: one.id, one, onDone: notices.retry }))}
    ${storage.data && h(Figures, { usage: storage.data })}${storage.data && h(Parts, { parts: storage.data.parts })}
    ${h(Ledger, { path: 'ledger' })}</div></div>`;
}

function Notice({ one, onDone }) {
  const see = () => post(`notices/${one.id}/seen`).then(onDone, complain);
  return html`<section class="card" role="status"><div class="told">${h(Icon, { name: 'circle-alert' })}<p>${one.text}</p>${h(Button, { className: 'small', onClick: see }, t('storage.seen'))}</div></section>`;
}

/** The bar and the figures under it. */
export function Figures({ usage }) {
  const { quota, used } = usage;
  const share = quota ? (used / quota) * 100 : 0;
  const rows = [['storage.used', used], ['storage.reserved', usage.reserved], ['storage.trash', usage.reclaimable], ['storage.exempt', usage.exempt]];
  return html`<section class="card" aria-labelledby="room"><header>${h(Icon, { name: 'hard-drive' })}<h2 id="room">${t('storage.room')}</h2><span class="end note">${quota === null ? bytes(used) : t('storage.of', { used: bytes(used), quota: bytes(quota) })}</span></header>
    ${quota !== null && h(Bar, { value: Math.min(100, share), label: t('storage.used'), className: share >= 100 ? 'dangerbar' : share >= 80 ? 'warnbar' : '' })}
    <dl class="figures">${rows.map(([key, value]) => html`<div key=${key}><dt>${t(key)}</dt><dd>${bytes(value)}<small class="note">${t(`${key}Text`)}</small></dd></div>`)}</dl>
    ${usage.overSince !== null && html`<p class="chip danger tall" role="alert">${t('storage.over', { since: date(usage.overSince), until: date(usage.graceEnds) })}</p>`}</section>`;
}

/** Plan, tiers and gifts, and what comes of them. */
export function Parts({ parts, actions }) {
  return html`<section class="card" aria-labelledby="parts"><header>${h(Icon, { name: 'gauge' })}<h2 id="parts">${t('storage.parts')}</h2><span class="end note">${room(parts.quota)}</span></header>
    <ul class="list"><li><span class="what"><b>${t('storage.plan', { plan: parts.plan })}</b><small>${t('storage.planText')}</small></span><span class="chip">${room(parts.planQuota)}</span></li>
      ${parts.grants.map((one) => html`<li key=${one.id}><span class="what"><b>${one.kind === 'set-tier' ? t('storage.tier', { plan: one.plan ?? room(one.bytes) }) : t('storage.more')}</b><small>${[one.reason, span(one)].filter(Boolean).join(' · ')}</small></span>
        <span class=${`chip ${one.active ? 'ok' : ''}`}>${one.kind === 'set-tier' ? room(one.bytes) : `+${bytes(one.bytes)}`}</span>${actions?.(one)}</li>`)}</ul>
    ${parts.next && html`<p class="note">${t('storage.next', { at: date(parts.next.at), quota: room(parts.next.quota) })}</p>`}</section>`;
}

function span(one) {
  if (one.removedAt !== null) return t('storage.removed', { at: date(one.removedAt) });
  if (one.endsAt === null) return t('storage.from', { at: date(one.startsAt) });
  return t(one.active ? 'storage.until' : 'storage.was', { from: date(one.startsAt), at: date(one.endsAt) });
}

/** What moved the figures, the latest first. */
export function Ledger({ path }) {
  const first = useFetched(`${path}${path.includes('?') ? '&' : '?'}limit=30`, accountVersion.value);
  const [more, setMore] = useState([]);
  const [isAll, setAll] = useState(false);
  const rows = [...(first.data?.items ?? []), ...more];
  const fetchMore = () => get(`${path}${path.includes('?') ? '&' : '?'}limit=100&before=${rows.at(-1).id}`).then((found) => { setMore([...more, ...found.items]); setAll(found.items.length < 100); }, complain);
  const moved = (row) => [row.bytes && signed(row.bytes), row.exempt && `${signed(row.exempt)} ${t('storage.exemptShort')}`, row.reclaimable && `${signed(row.reclaimable)} ${t('storage.trashShort')}`].filter(Boolean).join(', ');
  return html`<section class="card" aria-labelledby="ledger"><header>${h(Icon, { name: 'history' })}<h2 id="ledger">${t('storage.ledger')}</h2></header><p class="muted">${t('storage.ledgerText')}</p>
    ${first.failure && !first.data && h(Failed, first)}
    ${first.data && !rows.length ? h(Empty, { icon: 'history', title: t('storage.noLedger') }) : html`<ul class="list">${rows.map((row) => html`<li key=${row.id}><span class="what"><b>${t(`ledger.${row.reason}`)}${row.path && html` <span class="note">${row.path}</span>`}</b><small>${[row.note, row.user, ago(row.at)].filter(Boolean).join(' · ')}</small></span><span class="nowrap note">${moved(row)}</span></li>`)}</ul>`}
    ${rows.length >= 30 && !isAll && h(Button, { onClick: fetchMore }, t('storage.older'))}</section>`;
}
