// Uploading in a real browser: what is there already is not sent, what is needed is; a claim; archives; refusals with a
// list to save; pause and going on; a remembered folder; a thousand files without freezing; an import from an address.
//   node tests/web/upload.mjs --base URL --password TEXT --tracks FOLDER --site URL
// mira is an administrator with that password. In her locker lies "Had/one.flac", which is FOLDER/one.flac; in a library
// that she can read lies what is FOLDER/two.flac; FOLDER/new.flac is nowhere. FOLDER/pack.zip holds a file that is fine and
// one whose name is not. SITE/far.flac is a track.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' }, password: { type: 'string' }, tracks: { type: 'string' }, site: { type: 'string' } } });
const complaints = [];
const violations = [];
const started = await browser();
const desk = await context(started, looks['wide-light'], complaints);
let page = await desk.newPage();
page.setDefaultTimeout(60000);
/** Bytes that uploads took. */
let sent = 0;

const row = (name) => page.locator('.uploads > li').filter({ has: page.locator('b', { hasText: new RegExp(`^${name.replaceAll('.', '\\.')}$`) }) });
const is = (name, state) => row(name).locator('.chip', { hasText: new RegExp(`^${state}$`) }).waitFor();
const track = (name) => join(args.tracks, name);
const held = (name) => ({ name, mimeType: 'application/octet-stream', buffer: readFileSync(track(name)) });

try {
  await enter();
  page.on('response', (answer) => {
    const [request, headers] = [answer.request(), answer.headers()];
    if (/\/api\/v1\/uploads/.test(answer.url()) && request.method() !== 'HEAD') sent += Number(headers['upload-offset'] ?? 0) - Number(request.headers()['upload-offset'] ?? 0);
  });
  await matched();
  await refused();
  await kinds();
  await paused();
  await many();
  await remembered();
  await imported();
  await look(await desk.storageState());
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  await picture(page, 'failed-upload').catch(() => {});
  console.error(`${page.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${await page.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

async function enter() {
  await signIn(page, args.base, 'mira', args.password);
  await page.goto(`${args.base}/upload`);
  await page.getByRole('heading', { level: 1, name: 'Upload' }).waitFor();
}

/** Only what is needed is sent. */
async function matched() {
  await page.locator('#upload-files').setInputFiles(['one.flac', 'two.flac', 'new.flac'].map(track));
  await is('one.flac', 'Here already');
  await row('one.flac').getByText('Here already as Had/one.flac').waitFor();
  await is('two.flac', 'Here without sending');
  await is('new.flac', 'Uploaded');
  const needed = readFileSync(track('new.flac')).length;
  assert(sent === needed, `the bytes of one file were sent, not more: ${sent}, ${needed}`);
  await page.getByRole('button', { name: 'Clear the list' }).click();
}

/** One bad file stops nothing, and the list of them can be kept. */
async function refused() {
  await page.locator('#upload-files').setInputFiles([
    held('pack.zip'), { name: 'con.flac', mimeType: 'audio/flac', buffer: Buffer.alloc(3000, 1) }, { name: 'after.flac', mimeType: 'audio/flac', buffer: Buffer.alloc(3000, 2) },
  ]);
  await is('pack.zip', 'Partly');
  await is('con.flac', 'Not taken');
  await is('after.flac', 'Uploaded');
  await row('pack.zip').getByText('1 refused', { exact: true }).click();
  await row('pack.zip').getByText('../slip.flac').waitFor();
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the list' }).click()]);
  const list = readFileSync(await saved.path(), 'utf8');
  assert(saved.suggestedFilename() === 'not-uploaded.csv', saved.suggestedFilename());
  assert(/"con\.flac","3000","name_invalid","[^"]+"/.test(list) && list.includes('"pack.zip › ../slip.flac"'), list);
  await picture(page, 'upload-refused');
  violations.push(...await accessible(page, 'upload-refused'));
  await page.getByRole('button', { name: 'Clear the list' }).click();
}

/** Files of every kind are kept, and what is not sent is named with its reason. */
async function kinds() {
  const small = (name) => ({ name, mimeType: '', buffer: Buffer.from(`${name} `.repeat(9)) });
  await page.locator('#upload-files').setInputFiles(['doc.pdf', 'notes.txt', 'noext', 'pic.jpg', '.hid', 'Thumbs.db'].map(small));
  for (const name of ['doc.pdf', 'notes.txt', 'noext', 'pic.jpg']) await is(name, 'Uploaded');
  for (const [name, why] of [['.hid', 'Hidden files are not uploaded'], ['Thumbs.db', "The computer's own note about the folder; not uploaded"]]) {
    await is(name, 'Skipped');
    await row(name).getByText(why).waitFor();
  }
  await page.locator('.bignum', { hasText: 'of 4 done' }).waitFor();
  await page.getByRole('button', { name: 'Clear the list' }).click();
  // In Files the list is elsewhere, so a word says that something was left out.
  await page.goto(`${args.base}/files`);
  await page.locator('#files-upload').setInputFiles(['.hid', 'here.txt'].map(small));
  await page.getByText('1 file is hidden or the computer').waitFor();
  for (const name of ['doc.pdf', 'notes.txt', 'noext', 'pic.jpg', 'here.txt']) await page.locator('.filelist b', { hasText: new RegExp(`^${name.replace('.', '\\.')}$`) }).waitFor();
  await page.getByRole('button', { name: 'Show' }).click();
  await is('.hid', 'Skipped');
  await page.getByRole('button', { name: 'Clear the list' }).click();
}

/** Stops in the middle of a file, and goes on from there. */
async function paused() {
  const line = await desk.newCDPSession(page);
  await line.send('Network.enable');
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 1_500_000 });
  const asked = [];
  page.on('request', (request) => { if (/\/api\/v1\/uploads\//.test(request.url())) asked.push([request.method(), Number(request.headers()['upload-offset'] ?? 0)]); });
  await page.locator('#upload-files').setInputFiles(track('large.flac'));
  await page.waitForRequest((request) => request.method() === 'PATCH');
  await page.waitForTimeout(1200);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused').waitFor();
  await is('large.flac', 'Waiting');
  await picture(page, 'upload-paused');
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await line.detach();
  asked.length = 0;
  await page.getByRole('button', { name: 'Go on', exact: true }).click();
  await is('large.flac', 'Uploaded');
  const rest = asked.find(([method]) => method === 'PATCH');
  assert(asked.some(([method]) => method === 'HEAD') && rest[1] > 0, `it went on where it stopped: ${JSON.stringify(asked)}`);
  await page.getByRole('button', { name: 'Clear the list' }).click();
}

/** A thousand files: the page answers all the while. */
async function many() {
  await page.evaluate(() => {
    const files = new DataTransfer();
    for (let at = 0; at < 1000; at += 1) files.items.add(new File([`track ${at} `.repeat(40)], `m${at}.flac`));
    globalThis.frames_ = [];
    let last = performance.now();
    const tick = () => { const now = performance.now(); globalThis.frames_.push(now - last); last = now; if (globalThis.frames_) requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
    const input = document.querySelector('#upload-files');
    input.files = files.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await page.getByText('and 800 more files').waitFor();
  // A switch answers while they are sent.
  await page.getByLabel('Unpack archives (zip, tar)').click();
  await page.getByLabel('Unpack archives (zip, tar)').click();
  await page.getByText('of 1,000 done').waitFor();
  await page.waitForFunction(() => document.querySelector('.bignum')?.textContent.startsWith('1,000'), null, { timeout: 240000 });
  const longest = await page.evaluate(() => Math.round(Math.max(...globalThis.frames_)));
  console.log(`the longest frame of 1,000 files took ${longest} ms`);
  await page.getByRole('button', { name: 'Clear the list' }).click();
}

/** What the browser remembers is offered again, and only the rest of it is sent. */
async function remembered() {
  await page.evaluate(async () => {
    const main = document.querySelector('script[type=module][src$="/app/main.js"]').src;
    const { remember } = await import(new URL('upload_sources.js', main));
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('Broken off', { create: true });
    for (const [name, text] of [['after.flac', '\u0002'.repeat(3000)], ['rest.flac', 'rest'.repeat(500)]]) {
      const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
      await file.write(text);
      await file.close();
    }
    await remember([folder], 'me', 'mira');
  });
  await page.goto(`${args.base}/upload`);
  await page.getByText('An upload was not finished').waitFor();
  await picture(page, 'upload-begun');
  await page.getByRole('button', { name: 'Go on', exact: true }).click();
  await is('after.flac', 'Here already');
  await is('rest.flac', 'Uploaded');
  await page.goto(`${args.base}/upload`);
  await page.getByRole('heading', { level: 1, name: 'Upload' }).waitFor();
  assert(await page.getByText('An upload was not finished').count() === 0, 'it is forgotten when it is over');
}

async function imported() {
  await page.getByText('The server fetches nothing from addresses.').waitFor();
  await page.getByRole('link', { name: 'Turn it on' }).click();
  await page.getByRole('switch', { name: 'Imports from addresses', exact: true }).click();
  await page.getByRole('switch', { name: 'Imports from addresses', exact: true, checked: true }).waitFor();
  await page.goto(`${args.base}/upload`);
  const field = page.getByLabel('Address of a track, a zip or an m3u list');
  await field.fill('http://10.0.0.1/x.flac');
  await page.getByRole('button', { name: 'Fetch it' }).click();
  await page.getByText('10.0.0.1 is not on the public internet, so it is not asked').waitFor();
  await field.fill(`${args.site}/far.flac`);
  await page.getByRole('button', { name: 'Fetch it' }).click();
  const list = page.getByRole('list', { name: 'From an address' });
  await list.locator('li', { hasText: 'far.flac' }).locator('.chip', { hasText: 'Done' }).waitFor();
  // What failed before told its browser so; that is no complaint of ours.
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !/403 \(Forbidden\)/.test(one)));
}

/** In every look, with something in it. */
async function look(state) {
  for (const [how, options] of Object.entries(looks)) {
    const other = await context(started, { ...options, storageState: state }, complaints);
    page = await other.newPage();
    page.setDefaultTimeout(60000);
    await page.goto(`${args.base}/upload`);
    await page.getByRole('heading', { level: 1, name: 'Upload' }).waitFor();
    await page.locator('#upload-files').setInputFiles([held('one.flac'), { name: 'aux.flac', mimeType: 'audio/flac', buffer: Buffer.alloc(3000, 1) }, { name: `Quite a long name of a track that nobody shortened (live at the corner, ${how}).flac`, mimeType: 'audio/flac', buffer: Buffer.alloc(9000, 3) }]);
    await is('aux.flac', 'Not taken');
    await page.getByRole('button', { name: 'Clear the list' }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert(wide <= 0, `${how}: nothing is wider than the page (${wide})`);
    await picture(page, `upload-${how}`);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await picture(page, `upload-${how}-below`);
    violations.push(...await accessible(page, `upload-${how}`));
    await other.close();
  }
}
