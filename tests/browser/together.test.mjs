// Two people, one document, also while the server goes away under them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { agreed, goToLine, house, isInState, isSaved, picture, put, shown, state, status, until } from './browser.mjs';

const sentence = (who, n) => Array.from({ length: n }, (_, i) => ` ${who}${i}`).join('');

test('two pages type into one document at the same time', async t => {
  const { server, open } = await house(t);

  await put(server, 'notes/both', 'one:\n\ntwo:\n');
  const [one, two] = [await open('notes/both'), await open('notes/both')];

  await goToLine(one, 1);
  await goToLine(two, 3);
  await Promise.all([
    one.keyboard.type(sentence('a', 40), { delay: 6 }),
    two.keyboard.type(sentence('b', 40), { delay: 7 }),
  ]);
  assert.equal(await agreed(server, 'notes/both', one, two), `one:${sentence('a', 40)}\n\ntwo:${sentence('b', 40)}\n`);
  assert.equal(await status(one), 'Saved');
});

test('two pages type into one line', async t => {
  const { server, open } = await house(t);
  const [one, two] = [await open('notes/line'), await open('notes/line')];

  await Promise.all([one.focus('.cm-content'), two.focus('.cm-content')]);
  await Promise.all([one.keyboard.type('x'.repeat(60), { delay: 4 }), two.keyboard.type('o'.repeat(60), { delay: 5 })]);
  const text = await agreed(server, 'notes/line', one, two);

  assert.equal([...text].sort().join(''), 'o'.repeat(60) + 'x'.repeat(60));
});

test('the server is killed and comes back while both type', async t => {
  const { server, open } = await house(t);

  await put(server, 'notes/killed', 'one:\n\ntwo:\n');
  const [one, two] = [await open('notes/killed'), await open('notes/killed')];
  const kills = async () => {
    for (let i = 0; i < 3; i++) {
      await new Promise(done => setTimeout(done, 600));
      await server.kill();
      await new Promise(done => setTimeout(done, 300));
      await server.restart();
    }
  };

  await goToLine(one, 1);
  await goToLine(two, 3);
  await Promise.all([
    one.keyboard.type(sentence('a', 120), { delay: 8 }),
    two.keyboard.type(sentence('b', 120), { delay: 9 }),
    kills(),
  ]);
  assert.equal(await agreed(server, 'notes/killed', one, two), `one:${sentence('a', 120)}\n\ntwo:${sentence('b', 120)}\n`);
  await picture(one, 'together');
});

test('what is written off line arrives afterwards, and the page says how it stands', async t => {
  const { server, open } = await house(t);

  await put(server, 'notes/offline', 'one:\ntwo:');
  const [one, two] = [await open('notes/offline'), await open('notes/offline')];

  await server.kill();
  await Promise.all([isInState(one, 'offline'), isInState(two, 'offline')]);
  assert.equal(await status(one), 'Offline');
  await goToLine(one, 1);
  await one.keyboard.type(' off');
  await goToLine(two, 2);
  await two.keyboard.type(' 😀');
  assert.match(await status(one), /^Offline — 4 edits waiting$/);
  await until(async () => /Reconnecting/.test(await one.textContent('#status-detail')), 'the page says when it tries again');
  await picture(one, 'offline');
  assert.ok(await one.isVisible('#retry'));
  await server.restart();
  await one.evaluate(() => document.querySelector('#retry').click()); // it may have come back by itself, and hidden it
  assert.equal(await agreed(server, 'notes/offline', one, two), 'one: off\ntwo: 😀');
  assert.equal(await status(one), 'Saved');
});

test('closing the page asks only while something is unsent', async t => {
  const { server, open } = await house(t);
  const page = await open('notes/closing');
  const asked = [];

  page.on('dialog', dialog => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await page.focus('.cm-content');
  await page.keyboard.type('kept');
  await isSaved(page);
  await page.reload();
  await isSaved(page);
  assert.deepEqual(asked, []);
  await server.kill();
  await isInState(page, 'offline');
  await page.focus('.cm-content');
  await page.keyboard.type('unsent');
  await page.reload().catch(() => {}); // there is no server to load it from
  assert.deepEqual(asked, ['beforeunload']);
});

test('nothing is said to be saved before it is known whether one may write', async t => {
  const { server, visit } = await house(t);
  const held = [];

  await put(server, 'notes/slow', 'one');
  const page = await visit('/d/notes/slow', { prepare: page => page.route('**/v1/me', route => void held.push(route)) });

  await until(async () => held.length > 0 && (await shown(page)) === 'one', 'the document is loaded');
  assert.equal(await state(page), 'opening');
  await held[0].continue();
  await isSaved(page);
  await goToLine(page, 1);
  await page.keyboard.type(' two');
  assert.equal(await agreed(server, 'notes/slow', page), 'one two');
});

test('a question that is never answered is asked again', async t => {
  const { server, visit } = await house(t);
  let nAsked = 0;

  await put(server, 'notes/unanswered', 'one');
  const page = await visit('/d/notes/unanswered', {
    prepare: async page => {
      await page.route('**/v1/me', route => nAsked++ > 0 && route.continue());
      // The page's patience, a hundred times shorter.
      await page.addInitScript(() => {
        const timeout = AbortSignal.timeout.bind(AbortSignal);

        AbortSignal.timeout = ms => timeout(ms / 100);
      });
    },
  });

  await isSaved(page);
  await goToLine(page, 1);
  await page.keyboard.type(' two');
  assert.equal(await agreed(server, 'notes/unanswered', page), 'one two');
});

test('two people begin the same document at the same moment', async t => {
  const { server, open } = await house(t);

  for (let round = 0; round < 5; round++) {
    const path = `notes/fresh-${round}`;
    const [one, two] = await Promise.all([open(path), open(path)]);

    await Promise.all([one.focus('.cm-content'), two.focus('.cm-content')]);
    await Promise.all([one.keyboard.type('abc'), two.keyboard.type('xyz')]);
    assert.equal((await agreed(server, path, one, two)).length, 6);
    await Promise.all([one.context().close(), two.context().close()]);
  }
});
