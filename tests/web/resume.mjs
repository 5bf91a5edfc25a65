// An upload that breaks off with the tab goes on where it stopped when the same file is picked again.
//   node tests/web/resume.mjs --base URL --name USER --password PASSWORD --file FILE --staging FOLDER
// FOLDER is where the server keeps what arrived of uploads.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { assert, browser, context, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' }, name: { type: 'string' }, password: { type: 'string' }, file: { type: 'string' }, staging: { type: 'string' } } });
const complaints = [];
const started = await browser();
const desk = await context(started, looks['wide-light'], complaints);
const page = await desk.newPage();
page.setDefaultTimeout(60000);
/** Method, offset and answer of every request to an upload. */
const seen = [];

try {
  await signIn(page, args.base, args.name, args.password);
  await page.getByRole('link', { name: 'Upload', exact: true }).first().waitFor();
  await page.goto(`${args.base}/upload`);
  // Slow enough to be broken off in the middle.
  const line = await desk.newCDPSession(page);
  await line.send('Network.enable');
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 1_000_000 });
  const begun = Promise.all([page.waitForResponse((answer) => answer.url().endsWith('/api/v1/uploads') && answer.request().method() === 'POST' && answer.status() === 201), page.waitForRequest((one) => one.method() === 'PATCH')]);
  await page.locator('#upload-files').setInputFiles(args.file);
  await begun;
  while (arrived() === 0) await page.waitForTimeout(20);
  const kept = arrived();
  await picture(page, 'upload-under-way');
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto('about:blank');
  await line.detach();

  page.on('response', (answer) => {
    if (/\/api\/v1\/uploads\//.test(answer.url())) seen.push({ method: answer.request().method(), offset: Number(answer.request().headers()['upload-offset'] ?? answer.headers()['upload-offset'] ?? 0), status: answer.status() });
  });
  await page.goto(`${args.base}/upload`);
  await page.locator('#upload-files').setInputFiles(args.file);
  await page.waitForResponse((answer) => answer.request().method() === 'PATCH' && answer.status() === 204);
  const asked = seen.find((one) => one.method === 'HEAD');
  const sent = seen.find((one) => one.method === 'PATCH');
  assert(asked?.offset >= kept, `the server kept what had come: ${kept}, ${JSON.stringify(seen)}`);
  assert(sent.offset === asked.offset, 'and the rest was sent from there');
  assert(await page.evaluate(() => Object.keys(localStorage).every((key) => !key.startsWith('tus::'))), 'nothing is remembered of what is done');
} catch (failure) {
  await picture(page, 'resume-failed').catch(() => {});
  console.error(`at ${page.url()}\n${failure.stack}\n${JSON.stringify(seen)}\ncomplaints:\n${complaints.join('\n')}\n${await page.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

/** Bytes of the upload that the server has written down. However slow the browser is, only then is there something to keep. */
function arrived() {
  return Math.max(0, ...readdirSync(args.staging).map((name) => statSync(join(args.staging, name), { throwIfNoEntry: false })?.size ?? 0));
}
