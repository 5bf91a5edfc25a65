// A content that must not be here: who has it, and that nobody has it any more.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { call, get } from '../api.js';
import { ago, bytes, number } from '../format.js';
import { hash as hashOf } from '../hashing.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Dialog, Empty, Failed, Field, Icon } from '../ui/parts.js';

const MOST_SHOWN = 200;

export default function TakeDown() {
  const [hash, setHash] = useState('');
  const [found, setFound] = useState(null);
  const [asks, setAsks] = useState(false);
  const [version, bump] = useState(0);
  const past = useFetched('takedowns', version);
  const users = useFetched('users');
  // What is under way is looked at until it is done.
  const isOpen = past.data?.items.some((one) => one.doneAt === null) ?? false;
  useEffect(() => {
    if (!isOpen) return undefined;
    const timer = setInterval(() => bump((one) => one + 1), 1500);
    return () => clearInterval(timer);
  }, [isOpen]);
  const look = (wanted) => get(`contents/${encodeURIComponent(wanted.trim())}`).then((owners) => setFound({ hash: wanted.trim().toLowerCase(), ...owners }), complain);
  const show = (one) => { setHash(one); look(one); };
  // What is looked for need not be sent to be found.
  const byCopy = (event) => {
    const [file] = event.currentTarget.files;
    event.currentTarget.value = '';
    if (file) hashOf(file).then(show, complain);
  };
  const byHash = (event) => { event.preventDefault(); look(hash); };
  const allow = (one) => call('DELETE', `takedowns/${one.id}`).then(() => { toast(t('takedown.allowed')); bump((count) => count + 1); }, complain);
  const remove = (reason, sound) => call('DELETE', `contents/${found.hash}?${new URLSearchParams({ reason, sound })}`).then((done) => {
    toast(done.doneAt === null ? t('takedown.goesOn') : t('takedown.done', { count: done.files + done.kept }));
    setAsks(false);
    bump((one) => one + 1);
    look(found.hash);
  }, complain);
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('takedown.title')}</h1><p>${t('takedown.lead')}</p></div></div><div class="stack">
    <section class="card" aria-labelledby="takedown-find"><header>${h(Icon, { name: 'search' })}<h2 id="takedown-find">${t('takedown.find')}</h2></header>
      <form class="inline" onSubmit=${byHash}>${h(Field, { id: 'takedown-hash', label: t('takedown.hash') }, html`<input class="input" id="takedown-hash" required pattern="\\s*[0-9a-fA-F]{64}\\s*" autocomplete="off" spellcheck="false" autocapitalize="none" placeholder=${t('takedown.hashHint')} value=${hash} onInput=${(event) => setHash(event.currentTarget.value)}/>`)}<button class="btn secondary">${t('takedown.look')}</button></form>
      <div class="row picture"><label class="btn secondary small" for="takedown-copy">${h(Icon, { name: 'file' })}${t('takedown.byCopy')}</label><input class="sr" id="takedown-copy" type="file" aria-describedby="takedown-copy-help" onChange=${byCopy}/></div><p class="note gap" id="takedown-copy-help">${t('takedown.byCopyHelp')}</p>
      ${h(ByName, { users: users.data?.items ?? [], onFound: show })}</section>
    ${found && h(Found, { found, onAsk: () => setAsks(true) })}
    <section class="card" aria-labelledby="takedown-past"><header>${h(Icon, { name: 'history' })}<h2 id="takedown-past">${t('takedown.past')}</h2></header>
      ${past.failure && !past.data && h(Failed, past)}
      ${past.data && (past.data.items.length === 0 ? html`<p class="note">${t('takedown.none')}</p>` : html`<ul class="list">${past.data.items.map((one) => html`<li key=${one.id}><span class="what"><b>${one.reason || t('takedown.noReason')}</b><small class="wrap">${[ago(one.createdAt), one.by, t('takedown.gone', { count: one.files, kept: number(one.kept), bytes: bytes(one.bytes) }), one.sound && t('takedown.withSound'), one.unread > 0 && t('takedown.unread', { count: one.unread }), one.refused > 0 && t('takedown.refused', { count: one.refused })].filter(Boolean).join(' · ')}</small><small class="wrap hash">${one.hash}</small></span><span class=${`chip ${stateOf(one)[0]}`}>${t(stateOf(one)[1])}</span>
          ${one.liftedAt === null && h(Button, { className: 'small', 'aria-label': `${t('takedown.allow')}: ${one.reason || one.hash}`, onClick: () => allow(one) }, t('takedown.allow'))}</li>`)}</ul>`)}</section></div>
    ${asks && h(Ask, { found, onClose: () => setAsks(false), onDone: remove })}</div>`;
}

const stateOf = (one) => {
  if (one.liftedAt !== null) return ['', 'takedown.lifted'];
  return one.doneAt === null ? ['info', 'takedown.open'] : ['ok', 'takedown.staysAway'];
};

/** Whoever knows the file by its name need not know its hash. */
function ByName({ users, onFound }) {
  const [user, setUser] = useState(null);
  // None is the household.
  const whose = user ?? users[0]?.name;
  const [path, setPath] = useState('');
  const find = (event) => { event.preventDefault(); get(`contents?${new URLSearchParams({ ...(whose && { user: whose }), path })}`).then((one) => onFound(one.hash), complain); };
  if (!users.length) return null;
  return html`<details class="gap"><summary class="note">${t('takedown.byName')}</summary><form class="form gap" onSubmit=${find}>
    ${h(Field, { id: 'takedown-user', label: t('takedown.whose') }, html`<select class="input" id="takedown-user" value=${whose} onChange=${(event) => setUser(event.currentTarget.value)}>${users.map((one) => html`<option key=${one.name} value=${one.name}>${one.displayName || one.name}</option>`)}<option value="">${t('locker.household')}</option></select>`)}
    ${h(Field, { id: 'takedown-path', label: t('takedown.path') }, html`<input class="input" id="takedown-path" required spellcheck="false" placeholder="Music/Album/01 Song.flac" value=${path} onInput=${(event) => setPath(event.currentTarget.value)}/>`)}
    <div class="row"><button class="btn secondary">${t('takedown.look')}</button></div></form></details>`;
}

function Found({ found, onAsk }) {
  const ours = found.items.filter((one) => one.in !== 'folder');
  return html`<section class="card" aria-labelledby="takedown-found"><header>${h(Icon, { name: 'copy' })}<h2 id="takedown-found">${t('takedown.found', { count: found.items.length })}</h2>
      ${(ours.length > 0 || found.unhashed > 0) && html`<span class="end">${h(Button, { kind: 'danger', className: 'small', icon: 'trash-2', onClick: onAsk }, t('takedown.remove'))}</span>`}</header>
    <p class="note wrap hash">${found.hash}</p>
    ${found.unhashed > 0 && html`<p class="muted" role="status">${t('takedown.unhashed', { count: found.unhashed })}</p>`}
    ${found.items.length === 0 ? h(Empty, { icon: 'circle-check', title: t('takedown.nobody') }) : html`<ul class="list">${found.items.slice(0, MOST_SHOWN).map((one) => html`<li key=${one.in + one.user + one.path}><span class="what"><b dir="auto">${one.path}</b><small>${[one.user ?? t('locker.household'), bytes(one.size)].join(' · ')}</small></span><span class=${`chip ${one.in === 'folder' ? 'warn' : ''}`}>${t(`takedown.in.${one.in}`)}</span></li>`)}</ul>`}
    ${found.items.length > MOST_SHOWN && html`<p class="note">${t('rules.andMore', { count: found.items.length - MOST_SHOWN })}</p>`}
    ${ours.length < found.items.length && html`<p class="note">${t('takedown.folders')}</p>`}</section>`;
}

function Ask({ found, onClose, onDone }) {
  const [reason, setReason] = useState('');
  const [sound, setSound] = useState(false);
  const count = found.items.filter((one) => one.in !== 'folder').length;
  return h(Dialog, { title: t('takedown.ask'), onClose }, html`<form class="stack" onSubmit=${(event) => { event.preventDefault(); onDone(reason, sound); }}><p>${t('takedown.askText', { count })}</p>
    ${h(Field, { id: 'takedown-reason', label: t('takedown.reason'), help: t('takedown.reasonHelp') }, html`<input class="input" id="takedown-reason" required maxlength="200" aria-describedby="takedown-reason-help" value=${reason} onInput=${(event) => setReason(event.currentTarget.value)}/>`)}
    <label class="check"><input type="checkbox" checked=${sound} aria-describedby="takedown-sound-help" onChange=${(event) => setSound(event.currentTarget.checked)}/><span>${t('takedown.alsoSound')}</span></label><p class="note" id="takedown-sound-help">${t('takedown.alsoSoundHelp')}</p>
    <footer>${h(Button, { onClick: onClose }, t('action.cancel'))}<button class="btn danger">${t('takedown.remove')}</button></footer></form>`);
}
