// What is sent over which line: originals in the house, small sound at once on a slow line and better sound for the
// next track, and what the person chose for this device.
//   node tests/web/quality.mjs --base URL --name USER --password PASSWORD
// The server holds the album "First Light" (FLAC, tones of 440, 550 and 660 Hz, with a cover).
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, listen, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' }, name: { type: 'string' }, password: { type: 'string' } } });
const complaints = [];
const started = await browser();
let page;

try {
  const desk = await context(started, looks['wide-light'], complaints);
  page = await desk.newPage();
  page.setDefaultTimeout(60000);
  await signIn(page, args.base, args.name, args.password);
  const rates = await inPage(() => [
    [{ from: 0, to: 10, bytes: 4000 }],
    [{ from: 0, to: 1000, bytes: 126_460 }],
    [{ from: 0, to: 1000, bytes: 63_960 }, { from: 500, to: 1000, bytes: 63_960 }],
    [{ from: 5000, to: 6000, bytes: 63_960 }, { from: 0, to: 1000, bytes: 63_960 }],
  ].map(globalThis.tl.line.rateOf));
  assert(JSON.stringify(rates) === '[null,1000,1000,500]', `overlapping transfers share the line: ${rates}`);

  let heard = await play();
  assert(heard.format === null && heard.loudness > 0.01, `in the house it is the original: ${JSON.stringify(heard)}`);
  await choose('At most 64 kbit/s');
  assert((await accessible(page, 'settings')).length === 0, 'axe finds nothing in the settings');
  heard = await play();
  assert(heard.format === 'opus' && heard.loudness > 0.01, `what was chosen is what comes: ${JSON.stringify(heard)}`);
  assert((await now()).includes('bitrate=64'), 'and at that size');
  await page.getByText('OPUS 64', { exact: false }).first().waitFor();
  await choose('As good as the connection carries');

  // A phone far away: 1 Mbit/s with 100 ms.
  const line = await desk.newCDPSession(page);
  await line.send('Network.enable');
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 100, downloadThroughput: 125_000, uploadThroughput: 125_000 });
  const expected = page.waitForRequest((one) => one.url().endsWith('/playback/expect'));
  await page.evaluate(() => sessionStorage.removeItem('tl.line'));
  await album();
  // The page and its pictures were enough to know.
  await expected;
  const rate = await inPage(() => globalThis.tl.line.rate());
  assert(rate > 200 && rate < 2000, `the line is measured: ${rate} kbit/s`);
  const asked = [];
  page.on('request', (one) => asked.push({ type: one.resourceType(), url: one.url() }));
  heard = await play(false);
  assert(heard.format === 'opus' && heard.loudness > 0.01, `on a slow line small sound comes at once: ${JSON.stringify(heard)}`);
  const first = asked.findIndex((one) => one.url.includes('/stream'));
  const size = Number(new URL(asked[first].url).searchParams.get('bitrate'));
  assert(size >= 48 && size <= 96, `of ${size} kbit/s`);
  const heldUp = asked.slice(0, first).filter((one) => one.type === 'image');
  assert(heldUp.length === 0, `no picture goes first: ${JSON.stringify(heldUp)}`);
  // What is loaded ahead has time.
  await page.waitForFunction(() => globalThis.tl.engine.asked().every(Boolean));
  const ahead = await page.evaluate(() => globalThis.tl.engine.asked().find((one) => one !== globalThis.tl.engine.element().getAttribute('src')));
  assert(ahead && Number(new URL(ahead, args.base).searchParams.get('bitrate') ?? 999) > size, `the next track is better again: ${ahead}`);
  await page.waitForFunction(() => [...document.querySelectorAll('.player img')].every((one) => one.naturalWidth > 0));
  assert(true, 'and the pictures come after the sound');
  await choose('Always the original');
  heard = await play();
  assert(heard.format === null && heard.loudness > 0.01, `whoever wants the original waits for it: ${JSON.stringify(heard)}`);
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
} catch (failure) {
  if (page) await picture(page, 'failed-quality').catch(() => {});
  console.error(`${page?.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${await page?.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

/** The page's own modules: what `of` does with them is written where it is called. */
async function inPage(of) {
  await page.evaluate(async () => {
    const main = document.querySelector('script[type=module][src$="/app/main.js"]').src;
    globalThis.tl = { engine: await import(new URL('player/engine.js', main)), line: await import(new URL('player/line.js', main)) };
  });
  return page.evaluate(of);
}

async function album() {
  await page.goto(`${args.base}/albums`);
  const tile = page.getByRole('link', { name: 'First Light', exact: true }).first();
  await tile.waitFor();
  await tile.click();
  await page.getByRole('heading', { level: 1, name: 'First Light' }).waitFor();
  await page.locator('main .hero img').first().evaluate((image) => image.complete || new Promise((done) => { image.onload = done; }));
}

async function play(anew = true) {
  if (anew) await album();
  await page.getByRole('button', { name: 'Play', exact: true }).first().click();
  return listen(page, 0.3);
}

async function now() {
  return inPage(() => globalThis.tl.engine.element().getAttribute('src'));
}

async function choose(name) {
  await page.goto(`${args.base}/settings`);
  await page.getByLabel('Quality on this device').selectOption({ label: name });
}
