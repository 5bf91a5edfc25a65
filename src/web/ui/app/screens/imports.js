// Files fetched by the server itself: a form for an address, and how far what was begun is.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { get, post, remove, sentence } from '../api.js';
import { ago, bytes } from '../format.js';
import { t } from '../i18n.js';
import { complain, isAdmin } from '../store.js';
import { Bar, Button, Field, Icon, IconButton } from '../ui/parts.js';

const chips = { waiting: '', fetching: 'info', unpacking: 'info', done: 'ok', failed: 'danger', cancelled: '' };

export function Imports({ place, folder = '' }) {
  const [data, set] = useState(null);
  const [url, setUrl] = useState('');
  const [wrong, setWrong] = useState('');
  const [version, bump] = useState(0);
  const again = () => bump((one) => one + 1);
  useEffect(() => {
    let timer = 0;
    let gone = false;
    const look = () => get('imports').then((found) => {
      if (gone) return;
      // Archives that were sent are told of where they were sent from, unless that is gone.
      set({ ...found, items: found.items.filter((one) => one.url || !one.over) });
      if (found.items.some((one) => !one.over)) timer = setTimeout(look, 1000);
    }, () => {});
    look();
    return () => { gone = true; clearTimeout(timer); };
  }, [version]);
  if (!data) return null;
  const begin = (event) => {
    event.preventDefault();
    post('imports', { url: url.trim(), locker: place, folder }).then(() => { setUrl(''); setWrong(''); again(); }, (problem) => setWrong(problem.message));
  };
  const end = (one) => remove(`imports/${one.id}`).then(again, complain);
  if (!data.mayFetch && !isAdmin.value && !data.items.length) return null;
  return html`<section class="card" aria-labelledby="imports"><header>${h(Icon, { name: 'link' })}<h2 id="imports">${t('imports.title')}</h2></header>
    ${data.mayFetch ? html`<form class="form gap importform" onSubmit=${begin}>
        ${h(Field, { id: 'import-url', label: t('imports.url'), help: t('imports.help'), wrong }, html`<input class="input" id="import-url" type="url" required placeholder="https://" autocomplete="off" spellcheck="false" aria-describedby="import-url-help" value=${url} onInput=${(event) => { setUrl(event.currentTarget.value); setWrong(''); }}/>`)}
        <div class="row"><button class="btn secondary">${t('imports.begin')}</button></div></form>`
      : isAdmin.value ? html`<p class="muted">${t('imports.off')} <a class="link" href="/server/outside">${t('imports.turnOn')}</a></p>` : null}
    ${data.items.length > 0 && html`<ul class="list imports" aria-label=${t('imports.title')}>${data.items.slice(0, 20).map((one) => h(Row, { key: one.id, one, onEnd: () => end(one) }))}</ul>`}</section>`;
}

function Row({ one, onEnd }) {
  const [items, set] = useState(null);
  const show = (event) => { if (event.currentTarget.open && !items) get(`imports/${one.id}`).then((found) => set(found.items.filter((each) => each.problem)), complain); };
  const text = one.problem ? sentence(one.problem)
    : one.over ? `${t('imports.stored', { count: one.stored })} · ${ago(one.ended)}`
      : one.total ? t('imports.ofTotal', { received: bytes(one.received), total: bytes(one.total) }) : bytes(one.received);
  return html`<li>${h(Icon, { name: one.url ? 'link' : 'folder-open', className: 'muted' })}
    <span class="what"><b dir="auto">${one.name}</b><small dir="auto">${text}</small>
      ${!one.over && one.total > 0 && h(Bar, { value: (one.received / one.total) * 100, label: one.name })}
      ${one.refused > 0 && html`<details onToggle=${show}><summary>${t('upload.inside', { count: one.refused })}</summary>${items && html`<ul class="plain">${items.slice(0, 50).map((each) => html`<li key=${each.path}><b dir="auto">${each.path}</b> ${sentence(each.problem)}</li>`)}</ul>`}</details>`}</span>
    <span class=${`chip ${chips[one.state]}`}>${t(`imports.${one.state}`)}</span>
    ${h(IconButton, { icon: 'x', label: t(one.over ? 'imports.forget' : 'imports.cancel', { name: one.name }), onClick: onEnd })}</li>`;
}
