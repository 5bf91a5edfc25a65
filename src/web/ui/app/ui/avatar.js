// A person's picture, or initials on a colour of their own.
import { html, useState } from '../../vendor/ui.js';
import { initialsOf } from './parts.js';

/** `version` changes with the picture; 0 or nothing shows initials where that is known. */
export function Avatar({ name, version, className = '' }) {
  const [missing, miss] = useState(null);
  const address = `/api/v1/avatars/${encodeURIComponent(name)}${version ? `?v=${version}` : ''}`;
  let hue = 0;
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  const isShown = version !== null && missing !== address;
  const tone = { backgroundColor: `light-dark(hsl(${hue} 34% 87%), hsl(${hue} 24% 20%))`, color: `light-dark(hsl(${hue} 34% 30%), hsl(${hue} 34% 78%))` };
  return html`<span class=${`avatar ${className}`} aria-hidden="true" style=${isShown ? undefined : tone}>${isShown
    ? html`<img src=${address} alt="" onError=${() => miss(address)}/>` : initialsOf(name)}</span>`;
}
