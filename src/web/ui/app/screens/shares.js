// Shares: the list of what is shown to people without an account, and the dialog that makes or changes one.
import { h, html, useState } from '../../vendor/ui.js';
import { patch, post, remove } from '../api.js';
import { ago, date } from '../format.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Art, Button, Copy, copy, Dialog, Empty, Failed, Field, IconButton, Menu } from '../ui/parts.js';
import { sharing } from '../ui/tracks.js';

const DAY = 86400000;
const lives = { day: 1, week: 7, month: 30, year: 365 };

export default function Shares() {
  const [version, bump] = useState(0);
  const [open, setOpen] = useState(null);
  const { data, failure, retry } = useFetched('shares', version);
  const again = () => bump(version + 1);
  const revoke = (one) => remove(`shares/${one.id}`).then(() => { toast(t('shares.revoked')); again(); }, complain);
  const state = (one) => [
    one.expiresAt ? t(one.expiresAt < Date.now() ? 'shares.expired' : 'shares.until', { date: date(one.expiresAt) }) : t('shares.forever'),
    one.hasPassword && t('shares.hasPassword'),
    one.mayDownload && t('shares.mayDownload'),
    one.visits ? t('shares.visits', { count: one.visits, ago: ago(one.visitedAt) }) : t('shares.unvisited'),
  ].filter(Boolean).join(' · ');
  return html`<div class="page"><div class="pagehead"><h1>${t('shares.title')}</h1></div>
    ${failure && !data && h(Failed, { failure, retry })}
    ${data && (data.items.length === 0 ? h(Empty, { title: t('shares.none'), icon: 'share-2' }, html`<p>${t('shares.noneText')}</p>`)
      : html`<ul class="list shares">${data.items.map((one) => html`<li key=${one.id}>${h(Art, { cover: one.cover, size: 96, className: 'm', name: one.title ?? '' })}
        <span class="what"><b dir="auto">${one.title ?? t('shares.empty')}</b><small>${state(one)}</small></span>
        ${h(IconButton, { icon: 'copy', label: t('shares.copy', { name: one.title ?? '' }), onClick: () => copy(one.url) })}
        ${h(Menu, { label: t('shares.more', { name: one.title ?? '' }), items: [
          { label: t('shares.edit'), icon: 'pencil', onPick: () => setOpen(one) },
          { label: t('shares.open'), icon: 'link', onPick: () => window.open(one.url, '_blank', 'noopener') },
          { label: t('shares.revoke'), icon: 'trash-2', danger: true, onPick: () => revoke(one) }] })}</li>`)}</ul>`)}
    ${open && h(Edit, { share: open, onClose: () => setOpen(null), onDone: () => { setOpen(null); again(); } })}</div>`;
}

function Terms({ values, set, keeps }) {
  const field = (name) => ({ value: values[name], onInput: (event) => set({ ...values, [name]: event.currentTarget.value }) });
  return html`${h(Field, { id: 'share-description', label: t('shares.description') }, html`<input class="input" id="share-description" maxlength="500" ...${field('description')}/>`)}
    ${h(Field, { id: 'share-life', label: t('shares.life') }, html`<select class="input" id="share-life" value=${values.life} onChange=${(event) => set({ ...values, life: event.currentTarget.value })}>
      ${keeps && html`<option value="keep">${t('shares.life.keep')}</option>`}${['forever', ...Object.keys(lives)].map((one) => html`<option key=${one} value=${one} selected=${one === values.life}>${t(`shares.life.${one}`)}</option>`)}</select>`)}
    ${h(Field, { id: 'share-password', label: t('shares.password'), help: t(keeps ? 'shares.passwordKeep' : 'shares.passwordHelp') }, html`<input class="input" id="share-password" type="text" autocomplete="off" autocapitalize="none" spellcheck="false" minlength="4" aria-describedby="share-password-help" ...${field('password')}/>`)}
    <label class="check"><input type="checkbox" checked=${values.mayDownload} onChange=${(event) => set({ ...values, mayDownload: event.currentTarget.checked })}/><span>${t('shares.allowDownload')}</span></label>`;
}

const end = (life) => (lives[life] ? Date.now() + lives[life] * DAY : null);

function Edit({ share, onClose, onDone }) {
  const [values, set] = useState({ description: share.description, life: 'keep', password: '', mayDownload: share.mayDownload });
  const [open, setOpen] = useState(false);
  const save = (event) => {
    event.preventDefault();
    const body = { description: values.description, mayDownload: values.mayDownload };
    if (values.life !== 'keep') body.expiresAt = end(values.life);
    if (values.password) body.password = values.password;
    else if (open) body.password = null;
    patch(`shares/${share.id}`, body).then(() => { toast(t('settings.saved')); onDone(); }, complain);
  };
  return h(Dialog, { title: t('shares.edit'), onClose }, html`<form class="stack" onSubmit=${save}>${h(Terms, { values, set, keeps: true })}
    ${share.hasPassword && html`<label class="check"><input type="checkbox" checked=${open} onChange=${(event) => setOpen(event.currentTarget.checked)}/><span>${t('shares.removePassword')}</span></label>`}
    <footer><button class="btn primary">${t('action.save')}</button></footer></form>`);
}

/** Open while `sharing` holds what to share: {ids, name}. */
export function ShareDialog() {
  const what = sharing.value;
  const fresh = { description: '', life: 'forever', password: '', mayDownload: false };
  const [values, set] = useState(fresh);
  const [made, setMade] = useState(null);
  if (!what) return null;
  const close = () => { sharing.value = null; set(fresh); setMade(null); };
  const make = (event) => {
    event.preventDefault();
    post('shares', { items: what.ids, description: values.description, expiresAt: end(values.life), password: values.password || null, mayDownload: values.mayDownload }).then(setMade, complain);
  };
  return h(Dialog, { title: t('shares.share', { name: what.name }), onClose: close }, made
    ? html`<p>${t('shares.made')}</p>${h(Copy, { text: made.url, label: t('shares.copy', { name: what.name }) })}
      <footer><a class="btn secondary" href="/shares" onClick=${close}>${t('shares.title')}</a>${h(Button, { kind: 'primary', icon: 'copy', onClick: () => copy(made.url) }, t('shares.copyLink'))}</footer>`
    : html`<form class="stack" onSubmit=${make}><p class="muted">${t('shares.explain')}</p>${h(Terms, { values, set })}<footer><button class="btn primary">${t('shares.make')}</button></footer></form>`);
}
