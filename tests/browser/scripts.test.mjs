// Scripts that read a text, change a line and write the whole of it back, beside people who are typing in it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { agreed, goToLine, house, isSaved, picture, put, until } from './browser.mjs';

const ROUNDS = 15;
const WORDS = Array.from({ length: 40 }, (_, i) => ` word${i}`).join('');

// Reads, adds one to its own number, and puts what it has made of the version that it has read.
async function script(url, name) {
  let nMerged = 0;

  for (let i = 0; i < ROUNDS; i++) {
    const read = await fetch(url);
    const text = await read.text();
    const changed = text.replace(new RegExp(`^${name}: (\\d+)$`, 'm'), (_, n) => `${name}: ${Number(n) + 1}`);

    await new Promise(done => setTimeout(done, 20)); // what a script does with it
    const answer = await fetch(`${url}?base=${read.headers.get('pilcrow-version')}`, { method: 'PUT', body: changed, headers: { 'Content-Type': 'text/plain' } });

    assert.equal(answer.status, 200, await answer.text());
    nMerged += !answer.headers.has('etag');
  }
  return nMerged;
}

test('two scripts and two people: nothing is lost, and the carets stay where they were', async t => {
  const { server, open } = await house(t);
  const url = `${server.url}/v1/docs/notes/scripts`;
  const before = 'one: 0\ntwo: 0\n\ntyped:\nread along\n';

  await put(server, 'notes/scripts', before);
  const [typing, reading] = [await open('notes/scripts', { name: 'ink' }), await open('notes/scripts', { name: 'paper' })];

  await goToLine(typing, 4);
  await goToLine(reading, 5);
  for (let i = 0; i < 6; i++) await reading.keyboard.press('ArrowLeft');
  const [, ...nMerged] = await Promise.all([typing.keyboard.type(WORDS, { delay: 15 }), script(url, 'one'), script(url, 'two')]);

  const after = `one: ${ROUNDS}\ntwo: ${ROUNDS}\n\ntyped:${WORDS}\nread along\n`;
  assert.equal(await agreed(server, 'notes/scripts', typing, reading), after);
  assert(nMerged[0] + nMerged[1] > 0, 'some had to be merged with what the others wrote');
  t.diagnostic(`${nMerged[0]} and ${nMerged[1]} of ${ROUNDS} were merged`);

  const difference = await (await fetch(`${url}/diff?from=1`)).text();
  assert.deepEqual(difference.split('\n').slice(3), ['-one: 0', '-two: 0', `+one: ${ROUNDS}`, `+two: ${ROUNDS}`, ' ', '-typed:', `+typed:${WORDS}`, ' read along', '']);
  await until(async () => (await typing.locator('.caret').count()) === 1, 'the caret of the other');
  await picture(typing, 'scripts');

  // Each caret is where the next character goes.
  await typing.keyboard.type('!');
  await isSaved(typing);
  await reading.keyboard.type('?');
  assert.equal(await agreed(server, 'notes/scripts', typing, reading), after.replace(WORDS, `${WORDS}!`).replace('read along', 'read? along'));
});
