// Four unmodified npm clients type into one document at once while their lines break, and nobody's work is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { Client, randomTextOp, settled, text, warnings } from '../lib/client.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { root, startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const N_CLIENTS = 4;
const N_WAITING_MAX = 12; // operations that a client keeps waiting behind the one on its way

// Each client submits its share; now and then a line breaks. Returns the texts, the version and the log, at rest.
async function typeTogether(server, { seed, nOps, nCuts }) {
  const clients = Array.from({ length: N_CLIENTS }, (_, i) => {
    const random = new Random(seed + 1000 * (i + 1));
    return new Client(server, { again: () => random.between(1, 60) });
  });
  const docs = [];
  const refused = [];
  const samples = []; // [version, text] of clients that had nothing on its way

  for (const client of clients)
    docs.push(await client.open('notes', 'together', 'We begin.'));

  const writers = docs.map(async (doc, i) => {
    const random = new Random(seed + i);
    const cutEvery = Math.ceil(nOps / nCuts);
    const n = nOps / N_CLIENTS;

    for (let k = 0; k < n; k++) {
      doc.submitOp(randomTextOp(random, doc.data), error => error && refused.push(error));
      if (random.between(0, cutEvery) === 0)
        clients[i].cut();
      if (doc.pendingOps.length > N_WAITING_MAX)
        await new Promise(resolve => doc.once('no write pending', () => resolve(samples.push([doc.version, doc.data]))));
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
  const deadline = Date.now() + 10_000;
  while (docs.some(doc => doc.version < data.v) && Date.now() < deadline)
    await new Promise(resolve => setTimeout(resolve, 20));

  const result = {
    refused, log, samples,
    complaints: [...clients.flatMap(client => client.errors), ...warnings.splice(0)],
    nCuts: clients.reduce((n, client) => n + client.nCuts, 0),
    fetched: data,
    versions: docs.map(doc => doc.version),
    texts: docs.map(doc => doc.data),
  };
  clients.forEach(client => client.close());
  await wire.close();
  return result;
}

function assertConverged({ refused, complaints, fetched, versions, texts, log, samples }, nOps) {
  assert.deepEqual(refused, []);
  assert.deepEqual(complaints, []);
  assert.equal(fetched.v, 1 + nOps, 'version = number of operations sent');
  assert.deepEqual(versions, versions.map(() => 1 + nOps));
  for (const content of texts)
    assert.equal(content, fetched.data);

  assert.deepEqual(log.map(op => op.v), log.map((_, i) => i));
  assert.equal(log.length, 1 + nOps);
  assert.equal(new Set(log.map(op => `${op.src} ${op.seq}`)).size, log.length, 'each operation once');

  const past = [undefined, log[0].create.data]; // by version
  for (const { op } of log.slice(1))
    past.push(text.apply(past.at(-1), op));
  assert.equal(past.at(-1), fetched.data, 'replay from version 0');
  for (const [version, content] of samples)
    assert.equal(content, past[version], `what a client saw at version ${version}`);
}

test('four clients, 5,000 concurrent operations, random disconnects: all equal, nothing lost, nothing twice', async t => {
  const server = await startServer(t);
  const nOps = process.env.PILCROW_LONG ? 50_000 : 5_000;
  const result = await typeTogether(server, { seed: seedOf(t), nOps, nCuts: 80 });

  t.diagnostic(`${result.nCuts} cuts, ${[...result.fetched.data].length} code points at the end, ${result.samples.length} looks on the way`);
  assert(result.nCuts > 20, `only ${result.nCuts} cuts`);
  assertConverged(result, nOps);
});

test('this test catches a server that transforms for the wrong side', async t => {
  const server = await startServer(t, { program: join(root, 'tests/lib/reference_server.mjs'), env: { PILCROW_BREAK: 'sides' } });
  const nOps = 400;
  const result = await typeTogether(server, { seed: 7, nOps, nCuts: 1 });

  assert.throws(() => assertConverged(result, nOps));
});
