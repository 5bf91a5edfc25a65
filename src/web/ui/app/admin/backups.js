// Backups: whether there is a good one, when the next is made, and how one comes back.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { get, post, put, remove } from '../api.js';
import { ago, bytes, number } from '../format.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Failed, Field, Icon } from '../ui/parts.js';

const often = [['24', 'backups.daily'], ['168', 'backups.weekly'], ['720', 'backups.monthly'], ['1', 'backups.hourly']];

export default function Backups() {
  const [version, bump] = useState(0);
  const { data: first, failure, retry } = useFetched('backups', version);
  const [own, set] = useState(null);
  useEffect(() => set(null), [first]);
  const data = own ?? first;
  const again = () => bump((one) => one + 1);
  // While one is made, it is looked at now and then.
  const running = data?.running ?? false;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => get('backups').then(set, () => {}), 1000);
    return () => clearInterval(timer);
  }, [running]);
  const now = () => post('backups').then(() => { toast(t('backups.started')); set({ ...data, running: true }); }, complain);
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('backups.title')}</h1><p>${t('backups.lead')}</p></div>
      ${data?.plan && html`<div class="filters">${h(Button, { kind: 'primary', icon: 'shield-check', busy: running, disabled: running, onClick: now }, running ? t('backups.running') : t('backups.now'))}</div>`}</div>
    ${failure && !data && h(Failed, { failure, retry })}
    ${data && html`<div class="stack">${h(State, { data })}${h(Plan, { key: version, plan: data.plan, onDone: again })}
      ${data.snapshots.length > 0 && h(Snapshots, { of: data.snapshots })}${h(Back, { folder: data.plan?.folder ?? data.last.folder })}</div>`}</div>`;
}

function State({ data }) {
  const { last, worry } = data;
  return html`<section class="card" aria-labelledby="backup-state"><header>${h(Icon, { name: worry ? 'triangle-alert' : 'circle-check' })}<h2 id="backup-state">${worry ? t('backups.look') : t('backups.good')}</h2></header>
    ${worry && html`<p class="wrap">${worry}</p>`}
    ${last.goodAt && html`<p class="muted wrap">${t('backups.last', { when: ago(last.goodAt), size: bytes(last.bytes), folder: last.folder })}</p>`}</section>`;
}

function Plan({ plan, onDone }) {
  const [folder, setFolder] = useState(plan?.folder ?? '');
  const [every, setEvery] = useState(String(plan?.everyHours ?? 24));
  const [keep, setKeep] = useState(String(plan?.keep ?? 14));
  const [all, setAll] = useState(plan?.hasFiles ?? true);
  const choices = often.some(([hours]) => hours === every) ? often : [...often, [every, null]];
  const save = (event) => {
    event.preventDefault();
    put('backups/plan', { folder: folder.trim(), everyHours: Number(every), keep: Number(keep), hasFiles: all }).then(() => { toast(t('settings.saved')); onDone(); }, complain);
  };
  const end = () => remove('backups/plan').then(onDone, complain);
  return html`<section class="card" aria-labelledby="backup-plan"><header>${h(Icon, { name: 'hard-drive' })}<h2 id="backup-plan">${t('backups.plan')}</h2></header>
    <form class="form gap" onSubmit=${save}>
      ${h(Field, { id: 'backup-folder', label: t('backups.folder'), help: t('backups.folderHint') }, html`<input class="input" id="backup-folder" required pattern="/.+" placeholder="/mnt/usb/tunelocker" autocomplete="off" spellcheck="false" value=${folder} onInput=${(event) => setFolder(event.currentTarget.value)}/>`)}
      ${h(Field, { id: 'backup-every', label: t('backups.every') }, html`<select class="input" id="backup-every" value=${every} onChange=${(event) => setEvery(event.currentTarget.value)}>${choices.map(([hours, key]) => html`<option key=${hours} value=${hours} selected=${hours === every}>${key ? t(key) : t('backups.hours', { hours })}</option>`)}</select>`)}
      ${h(Field, { id: 'backup-keep', label: t('backups.keep') }, html`<input class="input" id="backup-keep" type="number" required min="1" max="1000" value=${keep} onInput=${(event) => setKeep(event.currentTarget.value)}/>`)}
      <div class="switches"><label><input type="checkbox" role="switch" checked=${all} onChange=${(event) => setAll(event.currentTarget.checked)}/><span>${t('backups.files')}</span></label></div>
      <p class="note">${t('backups.what')}</p>
      <div class="row"><button class="btn secondary">${t('action.save')}</button>${plan && h(Button, { onClick: end }, t('backups.end'))}</div></form></section>`;
}

function Snapshots({ of }) {
  return html`<section class="card" aria-labelledby="backup-list"><header>${h(Icon, { name: 'history' })}<h2 id="backup-list">${t('backups.list')}</h2></header>
    <ul class="list">${of.slice(0, 30).map((one) => html`<li key=${one.name}><span class="what"><b>${ago(one.takenAt)}</b><small>${[one.hasFiles ? t('backups.all') : t('backups.database'), t('backups.count', { count: one.files }), one.skipped.length > 0 && t('backups.skipped', { count: number(one.skipped.length) })].filter(Boolean).join(' · ')}</small></span><span class="note">${t('backups.size', { size: bytes(one.bytes), fresh: bytes(one.newBytes) })}</span></li>`)}</ul></section>`;
}

function Back({ folder }) {
  return html`<section class="card" aria-labelledby="backup-back"><header>${h(Icon, { name: 'refresh-cw' })}<h2 id="backup-back">${t('backups.back')}</h2></header>
    <p class="muted">${t('backups.backText')}</p><p class="note wrap"><code>tunelocker restore ${folder || '/mnt/usb/tunelocker'} --data /var/lib/tunelocker</code></p></section>`;
}
