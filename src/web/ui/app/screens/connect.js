// Connect an app: the address to type and one password for each app.
import { h, html, useState } from '../../vendor/ui.js';
import { post, remove } from '../api.js';
import { ago, groups } from '../format.js';
import { t } from '../i18n.js';
import { complain, session, toast, useFetched } from '../store.js';
import { Button, Copy, Dialog, Empty, Failed, Field, Icon, IconButton } from '../ui/parts.js';

export default function Connect() {
  const [version, bump] = useState(0);
  const { data, failure, retry } = useFetched('app-passwords', version);
  const { data: place } = useFetched('addresses');
  const [label, setLabel] = useState('');
  const [made, setMade] = useState(null);
  const make = (event) => {
    event.preventDefault();
    post('app-passwords', { label: label.trim() }).then((one) => { setMade({ ...one, label: label.trim() }); setLabel(''); bump(version + 1); }, complain);
  };
  const revoke = (one) => remove(`app-passwords/${one.id}`).then(() => { bump(version + 1); toast(t('connect.revoked', { name: one.label })); }, complain);
  const address = place?.addresses[0]?.url;
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('connect.title')}</h1><p>${t('connect.lead')}</p></div></div>
    <div class="stack">
      <section class="card" aria-labelledby="where"><header>${h(Icon, { name: 'link' })}<h2 id="where">${t('connect.address')}</h2></header>
        ${place?.hereOnly && html`<p class="notice" role="note">${t('connect.hereOnly')}</p>`}
        ${address && html`<div class="split">${!place.hereOnly && h(Qr, { text: address })}<div>${h(Copy, { text: address, label: t('connect.copyAddress'), big: true })}
          <p class="muted">${t('connect.user', { name: session.value.user.name })}</p><p class="note">${t('connect.apps')}</p></div></div>`}</section>
      <section class="card" aria-labelledby="passwords"><header>${h(Icon, { name: 'key-round' })}<h2 id="passwords">${t('connect.passwords')}</h2></header>
        <form class="inline" onSubmit=${make}>${h(Field, { id: 'app-label', label: t('connect.label') }, html`<input class="input" id="app-label" value=${label} required maxlength="100" placeholder=${t('connect.labelPlaceholder')} onInput=${(event) => setLabel(event.currentTarget.value)}/>`)}
          <button class="btn primary">${t('connect.make')}</button></form>
        ${failure && !data && h(Failed, { failure, retry })}
        ${data && (data.items.length === 0 ? h(Empty, { title: t('connect.none'), icon: 'smartphone' }, html`<p>${t('connect.noneText')}</p>`)
          : html`<ul class="list">${data.items.map((one) => html`<li key=${one.id}>${h(Icon, { name: 'smartphone', className: 'muted' })}<span class="what"><b>${one.label}</b><small>${one.usedAt ? t('connect.used', { when: ago(one.usedAt), by: one.usedBy || one.usedFrom }) : t('connect.unused')}</small></span>
            ${h(Button, { className: 'small danger', kind: '', onClick: () => revoke(one), 'aria-label': t('connect.revokeName', { name: one.label }) }, t('connect.revoke'))}</li>`)}</ul>`)}</section>
      <section class="card" aria-labelledby="drive"><header>${h(Icon, { name: 'hard-drive' })}<h2 id="drive">${t('connect.drive')}</h2></header>
        <p class="muted">${t('connect.driveText')}</p>${address && h(Copy, { text: `${address}/dav/`, label: t('connect.copyDrive') })}
        <p class="note">${t('connect.driveHow')}</p></section>
      <section class="card" aria-labelledby="dlna"><header>${h(Icon, { name: 'monitor-speaker' })}<h2 id="dlna">${t('connect.dlna')}</h2></header><p class="muted">${t('connect.dlnaText')}</p></section>
    </div>
    ${made && h(Dialog, { title: t('connect.madeTitle', { name: made.label }), onClose: () => setMade(null), footer: html`<button type="button" class="btn primary" onClick=${() => setMade(null)}>${t('connect.done')}</button>` }, html`
      <p class="muted">${t('connect.once')}</p>
      ${h(Copy, { text: groups(made.secret).replaceAll(' ', '-'), shown: groups(made.secret), label: t('connect.copyPassword'), big: true })}
      ${address && h(Copy, { text: address, label: t('connect.copyAddress') })}
      ${h(Copy, { text: session.value.user.name, label: t('connect.copyUser') })}`)}</div>`;
}

export const Qr = ({ text }) => html`<span class="qr"><img src=${`/api/v1/qr?text=${encodeURIComponent(text)}`} alt=${t('connect.qr', { text })} width="160" height="160"/></span>`;
