// All artists.
import { h, html, useState } from '../../vendor/ui.js';
import { t } from '../i18n.js';
import { Empty } from '../ui/parts.js';
import { ArtistTile, tileSkeleton } from '../ui/tiles.js';
import { tiles, Virtual } from '../ui/virtual.js';

export default function Artists() {
  const [role, setRole] = useState('albumartist');
  const [total, setTotal] = useState(null);
  return html`<div class="page"><div class="pagehead"><div><h1>${t('artists.title')}</h1><p>${total === null ? '\u00a0' : t('count.artists', { count: total })}</p></div>
      <div class="filters" role="group" aria-label=${t('artists.role')}>${['albumartist', 'artist', 'composer'].map((one) => html`<button type="button" key=${one} aria-pressed=${String(one === role)} onClick=${() => setRole(one)}>${t(`role.${one}`)}</button>`)}</div></div>
    ${h(Virtual, { key: role, source: `artists?role=${role}`, shape: tiles, label: t('artists.title'), onTotal: setTotal, skeleton: tileSkeleton,
      item: (artist) => h(ArtistTile, { artist }), empty: h(Empty, { title: t('artists.none'), icon: 'mic' }) })}</div>`;
}
