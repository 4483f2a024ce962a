// Documents of every type, edited, killed and opened again: each is what it was, and what its log says it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, settled } from '../lib/client.mjs';
import { kinds } from '../lib/kinds.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { pilcrow, run, startServer } from '../lib/server.mjs';

const N_ROUNDS = 3;
const N_OPS = 600; // each round; more than enough for the server to keep a snapshot on the way

const plain = value => JSON.parse(JSON.stringify(value));

async function edit(server, { type, initial, randomOp }, random, before) {
  const client = new Client(server);
  const doc = await client.open('notes', type.name, initial, type);

  if (before) assert.deepEqual(plain(doc.data), before);
  for (let i = 0; i < N_OPS; i++) {
    doc.submitOp(randomOp(random, doc.data));
    if (i % 20 === 0) await settled([doc]);
  }
  await settled([doc]);
  assert.deepEqual(client.errors, []);
  client.close();
  return plain(doc.data);
}

test('documents of every type survive kill -9, and check finds them in order', async t => {
  const server = await startServer(t);
  const seed = seedOf(t);
  const seen = {};

  for (let round = 0; round < N_ROUNDS; round++) {
    await Promise.all(kinds.map(async (kind, i) => {
      seen[kind.type.name] = await edit(server, kind, new Random(seed + 10 * round + i), seen[kind.type.name]);
    }));
    await server.kill();
    await server.restart();
  }
  const { code, stdout } = await run(pilcrow, ['--data', server.data, 'check']);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^4 documents, \d+ operations, 0 damaged$/m);
});
