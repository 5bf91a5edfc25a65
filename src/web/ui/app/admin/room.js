// What one person may hold: figures, grants to give and take back, and the ledger.
import { h, html, useState } from '../../vendor/ui.js';
import { post, put, remove } from '../api.js';
import { accountVersion } from '../events.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Figures, Ledger, Parts } from '../screens/storage.js';
import { Failed, Field, Icon, IconButton } from '../ui/parts.js';

const GB = 1e9;
const DAY = 86400000;

export default function Room({ name }) {
  const [version, bump] = useState(0);
  const storage = useFetched(`users/${name}/storage`, version, accountVersion.value);
  const plans = useFetched('plans');
  if (storage.failure && !storage.data) return h(Failed, storage);
  const again = () => bump(version + 1);
  const actions = (one) => one.removedAt === null && h(IconButton, { icon: 'trash-2', label: t('grants.takeBack'), onClick: () => remove(`grants/${one.id}`).then(again, complain) });
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('grants.title', { name })}</h1><p><a href="/server/people">${t('nav.people')}</a></p></div></div>
    <div class="stack">${storage.data && h(Figures, { usage: storage.data })}${storage.data && h(Parts, { parts: storage.data.parts, actions })}
    ${h(Give, { name, names: plans.data?.items.map((one) => one.name) ?? [], onDone: again })}
    ${h(Exempt, { name, onDone: again })}
    ${h(Ledger, { path: `ledger?user=${encodeURIComponent(name)}` })}</div></div>`;
}

/** Says of a file or folder that it does not count, or that it does again: somebody's, or the household's where no one is named. */
export function Exempt({ name, onDone }) {
  const [path, setPath] = useState('');
  const [reason, setReason] = useState('purchase');
  const save = (event) => {
    event.preventDefault();
    put('exempt', { ...(name && { user: name }), path: path.trim(), reason: reason || null }).then((done) => { toast(t('exempt.done', { count: done.files })); setPath(''); onDone(); }, complain);
  };
  return html`<section class="card" aria-labelledby="exempt"><header>${h(Icon, { name: 'heart' })}<h2 id="exempt">${t(name ? 'exempt.title' : 'exempt.household')}</h2></header><p class="muted">${t('exempt.text')}</p><form class="form gap" onSubmit=${save}>
    ${h(Field, { id: 'exempt-path', label: t('exempt.path'), help: t('exempt.pathHelp') }, html`<input class="input" id="exempt-path" required spellcheck="false" autocomplete="off" placeholder="Music/Album" aria-describedby="exempt-path-help" value=${path} onInput=${(event) => setPath(event.currentTarget.value)}/>`)}
    ${h(Field, { id: 'exempt-reason', label: t('exempt.reason') }, html`<select class="input" id="exempt-reason" value=${reason} onChange=${(event) => setReason(event.currentTarget.value)}>${['purchase', 'gift', 'import'].map((one) => html`<option key=${one} value=${one}>${t(`exempt.${one}`)}</option>`)}<option value="">${t('exempt.again')}</option></select>`)}
    <div class="row"><button class="btn secondary">${t('action.save')}</button></div></form></section>`;
}

function Give({ name, names, onDone }) {
  const [plan, setPlan] = useState('');
  const [more, setMore] = useState('5');
  const [days, setDays] = useState('365');
  const [reason, setReason] = useState('');
  const save = (event) => {
    event.preventDefault();
    const gives = plan ? { plan } : { bytes: Math.round(Number(more) * GB) };
    post(`users/${name}/grants`, { ...gives, endsAt: days ? Date.now() + Number(days) * DAY : null, reason }).then(() => { setReason(''); onDone(); }, complain);
  };
  return html`<section class="card" aria-labelledby="give"><header>${h(Icon, { name: 'plus' })}<h2 id="give">${t('grants.give')}</h2></header><form class="form" onSubmit=${save}>
    ${h(Field, { id: 'give-plan', label: t('deliveries.gives') }, html`<select class="input" id="give-plan" value=${plan} onChange=${(event) => setPlan(event.currentTarget.value)}><option value="">${t('storage.more')}</option>${names.map((one) => html`<option key=${one} value=${one}>${t('storage.tier', { plan: one })}</option>`)}</select>`)}
    ${!plan && h(Field, { id: 'give-more', label: t('grants.gb') }, html`<input class="input" id="give-more" type="number" min="0" step="any" required value=${more} onInput=${(event) => setMore(event.currentTarget.value)}/>`)}
    ${h(Field, { id: 'give-days', label: t('grants.days'), help: t('grants.daysHelp') }, html`<input class="input" id="give-days" type="number" min="1" aria-describedby="give-days-help" value=${days} onInput=${(event) => setDays(event.currentTarget.value)}/>`)}
    ${h(Field, { id: 'give-reason', label: t('grants.reason') }, html`<input class="input" id="give-reason" maxlength="200" value=${reason} onInput=${(event) => setReason(event.currentTarget.value)}/>`)}
    <div class="row"><button class="btn primary">${t('grants.give')}</button></div></form></section>`;
}
