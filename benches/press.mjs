// Press to sound in the panel: milliseconds from a click on a track to the first moment at which
// the element has moved on by itself, in Chromium. Prints the median and the 95th percentile.
// usage: node benches/press.mjs BASE USER PASSWORD TURNS
import { browser, context } from '../tests/web/browser.mjs';

const [base, user, password, turns = '20'] = process.argv.slice(2);
const chromium = await browser();
const complaints = [];
const page = await (await context(chromium, { viewport: { width: 1440, height: 900 } }, complaints)).newPage();
page.setDefaultTimeout(120_000);
await page.goto(base);
await page.getByLabel('User name').fill(user);
await page.getByLabel('Password', { exact: true }).fill(password);
await page.getByRole('button', { name: 'Sign in' }).click();
await page.getByRole('navigation', { name: 'Main' }).first().waitFor();
await page.getByRole('link', { name: 'Albums', exact: true }).first().click();
await page.locator('main a[href^="/album/"]').first().waitFor();
const albums = await page.locator('main a[href^="/album/"]').evaluateAll((links) => [...new Set(links.map((link) => link.href))]);

const times = [];
for (let turn = 0; turn < Number(turns); turn += 1) {
  await page.goto(albums[turn % albums.length]);
  const button = page.locator('main').getByRole('button', { name: /^Play / }).first();
  await button.waitFor();
  // Sound has begun when time goes on; the press is the click itself.
  const heard = page.evaluate(async () => {
    const main = document.querySelector('script[type=module][src$="/app/main.js"]').src;
    const engine = await import(new URL('player/engine.js', main));
    return new Promise((done) => {
      let pressed;
      addEventListener('click', () => { pressed = performance.now(); }, { capture: true, once: true });
      const look = () => {
        const element = engine.element();
        const plays = pressed && !element.paused && element.currentTime > 0 && element.readyState >= 3;
        if (plays) done(performance.now() - pressed - element.currentTime * 1000);
        else requestAnimationFrame(look);
      };
      look();
    });
  });
  await page.waitForTimeout(100);
  await button.click();
  times.push(await heard);
  await page.waitForTimeout(300);
}
times.sort((one, other) => one - other);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(0);
console.log(`median ${at(0.5)} p95 ${at(0.95)} of ${times.length}`);
await chromium.close();
