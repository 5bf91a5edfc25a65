// What belongs to the person: look, password, browsers signed in.
import { h, html, useState } from '../../vendor/ui.js';
import { call, patch, put, remove } from '../api.js';
import { ago } from '../format.js';
import { t } from '../i18n.js';
import { choice, choices, choose } from '../player/line.js';
import { complain, hasSpeakers, isAdmin, outside, session, toast, useFetched } from '../store.js';
import { setTheme, theme } from '../theme.js';
import { Avatar } from '../ui/avatar.js';
import { Button, Field, Icon } from '../ui/parts.js';
import { Scrobbling } from './scrobbling.js';

export default function Settings() {
  const { user } = session.value;
  const [version, bump] = useState(0);
  const { data } = useFetched('sessions', version);
  const listening = useFetched('listening');
  const [name, setName] = useState(user.displayName);
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const rename = (event) => { event.preventDefault(); patch('session', { displayName: name.trim() }).then(() => { session.value = { ...session.value, user: { ...user, displayName: name.trim() || user.name } }; toast(t('settings.saved')); }, complain); };
  const face = (version) => { session.value = { ...session.value, user: { ...session.value.user, avatar: version } }; };
  const picture = (event) => {
    const [file] = event.currentTarget.files;
    event.currentTarget.value = '';
    if (file) call('PUT', 'avatar', undefined, { body: file }).then(() => { face(Date.now()); toast(t('settings.saved')); }, complain);
  };
  const password = (event) => { event.preventDefault(); put('session/password', { old, new: fresh }).then(() => { setOld(''); setFresh(''); toast(t('settings.passwordSaved')); }, complain); };
  const end = (one) => remove(`sessions/${one.id}`).then(() => bump(version + 1), complain);
  const leave = () => remove('session').then(() => location.assign('/login'), complain);
  return html`<div class="page narrow"><div class="pagehead"><h1>${t('settings.title')}</h1>${h(Button, { icon: 'log-out', onClick: leave }, t('settings.signOut'))}</div><div class="stack">
    <nav class="card phoneonly" aria-label=${t('nav.more')}><ul class="morelinks">${[...(hasSpeakers.value ? [['/speakers', 'speaker', 'nav.speakers']] : []), ['/files', 'folder-open', 'nav.files'], ['/chat', 'message-circle', 'nav.chat'], ['/storage', 'hard-drive', 'nav.storage'], ['/history', 'history', 'nav.history'], ['/shares', 'share-2', 'nav.shares'], ['/duplicates', 'copy', 'nav.duplicates'], ['/connect', 'smartphone', 'nav.connect'], outside.value.has('podcasts') && ['/podcasts', 'podcast', 'nav.podcasts'], outside.value.has('radio') && ['/radio', 'radio', 'nav.radio'], ...(isAdmin.value ? [['/server', 'gauge', 'nav.overview'], ['/server/people', 'users', 'nav.people'], ['/server/libraries', 'hard-drive', 'nav.libraries'], ['/server/devices', 'monitor-speaker', 'nav.devices'], ['/server/apps', 'smartphone', 'nav.apps'], ['/server/rules', 'check', 'nav.rules'], ['/server/shares', 'share-2', 'nav.allShares'], ['/server/deliveries', 'download', 'nav.deliveries'], ['/server/notices', 'circle-alert', 'nav.notices'], ['/server/takedown', 'x', 'nav.takedown'], ['/server/backups', 'shield-check', 'nav.backups'], ['/server/outside', 'wifi', 'nav.outside']] : [])].filter(Boolean)
      .map(([href, icon, key]) => html`<li key=${href}><a href=${href}>${h(Icon, { name: icon })}<span>${t(key)}</span>${h(Icon, { name: 'chevron-right', className: 'end' })}</a></li>`)}</ul></nav>
    <section class="card"><header>${h(Icon, { name: 'sun-moon' })}<h2>${t('settings.look')}</h2></header>
      <div class="filters" role="group" aria-label=${t('settings.look')}>${['system', 'light', 'dark'].map((one) => html`<button type="button" key=${one} aria-pressed=${String(theme.value === one)} onClick=${() => setTheme(one)}>${t(`theme.${one}`)}</button>`)}</div></section>
    <section class="card"><header>${h(Icon, { name: 'volume-2' })}<h2>${t('settings.listening')}</h2></header>
      <div class="form">${h(Field, { id: 'quality', label: t('settings.quality'), help: t('settings.qualityHelp') }, html`<select class="input" id="quality" aria-describedby="quality-help" value=${choice()} onChange=${(event) => { choose(event.currentTarget.value); toast(t('settings.saved')); }}>${choices.map((one) => html`<option key=${one} value=${one}>${Number(one) ? t('quality.most', { kbps: one }) : t(`quality.${one}`)}</option>`)}</select>`)}
        ${h(Field, { id: 'gain', label: t('settings.gain'), help: t('settings.gainHelp') }, html`<select class="input" id="gain" aria-describedby="gain-help" value=${listening.data?.gain ?? 'off'} onChange=${(event) => put('listening', { gain: event.currentTarget.value }).then(() => toast(t('settings.saved')), complain)}>${['off', 'track', 'album', 'auto'].map((one) => html`<option key=${one} value=${one}>${t(`gain.${one}`)}</option>`)}</select>`)}</div></section>
    <section class="card"><header>${h(Icon, { name: 'circle-user' })}<h2>${t('settings.profile')}</h2></header>
      <form class="inline" onSubmit=${rename}>${h(Field, { id: 'display-name', label: t('settings.displayName') }, html`<input class="input" id="display-name" value=${name} maxlength="100" onInput=${(event) => setName(event.currentTarget.value)}/>`)}<button class="btn secondary">${t('action.save')}</button></form>
      <div class="row picture">${h(Avatar, { name: user.name, version: user.avatar, className: 'l' })}<label class="btn secondary small" for="avatar">${h(Icon, { name: 'image' })}${t('settings.picture')}</label><input class="sr" id="avatar" type="file" accept="image/*" onChange=${picture}/>
        ${user.avatar && h(Button, { className: 'small', icon: 'trash-2', onClick: () => remove('avatar').then(() => face(null), complain) }, t('settings.noPicture'))}</div></section>
    <section class="card"><header>${h(Icon, { name: 'key-round' })}<h2>${t('settings.password')}</h2></header>
      <form class="form" onSubmit=${password}><input type="text" autocomplete="username" value=${user.name} hidden readonly aria-hidden="true"/>
        ${h(Field, { id: 'old-password', label: t('settings.old') }, html`<input class="input" id="old-password" type="password" autocomplete="current-password" required value=${old} onInput=${(event) => setOld(event.currentTarget.value)}/>`)}
        ${h(Field, { id: 'new-password', label: t('settings.new'), help: t('settings.newHelp') }, html`<input class="input" id="new-password" type="password" autocomplete="new-password" required minlength="8" value=${fresh} aria-describedby="new-password-help" onInput=${(event) => setFresh(event.currentTarget.value)}/>`)}
        <div class="row"><button class="btn secondary">${t('settings.change')}</button></div></form></section>
    ${h(Scrobbling)}
    <section class="card"><header>${h(Icon, { name: 'monitor-speaker' })}<h2>${t('settings.sessions')}</h2></header>
      <ul class="list">${data?.items.map((one) => html`<li key=${one.id}><span class="what"><b>${one.userAgent || t('settings.someBrowser')}</b><small>${one.address} · ${ago(one.seenAt)}</small></span>${h(Button, { className: 'small', onClick: () => end(one) }, t('settings.end'))}</li>`)}</ul></section>
  </div></div>`;
}
