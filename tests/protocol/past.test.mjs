// Snapshots of the past: nf by version, nt by time; the npm client asks for them, too.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client, promised } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { JSON0, TEXT, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });
const wire = await Wire.open(server);
let id = 0;

const past = (a, d, more) => wire.ask({ a, id: ++id, c: 'notes', d, ...more });

test('every version of a document, also those at which there was none', async () => {
  await wire.submit('notes', 'a', { v: 0, create: { type: JSON0, data: { n: 1 } } });
  await wire.submit('notes', 'a', { v: 1, op: [{ p: ['n'], na: 1 }] });
  await wire.submit('notes', 'a', { v: 2, del: true });
  await wire.submit('notes', 'a', { v: 3, create: { type: TEXT, data: 'again' } });

  const rows = [[0, null], [1, JSON0, { n: 1 }], [2, JSON0, { n: 2 }], [3, null], [4, TEXT, 'again']];
  for (const [v, type, data] of rows)
    assert.deepEqual(await past('nf', 'a', { v }), { a: 'nf', id, v, type, ...(type ? { data } : {}), m: null });
  assert.deepEqual(await past('nf', 'a', { v: null }), { a: 'nf', id, v: 4, type: TEXT, data: 'again', m: null });
  assert.deepEqual(await past('nf', 'a', {}), { a: 'nf', id, v: 4, type: TEXT, data: 'again', m: null });
  assert.equal((await past('nf', 'a', { v: 5 })).error.code, 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT');
  assert.deepEqual(await past('nf', 'never', { v: null }), { a: 'nf', id, v: 0, type: null, m: null });
});

test('the newest version that was committed by then', async () => {
  const times = [];

  await wire.submit('notes', 'b', { v: 0, create: { type: TEXT, data: '' } });
  for (let v = 1; v < 4; v++) {
    await new Promise(resolve => setTimeout(resolve, 15));
    times.push(Date.now());
    await new Promise(resolve => setTimeout(resolve, 15));
    await wire.submit('notes', 'b', { v, op: ['x'] });
  }
  for (const [i, ts] of times.entries())
    assert.deepEqual(await past('nt', 'b', { ts }), { a: 'nt', id, v: 1 + i, type: TEXT, data: 'x'.repeat(i), m: null });
  assert.equal((await past('nt', 'b', { ts: null })).v, 4);
  assert.equal((await past('nt', 'b', { ts: Date.now() + 1e6 })).v, 4);
  assert.deepEqual(await past('nt', 'b', { ts: 0 }), { a: 'nt', id, v: 0, type: null, m: null });
});

test('what is refused', async () => {
  for (const [more, message] of [
    [{ d: 7 }, 'Invalid id'], [{ c: undefined }, 'Invalid collection'], [{ v: 'x' }, 'Invalid version'], [{ v: -1 }, 'Invalid version'],
  ])
    assert.equal((await past('nf', 'a', more)).error.message, message);
  assert.equal((await past('nt', 'a', { ts: 'now' })).error.message, 'Invalid timestamp');
  assert.equal((await past('nt', 'a', { ts: -1 })).error.message, 'Invalid timestamp');
});

test('the npm client', async () => {
  const client = new Client(server);
  const { connection } = client;

  assert.deepEqual((({ v, type, data }) => ({ v, type, data }))(await promised(done => connection.fetchSnapshot('notes', 'a', 2, done))),
    { v: 2, type: JSON0, data: { n: 2 } });
  assert.equal((await promised(done => connection.fetchSnapshotByTimestamp('notes', 'b', null, done))).data, 'xxx');
  client.close();
});
