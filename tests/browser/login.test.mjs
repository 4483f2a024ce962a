// A server with tokens: the page asks for one when it has to, and nothing that was written is lost meanwhile.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryDirectory } from '../lib/server.mjs';
import { goToLine, house, isInState, isSaved, picture, put, served, shown, status, until } from './browser.mjs';

const sha256 = secret => `sha256:${createHash('sha256').update(secret).digest('hex')}`;
const bearer = secret => ({ Authorization: `Bearer ${secret}` });
const permissions = ['clipboard-read', 'clipboard-write'];

// Who has which secrets and may do what: { ink: [['read', 'write'], 'secret'] }.
function writeTokens(path, principals) {
  const list = Object.entries(principals).map(([name, [rights, ...secrets]]) => ({ name, rights, secrets: secrets.map(sha256) }));

  writeFileSync(path, JSON.stringify({ principals: list }), { mode: 0o600 });
}

const everybody = { ink: [['read', 'write'], 'ink-one', 'ink-two'], paper: [['read', 'write'], 'paper-one'], reader: [['read'], 'reader-one'] };

async function lockedHouse(t) {
  const tokens = join(temporaryDirectory(t), 'tokens.json');

  writeTokens(tokens, everybody);
  const rooms = await house(t, { server: { args: ['--tokens', tokens] }, complaints: /401/, permissions });

  return {
    ...rooms,
    // From now on only these are known.
    allow: principals => {
      writeTokens(tokens, principals);
      rooms.server.child.kill('SIGHUP');
    },
  };
}

async function logIn(page, secret, { isStaying = false } = {}) {
  await page.waitForSelector('#login[open]');
  await page.fill('#login input[type=password]', secret);
  if (isStaying) await page.check('#login input[type=checkbox]');
  await page.click('#login button');
}

async function enter({ visit }, path, secret) {
  const page = await visit(`/d/${path}`);

  await logIn(page, secret);
  await isSaved(page);
  return page;
}

test('the page asks for a token, says when it is wrong, and remembers it for the window or for the browser', async t => {
  const { server, visit } = await lockedHouse(t);

  await put(server, 'notes/a', 'text', bearer('ink-one'));
  const page = await visit('/');

  await page.waitForSelector('#login[open]');
  await picture(page, 'login');
  await logIn(page, 'nobody’s');
  await page.waitForSelector('#login .fault:text("does not know this token")');
  await logIn(page, 'ink-three');
  await page.waitForSelector('#login .fault:text("does not know this token")');
  await logIn(page, 'ink-one');
  await page.waitForSelector('#login', { state: 'hidden' });
  await page.click('#all-list >> text=a');
  await isSaved(page);
  assert.equal(await shown(page), 'text');
  assert.equal(await page.textContent('#name-label'), 'ink');
  await page.focus('.cm-content');
  await page.keyboard.type('My ');
  await isSaved(page);
  assert.equal(await served(server, 'notes/a', bearer('ink-two')), 'My text');
  const other = await page.context().newPage();

  await other.goto(page.url());
  await logIn(other, 'paper-one', { isStaying: true });
  await isSaved(other);
  await page.waitForSelector('.caret span:text("paper")', { state: 'attached' });
  const third = await page.context().newPage();

  await third.goto(page.url());
  await isSaved(third);
  assert.equal(await third.textContent('#name-label'), 'paper');
  await third.click('[popovertarget=menu]');
  await third.click('#logout');
  await third.waitForSelector('#login[open]');
  assert.equal(await third.evaluate(() => localStorage.getItem('pilcrow.token')), null);
});

test('who may not write reads along, and the page says so', async t => {
  const rooms = await lockedHouse(t);
  const ink = await enter(rooms, 'notes/read', 'ink-one');

  await ink.focus('.cm-content');
  await ink.keyboard.type('one');
  await isSaved(ink);
  const reader = await enter(rooms, 'notes/read', 'reader-one');

  await reader.waitForSelector('[data-kind=reading]');
  await picture(reader, 'reading');
  await reader.focus('.cm-content');
  await reader.keyboard.type('no');
  await ink.keyboard.type(' two');
  await until(async () => (await shown(reader)) === 'one two', 'it reads along');
  await ink.waitForSelector('.caret span:text("reader")', { state: 'attached' });
  assert.equal(await status(reader), 'Saved');
  rooms.allow({ ...everybody, reader: [['read', 'write'], 'reader-one'] });
  await reader.reload();
  await isSaved(reader);
  assert.equal(await reader.locator('.notice').count(), 0);
});

test('a token that is taken away is asked for again; with another of the same account all goes on', async t => {
  const rooms = await lockedHouse(t);
  const page = await enter(rooms, 'notes/again', 'ink-one');

  await page.focus('.cm-content');
  await page.keyboard.type('before');
  await isSaved(page);
  await rooms.server.kill();
  await isInState(page, 'offline');
  await page.keyboard.type(' meanwhile');
  rooms.allow({ ink: [['read', 'write'], 'ink-two'] });
  await rooms.server.restart();
  await page.waitForSelector('#login[open]');
  await page.keyboard.press('Escape');
  await isInState(page, 'locked');
  assert.match(await status(page), /^Not logged in — \d+ edits waiting$/);
  await picture(page, 'locked');
  await goToLine(page, 1);
  await page.keyboard.type(' and after');
  await page.click('#retry');
  await logIn(page, 'ink-two');
  await isSaved(page);
  assert.equal(await served(rooms.server, 'notes/again', bearer('ink-two')), 'before meanwhile and after');
  assert.equal(await page.locator('.notice').count(), 0);
});

test('with the token of another account, nothing that waited is lost', async t => {
  const rooms = await lockedHouse(t);
  const page = await enter(rooms, 'notes/other', 'ink-one');

  await page.focus('.cm-content');
  await page.keyboard.type('before');
  await isSaved(page);
  await rooms.server.kill();
  await isInState(page, 'offline');
  await page.keyboard.type(' meanwhile');
  rooms.allow({ paper: [['read', 'write'], 'paper-one'] });
  await rooms.server.restart();
  await logIn(page, 'paper-one');
  await isSaved(page);
  if ((await shown(page)) !== 'before meanwhile') {
    await page.click('[data-kind=refused] >> text=Copy my text');
    await page.waitForFunction(() => document.querySelector('#toast').textContent === 'Your text is on the clipboard');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'before meanwhile');
  }
  assert.equal(await page.textContent('#name-label'), 'paper');
  await goToLine(page, 1);
  await page.keyboard.type('!');
  await isSaved(page);
  assert.match(await served(rooms.server, 'notes/other', bearer('paper-one')), /^before( meanwhile)?!$/);
});

test('a line that is closed because the token is known no more', async t => {
  const rooms = await lockedHouse(t);
  const page = await enter(rooms, 'notes/closed', 'ink-one');

  await page.focus('.cm-content');
  await page.keyboard.type('text');
  await isSaved(page);
  rooms.allow({ ink: [['read', 'write'], 'ink-two'] });
  await page.waitForSelector('#login[open] .fault:text("any more")');
  await logIn(page, 'ink-two');
  await isSaved(page);
  await page.focus('.cm-content');
  await page.keyboard.type('!');
  await isSaved(page);
  assert.equal(await served(rooms.server, 'notes/closed', bearer('ink-two')), 'text!');
});
