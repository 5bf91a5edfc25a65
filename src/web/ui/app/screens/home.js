// Home: shelves that each stand or fail alone.
import { h, html } from '../../vendor/ui.js';
import { t } from '../i18n.js';
import { Elsewhere } from '../player/bar.js';
import { revision, session, useFetched } from '../store.js';
import { Empty, Failed, Soon } from '../ui/parts.js';
import { AlbumTile, tileSkeleton } from '../ui/tiles.js';

function Shelf({ title, order, more, hideEmpty = true }) {
  const { data, failure, retry } = useFetched(`albums?order=${order}&limit=12`, revision.value);
  if (data && !data.items.length && hideEmpty) return null;
  return html`<section class="section"><header><h2>${title}</h2>${more && html`<a href=${more}>${t('home.all')}</a>`}</header>
    ${failure && !data ? h(Failed, { failure, retry })
      : html`<ul class="shelf">${data ? data.items.map((album) => html`<li key=${album.id}>${h(AlbumTile, { album })}</li>`)
        : h(Soon, {}, [1, 2, 3, 4, 5, 6].map((n) => html`<li key=${n}>${tileSkeleton()}</li>`))}</ul>`}</section>`;
}

export default function Home() {
  const newest = useFetched('albums?order=newest&limit=1', revision.value);
  const hour = new Date().getHours();
  const part = hour < 5 ? 'night' : hour < 12 ? 'morning' : hour < 18 ? 'day' : 'evening';
  const isEmpty = newest.data?.total === 0;
  return html`<div class="page"><div class="pagehead"><h1>${t(`home.${part}`, { name: session.value.user.displayName })}</h1></div>
    ${h(Elsewhere)}
    ${isEmpty ? h(Empty, { title: t('home.emptyTitle'), icon: 'music-4' }, html`<p>${t('home.emptyText')}</p>
        <div class="row"><a class="btn primary" href="/upload">${t('home.upload')}</a><a class="btn secondary" href="/connect">${t('home.connect')}</a></div>`)
      : html`${h(Shelf, { title: t('home.recent'), order: 'recent' })}
        ${h(Shelf, { title: t('home.newest'), order: 'newest', more: '/albums?order=newest', hideEmpty: false })}
        ${h(Shelf, { title: t('home.frequent'), order: 'frequent' })}
        ${h(Shelf, { title: t('home.starred'), order: 'starred' })}
        ${h(Shelf, { title: t('home.random'), order: 'random', more: '/albums?order=random' })}`}</div>`;
}
