// One album.
import { h, html } from '../../vendor/ui.js';
import { coverUrl } from '../api.js';
import { bytes, length } from '../format.js';
import { t } from '../i18n.js';
import { addToQueue, play, playNext, radio } from '../player/player.js';
import { canShare, complain, hasSpeakers, revision, toast, useFetched } from '../store.js';
import { Art, Button, Empty, Failed, Menu, Soon } from '../ui/parts.js';
import { Heart, picking, sharing, TrackHead, TrackRow } from '../ui/tracks.js';

export default function Album({ id }) {
  const { data: album, failure, retry, isMissing } = useFetched(`albums/${id}`, revision.value);
  if (isMissing) return html`<div class="page">${h(Empty, { title: t('album.missing'), icon: 'disc-3', level: 'h1' }, html`<a class="btn secondary" href="/albums">${t('albums.title')}</a>`)}</div>`;
  if (failure && !album) return h(Failed, { failure, retry });
  if (!album) return h(Soon, {}, html`<div class="hero"><span class="art skel"></span><div class="texts"><h1 class="skel">\u00a0</h1></div></div>`);
  const { tracks } = album;
  const discs = new Set(tracks.map((one) => one.disc ?? 1));
  const start = (options) => play(tracks, 0, { from: album.name, ...options });
  const rows = [];
  let disc = null;
  for (const [at, track] of tracks.entries()) {
    if (discs.size > 1 && (track.disc ?? 1) !== disc) {
      disc = track.disc ?? 1;
      rows.push(html`<li class="disc" key=${`disc${disc}`}>${t('album.disc', { number: disc })}${album.discTitles[disc] && ` · ${album.discTitles[disc]}`}</li>`);
    }
    rows.push(html`<li key=${track.id}>${h(TrackRow, { track, number: track.number ?? at + 1, albumArtist: album.artist, onPlay: () => play(tracks, at, { from: album.name, shuffle: false }) })}</li>`);
  }
  const quality = tracks[0] && (tracks[0].lossless ? `${tracks[0].codec.toUpperCase()} · ${tracks[0].bitDepth || 16} bit · ${tracks[0].sampleRate / 1000} kHz` : `${tracks[0].codec.toUpperCase()} · ${tracks[0].bitrate} kbit/s`);
  return html`<article>
    <header class="hero">${album.cover && html`<div class="tintbox"><img class="tint" src=${coverUrl(album.cover, 96)} alt=""/></div>`}
      ${h(Art, { cover: album.cover, size: 640, name: album.name, lazy: false })}
      <div class="texts"><p class="kind">${[t(`kind.${album.kind || 'album'}`), album.year, t('count.tracks', { count: album.trackCount }), length(album.duration * 1000)].filter(Boolean).join(' · ')}</p>
        <h1 dir="auto">${album.name}</h1>
        <p class="by" dir="auto">${album.artists.length ? album.artists.map((one, at) => html`${at > 0 && ', '}<a href=${`/artist/${one.id}`}>${one.name}</a>`) : album.artist}</p></div></header>
    <div class="actions">
      ${h(Button, { kind: 'primary', icon: 'play', onClick: () => start({ shuffle: false }), disabled: !tracks.length }, t('action.play'))}
      ${h(Button, { icon: 'shuffle', onClick: () => start({ shuffle: true }), disabled: !tracks.length }, t('action.shuffle'))}
      ${h(Heart, { item: album, name: album.name })}
      ${h(Menu, { label: t('album.more'), items: [
        { label: t('queue.next'), icon: 'list-end', onPick: () => { playNext(tracks); toast(t('queue.added', { count: tracks.length })); } },
        { label: t('queue.add'), icon: 'list-plus', onPick: () => { addToQueue(tracks); toast(t('queue.added', { count: tracks.length })); } },
        { label: t('radio.play'), icon: 'activity', onPick: () => radio(album, album.name) },
        { label: t('playlist.add'), icon: 'list-music', onPick: () => { picking.value = tracks; } },
        hasSpeakers.value && { label: t('speakers.add'), icon: 'speaker', onPick: () => import('./speakers.js').then((module) => module.addToSpeakers(tracks), complain) },
        canShare.value && { label: t('shares.menu'), icon: 'share-2', onPick: () => { sharing.value = { ids: [album.id], name: album.name }; } }] })}
    </div>
    <div class="body"><div class="tracks">${h(TrackHead, {})}<ul>${rows}</ul></div>
      <p class="facts">${album.genres.map((genre) => html`<a class="link" href=${`/albums?genre=${encodeURIComponent(genre)}`}>${genre}</a>`)}
        ${album.labels.map((label) => html`<span>${label}</span>`)}${album.alsoIn.map((other) => html`<a class="link" href=${`/album/${other.id}`}>${t('album.alsoIn', { library: other.library })}</a>`)}<span>${quality}</span><span>${bytes(album.size)}</span></p></div></article>`;
}
