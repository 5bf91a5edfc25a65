// Internet radio: stations, played straight from where they send. Administrators keep the list.
import { h, html, signal, useState } from '../../vendor/ui.js';
import { post, put, remove } from '../api.js';
import { t } from '../i18n.js';
import { isPlaying as isTrackPlaying, toggle, volume } from '../player/player.js';
import { complain, forget, isAdmin, toast, useFetched } from '../store.js';
import { Art, Button, Dialog, Empty, Failed, Field, Icon, IconButton, Menu } from '../ui/parts.js';

const sound = new Audio();
sound.preload = 'none';
/** The station that sounds, also while another screen is shown. */
export const tuned = signal(null);
sound.addEventListener('error', () => { if (tuned.value) { toast(t('radio.failed', { name: tuned.value.name })); stop(); } });

export function stop() {
  tuned.value = null;
  sound.pause();
  sound.removeAttribute('src');
}

function tune(station) {
  if (tuned.value?.id === station.id) { stop(); return; }
  // One thing at a time.
  if (isTrackPlaying.value) toggle();
  tuned.value = station;
  sound.volume = volume.value;
  sound.src = station.streamUrl;
  sound.play().catch(() => {});
}

export default function Radio() {
  const [version, set] = useState(0);
  const [open, setOpen] = useState(null);
  const again = () => { forget(); setOpen(null); set(version + 1); };
  const { data, failure, retry } = useFetched('radio', version);
  const add = () => setOpen({ name: '', streamUrl: '', homepageUrl: '' });
  return html`<div class="page narrow"><div class="pagehead"><h1>${t('radio.title')}</h1>${isAdmin.value && h(Button, { kind: 'primary', icon: 'plus', onClick: add }, t('radio.add'))}</div>
    ${failure && !data && h(Failed, { failure, retry })}
    ${data && (data.items.length === 0 ? h(Empty, { title: t('radio.none'), icon: 'radio' }, html`<p>${t(isAdmin.value ? 'radio.noneAdmin' : 'radio.noneText')}</p>`)
      : html`<section class="card"><ul class="list">${data.items.map((one) => {
        const on = tuned.value?.id === one.id;
        return html`<li key=${one.id} aria-current=${on ? 'true' : undefined}>${h(IconButton, { icon: on ? 'square' : 'play', filled: true, label: t(on ? 'radio.stop' : 'track.play', { name: one.name }), onClick: () => tune(one) })}
          ${h(Art, { cover: one.cover, size: 96, className: 's', icon: 'radio', name: one.name })}
          <span class="what"><b dir="auto">${one.name}</b><small>${one.homepageUrl ? html`<a class="link" href=${one.homepageUrl} target="_blank" rel="noopener noreferrer">${new URL(one.homepageUrl).host}</a>` : new URL(one.streamUrl).host}</small></span>
          ${on && html`<span class="chip info">${h(Icon, { name: 'volume-2' })}${t('radio.onAir')}</span>`}
          ${isAdmin.value && h(Menu, { label: t('radio.more', { name: one.name }), items: [
            { label: t('radio.edit'), icon: 'pencil', onPick: () => setOpen(one) },
            { label: t('radio.remove'), icon: 'trash-2', danger: true, onPick: () => { if (on) stop(); remove(`radio/${one.id}`).then(again, complain); } }] })}</li>`;
      })}</ul></section>`)}
    ${open && h(Station, { station: open, onClose: () => setOpen(null), onDone: again })}</div>`;
}

function Station({ station, onClose, onDone }) {
  const [values, set] = useState({ name: station.name, streamUrl: station.streamUrl, homepageUrl: station.homepageUrl });
  const [wrong, setWrong] = useState('');
  const save = (event) => { event.preventDefault(); (station.id ? put(`radio/${station.id}`, values) : post('radio', values)).then(onDone, (problem) => setWrong(problem.message)); };
  const field = (name, type, required, help) => h(Field, { id: `radio-${name}`, label: t(`radio.${name}`), help }, html`<input class="input" id=${`radio-${name}`} type=${type} required=${required} maxlength="2000" autocomplete="off" value=${values[name]} aria-describedby=${help ? `radio-${name}-help` : undefined} onInput=${(event) => set({ ...values, [name]: event.currentTarget.value })}/>`);
  return h(Dialog, { title: t(station.id ? 'radio.edit' : 'radio.add'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${field('name', 'text', true)}${field('streamUrl', 'url', true, t('radio.streamHelp'))}${field('homepageUrl', 'url', false)}
    ${wrong && html`<p class="chip danger tall" role="alert">${wrong}</p>`}<footer><button class="btn primary">${t('action.save')}</button></footer></form>`);
}
