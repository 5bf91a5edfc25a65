// What is known of apps: which codecs they play, what they are given instead, and how much of it.
import { h, html, useState } from '../../vendor/ui.js';
import { put, remove } from '../api.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Dialog, Failed, Field, Icon, IconButton } from '../ui/parts.js';

const targets = ['mp3', 'opus', 'm4a', 'aac', 'flac', 'wav'];
const gains = ['off', 'track', 'album', 'auto'];
const fresh = { client: '', note: '', plays: [], target: 'mp3', mode: 'constant', maxSampleRate: null, maxChannels: null, maxBitDepth: null, lanLimit: null, outsideLimit: null, gain: null };
const nameOf = (one) => (one.client === '*' ? t('apps.everybody') : one.client);

/** What is special about it, in a line. */
function summary(one) {
  const limits = [['apps.inHouse', one.lanLimit], ['apps.outside', one.outsideLimit]].filter(([, kbps]) => kbps).map(([key, kbps]) => t(key, { kbps }));
  const parts = [one.client === '*' ? null : one.note, one.plays.length ? one.plays.join(', ') : t('apps.all'), ...limits];
  return parts.filter(Boolean).join(' · ');
}

export default function Apps() {
  const [version, bump] = useState(0);
  const [open, setOpen] = useState(null);
  const { data, failure, retry } = useFetched('clients', version);
  const again = () => { setOpen(null); bump(version + 1); };
  if (failure && !data) return h(Failed, { failure, retry });
  return html`<div class="page"><div class="pagehead"><div><h1>${t('apps.title')}</h1><p>${t('apps.lead')}</p></div>${h(Button, { kind: 'primary', icon: 'plus', onClick: () => setOpen(fresh) }, t('apps.add'))}</div>
    ${data && html`<section class="card"><ul class="list">${data.items.map((one) => html`<li key=${one.client}>${h(Icon, { name: 'smartphone', className: 'muted' })}<span class="what"><b>${nameOf(one)}</b><small>${summary(one)}</small></span>
      ${h(IconButton, { icon: 'pencil', label: t('apps.edit', { name: nameOf(one) }), onClick: () => setOpen(one) })}
      ${h(IconButton, { icon: 'trash-2', label: t('apps.remove', { name: nameOf(one) }), disabled: one.client === '*', onClick: () => remove(`clients/${encodeURIComponent(one.client)}`).then(again, complain) })}</li>`)}</ul></section>`}
    ${open && h(Edit, { one: open, onClose: () => setOpen(null), onDone: again })}</div>`;
}

function Edit({ one, onClose, onDone }) {
  const isOld = one !== fresh;
  const text = (value) => (value === null ? '' : String(value));
  const numbers = ['maxSampleRate', 'maxChannels', 'maxBitDepth', 'lanLimit', 'outsideLimit'];
  const [values, set] = useState({ ...one, plays: one.plays.join(', '), gain: one.gain ?? '', ...Object.fromEntries(numbers.map((name) => [name, text(one[name])])) });
  const [wrong, setWrong] = useState('');
  const field = (name) => ({ id: `f-${name}`, name, class: 'input', value: values[name], onInput: (event) => set({ ...values, [name]: event.currentTarget.value }) });
  const save = (event) => {
    event.preventDefault();
    const { client, note, target, mode } = values;
    const body = { note, target, mode, plays: values.plays.split(/[\s,]+/).filter(Boolean), gain: values.gain || null };
    for (const name of numbers) body[name] = values[name] === '' ? null : Number(values[name]);
    put(`clients/${encodeURIComponent(client.trim())}`, body).then(() => { toast(t('apps.saved', { name: nameOf(values) })); onDone(); }, (failure) => setWrong(failure.message));
  };
  const number = (name, label, help) => h(Field, { id: `f-${name}`, label: t(label), help: help && t(help) }, html`<input ...${field(name)} type="number" min="1" inputmode="numeric"/>`);
  return h(Dialog, { title: isOld ? t('apps.edit', { name: nameOf(one) }) : t('apps.add'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${one.client !== '*' && h(Field, { id: 'f-client', label: t('apps.name'), help: t('apps.nameHelp') }, html`<input ...${field('client')} required maxlength="100" readonly=${isOld} autocapitalize="none" spellcheck="false" aria-describedby="f-client-help"/>`)}
    ${h(Field, { id: 'f-note', label: t('apps.note') }, html`<input ...${field('note')} maxlength="200"/>`)}
    ${h(Field, { id: 'f-plays', label: t('apps.plays'), help: t('apps.playsHelp') }, html`<input ...${field('plays')} autocapitalize="none" spellcheck="false" aria-describedby="f-plays-help"/>`)}
    ${h(Field, { id: 'f-target', label: t('apps.target') }, html`<select ...${field('target')}>${targets.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select>`)}
    ${h(Field, { id: 'f-mode', label: t('apps.mode') }, html`<select ...${field('mode')}><option value="constant">${t('apps.constant')}</option><option value="variable">${t('apps.variable')}</option></select>`)}
    ${number('lanLimit', 'apps.lanLimit')}${number('outsideLimit', 'apps.outsideLimit')}
    ${number('maxSampleRate', 'apps.maxSampleRate')}${number('maxChannels', 'apps.maxChannels')}${number('maxBitDepth', 'apps.maxBitDepth')}
    ${h(Field, { id: 'f-gain', label: t('apps.gain') }, html`<select ...${field('gain')}><option value="">${t('apps.gainUser')}</option>${gains.map((name) => html`<option key=${name} value=${name}>${t(`gain.${name}`)}</option>`)}</select>`)}
    ${wrong && html`<p class="chip danger tall" role="alert">${wrong}</p>`}<footer><button class="btn primary">${t('action.save')}</button></footer></form>`);
}
