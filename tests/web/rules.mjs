// What an administrator decides about room, in a real browser: rules, take-down, and where notices go; by keyboard where
// people without a mouse would.
//   node tests/web/rules.mjs --base URL --hash HEX --hook URL
// The server has the administrator root; ann, over her limit for 181 days; kim, who has the content HEX as a file and as an
// earlier version. HOOK takes what is posted.
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' }, hash: { type: 'string' }, hook: { type: 'string' } } });
const complaints = [];
const violations = [];
const started = await browser();
let page;

try {
  const desk = await context(started, looks['wide-light'], complaints);
  page = await desk.newPage();
  page.setDefaultTimeout(30000);
  await signIn(page, args.base, 'root', "the admin's own");
  await rules();
  await notices();
  const state = await desk.storageState();
  for (const [how, options] of Object.entries(looks)) await see(state, how, options);
  await takeDown();
  const said = complaints.filter((one) => !one.includes('the server responded with a status of 503'));
  assert(said.length === 0, `no console message at all\n${said.join('\n')}`);
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  if (page) await picture(page, 'failed-rules').catch(() => {});
  console.error(`${page?.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${violations.join('\n')}\n${await page?.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

/** A link of the navigation, by keyboard. */
async function open(name) {
  await page.getByRole('navigation', { name: 'Main' }).first().getByRole('link', { name, exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
}

async function saved() {
  await page.getByText('Saved', { exact: true }).first().waitFor();
}

async function rules() {
  await open('Room rules');
  // Radios are one stop of the keyboard; arrows choose.
  await page.getByRole('radio', { name: /^Everybody the whole/ }).focus();
  await page.keyboard.press('ArrowDown');
  await saved();
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(async () => (await (await fetch('/api/v1/quota-rules')).json()).sharedCopies === 'split');
  // What was chosen is shown.
  await page.getByRole('radio', { name: /^All of them a part/, checked: true }).waitFor();
  // Nothing goes by itself before one has seen what.
  await page.locator('summary', { hasText: 'ann' }).first().click();
  await page.getByText('Music/Old/large.flac').first().waitFor();
  await page.getByLabel('Days to make room').fill('30');
  await page.getByLabel('When they are over').selectOption({ label: 'Delete the largest first' });
  await page.getByRole('button', { name: 'Save' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Delete files by itself?' });
  await dialog.getByText('400 kB over, 1 file').waitFor();
  violations.push(...await accessible(page, 'rules dialog'));
  await picture(page, 'real-rules-dialog');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  const asked = await page.evaluate(async () => (await (await fetch('/api/v1/quota-rules')).json()).deletion);
  assert(asked === null, 'cancelled is not switched on');
  await page.getByRole('button', { name: 'Save' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Switch it on' }).click();
  await page.getByText('What goes at the next look, within the hour').waitFor();
  await page.getByRole('switch', { name: 'Music that is fetched as a file counts as streamed' }).press('Space');
  await saved();
  await page.getByLabel('Days in the trash').fill('7');
  await page.getByRole('button', { name: 'Save' }).nth(1).click();
  await saved();
  await page.getByRole('radio', { name: /^One's own/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(async () => (await (await fetch('/api/v1/match/policy')).json()).policy === 'server');
  const plan = page.getByRole('region', { name: "The household's locker" }).getByLabel('Plan');
  await plan.selectOption('Plus');
  await page.getByText('of 20 GB').waitFor();
  // Files of the household need not count, like anybody's.
  const exempt = page.getByRole('region', { name: "What does not count in the household's locker" });
  await exempt.getByLabel('File or folder').fill('ours.bin');
  await exempt.getByLabel('What it is').selectOption({ label: 'It was given' });
  await exempt.getByRole('button', { name: 'Save' }).click();
  await page.getByText('1 file changed').first().waitFor();
}

async function notices() {
  await open('Notices');
  const hook = page.getByRole('region', { name: 'Webhook' });
  assert(await hook.getByRole('button', { name: 'Send a test' }).isDisabled(), 'there is nothing to test yet');
  await hook.getByLabel('Address').fill(args.hook);
  await hook.getByLabel('Secret (optional)').fill('between us');
  await hook.getByRole('button', { name: 'Save' }).click();
  await hook.getByText('One is saved. Empty keeps it.').waitFor();
  assert(await hook.getByLabel('Secret (optional)').inputValue() === '', 'a secret never comes back');
  await hook.getByRole('button', { name: 'Send a test' }).click();
  await hook.getByRole('status').getByText('The webhook took it.').waitFor();
  const mail = page.getByRole('region', { name: 'E-mail' });
  await mail.getByLabel('Mail server').fill('127.0.0.1');
  await mail.getByLabel('Encryption').selectOption({ label: 'TLS from the start' });
  assert(await mail.getByLabel('Port').inputValue() === '465', 'the usual port comes with it');
  await mail.getByLabel('Sender').fill('Tunelocker <music@example.org>');
  await mail.getByRole('button', { name: 'Save' }).click();
  await mail.getByRole('button', { name: 'Forget it' }).waitFor();
  await page.getByRole('switch', { name: 'Send notices by the ways below' }).press('Space');
  await page.waitForFunction(async () => (await (await fetch('/api/v1/notice-ways')).json()).on === true);
}

async function see(state, how, options) {
  const of = await context(started, { ...options, storageState: state }, complaints);
  const view = await of.newPage();
  view.setDefaultTimeout(30000);
  for (const [screen, path] of Object.entries({ rules: '/server/rules', notices: '/server/notices', takedown: '/server/takedown' })) {
    await view.goto(args.base + path);
    await view.locator('main h1').first().waitFor();
    await view.waitForLoadState('networkidle');
    if (screen === 'takedown') {
      await view.getByLabel('Its BLAKE3 hash').fill(args.hash);
      await view.getByRole('button', { name: 'Look for it' }).first().click();
      await view.getByText('bad.bin').waitFor();
      await view.getByText('By somebody’s file instead').or(view.getByText("By somebody's file instead")).click();
    }
    violations.push(...await accessible(view, `${screen} ${how}`));
    const wide = await view.evaluate((width) => document.documentElement.scrollWidth - width, options.viewport.width);
    if (wide > 0) violations.push(`${screen} ${how}: ${wide} px wider than the window`);
    await view.screenshot({ path: new URL(`../../.cache/screenshots/real-${screen}-${how}.png`, import.meta.url).pathname, fullPage: true });
  }
  await of.close();
}

async function takeDown() {
  await open('Take-down');
  await page.getByLabel('By a copy on this device').setInputFiles({ name: 'mine.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(5000, 9) });
  await page.getByRole('heading', { name: '2 copies' }).waitFor();
  assert(await page.getByLabel('Its BLAKE3 hash').inputValue() === args.hash, 'a copy is hashed where it is');
  await page.getByLabel('Its BLAKE3 hash').fill('');
  await page.getByText("By somebody's file instead").click();
  await page.getByLabel('Whose locker').selectOption('');
  await page.getByLabel('Where it lies there').fill('ours.bin');
  await page.getByRole('button', { name: 'Look for it' }).nth(1).click();
  await page.getByRole('heading', { name: '1 copy' }).waitFor();
  await page.getByLabel('Whose locker').selectOption('kim');
  await page.getByLabel('Where it lies there').fill('bad.bin');
  await page.getByRole('button', { name: 'Look for it' }).nth(1).click();
  await page.getByRole('heading', { name: '2 copies' }).waitFor();
  await page.waitForFunction((hash) => document.querySelector('#takedown-hash').value === hash, args.hash);
  assert(true, 'a file leads to its content');
  await page.getByText('Earlier version', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove everywhere' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove it everywhere?' });
  violations.push(...await accessible(page, 'take-down dialog'));
  await picture(page, 'real-takedown-dialog');
  await dialog.getByLabel('Why').fill('A letter came');
  await page.keyboard.press('Enter');
  await page.getByText('2 copies removed').waitFor();
  await page.getByText('Nobody is known to have it').waitFor();
  await page.getByText('A letter came').waitFor();
  await page.getByText('1 file, 1 from trash and versions', { exact: false }).waitFor();
  await page.getByText('Stays away').waitFor();
  violations.push(...await accessible(page, 'taken down'));
  await page.getByRole('button', { name: 'Allow again: A letter came' }).click();
  await page.getByText('Allowed again').waitFor();
  assert(await page.getByRole('button', { name: 'Allow again' }).count() === 0, 'once is enough');
}
