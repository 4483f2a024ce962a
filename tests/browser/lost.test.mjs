// What the server does not take, and documents that go away: no text is lost, and no page stays behind.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { pilcrow, run, temporaryDirectory } from '../lib/server.mjs';
import { agreed, goToLine, house, isInState, isSaved, put, served, shown, until } from './browser.mjs';

const permissions = ['clipboard-read', 'clipboard-write'];
const remove = (server, path) => fetch(`${server.url}/v1/docs/${path}`, { method: 'DELETE' }).then(answer => assert.equal(answer.status, 204));

// The text that a page offers after a refusal; there is one such offer.
async function offered(page) {
  await page.click('[data-kind=refused] >> text=Copy my text');
  await page.waitForFunction(() => document.querySelector('#toast').textContent === 'Your text is on the clipboard');
  return page.evaluate(() => navigator.clipboard.readText());
}

// The line between a page and the server, in the hands of the test: answer(message) gives an answer in the server's place,
// and while isHeld(message) the server's messages wait.
class Line {
  answer = () => null;
  isHeld = () => false;
  waiting = [];

  prepare = page =>
    page.routeWebSocket(/\/v1\/ws/, socket => {
      const server = socket.connectToServer();

      this.socket = socket;
      socket.onMessage(text => {
        const answer = this.answer(JSON.parse(text));

        if (answer) socket.send(JSON.stringify(answer));
        else server.send(text);
      });
      server.onMessage(text => (this.waiting.length > 0 || this.isHeld(JSON.parse(text)) ? this.waiting.push(text) : socket.send(text)));
    });

  refuseOnce(code) {
    this.answer = message => {
      if (message.a !== 'op') return null;
      this.answer = () => null;
      return { ...message, error: { code, message: 'Not today' } };
    };
  }

  release() {
    this.isHeld = () => false;
    for (const text of this.waiting.splice(0)) this.socket.send(text);
  }
}

test('what is refused later does not push out what was refused before', async t => {
  const { server, open } = await house(t, { server: { args: ['--max-document', '1K'] }, permissions });
  const filling = 'x'.repeat(1000);

  await put(server, 'notes/full', `one:\ntwo:\n${filling}`);
  const page = await open('notes/full');

  for (const [line, text] of [
    [1, ' first refused text 😀'],
    [2, ' second refused text'],
    [1, ' and a third refused text'],
  ]) {
    await goToLine(page, line);
    await page.keyboard.insertText(text);
    await until(async () => !(await shown(page)).includes(text), 'it is taken back');
    await page.waitForSelector('[data-kind=refused]');
  }
  await goToLine(page, 1);
  await page.keyboard.type('!');
  await isSaved(page);
  assert.equal(await shown(page), `one:!\ntwo:\n${filling}`);
  assert.equal(await page.locator('[data-kind=refused]').count(), 1);
  assert.equal(await offered(page), `one: first refused text 😀 and a third refused text!\ntwo: second refused text\n${filling}`);
  await page.click('[data-kind=refused] >> text=Dismiss');
  assert.equal(await page.locator('[data-kind=refused]').count(), 0);
  assert.equal(await agreed(server, 'notes/full', page), `one:!\ntwo:\n${filling}`);
});

// The second is a refusal that the client does not tell.
for (const code of ['ERR_LIMIT_EXCEEDED', 'ERR_OP_SUBMIT_REJECTED'])
  test(`what is typed while the document is fetched afresh is offered: ${code}`, async t => {
    const line = new Line();
    const { server, open } = await house(t, { permissions, complaints: /Not today/ });

    await put(server, 'notes/afresh', 'one\ntwo');
    const page = await open('notes/afresh', { prepare: line.prepare });
    const other = await open('notes/afresh');

    line.isHeld = message => message.a === 'f';
    line.refuseOnce(code);
    await goToLine(page, 1);
    await page.keyboard.press('Backspace'); // the client can't take a deletion back by itself
    await until(() => line.waiting.length > 0, 'it fetches the document');
    await goToLine(page, 2);
    await page.keyboard.type(' typed meanwhile');
    assert.notEqual(await page.getAttribute('#status', 'data-state'), 'saved');
    line.release();
    await page.waitForSelector('[data-kind=refused]');
    assert.equal(await shown(page), 'one\ntwo');
    await goToLine(page, 2);
    await page.keyboard.type('!');
    assert.equal(await agreed(server, 'notes/afresh', page, other), 'one\ntwo!');
    assert.match(await offered(page), /^on\ntwo typed meanwhile!?$/m);
  });

test('a document deleted under unsent edits is said to be deleted, and comes back with them', async t => {
  const line = new Line();
  const { server, open } = await house(t);

  await put(server, 'notes/under', 'before');
  const [one, two] = [await open('notes/under', { prepare: line.prepare }), await open('notes/under')];

  line.isHeld = () => true;
  await goToLine(one, 1);
  await one.keyboard.type(' and');
  await until(async () => (await served(server, 'notes/under')) !== 'before', 'the first edit is there');
  await one.keyboard.type(' after');
  await remove(server, 'notes/under');
  await isInState(two, 'deleted');
  line.release();
  await isInState(one, 'deleted');
  assert.equal(await shown(one), 'before and after');
  await one.click('text=Bring it back');
  assert.equal(await agreed(server, 'notes/under', one, two), 'before and after');
});

test('two people bring a document back at the same moment', async t => {
  const { server, open } = await house(t);

  await put(server, 'notes/twice', 'still here');
  const pages = [await open('notes/twice'), await open('notes/twice')];

  for (let round = 0; round < 6; round++) {
    const text = await agreed(server, 'notes/twice', ...pages);

    await remove(server, 'notes/twice');
    await Promise.all(pages.map(page => isInState(page, 'deleted')));
    // Pressing twice is once too often, and no more.
    await Promise.all(pages.map(page => page.$eval('[data-kind=deleted] button', (button, n) => Array.from({ length: n }, () => button.click()), 1 + (round % 2))));
    assert.equal(await agreed(server, 'notes/twice', ...pages), text);
    for (const page of pages) {
      assert.equal(await page.locator('.notice').count(), 0);
      await page.focus('.cm-content');
      await page.keyboard.press('Control+End');
      await page.keyboard.type(`${round}`);
    }
  }
  assert.match(await agreed(server, 'notes/twice', ...pages), /^still here(\d\d){6}$/);
});

test('a document begun anew by somebody else takes no text away', async t => {
  const { server, open } = await house(t, { permissions });

  await put(server, 'notes/anew', 'mine');
  const page = await open('notes/anew');

  await remove(server, 'notes/anew');
  await isInState(page, 'deleted');
  await put(server, 'notes/anew', 'theirs');
  assert.equal(await agreed(server, 'notes/anew', page), 'theirs');
  assert.equal(await offered(page), 'mine');
});

test('a server that is set back to a backup takes no text away', async t => {
  const { server, open } = await house(t, { permissions });
  const backup = join(temporaryDirectory(t), 'backup');

  await put(server, 'notes/back', 'kept');
  assert.equal((await run(pilcrow, ['--data', server.data, 'backup', backup])).code, 0);
  const page = await open('notes/back');

  await goToLine(page, 1);
  await page.keyboard.type(' and lost');
  await isSaved(page);
  await server.kill();
  server.data = backup;
  await server.restart();
  await page.waitForSelector('[data-kind=refused]');
  assert.equal(await agreed(server, 'notes/back', page), 'kept');
  assert.equal(await offered(page), 'kept and lost');
  await goToLine(page, 1);
  await page.keyboard.type('!');
  assert.equal(await agreed(server, 'notes/back', page), 'kept!');
});

test('a document that was purged and begun anew while the page was away takes no text away', async t => {
  const { server, open } = await house(t, { permissions });

  await put(server, 'notes/purged', 'mine');
  const page = await open('notes/purged');
  const { port } = server;

  await server.kill();
  await isInState(page, 'offline');
  await goToLine(page, 1);
  await page.keyboard.type(' and unsent');
  server.port = 0; // where the page does not look
  await server.restart();
  await remove(server, 'notes/purged?purge=true');
  await put(server, 'notes/purged', 'theirs');
  await server.kill();
  server.port = port;
  await server.restart();
  await until(async () => (await shown(page)) === 'theirs', 'it shows what the server has');
  assert.equal(await agreed(server, 'notes/purged', page), 'theirs');
  assert.equal(await offered(page), 'mine and unsent');
});
