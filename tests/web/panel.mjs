// Uses the panel as a person would, from the set-up link to the admin pages, in a real browser.
//   node tests/web/panel.mjs --setup LINK --upload FILE --drop FILE [--base URL] [--rules HOST_RULES] [--quick]
// The library that the server was started with holds the albums "First Light" (tones of 440, 550 and 660 Hz; flac)
// and "Second Sun" (mp3), and the wavpack track "Only Decoded". --upload is a flac of 880 Hz titled "Carried In",
// --drop an mp3 of 990 Hz titled "Dropped In". --quick leaves out the looks.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, listen, looks, picture } from './browser.mjs';

const { values: args } = parseArgs({ options: { setup: { type: 'string' }, upload: { type: 'string' }, drop: { type: 'string' }, rules: { type: 'string' }, name: { type: 'string', default: '' }, quick: { type: 'boolean', default: false } } });
args.name &&= `-${args.name}`;
const base = new URL(args.setup).origin;
const name = 'mira';
const password = 'correct horse battery';
const complaints = [];
const violations = [];
const started = await browser(args.rules);
const desk = await context(started, looks['wide-light'], complaints);
const page = await desk.newPage();
page.setDefaultTimeout(30000);

try {
  await firstRun();
  await signIn();
  await play();
  await search();
  await smartPlaylist();
  await upload();
  await connect();
  await admin();
  if (!args.quick) await look();
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  await picture(page, `failed${args.name}`).catch(() => {});
  console.error(`at ${page.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${await page.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

async function firstRun() {
  await page.goto(base);
  assert(page.url() === `${base}/setup`, 'before the set-up every way leads to it');
  await page.goto(args.setup);
  violations.push(...await accessible(page, 'first run'));
  await picture(page, `setup${args.name}`);
  await page.getByText('My household').click();
  await page.getByLabel('Your user name').fill(name);
  await page.getByLabel('A password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Set up' }).click();
  // Where the server listens on this machine alone, no phone is sent to it.
  const isHereOnly = new URL(base).hostname === '127.0.0.1';
  await page.getByRole('heading', { name: isHereOnly ? 'Now your apps' : 'Now your phone' }).waitFor();
  violations.push(...await accessible(page, 'your phone'));
  await picture(page, `phone${args.name}`);
  const codes = await page.locator('code').allInnerTexts();
  assert(/^http:\/\/[^/]+:\d+$/.test(codes[0]) && !codes[0].includes('0.0.0.0'), `the address can be typed: ${codes[0]}`);
  assert(codes[1] === name, 'the user name is shown');
  assert(/^([a-z0-9]{4} ){3}[a-z0-9]{4}$/i.test(codes[2]), 'the app password is in groups of four');
  assert(codes[0] === base || !isHereOnly, `no other interface is named: ${codes[0]}`);
  if (!isHereOnly) await page.locator('.qr svg path').first().waitFor({ state: 'attached' });
  assert((await page.locator('.qr svg path').count() > 0) !== isHereOnly, 'a QR code is drawn for those who can come');
  await page.getByRole('button', { name: 'Copy: App password' }).click();
  await page.locator('#said', { hasText: 'Copied' }).waitFor({ state: 'attached' });
  await page.getByRole('link', { name: 'Open my music' }).click();
  await page.getByRole('heading', { level: 1, name: /Mira|mira/ }).waitFor();
}

async function signIn() {
  await page.goto(`${base}/settings`);
  await page.locator('main').getByRole('button', { name: 'Sign out' }).first().click();
  await page.waitForURL('**/login');
  violations.push(...await accessible(page, 'sign in'));
  await picture(page, `login${args.name}`);
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill('wrong password');
  const before = complaints.length;
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  assert(/Wrong user name or password/.test(await page.getByRole('alert').innerText()), 'a wrong password is told as one sentence');
  // The browser itself reports the 401 of that page; nothing else may be there.
  const reported = complaints.splice(before);
  assert(reported.every((one) => one.includes('401')), `only the 401 is reported: ${reported}`);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor();
  const cookie = (await desk.cookies()).find((one) => one.name === 'tl_session');
  assert(cookie?.httpOnly && cookie.sameSite === 'Strict', 'the session cookie is HttpOnly and SameSite=Strict');
}

async function play() {
  await page.getByRole('link', { name: 'Albums', exact: true }).first().click();
  const tile = page.getByRole('link', { name: 'First Light', exact: true }).first();
  await tile.waitFor({ timeout: 90000 });
  await tile.click();
  await page.getByRole('heading', { level: 1, name: 'First Light' }).waitFor();
  await page.getByRole('button', { name: 'Play', exact: true }).first().click();
  let heard = await listen(page);
  assert(heard.time > heard.begin && heard.loudness > 0.01, `music is heard: ${JSON.stringify(heard)}`);
  assert(heard.format === null, 'a flac comes as its original bytes');
  assert(Math.abs(heard.pitch - 440) < 30, `it is the first track's tone: ${heard.pitch}`);
  const seek = page.getByRole('slider', { name: 'Position' });
  await seek.focus();
  await page.keyboard.press('End');
  // The end of the first track leads into the second without a press.
  await page.locator('.player b', { hasText: 'Light 2' }).waitFor();
  heard = await listen(page);
  assert(Math.abs(heard.pitch - 550) < 30 && heard.loudness > 0.01, `the next track follows by itself: ${JSON.stringify(heard)}`);
  await seek.evaluate((range) => { range.value = '6'; range.dispatchEvent(new Event('input', { bubbles: true })); range.dispatchEvent(new Event('change', { bubbles: true })); });
  heard = await listen(page, 0.2);
  assert(heard.begin >= 5.5 && heard.loudness > 0.01, `seeking lands where it was asked: ${JSON.stringify(heard)}`);
  await page.getByRole('button', { name: 'Queue', exact: true }).click();
  await page.getByRole('complementary', { name: 'Queue' }).waitFor();
  violations.push(...await accessible(page, 'queue'));
  await picture(page, `queue${args.name}`);
  await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();
  await page.locator('main').focus();
  await page.keyboard.press('Space');
  await page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Play', exact: true }).waitFor();
  assert(true, 'Space pauses');
  // On a busy machine the track may have ended before it was paused.
  const told = await page.evaluate(() => [navigator.mediaSession.metadata.title, document.querySelector('.player b').textContent]);
  assert(told[0] === told[1], `the system is told what plays: ${told}`);
  await page.getByRole('button', { name: 'Add Light 1 to favourites' }).click();
  await page.getByRole('button', { name: 'Remove Light 1 from favourites' }).first().waitFor();
}

async function search() {
  await page.keyboard.press('/');
  await page.getByRole('searchbox').fill('only deco');
  const row = page.getByRole('button', { name: 'Play Only Decoded' });
  await row.waitFor();
  await row.click();
  const heard = await listen(page);
  assert(heard.format !== null && heard.loudness > 0.01, `what the browser can't play comes transcoded: ${JSON.stringify(heard)}`);
  assert(Math.abs(heard.pitch - 770) < 30, `and is the same tone: ${heard.pitch}`);
}

/** A playlist by rules, then shown to everybody. */
async function smartPlaylist() {
  await page.goto(`${base}/playlists`);
  await page.getByRole('button', { name: 'More ways to make a playlist' }).click();
  await page.getByRole('menuitem', { name: 'New smart playlist' }).click();
  await page.getByLabel('Name', { exact: true }).fill('By ear');
  await page.getByLabel('What', { exact: true }).selectOption('album');
  await page.getByLabel('Value', { exact: true }).fill('first');
  await page.getByLabel('Order', { exact: true }).selectOption('title');
  violations.push(...await accessible(page, 'rules'));
  await picture(page, `rules${args.name}`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'By ear' }).waitFor();
  const titles = page.locator('main .trow:not(.head) .cellart .title');
  await titles.nth(2).waitFor();
  const found = await titles.count();
  assert(found === 3, `the rules find the tracks of First Light: ${found}`);
  await page.getByRole('button', { name: 'More for this playlist' }).click();
  await page.getByRole('menuitem', { name: 'Share with people here' }).click();
  await page.getByLabel('Everybody who uses this server').selectOption('hear');
  violations.push(...await accessible(page, 'people of a playlist'));
  await picture(page, `people-of-playlist${args.name}`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'More for this playlist' }).click();
  await page.getByRole('menuitem', { name: 'Rules' }).click();
  assert(await page.getByLabel('Value', { exact: true }).inputValue() === 'first', 'the rules are kept');
  await page.keyboard.press('Escape');
}

async function upload() {
  await page.getByRole('link', { name: 'Upload', exact: true }).first().click();
  await page.locator('#upload-files').setInputFiles(args.upload);
  await page.locator('.chip', { hasText: 'Uploaded' }).first().waitFor();
  const place = await page.locator('.drop').boundingBox();
  const session = await desk.newCDPSession(page);
  const data = { items: [], files: [args.drop], dragOperationsMask: 1 };
  const at = { x: Math.round(place.x + place.width / 2), y: Math.round(place.y + place.height / 2), data };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, ...at });
  await page.locator('.bignum', { hasText: '2' }).first().waitFor();
  await page.getByText('of 2 done').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.chip.ok').length === 2);
  await picture(page, `uploaded${args.name}`);
  violations.push(...await accessible(page, 'uploaded'));
  for (const [title, tone] of [['Carried In', 880], ['Dropped In', 990]]) {
    await page.keyboard.press('Control+k');
    await page.getByRole('searchbox').fill(title);
    // No scan is asked for: the list follows by itself when the track is there.
    const row = page.getByRole('button', { name: `Play ${title}` });
    await row.waitFor({ timeout: 60000 });
    await row.click();
    const heard = await listen(page);
    assert(heard.loudness > 0.01 && Math.abs(heard.pitch - tone) < 30, `${title} is heard: ${JSON.stringify(heard)}`);
  }
}

async function connect() {
  await page.getByRole('link', { name: 'Connect an app' }).first().click();
  await page.getByLabel('Which app is it for?').fill('Kitchen');
  await page.getByRole('button', { name: 'Make a password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Password for Kitchen' });
  await dialog.waitFor();
  const shown = await dialog.locator('code').first().innerText();
  assert(/^([a-z0-9]{4} ){3}[a-z0-9]{4}$/i.test(shown), 'a new app password is in groups of four');
  violations.push(...await accessible(page, 'app password'));
  await picture(page, `password${args.name}`);
  const secret = shown.replaceAll(' ', '-');
  const ping = await (await fetch(`${process.env.LOCAL_BASE ?? base}/rest/ping?u=${name}&p=${secret}&v=1.16.1&c=test&f=json`)).json();
  assert(ping['subsonic-response'].status === 'ok', 'an app gets in with it');
  await dialog.getByRole('button', { name: 'Copy the password' }).click();
  await page.getByText('Copied').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Revoke the password of Kitchen' }).click();
  await page.getByText('The password of Kitchen is revoked').waitFor();
  const after = await (await fetch(`${process.env.LOCAL_BASE ?? base}/rest/ping?u=${name}&p=${secret}&v=1.16.1&c=test&f=json`)).json();
  assert(after['subsonic-response'].status === 'failed', 'a revoked one is out at once');
}

async function admin() {
  await page.getByRole('link', { name: 'People and plans', exact: true }).first().click();
  await page.getByRole('button', { name: 'Add a person' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a person' });
  await dialog.getByLabel('Login name').fill('jo');
  await dialog.getByLabel('First password').fill('another long one');
  violations.push(...await accessible(page, 'add a person'));
  await dialog.getByRole('button', { name: 'Add a person' }).click();
  await page.getByRole('combobox', { name: 'Plan of jo' }).waitFor();
  assert(true, 'a person can be added');
  await page.getByRole('link', { name: 'Apps', exact: true }).first().click();
  await page.getByRole('button', { name: 'Change DSub' }).click();
  const app = page.getByRole('dialog', { name: 'Change DSub' });
  await app.getByLabel('Plays').fill('mp3, mp4/aac');
  await app.getByLabel('Most kbit/s outside').fill('192');
  violations.push(...await accessible(page, 'an app'));
  await app.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Android · mp3, mp4/aac · 192 kbit/s outside').waitFor();
  assert(true, 'what is known of an app can be changed');
  await page.getByRole('link', { name: 'Libraries', exact: true }).first().click();
  await page.getByRole('button', { name: 'Read everything again' }).click();
  await page.getByText('The scan has begun').waitFor();
  await page.getByText('Libraries are up to date').waitFor({ timeout: 60000 });
  assert(true, 'a scan runs and its end is told live');
  await page.getByRole('link', { name: 'Overview', exact: true }).first().click();
  await page.getByText('There is no backup yet.').waitFor();
  await page.getByRole('link', { name: 'Backups', exact: true }).first().click();
  await page.getByLabel('Backup folder').fill(await mkdtemp(join(tmpdir(), 'backup-')));
  await page.getByLabel('Snapshots to keep').fill('3');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Back up now' }).click();
  await page.getByRole('heading', { name: 'There is a good backup' }).waitFor({ timeout: 60000 });
  await page.getByRole('heading', { name: 'Snapshots', exact: true }).waitFor();
  assert(true, 'a backup is missed, planned and made');
  await page.getByRole('link', { name: 'Overview', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.getByText('Everything is working').waitFor();
  const other = await context(started, looks['wide-light'], complaints);
  const theirs = await other.newPage();
  await theirs.goto(`${base}/login`);
  await theirs.getByLabel('User name').fill('jo');
  await theirs.getByLabel('Password', { exact: true }).fill('another long one');
  await theirs.getByRole('button', { name: 'Sign in' }).click();
  await theirs.getByRole('link', { name: 'Albums', exact: true }).first().waitFor();
  assert(await theirs.getByRole('link', { name: 'Overview', exact: true }).count() === 0, 'who is no administrator sees no server pages');
  await other.close();
}

/** Every screen in every look: accessible, and pictures for people to look at. */
async function look() {
  const state = await desk.storageState();
  const album = await page.evaluate(async () => (await (await fetch('/api/v1/albums')).json()).items[0].id);
  const artist = await page.evaluate(async () => (await (await fetch('/api/v1/artists')).json()).items[0].id);
  const screens = { home: '/', history: '/history', albums: '/albums', album: `/album/${album}`, artists: '/artists', artist: `/artist/${artist}`, tracks: '/tracks',
    search: '/search?q=light', playlists: '/playlists', upload: '/upload', connect: '/connect', settings: '/settings', server: '/server',
    people: '/server/people', libraries: '/server/libraries', devices: '/server/devices', apps: '/server/apps', backups: '/server/backups', missing: '/album/al-99999' };
  for (const [how, options] of Object.entries(looks)) {
    const of = await context(started, { ...options, storageState: state }, complaints);
    const view = await of.newPage();
    for (const [screen, path] of Object.entries(screens)) {
      const before = complaints.length;
      await view.goto(base + path);
      await view.locator('main h1, main [role=searchbox], main input[type=search]').first().waitFor();
      await view.waitForLoadState('networkidle');
      violations.push(...await accessible(view, `${screen} ${how}`));
      // Not innerWidth: a phone zooms out to what is too wide.
      const wide = await view.evaluate((width) => document.documentElement.scrollWidth - width, options.viewport.width);
      if (wide > 0) violations.push(`${screen} ${how}: ${wide} px wider than the window`);
      violations.push(...(await view.evaluate(disfigured)).map((one) => `${screen} ${how}: ${one}`));
      await picture(view, `real-${screen}-${how}`);
      // What is not there answers 404, which the browser reports.
      if (screen === 'missing') complaints.splice(before, complaints.length, ...complaints.slice(before).filter((one) => !one.includes('404')));
    }
    await of.close();
  }
}

/** In the page: play buttons of tiles that are not round buttons on their covers, and names that are cut off. */
function disfigured() {
  const wrong = [];
  for (const button of document.querySelectorAll('.tile .pick button')) {
    const [own, art] = [button, button.closest('.tile').querySelector('.art')].map((one) => one.getBoundingClientRect());
    const style = getComputedStyle(button);
    const isInside = own.left >= art.left && own.right <= art.right && own.top >= art.top && own.bottom <= art.bottom + 7;
    if (Math.abs(own.width - own.height) > 0.5 || own.width > 48 || !isInside || style.borderRadius !== '50%') wrong.push(`the play button of ${button.getAttribute('aria-label')} is ${own.width} x ${own.height}, ${style.borderRadius}`);
  }
  for (const name of document.querySelectorAll('table.data td b')) {
    const [own, cell] = [name, name.closest('.scrollx')].map((one) => one.getBoundingClientRect());
    if (own.right > cell.right + 1 || name.scrollWidth > name.clientWidth + 1 && getComputedStyle(name).overflow !== 'visible') wrong.push(`${name.textContent} is cut off`);
  }
  return wrong;
}
