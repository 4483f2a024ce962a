// The pages themselves: beginning, names, keys, looks.
import assert from 'node:assert/strict';
import test from 'node:test';
import { agreed, goToLine, house, isSaved, picture, put, served } from './browser.mjs';

const essay = `# Field notes, Saturday market

Stalls open at seven. The **apple woman** has the first russets; ask her about
the _old orchard_ behind the mill. She says the trees are older than the road.

## To bring

- a basket with a lid, and the small scale
- coins; nobody changes a note before nine
- the list in \`recipes/apple-pie\`

> A market is a town that takes itself down at noon.

Photographs go to everyone who was there.
`;

test('a new document has an address that nobody guesses, and is found again', async t => {
  const { server, visit } = await house(t);
  const page = await visit('/');
  const ids = new Set();

  for (let i = 0; i < 2; i++) {
    await page.goto(server.url);
    await page.click('#create');
    await isSaved(page);
    ids.add(new URL(page.url()).pathname);
  }
  assert.equal(ids.size, 2);
  for (const id of ids) assert.match(id, /^\/d\/notes\/[0-9a-z]{25}$/);
  await page.focus('.cm-content');
  await page.keyboard.type('Shopping on Tuesday');
  await isSaved(page);
  await page.waitForTimeout(400);
  await page.click('.home');
  await page.click('#recent-list >> text=Shopping on Tuesday');
  await isSaved(page);
  assert.ok(ids.has(new URL(page.url()).pathname));
});

test('a document is opened by its name, whatever characters that has', async t => {
  const { server, visit } = await house(t);
  const page = await visit('/');

  for (const name of ['groceries', 'recipes/apple pie', 'notes/ä?#%2F&=+/b', 'notes/😀']) {
    await page.goto(server.url);
    await page.fill('#name', name);
    await page.click('#open button');
    await isSaved(page);
    const [collection, ...id] = name.includes('/') ? name.split('/') : ['notes', name];
    const path = `${encodeURIComponent(collection)}/${encodeURIComponent(id.join('/'))}`;

    await page.focus('.cm-content');
    await page.keyboard.insertText(name);
    await isSaved(page);
    assert.equal(await served(server, path), name);
  }
  await page.goto(server.url);
  await page.fill('#name', '/');
  await page.click('#open button');
  assert.equal(new URL(page.url()).pathname, '/');
});

test('the list shows the collection, by pages and by beginning', async t => {
  const { server, visit } = await house(t);

  for (let i = 0; i < 60; i++) await put(server, `notes/item-${String(i).padStart(2, '0')}`, `text ${i}`);
  await put(server, 'notes/other', 'text');
  const page = await visit('/');

  await page.waitForSelector('#all-list li');
  assert.equal(await page.locator('#all-list li').count(), 50);
  await page.click('#all-more');
  await page.waitForSelector('#all-list >> text=other');
  assert.equal(await page.locator('#all-list li').count(), 61);
  assert.ok(await page.isHidden('#all-more'));
  await page.fill('#filter', 'oth');
  await page.waitForFunction(() => document.querySelectorAll('#all-list li').length === 1);
});

test('one’s name is kept and goes to the server', async t => {
  const { open } = await house(t);
  const page = await open('notes/named');
  const addresses = [];

  page.on('websocket', socket => addresses.push(new URL(socket.url())));
  await page.click('#name-button');
  await page.fill('#name-input', 'Zoë & Co.');
  await page.click('#name-dialog button[value=save]');
  await page.waitForFunction(() => document.querySelector('#name-label').textContent === 'Zoë & Co.');
  await isSaved(page);
  await page.click('#name-button');
  await page.fill('#name-input', 'Nobody');
  await page.$eval('#name-dialog', dialog => dialog.close()); // as Escape does it in Firefox and Safari
  await page.reload();
  await isSaved(page);
  assert.equal(await page.textContent('#name-label'), 'Zoë & Co.');
  assert.equal(addresses.length, 2);
  for (const address of addresses) assert.equal(address.searchParams.get('name'), 'Zoë & Co.');
});

test('the keyboard reaches everything and is never trapped', async t => {
  const { open } = await house(t);
  const page = await open('notes/keys');
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);

  await page.focus('.cm-content');
  await page.keyboard.press('Tab');
  assert.match(await focused(), /cm-content/); // indents
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'help-button');
  await page.keyboard.press('Shift+Tab');
  assert.match(await focused(), /cm-content/);
  await page.keyboard.press('Control+f');
  await page.waitForSelector('.cm-search');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.cm-search', { state: 'detached' });
  assert.match(await focused(), /cm-content/);
  for (const keys of ['F1', 'Control+/']) {
    await page.keyboard.press(keys);
    await page.waitForSelector('#help[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('#help[open]', { state: 'detached' });
  }
  await page.evaluate(() => document.activeElement.blur());
  await page.reload();
  await isSaved(page);
  await page.evaluate(() => document.querySelector('.skip').focus());
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
});

test('both pages are named, labelled and marked out for screen readers', async t => {
  const { open, visit } = await house(t);

  for (const page of [await open('notes/labels'), await visit('/')]) {
    const faults = await page.evaluate(() => {
      const named = element =>
        element.getAttribute('aria-label') || element.labels?.[0]?.textContent.trim() || element.textContent.trim() || element.title;
      const faults = [...document.querySelectorAll('button, a, input, [role=textbox]')].filter(element => !named(element)).map(element => element.outerHTML);
      const ids = [...document.querySelectorAll('[id]')].map(element => element.id);

      for (const landmark of ['header', 'main', 'footer', 'h1', 'html[lang]', 'title'])
        if (document.querySelectorAll(landmark).length !== 1) faults.push(`not exactly one ${landmark}`);
      if (new Set(ids).size !== ids.length) faults.push('an id twice');
      return faults;
    });

    assert.deepEqual(faults, []);
  }
});

test('the content policy is strict, and assets are cached for ever', async t => {
  const { server, open } = await house(t);

  for (const path of ['/', '/d/notes/policy']) {
    const answer = await fetch(server.url + path);
    const policy = answer.headers.get('Content-Security-Policy');

    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.doesNotMatch(await answer.text(), /__CSP_NONCE__|<script>|<style|onclick=|style="/);
  }
  const page = await open('notes/policy');
  const assets = await page.evaluate(() => performance.getEntriesByType('resource').map(entry => entry.name).filter(name => name.includes('/assets/')));

  assert.ok(assets.length >= 3);
  for (const asset of assets) {
    const answer = await fetch(asset);

    assert.match(answer.headers.get('Cache-Control'), /immutable/);
    if (/\.(js|css)$/.test(asset)) assert.equal(answer.headers.get('Content-Encoding'), 'gzip');
  }
});

for (const [device, viewport] of [
  ['desktop', { width: 1280, height: 800 }],
  ['phone', { width: 390, height: 844 }],
  ['narrow', { width: 320, height: 568 }],
])
  for (const colorScheme of ['light', 'dark'])
    test(`nothing sticks out: ${device}, ${colorScheme}`, async t => {
      const { server, open, visit } = await house(t, { viewport, colorScheme, name: 'ink', hasTouch: device !== 'desktop' });
      const fits = page => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth);

      await put(server, 'notes/market', essay);
      await put(server, 'notes/long', 'x'.repeat(3000));
      const page = await open('notes/market');

      await picture(page, `editor-${device}-${colorScheme}`);
      assert.ok(await fits(page));
      await page.click('[popovertarget=menu]');
      await picture(page, `menu-${device}-${colorScheme}`);
      const menu = await page.locator('#menu').boundingBox();

      assert.ok(menu.x >= 0 && menu.x + menu.width <= viewport.width);
      await page.goto(`${server.url}/d/notes/long`);
      await isSaved(page);
      assert.ok(await fits(page));
      const start = await visit('/');

      await start.waitForSelector('#all-list li');
      await picture(start, `start-${device}-${colorScheme}`);
      assert.ok(await fits(start));
    });

test('a chosen theme outlives the visit', async t => {
  const { open } = await house(t, { colorScheme: 'light' });
  const page = await open('notes/theme');
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();

  await page.click('[popovertarget=menu]');
  await page.click('text=Dark');
  const dark = await paper();

  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await paper(), dark);
});

test('two pages side by side, for the eye', async t => {
  const { server, open } = await house(t, { viewport: { width: 1280, height: 800 }, colorScheme: 'light' });

  await put(server, 'notes/market', essay);
  const [one, two] = [await open('notes/market', { name: 'ink' }), await open('notes/market', { name: 'paper' })];

  await goToLine(two, 3);
  await two.keyboard.type(' It rains.');
  await agreed(server, 'notes/market', one, two);
  await picture(one, 'screenshot');
});
