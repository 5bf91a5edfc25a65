// What shops hand over: their keys, what an album brings, and the orders.
import { h, html, useState } from '../../vendor/ui.js';
import { post, remove } from '../api.js';
import { ago, bytes } from '../format.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Dialog, Empty, Failed, Field, Icon, IconButton } from '../ui/parts.js';

const GB = 1e9;

export default function Deliveries() {
  const [version, bump] = useState(0);
  const [open, setOpen] = useState(null);
  const keys = useFetched('delivery-keys', version);
  const rules = useFetched('bonus-rules', version);
  const orders = useFetched('deliveries', version);
  const plans = useFetched('plans');
  const again = () => { setOpen(null); bump(version + 1); };
  if (keys.failure && !keys.data) return h(Failed, keys);
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('deliveries.title')}</h1><p>${t('deliveries.lead')} ${t('deliveries.folder')}</p></div></div><div class="stack">
    <section class="card" aria-labelledby="keys"><header>${h(Icon, { name: 'key-round' })}<h2 id="keys">${t('deliveries.keys')}</h2><span class="end">${h(Button, { className: 'small', icon: 'plus', onClick: () => setOpen({ kind: 'key' }) }, t('deliveries.addKey'))}</span></header>
      <p class="muted">${t('deliveries.keysText')}</p><ul class="list">${keys.data?.items.map((one) => html`<li key=${one.id}><span class="what"><b>${one.label}</b><small>${t('deliveries.keyOf', { user: one.user })} · ${one.usedAt ? t('deliveries.used', { ago: ago(one.usedAt) }) : t('deliveries.unused')}</small></span>
        ${one.revokedAt === null ? h(IconButton, { icon: 'trash-2', label: t('deliveries.revoke', { name: one.label }), onClick: () => remove(`delivery-keys/${one.id}`).then(again, complain) }) : html`<span class="chip">${t('deliveries.revoked')}</span>`}</li>`)}</ul></section>
    <section class="card" aria-labelledby="rules"><header>${h(Icon, { name: 'gauge' })}<h2 id="rules">${t('deliveries.rules')}</h2><span class="end">${h(Button, { className: 'small', icon: 'plus', onClick: () => setOpen({ kind: 'rule' }) }, t('deliveries.addRule'))}</span></header>
      <p class="muted">${t('deliveries.rulesText')}</p><ul class="list">${rules.data?.items.map((one) => html`<li key=${one.id}><span class="what"><b>${t(`deliveries.on.${one.product}`)}</b><small>${one.plan ? t('storage.tier', { plan: one.plan }) : `+${bytes(one.bytes)}`} · ${one.days ? t('deliveries.days', { count: one.days }) : t('deliveries.forGood')}</small></span>${h(IconButton, { icon: 'trash-2', label: t('deliveries.removeRule'), onClick: () => remove(`bonus-rules/${one.id}`).then(again, complain) })}</li>`)}</ul></section>
    <section class="card" aria-labelledby="orders"><header>${h(Icon, { name: 'download' })}<h2 id="orders">${t('deliveries.orders')}</h2></header>
      ${orders.data && !orders.data.items.length ? h(Empty, { icon: 'download', title: t('deliveries.none') }) : html`<ul class="list">${orders.data?.items.map((one) => html`<li key=${one.id}><span class="what"><b>${one.order}</b><small>${[one.user, t('deliveries.files', { count: one.items.length }), ago(one.createdAt)].filter(Boolean).join(' · ')}</small>${reasons(one).map((reason) => html`<small class="wrap" key=${reason}>${reason}</small>`)}</span><span class=${`chip ${one.state === 'done' ? 'ok' : 'warn'}`}>${t(`deliveries.${standing(one)}`)}</span></li>`)}</ul>`}</section></div>
    ${open?.kind === 'key' && h(Key, { onClose: again })}
    ${open?.kind === 'rule' && h(Rule, { names: plans.data?.items.map((one) => one.name) ?? [], onClose: () => setOpen(null), onDone: again })}</div>`;
}

/** An order of which a file failed is tried again only when the shop sends it again. */
const standing = (order) => order.state === 'open' && order.items.some((item) => item.state === 'failed') ? 'failed' : order.state;

/** Why files are not there, each reason once. */
const reasons = (order) => [...new Set(order.items.filter((item) => item.state === 'failed').map((item) => item.problem))];

function Key({ onClose }) {
  const [label, setLabel] = useState('');
  const [secret, setSecret] = useState('');
  const save = (event) => { event.preventDefault(); post('delivery-keys', { label }).then((made) => setSecret(made.secret), complain); };
  const copy = () => navigator.clipboard?.writeText(secret).then(() => toast(t('copied')), () => {});
  return h(Dialog, { title: t('deliveries.addKey'), onClose }, secret
    ? html`<div class="stack"><p>${t('deliveries.once')}</p><div class="copy"><code class="wrap">${secret}</code>${h(IconButton, { icon: 'copy', label: t('gate.copy'), onClick: copy })}</div><footer>${h(Button, { kind: 'primary', onClick: onClose }, t('action.close'))}</footer></div>`
    : html`<form class="stack" onSubmit=${save}>${h(Field, { id: 'key-label', label: t('deliveries.shop') }, html`<input class="input" id="key-label" required maxlength="100" value=${label} onInput=${(event) => setLabel(event.currentTarget.value)}/>`)}<footer><button class="btn primary">${t('deliveries.addKey')}</button></footer></form>`);
}

function Rule({ names, onClose, onDone }) {
  const [product, setProduct] = useState('album');
  const [plan, setPlan] = useState(names.includes('Plus') ? 'Plus' : '');
  const [more, setMore] = useState('1');
  const [days, setDays] = useState('365');
  const save = (event) => { event.preventDefault(); post('bonus-rules', { product, ...(plan ? { plan } : { bytes: Math.round(Number(more) * GB) }), days: days ? Number(days) : null }).then(onDone, complain); };
  return h(Dialog, { title: t('deliveries.addRule'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${h(Field, { id: 'rule-product', label: t('deliveries.when') }, html`<select class="input" id="rule-product" value=${product} onChange=${(event) => setProduct(event.currentTarget.value)}>${['album', 'any'].map((one) => html`<option key=${one} value=${one}>${t(`deliveries.on.${one}`)}</option>`)}</select>`)}
    ${h(Field, { id: 'rule-plan', label: t('deliveries.gives') }, html`<select class="input" id="rule-plan" value=${plan} onChange=${(event) => setPlan(event.currentTarget.value)}><option value="">${t('storage.more')}</option>${names.map((one) => html`<option key=${one} value=${one} selected=${one === plan}>${t('storage.tier', { plan: one })}</option>`)}</select>`)}
    ${!plan && h(Field, { id: 'rule-more', label: t('grants.gb') }, html`<input class="input" id="rule-more" type="number" min="0" step="any" required value=${more} onInput=${(event) => setMore(event.currentTarget.value)}/>`)}
    ${h(Field, { id: 'rule-days', label: t('grants.days'), help: t('grants.daysHelp') }, html`<input class="input" id="rule-days" type="number" min="1" aria-describedby="rule-days-help" value=${days} onInput=${(event) => setDays(event.currentTarget.value)}/>`)}
    <footer><button class="btn primary">${t('action.save')}</button></footer></form>`);
}
