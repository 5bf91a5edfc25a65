// What the panel's tests share: a browser that complains of every console message, axe that leaves the page's
// policy on, and ears.
import { readFileSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const modules = process.env.PANEL_NODE_MODULES ?? join(root, '.cache/web/node_modules');
const require = createRequire(join(modules, 'x.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(join(modules, 'axe-core/axe.min.js'), 'utf8');
const pictures = join(root, '.cache/screenshots');
mkdirSync(pictures, { recursive: true });

/** Looked at in every screen: each is a viewport and a colour scheme. */
export const looks = {
  'wide-light': { viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  'wide-dark': { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  'phone-light': { viewport: { width: 360, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true },
  'phone-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true },
};

export async function browser(rules) {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=document-user-activation-required'];
  if (rules) args.push(`--host-resolver-rules=${rules}`);
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
}

/** A context whose pages write every complaint into `complaints`. */
export async function context(of, options, complaints) {
  const made = await of.newContext({ ...options, locale: 'en-GB', reducedMotion: 'reduce' });
  made.on('page', (page) => {
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.stack}`));
    // What the panel sends is held against the API's description by whoever runs this.
    page.on('requestfinished', async (request) => {
      const url = new URL(request.url());
      const body = request.postData();
      if (!body || !url.pathname.startsWith('/api/v1/') || request.headers()['content-type'] !== 'application/json') return;
      const answer = await request.response().catch(() => null);
      if (answer?.ok()) console.log(`SENT ${request.method()} ${url.pathname.slice(7)} ${body}`);
    });
  });
  return made;
}

/** Signs in on the page for that. */
export async function signIn(page, base, name, password) {
  await page.goto(`${base}/login`);
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor();
}

/** axe in a world of its own, so that the page keeps its Content-Security-Policy. */
export async function accessible(page, name) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  await session.send('Runtime.evaluate', { expression: axe, contextId });
  const run = `axe.run(document, { preload: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((r) => JSON.stringify(r.violations.map((v) => ({ id: v.id, nodes: v.nodes.map((n) => n.html.slice(0, 220) + ' | ' + n.failureSummary.slice(0, 300)) }))))`;
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression: run, contextId, awaitPromise: true, returnByValue: true });
  await session.detach();
  if (exceptionDetails) throw new Error(`axe could not run: ${exceptionDetails.text}`);
  // What is scrolled half under the player bar is not a smaller target; scroll-padding keeps focus clear of it.
  const violations = JSON.parse(result.value)
    .map((one) => ({ ...one, nodes: one.nodes.filter((node) => !(one.id === 'target-size' && node.includes('partially obscured'))) }))
    .filter((one) => one.nodes.length > 0);
  return violations.map((one) => `${name}: ${one.id}\n    ${one.nodes.slice(0, 4).join('\n    ')}`);
}

export const picture = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) });

/** Listens to the element that plays: {time, loudness} after `seconds` of media time, or of giving up. */
export async function listen(page, seconds = 0.6) {
  return page.evaluate(async (want) => {
    const main = document.querySelector('script[type=module][src$="/app/main.js"], script[type=module][src$="/app/share.js"]').src;
    const engine = await import(new URL('player/engine.js', main));
    const deadline = performance.now() + 20000;
    const pause = () => new Promise((done) => { setTimeout(done, 50); });
    // An element that has not begun has no track to listen to.
    while (performance.now() < deadline && (engine.element().readyState < 3 || engine.element().paused)) await pause();
    let element = null;
    const sound = new AudioContext();
    await sound.resume();
    const analyser = sound.createAnalyser();
    analyser.fftSize = 2048;
    // After a stall the player may go on with its other element.
    const follow = () => {
      if (element === engine.element()) return;
      element = engine.element();
      sound.createMediaStreamSource(element.captureStream()).connect(analyser);
    };
    follow();
    const begin = engine.position();
    let loudest = 0;
    let pitch = 0;
    const wave = new Float32Array(analyser.fftSize);
    const tones = new Float32Array(analyser.frequencyBinCount);
    while (performance.now() < deadline && (engine.position() - begin < want || loudest < 0.01)) {
      await pause();
      follow();
      analyser.getFloatTimeDomainData(wave);
      const loud = Math.sqrt(wave.reduce((sum, x) => sum + x * x, 0) / wave.length);
      if (loud > loudest) {
        loudest = loud;
        analyser.getFloatFrequencyData(tones);
        pitch = (tones.indexOf(Math.max(...tones)) * sound.sampleRate) / analyser.fftSize;
      }
    }
    const heard = { begin, time: engine.position(), loudness: loudest, pitch, format: engine.streamed(), error: element.error?.message };
    await sound.close();
    return heard;
  }, seconds);
}

export function assert(truth, what) {
  if (!truth) throw new Error(what);
  console.log(`ok: ${what}`);
}
