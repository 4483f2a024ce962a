// Queries: every document of a collection, once or as it changes. The frames are in tests/unit/api/queries.talk; here
// is what the unmodified npm client makes of them, and many who write at once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client, json0, json1, promised, rich, text, warnings } from '../lib/client.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { startServer } from '../lib/server.mjs';
import { JSON0, TEXT, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });
let nCollections = 0;

const collectionOfItsOwn = () => `c${++nCollections}`;

function clientOf(t, options) {
  const client = new Client(server, options);

  t.after(() => client.close());
  return client;
}

const fetchQuery = ({ connection }, collection, options = null) =>
  promised(done => connection.createFetchQuery(collection, {}, options, done));

async function subscribeQuery({ connection }, collection, options = null) {
  let query;

  await promised(done => { query = connection.createSubscribeQuery(collection, {}, options, done); });
  return query;
}

const create = ({ connection }, collection, id, data, type = json0) =>
  promised(done => connection.get(collection, id).create(data, type.uri, done));
const del = ({ connection }, collection, id) => promised(done => connection.get(collection, id).del(done));
const edit = ({ connection }, collection, id, op) => promised(done => connection.get(collection, id).submitOp(op, done));
const next = (emitter, event) => new Promise(resolve => emitter.once(event, (...args) => resolve(args)));

// Everything that was due has come, and whatever the client asked for because of it as well.
async function atRest({ connection }, query) {
  const pong = next(connection, 'pong');

  connection.ping();
  await pong;
  for (const doc of query.results)
    await new Promise(resolve => doc.whenNothingPending(resolve));
}

const ids = results => results.map(doc => doc.id);
const plain = value => JSON.parse(JSON.stringify(value));
const contents = results => results.map(({ id, version, type, data }) => plain({ id, version, type: type?.uri, data }));

test('a fetch query gives every document that exists, of every type, in the order of the ids', async t => {
  const c = collectionOfItsOwn();
  const [writer, reader] = [clientOf(t), clientOf(t)];

  assert.deepEqual(await fetchQuery(reader, c), []);
  await create(writer, c, 'text', 'hello', text);
  await create(writer, c, 'rich', [{ insert: 'hello', attributes: { bold: true } }], rich);
  await create(writer, c, 'json0', { n: [1, null] });
  await create(writer, c, 'json1', { n: 2 }, json1);
  await create(writer, c, 'gone', 1);
  await del(writer, c, 'gone');
  await create(writer, collectionOfItsOwn(), 'elsewhere', 1);

  const results = await fetchQuery(reader, c);
  assert.deepEqual(contents(results), [
    { id: 'json0', version: 1, type: JSON0, data: { n: [1, null] } },
    { id: 'json1', version: 1, type: json1.uri, data: { n: 2 } },
    { id: 'rich', version: 1, type: rich.uri, data: { ops: [{ insert: 'hello', attributes: { bold: true } }] } },
    { id: 'text', version: 1, type: TEXT, data: 'hello' },
  ]);
  await edit(reader, c, 'rich', [{ retain: 5 }, { insert: '!' }]);
  await edit(reader, c, 'json1', ['n', { ena: 1 }]);
  assert.deepEqual(contents(await fetchQuery(writer, c)), contents(results), 'the writer has them already, and catches up');
});

test('a document that the reader had fetched before is brought up to date', async t => {
  const c = collectionOfItsOwn();
  const [writer, reader] = [clientOf(t), clientOf(t)];

  await create(writer, c, 'a', { n: 1 });
  await promised(done => reader.connection.get(c, 'a').fetch(done));
  await edit(writer, c, 'a', [{ p: ['n'], na: 1 }]);
  for (const ask of [fetchQuery, async (...args) => (await subscribeQuery(...args)).results])
    assert.deepEqual(contents(await ask(reader, c)), [{ id: 'a', version: 2, type: JSON0, data: { n: 2 } }]);
});

test('a live query follows documents that come, change and go, with the events of the client', async t => {
  const c = collectionOfItsOwn();
  const [writer, reader] = [clientOf(t), clientOf(t)];
  const query = await subscribeQuery(reader, c);

  assert.deepEqual(query.results, []);
  for (const [id, at] of [['m', 0], ['a', 0], ['z', 2], ['n', 2]]) {
    const [insert, changed] = [next(query, 'insert'), next(query, 'changed')];
    await create(writer, c, id, { n: 0 });
    const [docs, index] = await insert;
    assert.deepEqual([ids(docs), index], [[id], at]);
    await changed;
  }
  assert.deepEqual(ids(query.results), ['a', 'm', 'n', 'z']);

  const [, doc] = query.results;
  const op = next(doc, 'op');
  await edit(writer, c, 'm', [{ p: ['n'], na: 5 }]);
  await op;
  assert.deepEqual([doc.version, doc.data], [2, { n: 5 }]);

  const remove = next(query, 'remove');
  await del(writer, c, 'm');
  const [docs, index] = await remove;
  assert.deepEqual([ids(docs), index], [['m'], 1]);
  await atRest(reader, query);
  assert.deepEqual([doc.type, doc.version], [null, 3], 'the deletion came behind the removal');

  await create(writer, c, 'm', 'again', text);
  await atRest(reader, query);
  assert.deepEqual(ids(query.results), ['a', 'm', 'n', 'z']);
  assert.deepEqual([doc.type.uri, doc.version, doc.data], [TEXT, 4, 'again']);
  assert.deepEqual(reader.errors, []);
});

test('the author has his own documents in his query, and hears nothing of his own operations', async t => {
  const c = collectionOfItsOwn();
  const author = clientOf(t);
  const query = await subscribeQuery(author, c);
  const heard = [];

  author.connection.on('receive', ({ data }) => data.a === 'op' && data.op && heard.push(data));
  author.connection.on('send', message => message.a === 'f' && heard.push(message));
  await author.open(c, 'a', { n: 0 }, json0);
  await atRest(author, query);
  assert.deepEqual(ids(query.results), ['a']);
  await edit(author, c, 'a', [{ p: ['n'], na: 1 }]);
  await atRest(author, query);
  assert.deepEqual(heard, []);
  assert.equal(query.results[0].data.n, 1);
  await del(author, c, 'a');
  await atRest(author, query);
  assert.deepEqual(query.results, []);
  await create(author, c, 'a', { n: 2 });
  await atRest(author, query);
  assert.deepEqual(contents(query.results), [{ id: 'a', version: 4, type: JSON0, data: { n: 2 } }]);
  assert.deepEqual([...author.errors, ...warnings.splice(0)], []);
});

test('work on the documents of a query that nobody subscribed to', async t => {
  const c = collectionOfItsOwn();
  const [one, two] = [clientOf(t), clientOf(t)];

  await create(one, c, 'a', '', text);
  const queries = [await subscribeQuery(one, c), await subscribeQuery(two, c)];
  await Promise.all([one, two].flatMap((client, i) =>
    Array.from({ length: 50 }, (_, k) => edit(client, c, 'a', [`${i}${k},`]))));
  await atRest(one, queries[0]);
  await atRest(two, queries[1]);
  assert.equal(queries[0].results[0].data, queries[1].results[0].data);
  assert.equal(queries[0].results[0].data.split(',').length, 101);
  assert.deepEqual([...one.errors, ...two.errors, ...warnings.splice(0)], []);
});

test('a query that is destroyed hears no more', async t => {
  const c = collectionOfItsOwn();
  const [writer, reader] = [clientOf(t), clientOf(t)];
  const query = await subscribeQuery(reader, c);
  const heard = [];

  await promised(done => query.destroy(done));
  reader.connection.on('receive', ({ data }) => data.a !== 'pp' && data.a !== 'qu' && heard.push(data));
  await create(writer, c, 'a', 1);
  await edit(writer, c, 'a', [{ p: [], na: 1 }]);
  await atRest(reader, { results: [] });
  assert.deepEqual(heard, []);
});

test('what is refused comes to the callback', async t => {
  const c = collectionOfItsOwn();
  const { connection } = clientOf(t);
  const codeOf = (q, options) => new Promise(resolve => connection.createSubscribeQuery(c, q, options, error => resolve(error?.code)));

  assert.equal(await codeOf({ age: 3 }), 'ERR_QUERY_NOT_SUPPORTED');
  assert.equal(await codeOf({}, { db: 'other' }), 'ERR_DATABASE_ADAPTER_NOT_FOUND');
  assert.equal(await codeOf({}, {}), undefined);
});

test('a query whose documents are too large together is refused, not cut', async t => {
  const c = collectionOfItsOwn();
  const [writer, reader] = [clientOf(t), clientOf(t)];

  for (let i = 0; i < 8; i++)
    await create(writer, c, `d${i}`, 'x'.repeat(1 << 20), text);
  await assert.rejects(fetchQuery(reader, c), { code: 'ERR_LIMIT_EXCEEDED' });
  await del(writer, c, 'd0');
  assert.equal((await fetchQuery(reader, c)).length, 7);
});

test('who was away is told the difference', async t => {
  const c = collectionOfItsOwn();
  const writer = clientOf(t);
  const reader = clientOf(t, { again: () => 0 });

  for (const id of ['a', 'b', 'c', 'd'])
    await create(writer, c, id, { n: 0 });
  const query = await subscribeQuery(reader, c);
  assert.deepEqual(ids(query.results), ['a', 'b', 'c', 'd']);

  reader.isOver = true; // it comes back when we say so
  reader.cut();
  await next(reader.connection, 'disconnected');
  await del(writer, c, 'b');
  await del(writer, c, 'c');
  await create(writer, c, 'c', { n: 'another' });
  await edit(writer, c, 'd', [{ p: ['n'], na: 1 }]);
  await create(writer, c, 'aa', { n: 0 });
  const removed = [], inserted = [];
  query.on('remove', docs => removed.push(...ids(docs)));
  query.on('insert', docs => inserted.push(...ids(docs)));
  const receives = [];
  reader.connection.on('receive', ({ data }) => receives.push(data.a));
  const ready = next(query, 'ready');
  reader.isOver = false;
  reader.connection.bindToSocket(reader.socket());
  await ready;
  await atRest(reader, query);
  assert.deepEqual([removed, inserted], [['b'], ['aa']]);
  assert.deepEqual(contents(query.results), contents(await fetchQuery(clientOf(t), c)));
  assert(!receives.includes('f'), 'the client had no reason to ask');

  await create(writer, c, 'e', 1);
  await atRest(reader, query);
  assert.deepEqual(ids(query.results), ['a', 'aa', 'c', 'd', 'e']);
});

test('a list that the client brings with it is brought up to date', async t => {
  const c = collectionOfItsOwn();
  const [writer, reader] = [clientOf(t), clientOf(t)];
  const doc = id => reader.connection.get(c, id);

  await create(writer, c, 'a', { n: 1 });
  await create(writer, c, 'b', { n: 1 });
  await create(writer, c, 'c', { n: 1 });
  await promised(done => doc('b').fetch(done));
  await edit(writer, c, 'b', [{ p: ['n'], na: 1 }]);
  const query = await subscribeQuery(reader, c, { results: [doc('b'), doc('a'), doc('none')] });
  await atRest(reader, query);
  assert.deepEqual(ids(query.results), ['a', 'b', 'c']);
  assert.deepEqual(contents(query.results), contents(await fetchQuery(writer, c)));
});

test('documents that were purged meanwhile are taken out of the list, or come anew', async t => {
  const c = collectionOfItsOwn();
  const writer = clientOf(t);
  const reader = clientOf(t, { again: () => 0 });
  const purge = id => fetch(`${server.url}/v1/docs/${c}/${id}?purge=true`, { method: 'DELETE' });

  for (const id of ['a', 'b', 'c', 'd'])
    await create(writer, c, id, { n: 0 });
  const query = await subscribeQuery(reader, c);

  reader.isOver = true;
  reader.cut();
  await next(reader.connection, 'disconnected');
  for (const id of ['b', 'c'])
    assert.equal((await purge(id)).status, 204);
  await create(clientOf(t), c, 'c', { n: 'another' });
  await edit(writer, c, 'd', [{ p: ['n'], na: 1 }]);
  const refused = next(reader.connection.get(c, 'c'), 'error'); // this client keeps what it has, and says so
  const ready = next(query, 'ready');
  query.on('error', error => assert.fail(error));
  reader.isOver = false;
  reader.connection.bindToSocket(reader.socket());
  await ready;
  assert.equal((await refused)[0].code, 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND');
  await atRest(reader, query);
  assert.deepEqual(query.results.map(({ id, version }) => [id, version]), [['a', 1], ['c', 1], ['d', 2]]);

  const wire = await Wire.open(server);
  t.after(() => wire.close());
  wire.send({ a: 'qs', id: 1, c, q: {}, r: [['a', 1], ['b', 1], ['c', 1], ['d', 2]] });
  assert.deepEqual((await wire.next()).diff, [{ type: 'remove', index: 1, howMany: 2 },
    { type: 'insert', index: 1, values: [{ d: 'c', v: 3, data: { n: 'another' } }] }]);
  await edit(writer, c, 'a', [{ p: ['n'], na: 1 }]);
  await atRest(reader, query);
  assert.equal(query.results[0].data.n, 1);
});

test('a server that was killed while a query lived', async t => {
  const killed = await startServer(t);
  const [writer, reader] = [new Client(killed), new Client(killed)];
  t.after(() => [writer, reader].forEach(client => client.close()));

  const query = await subscribeQuery(reader, 'c');
  for (const id of ['a', 'b', 'c'])
    await create(writer, 'c', id, { n: 0 });
  await atRest(reader, query);
  const ready = next(query, 'ready');
  const disconnected = next(reader.connection, 'disconnected');
  await killed.kill();
  await disconnected;
  await killed.restart();
  await ready;
  await edit(writer, 'c', 'b', [{ p: ['n'], na: 1 }]);
  await del(writer, 'c', 'a');
  await atRest(reader, query);
  assert.deepEqual(contents(query.results), contents(await fetchQuery(writer, 'c')));
  assert.deepEqual(ids(query.results), ['b', 'c']);
});

test('1,200 documents made by four while a fifth follows', async t => {
  const c = collectionOfItsOwn();
  const writers = await Promise.all(Array.from({ length: 4 }, () => Wire.open(server)));
  const reader = clientOf(t);
  const query = await subscribeQuery(reader, c);

  await Promise.all(writers.flatMap((wire, i) => Array.from({ length: 300 }, (_, k) =>
    wire.createText(c, `${k % 10}-${i}-${k}`, `${i} ${k}`))));
  await atRest(reader, query);
  assert.equal(query.results.length, 1200);
  const fetched = await fetchQuery(clientOf(t), c);
  assert.deepEqual(contents(query.results), contents(fetched));
  assert.deepEqual(ids(fetched), ids(fetched).toSorted());
  await Promise.all(writers.map(wire => wire.close()));
});

// Each writer has documents of its own; everybody follows all of them. Lines break; one server's life.
async function churn(t, seed, n) {
  const c = collectionOfItsOwn();
  const random = new Random(seed);
  const clients = Array.from({ length: 5 }, () => clientOf(t, { again: () => random.between(1, 20) }));
  const queries = await Promise.all(clients.map(client => subscribeQuery(client, c)));

  const write = async (client, i) => {
    for (let k = 0; k < n; k++) {
      const id = `${random.between(0, 8)}${i}`;
      const doc = client.connection.get(c, id);
      if (!doc.type)
        await create(client, c, id, { n: 0, who: i });
      else if (random.next() < 0.4)
        await del(client, c, id);
      else
        await edit(client, c, id, [{ p: ['n'], na: 1 }]);
      if (random.next() < 0.02)
        client.cut();
    }
  };
  const cutFollowers = async writing => {
    let isOver = false;
    writing.then(() => { isOver = true; }, () => { isOver = true; });
    while (!isOver) {
      clients[3].cut();
      await new Promise(resolve => setTimeout(resolve, random.between(5, 40)));
    }
  };
  const writing = Promise.all(clients.slice(0, 3).map(write));
  await Promise.all([writing, cutFollowers(writing)]);

  const wanted = contents(await fetchQuery(clientOf(t), c));
  for (const [i, client] of clients.entries()) {
    if (client.connection.state !== 'connected')
      await next(client.connection, 'connected');
    if (!queries[i].ready || !queries[i].sent)
      await next(queries[i], 'ready');
    await atRest(client, queries[i]);
    await atRest(client, queries[i]);
    assert.deepEqual(contents(queries[i].results), wanted, `client ${i}`);
    assert.deepEqual(client.errors, []);
  }
  t.diagnostic(`${clients.reduce((sum, client) => sum + client.nCuts, 0)} cuts, ${wanted.length} documents at the end`);
}

test('documents come and go while lines break, and every list is the same in the end', async t => {
  const seed = seedOf(t);
  const nRuns = process.env.PILCROW_LONG ? 20 : 2;

  for (let i = 0; i < nRuns; i++)
    await churn(t, seed + i, 150);
});
