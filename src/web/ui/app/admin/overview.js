// The server at a glance: health, what plays, what is scanned, how full it is.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { post, put } from '../api.js';
import { accountVersion, analysisVersion, libraryVersion, playingVersion, scan } from '../events.js';
import { ago, bytes, number } from '../format.js';
import { t } from '../i18n.js';
import { complain, revision, toast, useFetched } from '../store.js';
import { Art, Bar, Button, Failed, Icon, Part, Soon } from '../ui/parts.js';

export function ScanCard({ scan: state, children }) {
  const running = state.running;
  const part = state.total ? (state.done / state.total) * 100 : 0;
  return html`<section class="card w" aria-label=${t('scan.title')}><header>${h(Icon, { name: 'refresh-cw' })}<h2>${running ? t('scan.running', { name: state.library || t('scan.all') }) : t('scan.idle')}</h2>
      <span class="end">${running && html`<span class="chip info">${t(`scan.phase.${state.phase}`)}</span>`}${children}</span></header>
    ${running ? html`<p><b>${number(state.done)}</b> ${t('scan.of', { count: state.total })} · ${t('scan.seen', { count: state.seen })} · ${t('scan.unreadable', { count: state.unreadable })}</p>
        <div class="gap">${h(Bar, { value: part, busy: !state.total, label: t('scan.title') })}</div>`
      : html`<p class="muted">${state.finishedAt ? t('scan.last', { when: ago(state.finishedAt) }) : t('scan.never')}</p>`}</section>`;
}

export function AnalysisCard() {
  const { data: first } = useFetched('analysis', analysisVersion.value);
  const [own, set] = useState(null);
  useEffect(() => set(null), [first]);
  const state = own ?? first;
  if (!state) return null;
  const isOn = state.phase !== 'paused';
  const flip = () => put('analysis', { on: !isOn }).then(set, complain);
  const part = state.tracks ? (state.done / state.tracks) * 100 : 100;
  return html`<section class="card w" aria-label=${t('analysis.title')}><header>${h(Icon, { name: 'activity' })}<h2>${t('analysis.title')}</h2>
      <span class="end"><span class=${`chip ${state.phase === 'hearing' ? 'info' : state.phase === 'done' ? 'ok' : ''}`}>${t(`analysis.phase.${state.phase}`)}</span></span></header>
    <p><b>${number(state.done)}</b> ${t('analysis.of', { count: state.tracks })}${state.unheard > 0 && html` · ${t('analysis.unheard', { count: state.unheard })}`}</p>
    <div class="gap">${h(Bar, { value: part, label: t('analysis.title') })}</div>
    <p class="note">${t('analysis.note')}</p>
    ${state.phase !== 'disabled' && html`<div class="switches"><label><input type="checkbox" role="switch" checked=${isOn} onChange=${flip}/><span>${t('analysis.switch')}</span></label></div>`}</section>`;
}

// Whether a disk that failed is well again.
function TryDisk({ onDone }) {
  const [busy, setBusy] = useState(false);
  const go = () => {
    setBusy(true);
    post('server/storage').then(() => { toast(t('overview.diskFine')); onDone(); }, complain).finally(() => setBusy(false));
  };
  return html`<p class="note gapafter">${t('overview.tryDiskHint')}</p>${h(Button, { icon: 'hard-drive', busy, disabled: busy, onClick: go }, t('overview.tryDisk'))}`;
}

export default function Overview() {
  const { data, failure, retry } = useFetched('server', revision.value, libraryVersion.value, accountVersion.value, playingVersion.value);
  if (failure && !data) return h(Failed, { failure, retry });
  if (!data) return h(Soon, {}, html`<div class="page"><h1>${t('overview.title')}</h1></div>`);
  const wrong = data.attention.length;
  const stat = (label, value, note) => html`<section class="card stat q"><p class="label">${label}</p><p class="value">${value}</p><p class="note">${note}</p></section>`;
  const state = scan.value ?? data.scan;
  const all = data.lockers.reduce((sum, one) => sum + one.used, 0);
  return html`<div class="page"><div class="pagehead"><div><h1>${t('overview.title')}</h1>
      <p><span class=${`chip ${wrong ? 'warn' : 'ok'}`}>${h(Icon, { name: wrong ? 'triangle-alert' : 'circle-check' })}${wrong ? t('overview.attention', { count: wrong }) : t('overview.fine')}</span> <span class="note">${t('overview.version', { version: data.version })} · ${t('overview.up', { since: ago(data.startedAt) })}</span></p></div></div>
    <div class="grid">
      ${wrong > 0 && html`<section class="card" aria-labelledby="attention"><header>${h(Icon, { name: 'triangle-alert' })}<h2 id="attention">${t('overview.needs')}</h2></header><ul class="list">${data.attention.map((one) => html`<li key=${one}><span class="what wrap">${one}</span></li>`)}</ul>${Object.values(data.storage).includes('degraded') && h(TryDisk, { onDone: retry })}</section>`}
      ${stat(t('overview.playing'), number(data.playing.length), data.playing.length ? data.playing.map((one) => one.user).join(', ') : t('overview.quiet'))}
      ${stat(t('albums.title'), number(data.counts.albums), t('count.tracks', { count: data.counts.tracks }))}
      ${stat(t('artists.title'), number(data.counts.artists), t('overview.genres', { count: data.counts.genres }))}
      ${stat(t('people.title'), number(data.counts.users), t('overview.devices', { count: data.counts.devices }))}
      ${h(ScanCard, { scan: state })}
      <section class="card n" aria-labelledby="disk"><header>${h(Icon, { name: 'hard-drive' })}<h2 id="disk">${t('overview.disk')}</h2></header>
        ${data.disk && html`<p class="bignum">${bytes(data.disk.free)} <small>${t('overview.free', { total: bytes(data.disk.total) })}</small></p>
          <div class="gap">${h(Bar, { value: ((data.disk.total - data.disk.free) / data.disk.total) * 100, label: t('overview.disk') })}</div>`}</section>
      <section class="card h" aria-labelledby="lockers"><header>${h(Icon, { name: 'users' })}<h2 id="lockers">${t('overview.lockers')}</h2><span class="end note">${bytes(all)}</span></header>
        <div class="bar" aria-hidden="true">${data.lockers.slice(0, 4).map((one, at) => h(Part, { key: one.name, value: all ? (one.used / all) * 100 : 0, className: `c${at + 1}` }))}</div>
        <ul class="plain">${data.lockers.map((one, at) => html`<li key=${one.name}><i class=${`dot ${at < 4 ? `c${at + 1}` : 'rest'}`}></i><span>${one.kind === 'household' ? t('locker.household') : one.name}</span><b>${bytes(one.used)}</b></li>`)}</ul></section>
      <section class="card h" aria-labelledby="now"><header>${h(Icon, { name: 'activity' })}<h2 id="now">${t('overview.playing')}</h2></header>
        ${data.playing.length === 0 ? html`<p class="muted">${t('overview.nobody')}</p>` : html`<ul class="list">${data.playing.map((one) => html`<li key=${one.user + one.client}>${h(Art, { cover: one.track.cover, size: 96, className: 's', icon: 'music' })}<span class="what"><b dir="auto">${one.track.title}</b><small dir="auto">${one.track.artist}</small></span><span class="note">${one.user} · ${one.client}</span></li>`)}</ul>`}</section>
      <section class="card" aria-labelledby="checks"><header>${h(Icon, { name: 'shield-check' })}<h2 id="checks">${t('overview.checks')}</h2></header>
        <ul class="plain">${data.facts.map((one) => html`<li key=${one.name}><span>${t(`fact.${one.name}`)}</span><b class="wrap">${one.value}</b></li>`)}</ul></section>
    </div></div>`;
}
