// The switch of a library that lets lockers point at its files, in a real browser: by keyboard, kept over a reload, shown as it
// is where it is refused, and shown and fixed where the configuration says it.
//   node tests/web/libraries.mjs --base URL
// The server has the administrator mira (correct horse battery) and the watched folders Music and Said, of which the
// configuration says that it lends.
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
  await signIn(page, args.base, 'mira', 'correct horse battery');
  await lends();
  await refused();
  await configured();
  const state = await desk.storageState();
  for (const [how, options] of Object.entries(looks)) await see(state, how, options);
  const said = complaints.filter((one) => !one.includes('the server responded with a status of 409'));
  assert(said.length === 0, `no console message at all\n${said.join('\n')}`);
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  if (page) await picture(page, 'failed-libraries').catch(() => {});
  console.error(`${page?.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${violations.join('\n')}\n${await page?.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

/** The switch of a library, and the library as the server tells it. */
function toggle(name) {
  return page.getByRole('region', { name, exact: true }).getByRole('switch', { name: 'Lockers may point at its files instead of copying them' });
}

async function until(name, lends) {
  await page.waitForFunction(async ([wanted, is]) => {
    const { items } = await (await fetch('/api/v1/libraries')).json();
    return items.find((one) => one.name === wanted).lends === is;
  }, [name, lends]);
}

async function open() {
  await page.goto(`${args.base}/server/libraries`);
  await toggle('Music').waitFor();
}

/** On and off, and both times it is still so on a page that was loaded anew. */
async function lends() {
  await open();
  assert(!await toggle('Music').isChecked(), 'it is off by itself');
  await page.getByRole('region', { name: 'Music', exact: true }).getByText('The files must then stay as they are').waitFor();
  for (const is of [true, false, true]) {
    await toggle('Music').focus();
    await page.keyboard.press('Space');
    await until('Music', is);
    await page.reload();
    await toggle('Music').waitFor();
    assert(await toggle('Music').isChecked() === is, `it still is ${is ? 'on' : 'off'} after a reload`);
  }
  violations.push(...await accessible(page, 'libraries'));
  // Another switch of the library leaves it alone.
  const shared = page.getByRole('region', { name: 'Music', exact: true }).getByRole('switch', { name: 'Everybody here may play it' });
  await shared.press('Space');
  await page.waitForFunction(async () => (await (await fetch('/api/v1/libraries')).json()).items.find((one) => one.name === 'Music').shared === false);
  await until('Music', true);
  await page.getByRole('region', { name: 'Household', exact: true }).waitFor();
  assert(await page.getByRole('region', { name: 'Household', exact: true }).getByRole('switch', { name: /^Lockers may point/ }).count() === 0, 'a locker has no such switch');
}

/** What the server refuses is said, and the switch shows what holds. */
async function refused() {
  await page.route('**/api/v1/libraries/*', (route) => route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ type: 'conflict', title: 'Conflict', status: 409, detail: 'The disk of the lockers has no room for them' }) }));
  await toggle('Music').press('Space');
  await page.getByText('The disk of the lockers has no room for them').first().waitFor();
  await page.unroute('**/api/v1/libraries/*');
  await page.waitForFunction(() => document.querySelector('section[aria-label="Music"] .switches label:last-of-type input').checked);
}

async function configured() {
  assert(await toggle('Said').isChecked() && await toggle('Said').isDisabled(), 'what the configuration says is shown, and is nobody\'s to change');
  await page.getByRole('region', { name: 'Said', exact: true }).getByText('Whether they may is said in the configuration file.').waitFor();
}

async function see(state, how, options) {
  const of = await context(started, { ...options, storageState: state }, complaints);
  const view = await of.newPage();
  view.setDefaultTimeout(30000);
  await view.goto(`${args.base}/server/libraries`);
  await view.locator('main h1').first().waitFor();
  await view.waitForLoadState('networkidle');
  violations.push(...await accessible(view, `libraries ${how}`));
  await picture(view, `real-libraries-${how}`);
  await of.close();
}
