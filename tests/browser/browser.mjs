// Real pages in Debian's Chromium, and what the tests ask of them. It is the build that has no windows: the same engine, for
// three quarters of the time; CHROMIUM names another.
//
//   const { server, open } = await house(t);      a server of one's own, and the browser that the tests of a file share
//   const page = await open('notes/n1');          a page of that document in a window of its own, ready to be written in
//
// A page that complains (an error on its console, an exception, a breach of the content policy) fails its test.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { pilcrow, run, startServer } from '../lib/server.mjs';

const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium-headless-shell';
// What Chromium is to do without. It takes the last list that it is given, so what Playwright wants is in here, too. The
// popups are those of the address bar: two pages that are loaded with every window, at twice the cost of one of ours.
const WITHOUT = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'BoundaryEventDispatchTracksNodeRemoval',
  'DestroyProfileOnBrowserClose',
  'GlobalMediaControls',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'OptimizationHints',
  'PaintHolding',
  'RenderDocument',
  'ThirdPartyStoragePartitioning',
  'Translate',
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxPopup',
];
const ARGS = [
  `--disable-features=${WITHOUT.join()}`,
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const TIMEOUT_MS = 30_000;

// options: what newContext takes; name: the person's name; complaints: messages that are expected; prepare(page): what is to
// be done before the page is loaded.
export async function house(t, { server: serverOptions, ...defaults } = {}) {
  const server = await startServer(t, serverOptions);
  const browser = await launch();

  return {
    server,
    browser,
    open: (path, options) => openDocument(t, browser, server, path, { ...defaults, ...options }),
    visit: (path, options) => visit(t, browser, `${server.url}${path}`, { ...defaults, ...options }),
  };
}

let shared = null;

export const launch = () => (shared ??= chromium.launch({ executablePath: CHROMIUM, args: ARGS }));

after(async () => (await shared)?.close());

async function openDocument(t, browser, server, path, options) {
  const page = await visit(t, browser, `${server.url}/d/${path}`, options);

  await isSaved(page);
  return page;
}

// A page in a window with storage of its own, which goes with the test, or in the `context` given. page.complaints gathers
// what goes wrong in it.
export async function visit(t, browser, url, { name, complaints = /^$/, prepare = () => {}, context, ...contextOptions } = {}) {
  const own = context ? null : await browser.newContext({ viewport: { width: 1280, height: 800 }, ...contextOptions });
  const page = await (context ?? own).newPage();

  page.setDefaultTimeout(TIMEOUT_MS);
  page.complaints = [];
  page.on('pageerror', error => page.complaints.push(error.message));
  page.on('console', message => message.type() === 'error' && page.complaints.push(message.text()));
  if (name) await page.addInitScript(name => localStorage.getItem('pilcrow.name') ?? localStorage.setItem('pilcrow.name', name), name);
  await prepare(page);
  await page.goto(url);
  t.after(async () => {
    await own?.close();
    assert.deepEqual(page.complaints.filter(text => !complaints.test(text) && !isLineBroken(text)), [], url);
  });
  return page;
}

// The browser reports every attempt to reach a server that is down.
const isLineBroken = text => /WebSocket connection to .* failed|net::ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET)/.test(text);

export const state = page => page.getAttribute('#status', 'data-state');
export const status = page => page.textContent('#status-text');
export const isInState = (page, name) => page.waitForSelector(`#status[data-state="${name}"]`);
export const isSaved = page => isInState(page, 'saved');

// The text as the page shows it; complete as long as all of it is near the window.
export function shown(page) {
  return page.evaluate(() => {
    const lines = [...document.querySelectorAll('.cm-line')];

    return lines.map(line => (line.querySelector('.cm-placeholder') ? '' : line.textContent)).join('\n');
  });
}

export async function served(server, path, headers = {}) {
  const answer = await fetch(`${server.url}/v1/docs/${path}`, { headers });

  assert.equal(answer.status, 200);
  return answer.text();
}

export async function put(server, path, text, headers = {}) {
  const answer = await fetch(`${server.url}/v1/docs/${path}`, { method: 'PUT', body: text, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers } });

  assert.equal(answer.status, 201);
}

// All pages saved, all showing one text, and the server serving that text. Returns it.
export async function agreed(server, path, ...pages) {
  const deadline = Date.now() + TIMEOUT_MS;

  for (;;) {
    for (const page of pages) await isSaved(page);
    const texts = [await served(server, path), ...(await Promise.all(pages.map(shown)))];

    if (texts.every(text => text === texts[0])) {
      assert.equal((await run(pilcrow, ['--server', server.url, 'cat', path])).stdout, texts[0], 'pilcrow cat');
      return texts[0];
    }
    if (Date.now() > deadline) assert.deepEqual(texts, texts.map(() => texts[0]));
    await new Promise(done => setTimeout(done, 50));
  }
}

export async function until(condition, what) {
  const deadline = Date.now() + TIMEOUT_MS;

  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within ${TIMEOUT_MS} ms: ${what}`);
    await new Promise(done => setTimeout(done, 50));
  }
}

// The caret to the end of a line (counted from 1).
export async function goToLine(page, line) {
  await page.focus('.cm-content');
  await page.keyboard.press('Control+Home');
  for (let i = 1; i < line; i++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
}

// Pictures to look at, where PILCROW_SCREENSHOTS says; otherwise none.
export async function picture(page, name) {
  const folder = process.env.PILCROW_SCREENSHOTS;

  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
