// Where notices go beside the panel: a mail server and a webhook, each with a test.
import { h, html, useRef, useState } from '../../vendor/ui.js';
import { post, put, remove } from '../api.js';
import { t } from '../i18n.js';
import { complain, toast, useFetched } from '../store.js';
import { Button, Failed, Field, Icon } from '../ui/parts.js';

const kinds = ['starttls', 'tls', 'none'];
/** Where a mail server listens for each. */
const ports = { starttls: 587, tls: 465, none: 25 };

export default function Notices() {
  const [version, bump] = useState(0);
  const { data, failure, retry } = useFetched('notice-ways', version);
  // What was fetched anew is shown anew; what is being typed waits for that.
  const seen = useRef({ count: 0 });
  if (seen.current.data !== data) seen.current = { count: seen.current.count + 1, data };
  const again = () => bump((one) => one + 1);
  const turn = (on) => put('outside/notices', { on }).then(again, (problem) => { complain(problem); again(); });
  return html`<div class="page narrow"><div class="pagehead"><div><h1>${t('noticeways.title')}</h1><p>${t('noticeways.lead')}</p></div></div>
    ${failure && !data && h(Failed, { failure, retry })}
    ${data && html`<div class="stack"><section class="card" aria-labelledby="noticeways-what"><header>${h(Icon, { name: 'circle-alert' })}<h2 id="noticeways-what">${t('noticeways.what')}</h2></header>
        <ul class="bullets muted">${['share', 'grants', 'household', 'over'].map((one) => html`<li key=${one}>${t(`noticeways.told.${one}`)}</li>`)}</ul>
        <div class="switches"><label><input type="checkbox" role="switch" checked=${data.on} disabled=${data.forbidden} onChange=${(event) => turn(event.currentTarget.checked)}/><span>${t('noticeways.on')}</span></label></div>
        ${data.forbidden && html`<p class="note">${t('outside.forbidden')}</p>`}</section>
      ${h(Mail, { key: `mail${seen.current.count}`, mail: data.mail, forbidden: data.forbidden, onDone: again })}${h(Webhook, { key: `webhook${seen.current.count}`, webhook: data.webhook, forbidden: data.forbidden, onDone: again })}</div>`}</div>`;
}

/** Sends a test and says how it went where one looks: beside the button. */
function Test({ way, ready, forbidden }) {
  const [state, set] = useState(null);
  const run = () => { set({ busy: true }); post(`notice-ways/${way}/test`).then(() => set({ text: t(`noticeways.sent.${way}`) }), (failure) => set({ text: failure.message, wrong: true })); };
  return html`${h(Button, { busy: state?.busy, disabled: !ready || forbidden || state?.busy, onClick: run }, t(state?.busy ? 'noticeways.testing' : 'noticeways.test'))}
    <p class=${state?.text ? `chip tall ${state.wrong ? 'danger' : 'ok'}` : 'sr'} role="status">${state?.text ?? ''}</p>`;
}

function Mail({ mail, forbidden, onDone }) {
  const [values, set] = useState({ server: mail?.server ?? '', port: String(mail?.port ?? 587), security: mail?.security ?? 'starttls', user: mail?.user ?? '', password: '', from: mail?.from ?? '', certificate: mail?.certificate ?? '' });
  const [touched, touch] = useState(false);
  const change = (more) => { touch(true); set({ ...values, ...more }); };
  const field = (name) => ({ id: `mail-${name}`, class: 'input', value: values[name], readonly: mail?.fixed, onInput: (event) => change({ [name]: event.currentTarget.value }) });
  const save = (event) => {
    event.preventDefault();
    const { password, ...way } = values;
    put('notice-ways/mail', { way: { ...way, port: Number(way.port) }, ...(password && { password }) }).then(() => { toast(t('settings.saved')); onDone(); }, complain);
  };
  const secure = (security) => change({ security, ...(values.port === String(ports[values.security]) && { port: String(ports[security]) }) });
  return html`<section class="card" aria-labelledby="noticeways-mail"><header>${h(Icon, { name: 'message-circle' })}<h2 id="noticeways-mail">${t('noticeways.mail')}</h2></header><p class="muted">${t('noticeways.mailText')}</p>
    ${mail?.fixed && html`<p class="note">${t('noticeways.fixed')}</p>`}
    <form class="form gap" onSubmit=${save}>
      ${h(Field, { id: 'mail-server', label: t('noticeways.server') }, html`<input ...${field('server')} required spellcheck="false" autocapitalize="none" placeholder="mail.example.org"/>`)}
      ${h(Field, { id: 'mail-security', label: t('noticeways.security') }, html`<select class="input" id="mail-security" value=${values.security} disabled=${mail?.fixed} onChange=${(event) => secure(event.currentTarget.value)}>${kinds.map((one) => html`<option key=${one} value=${one} selected=${one === values.security}>${t(`noticeways.security.${one}`)}</option>`)}</select>`)}
      ${h(Field, { id: 'mail-port', label: t('noticeways.port') }, html`<input ...${field('port')} type="number" required min="1" max="65535" inputmode="numeric"/>`)}
      ${h(Field, { id: 'mail-user', label: t('noticeways.user'), help: t('noticeways.userHelp') }, html`<input ...${field('user')} autocomplete="off" spellcheck="false" autocapitalize="none" aria-describedby="mail-user-help"/>`)}
      ${values.user && h(Field, { id: 'mail-password', label: t('noticeways.password'), help: mail?.hasPassword ? t('noticeways.kept') : undefined }, html`<input ...${field('password')} type="password" autocomplete="new-password" required=${!mail?.hasPassword} aria-describedby=${mail?.hasPassword ? 'mail-password-help' : undefined}/>`)}
      ${h(Field, { id: 'mail-from', label: t('noticeways.from') }, html`<input ...${field('from')} required placeholder="Tunelocker <music@example.org>"/>`)}
      ${values.security !== 'none' && html`<details open=${values.certificate !== ''}><summary class="note">${t('noticeways.certificate')}</summary>${h(Field, { id: 'mail-certificate', label: t('noticeways.pem'), help: t('noticeways.pemHelp') }, html`<textarea ...${field('certificate')} rows="4" spellcheck="false" aria-describedby="mail-certificate-help"></textarea>`)}</details>`}
      <div class="row">${!mail?.fixed && html`<button class="btn secondary">${t('action.save')}</button>`}${mail && !mail.fixed && h(Button, { onClick: () => remove('notice-ways/mail').then(onDone, complain) }, t('outside.forget'))}${h(Test, { way: 'mail', ready: mail && !touched, forbidden })}</div></form></section>`;
}

function Webhook({ webhook, forbidden, onDone }) {
  const [url, setUrl] = useState(webhook?.url ?? '');
  const [secret, setSecret] = useState('');
  const save = (event) => { event.preventDefault(); put('notice-ways/webhook', { url: url.trim(), ...(secret && { secret }) }).then(() => { toast(t('settings.saved')); onDone(); }, complain); };
  return html`<section class="card" aria-labelledby="noticeways-webhook"><header>${h(Icon, { name: 'link' })}<h2 id="noticeways-webhook">${t('noticeways.webhook')}</h2></header><p class="muted">${t('noticeways.webhookText')}</p>
    ${webhook?.fixed && html`<p class="note">${t('noticeways.fixed')}</p>`}
    <form class="form gap" onSubmit=${save}>
      ${h(Field, { id: 'webhook-url', label: t('noticeways.url') }, html`<input class="input" id="webhook-url" type="url" required readonly=${webhook?.fixed} spellcheck="false" placeholder="https://example.org/told" value=${url} onInput=${(event) => setUrl(event.currentTarget.value)}/>`)}
      ${h(Field, { id: 'webhook-secret', label: t('noticeways.signing'), help: webhook?.hasSecret ? t('noticeways.kept') : t('noticeways.signingHelp') }, html`<input class="input" id="webhook-secret" type="password" autocomplete="off" readonly=${webhook?.fixed} aria-describedby="webhook-secret-help" value=${secret} onInput=${(event) => setSecret(event.currentTarget.value)}/>`)}
      <div class="row">${!webhook?.fixed && html`<button class="btn secondary">${t('action.save')}</button>`}${webhook && !webhook.fixed && h(Button, { onClick: () => remove('notice-ways/webhook').then(onDone, complain) }, t('outside.forget'))}${h(Test, { way: 'webhook', ready: webhook && url === webhook.url && !secret, forbidden })}</div></form></section>`;
}
