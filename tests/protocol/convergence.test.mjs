// Four unmodified npm clients work on one document at once while their lines break, and nobody's work is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { Client, settled, warnings } from '../lib/client.mjs';
import { kinds } from '../lib/kinds.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { root, startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const N_CLIENTS = 4;
const N_WAITING_MAX = 12; // operations that a client keeps waiting behind the one on its way

// Each client submits its share; now and then a line breaks. Returns the contents, the version and the log, at rest.
async function workTogether(server, { type, initial, randomOp }, { seed, nOps, nCuts }) {
  const clients = Array.from({ length: N_CLIENTS }, (_, i) => {
    const random = new Random(seed + 1000 * (i + 1));
    return new Client(server, { again: () => random.between(1, 60) });
  });
  const docs = [];
  const refused = [];
  const samples = []; // [version, content] of clients that had nothing on its way

  for (const client of clients)
    docs.push(await client.open('notes', 'together', initial, type));

  const writers = docs.map(async (doc, i) => {
    const random = new Random(seed + i);
    const cutEvery = Math.ceil(nOps / nCuts);
    const n = nOps / N_CLIENTS;

    for (let k = 0; k < n; k++) {
      doc.submitOp(randomOp(random, doc.data), error => error && refused.push(error));
      if (random.between(0, cutEvery) === 0)
        clients[i].cut();
      if (doc.pendingOps.length > N_WAITING_MAX)
        await new Promise(resolve => doc.once('no write pending', () => resolve(samples.push([doc.version, structuredClone(doc.data)]))));
      else if (random.next() < 0.5)
        await new Promise(setImmediate);
    }
  });

  await Promise.all(writers);
  await settled(docs);

  // A reader fetches what is there; then every client must come to the same version.
  const wire = await Wire.open(server);
  const { data } = await wire.fetch('notes', 'together');
  const log = await wire.log('notes', 'together');
  const deadline = Date.now() + 30_000;
  while (docs.some(doc => doc.version < data.v) && Date.now() < deadline)
    await new Promise(resolve => setTimeout(resolve, 20));

  const result = {
    refused, log, samples,
    complaints: [...clients.flatMap(client => client.errors), ...warnings.splice(0)],
    nCuts: clients.reduce((n, client) => n + client.nCuts, 0),
    fetched: data,
    versions: docs.map(doc => doc.version),
    contents: docs.map(doc => structuredClone(doc.data)),
  };
  clients.forEach(client => client.close());
  await wire.close();
  return result;
}

// Values as JSON has them, whatever class a type's package gives them.
const plain = value => JSON.parse(JSON.stringify(value));

function assertConverged({ type }, { refused, complaints, fetched, versions, contents, log, samples }, nOps) {
  assert.deepEqual(refused, []);
  assert.deepEqual(complaints, []);
  assert.equal(fetched.v, 1 + nOps, 'version = number of operations sent');
  assert.deepEqual(versions, versions.map(() => 1 + nOps));
  for (const content of contents)
    assert.deepEqual(plain(content), plain(fetched.data));

  assert.deepEqual(log.map(op => op.v), log.map((_, i) => i));
  assert.equal(log.length, 1 + nOps);
  assert.equal(new Set(log.map(op => `${op.src} ${op.seq}`)).size, log.length, 'each operation once');

  let past = type.create(structuredClone(log[0].create.data));
  const seen = new Map();
  for (const sample of samples)
    seen.set(sample[0], [...(seen.get(sample[0]) ?? []), sample]);
  for (const { v, op } of log.slice(1)) {
    past = type.apply(past, op);
    for (const [, content] of seen.get(v + 1) ?? [])
      assert.deepEqual(plain(content), plain(past), `what a client saw at version ${v + 1}`);
  }
  assert.deepEqual(plain(past), plain(fetched.data), 'replay from version 0');
}

for (const kind of kinds) {
  const [nOps, nCuts] = kind === kinds[0] ? [5_000, 80] : [1_500, 40];

  test(`four clients on ${kind.type.name}, ${nOps} concurrent operations, random disconnects: all equal, nothing lost, nothing twice`, async t => {
    const server = await startServer(t);
    const n = process.env.PILCROW_LONG ? 10 * nOps : nOps;
    const result = await workTogether(server, kind, { seed: seedOf(t), nOps: n, nCuts });

    t.diagnostic(`${result.nCuts} cuts, ${JSON.stringify(result.fetched.data).length} bytes at the end, ${result.samples.length} looks on the way`);
    assert(result.nCuts > nCuts / 4, `only ${result.nCuts} cuts`);
    assertConverged(kind, result, n);
  });
}

test('this test catches a server that transforms for the wrong side', async t => {
  const server = await startServer(t, { program: join(root, 'tests/lib/reference_server.mjs'), env: { PILCROW_BREAK: 'sides' } });
  const nOps = 400;
  const result = await workTogether(server, kinds[0], { seed: 7, nOps, nCuts: 1 });

  assert.throws(() => assertConverged(kinds[0], result, nOps));
});
