// A client that does not read: its line is cut when its queue is full; the server's memory and the others do not suffer.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { residentBytes, startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const MIB = 1024 * 1024;
const N_OPS = 1200; // of 64 KiB each: more than the queue's 16 MiB and what two kernels hold on the way
const CHUNK = 'x'.repeat(64 * 1024);

// A document whose log is n times 32 KiB.
async function createLong(writer, n) {
  await writer.createText('notes', 'long', '');
  for (let i = 0; i < n; i++)
    writer.send({ a: 'op', c: 'notes', d: 'long', v: 1 + i, seq: writer.seq++, op: i % 2 ? [{ d: CHUNK.length }] : [CHUNK] });
  for (let i = 0; i < n; i++)
    assert.equal((await writer.next()).v, 1 + i);
}

test('a slow reader is cut, the others go on, and it catches up when it returns', async t => {
  const server = await startServer(t);
  const writer = await Wire.open(server);
  const reader = await Wire.open(server);
  const slow = await Wire.open(server);

  await writer.createText('notes', 'flood', '');
  for (const wire of [reader, slow])
    await wire.ask({ a: 's', c: 'notes', d: 'flood', v: 1 });

  let nRead = 0;
  let nSlow = 0;
  reader.onFrame = frame => frame.a === 'op' && ++nRead > 0;
  slow.onFrame = frame => frame.a === 'op' && ++nSlow > 0;
  slow.socket.pause();
  const before = await residentBytes(server.pid);
  let highest = 0;

  for (let i = 0; i < N_OPS; i++) {
    const reply = await writer.submit('notes', 'flood', { v: 1 + i, op: i % 2 ? [{ d: CHUNK.length }] : [CHUNK] });
    assert.equal(reply.v, 1 + i);
    if (i % 50 === 0)
      highest = Math.max(highest, await residentBytes(server.pid));
  }
  await reader.ask({ a: 'pp' });
  assert.equal(nRead, N_OPS);

  slow.socket.resume();
  const end = await slow.closed;
  assert([1013, 1006].includes(end.code), `closed with ${end.code}`);
  assert(nSlow < N_OPS, 'it never was slow');
  t.diagnostic(`cut after ${nSlow} of ${N_OPS} frames with ${end.code}; memory grew by at most ${((highest - before) / MIB).toFixed(0)} MiB`);
  assert(highest - before < 200 * MIB);

  const again = await Wire.open(server);
  const log = await again.log('notes', 'flood', 1 + nSlow);
  assert.deepEqual(log.map(op => op.v), Array.from({ length: N_OPS - nSlow }, (_, i) => 1 + nSlow + i));
});

test('a client that asks and never reads makes the server hold little', async t => {
  const server = await startServer(t);
  const writer = await Wire.open(server);
  const greedy = await Wire.open(server);
  const other = await Wire.open(server);

  await writer.createText('notes', 'big', 'x'.repeat(MIB));
  const before = await residentBytes(server.pid);
  greedy.socket.pause();
  for (let i = 0; i < 2000; i++) // 2,000 MiB of answers
    greedy.send({ a: 'f', c: 'notes', d: 'big', v: null });
  for (let i = 0; i < 100; i++)
    assert.equal((await other.fetch('notes', 'big')).data.v, 1);
  const after = await residentBytes(server.pid);
  t.diagnostic(`memory grew by ${((after - before) / MIB).toFixed(0)} MiB`);
  assert(after - before < 300 * MIB);
  await greedy.cut();
  assert.equal((await other.fetch('notes', 'big')).data.v, 1);
});

test('clients that catch up and do not read are given no more than they read; nobody waits for them', async t => {
  const N_SLOW = 8;
  const N_LONG = 400;
  const server = await startServer(t);
  const writer = await Wire.open(server);

  await createLong(writer, N_LONG);
  const slow = await Promise.all(Array.from({ length: N_SLOW }, () => Wire.open(server)));
  const before = await residentBytes(server.pid);
  for (const wire of slow) {
    wire.socket.pause();
    wire.send({ a: 's', c: 'notes', d: 'long', v: 0 }); // 12 MiB each
  }
  for (let i = 0; i < 100; i++)
    assert.equal((await writer.submit('notes', 'long', { v: 1 + N_LONG + i, op: ['.'] })).v, 1 + N_LONG + i);
  const grown = (await residentBytes(server.pid)) - before;
  t.diagnostic(`memory grew by ${(grown / MIB).toFixed(0)} MiB`);
  assert(grown < N_SLOW * 5 * MIB);

  for (const wire of slow)
    wire.socket.resume();
  for (const wire of slow) {
    await wire.take(frame => frame.a === 's', 'the end of the catching up');
    const versions = wire.frames.filter(frame => frame.a === 'op').map(frame => frame.v);
    assert.deepEqual(versions, versions.map((_, i) => i));
    assert(versions.length >= 1 + N_LONG + 100);
  }
});

test('who never reads what he asked for is cut by the pings', async t => {
  const server = await startServer(t, { args: ['--ping-seconds', '1'] });
  const writer = await Wire.open(server);
  const deaf = await Wire.open(server);

  await createLong(writer, 400);
  deaf.socket.pause();
  deaf.send({ a: 's', c: 'notes', d: 'long', v: 0 });
  const { port } = server;
  const isThere = async () => {
    const table = await readFile('/proc/net/tcp', 'utf8');
    const local = `:${deaf.socket._socket.localPort.toString(16).toUpperCase().padStart(4, '0')}`;
    return table.split('\n').some(row => row.includes(` 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 0100007F${local} 01 `));
  };
  assert(await isThere());
  const deadline = Date.now() + 15_000;
  while (await isThere()) {
    assert(Date.now() < deadline, 'it is still there');
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  await writer.nothingMore();
});
