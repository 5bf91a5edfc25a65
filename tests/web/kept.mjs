// Nothing sent or kept twice, and the drive as a network drive, in a real browser: the first run's switch, plans and their
// limits, the network drive's card, and the page of duplicates.
//   node tests/web/kept.mjs --setup LINK
// Once it is set up, the server is given the same file twice by this script, through its own API.
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, looks, picture } from './browser.mjs';

const { values: args } = parseArgs({ options: { setup: { type: 'string' } } });
const base = new URL(args.setup).origin;
const complaints = [];
const violations = [];
const started = await browser();
let page;

try {
  const desk = await context(started, looks['wide-light'], complaints);
  page = await desk.newPage();
  page.setDefaultTimeout(30000);
  await firstRun();
  await plans();
  await drive();
  await duplicates();
  const state = await desk.storageState();
  for (const [how, options] of Object.entries(looks)) await see(state, how, options);
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  if (page) await picture(page, 'failed-kept').catch(() => {});
  console.error(`${page?.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${violations.join('\n')}\n${await page?.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

/** The switch is off until somebody turns it on, and says what it tells of others. */
async function firstRun() {
  await page.goto(args.setup);
  const matching = page.getByRole('switch', { name: 'Nobody sends what is here already' });
  assert(!await matching.isChecked(), 'it is off by itself');
  const help = await page.locator(`#${await matching.getAttribute('aria-describedby')}`).innerText();
  assert(help.length > 40, `what it means stands beside it: ${help}`);
  await matching.focus();
  await page.keyboard.press('Space');
  assert(await matching.isChecked(), 'a key turns it on');
  violations.push(...await accessible(page, 'first run'));
  await page.getByLabel('Your user name').fill('mira');
  await page.getByLabel('A password', { exact: true }).fill('correct horse battery');
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByRole('link', { name: 'Open my music' }).click();
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor();
  const policy = await page.evaluate(async () => (await (await fetch('/api/v1/match/policy')).json()).policy);
  assert(policy === 'server', 'what was chosen at the first run holds');
  await page.goto(`${base}/server/rules`);
  await page.getByRole('radio', { name: /^Everybody's/ }).waitFor();
  assert(await page.getByRole('radio', { name: /^Everybody's/ }).isChecked(), 'and is shown among the rules');
  await page.getByRole('radio', { name: /^Everybody's/ }).focus();
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(async () => (await (await fetch('/api/v1/match/policy')).json()).policy === 'own');
}

async function plans() {
  await page.goto(`${base}/server/people`);
  await page.getByRole('button', { name: 'Change Free' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change Free' });
  await dialog.getByLabel('Room in GB').fill('6');
  await dialog.getByLabel('GB of streaming a day').fill('1.5');
  violations.push(...await accessible(page, 'plan'));
  await picture(page, 'real-plan-dialog');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('6 GB').first().waitFor();
  const plan = await page.evaluate(async () => (await (await fetch('/api/v1/plans')).json()).items.find((one) => one.name === 'Free'));
  assert(plan.quota === 6e9 && plan.limits.dayBytes === 1.5e9 && plan.limits.streams === null, `the plan is as it was typed: ${JSON.stringify(plan)}`);
}

async function drive() {
  await page.goto(`${base}/connect`);
  const card = page.getByRole('region', { name: 'Files as a drive' });
  const told = await card.locator('code').innerText();
  // The server of this test listens on this machine alone, and says so instead of an address of another interface.
  assert(told === `http://127.0.0.1:${new URL(base).port}/dav/`, `the card tells where the drive is: ${told}`);
  await page.getByText('This server listens on this computer alone').waitFor();
  assert(await page.locator('.qr').count() === 0, 'no code for a phone that could not come');
  await page.getByLabel('Which app is it for?').fill('File manager');
  await page.getByRole('button', { name: 'Make a password' }).click();
  const secret = (await page.getByRole('dialog').locator('code').first().innerText()).replace(/\s/g, '-');
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  // What the card says is enough to use the drive.
  const address = `${base}${new URL(told).pathname}`;
  const headers = { authorization: `Basic ${Buffer.from(`mira:${secret}`).toString('base64')}` };
  const listed = await fetch(address, { method: 'PROPFIND', headers: { ...headers, depth: '1' } });
  assert(listed.status === 207 && (await listed.text()).includes('/dav/mira/'), 'the address and a password of this page open the drive');
  const bytes = Buffer.alloc(200_000, 7);
  for (const name of ['First/one.bin', 'Second/the same, by another name.bin']) {
    const folder = `${address}mira/${encodeURIComponent(name.split('/')[0])}/`;
    await fetch(folder, { method: 'MKCOL', headers });
    const put = await fetch(`${address}mira/${name.split('/').map(encodeURIComponent).join('/')}`, { method: 'PUT', headers, body: bytes });
    assert(put.status === 201, `${name} is stored by it`);
  }
}

async function duplicates() {
  await page.goto(`${base}/duplicates`);
  const group = page.getByRole('region', { name: 'First/one.bin' });
  await group.getByText('Second/the same, by another name.bin').waitFor();
  violations.push(...await accessible(page, 'duplicates'));
  await group.getByRole('button', { name: 'Let Second/the same, by another name.bin share its bytes' }).press('Enter');
  await group.getByText('Shares its bytes').waitFor();
  const past = page.getByRole('region', { name: 'Done' });
  await past.getByRole('button', { name: 'Take back' }).click();
  await group.getByText('Shares its bytes').waitFor({ state: 'detached' });
  await group.getByRole('button', { name: 'Delete First/one.bin' }).click();
  await group.waitFor({ state: 'detached' });
  await page.getByText('Nothing twice').waitFor();
  await past.getByRole('button', { name: 'Take back' }).first().click();
  await group.waitFor();
  await group.getByRole('button', { name: 'Keep all' }).click();
  await page.getByText('Nothing twice').waitFor();
  await past.getByRole('button', { name: 'Take back' }).first().click();
  await group.waitFor();
  for (const kind of ['Same sound', 'Same recording', 'Same file']) {
    await page.getByRole('button', { name: kind, exact: true }).click();
    assert(await page.getByRole('button', { name: kind, exact: true }).getAttribute('aria-pressed') === 'true', `${kind} is shown`);
  }
  await group.waitFor();
}

async function see(state, how, options) {
  const of = await context(started, { ...options, storageState: state }, complaints);
  const view = await of.newPage();
  for (const [screen, path] of Object.entries({ duplicates: '/duplicates', connect: '/connect', people: '/server/people' })) {
    await view.goto(base + path);
    await view.locator('main h1').first().waitFor();
    await view.waitForLoadState('networkidle');
    violations.push(...await accessible(view, `${screen} ${how}`));
    const wide = await view.evaluate((width) => document.documentElement.scrollWidth - width, options.viewport.width);
    if (wide > 0) violations.push(`${screen} ${how}: ${wide} px wider than the window`);
    await view.screenshot({ path: new URL(`../../.cache/screenshots/real-kept-${screen}-${how}.png`, import.meta.url).pathname, fullPage: true });
  }
  await of.close();
}
