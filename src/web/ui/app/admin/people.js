// People and plans.
import { h, html, useState } from '../../vendor/ui.js';
import { patch, post, put, remove } from '../api.js';
import { accountVersion } from '../events.js';
import { bytes } from '../format.js';
import { t } from '../i18n.js';
import { go } from '../router.js';
import { complain, session, toast, useFetched } from '../store.js';
import { Avatar } from '../ui/avatar.js';
import Person from './person.js';
import { Bar, Button, Dialog, Failed, Field, Icon, IconButton, Menu } from '../ui/parts.js';

const GB = 1e9;

/** What a locker holds, of what it may. */
const used = (usage) => `${bytes(usage.used)}${usage.quota !== null ? ` / ${bytes(usage.quota)}` : ''}`;

export default function People() {
  const [version, bump] = useState(0);
  const [open, setOpen] = useState(null);
  const users = useFetched('users', version, accountVersion.value);
  const plans = useFetched('plans', version);
  const again = () => { setOpen(null); bump(version + 1); };
  if (users.failure && !users.data) return h(Failed, users);
  const names = plans.data?.items.map((one) => one.name) ?? [];
  return html`<div class="page"><div class="pagehead"><h1>${t('people.title')}</h1>${h(Button, { kind: 'primary', icon: 'user-plus', onClick: () => setOpen({ kind: 'add' }) }, t('people.add'))}</div>
    <div class="stack">
    <section class="card" aria-labelledby="users"><header>${h(Icon, { name: 'users' })}<h2 id="users">${t('people.users')}</h2></header>
      <div class="scrollx" tabindex="0" role="group" aria-labelledby="users"><table class="data"><thead><tr><th scope="col">${t('people.name')}</th><th scope="col" class="wideonly">${t('people.role')}</th><th scope="col">${t('people.plan')}</th><th scope="col" class="usage wideonly">${t('people.usage')}</th><th scope="col"><span class="sr">${t('people.actions')}</span></th></tr></thead>
      <tbody>${users.data?.items.map((user) => html`<tr key=${user.id}><td>${h(Avatar, { name: user.name, version: user.avatar, className: 'inline' })} <b>${user.displayName}</b>${user.displayName !== user.name && html` <span class="note">${user.name}</span>`} ${user.disabled && html`<span class="chip warn">${t('people.disabled')}</span>`}
          <div class="phoneonly"><span class=${`chip ${user.role === 'admin' ? 'info' : ''}`}>${t(`role.${user.role}`)}</span>${user.usage && html`<div class="note nowrap">${used(user.usage)}</div>`}</div></td>
        <td class="wideonly"><span class=${`chip ${user.role === 'admin' ? 'info' : ''}`}>${t(`role.${user.role}`)}</span></td>
        <td><select class="input short" aria-label=${t('people.planOf', { name: user.name })} value=${user.plan} onChange=${(event) => patch(`users/${user.name}`, { plan: event.currentTarget.value }).then(again, complain)}>${names.map((name) => html`<option key=${name} value=${name} selected=${name === user.plan}>${name}</option>`)}</select></td>
        <td class="wideonly">${user.usage && html`<span class="nowrap">${used(user.usage)}</span>${user.usage.quota > 0 && h(Bar, { value: (user.usage.used / user.usage.quota) * 100, label: t('people.usage') })}`}</td>
        <td class="num">${h(Menu, { label: t('people.more', { name: user.name }), items: [
          { label: t('person.edit'), icon: 'pencil', onPick: () => setOpen({ kind: 'edit', user }) },
          { label: t('grants.open'), icon: 'hard-drive', onPick: () => go(`/server/people/${user.name}`) },
          { label: t('people.password'), icon: 'key-round', onPick: () => setOpen({ kind: 'password', user }) },
          { label: t(user.role === 'admin' ? 'people.makeUser' : 'people.makeAdmin'), icon: 'shield-check', onPick: () => patch(`users/${user.name}`, { role: user.role === 'admin' ? 'user' : 'admin' }).then(again, complain) },
          { label: t(user.disabled ? 'people.enable' : 'people.disable'), icon: 'eye', onPick: () => patch(`users/${user.name}`, { disabled: !user.disabled }).then(again, complain) },
          user.name !== session.value.user.name && { label: t('people.remove'), icon: 'trash-2', danger: true, onPick: () => setOpen({ kind: 'remove', user }) }] })}</td></tr>`)}</tbody></table></div></section>
    <section class="card" aria-labelledby="plans"><header>${h(Icon, { name: 'gauge' })}<h2 id="plans">${t('plans.title')}</h2><span class="end">${h(Button, { className: 'small', icon: 'plus', onClick: () => setOpen({ kind: 'plan', plan: { name: '', label: '', quota: 5 * GB } }) }, t('plans.add'))}</span></header>
      <ul class="list">${plans.data?.items.map((plan) => html`<li key=${plan.name}><span class="what"><b>${plan.name}</b><small>${[plan.label, t('plans.users', { count: plan.users })].filter(Boolean).join(' · ')}</small></span><span class="chip">${plan.quota === null ? t('plans.unlimited') : bytes(plan.quota)}</span>
        ${h(IconButton, { icon: 'pencil', label: t('plans.edit', { name: plan.name }), onClick: () => setOpen({ kind: 'plan', plan, isOld: true }) })}
        ${h(IconButton, { icon: 'trash-2', label: t('plans.remove', { name: plan.name }), disabled: plan.users > 0, onClick: () => remove(`plans/${encodeURIComponent(plan.name)}`).then(again, complain) })}</li>`)}</ul></section></div>
    ${open?.kind === 'add' && h(AddUser, { names, onClose: () => setOpen(null), onDone: again })}
    ${open?.kind === 'edit' && h(Person, { user: open.user, onClose: () => setOpen(null), onDone: again })}
    ${open?.kind === 'password' && h(Password, { user: open.user, onClose: () => setOpen(null) })}
    ${open?.kind === 'remove' && h(RemoveUser, { user: open.user, onClose: () => setOpen(null), onDone: again })}
    ${open?.kind === 'plan' && h(Plan, { ...open, onClose: () => setOpen(null), onDone: again })}</div>`;
}

function useForm(start) {
  const [values, set] = useState(start);
  return [values, (name) => ({ id: `f-${name}`, name, class: 'input', value: values[name], onInput: (event) => set({ ...values, [name]: event.currentTarget.value }) }), set];
}

function AddUser({ names, onClose, onDone }) {
  const [values, field] = useForm({ name: '', password: '', role: 'user', plan: '' });
  const [wrong, setWrong] = useState('');
  const save = (event) => { event.preventDefault(); post('users', { ...values, plan: values.plan || null }).then(() => { toast(t('people.added', { name: values.name })); onDone(); }, (failure) => setWrong(failure.message)); };
  return h(Dialog, { title: t('people.add'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${h(Field, { id: 'f-name', label: t('people.loginName'), help: t('people.loginHelp') }, html`<input ...${field('name')} required pattern="[a-z0-9]([a-z0-9._\\-]*[a-z0-9_\\-])?" maxlength="64" autocapitalize="none" spellcheck="false" autocomplete="off" aria-describedby="f-name-help"/>`)}
    ${h(Field, { id: 'f-password', label: t('people.firstPassword'), help: t('settings.newHelp') }, html`<input ...${field('password')} type="password" required minlength="8" autocomplete="new-password" aria-describedby="f-password-help"/>`)}
    ${h(Field, { id: 'f-role', label: t('people.role') }, html`<select ...${field('role')}><option value="user">${t('role.user')}</option><option value="admin">${t('role.admin')}</option></select>`)}
    ${h(Field, { id: 'f-plan', label: t('people.plan') }, html`<select ...${field('plan')}><option value="">${t('people.defaultPlan')}</option>${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select>`)}
    ${wrong && html`<p class="chip danger tall" role="alert">${wrong}</p>`}<footer><button class="btn primary">${t('people.add')}</button></footer></form>`);
}

function Password({ user, onClose }) {
  const [values, field] = useForm({ fresh: '' });
  const save = (event) => { event.preventDefault(); put(`users/${user.name}/password`, { password: values.fresh }).then(() => { toast(t('settings.passwordSaved')); onClose(); }, complain); };
  return h(Dialog, { title: t('people.passwordOf', { name: user.name }), onClose }, html`<form class="stack" onSubmit=${save}>
    ${h(Field, { id: 'f-fresh', label: t('settings.new'), help: t('settings.newHelp') }, html`<input ...${field('fresh')} type="password" required minlength="8" autocomplete="new-password" aria-describedby="f-fresh-help"/>`)}<footer><button class="btn primary">${t('settings.change')}</button></footer></form>`);
}

/** Removing a person can't be undone from here, so the name is typed. */
function RemoveUser({ user, onClose, onDone }) {
  const [values, field] = useForm({ typed: '' });
  const [erases, setErases] = useState(false);
  const save = (event) => { event.preventDefault(); remove(`users/${user.name}${erases ? '?deleteFiles=true' : ''}`).then(() => { toast(t('people.removed', { name: user.name })); onDone(); }, complain); };
  return h(Dialog, { title: t('people.removeTitle', { name: user.name }), onClose }, html`<form class="stack" onSubmit=${save}><p class="muted">${t('people.removeText')}</p>
    ${h(Field, { id: 'f-typed', label: t('people.typeName', { name: user.name }) }, html`<input ...${field('typed')} required autocomplete="off" autocapitalize="none"/>`)}
    <label class="check"><input type="checkbox" name="erases" checked=${erases} onChange=${(event) => setErases(event.currentTarget.checked)}/><span>${t('people.removeFiles')}</span></label><footer><button class="btn danger" disabled=${values.typed !== user.name}>${t('people.remove')}</button></footer></form>`);
}

function Plan({ plan, isOld, onClose, onDone }) {
  const text = (number) => (number === null || number === undefined ? '' : String(number));
  const number = (typed) => (typed === '' ? null : Number(typed));
  const limits = ['bitrate', 'streams', 'transcodes', 'rate'];
  const amounts = ['dayBytes', 'monthBytes'];
  const [values, field, set] = useForm({ name: plan.name, label: plan.label, quota: plan.quota === null ? '' : String(plan.quota / GB), ...Object.fromEntries(limits.map((name) => [name, text(plan.limits?.[name])])), ...Object.fromEntries(amounts.map((name) => [name, text(plan.limits?.[name] == null ? null : plan.limits[name] / GB)])) });
  const save = (event) => { event.preventDefault(); put(`plans/${encodeURIComponent(values.name.trim())}`, { label: values.label, quota: values.quota === '' ? null : Math.round(Number(values.quota) * GB), limits: { ...Object.fromEntries(limits.map((name) => [name, number(values[name])])), ...Object.fromEntries(amounts.map((name) => [name, values[name] === '' ? null : Math.round(Number(values[name]) * GB)])) } }).then(onDone, complain); };
  return h(Dialog, { title: isOld ? t('plans.edit', { name: plan.name }) : t('plans.add'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${h(Field, { id: 'f-name', label: t('people.name') }, html`<input ...${field('name')} required maxlength="64" readonly=${isOld}/>`)}${h(Field, { id: 'f-label', label: t('plans.label') }, html`<input ...${field('label')} maxlength="100"/>`)}
    ${h(Field, { id: 'f-quota', label: t('plans.quota'), help: t('plans.quotaHelp') }, html`<input ...${field('quota')} type="number" min="0" step="any" inputmode="decimal" aria-describedby="f-quota-help"/>`)}
    ${limits.map((name) => h(Field, { key: name, id: `f-${name}`, label: t(`plans.${name}`) }, html`<input ...${field(name)} type="number" min="0" inputmode="numeric"/>`))}
    ${amounts.map((name) => h(Field, { key: name, id: `f-${name}`, label: t(`plans.${name}`) }, html`<input ...${field(name)} type="number" min="0" step="any" inputmode="decimal"/>`))}
    <footer>${h(Button, { onClick: () => set({ ...values, quota: '' }) }, t('plans.unlimited'))}<button class="btn primary">${t('action.save')}</button></footer></form>`);
}
