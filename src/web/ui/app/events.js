// One WebSocket per tab tells what changed, as topics; what it means is asked by the ordinary calls.
import { batch, signal } from '../vendor/ui.js';
import { forget, online, revision } from './store.js';

export const scan = signal(null);
export const accountVersion = signal(0);
export const libraryVersion = signal(0);
export const deviceVersion = signal(0);
export const playingVersion = signal(0);
/** Grows when somebody said something. */
export const chatVersion = signal(0);
/** Grows when the speakers were told something, or said something. */
export const jukeboxVersion = signal(0);
/** Grows when the saved queue changed, here or on another device. */
export const queueVersion = signal(0);
/** Grows when listens were added to the history. */
export const playVersion = signal(0);
export const analysisVersion = signal(0);

let wait = 1000;
let refresh = 0;

function changed() {
  // A scan publishes often; lists follow at most once a second.
  if (refresh) return;
  refresh = setTimeout(() => { refresh = 0; forget(); revision.value += 1; }, 1000);
}

let listening = 0;
function listened() {
  if (listening) return;
  listening = setTimeout(() => { listening = 0; analysisVersion.value += 1; }, 1000);
}

function hear(message) {
  switch (message.topic) {
    case 'catalog': changed(); break;
    case 'scan': scan.value = message.data; break;
    case 'libraries': libraryVersion.value += 1; changed(); break;
    case 'account': case 'drive': accountVersion.value += 1; break;
    case 'devices': deviceVersion.value += 1; break;
    case 'history': forget(); playVersion.value += 1; break;
    case 'chat': forget(); chatVersion.value += 1; break;
    case 'jukebox': jukeboxVersion.value += 1; break;
    case 'queue': queueVersion.value += 1; break;
    case 'playing': playingVersion.value += 1; break;
    case 'analysis': listened(); break;
    case 'lost': batch(() => { changed(); accountVersion.value += 1; libraryVersion.value += 1; deviceVersion.value += 1; }); break;
    default: break;
  }
}

export function listen() {
  const address = new URL('/api/v1/events', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(address);
  socket.onopen = () => {
    if (!online.value) hear({ topic: 'lost' });
    online.value = true;
    wait = 1000;
  };
  socket.onmessage = (event) => hear(JSON.parse(event.data));
  socket.onclose = () => {
    online.value = false;
    setTimeout(listen, wait * (0.7 + 0.6 * Math.random()));
    wait = Math.min(wait * 2, 30000);
  };
}
