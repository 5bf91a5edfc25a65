// The chat of the house: one room.
import { h, html, useEffect, useRef, useState } from '../../vendor/ui.js';
import { post } from '../api.js';
import { chatVersion } from '../events.js';
import { ago } from '../format.js';
import { t } from '../i18n.js';
import { complain, session, useFetched } from '../store.js';
import { Empty, Failed } from '../ui/parts.js';
import { Avatar } from '../ui/avatar.js';

export default function Chat() {
  const [version, bump] = useState(0);
  const [text, set] = useState('');
  const { data, failure, retry } = useFetched('chat', chatVersion.value, version);
  const end = useRef();
  const messages = [...(data?.items ?? [])].reverse();
  useEffect(() => { end.current?.scrollIntoView({ block: 'end' }); }, [messages.length]);
  const say = (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    post('chat', { message: text.trim() }).then(() => { set(''); bump(version + 1); }, complain);
  };
  return html`<div class="page narrow"><div class="pagehead"><h1>${t('chat.title')}</h1></div>
    ${failure && !data ? h(Failed, { failure, retry }) : data && !messages.length && h(Empty, { title: t('chat.none'), icon: 'message-circle' }, html`<p>${t('chat.noneText')}</p>`)}
    <ol class="chat" aria-live="polite">${messages.map((one) => html`<li key=${one.at} class=${one.user === session.value.user.name ? 'own' : ''}>${h(Avatar, { name: one.user, version: one.avatar })}
      <div><small><b>${one.user}</b> <time datetime=${new Date(one.at).toISOString()}>${ago(one.at)}</time></small><p dir="auto">${one.message}</p></div></li>`)}</ol>
    <form class="inline" onSubmit=${say} ref=${end}><input class="input" aria-label=${t('chat.say')} placeholder=${t('chat.say')} value=${text} maxlength="1000" autocomplete="off" onInput=${(event) => set(event.currentTarget.value)}/><button class="btn primary">${t('chat.send')}</button></form></div>`;
}
