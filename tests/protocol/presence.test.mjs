// Presence: what is shown to others and forgotten. Who sees what, what is moved along, and that nobody leaves a ghost.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { JSON0, TEXT, Wire } from '../lib/wire.mjs';

const RICH = 'http://sharejs.org/types/rich-text/v1';
const server = await startServer({ after });

// Clients that have shaken hands, so that they know their ids.
const open = n => Promise.all(Array.from({ length: n }, async () => {
  const wire = await Wire.open(server);

  await wire.shake();
  return wire;
}));

const listen = (wire, ch, seq = 1) => wire.ask({ a: 'ps', ch, seq });
const show = (wire, ch, id, p, pv, more = {}) => wire.ask({ a: 'p', ch, id, p, pv, ...more });
const createRich = (wire, d, ops) => wire.submit('notes', d, { v: 0, create: { type: RICH, data: { ops } } });

test('ps and pu are answered, with their seq', async () => {
  const [one] = await open(1);

  assert.deepEqual(await listen(one, 'room', 7), { a: 'ps', ch: 'room', seq: 7 });
  assert.deepEqual(await listen(one, 'room', 8), { a: 'ps', ch: 'room', seq: 8 });
  assert.deepEqual(await one.ask({ a: 'pu', ch: 'room', seq: 9 }), { a: 'pu', ch: 'room', seq: 9 });
  assert.deepEqual(await one.ask({ a: 'pu', ch: 'never', seq: 10 }), { a: 'pu', ch: 'never', seq: 10 });
  await one.nothingMore();
});

test('an update goes to its author as the reply and to every other listener once', async () => {
  const [one, two, three] = await open(3);

  await listen(two, 'all');
  await listen(three, 'all');
  assert.deepEqual(await two.next(), { a: 'pr', ch: 'all' }); // three has come
  const shown = { a: 'p', ch: 'all', src: one.id, id: 'p1', p: { x: 1, deep: [null] }, pv: 0 };
  assert.deepEqual(await show(one, 'all', 'p1', { x: 1, deep: [null] }, 0, { src: 'mine' }), shown);
  assert.deepEqual(await two.next(), shown);
  assert.deepEqual(await three.next(), shown);
  for (const wire of [one, two, three]) await wire.nothingMore();
});

test('who comes asks the others to show themselves; so does pr', async () => {
  const [one, two] = await open(2);

  await listen(one, 'ask');
  await listen(two, 'ask');
  assert.deepEqual(await one.next(), { a: 'pr', ch: 'ask' });
  await two.nothingMore();
  await two.ask({ a: 'pr', ch: 'ask' });
  assert.deepEqual(await one.next(), { a: 'pr', ch: 'ask' });
  await two.nothingMore();
});

test('an older version is answered and not shown', async () => {
  const [one, two] = await open(2);

  await listen(two, 'old');
  await show(one, 'old', 'p', 1, 5);
  assert.equal((await two.next()).p, 1);
  assert.equal((await show(one, 'old', 'p', 2, 4)).p, 2);
  await two.nothingMore();
  await show(one, 'old', 'p', 3, 5);
  assert.equal((await two.next()).p, 3);
});

test('what is shown is taken back when the line ends, and on pu; what was taken back is not again', async () => {
  const [one, two] = await open(2);

  await listen(two, 'end');
  await listen(one, 'end');
  await two.next();
  await show(one, 'end', 'a', 1, 3);
  await show(one, 'end', 'b', 2, 0);
  await show(one, 'end', 'b', null, 1);
  await show(one, 'other', 'c', 3, 0);
  for (let i = 0; i < 3; i++) await two.next();
  await one.ask({ a: 'pu', ch: 'end', seq: 2 });
  assert.deepEqual(await two.next(), { a: 'p', ch: 'end', src: one.id, id: 'a', p: null, pv: 3 });
  await two.nothingMore();

  await show(one, 'end', 'a', 4, 4);
  await two.next();
  one.socket.terminate();
  assert.deepEqual(await two.next(), { a: 'p', ch: 'end', src: one.id, id: 'a', p: null, pv: 4 });
  await two.nothingMore();
});

test('a caret in rich text is moved over what its author does not know yet', async () => {
  const [one, two, three] = await open(3);
  const place = { c: 'notes', d: 'rich', t: RICH };

  await createRich(one, 'rich', [{ insert: 'abcdef' }]);
  await listen(three, 'notes.rich');
  await two.submit('notes', 'rich', { v: 1, op: { ops: [{ insert: 'XY' }] } });
  await one.submit('notes', 'rich', { v: 2, op: { ops: [{ retain: 3 }, { insert: '!' }] } });

  // Over two's insertion at 0 a caret at 1 moves to 3; over one's own there it moves along to 4.
  const moved = { a: 'p', ch: 'notes.rich', src: one.id, id: 'q', p: { index: 4, length: 0, name: 'ink' }, pv: 1, ...place, v: 3 };
  assert.deepEqual(await show(one, 'notes.rich', 'q', { index: 1, length: 0, name: 'ink' }, 1, { ...place, v: 1 }), moved);
  assert.deepEqual(await three.next(), moved);

  // To somebody else the last insertion was another's: the caret stays before it.
  assert.deepEqual((await show(two, 'notes.rich', 'r', { index: 1, length: 0 }, 0, { ...place, v: 1 })).p, { index: 3, length: 0 });
  await three.next();

  // Versions: null is the head, above it is refused.
  assert.equal((await show(two, 'notes.rich', 'r', { index: 1, length: 0 }, 1, { ...place, v: null })).v, 3);
  await three.next();
  assert.equal((await show(two, 'notes.rich', 'r', { index: 1, length: 0 }, 2, { ...place, v: 9 })).error.code,
    'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT');

  // Gone with its line, with everything a receiver needs to believe it.
  two.socket.terminate();
  assert.deepEqual(await three.next(), { a: 'p', ch: 'notes.rich', src: two.id, id: 'r', p: null, pv: 1, ...place, v: 3 });
  await three.nothingMore();
});

test('a caret in a document that was deleted on the way is none', async () => {
  const [one] = await open(1);
  const place = { c: 'notes', d: 'gone', t: RICH };

  await createRich(one, 'gone', [{ insert: 'abc' }]);
  await one.submit('notes', 'gone', { v: 1, del: true });
  const answer = await show(one, 'notes.gone', 'p', { index: 1, length: 1 }, 0, { ...place, v: 1 });
  assert.deepEqual([answer.p, answer.v], [null, 2]);
});

test('updates on one document stay in order, however much they have to be moved', async () => {
  const [one, two] = await open(2);
  const place = { c: 'notes', d: 'order', t: RICH };

  await createRich(one, 'order', [{ insert: 'abc' }]);
  for (let v = 1; v < 200; v++) one.send({ a: 'op', c: 'notes', d: 'order', v, seq: one.seq++, op: { ops: [{ insert: 'x' }] } });
  await one.ask({ a: 'pp' });
  one.frames.length = 0;
  await listen(two, 'notes.order');
  for (let pv = 0; pv < 50; pv++) one.send({ a: 'p', ch: 'notes.order', id: 'p', p: { index: 0, length: 1 }, pv, ...place, v: 1 + pv % 3 * 99 });
  for (let pv = 0; pv < 50; pv++) assert.equal((await two.next()).pv, pv);
});

test('a caret in plain text: a number, two, or an index with or without a length, in code points', async () => {
  const [one, two] = await open(2);
  const place = { c: 'notes', d: 'plain', t: TEXT };

  await one.createText('notes', 'plain', '😀b');
  await two.submit('notes', 'plain', { v: 1, op: [1, 'xyz'] });
  const rows = [ // shown; to another's eyes; to the eyes of whoever inserted
    [2, 5, 5],
    [[1, 2], [1, 5], [4, 5]],
    [{ index: 1, colour: 'red' }, { index: 1, colour: 'red' }, { index: 4, colour: 'red' }],
    [{ index: 1, length: 1, name: 'paper' }, { index: 1, length: 4, name: 'paper' }, { index: 4, length: 1, name: 'paper' }],
  ];

  for (const [p, moved, own] of rows) {
    assert.deepEqual((await show(one, 'notes.plain', 'p', p, 0, { ...place, v: 1 })).p, moved);
    assert.deepEqual((await show(two, 'notes.plain', 'p', p, 0, { ...place, v: 1 })).p, own);
  }
  assert.equal((await show(one, 'notes.plain', 'p', 'here', 0, { ...place, v: 1 })).error.code, 'ERR_PRESENCE_TRANSFORM_FAILED');
});

test('what is refused', async () => {
  const [one] = await open(1);
  const rows = [
    [{ ch: 'x', p: 1, pv: 0 }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid presence ID'],
    [{ ch: 'x', id: '__proto__', p: 1, pv: 0 }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid presence ID'],
    [{ ch: 'x', id: 'p', p: 1 }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid presence version'],
    [{ ch: 'x', id: 'p', p: 1, pv: -1 }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid presence version'],
    [{ id: 'p', p: 1, pv: 0 }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid presence channel'],
    [{ ch: 'x'.repeat(301), id: 'p', p: 1, pv: 0 }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid presence channel'],
    [{ ch: 'x', id: 'p', p: '\ud800', pv: 0 }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid presence value'],
    [{ ch: 'x', id: 'p', p: 'x'.repeat(16384), pv: 0 }, 'ERR_LIMIT_EXCEEDED', 'The presence is too large'],
    [{ ch: 'c.d', id: 'p', p: 1, pv: 0, c: 'c', d: 'd', v: 0, t: JSON0 }, 'ERR_TYPE_DOES_NOT_SUPPORT_PRESENCE'],
    [{ ch: 'c.d', id: 'p', p: 1, pv: 0, c: 'c', d: 'd', v: 0, t: 'nothing' }, 'ERR_TYPE_DOES_NOT_SUPPORT_PRESENCE'],
    [{ ch: 'c.x', id: 'p', p: 1, pv: 0, c: 'c', d: 'd', v: 0, t: RICH }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid presence channel'],
    [{ ch: 'c.d', id: 'p', p: 1, pv: 0, c: 'c', v: 0, t: RICH }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid id'],
    [{ ch: 'c.d', id: 'p', p: 1, pv: 0, c: 'c', d: 'd', v: 'x', t: RICH }, 'ERR_MESSAGE_BADLY_FORMED', 'Invalid version'],
  ];

  for (const [frame, code, message] of rows) {
    const { error } = await one.ask({ a: 'p', ...frame });

    assert.equal(error.code, code, JSON.stringify(frame));
    if (message) assert.equal(error.message, message);
  }
  for (const a of ['ps', 'pu', 'pr']) {
    assert.equal((await one.ask({ a, seq: 1 })).error.message, 'Invalid presence channel');
    assert.equal((await one.ask({ a, ch: 'x', seq: 'y' })).error.message, 'Invalid seq');
  }
});

test('as many presences as a connection may show, and no more', async () => {
  const [one, two] = await open(2);

  await listen(two, 'many');
  for (let i = 0; i < 1001; i++) one.send({ a: 'p', ch: 'many', id: `p${i}`, p: i, pv: 0 });
  for (let i = 0; i < 1000; i++) assert.equal((await one.next()).p, i);
  assert.equal((await one.next()).error.code, 'ERR_LIMIT_EXCEEDED');
  for (let i = 0; i < 1000; i++) await two.next();
  one.socket.terminate();
  for (let i = 0; i < 1000; i++) assert.equal((await two.next()).p, null);
  await two.nothingMore();
});
