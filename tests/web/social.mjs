// What people do with each other and across devices, in a real browser: shares as a visitor sees them, history,
// going on from another device, speakers, chat, pictures, rights.
//   node tests/web/social.mjs --base URL --share URL --locked URL --secret APP_PASSWORD --picture FILE
// The shares hold the album "First Light" (tones of 440, 550 and 660 Hz); the locked one opens with "lemon tree".
import { parseArgs } from 'node:util';
import { accessible, assert, browser, context, listen, looks, picture, signIn } from './browser.mjs';

const { values: args } = parseArgs({ options: { base: { type: 'string' }, share: { type: 'string' }, locked: { type: 'string' }, secret: { type: 'string' }, picture: { type: 'string' } } });
const complaints = [];
const violations = [];
const started = await browser();
let page;

const wide = async (view, name, options) => {
  const by = await view.evaluate((width) => document.documentElement.scrollWidth - width, options.viewport.width);
  if (by > 0) violations.push(`${name}: ${by} px wider than the window`);
};
const rest = async (method, query) => {
  const answer = await (await fetch(`${args.base}/rest/${method}?u=mira&p=${args.secret}&v=1.16.1&c=Pocket&f=json&${query}`)).json();
  assert(answer['subsonic-response'].status === 'ok', `${method} is answered`);
  return answer['subsonic-response'];
};

try {
  await visit();
  const desk = await context(started, looks['wide-light'], complaints);
  page = await desk.newPage();
  page.setDefaultTimeout(30000);
  await signIn(page, args.base, 'mira', 'correct horse battery');
  await share();
  await history();
  await elsewhere();
  await speakers();
  await people();
  await everybodysShares();
  await radio();
  await look(await desk.storageState());
  assert(complaints.length === 0, `no console message at all\n${complaints.join('\n')}`);
  assert(violations.length === 0, `axe finds nothing\n${violations.join('\n')}`);
} catch (failure) {
  if (page) await picture(page, 'failed-social').catch(() => {});
  console.error(`${page?.url()}\n${failure.stack}\ncomplaints:\n${complaints.join('\n')}\n${await page?.locator('body').innerText().catch(() => '')}`);
  process.exitCode = 1;
} finally {
  await started.close();
}

/** Without an account. */
async function visit() {
  for (const [how, options] of Object.entries(looks)) {
    const of = await context(started, options, complaints);
    page = await of.newPage();
    page.setDefaultTimeout(30000);
    await page.goto(args.share);
    await page.getByRole('heading', { level: 1, name: 'First Light' }).waitFor();
    await page.waitForLoadState('networkidle');
    assert(await page.locator('.hero img').evaluate((image) => image.naturalWidth > 100), 'the cover is shown');
    violations.push(...await accessible(page, `share ${how}`));
    await wide(page, `share ${how}`, options);
    await picture(page, `share-${how}`);
    if (how === 'wide-dark' || how === 'phone-dark') {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click();
      let heard = await listen(page);
      assert(heard.loudness > 0.01 && Math.abs(heard.pitch - 440) < 30, `a visitor hears the first track: ${JSON.stringify(heard)}`);
      assert(heard.format !== null, 'and not the original bytes');
      await page.getByRole('region', { name: 'Player' }).waitFor();
      await page.getByText('Light 2').first().click();
      heard = await listen(page);
      assert(heard.loudness > 0.01 && Math.abs(heard.pitch - 550) < 30, `and the one that was picked: ${JSON.stringify(heard)}`);
      const seek = page.getByRole('slider', { name: 'Position' });
      await seek.evaluate((range) => { range.value = '5'; range.dispatchEvent(new Event('input', { bubbles: true })); range.dispatchEvent(new Event('change', { bubbles: true })); });
      heard = await listen(page, 0.2);
      assert(heard.begin >= 4.5 && heard.loudness > 0.01, `from where it was put: ${JSON.stringify(heard)}`);
      violations.push(...await accessible(page, `share playing ${how}`));
      await picture(page, `share-playing-${how}`);
    }
    await of.close();
  }
  const of = await context(started, looks['phone-light'], complaints);
  page = await of.newPage();
  await page.goto(args.locked);
  await page.getByRole('heading', { name: 'This needs a password' }).waitFor();
  violations.push(...await accessible(page, 'locked share'));
  await picture(page, 'share-locked');
  const before = complaints.length;
  await page.getByLabel('Password', { exact: true }).fill('lime tree');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('alert').waitFor();
  // The browser itself reports the 401 of that page.
  assert(complaints.splice(before).every((one) => one.includes('401')), 'a wrong password is told');
  await page.getByLabel('Password', { exact: true }).fill('lemon tree');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('heading', { level: 1, name: 'First Light' }).waitFor();
  await page.getByRole('button', { name: 'Play', exact: true }).first().click();
  const heard = await listen(page);
  assert(heard.loudness > 0.01, `who knows the password hears: ${JSON.stringify(heard)}`);
  const gone = complaints.length;
  await page.goto(`${args.base}/s/${'a'.repeat(32)}`);
  await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
  assert(complaints.splice(gone).every((one) => one.includes('404')), 'what is not there says so');
  await picture(page, 'share-gone');
  await of.close();
}

async function share() {
  await page.getByRole('link', { name: 'Albums', exact: true }).first().click();
  await page.getByRole('link', { name: 'Second Sun', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Second Sun' }).waitFor();
  await page.locator('.actions').getByRole('button', { name: /More/ }).click();
  await page.getByRole('menuitem', { name: 'Share …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Share Second Sun' });
  await dialog.getByLabel('Words for who opens it').fill('Listen to this');
  await dialog.getByLabel('How long it opens').selectOption('week');
  violations.push(...await accessible(page, 'share dialog'));
  await picture(page, 'share-dialog');
  await dialog.getByRole('button', { name: 'Make a link' }).click();
  const link = await dialog.locator('code').innerText();
  assert(/\/s\/[a-z2-7]{32}$/.test(link), `a link is made: ${link}`);
  assert((await (await fetch(link)).text()).includes('Listen to this'), 'and it opens');
  await dialog.getByRole('link', { name: 'Shares' }).click();
  await page.getByRole('heading', { level: 1, name: 'Shares' }).waitFor();
  await page.locator('.shares li', { hasText: 'Second Sun' }).getByText('opened once').waitFor();
  await page.getByRole('button', { name: 'More for Second Sun' }).click();
  await page.getByRole('menuitem', { name: 'Change the terms' }).click();
  const terms = page.getByRole('dialog', { name: 'Change the terms' });
  await terms.getByLabel('Password', { exact: true }).fill('secret');
  await terms.getByLabel('They may keep the original files').check();
  violations.push(...await accessible(page, 'terms of a share'));
  await terms.getByRole('button', { name: 'Save' }).click();
  await page.getByText('with password · with download').waitFor();
  assert((await (await fetch(link)).text()).includes('type="password"'), 'now it asks for a password');
  await page.getByRole('button', { name: 'More for Second Sun' }).click();
  await page.getByRole('menuitem', { name: 'Revoke' }).click();
  await page.getByText('The link opens nothing any more').waitFor();
  assert((await fetch(link)).status === 404, 'a revoked link opens nothing');
}

async function history() {
  await page.getByRole('link', { name: 'History', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'History' }).waitFor();
  await page.getByRole('heading', { name: 'Artists heard most' }).waitFor();
  const listens = page.locator('.figures dd').first();
  const month = Number(await listens.innerText());
  await page.getByRole('button', { name: 'Week', exact: true }).click();
  await page.waitForFunction((was) => Number(document.querySelector('.figures dd')?.innerText) < was, month);
  await page.getByRole('button', { name: 'Year', exact: true }).click();
  await page.getByRole('heading', { name: 'Listens a month' }).waitFor();
  // It follows by itself when an app scrobbles.
  const rows = page.locator('.history li');
  await rows.nth(1).waitFor();
  const before = await rows.count();
  const song = (await rest('search3', 'query=Sun%201')).searchResult3.song[0];
  await rest('scrobble', `id=${song.id}`);
  await page.waitForFunction((was) => document.querySelectorAll('.history li').length > was, before);
  assert((await rows.first().innerText()).includes('Sun 1'), 'the last listen comes first, live');
}

async function elsewhere() {
  await page.getByRole('link', { name: 'Home', exact: true }).first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  const [one, two] = (await rest('search3', 'query=Light&songCount=5')).searchResult3.song.filter((each) => each.title !== 'Light 3').sort((a, b) => a.title.localeCompare(b.title));
  await rest('savePlayQueueByIndex', `id=${one.id}&id=${two.id}&currentIndex=1&position=2500`);
  const card = page.getByRole('region', { name: 'Playing elsewhere' });
  await card.waitFor();
  assert((await card.innerText()).includes('Light 2') && (await card.innerText()).includes('Pocket'), 'what another device plays is offered');
  violations.push(...await accessible(page, 'playing elsewhere'));
  await picture(page, 'elsewhere');
  await card.getByRole('button', { name: 'Continue here' }).click();
  const heard = await listen(page, 0.3);
  assert(heard.begin >= 2.4 && Math.abs(heard.pitch - 550) < 30, `it goes on where it was: ${JSON.stringify(heard)}`);
  await page.locator('main').focus();
  await page.keyboard.press('Space');
  const queue = await rest('getNowPlaying', '');
  assert(queue.nowPlaying.entry.some((each) => each.playerName === 'Web player' && each.title === 'Light 2'), 'the server knows what plays here');
}

async function speakers() {
  await page.getByRole('link', { name: 'Albums', exact: true }).first().click();
  await page.getByRole('link', { name: 'Second Sun', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Second Sun' }).waitFor();
  await page.locator('.actions').getByRole('button', { name: /More/ }).click();
  await page.getByRole('menuitem', { name: 'Play on the speakers' }).click();
  await page.getByText('2 tracks for the speakers').waitFor();
  await page.getByRole('link', { name: 'Speakers', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Speakers' }).waitFor();
  await page.getByRole('button', { name: 'Play on the speakers' }).click();
  await page.getByRole('button', { name: 'Pause the speakers' }).waitFor();
  // An app drives the same queue, and the page follows.
  await rest('jukeboxControl', 'action=skip&index=1');
  await page.locator('.box b', { hasText: 'Sun 2' }).waitFor();
  await rest('jukeboxControl', 'action=stop');
  await page.getByRole('button', { name: 'Play on the speakers' }).waitFor();
  violations.push(...await accessible(page, 'speakers'));
  await page.getByRole('button', { name: 'Take Sun 1 away' }).click();
  await page.getByRole('button', { name: 'Take Sun 1 away' }).waitFor({ state: 'detached' });
  assert((await rest('jukeboxControl', 'action=get')).jukeboxPlaylist.entry.length === 1, 'one queue for all');
}

async function people() {
  await page.getByRole('link', { name: 'Settings', exact: true }).first().click();
  await page.locator('#avatar').setInputFiles(args.picture);
  await page.locator('.avatar.l img').waitFor();
  await page.waitForFunction(() => document.querySelector('.avatar.l img').naturalWidth > 0);
  assert(true, 'a picture is chosen and shown');
  await page.getByRole('link', { name: 'Chat', exact: true }).first().click();
  await page.getByRole('textbox', { name: 'Say something' }).fill('Hello <everybody> & all');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Hello <everybody> & all').waitFor();
  await rest('addChatMessage', 'message=From%20an%20app');
  await page.getByText('From an app').waitFor();
  violations.push(...await accessible(page, 'chat'));
  await page.getByRole('link', { name: 'People and plans', exact: true }).first().click();
  await page.getByRole('button', { name: /mira/ }).first().click();
  await page.getByRole('menuitem', { name: 'Rights and limits' }).click();
  const dialog = page.getByRole('dialog', { name: 'What mira may do' });
  await dialog.getByLabel('Highest bitrate').selectOption('192');
  await dialog.getByLabel('Manage podcasts').check();
  violations.push(...await accessible(page, 'rights'));
  await picture(page, 'rights');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  const { user } = await rest('getUser', 'username=mira');
  assert(user.maxBitRate === 192 && user.podcastRole === true && user.shareRole === true, `apps see it: ${JSON.stringify(user)}`);
}

/** What an administrator sees of all shares: whose, and the end of one. */
async function everybodysShares() {
  await page.getByRole('link', { name: "Everybody's shares", exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: "Everybody's shares" }).waitFor();
  const rows = page.locator('main .list li');
  await rows.nth(1).waitFor();
  const before = await rows.count();
  assert(before >= 2, `there are the two that visitors opened: ${before}`);
  violations.push(...await accessible(page, 'all shares'));
  await picture(page, 'all-shares');
  await rows.filter({ hasText: 'with password' }).first().getByRole('button', { name: /Revoke/ }).click();
  await page.getByText('The link opens nothing any more').waitFor();
  await page.waitForFunction((count) => document.querySelectorAll('main .list li').length === count - 1, before);
  assert((await fetch(args.locked)).status === 404, 'what was revoked opens nothing');
}

/** Music that goes with an album, played on and on. */
async function radio() {
  await page.getByRole('link', { name: 'Albums', exact: true }).first().click();
  await page.getByRole('link', { name: 'First Light', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'First Light' }).waitFor();
  await page.locator('.actions').getByRole('button', { name: /More/ }).click();
  await page.getByRole('menuitem', { name: 'Play similar music' }).click();
  const heard = await listen(page);
  assert(heard.loudness > 0.01, `it plays at once: ${JSON.stringify(heard)}`);
  const button = page.getByRole('button', { name: 'Queue', exact: true }).first();
  if (await button.getAttribute('aria-pressed') !== 'true') await button.click();
  const queue = page.getByRole('complementary', { name: 'Queue' });
  await queue.getByText('Radio: First Light').waitFor();
  await queue.getByText(/^Sun \d$/).first().waitFor();
  assert(await queue.getByText(/^Sun \d$/).count() > 0, `and goes on to other albums: ${await queue.innerText()}`);
  violations.push(...await accessible(page, 'radio'));
  await picture(page, 'radio');
}

/** The screens in every look, for people to look at. */
async function look(state) {
  const screens = { history: '/history', shares: '/shares', speakers: '/speakers', chat: '/chat', settings: '/settings', everybodysShares: '/server/shares' };
  for (const [how, options] of Object.entries(looks)) {
    const of = await context(started, { ...options, storageState: state }, complaints);
    const view = await of.newPage();
    for (const [screen, path] of Object.entries(screens)) {
      await view.goto(args.base + path);
      await view.locator('main h1').first().waitFor();
      await view.waitForLoadState('networkidle');
      violations.push(...await accessible(view, `${screen} ${how}`));
      await wide(view, `${screen} ${how}`, options);
      await picture(view, `social-${screen}-${how}`);
    }
    await of.close();
  }
}
