// Every text that people read comes from one catalogue, i18n/en.json; this looks texts up and fills them in.
let texts = {};
let plural = new Intl.PluralRules('en');

export async function load(language, base) {
  const answer = await fetch(new URL(`../i18n/${language}.json`, base));
  texts = await answer.json();
  plural = new Intl.PluralRules(language);
}

/** The text of `key` with `{name}` filled in. With `count` in `values`, `key.one` or `key.other` is taken. */
export function t(key, values = {}) {
  let text = texts[key];
  if (text === undefined && 'count' in values) {
    text = texts[`${key}.${plural.select(values.count)}`] ?? texts[`${key}.other`];
  }
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === 'number' ? new Intl.NumberFormat().format(value) : String(value ?? '');
  });
}
