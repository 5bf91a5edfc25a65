// A disk that failed, in a real browser: the overview says so, and the button has it tried again.
//   node tests/web/degraded.mjs --base URL
// The server has the administrator root. Its disk fails once the file "fail" is stored, which this script does.
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' } } });
const complaints = [];
const violations = [];
const started = await browser();
let page;

try {
  const desk = await context(started, looks['wide-light'], complaints);
  page = await desk.newPage();
  page.setDefaultTimeout(30000);
  await signIn(page, args.base, 'root', "the admin's own");
  await page.goto(`${args.base}/server`);
  await page.getByText('Everything is working').or(page.getByText('Needs attention')).first().waitFor();
  assert(await page.getByRole('button', { name: 'Try the disk again' }).count() === 0, 'nobody is asked to try a disk that is well');
  const store = (name) => page.evaluate(async (path) => (await fetch(`/api/v1/files/${path}`, { method: 'PUT', body: 'x' })).status, name);
  assert(await store('fail') === 201, 'it stores');
  await page.waitForFunction(async () => Object.values((await (await fetch('/api/v1/server')).json()).storage).includes('degraded'));
  const state = await desk.storageState();
  for (const [how, options] of Object.entries(looks)) {
    const of = await context(started, { ...options, storageState: state }, complaints);
    page = await of.newPage();
    await page.goto(`${args.base}/server`);
    await page.getByRole('button', { name: 'Try the disk again' }).waitFor();
    await picture(page, `degraded-${how}`);
    violations.push(...await accessible(page, `degraded ${how}`));
  }
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
  assert(await page.evaluate(async () => (await fetch('/api/v1/files/no', { method: 'PUT', body: 'x' })).status) === 503, 'nothing is stored meanwhile');
  await page.getByRole('button', { name: 'Try the disk again' }).click();
  await page.getByRole('button', { name: 'Try the disk again' }).waitFor({ state: 'detached' });
  assert(await page.evaluate(async () => (await fetch('/api/v1/files/yes', { method: 'PUT', body: 'x' })).status) === 201, 'it stores again');
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  if (page) await picture(page, 'failed-degraded').catch(() => {});
  console.error(`${page?.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${violations.join('\n')}\n${await page?.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}
