// Where one's listens are passed on to; a part of the settings.
import { h, html, useState } from '../../vendor/ui.js';
import { patch, post, put, remove } from '../api.js';
import { playVersion } from '../events.js';
import { ago } from '../format.js';
import { t } from '../i18n.js';
import { complain, forget, toast, useFetched } from '../store.js';
import { Button, Field, Icon } from '../ui/parts.js';

const names = { lastfm: 'Last.fm', listenbrainz: 'ListenBrainz' };

export function Scrobbling() {
  const [version, set] = useState(0);
  const [begun, begin] = useState(null);
  const [token, setToken] = useState('');
  const again = () => { forget(); set(version + 1); };
  const { data } = useFetched('scrobbling', version, playVersion.value);
  if (!data || (!data.on && !data.items.length)) return null;
  const has = (service) => data.items.some((one) => one.service === service && !one.broken);
  const start = () => post('scrobbling/lastfm').then(begin, complain);
  const finish = () => put('scrobbling/lastfm', { token: begun.token }).then(() => { begin(null); toast(t('scrobbling.connected', { name: names.lastfm })); again(); }, complain);
  const connect = (event) => { event.preventDefault(); put('scrobbling/listenbrainz', { token: token.trim() }).then(() => { setToken(''); toast(t('scrobbling.connected', { name: names.listenbrainz })); again(); }, complain); };
  const leave = (one) => remove(`scrobbling/${one.service}`).then(again, complain);
  return html`<section class="card" aria-labelledby="scrobbling"><header>${h(Icon, { name: 'share-2' })}<h2 id="scrobbling">${t('scrobbling.title')}</h2></header>
    <p class="muted">${t(data.on ? 'scrobbling.lead' : 'scrobbling.off')}</p>
    ${data.items.length > 0 && html`<ul class="list">${data.items.map((one) => html`<li key=${one.service}><span class="what"><b>${names[one.service]}</b><small>${[one.name, one.sent > 0 && t('scrobbling.sent', { count: one.sent }), one.waiting > 0 && t('scrobbling.waiting', { count: one.waiting }), one.refused > 0 && t('scrobbling.refused', { count: one.refused }), one.sentAt && ago(one.sentAt)].filter(Boolean).join(' · ')}</small>
        ${one.error && html`<small class="wrap">${one.error}</small>`}
        <span class="switches"><label><input type="checkbox" role="switch" checked=${one.stars} onChange=${(event) => patch(`scrobbling/${one.service}`, { stars: event.currentTarget.checked }).then(again, complain)}/><span>${t('scrobbling.stars')}</span></label></span></span>
      ${one.error && html`<span class=${`chip ${one.broken ? 'danger' : 'warn'}`}>${t(one.broken ? 'scrobbling.broken' : 'scrobbling.later')}</span>`}
      ${h(Button, { className: 'small', onClick: () => leave(one), 'aria-label': t('scrobbling.leaveName', { name: names[one.service] }) }, t('scrobbling.leave'))}</li>`)}</ul>`}
    ${data.on && data.lastfm && !has('lastfm') && (begun
      ? html`<div class="stack gap"><p>${t('scrobbling.agree')}</p><div class="row"><a class="btn secondary" href=${begun.url} target="_blank" rel="noopener noreferrer">${t('scrobbling.open')}</a>${h(Button, { kind: 'primary', onClick: finish }, t('scrobbling.agreed'))}</div></div>`
      : html`<div class="row gap">${h(Button, { icon: 'link', onClick: start }, t('scrobbling.connect', { name: names.lastfm }))}</div>`)}
    ${data.on && !has('listenbrainz') && html`<form class="inline gap" onSubmit=${connect}>${h(Field, { id: 'brainz-token', label: t('scrobbling.token') }, html`<input class="input" id="brainz-token" required maxlength="100" autocomplete="off" spellcheck="false" value=${token} onInput=${(event) => setToken(event.currentTarget.value)}/>`)}<button class="btn secondary">${t('scrobbling.connect', { name: names.listenbrainz })}</button></form>`}</section>`;
}
