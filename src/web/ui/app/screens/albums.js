// All albums as a grid of any length.
import { h, html, useState } from '../../vendor/ui.js';
import { t } from '../i18n.js';
import { go, path } from '../router.js';
import { Empty } from '../ui/parts.js';
import { AlbumTile, tileSkeleton } from '../ui/tiles.js';
import { tiles, Virtual } from '../ui/virtual.js';

const orders = ['name', 'artist', 'newest', 'year', 'random'];

export default function Albums() {
  const query = new URLSearchParams(path.value.split('?')[1] ?? '');
  const order = orders.includes(query.get('order')) ? query.get('order') : 'name';
  const genre = query.get('genre') ?? '';
  const starred = query.get('starred') === '1';
  const [total, setTotal] = useState(null);
  const to = (change) => {
    const next = new URLSearchParams(query);
    for (const [name, value] of Object.entries(change)) if (value) next.set(name, value); else next.delete(name);
    go(`/albums${next.size ? `?${next}` : ''}`, { replace: true });
  };
  const source = `albums?${new URLSearchParams({ order: order === 'year' ? 'yearDescending' : order, ...(genre && { genre }), ...(starred && { starred: 'true' }) })}`;
  return html`<div class="page"><div class="pagehead"><div><h1>${genre || t('albums.title')}</h1><p>${total === null ? '\u00a0' : t('count.albums', { count: total })}</p></div>
      <div class="filters" role="group" aria-label=${t('albums.order')}>${orders.map((one) => html`<button type="button" key=${one} aria-pressed=${String(one === order)} onClick=${() => to({ order: one === 'name' ? '' : one })}>${t(`order.${one}`)}</button>`)}
        <button type="button" aria-pressed=${String(starred)} onClick=${() => to({ starred: starred ? '' : '1' })}>${t('order.favourites')}</button></div></div>
    ${h(Virtual, { key: source, source, shape: tiles, label: t('albums.title'), onTotal: setTotal, skeleton: tileSkeleton, item: (album) => h(AlbumTile, { album }),
      empty: h(Empty, { title: t(starred ? 'albums.noneStarred' : 'albums.none'), icon: 'disc-3' }, html`<p>${t('albums.noneText')}</p><div class="row"><a class="btn primary" href="/upload">${t('home.upload')}</a></div>`) })}</div>`;
}
