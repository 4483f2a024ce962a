// Acknowledged means synced, counted from outside: a preloaded library counts the server's calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { startOnDisk } from '../lib/disk.mjs';
import { root } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const SYNC_US = 2000; // as on a disk, wherever the tests run
const N_ALONE = 200;
const N_CLIENTS = 64;
const N_EACH = 25;

// Syncs that passed while a lone client submitted operations, each awaited; and the first one that was acknowledged
// before a sync of its own.
async function alone(server) {
  const wire = await Wire.open(server);
  await wire.createText('notes', 'alone', '');
  const before = server.disk.syncs();
  let tooEarly = null;

  for (let i = 0; i < N_ALONE; i++) {
    const atSubmit = server.disk.syncs();
    const reply = await wire.submit('notes', 'alone', { v: 1 + i, op: ['x'] });
    assert.equal(reply.v, 1 + i);
    if (server.disk.syncs() <= atSubmit)
      tooEarly ??= i;
  }
  await wire.close();
  return { syncs: server.disk.syncs() - before, tooEarly };
}

// Each client on a document of its own, each operation awaited by its client: 64 under way at any time.
async function together(server) {
  const wires = await Promise.all(Array.from({ length: N_CLIENTS }, () => Wire.open(server)));
  await Promise.all(wires.map((wire, i) => wire.createText('notes', `together${i}`, '')));
  const before = server.disk.syncs();

  await Promise.all(wires.map(async (wire, i) => {
    for (let k = 0; k < N_EACH; k++)
      assert.equal((await wire.submit('notes', `together${i}`, { v: 1 + k, op: ['x'] })).v, 1 + k);
  }));
  const syncs = server.disk.syncs() - before;
  await Promise.all(wires.map(wire => wire.close()));
  return syncs;
}

test(`a lone client's ${N_ALONE} operations, each awaited: a sync for each, before its acknowledgement`, async t => {
  const { syncs, tooEarly } = await alone(await startOnDisk(t, { syncUs: SYNC_US }));

  t.diagnostic(`${syncs} syncs for ${N_ALONE} operations`);
  assert.equal(tooEarly, null, 'this operation was acknowledged before a sync');
  assert(syncs >= N_ALONE, `${syncs} syncs`);
});

test(`${N_CLIENTS} clients share theirs`, async t => {
  const syncs = await together(await startOnDisk(t, { syncUs: SYNC_US }));
  const nOps = N_CLIENTS * N_EACH;

  t.diagnostic(`${syncs} syncs for ${nOps} operations of ${N_CLIENTS} clients: ${(nOps / syncs).toFixed(1)} a sync`);
  assert(syncs > 0);
  assert(syncs <= nOps / 8, `${syncs} syncs for ${nOps} operations`);
});

test('this test catches a server that does not sync', async t => {
  const { syncs, tooEarly } = await alone(await startOnDisk(t, { program: join(root, 'tests/lib/reference_server.mjs') }));

  assert(syncs < N_ALONE);
  assert.equal(tooEarly, 0);
});
