// kill -9 under load: every acknowledged operation is there afterwards, exactly once, and nobody ever saw one that is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { Client, randomTextOp, settled } from '../lib/client.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { root, startServer } from '../lib/server.mjs';
import { Witness } from '../lib/witness.mjs';

const DOCUMENTS = ['red', 'green', 'blue'];
const N_ROUNDS = process.env.PILCROW_LONG ? 200 : 20;

const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

test(`${N_ROUNDS} times kill -9 under load, in every other round while the store is compacted`, async t => {
  const random = new Random(seedOf(t));
  const server = await startServer(t);
  const witness = new Witness(server, random, DOCUMENTS);
  t.after(() => witness.abandon());

  // Two people with the npm client write through all of it, too.
  const people = [0, 1].map(() => new Client(server, { again: () => random.between(5, 40) }));
  const docs = [];
  for (const person of people)
    docs.push(await person.open('notes', 'people', 'hello'));
  let isTyping = true;
  let nTyped = 0;
  const typing = Promise.all(docs.map(async doc => {
    while (isTyping) {
      if (doc.pendingOps.length < 5) {
        doc.submitOp(randomTextOp(random, doc.data));
        nTyped++;
      }
      await pause(random.between(1, 8));
    }
  }));

  let isCompacting = false;
  let nCompactions = 0;
  const compacting = async () => {
    while (isCompacting)
      nCompactions += await fetch(`${server.url}/v1/compact`, { method: 'POST', body: '' }).then(({ status }) => status === 200, () => 0);
  };

  await witness.start();
  for (let round = 0; round < N_ROUNDS; round++) {
    const before = witness.nAcknowledged;
    while (witness.nAcknowledged < before + 10)
      await pause(1); // there is load
    isCompacting = round % 2 === 1;
    const compacted = compacting();
    await pause(random.between(20, 250));
    await server.kill();
    isCompacting = false;
    await compacted;
    await server.restart();
    await witness.check();
  }
  isTyping = false;
  await typing;
  await witness.rest();
  await witness.check();
  await settled(docs);

  t.diagnostic(`${N_ROUNDS} kills, ${witness.nAcknowledged} acknowledged, ${witness.nShown} shown, ${nTyped} typed, ${nCompactions} compactions`);
  assert(nCompactions > 0);
  assert.deepEqual(people.flatMap(person => person.errors), []);
  for (let wait = 0; docs[0].version !== docs[1].version && wait < 500; wait++)
    await pause(10);
  assert.equal(docs[0].data, docs[1].data);
  assert.equal(docs[0].version, 1 + nTyped);
  people.forEach(person => person.close());
});

test('this test catches a server that forgets', async t => {
  const random = new Random(1);
  const server = await startServer(t, { program: join(root, 'tests/lib/reference_server.mjs') });
  const witness = new Witness(server, random, DOCUMENTS);
  t.after(() => witness.abandon());

  await witness.start();
  while (witness.nAcknowledged < 50)
    await pause(1);
  await server.kill();
  await server.restart();
  await assert.rejects(witness.check(), /faults|lost|shown/);
});
