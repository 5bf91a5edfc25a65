// A Subsonic web app: a small page of another origin that speaks to the server by fetch, img and audio, in a real browser.
//   node tests/web/subsonic.mjs --server URL --user NAME --secret APP_PASSWORD --song ID --bytes N
// The song has --bytes bytes and is not silent for a decoder; it has a cover.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { assert, browser, context, looks } from './browser.mjs';

const { values: args } = parseArgs({ options: { server: { type: 'string' }, user: { type: 'string' }, secret: { type: 'string' }, song: { type: 'string' }, bytes: { type: 'string' } } });
const server = args.server.replace(/\/$/, '');
const common = new URLSearchParams({ u: args.user, p: args.secret, v: '1.16.1', c: 'web', f: 'json' }).toString();
// The page itself, from an address that is not the server's.
const pages = createServer((request, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end('<!doctype html><html lang="en"><title>app</title><p>app</p></html>');
});
await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${pages.address().port}`;
const complaints = [];
const started = await browser();
try {
  const page = await (await context(started, looks['wide-light'], complaints)).newPage();
  page.setDefaultTimeout(30000);
  await page.goto(origin);
  assert(origin !== new URL(server).origin, 'the page is of another origin');
  const run = (body) => page.evaluate(body, { server, common, song: args.song });

  const ping = await run(async ({ server, common }) => (await (await fetch(`${server}/rest/ping?${common}`)).json())['subsonic-response'].status);
  assert(ping === 'ok', 'a plain request is read');

  const posted = await run(async ({ server, common }) => {
    const answer = await fetch(`${server}/rest/search3.view`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-app': 'asks first' }, body: `${common}&query=&songCount=500` });
    return (await answer.json())['subsonic-response'].searchResult3.song.length;
  });
  assert(posted === 9, `a form with a header of its own, which the browser asks about first: ${posted}`);

  const total = await run(async ({ server, common }) => (await fetch(`${server}/rest/getAlbumList2?${common}&type=newest&size=1`)).headers.get('x-total-count'));
  assert(total === '5', `the header that web apps page by is shown to them: ${total}`);

  const part = await run(async ({ server, common, song }) => {
    const answer = await fetch(`${server}/rest/stream?${common}&id=${song}`, { headers: { range: 'bytes=100-199' } });
    return { status: answer.status, range: answer.headers.get('content-range'), length: (await answer.arrayBuffer()).byteLength };
  });
  assert(part.status === 206 && part.length === 100 && part.range === `bytes 100-199/${args.bytes}`, `ranges are readable: ${JSON.stringify(part)}`);

  const pixels = await run(async ({ server, common, song }) => {
    const image = new Image();
    image.crossOrigin = 'anonymous';
    image.src = `${server}/rest/getCoverArt?${common}&id=${song}&size=64`;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 4;
    const paint = canvas.getContext('2d');
    paint.drawImage(image, 0, 0, 4, 4);
    return { width: image.naturalWidth, alpha: paint.getImageData(0, 0, 1, 1).data[3] };
  });
  assert(pixels.width === 64 && pixels.alpha === 255, `a cover can be looked into: ${JSON.stringify(pixels)}`);

  const heard = await run(async ({ server, common, song }) => {
    const audio = new Audio();
    audio.crossOrigin = 'anonymous';
    audio.preload = 'auto';
    audio.src = `${server}/rest/stream?${common}&id=${song}`;
    await new Promise((resolve, reject) => { audio.oncanplaythrough = resolve; audio.onerror = () => reject(new Error(audio.error.message)); });
    audio.currentTime = 1;
    await new Promise((resolve) => { audio.onseeked = resolve; });
    return { duration: audio.duration, at: audio.currentTime };
  });
  assert(Math.abs(heard.duration - 2) < 0.1 && heard.at === 1, `the song is loaded and sought in: ${JSON.stringify(heard)}`);

  const refused = await run(async ({ server, song }) => (await (await fetch(`${server}/rest/getSong?u=nobody&p=x&v=1.16.1&c=web&f=json&id=${song}`)).json())['subsonic-response'].error.code);
  assert(refused === 40, 'a refusal is read like any answer');

  const cookies = await page.context().cookies();
  assert(cookies.length === 0, 'nothing is kept in the browser');
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
} catch (failure) {
  console.error(`${failure.stack}\ncomplaints:\n${complaints.join('\n')}`);
  process.exitCode = 1;
} finally {
  await started.close();
  pages.close();
}
