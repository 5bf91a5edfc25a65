// What goes out to the internet: a switch each, and the keys that Last.fm gives a server.
import { h, html, useState } from '../../vendor/ui.js';
import { put, remove } from '../api.js';
import { t } from '../i18n.js';
import { complain, lookOutside, toast, useFetched } from '../store.js';
import { Button, Failed, Field, Icon } from '../ui/parts.js';

const icons = { podcasts: 'podcast', radio: 'radio', info: 'info', scrobbling: 'share-2', deliveries: 'download', notices: 'circle-alert', imports: 'link' };

export default function Outside() {
  const [version, bump] = useState(0);
  const { data, failure, retry } = useFetched('outside', version);
  const again = () => { bump(version + 1); lookOutside(); };
  const turn = (one, on) => put(`outside/${one.name}`, { on }).then(again, (problem) => { complain(problem); again(); });
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('outside.title')}</h1><p>${t('outside.lead')}</p></div></div>
    ${failure && !data && h(Failed, { failure, retry })}
    <div class="stack">${data?.features.map((one) => html`<section class="card" key=${one.name} aria-labelledby=${`outside-${one.name}`}><header>${h(Icon, { name: icons[one.name] })}<h2 id=${`outside-${one.name}`}>${t(`outside.${one.name}`)}</h2></header>
        <p class="muted">${t(`outside.${one.name}Text`)}</p>
        <div class="switches gap"><label><input type="checkbox" role="switch" checked=${one.on} disabled=${one.forbidden} onChange=${(event) => turn(one, event.currentTarget.checked)}/><span>${t(`outside.${one.name}`)}</span></label></div>
        ${one.forbidden && html`<p class="note">${t('outside.forbidden')}</p>`}${one.name === 'notices' && html`<p class="note"><a class="link" href="/server/notices">${t('noticeways.where')}</a></p>`}</section>`)}
      ${data && h(Keys, { ready: data.lastfm.ready, known: data.lastfm.key, onDone: again })}</div></div>`;
}

function Keys({ ready, known, onDone }) {
  const [key, setKey] = useState('');
  const [secret, setSecret] = useState('');
  const save = (event) => { event.preventDefault(); put('outside/lastfm/keys', { key, secret }).then(() => { setKey(''); setSecret(''); toast(t('settings.saved')); onDone(); }, complain); };
  const forget = () => remove('outside/lastfm/keys').then(onDone, complain);
  return html`<section class="card" aria-labelledby="lastfm"><header>${h(Icon, { name: 'key-round' })}<h2 id="lastfm">${t('outside.keys')}</h2>${ready && html`<span class="end"><span class="chip ok">${h(Icon, { name: 'circle-check' })}${t('outside.keysReady')}</span></span>`}</header>
    <p class="muted">${t('outside.keysText')}</p>${known && html`<p class="note wrap">${t('outside.key')}: ${known}</p>`}
    <form class="form gap" onSubmit=${save}>
      ${h(Field, { id: 'lastfm-key', label: t('outside.key') }, html`<input class="input" id="lastfm-key" required pattern="[0-9a-fA-F]{32}" autocomplete="off" spellcheck="false" value=${key} onInput=${(event) => setKey(event.currentTarget.value)}/>`)}
      ${h(Field, { id: 'lastfm-secret', label: t('outside.secret') }, html`<input class="input" id="lastfm-secret" type="password" required pattern="[0-9a-fA-F]{32}" autocomplete="off" value=${secret} onInput=${(event) => setSecret(event.currentTarget.value)}/>`)}
      <div class="row"><button class="btn secondary">${t('action.save')}</button>${ready && h(Button, { onClick: forget }, t('outside.forget'))}</div></form></section>`;
}
