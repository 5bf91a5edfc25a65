// Room and deliveries in a real browser: what a person sees of his locker, and what an administrator does about it.
//   node tests/web/room.mjs --base URL
// The server has the administrator root, and ann, whose locker holds a file, a purchase and a grant.
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' } } });
const complaints = [];
const violations = [];
const started = await browser();
let page;

try {
  const ann = await signedIn('ann', "ann's very own");
  await notice();
  const root = await signedIn('root', "the admin's own");
  await administer();
  await signedIn('ann', "ann's very own");
  await storage();
  for (const [how, options] of Object.entries(looks)) {
    await see(ann, how, options, { storage: '/storage' });
    await see(root, how, options, { room: '/server/people/ann', deliveries: '/server/deliveries' });
  }
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
  // Her own pages, still open, are told that she is nobody any more.
  await leaves();
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  if (page) await picture(page, 'failed-room').catch(() => {});
  console.error(`${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${page ? await page.locator('body').innerText().catch(() => '') : ''}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

async function signedIn(name, password) {
  const of = await context(started, looks['wide-light'], complaints);
  page = await of.newPage();
  page.setDefaultTimeout(30000);
  await signIn(page, args.base, name, password);
  return of.storageState();
}

/** A person goes, and all that was stored with her. */
async function leaves() {
  await signedIn('root', "the admin's own");
  await page.goto(`${args.base}/server/people`);
  await page.getByRole('button', { name: 'More for ann' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove ann?' });
  await dialog.getByLabel('Delete the files as well', { exact: false }).check();
  assert(await dialog.getByRole('button', { name: 'Remove' }).isDisabled(), 'nobody goes before his name is typed');
  await dialog.getByRole('textbox').fill('ann');
  violations.push(...await accessible(page, 'remove'));
  await picture(page, 'remove-person');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByText('ann is removed').waitFor();
}

async function administer() {
  await page.goto(`${args.base}/server/people/ann`);
  await page.getByLabel('Why', { exact: true }).fill('For the summer');
  await page.getByLabel('GB', { exact: true }).fill('2');
  await page.getByRole('button', { name: 'Give more' }).click();
  await page.getByText('For the summer', { exact: false }).first().waitFor();
  await page.goto(`${args.base}/server/deliveries`);
  await page.getByRole('button', { name: 'Add a rule' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('An album is delivered').first().waitFor();
  await page.getByRole('button', { name: 'Make a key' }).click();
  await page.getByLabel('Which shop is it for?').fill('The corner shop');
  await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).click();
  await page.getByText(/^tld_[0-9a-f]{40}$/).waitFor();
  violations.push(...await accessible(page, 'key'));
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
  await page.getByText('The corner shop').waitFor();
}

async function storage() {
  await page.goto(`${args.base}/storage`);
  await page.getByRole('heading', { name: 'Storage' }).waitFor();
  await page.getByText('For the summer', { exact: false }).first().waitFor();
  await page.getByText('Uploaded').first().waitFor();
}

async function notice() {
  await page.goto(`${args.base}/storage`);
  await page.getByText('Your locker holds', { exact: false }).waitFor();
  await page.getByRole('button', { name: 'Understood' }).click();
  await page.getByText('Your locker holds', { exact: false }).waitFor({ state: 'detached' });
}

async function see(state, how, options, screens) {
  const of = await context(started, { ...options, storageState: state }, complaints);
  const view = await of.newPage();
  for (const [screen, path] of Object.entries(screens)) {
    await view.goto(args.base + path);
    await view.locator('main h1').first().waitFor();
    await view.waitForLoadState('networkidle');
    violations.push(...await accessible(view, `${screen} ${how}`));
    const wide = await view.evaluate((width) => document.documentElement.scrollWidth - width, options.viewport.width);
    if (wide > 0) violations.push(`${screen} ${how}: ${wide} px wider than the window`);
    await view.screenshot({ path: new URL(`../../.cache/screenshots/real-${screen}-${how}.png`, import.meta.url).pathname, fullPage: true });
  }
  await of.close();
}
