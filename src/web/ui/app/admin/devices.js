// Devices seen on the LAN: who they act as, and the door.
import { h, html } from '../../vendor/ui.js';
import { patch } from '../api.js';
import { deviceVersion } from '../events.js';
import { ago } from '../format.js';
import { t } from '../i18n.js';
import { complain, useFetched } from '../store.js';
import { Button, Empty, Failed, Icon, Menu } from '../ui/parts.js';

export default function Devices() {
  const { data, failure, retry } = useFetched('devices', deviceVersion.value);
  const { data: users } = useFetched('users');
  const change = (one, body) => patch(`devices/${one.id}`, body).then(() => { deviceVersion.value += 1; }, complain);
  if (failure && !data) return h(Failed, { failure, retry });
  return html`<div class="page"><div class="pagehead"><div><h1>${t('devices.title')}</h1><p>${t('devices.lead')}</p></div></div>
    ${data && (data.items.length === 0 ? h(Empty, { title: t('devices.none'), icon: 'monitor-speaker' }, html`<p>${t('devices.noneText')}</p>`)
      : html`<section class="card"><ul class="list">${data.items.map((one) => html`<li key=${one.id}>${h(Icon, { name: 'monitor-speaker', className: 'muted' })}
        <span class="what"><b>${one.name || one.userAgent || one.address}</b><small>${one.address} · ${t('devices.seen', { when: ago(one.seenAt) })}${one.name && one.userAgent ? ` · ${one.userAgent}` : ''}</small></span>
        ${one.blocked && html`<span class="chip danger">${t('devices.blocked')}</span>`}
        ${one.numbersTitles && html`<span class="chip">${t('devices.numbered')}</span>`}${one.hidesLength && html`<span class="chip">${t('devices.endless')}</span>`}
        <select class="input short" aria-label=${t('devices.as', { name: one.name || one.address })} onChange=${(event) => change(one, { user: event.currentTarget.value || null })}><option value="" selected=${!one.user}>${t('devices.household')}</option>${users?.items.map((user) => html`<option key=${user.id} value=${user.id} selected=${user.id === one.user}>${user.displayName}</option>`)}</select>
        ${h(Button, { className: 'small', kind: one.blocked ? 'secondary' : 'danger', onClick: () => change(one, { blocked: !one.blocked }), 'aria-label': t(one.blocked ? 'devices.allowName' : 'devices.blockName', { name: one.name || one.address }) }, t(one.blocked ? 'devices.allow' : 'devices.block'))}
        ${h(Menu, { label: t('devices.more', { name: one.name || one.address }), items: [
          { label: t(one.numbersTitles ? 'devices.plainTitles' : 'devices.numberTitles'), icon: 'list-music', onPick: () => change(one, { numbersTitles: !one.numbersTitles }) },
          { label: t(one.hidesLength ? 'devices.showLength' : 'devices.hideLength'), icon: 'activity', onPick: () => change(one, { hidesLength: !one.hidesLength }) }] })}</li>`)}</ul></section>`)}</div>`;
}
