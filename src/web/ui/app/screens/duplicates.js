// Files that are there more than once: what to keep, what to link, what to delete; all of it can be taken back.
import { h, html, useState } from '../../vendor/ui.js';
import { post, remove } from '../api.js';
import { ago, bytes } from '../format.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Empty, Failed, Icon, IconButton } from '../ui/parts.js';

const kinds = ['exact', 'audio', 'recording'];

export default function Duplicates() {
  const [kind, setKind] = useState('exact');
  const [version, bump] = useState(0);
  const { data, failure, retry } = useFetched(`duplicates?kind=${kind}`, version);
  const { data: past } = useFetched('duplicates/done', version);
  const again = () => bump(version + 1);
  const act = (group, what, file) => post('duplicates', { what, kind: group.kind, key: group.key, ...(file && { locker: file.locker, path: file.path }) })
    .then(() => { toast(t(`duplicates.did.${what}`)); again(); }, complain);
  const undo = (one) => remove(`duplicates/done/${one.id}`).then(() => { toast(t('duplicates.undone')); again(); }, complain);
  return html`<div class="page"><div class="pagehead"><div><h1>${t('duplicates.title')}</h1><p>${t('duplicates.lead')}</p></div>
      <div class="filters" role="group" aria-label=${t('duplicates.title')}>${kinds.map((one) => html`<button type="button" key=${one} aria-pressed=${String(one === kind)} onClick=${() => setKind(one)}>${t(`duplicates.${one}`)}</button>`)}</div></div>
    <p class="note gapafter">${t(`duplicates.${kind}Text`)}</p>
    ${failure && !data && h(Failed, { failure, retry })}
    <div class="stack">${data && data.groups.length === 0 && h(Empty, { title: t('duplicates.none'), icon: 'copy' }, html`<p>${t('duplicates.noneText')}</p>`)}
      ${data?.groups.map((group) => html`<section class="card" key=${group.key} aria-label=${group.files[0].title || group.files[0].path}><header>${h(Icon, { name: 'copy' })}<h2 dir="auto">${group.files[0].title || group.files[0].path.split('/').pop()}</h2>
          <span class="end">${h(Button, { className: 'small', onClick: () => act(group, 'keep') }, t('duplicates.keep'))}</span></header>
        <ul class="list">${group.files.map((file) => html`<li key=${file.library + file.path}>${h(Icon, { name: 'file-music', className: 'muted' })}<span class="what wrap"><b dir="auto">${file.path}</b><small dir="auto">${[file.libraryName, bytes(file.size), file.format, [file.artist, file.album].filter(Boolean).join(', ')].filter(Boolean).join(' · ')}</small></span>
          ${['hardlink', 'reflink', 'reference'].includes(file.origin) && html`<span class="chip ok">${t('duplicates.shared')}</span>`}
          ${file.locker && kind === 'exact' && !['hardlink', 'reflink', 'reference'].includes(file.origin) && h(IconButton, { icon: 'link', label: t('duplicates.link', { name: file.path }), onClick: () => act(group, 'link', file) })}
          ${file.locker && h(IconButton, { icon: 'trash-2', label: t('duplicates.delete', { name: file.path }), onClick: () => act(group, 'delete', file) })}</li>`)}</ul></section>`)}
      ${past?.items.length > 0 && html`<section class="card" aria-labelledby="past"><header>${h(Icon, { name: 'history' })}<h2 id="past">${t('duplicates.past')}</h2></header>
        <ul class="list">${past.items.map((one) => html`<li key=${one.id}><span class="what wrap"><b dir="auto">${one.path || t(`duplicates.${one.kind}`)}</b><small>${t(`duplicates.did.${one.what}`)} · ${ago(one.doneAt)}</small></span>${h(Button, { className: 'small', onClick: () => undo(one) }, t('duplicates.undo'))}</li>`)}</ul></section>`}</div></div>`;
}
