// Clients of former versions of the npm package, beside one of today: protocol 1.0 (1.1), 1.1 (1.9 to 4), 1.2 (5 on).
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Client, promised, randomTextOp, rich, settled, text } from '../lib/client.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { startServer } from '../lib/server.mjs';

const require = createRequire(import.meta.url);
const N_OPS = 60; // of each
const timeout = 60_000;

// A fresh server, a client of that version and one of today; no client complained in the end.
async function meet(t, name, { again } = {}) {
  const server = await startServer(t);
  const { Connection, types } = require(`${name}/lib/client`);

  types.register(text);
  types.register(rich);
  const clients = [new Client(server, { again, Kind: Connection }), new Client(server, { again })];
  t.after(() => {
    for (const client of clients) client.close();
  });
  return clients;
}

async function assertAlike(clients, [one, other], version) {
  await settled([one, other]);
  for (const doc of [one, other]) await promised(done => doc.fetch(done));
  assert.equal(one.version, version);
  assert.equal(other.version, version);
  assert.deepEqual(one.data, other.data);
  assert.deepEqual(clients.flatMap(client => client.errors), []);
}

async function editTogether(t, name) {
  const seed = seedOf(t);
  const random = new Random(seed);
  const clients = await meet(t, name, { again: () => random.between(1, 30) });
  const docs = [await clients[0].open('notes', 'n', 'ink'), await clients[1].open('notes', 'n')];

  await Promise.all(docs.map(async (doc, i) => {
    const own = new Random(seed + i + 1);

    for (let k = 0; k < N_OPS; k++) {
      doc.submitOp(randomTextOp(own, doc.data), error => error && clients[i].errors.push(error));
      if (k % 15 === 14) clients[i].cut();
      await new Promise(setImmediate);
    }
  }));
  await assertAlike(clients, docs, 1 + 2 * N_OPS);
}

// Documents of two types: created, changed from both sides, deleted, and created again as the other type.
async function createAndDelete(t, name) {
  const clients = await meet(t, name);
  const [theirs, ours] = clients.map(({ connection }) => connection.get('notes', 'twice'));

  await promised(done => ours.subscribe(done));
  await promised(done => theirs.create({ list: [1] }, done));
  await promised(done => theirs.submitOp([{ p: ['list', 0], li: 0 }], done));
  await promised(done => ours.fetch(done));
  await promised(done => ours.submitOp([{ p: ['list', 2], li: 2 }], done));
  await promised(done => theirs.fetch(done));
  assert.deepEqual(theirs.data, { list: [0, 1, 2] });
  await promised(done => theirs.del(done));
  await promised(done => ours.fetch(done));
  await promised(done => ours.create({ ops: [{ insert: 'paper' }] }, rich.uri, done));
  await promised(done => theirs.subscribe(done));
  assert.deepEqual(JSON.parse(JSON.stringify(theirs.data)), { ops: [{ insert: 'paper' }] });
  await assertAlike(clients, [theirs, ours], 5);
}

// Several documents in one request; an operation that is refused; a snapshot of the past, where the version knows it.
async function askAndBeRefused(t, name) {
  const clients = await meet(t, name);
  const [{ connection }, today] = clients;

  for (const id of ['a', 'b']) await today.open('notes', id, id);
  const docs = ['a', 'b', 'none'].map(id => connection.get('notes', id));
  connection.startBulk();
  const subscribed = Promise.all(docs.map(doc => promised(done => doc.subscribe(done))));
  connection.endBulk();
  await subscribed;
  assert.deepEqual(docs.map(doc => [doc.version, doc.data]), [[1, 'a'], [1, 'b'], [0, undefined]]);

  await today.open('notes', 'c', 'c');
  const late = connection.get('notes', 'c');
  await assert.rejects(promised(done => late.create('mine', text.uri, done)), { code: 'ERR_DOC_ALREADY_CREATED' });
  assert.deepEqual([late.version, late.data], [1, 'c']);
  await promised(done => late.submitOp(['x'], done));
  await promised(done => docs[0].submitOp(['y'], done));
  assert.deepEqual([late.data, docs[0].data], ['xc', 'ya']);
  const past = await promised(done => connection.fetchSnapshot('notes', 'a', 1, done));
  assert.equal(past.data, 'a');
}

// What one shows on a channel, the other sees; it is gone with the line.
async function showPresence(t, name) {
  const clients = await meet(t, name);
  const [theirs, ours] = clients.map(({ connection }) => connection.getPresence('room'));
  // It may be shown more than once: whoever is asked to show himself does so again.
  const received = (presence, ...expected) => new Promise(resolve =>
    presence.on('receive', (...shown) => JSON.stringify(shown) === JSON.stringify(expected) && resolve()));

  for (const presence of [theirs, ours]) await promised(done => presence.subscribe(done));
  for (const [from, to, id] of [[theirs, ours, 'caret'], [ours, theirs, 'other']]) {
    const seen = received(to, id, { x: 1 });

    from.create(id).submit({ x: 1 });
    await seen;
  }
  const gone = received(ours, 'caret', null);
  clients[0].close();
  await gone;
}

for (const name of ['sharedb-legacy', 'sharedb-1', 'sharedb-2', 'sharedb-3', 'sharedb-4', 'sharedb-5', 'sharedb-6', 'sharedb']) {
  const { version } = require(`${name}/package.json`);

  test(`${version}: edits with one of today while lines break`, { timeout }, t => editTogether(t, name));
  test(`${version}: creates, deletes, creates again`, { timeout }, t => createAndDelete(t, name));
  test(`${version}: asks for many, is refused, reads the past`, { timeout }, t => askAndBeRefused(t, name));
  if (name !== 'sharedb-legacy') // which has none
    test(`${version}: shows and sees presence`, { timeout }, t => showPresence(t, name));
}
