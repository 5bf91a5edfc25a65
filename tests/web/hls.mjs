// hls.js in Chromium on a playlist of ours: node hls.mjs PLAYLIST SECONDS. Says "all done" when the whole track was
// buffered without a gap, is as long as it should be, and plays on after a seek.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './browser.mjs';

const modules = process.env.PANEL_NODE_MODULES ?? join(root, '.cache/web/node_modules');
const require = createRequire(join(modules, 'x.js'));
const { chromium } = require('playwright-core');
const [playlist, seconds] = [process.argv[2], Number(process.argv[3])];
const fail = (text) => { console.error(text); process.exit(1); };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--autoplay-policy=no-user-gesture-required'],
});
const page = await (await browser.newContext()).newPage();
await page.addScriptTag({ content: readFileSync(join(modules, 'hls.js/dist/hls.min.js'), 'utf8') });
const found = await page.evaluate(async ([source, length]) => {
  const audio = document.createElement('audio');
  document.body.append(audio);
  const errors = [];
  const hls = new Hls({ maxBufferLength: 600, maxMaxBufferLength: 600 });
  // A clock that stands still over a buffer without a gap is the machine's, not the stream's.
  const isWhole = () => audio.buffered.length === 1 && audio.buffered.end(0) > length - 0.05;
  hls.on(Hls.Events.ERROR, (_, data) => (data.details === 'bufferStalledError' && isWhole()) || errors.push(`${data.type} ${data.details} ${data.error?.message ?? ''} ${data.response?.code ?? ''}`));
  hls.loadSource(source);
  hls.attachMedia(audio);
  const until = async (what, is) => {
    for (let turn = 0; turn < 600; turn += 1) {
      if (is()) return;
      if (errors.length) throw new Error(errors.join('; '));
      await new Promise((done) => setTimeout(done, 50));
    }
    const ranges = [...Array(audio.buffered.length).keys()].map((at) => `${audio.buffered.start(at)}-${audio.buffered.end(at)}`);
    throw new Error(`never: ${what}; at ${audio.currentTime} of ${audio.duration}, buffered ${ranges}`);
  };
  await until('everything is buffered', isWhole);
  const buffered = [audio.buffered.start(0), audio.buffered.end(0)];
  audio.volume = 0.1;
  // Over a joint of two segments, then from the middle of one.
  audio.currentTime = 5.5;
  await audio.play();
  await until('it plays over a joint', () => audio.currentTime > 6.6);
  audio.currentTime = length - 1.2;
  await until('it ends', () => audio.ended);
  return { levels: hls.levels.length, duration: audio.duration, ended: audio.currentTime, buffered, errors };
}, [playlist, seconds]).catch((error) => fail(error.message));
await browser.close();
console.log(JSON.stringify(found));
if (Math.abs(found.duration - seconds) > 0.001) fail(`it is ${found.duration} s long`);
if (found.buffered[0] > 0.001 || found.errors.length) fail('a gap, or an error');
console.log('all done');
