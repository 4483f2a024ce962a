// Several documents in one request.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { TEXT, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });
const one = await Wire.open(server);
const two = await Wire.open(server);
await one.createText('notes', 'n1', 'eins');
await one.submit('notes', 'n1', { v: 1, op: [4, '!'] });
await one.createText('notes', 'n2', 'zwei');

const snapshots = {
  n1: { v: 2, data: 'eins!', type: TEXT },
  n2: { v: 1, data: 'zwei', type: TEXT },
  none: { v: 0, type: null },
};

test('a list: snapshots in data, no b', async () => {
  for (const a of ['bf', 'bs'])
    assert.deepEqual(await two.ask({ a, c: 'notes', b: ['n1', 'n2', 'none'] }), { a, c: 'notes', data: snapshots });
  assert.deepEqual(await two.ask({ a: 'bu', c: 'notes', b: ['n1', 'n2', 'none'] }),
    { a: 'bu', c: 'notes', b: ['n1', 'n2', 'none'] });
});

test('a map: operations from these versions on, then b without data', async () => {
  const b = { n1: 1, n2: 0 };

  two.send({ a: 'bf', c: 'notes', b });
  const frames = [await two.next(), await two.next()];
  assert.deepEqual(await two.next(), { a: 'bf', c: 'notes', b });
  assert.deepEqual(frames.map(({ d, v }) => [d, v]).sort(), [['n1', 1], ['n2', 0]]);
});

test('null or an absent version in a map: from 0', async () => {
  two.send({ a: 'bf', c: 'notes', b: { n1: null } });
  assert.deepEqual([(await two.next()).v, (await two.next()).v], [0, 1]);
  assert.deepEqual((await two.next()).b, { n1: null });
});

test('bf does not subscribe, bs does, bu ends it', async () => {
  await two.ask({ a: 'bf', c: 'notes', b: ['n1', 'n2'] });
  await one.submit('notes', 'n2', { v: 1, op: ['a'] });
  await two.nothingMore();

  await two.ask({ a: 'bs', c: 'notes', b: { n1: 2, n2: 2 } });
  await one.submit('notes', 'n2', { v: 2, op: ['b'] });
  await one.submit('notes', 'n1', { v: 2, op: ['c'] });
  assert.deepEqual([(await two.next()).d, (await two.next()).d].sort(), ['n1', 'n2']);

  await two.ask({ a: 'bu', c: 'notes', b: { n1: null } });
  await one.submit('notes', 'n1', { v: 3, op: ['d'] });
  await two.nothingMore();
  await two.ask({ a: 'bu', c: 'notes', b: ['n2'] });
  await one.submit('notes', 'n2', { v: 3, op: ['e'] });
  await two.nothingMore();
});

test('ids named twice count once; an empty list is answered', async () => {
  const reply = await two.ask({ a: 'bf', c: 'notes', b: ['none', 'none'] });

  assert.deepEqual(reply.data, { none: { v: 0, type: null } });
  assert.deepEqual(await two.ask({ a: 'bf', c: 'notes', b: [] }), { a: 'bf', c: 'notes', data: {} });
});

test('a b of the wrong kind is refused as a whole, and nothing is done', async () => {
  const bad = [undefined, null, 5, 'n1', true, ['n1', 7], ['n1', null], ['n1', ''], ['n1', '__proto__'], ['n1', 'a\u0001'],
    ['x'.repeat(129)], { n1: -1 }, { n1: 1.5 }, { n1: 'x' }, { n1: {} }, { constructor: 1 }];

  for (const a of ['bf', 'bs', 'bu'])
    for (const b of bad) {
      if (a === 'bu' && b && typeof b === 'object' && !Array.isArray(b) && !('constructor' in Object.getOwnPropertyDescriptors(b)))
        continue; // of a map, bu takes the keys only
      const reply = await two.ask({ a, c: 'notes', b });
      assert.equal(reply.error?.code, 'ERR_MESSAGE_BADLY_FORMED', `${a} ${JSON.stringify(b)}: ${JSON.stringify(reply)}`);
    }
  await one.submit('notes', 'n1', { v: null, op: ['x'] });
  await two.nothingMore();
});

test('the one id that is no key in JSON is refused as an id', async () => {
  for (const a of ['bf', 'bs', 'bu']) {
    const reply = await two.ask({ a, c: 'notes', b: JSON.parse('{"__proto__":0}') });

    assert.deepEqual(reply.error, { code: 'ERR_MESSAGE_BADLY_FORMED', message: 'Invalid id' });
  }
});

test('more ids than the ceiling: refused, nothing is done', async () => {
  const b = Array.from({ length: 10_001 }, (_, i) => `d${i}`);

  assert.equal((await two.ask({ a: 'bs', c: 'notes', b })).error.code, 'ERR_LIMIT_EXCEEDED');
  await two.nothingMore();
});

test('a thousand documents in one request', async () => {
  const b = Array.from({ length: 1000 }, (_, i) => `many${i}`);
  const reply = await two.ask({ a: 'bs', c: 'notes', b });

  assert.equal(Object.keys(reply.data).length, 1000);
  await one.createText('notes', 'many777', 'x');
  assert.equal((await two.next()).d, 'many777');
});
