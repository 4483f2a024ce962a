// Messages of megabytes are read beside the loop; their line, and the document, behave as if they were not.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { JSON0, TEXT, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });
const MIB = 1024 * 1024;
const long = 'ä'.repeat(MIB);

test('what is sent behind a large operation is answered behind it', async () => {
  const wire = await Wire.open(server);
  const follower = await Wire.open(server);

  await wire.createText('notes', 'order', '');
  await follower.ask({ a: 's', c: 'notes', d: 'order', v: null });
  wire.send({ a: 'op', c: 'notes', d: 'order', v: 1, seq: 11, op: [long] });
  wire.send({ a: 'op', c: 'notes', d: 'order', v: 2, seq: 12, op: ['<'] });
  wire.send({ a: 'op', c: 'notes', d: 'order', v: 3, seq: 13, op: [long] });
  wire.send({ a: 'pp' });
  for (const seq of [11, 12, 13])
    assert.equal((await wire.next()).seq, seq);
  assert.deepEqual(await wire.next(), { a: 'pp' });
  for (const op of [[long], ['<'], [long]])
    assert.deepEqual((await follower.next()).op, op);
  assert.equal((await follower.fetch('notes', 'order')).data.data, `${long}<${long}`);
});

test('a large operation is transformed over what was committed meanwhile', async () => {
  const [one, two] = [await Wire.open(server), await Wire.open(server)];

  await one.createText('notes', 'meanwhile', 'x');
  one.send({ a: 'op', c: 'notes', d: 'meanwhile', v: 1, seq: 11, op: [1, long] });
  const others = Array.from({ length: 20 }, (_, i) => ({ a: 'op', c: 'notes', d: 'meanwhile', v: 1, seq: i + 1, op: ['.'] }));
  for (const message of others)
    two.send(message);
  await one.take(frame => frame.seq === 11 && !frame.op, 'the acknowledgement');
  await two.take(frame => frame.seq === others.length && frame.src === two.init.id && !frame.op, 'the acknowledgement');
  assert.equal((await one.fetch('notes', 'meanwhile')).data.data, `${'.'.repeat(others.length)}x${long}`);
});

test('large documents are created; large nonsense is refused; the line stays', async () => {
  const wire = await Wire.open(server);
  const data = { list: Array.from({ length: 20_000 }, (_, i) => ({ n: i, text: 'some words' })) };

  assert.equal((await wire.submit('notes', 'tree', { v: null, create: { type: JSON0, data } })).error, undefined);
  assert.deepEqual((await wire.fetch('notes', 'tree')).data.data, data);
  assert.equal((await wire.submit('notes', 'tree', { v: 1, op: [{ p: ['nowhere', 1], li: long }] })).error.code, 'ERR_OT_OP_NOT_APPLIED');
  assert.equal((await wire.submit('notes', 'tree', { v: 1, op: { no: long } })).error.code, 'ERR_OT_OP_BADLY_FORMED');
  assert.equal((await wire.submit('notes', 'none', { v: 0, op: [{ p: [], oi: long }] })).error.code, 'ERR_DOC_DOES_NOT_EXIST');
  assert.equal((await wire.submit('notes', 'tree', { v: 1, op: [`\ud800${long}`] })).error.code, 'ERR_OT_OP_NOT_APPLIED');
  assert.equal((await wire.submit('notes', 'tree', { v: 1, create: { type: TEXT, data: long } })).error.code, 'ERR_DOC_ALREADY_CREATED');
  await wire.nothingMore();
});

test('large and no JSON: the line is closed with 1007', async () => {
  const wire = await Wire.open(server);

  wire.send(`{"a":"op","x":"${long}`);
  assert.equal((await wire.closed).code, 1007);
});

test('who is gone before his message was read leaves nothing behind', async () => {
  const wire = await Wire.open(server);

  await wire.createText('notes', 'gone', '');
  for (let i = 0; i < 6; i++) {
    const sender = await Wire.open(server);
    sender.send({ a: 'op', c: 'notes', d: 'gone', v: 1, seq: 1, op: [long] });
    sender.send({ a: 'pp' });
    if (i % 2)
      await sender.cut();
    else
      await sender.close();
  }
  const { v, data } = (await wire.fetch('notes', 'gone')).data;
  assert.equal(data.length, (v - 1) * long.length);
  assert(server.isRunning);
});
