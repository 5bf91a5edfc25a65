// The panel's files in a real browser, as a newcomer uses them: a folder, an upload, rename, copy, move, replace, versions,
// delete and undo, trash, search, zip, sharing with somebody else; by mouse and by keyboard; axe in every look.
//   node tests/web/files.mjs --base URL --upload FILE --password TEXT
// mira and tom are users with that password.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' }, upload: { type: 'string' }, password: { type: 'string' } } });
const complaints = [];
const violations = [];
const started = await browser();
let page;

const row = (name) => page.locator('.filelist > li').filter({ has: page.locator('b', { hasText: new RegExp(`^${name.replace(/[.()?#&]/g, '\\$&')}$`) }) });
const pick = async (name, action) => {
  await row(name).getByRole('button', { name: `More for ${name}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
};
const told = (text) => page.locator('.toast', { hasText: text }).first().waitFor();

try {
  const desk = await context(started, looks['wide-light'], complaints);
  page = await desk.newPage();
  page.setDefaultTimeout(30000);
  await signIn(page, args.base, 'mira', args.password);
  await make();
  await change();
  await undo();
  await trash();
  await versions();
  await find();
  await share();
  await look(await desk.storageState());
  await other();
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  if (page) await picture(page, 'failed-files').catch(() => {});
  console.error(`${page?.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${await page?.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

async function make() {
  await page.getByRole('link', { name: 'Files', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  await page.getByText('This folder is empty').waitFor();
  await page.getByRole('button', { name: 'New folder' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Häns & Söhne');
  await page.keyboard.press('Enter');
  await told('Made Häns & Söhne');
  await row('Häns & Söhne').getByRole('link').click();
  await page.getByRole('navigation', { name: 'Where you are' }).getByRole('link', { name: 'Häns & Söhne' }).waitFor();
  await page.locator('#files-upload').setInputFiles([{ name: 'notes #1?.txt', mimeType: 'text/plain', buffer: Buffer.from('first') }]);
  await row('notes #1?.txt').waitFor();
  await page.locator('#files-upload').setInputFiles(args.upload);
  await row(args.upload.split('/').pop()).waitFor();
}

async function change() {
  const notes = 'notes #1?.txt';
  const menu = page.getByRole('button', { name: `More for ${notes}` });
  // By keyboard alone.
  await menu.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Download' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByLabel('Name', { exact: true }).fill('notes.txt');
  await page.keyboard.press('Enter');
  await told('It is called notes.txt now');
  await pick('notes.txt', 'Copy');
  await page.getByRole('button', { name: 'Copy here' }).click();
  await told('Copied notes.txt');
  await page.getByRole('navigation', { name: 'Where you are' }).getByRole('link', { name: 'My locker' }).click();
  await row('notes.txt').waitFor();
  await pick('notes.txt', 'Move');
  await page.getByRole('list', { name: 'Folders' }).getByRole('button', { name: 'Häns & Söhne' }).click();
  await page.getByRole('button', { name: 'Move here' }).click();
  await page.getByRole('alert').filter({ hasText: 'is there already' }).waitFor();
  // The browser itself tells of the refusal that asked the question.
  const refusal = complaints.findIndex((one) => one.includes('409'));
  assert(refusal >= 0, 'the first try was refused');
  complaints.splice(refusal, 1);
  await page.getByRole('button', { name: 'Replace it' }).click();
  await told('Moved notes.txt');
  await row('notes.txt').waitFor({ state: 'detached' });
  const saved = page.waitForEvent('download');
  await pick('Häns & Söhne', 'Download as zip');
  const zip = readFileSync(await (await saved).path());
  assert(zip.subarray(0, 2).toString() === 'PK' && zip.includes(Buffer.from('Häns & Söhne/notes.txt')), 'the folder comes as a zip');
}

async function undo() {
  await pick('Häns & Söhne', 'Delete');
  await told('Häns & Söhne is in the trash');
  await page.getByText('This folder is empty').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await told('Häns & Söhne is back');
  await row('Häns & Söhne').getByRole('link').click();
  await row('notes.txt').waitFor();
}

async function trash() {
  await pick('notes.txt', 'Delete');
  await row('notes.txt').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Trash' }).click();
  await page.getByRole('heading', { level: 1, name: 'Trash' }).waitFor();
  await row('notes.txt').getByRole('button', { name: 'Restore' }).click();
  await told('It is back as Häns & Söhne/notes.txt');
  await page.getByText('The trash is empty').waitFor();
  await page.getByRole('link', { name: 'Files', exact: true }).last().click();
  await row('Häns & Söhne').getByRole('link').click();
}

async function versions() {
  await page.locator('#files-upload').setInputFiles([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('a second text') }]);
  await row('notes.txt').locator('small', { hasText: '13 B' }).waitFor();
  await pick('notes.txt', 'Earlier versions');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Bring this version back' }).first().click();
  await told('notes.txt is as it was');
  await row('notes.txt').locator('small', { hasText: '5 B' }).waitFor();
}

async function find() {
  const search = page.getByRole('searchbox', { name: 'Find a file or folder by name' });
  await search.fill('HANS sohne');
  await page.keyboard.press('Enter');
  await page.getByText('1 found').waitFor();
  await row('Häns & Söhne').waitFor();
  await search.fill('nothing like it');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing of that name').waitFor();
  await search.fill('');
}

async function share() {
  await page.goto(`${args.base}/files`);
  await pick('Häns & Söhne', 'Share with someone here');
  await page.getByLabel('Their user name').fill('tom');
  await page.getByLabel('They may add, change and delete files in it').check();
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await told('Shared with tom');
  await page.getByText('May change files').waitFor();
  violations.push(...await accessible(page, 'share dialog'));
  await picture(page, 'files-share');
  await page.keyboard.press('Escape');
}

async function look(state) {
  for (const [how, options] of Object.entries(looks)) {
    const of = await context(started, { ...options, storageState: state }, complaints);
    const view = await of.newPage();
    for (const [name, address] of [['files', '/files'], ['folder', `/files?path=${encodeURIComponent('Häns & Söhne')}`], ['trash', '/trash'], ['found', '/files?q=notes']]) {
      await view.goto(`${args.base}${address}`);
      await view.getByRole('heading', { level: 1 }).waitFor();
      await view.waitForLoadState('networkidle');
      violations.push(...await accessible(view, `${name} ${how}`));
      const by = await view.evaluate((width) => document.documentElement.scrollWidth - width, options.viewport.width);
      if (by > 0) violations.push(`${name} ${how}: ${by} px wider than the window`);
      await picture(view, `${name}-${how}`);
    }
    await view.goto(`${args.base}/files?path=${encodeURIComponent('Häns & Söhne')}`);
    await view.getByRole('button', { name: 'More for notes.txt' }).click();
    await view.getByRole('menuitem', { name: 'Move' }).waitFor();
    await picture(view, `files-menu-${how}`);
    await view.getByRole('menuitem', { name: 'Move' }).click();
    await view.getByRole('button', { name: 'Move here' }).waitFor();
    violations.push(...await accessible(view, `move ${how}`));
    await picture(view, `files-move-${how}`);
    await of.close();
  }
}

/** Who it was shared with. */
async function other() {
  const of = await context(started, looks['wide-light'], complaints);
  page = await of.newPage();
  page.setDefaultTimeout(30000);
  await signIn(page, args.base, 'tom', args.password);
  await page.goto(`${args.base}/files`);
  await page.getByRole('link', { name: 'Häns & Söhne (from mira)' }).click();
  await row('notes.txt').waitFor();
  await pick('notes.txt', 'Delete');
  await told('notes.txt is in the trash');
  await picture(page, 'files-shared');
}
