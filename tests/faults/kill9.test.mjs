// kill -9 under load: every acknowledged operation is there afterwards, exactly once, and nobody ever saw one that is not.
import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { test } from 'node:test';
import { join } from 'node:path';
import { Client, randomTextOp, settled } from '../lib/client.mjs';
import { startOnClock } from '../lib/clock.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { pilcrow, root, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';
import { Witness } from '../lib/witness.mjs';

const DOCUMENTS = ['red', 'green', 'blue'];
const N_ROUNDS = process.env.PILCROW_LONG ? 200 : 20;
const N_MERGES = process.env.PILCROW_LONG ? 50 : 5;
const DAY = 86_400;

const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

async function assertSound(data) {
  const { code, stdout, stderr } = await run(pilcrow, ['--data', data, 'check']);

  assert.equal(code, 0, stdout + stderr);
}

test(`${N_ROUNDS} times kill -9 under load, while the store is compacted, or copied, or neither`, async t => {
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

  const folder = temporaryDirectory(t);
  let isWorking = false;
  let nCompactions = 0;
  let nBackups = 0;
  const compacting = async () => {
    while (isWorking)
      nCompactions += await fetch(`${server.url}/v1/compact`, { method: 'POST', body: '' }).then(({ status }) => status === 200, () => 0);
  };
  const backingUp = async () => {
    for (let i = 0; isWorking; i++) {
      const copy = join(folder, `${nBackups}-${i}`);
      const { code } = await run(pilcrow, ['--server', server.url, 'backup', copy]);

      assert.equal(existsSync(join(copy, 'data.mdb')), code === 0);
      if (code === 0 && nBackups++ % 4 === 0)
        await assertSound(copy);
    }
  };
  const works = [async () => {}, compacting, backingUp];

  await witness.start();
  for (let round = 0; round < N_ROUNDS; round++) {
    const before = witness.nAcknowledged;
    while (witness.nAcknowledged < before + 10)
      await pause(1); // there is load
    isWorking = true;
    const work = works[round % works.length]();
    await pause(random.between(20, 250));
    await server.kill();
    isWorking = false;
    await work;
    await server.restart();
    await witness.check();
  }
  isTyping = false;
  await typing;
  await witness.rest();
  await witness.check();
  await settled(docs);

  t.diagnostic(`${N_ROUNDS} kills, ${witness.nAcknowledged} acknowledged, ${witness.nShown} shown, ${nTyped} typed, ${nCompactions} compactions, ${nBackups} backups`);
  assert(nCompactions > 0);
  assert(nBackups > 0);
  assert.deepEqual(people.flatMap(person => person.errors), []);
  for (let wait = 0; docs[0].version !== docs[1].version && wait < 500; wait++)
    await pause(10);
  assert.equal(docs[0].data, docs[1].data);
  assert.equal(docs[0].version, 1 + nTyped);
  people.forEach(person => person.close());
  await server.stop();
  await assertSound(server.data);
});

const N_OLD = 20; // documents
const typed = i => Array.from({ length: 40 }, (_, k) => String.fromCharCode(97 + (i + k) % 26)).join('');

async function writeOld(server) {
  const wire = await Wire.open(server);

  for (let i = 0; i < N_OLD; i++) {
    await wire.createText('notes', `old${i}`, '');
    for (const [k, letter] of [...typed(i)].entries())
      await wire.submit('notes', `old${i}`, { v: k + 1, op: [k, letter].filter(part => part !== 0) });
  }
  await wire.close();
}

test(`${N_MERGES} times kill -9 while what is old is merged: each document has all of its text, and is merged in the end`, async t => {
  const random = new Random(seedOf(t));
  const server = await startOnClock(t, { seconds: -60 * DAY });
  const old = join(temporaryDirectory(t), 'old');
  let nWithin = 0;

  await writeOld(server);
  await server.stop();
  cpSync(server.data, old, { recursive: true });
  server.clock.add(0);
  const merge = () => fetch(`${server.url}/v1/compact?retention=notes=30`, { method: 'POST', body: '' }).then(({ status }) => status, () => 0);
  const isMerged = async i => (await fetch(`${server.url}/v1/docs/notes/old${i}/ops?from=5`)).status === 410;
  const howMany = async () => (await Promise.all(Array.from({ length: N_OLD }, (_, i) => isMerged(i)))).filter(Boolean).length;
  const assertTexts = async () => {
    for (let i = 0; i < N_OLD; i++)
      assert.equal(await (await fetch(`${server.url}/v1/docs/notes/old${i}`)).text(), typed(i));
  };

  for (let round = 0; round < N_MERGES; round++) {
    cpSync(old, server.data, { recursive: true, force: true });
    await server.restart();
    const cut = merge();
    await pause(random.between(1, 100));
    await server.kill();
    await cut;
    await assertSound(server.data);
    await server.restart();
    const n = await howMany();
    nWithin += n > 0 && n < N_OLD;
    await assertTexts();
    assert.equal(await merge(), 200);
    assert.equal(await howMany(), N_OLD);
    await assertTexts();
    await server.kill();
    await assertSound(server.data);
  }
  t.diagnostic(`${nWithin} of ${N_MERGES} kills fell between the first document and the last`);
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
