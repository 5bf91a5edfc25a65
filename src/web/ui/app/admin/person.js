// What one person may do: mail address, switches, ceiling, music folders.
import { h, html, useState } from '../../vendor/ui.js';
import { patch } from '../api.js';
import { t } from '../i18n.js';
import { toast, useFetched } from '../store.js';
import { Dialog, Field } from '../ui/parts.js';

const switches = ['stream', 'download', 'upload', 'playlist', 'cover_art', 'comment', 'settings', 'share', 'jukebox', 'podcast', 'scrobbling'];
/** kbit/s, as the protocol of the apps knows them. */
const rates = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

export default function Person({ user, onClose, onDone }) {
  const { data } = useFetched('libraries');
  const [email, setEmail] = useState(user.email);
  const [may, setMay] = useState(Object.fromEntries(switches.map((one) => [one, user.may[one]])));
  const [rate, setRate] = useState(user.maxBitrate ? String(user.maxBitrate) : '');
  const [all, setAll] = useState(user.may.sees_shared);
  const [chosen, choose] = useState(new Set(user.libraries));
  const [wrong, setWrong] = useState('');
  const libraries = data?.items.filter((one) => one.kind !== 'locker' || one.shared) ?? [];
  const known = rate && !rates.includes(Number(rate)) ? [...rates, Number(rate)].sort((a, b) => a - b) : rates;
  const save = (event) => {
    event.preventDefault();
    const body = { email, may, maxBitrate: rate ? Number(rate) : null, libraries: all ? null : libraries.filter((one) => chosen.has(one.id)).map((one) => one.id) };
    patch(`users/${user.name}`, body).then(() => { toast(t('settings.saved')); onDone(); }, (failure) => setWrong(failure.message));
  };
  const check = (label, checked, change) => html`<label class="check" key=${label}><input type="checkbox" checked=${checked} onChange=${(event) => change(event.currentTarget.checked)}/><span>${label}</span></label>`;
  const pick = (id, on) => { const next = new Set(chosen); if (on) next.add(id); else next.delete(id); choose(next); };
  return h(Dialog, { title: t('person.title', { name: user.name }), onClose }, html`<form class="stack" onSubmit=${save}>
    ${h(Field, { id: 'person-email', label: t('person.email') }, html`<input class="input" id="person-email" type="email" maxlength="200" value=${email} onInput=${(event) => setEmail(event.currentTarget.value)}/>`)}
    <fieldset class="checks"><legend>${t('person.may')}</legend>${switches.map((one) => check(t(`person.may.${one}`), may[one], (on) => setMay({ ...may, [one]: on })))}</fieldset>
    ${h(Field, { id: 'person-rate', label: t('person.rate'), help: t('person.rateHelp') }, html`<select class="input" id="person-rate" aria-describedby="person-rate-help" value=${rate} onChange=${(event) => setRate(event.currentTarget.value)}><option value="">${t('person.noRate')}</option>${known.map((one) => html`<option key=${one} value=${one} selected=${String(one) === rate}>${one} kbit/s</option>`)}</select>`)}
    <fieldset class="checks"><legend>${t('person.libraries')}</legend>${check(t('person.allLibraries'), all, setAll)}${!all && libraries.map((one) => check(one.name, chosen.has(one.id), (on) => pick(one.id, on)))}</fieldset>
    ${wrong && html`<p class="chip danger tall" role="alert">${wrong}</p>`}<footer><button class="btn primary">${t('action.save')}</button></footer></form>`);
}
