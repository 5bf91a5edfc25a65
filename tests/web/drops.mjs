// Folders dropped in a real browser, on the upload page and in Files: walked whole, however deep and however many files
// lie in one of them, as a browser gives a hundred at a time; what it cannot read is named, and stops nothing.
//   node tests/web/drops.mjs --base URL --password TEXT --folders FOLDER --files NUMBER
// mira is a user with that password. In FOLDER lie "Upload", "Files" and "Bad"; the first two hold NUMBER files each,
// the last a file "locked.flac", a folder "closed" with a file in it, and beside and behind them one.flac and two.flac.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { assert, browser, context, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' }, password: { type: 'string' }, folders: { type: 'string' }, files: { type: 'string' } } });
const complaints = [];
const started = await browser();
const desk = await context(started, looks['wide-light'], complaints);
const page = await desk.newPage();
page.setDefaultTimeout(60000);
const number = Number(args.files).toLocaleString('en-GB');

const row = (name) => page.locator('.uploads > li').filter({ has: page.locator('b', { hasText: new RegExp(`^${name.replaceAll('.', '\\.')}$`) }) });
const is = (name, state) => row(name).locator('.chip', { hasText: new RegExp(`^${state}$`) }).waitFor();
const all = () => page.locator('.bignum', { hasText: new RegExp(`^\\s*${number}\\s+of ${number} done\\s*$`) }).waitFor({ timeout: 120000 });

try {
  await signIn(page, args.base, 'mira', args.password);
  await onUpload();
  await onFiles();
  await unreadable();
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
} catch (failure) {
  await picture(page, 'failed-drops').catch(() => {});
  console.error(`${page.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${await page.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

/** Drops a folder of the disk on what is there, as a hand does. */
async function drop(name, on) {
  const place = await page.locator(on).boundingBox();
  const session = await desk.newCDPSession(page);
  const data = { items: [], files: [join(args.folders, name)], dragOperationsMask: 1 };
  const at = { x: place.x + place.width / 2, y: place.y + Math.min(place.height / 2, 60), data };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, ...at });
  await session.detach();
}

async function onUpload() {
  await page.goto(`${args.base}/upload`);
  await page.getByRole('heading', { level: 1, name: 'Upload' }).waitFor();
  await drop('Upload', '.drop');
  await all();
  assert(true, `all ${number} files of the folder were sent`);
}

async function onFiles() {
  await page.goto(`${args.base}/files`);
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  await page.getByRole('button', { name: 'New folder' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Into');
  await page.keyboard.press('Enter');
  await page.locator('.filelist').getByRole('link', { name: 'Into' }).click();
  await page.getByText('This folder is empty').waitFor();
  await drop('Files', '.page.files');
  await page.locator('.filelist b', { hasText: /^Files$/ }).waitFor();
  await page.getByRole('link', { name: 'Upload', exact: true }).first().click();
  await all();
  assert(true, `all ${number} files of the folder were sent from Files`);
}

/** A file and a folder that the browser says no to. */
async function unreadable() {
  for (const [address, on, ready] of [['/upload', '.drop', 'Upload'], ['/files', '.page.files', 'Files']]) {
    await page.goto(`${args.base}${address}`);
    await page.getByRole('heading', { level: 1, name: ready }).waitFor();
    // The classes of entries have no names here, so each is made to refuse as it comes.
    await page.evaluate(() => {
      const gone = () => new DOMException('It cannot be read', 'NotReadableError');
      const asked = DataTransferItem.prototype.webkitGetAsEntry;
      const refusing = (entry) => {
        if (entry.isFile && entry.name === 'locked.flac') entry.file = (done, fail) => fail(gone());
        if (!entry.isDirectory) return entry;
        const make = entry.createReader.bind(entry);
        entry.createReader = () => {
          const reader = make();
          return { readEntries: (done, fail) => (entry.name === 'closed' ? fail(gone()) : reader.readEntries((part) => done(part.map(refusing)), fail)) };
        };
        return entry;
      };
      DataTransferItem.prototype.webkitGetAsEntry = function entry() { return refusing(asked.call(this)); };
    });
    if (ready === 'Files') await page.locator('.filelist').waitFor();
    await drop('Bad', on);
    if (ready === 'Files') {
      await page.locator('.toast', { hasText: '2 files and folders could not be read, and were not uploaded' }).waitFor();
      await page.locator('.toast').getByRole('button', { name: 'Show' }).click();
    }
    for (const name of ['one.flac', 'two.flac']) await is(name, ready === 'Upload' ? 'Uploaded' : '(Uploaded|Here already)');
    await is('locked.flac', 'Not taken');
    await row('locked.flac').getByText('The browser could not read this file').waitFor();
    await is('closed', 'Not taken');
    await row('closed').getByText('could not read this folder to its end').waitFor();
    assert(await page.getByRole('button', { name: 'Retry failed' }).count() === 0, 'what cannot be read is not tried again in vain');
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the list' }).click()]);
    assert((await saved.createReadStream()) !== null, 'the list of refusals can be kept');
    await picture(page, `drops-unread-${ready}`);
  }
}
