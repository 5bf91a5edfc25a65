// Starts the panel: texts, session, live events, then the frame with the screen that the address names.
import { h, html, render, useEffect, useErrorBoundary, useRef, useState } from '../vendor/ui.js';
import { get, useToken } from './api.js';
import { listen } from './events.js';
import { load, t } from './i18n.js';
import { isHelpOpen, shortcuts } from './keys.js';
import { FullPlayer, isFull, PlayerBar, QueuePanel } from './player/bar.js';
import { current, isPlaying, restore } from './player/player.js';
import { match, path } from './router.js';
import Home from './screens/home.js';
import Albums from './screens/albums.js';
import Album from './screens/album.js';
import { hasSpeakers, isAdmin, lookOutside, online, outside, session, spoken } from './store.js';
import { Dialog, Empty, Failed, Icon, Toasts } from './ui/parts.js';
import { sharing } from './ui/tracks.js';

const lazily = (load_, name = 'default') => {
  let ready = null;
  return (props) => {
    const [part, set] = useState(() => ready);
    const [failure, fail] = useState(null);
    useEffect(() => { if (!ready) load_().then((module) => { ready = module[name]; set(() => ready); }, fail); }, []);
    if (failure) return h(Failed, { failure, retry: () => location.reload() });
    return part ? h(part, props) : null;
  };
};
const screens = [
  ['/', 'nav.home', Home],
  ['/albums', 'nav.albums', Albums],
  ['/album/:id', 'nav.albums', Album],
  ['/search', 'nav.search', lazily(() => import('./screens/search.js'))],
  ['/artists', 'nav.artists', lazily(() => import('./screens/artists.js'))],
  ['/artist/:id', 'nav.artists', lazily(() => import('./screens/artist.js'))],
  ['/tracks', 'nav.tracks', lazily(() => import('./screens/tracks.js'))],
  ['/playlists', 'nav.playlists', lazily(() => import('./screens/playlists.js'))],
  ['/playlist/:id', 'nav.playlists', lazily(() => import('./screens/playlists.js'), 'Playlist')],
  ['/podcasts', 'nav.podcasts', lazily(() => import('./screens/podcasts.js'))],
  ['/podcast/:id', 'nav.podcasts', lazily(() => import('./screens/podcasts.js'), 'Podcast')],
  ['/radio', 'nav.radio', lazily(() => import('./screens/radio.js'))],
  ['/upload', 'nav.upload', lazily(() => import('./screens/upload.js'))],
  ['/files', 'nav.files', lazily(() => import('./screens/files.js'))],
  ['/trash', 'nav.files', lazily(() => import('./screens/trash.js'))],
  ['/duplicates', 'nav.duplicates', lazily(() => import('./screens/duplicates.js'))],
  ['/history', 'nav.history', lazily(() => import('./screens/history.js'))],
  ['/shares', 'nav.shares', lazily(() => import('./screens/shares.js'))],
  ['/speakers', 'nav.speakers', lazily(() => import('./screens/speakers.js'))],
  ['/chat', 'nav.chat', lazily(() => import('./screens/chat.js'))],
  ['/connect', 'nav.connect', lazily(() => import('./screens/connect.js'))],
  ['/storage', 'nav.storage', lazily(() => import('./screens/storage.js'))],
  ['/settings', 'nav.settings', lazily(() => import('./screens/settings.js'))],
  ['/server', 'nav.overview', lazily(() => import('./admin/overview.js')), true],
  ['/server/people', 'nav.people', lazily(() => import('./admin/people.js')), true],
  ['/server/people/:name', 'nav.people', lazily(() => import('./admin/room.js')), true],
  ['/server/deliveries', 'nav.deliveries', lazily(() => import('./admin/deliveries.js')), true],
  ['/server/libraries', 'nav.libraries', lazily(() => import('./admin/libraries.js')), true],
  ['/server/devices', 'nav.devices', lazily(() => import('./admin/devices.js')), true],
  ['/server/apps', 'nav.apps', lazily(() => import('./admin/apps.js')), true],
  ['/server/shares', 'nav.allShares', lazily(() => import('./admin/shares.js')), true],
  ['/server/backups', 'nav.backups', lazily(() => import('./admin/backups.js')), true],
  ['/server/rules', 'nav.rules', lazily(() => import('./admin/rules.js')), true],
  ['/server/notices', 'nav.notices', lazily(() => import('./admin/notices.js')), true],
  ['/server/takedown', 'nav.takedown', lazily(() => import('./admin/takedown.js')), true],
  ['/server/outside', 'nav.outside', lazily(() => import('./admin/outside.js')), true],
];
const Picker = lazily(() => import('./screens/playlists.js'), 'PlaylistPicker');
const Sharer = lazily(() => import('./screens/shares.js'), 'ShareDialog');
const Dock = lazily(() => import('./screens/upload.js'), 'UploadDock');

const nav = [['/', 'house', 'nav.home'], ['/search', 'search', 'nav.search'], ['/albums', 'disc-3', 'nav.albums'], ['/artists', 'mic', 'nav.artists'], ['/tracks', 'library', 'nav.tracks'], ['/playlists', 'list-music', 'nav.playlists'], ['/files', 'folder-open', 'nav.files'], ['/upload', 'upload', 'nav.upload']];
const house = () => [...(hasSpeakers.value ? [['/speakers', 'speaker', 'nav.speakers']] : []), ['/chat', 'message-circle', 'nav.chat']];
const mine = [['/storage', 'hard-drive', 'nav.storage'], ['/history', 'history', 'nav.history'], ['/shares', 'share-2', 'nav.shares'], ['/duplicates', 'copy', 'nav.duplicates'], ['/connect', 'smartphone', 'nav.connect'], ['/settings', 'settings', 'nav.settings']];
const server = [['/server', 'gauge', 'nav.overview'], ['/server/people', 'users', 'nav.people'], ['/server/rules', 'check', 'nav.rules'], ['/server/libraries', 'hard-drive', 'nav.libraries'], ['/server/devices', 'monitor-speaker', 'nav.devices'], ['/server/apps', 'smartphone', 'nav.apps'], ['/server/shares', 'share-2', 'nav.allShares'], ['/server/deliveries', 'download', 'nav.deliveries'], ['/server/notices', 'circle-alert', 'nav.notices'], ['/server/takedown', 'x', 'nav.takedown'], ['/server/backups', 'shield-check', 'nav.backups'], ['/server/outside', 'wifi', 'nav.outside']];
const fromOutside = [['/podcasts', 'podcast', 'nav.podcasts', 'podcasts'], ['/radio', 'radio', 'nav.radio', 'radio']];

function Links({ of, label }) {
  return html`<ul>${of.map(([href, icon, key]) => html`<li key=${href}><a class="nav" href=${href} title=${t(key)} aria-current=${label === key ? 'page' : undefined}>${h(Icon, { name: icon })}<span>${t(key)}</span></a></li>`)}</ul>`;
}

function Frame() {
  const address = path.value;
  let found = null;
  for (const [pattern, label, screen, forAdmin] of screens) {
    const parts = match(pattern, address);
    if (parts && (!forAdmin || isAdmin.value)) { found = { label, screen, parts }; break; }
  }
  const main = useRef();
  const place = address.split('?')[0];
  const [first, setFirst] = useState(true);
  useEffect(() => {
    if (first) { setFirst(false); return; }
    // A screen that focuses a field of its own keeps it.
    if (!main.current.contains(document.activeElement)) main.current.focus({ preventScroll: true });
    spoken.value = found ? t(found.label) : t('missing.title');
  }, [place]);
  const track = current.value;
  useEffect(() => {
    document.title = isPlaying.value && track ? `${track.title} · ${track.artist}` : `${found ? t(found.label) : t('missing.title')} · Tunelocker`;
  });
  document.body.classList.toggle('noplayer', !track);
  const label = found?.label;
  const inLibrary = ['nav.albums', 'nav.artists', 'nav.tracks', 'nav.playlists'].includes(label);
  return html`<a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current.focus(); }}>${t('skip')}</a>
    <nav class="side" aria-label=${t('nav.label')}><a class="brand" href="/"><span class="mark">${h(Icon, { name: 'music-4' })}</span><span>Tunelocker</span></a>
      ${h(Links, { of: [...nav, ...fromOutside.filter(([, , , name]) => outside.value.has(name)), ...house()], label })}
      ${isAdmin.value && html`<p class="group"><span>${t('nav.server')}</span></p>${h(Links, { of: server, label })}`}
      <div class="foot">${h(Links, { of: mine, label })}</div></nav>
    ${!online.value && html`<p class="offline" role="status">${t('offline')}</p>`}
    <main class="main" id="main" tabindex="-1" ref=${main}>
      ${inLibrary && !Object.keys(found.parts).length && html`<nav class="switch phoneonly" aria-label=${t('nav.library')}>${nav.slice(2, 6).map(([href, , key]) => html`<a key=${href} href=${href} aria-current=${label === key ? 'page' : undefined}>${t(key)}</a>`)}</nav>`}
      ${found ? h(Guard, { key: place }, h(found.screen, found.parts)) : html`<div class="page">${h(Empty, { title: t('missing.title'), icon: 'search', level: 'h1' }, html`<p>${t('missing.text')}</p><a class="btn secondary" href="/">${t('nav.home')}</a>`)}</div>`}
    </main>
    ${h(QueuePanel)}${h(PlayerBar)}${isFull.value && h(FullPlayer)}
    <nav class="tabs" aria-label=${t('nav.label')}>${[['/', 'house', 'nav.home', label === 'nav.home'], ['/albums', 'library', 'nav.library', inLibrary], ['/search', 'search', 'nav.search', label === 'nav.search'], ['/upload', 'upload', 'nav.upload', label === 'nav.upload'], ['/settings', 'ellipsis', 'nav.more', ['nav.settings', 'nav.storage', 'nav.deliveries', 'nav.rules', 'nav.notices', 'nav.takedown', 'nav.backups', 'nav.outside', 'nav.files', 'nav.history', 'nav.shares', 'nav.duplicates', 'nav.speakers', 'nav.chat', 'nav.connect', 'nav.overview', 'nav.people', 'nav.libraries', 'nav.devices', 'nav.apps'].includes(label)]]
      .map(([href, icon, key, on]) => html`<a key=${href} href=${href} aria-current=${on ? 'page' : undefined}>${h(Icon, { name: icon })}<span>${t(key)}</span></a>`)}</nav>
    ${h(Dock)}${h(Picker)}${sharing.value && h(Sharer)}${h(Toasts)}
    ${isHelpOpen.value && h(Dialog, { title: t('keys.title'), onClose: () => { isHelpOpen.value = false; } }, html`<dl class="keys">${shortcuts.map(([keys, what]) => html`<div key=${what}><dt>${keys.split(' ').map((one) => html`<kbd>${one}</kbd>`)}</dt><dd>${t(what)}</dd></div>`)}</dl>`)}
    <p class="sr" aria-live="polite">${spoken.value}</p>`;
}

/** One broken screen does not take the player down. */
function Guard({ children }) {
  const [failure, reset] = useErrorBoundary((error) => console.error(error));
  return failure ? h(Failed, { failure, retry: reset }) : children;
}

const root = document.getElementById('app');
try {
  const [, who] = await Promise.all([load(document.documentElement.lang || 'en', import.meta.url), get('session')]);
  await lookOutside();
  session.value = who;
  useToken(who.token);
  render(h(Frame), root);
  listen();
  restore();
} catch (failure) {
  if (failure.status === 401) location.assign('/login');
  else render(h(Failed, { failure, retry: () => location.reload() }), root);
}
