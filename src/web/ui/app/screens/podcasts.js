// Podcasts: the channels that one has, and one channel with its episodes.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { coverUrl, patch, post, put, remove } from '../api.js';
import { accountVersion } from '../events.js';
import { ago, bytes, date, length } from '../format.js';
import { t } from '../i18n.js';
import { current, isPlaying, play, toggle } from '../player/player.js';
import { go } from '../router.js';
import { complain, forget, toast, useFetched } from '../store.js';
import { Art, Button, Dialog, Empty, Failed, Field, Icon, IconButton, Menu, Soon } from '../ui/parts.js';

/** Grows with `bump`, and by itself while something is on its way. */
function useVersion(isBusy) {
  const [version, set] = useState(0);
  const bump = () => { forget(); set((was) => was + 1); };
  useEffect(() => {
    if (!isBusy) return undefined;
    const timer = setTimeout(bump, 2000);
    return () => clearTimeout(timer);
  }, [isBusy, version]);
  return [version, bump];
}

export default function Podcasts() {
  const [adding, setAdding] = useState(false);
  const [busy, setBusy] = useState(false);
  const [version, bump] = useVersion(busy);
  const { data, failure, retry } = useFetched('podcasts', version);
  const { data: newest } = useFetched('episodes?limit=10', version, accountVersion.value);
  useEffect(() => { setBusy(Boolean(data?.items.some((one) => one.status === 'new') || newest?.items.some((one) => one.status === 'downloading'))); }, [data, newest]);
  const refresh = () => post('podcasts/refresh').then(() => { toast(t('podcasts.refreshing')); bump(); }, complain);
  return html`<div class="page"><div class="pagehead"><h1>${t('podcasts.title')}</h1><div class="filters">
      ${data?.items.length > 0 && h(Button, { icon: 'refresh-cw', onClick: refresh }, t('podcasts.refresh'))}
      ${h(Button, { kind: 'primary', icon: 'plus', onClick: () => setAdding(true) }, t('podcasts.add'))}</div></div>
    ${failure && !data && h(Failed, { failure, retry })}
    ${data && (data.items.length === 0 ? h(Empty, { title: t('podcasts.none'), icon: 'podcast' }, html`<p>${t('podcasts.noneText')}</p>`)
      : html`<ul class="tilegrid">${data.items.map((one) => html`<li key=${one.id}><div class="tile"><a class="cover" href=${`/podcast/${one.id}`} tabindex="-1" aria-hidden="true">${h(Art, { cover: one.cover, icon: 'podcast', name: one.title })}</a>
        <span class="name" dir="auto"><a href=${`/podcast/${one.id}`}>${one.title}</a></span><span class="sub" dir="auto">${one.status === 'error' ? one.error : one.status === 'new' ? t('podcasts.coming') : one.author}</span></div></li>`)}</ul>
        ${newest?.items.length > 0 && html`<section class="section" aria-labelledby="newest"><h2 id="newest">${t('podcasts.newest')}</h2>${h(Episodes, { episodes: newest.items, again: bump, withChannel: true })}</section>`}`)}
    ${adding && h(Subscribe, { onClose: () => setAdding(false), onDone: (id) => { bump(); go(`/podcast/${id}`); } })}</div>`;
}

function Subscribe({ onClose, onDone }) {
  const [url, set] = useState('');
  const [wrong, setWrong] = useState('');
  const save = (event) => { event.preventDefault(); post('podcasts', { url: url.trim() }).then((made) => { onClose(); onDone(made.id); }, (problem) => setWrong(problem.message)); };
  return h(Dialog, { title: t('podcasts.add'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${h(Field, { id: 'feed-url', label: t('podcasts.url'), help: t('podcasts.urlHelp') }, html`<input class="input" id="feed-url" type="url" inputmode="url" required maxlength="2000" autocomplete="off" value=${url} aria-describedby="feed-url-help" onInput=${(event) => set(event.currentTarget.value)}/>`)}
    ${wrong && html`<p class="chip danger tall" role="alert">${wrong}</p>`}<footer><button class="btn primary">${t('podcasts.subscribe')}</button></footer></form>`);
}

export function Podcast({ id }) {
  const [open, setOpen] = useState('');
  const [busy, setBusy] = useState(false);
  const [version, bump] = useVersion(busy);
  const { data: podcast, failure, retry, isMissing } = useFetched(`podcasts/${id}`, version, accountVersion.value);
  useEffect(() => { setBusy(podcast?.status === 'new' || Boolean(podcast?.episodes.some((one) => one.status === 'downloading'))); }, [podcast]);
  if (isMissing) return html`<div class="page">${h(Empty, { title: t('podcast.missing'), icon: 'podcast', level: 'h1' }, html`<a class="btn secondary" href="/podcasts">${t('podcasts.title')}</a>`)}</div>`;
  if (failure && !podcast) return h(Failed, { failure, retry });
  if (!podcast) return h(Soon, {}, html`<div class="hero"></div>`);
  const leave = () => remove(`podcasts/${id}`).then(() => { forget(); go('/podcasts'); toast(t('podcast.left', { name: podcast.title })); }, complain);
  const ready = podcast.episodes.filter((one) => one.status === 'completed');
  return html`<article><header class="hero">${podcast.cover && html`<div class="tintbox"><img class="tint" src=${coverUrl(podcast.cover, 96)} alt=""/></div>`}${h(Art, { cover: podcast.cover, size: 640, icon: 'podcast', name: podcast.title, lazy: false })}
      <div class="texts"><p class="kind">${[t('kind.podcast'), podcast.author, t('count.episodes', { count: podcast.episodes.length })].filter(Boolean).join(' · ')}</p><h1 dir="auto">${podcast.title}</h1>
        ${podcast.status === 'error' && html`<p><span class="chip warn tall">${h(Icon, { name: 'triangle-alert' })}${podcast.error}</span></p>`}</div></header>
    <div class="actions">${h(Button, { kind: 'primary', icon: 'play', disabled: !ready.length, onClick: () => play(ready, 0, { from: podcast.title, shuffle: false }) }, t('action.play'))}
      ${h(Button, { icon: 'settings', onClick: () => setOpen('keep') }, t('podcast.keep'))}
      ${h(Menu, { label: t('podcast.more'), items: [{ label: t('podcasts.refresh'), icon: 'refresh-cw', onPick: () => post('podcasts/refresh').then(() => { toast(t('podcasts.refreshing')); bump(); }, complain) },
        { label: t('podcast.leave'), icon: 'trash-2', danger: true, onPick: () => setOpen('leave') }] })}</div>
    <div class="body">${podcast.description && html`<p class="about" dir="auto">${podcast.description}</p>`}
      ${podcast.episodes.length === 0 ? h(Empty, { title: t(podcast.status === 'new' ? 'podcasts.coming' : 'podcast.empty'), icon: 'podcast' }) : h(Episodes, { episodes: podcast.episodes, again: bump })}</div>
    ${open === 'keep' && h(Keep, { podcast, onClose: () => setOpen(''), onDone: bump })}
    ${open === 'leave' && h(Dialog, { title: t('podcast.leave'), onClose: () => setOpen(''), footer: html`<button type="button" class="btn danger" onClick=${leave}>${t('podcast.leave')}</button>` }, html`<p class="muted">${t('podcast.leaveText')}</p>`)}</article>`;
}

function Episodes({ episodes, again, withChannel }) {
  const fetch = (one) => put(`episodes/${one.id}/file`).then(again, complain);
  const drop = (one) => remove(`episodes/${one.id}/file`).then(again, complain);
  return html`<ul class="list episodes">${episodes.map((one) => {
    const isHere = one.status === 'completed';
    const on = current.value?.id === one.id;
    const start = () => (on ? toggle() : play([one], 0, { from: one.albumName, shuffle: false }));
    return html`<li key=${one.id}>${isHere
      ? h(IconButton, { icon: on && isPlaying.value ? 'pause' : 'play', filled: true, label: t(on && isPlaying.value ? 'track.pause' : 'track.play', { name: one.title }), onClick: start })
      : one.status === 'downloading' ? html`<span class="ib" aria-hidden="true">${h(Icon, { name: 'refresh-cw' })}</span>`
        : h(IconButton, { icon: 'download', label: t('episode.download', { name: one.title }), onClick: () => fetch(one) })}
      <span class="what"><b dir="auto">${one.title}</b><small dir="auto">${[withChannel && one.albumName, date(one.publishedAt), one.duration > 0 && length(one.duration * 1000), isHere && bytes(one.size)].filter(Boolean).join(' · ')}</small>
        ${one.error && one.status !== 'completed' ? html`<small class="wrap">${one.error}</small>` : !withChannel && one.description && html`<small class="clip" dir="auto">${one.description}</small>`}</span>
      ${one.status !== 'new' && !isHere && html`<span class=${`chip ${one.status === 'error' ? 'danger' : 'info'}`}>${t(`episode.${one.status}`)}</span>`}
      ${isHere && h(IconButton, { icon: 'trash-2', label: t('episode.remove', { name: one.title }), onClick: () => drop(one) })}</li>`;
  })}</ul>`;
}

function Keep({ podcast, onClose, onDone }) {
  const [fetchNewest, setFetch] = useState(String(podcast.fetchNewest));
  const [newest, setNewest] = useState(podcast.keepNewest === null ? '' : String(podcast.keepNewest));
  const [days, setDays] = useState(podcast.keepDays === null ? '' : String(podcast.keepDays));
  const orAll = (text) => (text === '' ? null : Number(text));
  const save = (event) => { event.preventDefault(); patch(`podcasts/${podcast.id}`, { fetchNewest: Number(fetchNewest), keepNewest: orAll(newest), keepDays: orAll(days) }).then(() => { onDone(); onClose(); toast(t('settings.saved')); }, complain); };
  const field = (id, label, help, value, set, min) => h(Field, { id, label, help }, html`<input class="input" id=${id} type="number" inputmode="numeric" min=${min} max=${id === 'keep-fetch' ? 100 : 10000} step="1" required=${id === 'keep-fetch'} value=${value} aria-describedby=${`${id}-help`} onInput=${(event) => set(event.currentTarget.value)}/>`);
  return h(Dialog, { title: t('podcast.keep'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${field('keep-fetch', t('keep.fetch'), t('keep.fetchHelp'), fetchNewest, setFetch, 0)}
    ${field('keep-newest', t('keep.newest'), t('keep.newestHelp'), newest, setNewest, 1)}
    ${field('keep-days', t('keep.days'), t('keep.daysHelp', { when: podcast.refreshedAt ? ago(podcast.refreshedAt) : t('time.never') }), days, setDays, 1)}
    <footer><button class="btn primary">${t('action.save')}</button></footer></form>`);
}
