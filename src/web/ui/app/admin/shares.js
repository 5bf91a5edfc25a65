// Everybody's shares: whose they are, how they are used, and the end of them. The addresses are their owners' secrets.
import { h, html, useState } from '../../vendor/ui.js';
import { remove } from '../api.js';
import { ago, date } from '../format.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Empty, Failed, Icon } from '../ui/parts.js';

export default function AllShares() {
  const [version, bump] = useState(0);
  const { data, failure, retry } = useFetched('admin/shares', version);
  const revoke = (one) => remove(`shares/${one.id}`).then(() => { toast(t('shares.revoked')); bump(version + 1); }, complain);
  const state = (one) => [
    t('allShares.items', { count: one.items }),
    one.expiresAt ? t(one.expiresAt < Date.now() ? 'shares.expired' : 'shares.until', { date: date(one.expiresAt) }) : t('shares.forever'),
    one.hasPassword && t('shares.hasPassword'),
    one.mayDownload && t('shares.mayDownload'),
    one.visits ? t('shares.visits', { count: one.visits, ago: ago(one.visitedAt) }) : t('shares.unvisited'),
  ].filter(Boolean).join(' · ');
  if (failure && !data) return h(Failed, { failure, retry });
  return html`<div class="page"><div class="pagehead"><div><h1>${t('allShares.title')}</h1><p>${t('allShares.lead')}</p></div></div>
    ${data && (data.items.length === 0 ? h(Empty, { title: t('allShares.none'), icon: 'share-2' })
      : html`<section class="card"><ul class="list">${data.items.map((one) => html`<li key=${one.id}>${h(Icon, { name: 'share-2', className: 'muted' })}
        <span class="what"><b dir="auto">${t('allShares.by', { name: one.owner, date: date(one.createdAt) })}</b><small>${state(one)}</small>${one.description && html`<small class="wrap" dir="auto">${one.description}</small>`}</span>
        ${h(Button, { className: 'small', kind: 'danger', onClick: () => revoke(one), 'aria-label': t('allShares.revoke', { name: one.owner, date: date(one.createdAt) }) }, t('shares.revoke'))}</li>`)}</ul></section>`)}</div>`;
}
