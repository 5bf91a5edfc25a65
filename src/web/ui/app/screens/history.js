// What was heard: sums of a while, what was heard most, and every listen.
import { h, html, useMemo, useState } from '../../vendor/ui.js';
import { remove } from '../api.js';
import { playVersion } from '../events.js';
import { ago, date, length, number } from '../format.js';
import { t } from '../i18n.js';
import { play } from '../player/player.js';
import { complain, useFetched } from '../store.js';
import { Art, Button, Empty, Failed, IconButton, initialsOf, Part } from '../ui/parts.js';

const DAY = 86400000;
const spans = { week: 7, month: 30, year: 365 };
const PAGE = 50;

/** From local midnight so many days ago until the end of today. */
function range(span) {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  return { from: midnight.getTime() - (spans[span] - 1) * DAY, to: midnight.getTime() + DAY };
}

export default function History() {
  const [span, setSpan] = useState('month');
  const zone = -new Date().getTimezoneOffset();
  const { from, to } = range(span);
  const { data, failure, retry } = useFetched(`history/summary?from=${from}&to=${to}&zone=${zone}`, playVersion.value);
  return html`<div class="page"><div class="pagehead"><h1>${t('history.title')}</h1>
      <div class="filters" role="group" aria-label=${t('history.span')}>${Object.keys(spans).map((one) => html`<button type="button" key=${one} aria-pressed=${String(span === one)} onClick=${() => setSpan(one)}>${t(`history.${one}`)}</button>`)}</div></div>
    ${failure && !data ? h(Failed, { failure, retry }) : data && (data.listens === 0
      ? h(Empty, { title: t('history.none'), icon: 'history' }, html`<p>${t('history.noneText')}</p>`)
      : h(Sums, { data, span, from, zone }))}
    ${h(Listens)}</div>`;
}

function Sums({ data, span, from, zone }) {
  return html`<div class="stack"><dl class="figures">
      <div><dt>${t('history.listens')}</dt><dd>${number(data.listens)}</dd></div>
      <div><dt>${t('history.time')}</dt><dd>${length(data.heard * 1000)}</dd></div>
      <div><dt>${t('history.tracks')}</dt><dd>${number(data.tracks)}</dd></div></dl>
    ${h(Days, { days: data.days, span, from, zone })}
    <div class="tops">
      ${h(Top, { title: t('history.topArtists'), items: data.topArtists, row: ({ artist }) => ({ name: artist.name, href: `/artist/${artist.id}`, art: { cover: artist.cover, className: 's round', initials: initialsOf(artist.name), name: artist.name } }) })}
      ${h(Top, { title: t('history.topAlbums'), items: data.topAlbums, row: ({ album }) => ({ name: album.name, by: album.artist, href: `/album/${album.id}`, art: { cover: album.cover, className: 's', name: album.name } }) })}
      ${h(Top, { title: t('history.topTracks'), items: data.topTracks, row: ({ track }) => ({ name: track.title, by: track.artist, href: track.album && `/album/${track.album}`, art: { cover: track.cover, className: 's', icon: 'music', name: track.albumName } }), onPlay: (at) => play(data.topTracks.map((one) => one.track), at, { from: t('history.title'), shuffle: false }) })}
    </div></div>`;
}

/** One column a day, or a month for a year. */
function Days({ days, span, from, zone }) {
  const bars = useMemo(() => {
    const listens = new Map(days);
    const first = Math.floor((from + zone * 60000) / DAY);
    const all = Array.from({ length: spans[span] }, (_, at) => first + at);
    const when = (day) => new Date(day * DAY - zone * 60000);
    if (span !== 'year') return all.map((day) => ({ key: day, label: date(when(day).getTime()), count: listens.get(day) ?? 0 }));
    const months = new Map();
    const name = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });
    for (const day of all) {
      const label = name.format(when(day));
      months.set(label, (months.get(label) ?? 0) + (listens.get(day) ?? 0));
    }
    return [...months].map(([label, count]) => ({ key: label, label, count }));
  }, [days, span, from]);
  const most = Math.max(1, ...bars.map((one) => one.count));
  return html`<section class="card"><header><h2>${t(span === 'year' ? 'history.byMonth' : 'history.byDay')}</h2></header>
    <ul class="columns">${bars.map((one) => html`<li key=${one.key} title=${`${one.label}: ${t('history.count', { count: one.count })}`}><span class="sr">${one.label}: ${t('history.count', { count: one.count })}</span>${h(Part, { value: (one.count / most) * 100 })}</li>`)}</ul>
    <p class="note ends"><span>${bars[0].label}</span><span>${bars.at(-1).label}</span></p></section>`;
}

function Top({ title, items, row, onPlay }) {
  if (!items.length) return null;
  const most = items[0].plays;
  return html`<section class="card"><header><h2>${title}</h2></header><ol class="list ranked">${items.slice(0, 10).map((item, at) => {
    const { name, by, href, art } = row(item);
    return html`<li key=${href ?? name}>${h(Art, { size: 96, ...art })}<span class="what"><b dir="auto">${href ? html`<a href=${href}>${name}</a>` : name}</b>${by && html`<small dir="auto">${by}</small>`}
      <span class="bar" aria-hidden="true">${h(Part, { value: (item.plays / most) * 100 })}</span></span>
      <span class="chip">${t('history.count', { count: item.plays })}</span>${onPlay && h(IconButton, { icon: 'play', label: t('track.play', { name }), onClick: () => onPlay(at) })}</li>`;
  })}</ol></section>`;
}

function Listens() {
  const [count, more] = useState(PAGE);
  const [version, bump] = useState(0);
  const { data, failure, retry } = useFetched(`history?limit=${count}`, playVersion.value, version);
  const forget = (one) => remove(`history/${one.id}`).then(() => bump(version + 1), complain);
  if (failure && !data) return h(Failed, { failure, retry });
  if (!data?.items.length) return null;
  return html`<section class="section history"><header><h2>${t('history.all')}</h2></header>
    <ul class="list">${data.items.map((one, at) => html`<li key=${one.id}>${h(Art, { cover: one.track.cover, size: 96, className: 's', icon: 'music', name: one.track.albumName })}
      <span class="what"><b dir="auto">${one.track.title}</b><small dir="auto">${one.track.artist}${one.track.album && html` · <a href=${`/album/${one.track.album}`}>${one.track.albumName}</a>`}</small></span>
      <span class="note when"><time datetime=${new Date(one.at).toISOString()} title=${new Date(one.at).toLocaleString()}>${ago(one.at)}</time><span>${one.client}</span></span>
      ${h(IconButton, { icon: 'play', label: t('track.play', { name: one.track.title }), onClick: () => play(data.items.map((each) => each.track), at, { from: t('history.title'), shuffle: false }) })}
      ${h(IconButton, { icon: 'trash-2', label: t('history.remove', { name: one.track.title }), onClick: () => forget(one) })}</li>`)}</ul>
    ${data.items.length < data.total && h(Button, { onClick: () => more(count + PAGE) }, t('history.more'))}</section>`;
}
