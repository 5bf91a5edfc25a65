// What an administrator decides about room as a whole: who pays for shared copies, what happens over the limit, what
// counts, how long deleted things stay, and whose files need not be sent again.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { get, put } from '../api.js';
import { accountVersion } from '../events.js';
import { bytes } from '../format.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Bar, Button, Choice, Dialog, Failed, Field, Icon } from '../ui/parts.js';
import { Exempt } from './room.js';

const orders = ['largest', 'oldest', 'newest'];
const charges = ['full', 'first-owner', 'split'];
const policies = ['off', 'own', 'server'];
const MOST_SHOWN = 50;

export default function Rules() {
  const [version, bump] = useState(0);
  const rules = useFetched('quota-rules', version);
  const keeping = useFetched('keeping', version);
  const match = useFetched('match/policy', version);
  if (rules.failure && !rules.data) return h(Failed, rules);
  const save = (change) => put('quota-rules', { ...rules.data, ...change }).then(() => { toast(t('settings.saved')); bump((one) => one + 1); return true; }, (failure) => { complain(failure); return false; });
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('rules.title')}</h1><p>${t('rules.lead')}</p></div></div>
    ${rules.data && html`<div class="stack">${h(Sharing, { rules: rules.data, save })}${h(Over, { rules: rules.data, save })}${h(Counts, { rules: rules.data, save })}
      ${keeping.data && h(Keeping, { key: JSON.stringify(keeping.data), keeping: keeping.data, onDone: () => bump((one) => one + 1) })}
      ${match.data && h(Matching, { policy: match.data.policy, onDone: () => bump((one) => one + 1) })}${h(Household)}${h(Exempt, { onDone: () => bump((one) => one + 1) })}</div>`}</div>`;
}

const choices = (key, all) => all.map((one) => ({ value: one, title: t(`${key}.${one}`), text: t(`${key}.${one}Text`) }));

function Sharing({ rules, save }) {
  return html`<section class="card" aria-labelledby="rules-sharing"><header>${h(Icon, { name: 'users' })}<h2 id="rules-sharing">${t('rules.sharing')}</h2></header><p class="muted gapafter">${t('rules.sharingText')}</p>
    ${h(Choice, { name: 'sharing', legend: t('rules.sharing'), value: rules.sharedCopies, options: choices('rules.charge', charges), onPick: (sharedCopies) => save({ sharedCopies }) })}</section>`;
}

/** Over the limit: how long that may last, and whether anything goes afterwards. Never without seeing what. */
function Over({ rules, save }) {
  const [days, setDays] = useState(String(rules.graceDays));
  const [order, setOrder] = useState(rules.deletion ?? '');
  const [asks, setAsks] = useState(null);
  useEffect(() => { setDays(String(rules.graceDays)); setOrder(rules.deletion ?? ''); }, [rules]);
  const shown = order || 'largest';
  const { data } = useFetched(`overdue?order=${shown}`, accountVersion.value, rules);
  const change = { graceDays: Number(days), deletion: order || null };
  const submit = (event) => {
    event.preventDefault();
    if (order && order !== rules.deletion) get(`overdue?order=${order}`).then((found) => setAsks(found.items), complain);
    else save(change);
  };
  return html`<section class="card" aria-labelledby="rules-over"><header>${h(Icon, { name: 'gauge' })}<h2 id="rules-over">${t('rules.over')}</h2></header><p class="muted">${t('rules.overText')}</p>
    <form class="form gap" onSubmit=${submit}>
      ${h(Field, { id: 'rules-grace', label: t('rules.grace'), help: t('rules.graceHelp') }, html`<input class="input" id="rules-grace" type="number" required min="1" max="3650" inputmode="numeric" aria-describedby="rules-grace-help" value=${days} onInput=${(event) => setDays(event.currentTarget.value)}/>`)}
      ${h(Field, { id: 'rules-deletion', label: t('rules.deletion'), help: t('rules.deletionHelp') }, html`<select class="input" id="rules-deletion" aria-describedby="rules-deletion-help" value=${order} onChange=${(event) => setOrder(event.currentTarget.value)}><option value="" selected=${order === ''}>${t('rules.never')}</option>${orders.map((one) => html`<option key=${one} value=${one} selected=${one === order}>${t(`rules.order.${one}`)}</option>`)}</select>`)}
      <div class="row"><button class="btn secondary">${t('action.save')}</button></div></form>
    <h3 class="sub">${t(rules.deletion ? 'rules.goes' : 'rules.wouldGo')}</h3>${data && h(Overdue, { items: data.items })}
    ${asks && h(Dialog, { title: t('rules.ask'), onClose: () => setAsks(null) }, html`<p>${t('rules.askText', { days })}</p>${h(Overdue, { items: asks })}
      <footer>${h(Button, { onClick: () => setAsks(null) }, t('action.cancel'))}${h(Button, { kind: 'danger', onClick: () => save(change).then(() => setAsks(null)) }, t('rules.switchOn'))}</footer>`)}</section>`;
}

function Overdue({ items }) {
  if (!items.length) return html`<p class="note">${t('rules.nothingGoes')}</p>`;
  return html`<ul class="plain deep">${items.map((one) => html`<li key=${one.user}><details><summary><b>${one.user}</b> <span class="note">${t('rules.excess', { excess: bytes(one.excess), count: one.files.length })}</span></summary>
    <ul class="plain">${one.files.slice(0, MOST_SHOWN).map((file) => html`<li key=${file.path}><span class="wrap" dir="auto">${file.path}</span><b>${bytes(file.bytes)}</b></li>`)}${one.files.length > MOST_SHOWN && html`<li class="note">${t('rules.andMore', { count: one.files.length - MOST_SHOWN })}</li>`}</ul></details></li>`)}</ul>`;
}

function Counts({ rules, save }) {
  return html`<section class="card" aria-labelledby="rules-counts"><header>${h(Icon, { name: 'activity' })}<h2 id="rules-counts">${t('rules.counts')}</h2></header>
    <p class="muted">${t('rules.countsText')}</p><p class="muted">${t('rules.exemptText')} <a class="link" href="/server/people">${t('nav.people')}</a></p>
    <div class="switches"><label><input type="checkbox" role="switch" checked=${rules.downloadsCount} aria-describedby="rules-downloads" onChange=${(event) => save({ downloadsCount: event.currentTarget.checked })}/><span>${t('rules.downloads')}</span></label></div><p class="note" id="rules-downloads">${t('rules.downloadsText')}</p></section>`;
}

function Keeping({ keeping, onDone }) {
  const [values, set] = useState(keeping);
  const save = (event) => { event.preventDefault(); put('keeping', Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]))).then(() => { toast(t('settings.saved')); onDone(); }, complain); };
  return html`<section class="card" aria-labelledby="rules-keeping"><header>${h(Icon, { name: 'history' })}<h2 id="rules-keeping">${t('rules.keeping')}</h2></header><p class="muted">${t('rules.keepingText')}</p>
    <form class="form gap" onSubmit=${save}>${['trashDays', 'versionDays', 'versions'].map((name) => h(Field, { key: name, id: `rules-${name}`, label: t(`rules.${name}`), help: t(`rules.${name}Help`) }, html`<input class="input" id=${`rules-${name}`} type="number" required min="0" max="100000" inputmode="numeric" aria-describedby=${`rules-${name}-help`} value=${values[name]} onInput=${(event) => set({ ...values, [name]: event.currentTarget.value })}/>`))}
      <div class="row"><button class="btn secondary">${t('action.save')}</button></div></form></section>`;
}

function Matching({ policy, onDone }) {
  const save = (chosen) => put('match/policy', { policy: chosen }).then(() => { toast(t('settings.saved')); onDone(); }, complain);
  return html`<section class="card" aria-labelledby="rules-match"><header>${h(Icon, { name: 'copy' })}<h2 id="rules-match">${t('rules.match')}</h2></header><p class="muted gapafter">${t('rules.matchText')}</p>
    ${h(Choice, { name: 'match', legend: t('rules.match'), value: policy, options: choices('rules.policy', policies), onPick: save })}</section>`;
}

/** The household's locker is on a plan like anybody's. */
function Household() {
  const { data, retry } = useFetched('household', accountVersion.value);
  const plans = useFetched('plans');
  if (!data) return null;
  const save = (plan) => put('household', { plan }).then(() => { toast(t('settings.saved')); retry(); }, complain);
  return html`<section class="card" aria-labelledby="rules-household"><header>${h(Icon, { name: 'house' })}<h2 id="rules-household">${t('rules.household')}</h2><span class="end note">${data.quota === null ? bytes(data.used) : t('storage.of', { used: bytes(data.used), quota: bytes(data.quota) })}</span></header><p class="muted gapafter">${t('rules.householdText')}</p>
    ${data.quota > 0 && h(Bar, { value: Math.min(100, (data.used / data.quota) * 100), label: t('rules.household'), className: data.used >= data.quota ? 'dangerbar' : data.used >= data.quota * 0.8 ? 'warnbar' : '' })}
    <div class="form gap">${h(Field, { id: 'rules-plan', label: t('people.plan') }, html`<select class="input" id="rules-plan" value=${data.plan} onChange=${(event) => save(event.currentTarget.value)}>${plans.data?.items.map((one) => html`<option key=${one.name} value=${one.name} selected=${one.name === data.plan}>${one.name}</option>`)}</select>`)}</div></section>`;
}
