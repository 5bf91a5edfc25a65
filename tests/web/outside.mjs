// What comes from the internet, used in the panel by a person in a real browser.
//   node tests/web/outside.mjs --base URL --feed URL --stream URL
// The server has an administrator "ann" and stubs of the services; --feed is a podcast whose newest episode is a
// file of sound, --stream a file of sound that stands for a station.
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, listen, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' }, feed: { type: 'string' }, stream: { type: 'string' } } });
const complaints = [];
const violations = [];
const started = await browser();
const desk = await context(started, looks['wide-light'], complaints);
const page = await desk.newPage();
page.setDefaultTimeout(30000);

try {
  await signIn(page, args.base, 'ann', 'correct horse battery');
  await page.getByRole('link', { name: 'Internet', exact: true }).first().waitFor();
  assert(await page.getByRole('link', { name: 'Podcasts', exact: true }).count() === 0, 'what is off has no place in the navigation');
  await switches();
  await podcasts();
  await radio();
  await scrobbling();
  await look();
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  await picture(page, 'failed-outside').catch(() => {});
  console.error(`at ${page.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${await page.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

async function switches() {
  await page.getByRole('link', { name: 'Internet', exact: true }).first().click();
  for (const name of ['Podcasts', 'Internet radio', 'Passing listens on']) {
    const turn = page.getByRole('switch', { name, exact: true });
    assert(!await turn.isChecked(), `${name} is off at first`);
    await turn.click();
    await page.waitForFunction((label) => [...document.querySelectorAll('label')].some((one) => one.textContent === label && one.querySelector('input').checked), name);
  }
  await page.getByRole('link', { name: 'Podcasts', exact: true }).first().waitFor();
  await page.getByRole('link', { name: 'Radio', exact: true }).first().waitFor();
}

async function podcasts() {
  await page.getByRole('link', { name: 'Podcasts', exact: true }).first().click();
  await page.getByRole('button', { name: 'Add a podcast' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a podcast' });
  await dialog.getByLabel('Address of the feed').fill('http://192.168.1.1/feed');
  const before = complaints.length;
  await dialog.getByRole('button', { name: 'Subscribe' }).click();
  await dialog.getByRole('alert').waitFor();
  assert(/not on the public internet/.test(await dialog.getByRole('alert').innerText()), 'an address of the house is refused with a sentence');
  complaints.splice(before, complaints.length, ...complaints.slice(before).filter((one) => !one.includes('400')));
  violations.push(...await accessible(page, 'add a podcast'));
  await dialog.getByLabel('Address of the feed').fill(args.feed);
  await dialog.getByRole('button', { name: 'Subscribe' }).click();
  await page.getByRole('heading', { level: 1, name: 'The Show' }).waitFor();
  const start = page.getByRole('button', { name: /^Play Episode 2/ });
  await start.waitFor();
  await start.click();
  const heard = await listen(page);
  assert(heard.time > heard.begin && heard.loudness > 0.01, `the episode is heard: ${JSON.stringify(heard)}`);
  await page.getByRole('button', { name: /^Download Episode 1/ }).click();
  await page.getByRole('button', { name: /^Play Episode 1/ }).waitFor();
  assert(true, 'an older one comes when it is asked for');
  await page.getByRole('button', { name: 'What is kept' }).click();
  const keep = page.getByRole('dialog', { name: 'What is kept' });
  await keep.getByLabel('Downloads to keep').fill('1');
  violations.push(...await accessible(page, 'what is kept'));
  await keep.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: /^Download Episode 1/ }).waitFor();
  assert(true, 'what is beyond goes away again');
}

async function radio() {
  await page.getByRole('link', { name: 'Radio', exact: true }).first().click();
  await page.getByRole('button', { name: 'Add a station' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a station' });
  await dialog.getByLabel('Name').fill('Test FM');
  await dialog.getByLabel('Address of the stream').fill(args.stream);
  violations.push(...await accessible(page, 'add a station'));
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Play Test FM' }).click();
  await page.getByText('On air').waitFor();
  await page.getByRole('button', { name: 'Stop Test FM' }).waitFor();
  await page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Play', exact: true }).waitFor();
  assert(true, 'a station plays, and what played before it pauses');
}

async function scrobbling() {
  await page.getByRole('link', { name: 'Settings', exact: true }).first().click();
  await page.getByLabel('Your ListenBrainz user token').fill('11111111-2222-3333-4444-555555555555');
  await page.getByRole('button', { name: 'Connect ListenBrainz' }).click();
  await page.getByRole('button', { name: 'Disconnect ListenBrainz' }).waitFor();
  assert(true, 'ListenBrainz is connected');
}

/** Every screen in every look. */
async function look() {
  const state = await desk.storageState();
  const podcast = await page.evaluate(async () => (await (await fetch('/api/v1/podcasts')).json()).items[0].id);
  const screens = { podcasts: '/podcasts', podcast: `/podcast/${podcast}`, radio: '/radio', settings: '/settings', outside: '/server/outside' };
  for (const [how, options] of Object.entries(looks)) {
    const of = await context(started, { ...options, storageState: state }, complaints);
    const view = await of.newPage();
    for (const [screen, path] of Object.entries(screens)) {
      await view.goto(args.base + path);
      await view.locator('main h1').first().waitFor();
      await view.waitForLoadState('networkidle');
      violations.push(...await accessible(view, `${screen} ${how}`));
      const wide = await view.evaluate((width) => document.documentElement.scrollWidth - width, options.viewport.width);
      if (wide > 0) violations.push(`${screen} ${how}: ${wide} px wider than the window`);
      await view.screenshot({ path: `.cache/screenshots/outside-${screen}-${how}.png`, fullPage: true });
    }
    await of.close();
  }
}
