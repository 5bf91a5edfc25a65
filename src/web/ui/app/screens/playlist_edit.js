// Dialogs of a playlist: with whom it is shared, and the rules of a smart one; files in and out.
import { h, html, useEffect, useState } from '../../vendor/ui.js';
import { get, patch, post, Problem } from '../api.js';
import { t } from '../i18n.js';
import { go } from '../router.js';
import { complain, forget, revision, toast } from '../store.js';
import { Button, Dialog, Field, IconButton } from '../ui/parts.js';

const again = () => { forget(); revision.value += 1; };

/** With whom: nobody, some by name, everybody; to hear or to change. */
export function PeopleDialog({ list, onClose }) {
  const [members, setMembers] = useState(list.members);
  const [everyone, setEveryone] = useState(list.open ? 'edit' : list.public ? 'hear' : 'no');
  const [name, setName] = useState('');
  const [wrong, setWrong] = useState(null);
  const isSmart = Boolean(list.rules);
  const add = () => {
    const clean = name.trim().toLowerCase();
    if (clean && !members.some((one) => one.name === clean)) setMembers([...members, { name: clean, edit: false }]);
    setName('');
  };
  const save = (event) => {
    event.preventDefault();
    const typed = name.trim().toLowerCase();
    const all = typed && !members.some((one) => one.name === typed) ? [...members, { name: typed, edit: false }] : members;
    patch(`playlists/${list.id}`, { members: all, public: everyone !== 'no', open: everyone === 'edit' })
      .then(() => { again(); onClose(); toast(t('share.saved')); }, (failure) => setWrong(failure.message));
  };
  return h(Dialog, { title: t('share.title'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${h(Field, { id: 'everyone', label: t('share.everyone') }, html`<select class="input" id="everyone" value=${everyone} onChange=${(event) => setEveryone(event.currentTarget.value)}>
      <option value="no">${t('share.no')}</option><option value="hear">${t('share.hear')}</option>${!isSmart && html`<option value="edit">${t('share.edit')}</option>`}</select>`)}
    ${members.length > 0 && html`<ul class="list">${members.map((one, at) => html`<li key=${one.name}><b>${one.name}</b>
      <span class="end">${!isSmart && html`<label class="check"><input type="checkbox" checked=${one.edit} onChange=${(event) => setMembers(members.map((each, here) => (here === at ? { ...each, edit: event.currentTarget.checked } : each)))}/> ${t('share.mayEdit')}</label>`}
      ${h(IconButton, { icon: 'x', label: t('share.remove', { name: one.name }), onClick: () => setMembers(members.filter((_, here) => here !== at)) })}</span></li>`)}</ul>`}
    ${h(Field, { id: 'member', label: t('share.person'), wrong }, html`<div class="pair"><input class="input" id="member" value=${name} autocapitalize="none" onInput=${(event) => { setName(event.currentTarget.value); setWrong(null); }}
      onKeyDown=${(event) => { if (event.key === 'Enter' && name.trim()) { event.preventDefault(); add(); } }}/>${h(Button, { icon: 'user-plus', onClick: add }, t('share.add'))}</div>`)}
    <footer><button class="btn primary">${t('action.save')}</button></footer></form>`);
}

const fresh = () => ({ field: 'loved', operator: 'is', value: true });
const first = (kind) => ({ flag: true, number: 3, moment: 30, date: '1999', text: '' }[kind] ?? '');

/** The rows of rules that are one flat list; `null` where they nest. */
function rowsOf(rules) {
  const match = 'any' in rules ? 'any' : 'all';
  const rows = [];
  for (const rule of rules[match] ?? []) {
    const [operator, operand] = Object.entries(rule)[0];
    if (operator === 'all' || operator === 'any') return null;
    const [field, value] = Object.entries(operand)[0];
    rows.push({ operator, field, value });
  }
  return { match, rows };
}

/** Makes a smart playlist, or changes the rules of one. */
export function RulesDialog({ list, onClose }) {
  const [fields, setFields] = useState([]);
  const [others, setOthers] = useState([]);
  const flat = list ? rowsOf(list.rules) : { match: 'all', rows: [fresh()] };
  const [name, setName] = useState(list?.name ?? '');
  const [match, setMatch] = useState(flat?.match ?? 'all');
  const [rows, setRows] = useState(flat?.rows ?? []);
  const [text, setText] = useState(flat ? null : JSON.stringify(list.rules, null, 2));
  const [sort, setSort] = useState(list?.rules.sort ?? '-dateAdded');
  const [limit, setLimit] = useState(list ? list.rules.limit ?? '' : 100);
  const [wrong, setWrong] = useState(null);
  useEffect(() => {
    get('smart-fields').then((all) => setFields(all.items), complain);
    get('playlists').then((all) => setOthers(all.items.filter((one) => one.id !== list?.id)), complain);
  }, []);
  const kindOf = (field) => fields.find((one) => one.name === field)?.kind ?? 'text';
  const change = (at, part) => setRows(rows.map((row, here) => (here === at ? { ...row, ...part } : row)));
  const rules = () => {
    if (text !== null) return JSON.parse(text);
    const made = { [match]: rows.map((row) => ({ [row.operator]: { [row.field]: row.value } })), sort };
    if (limit) made.limit = Number(limit);
    return made;
  };
  const save = async (event) => {
    event.preventDefault();
    try {
      const body = { name: name.trim(), rules: rules() };
      const id = list ? (await patch(`playlists/${list.id}`, body), list.id) : (await post('playlists', body)).id;
      again();
      onClose();
      go(`/playlist/${id}`);
    } catch (failure) {
      setWrong(failure instanceof SyntaxError ? t('rules.notJson') : failure.message);
    }
  };
  const pickField = (at, field) => {
    const { kind, operators } = fields.find((one) => one.name === field);
    const operator = kind === 'moment' ? 'inTheLast' : kind === 'text' ? 'contains' : operators[0];
    change(at, { field, operator, value: kind === 'playlist' ? others[0]?.id ?? '' : first(kind) });
  };
  const pickOperator = (at, operator) => {
    const { field, value } = rows[at];
    const kind = kindOf(field);
    const days = ['inTheLast', 'notInTheLast'];
    let to = Array.isArray(value) ? value[0] : value;
    if (operator === 'inTheRange') to = kind === 'moment' ? ['2020-01-01', '2020-12-31'] : [to, to];
    else if (kind === 'moment') to = days.includes(operator) ? 30 : '2020-01-01';
    change(at, { operator, value: to });
  };
  return h(Dialog, { title: t(list ? 'rules.title' : 'rules.new'), onClose }, html`<form class="stack" onSubmit=${save}>
    ${h(Field, { id: 'rules-name', label: t('playlist.name') }, html`<input class="input" id="rules-name" value=${name} onInput=${(event) => setName(event.currentTarget.value)} required maxlength="200"/>`)}
    ${text === null ? html`
      ${h(Field, { id: 'rules-match', label: t('rules.match') }, html`<select class="input" id="rules-match" value=${match} onChange=${(event) => setMatch(event.currentTarget.value)}><option value="all">${t('rules.all')}</option><option value="any">${t('rules.any')}</option></select>`)}
      <ul class="rules">${rows.map((row, at) => html`<li key=${at}>
        <select class="input" aria-label=${t('rules.field')} value=${row.field} onChange=${(event) => pickField(at, event.currentTarget.value)}>${fields.map((one) => html`<option value=${one.name} key=${one.name}>${t(`smart.${one.name}`)}</option>`)}</select>
        <select class="input" aria-label=${t('rules.operator')} value=${row.operator} onChange=${(event) => pickOperator(at, event.currentTarget.value)}>${(fields.find((one) => one.name === row.field)?.operators ?? [row.operator]).map((one) => html`<option value=${one} key=${one}>${t(`smart.op.${one}`)}</option>`)}</select>
        ${h(Value, { row, kind: kindOf(row.field), others, onValue: (value) => change(at, { value }) })}
        ${h(IconButton, { icon: 'x', label: t('rules.remove', { count: at + 1 }), onClick: () => setRows(rows.filter((_, here) => here !== at)) })}</li>`)}</ul>
      <div>${h(Button, { icon: 'plus', className: 'small', onClick: () => setRows([...rows, fresh()]) }, t('rules.add'))}</div>
      <div class="pair">${h(Field, { id: 'rules-sort', label: t('rules.sort') }, html`<select class="input" id="rules-sort" value=${sort} onChange=${(event) => setSort(event.currentTarget.value)}>
        ${[...new Set([sort, '-dateAdded', 'title', 'artist,album,discNumber,trackNumber', '-playCount', '-lastPlayed', 'lastPlayed', '-rating', '-year', 'year', 'random'])].map((one) => html`<option value=${one} key=${one}>${sortText(one)}</option>`)}</select>`)}
      ${h(Field, { id: 'rules-limit', label: t('rules.limit') }, html`<input class="input" id="rules-limit" type="number" min="1" max="100000" inputmode="numeric" placeholder=${t('rules.noLimit')} value=${limit} onInput=${(event) => setLimit(event.currentTarget.value)}/>`)}</div>`
    : h(Field, { id: 'rules-text', label: t('rules.asText'), help: t('rules.textHelp') }, html`<textarea class="input mono" id="rules-text" rows="12" spellcheck=${false} value=${text} onInput=${(event) => setText(event.currentTarget.value)}></textarea>`)}
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
    <footer>${text === null && h(Button, { kind: 'quiet', onClick: () => setText(JSON.stringify(rules(), null, 2)) }, t('rules.toText'))}<button class="btn primary">${t('action.save')}</button></footer></form>`);
}

/** `-rating` and the like, said in words. */
function sortText(sort) {
  const name = sort.replace(/^-/, '').split(',')[0];
  if (name === 'random') return t('rules.random');
  return t(sort.startsWith('-') ? 'rules.descending' : 'rules.ascending', { name: t(`smart.${name}`) });
}

function Value({ row, kind, others, onValue }) {
  const label = t('rules.value');
  const isDays = ['inTheLast', 'notInTheLast'].includes(row.operator);
  if (kind === 'flag') return html`<select class="input" aria-label=${label} value=${String(row.value)} onChange=${(event) => onValue(event.currentTarget.value === 'true')}><option value="true">${t('rules.yes')}</option><option value="false">${t('rules.no')}</option></select>`;
  if (kind === 'playlist') return html`<select class="input" aria-label=${label} value=${row.value} onChange=${(event) => onValue(event.currentTarget.value)}>${others.map((one) => html`<option value=${one.id} key=${one.id}>${one.name}</option>`)}</select>`;
  const type = kind === 'number' || isDays ? 'number' : kind === 'moment' ? 'date' : 'text';
  const read = (event) => (type === 'number' ? Number(event.currentTarget.value) : event.currentTarget.value);
  if (Array.isArray(row.value)) {
    return html`<span class="pair">${row.value.map((one, at) => html`<input class="input" key=${at} type=${type} step="any" aria-label=${t(at ? 'rules.to' : 'rules.from')} value=${one} required
      onInput=${(event) => onValue(row.value.map((each, here) => (here === at ? read(event) : each)))}/>`)}</span>`;
  }
  return html`<input class="input" type=${type} step="any" aria-label=${isDays ? t('rules.days') : label} value=${row.value} required onInput=${(event) => onValue(read(event))}/>`;
}

/** Asks for a file and makes a playlist of what of it is here. */
export function bringIn() {
  const pick = document.createElement('input');
  pick.type = 'file';
  pick.accept = '.m3u,.m3u8,.pls,.xspf';
  pick.onchange = async () => {
    const file = pick.files[0];
    if (!file) return;
    const format = file.name.split('.').pop().toLowerCase();
    const name = file.name.replace(/\.[^.]*$/, '');
    try {
      const answer = await fetch(`/api/v1/playlists/file?format=${encodeURIComponent(format)}&name=${encodeURIComponent(name)}`, { method: 'POST', body: file, headers: { 'content-type': 'application/octet-stream' } });
      const made = await answer.json();
      if (!answer.ok) throw new Problem(answer.status, made);
      again();
      go(`/playlist/${made.id}`);
      toast(made.unmatched.length ? t('bring.some', { count: made.matched, missing: made.unmatched.length }) : t('bring.all', { count: made.matched }));
    } catch (failure) { complain(failure); }
  };
  pick.click();
}
