// Numbers, sizes and times in human words.
import { t } from './i18n.js';

/** 4:02, 1:04:02. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const s = String(whole % 60).padStart(2, '0');
  const m = Math.floor(whole / 60) % 60;
  const h = Math.floor(whole / 3600);
  return h ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

/** "44 min", "2 h 5 min". */
export function length(ms) {
  const minutes = Math.max(1, Math.round(ms / 60000));
  return minutes < 60
    ? t('time.minutes', { minutes })
    : t('time.hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
/** Decimal units, as disks and plans are sold: 5 GB is 5,000,000,000 bytes. */
export function bytes(count) {
  let at = 0;
  let value = count;
  while (value >= 999.5 && at < units.length - 1) { value /= 1000; at += 1; }
  const digits = at === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${new Intl.NumberFormat(undefined, { maximumFractionDigits: digits }).format(value)} ${units[at]}`;
}

export const number = (value) => new Intl.NumberFormat().format(value);

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
/** "3 minutes ago". */
export function ago(ms) {
  if (!ms) return t('time.never');
  const seconds = (ms - Date.now()) / 1000;
  for (const [unit, size] of [['year', 31536000], ['month', 2592000], ['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return t('time.now');
}

export const date = (ms) => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' }).format(ms);

/** An app password as people read it: groups of four. */
export const groups = (secret) => secret.replace(/[^0-9a-z]/gi, '').replace(/(.{4})(?=.)/g, '$1 ');
