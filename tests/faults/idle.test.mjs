// A thousand idle connections and one busy document: the server's time goes to the busy one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuSeconds, startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const N_IDLE = 1000;
const N_OPS = 4000;
const N_AT_ONCE = 50;
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

// One writer, one reader, one document. Microseconds of the server's time per operation.
async function busy(server, d) {
  const writer = await Wire.open(server);
  const reader = await Wire.open(server);

  await writer.createText('notes', d, '');
  await reader.ask({ a: 's', c: 'notes', d, v: 1 });
  reader.onFrame = frame => frame.a === 'op';
  const before = await cpuSeconds(server.pid);
  for (let i = 0; i < N_OPS; i += N_AT_ONCE) {
    for (let k = 0; k < N_AT_ONCE; k++)
      writer.send({ a: 'op', c: 'notes', d, v: 1 + i + k, seq: writer.seq++, op: ['x'] });
    for (let k = 0; k < N_AT_ONCE; k++)
      assert.equal((await writer.next()).v, 1 + i + k);
  }
  const spent = (await cpuSeconds(server.pid)) - before;
  await writer.close();
  await reader.close();
  return 1e6 * spent / N_OPS;
}

async function idleShare(server, seconds = 3) {
  const before = await cpuSeconds(server.pid);

  await pause(1000 * seconds);
  return ((await cpuSeconds(server.pid)) - before) / seconds;
}

test(`${N_IDLE} idle connections and one busy document`, async t => {
  const server = await startServer(t);
  const alone = await busy(server, 'alone');
  const wires = [];

  for (let i = 0; i < N_IDLE; i += 50)
    wires.push(...await Promise.all(Array.from({ length: 50 }, () => Wire.open(server))));
  for (const wire of wires)
    await wire.ask({ a: 's', c: 'notes', d: 'quiet', v: null });
  const share = await idleShare(server);
  const among = await busy(server, 'among');

  t.diagnostic(`CPU per operation: ${alone.toFixed(0)} us with 0 idle connections, ${among.toFixed(0)} us with ${N_IDLE}`);
  t.diagnostic(`an idle second with ${N_IDLE} connections: ${(100 * share).toFixed(1)} % of a core`);
  assert(share < 0.1, 'idle connections cost more than a tenth of a core');
  for (const wire of wires) {
    assert.equal(wire.end, null);
    wire.socket.terminate();
  }
});
