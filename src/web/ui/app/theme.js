// Light, dark or what the system says. theme-early.js sets it before the first paint.
import { signal } from '../vendor/ui.js';

export const theme = signal(document.documentElement.dataset.theme ?? 'system');

export function setTheme(to) {
  theme.value = to;
  if (to === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = to;
  try { localStorage.setItem('tl.theme', to); } catch { /* storage is off */ }
}
