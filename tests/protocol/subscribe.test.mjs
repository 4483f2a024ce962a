// Fetch, subscribe, unsubscribe; what is told, from where on, and that nothing comes twice.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { TEXT, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });
const one = await Wire.open(server);
const two = await Wire.open(server);

const subscribe = (wire, d, v = null) => wire.ask({ a: 's', c: 'notes', d, v });
const unsubscribe = (wire, d) => wire.ask({ a: 'u', c: 'notes', d });

test('what never existed is version 0 without type and data', async () => {
  assert.deepEqual(await one.fetch('notes', 'never'), { a: 'f', c: 'notes', d: 'never', data: { v: 0, type: null } });
  assert.deepEqual(await subscribe(one, 'never'), { a: 's', c: 'notes', d: 'never', data: { v: 0, type: null } });
  await unsubscribe(one, 'never');
});

test('a snapshot names its type by the full URI', async () => {
  await one.createText('notes', 'snapshot', 'text');
  assert.deepEqual(await two.fetch('notes', 'snapshot'),
    { a: 'f', c: 'notes', d: 'snapshot', data: { v: 1, data: 'text', type: TEXT } });
  assert.deepEqual(await two.ask({ a: 'f', c: 'notes', d: 'snapshot' }),
    { a: 'f', c: 'notes', d: 'snapshot', data: { v: 1, data: 'text', type: TEXT } });
});

test('a deleted document has a version, no type and no data', async () => {
  await one.createText('notes', 'deleted', 'text');
  await one.submit('notes', 'deleted', { v: 1, del: true });
  assert.deepEqual((await two.fetch('notes', 'deleted')).data, { v: 2, type: null });
});

test('a fetch from a version: the operations, ascending, then the reply without data', async () => {
  const created = await one.createText('notes', 'ops', 'a');
  const edited = await one.submit('notes', 'ops', { v: 1, op: [1, 'b'] });

  two.send({ a: 'f', c: 'notes', d: 'ops', v: 0 });
  assert.deepEqual(await two.next(), {
    a: 'op', c: 'notes', d: 'ops', v: 0, src: created.src, seq: created.seq, create: { type: TEXT, data: 'a' },
  });
  assert.deepEqual(await two.next(), { a: 'op', c: 'notes', d: 'ops', v: 1, src: edited.src, seq: edited.seq, op: [1, 'b'] });
  assert.deepEqual(await two.next(), { a: 'f', c: 'notes', d: 'ops' });

  // Those of the client itself are among them.
  assert.equal((await one.log('notes', 'ops', 1)).length, 1);
});

test('a fetch at the head: just the reply', async () => {
  await one.createText('notes', 'at-head', 'a');
  assert.deepEqual(await two.fetch('notes', 'at-head', 1), { a: 'f', c: 'notes', d: 'at-head' });
  await two.nothingMore();
});

test('a version above the head can only be a future that was lost: refused', async () => {
  await one.createText('notes', 'future', 'a');
  for (const a of ['f', 's']) {
    const reply = await two.ask({ a, c: 'notes', d: 'future', v: 2 });
    assert.equal(reply.error.code, 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT');
    assert.equal(reply.v, 2);
  }
});

test('a subscriber is told every operation once, as committed', async () => {
  await one.createText('notes', 'stream', 'a');
  assert.deepEqual((await subscribe(two, 'stream')).data, { v: 1, data: 'a', type: TEXT });
  const { src, seq } = await one.submit('notes', 'stream', { v: 1, op: [1, 'b'] });
  assert.deepEqual(await two.next(), { a: 'op', c: 'notes', d: 'stream', v: 1, src, seq, op: [1, 'b'] });
  await two.nothingMore();
  await unsubscribe(two, 'stream');
});

test('a subscription from a version catches up, then goes on', async () => {
  await one.createText('notes', 'catch-up', '');
  await one.submit('notes', 'catch-up', { v: 1, op: ['a'] });
  await one.submit('notes', 'catch-up', { v: 2, op: ['b'] });
  two.send({ a: 's', c: 'notes', d: 'catch-up', v: 1 });
  assert.equal((await two.next()).v, 1);
  assert.equal((await two.next()).v, 2);
  assert.deepEqual(await two.next(), { a: 's', c: 'notes', d: 'catch-up' });
  await one.submit('notes', 'catch-up', { v: 3, op: ['c'] });
  assert.equal((await two.next()).v, 3);
  await two.nothingMore();
  await unsubscribe(two, 'catch-up');
});

test('subscribing again does not double the stream', async () => {
  await one.createText('notes', 'twice', '');
  await subscribe(two, 'twice');
  await subscribe(two, 'twice');
  await subscribe(two, 'twice', 1);
  await one.submit('notes', 'twice', { v: 1, op: ['a'] });
  assert.equal((await two.next()).v, 1);
  await two.nothingMore();
  await unsubscribe(two, 'twice');
});

test('what does not exist yet can be subscribed; its create is streamed', async () => {
  await subscribe(two, 'unborn');
  await one.createText('notes', 'unborn', 'now');
  assert.deepEqual((await two.next()).create, { type: TEXT, data: 'now' });
  await one.submit('notes', 'unborn', { v: 1, del: true });
  assert.equal((await two.next()).del, true);
  await two.nothingMore();
  await unsubscribe(two, 'unborn');
});

test('after the answer to u nothing is streamed; u without s is answered', async () => {
  await one.createText('notes', 'left', '');
  assert.deepEqual(await unsubscribe(two, 'left'), { a: 'u', c: 'notes', d: 'left' });
  await subscribe(two, 'left');
  assert.deepEqual(await unsubscribe(two, 'left'), { a: 'u', c: 'notes', d: 'left' });
  await one.submit('notes', 'left', { v: 1, op: ['a'] });
  await two.nothingMore();
});

test('a client that leaves costs the others nothing', async () => {
  const leaver = await Wire.open(server);

  await one.createText('notes', 'leaver', '');
  await subscribe(leaver, 'leaver');
  await subscribe(two, 'leaver');
  await leaver.cut();
  await one.submit('notes', 'leaver', { v: 1, op: ['a'] });
  assert.equal((await two.next()).v, 1);
  await unsubscribe(two, 'leaver');
});

test('names of any script and with any sign are names', async () => {
  for (const name of ['a/b', 'ä 漢字', '😀', '.', '..', '%2F', '"\\', 'x'.repeat(128), '{}', 'null', '__proto']) {
    await one.ask({ a: 'op', c: name, d: name, v: null, seq: one.seq++, create: { type: TEXT, data: name } });
    const reply = await two.fetch(name, name);
    assert.equal(reply.d, name);
    assert.equal(reply.data.data, name);
  }
});

test('whoever subscribes while others write: snapshot and stream join without gap or repetition', async () => {
  const N_SUBSCRIBERS = 40;
  const N_OPS = 400;
  let version = (await one.createText('notes', 'joining', '')).v + 1;
  const writing = (async () => {
    for (let i = 0; i < N_OPS; i++)
      version = (await one.submit('notes', 'joining', { v: version, op: ['x'] })).v + 1;
  })();
  const readers = [];

  for (let i = 0; i < N_SUBSCRIBERS; i++) {
    const wire = await Wire.open(server);
    // From what it is told, half of them ask again by version, as a client that lost its line.
    let { v } = (await subscribe(wire, 'joining')).data;
    if (i % 2) {
      await unsubscribe(wire, 'joining');
      wire.frames = [];
      wire.send({ a: 's', c: 'notes', d: 'joining', v });
    }
    readers.push({ wire, v });
  }
  await writing;
  for (const { wire, v } of readers) {
    await wire.ask({ a: 'pp' });
    const versions = wire.frames.filter(frame => frame.a === 'op').map(frame => frame.v);
    assert.deepEqual(versions, Array.from({ length: version - v }, (_, k) => v + k));
    await wire.close();
  }
});
