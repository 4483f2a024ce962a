// Forgetting for good, sizes and compaction over HTTP, with followers on WebSockets; and what is left in the files.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, promised, settled, text } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';
import { ask, get, put, server } from './rest.mjs';

// Whether any file of the store holds it.
const isAnywhere = (data, mark) => readdirSync(data).some(name => readFileSync(join(data, name)).includes(mark));
const purge = path => ask('DELETE', `${path}?purge=true`);
const compact = () => ask('POST', '/v1/compact', { body: '' });
const sizes = async () => (await get('/v1/store')).json;

test('a purged document is gone, and its version goes on', async () => {
  await put('/v1/docs/notes/a', 'one');
  assert.equal((await put('/v1/docs/notes/a', 'two', { 'if-match': '*' })).status, 200);

  const gone = await purge('/v1/docs/notes/a');
  assert.deepEqual([gone.status, gone.headers['pilcrow-version'], gone.text], [204, '3', '']);
  assert.equal((await get('/v1/docs/notes/a')).status, 404);
  assert.equal((await get('/v1/docs/notes/a?version=1')).code, 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND');
  assert.equal((await get('/v1/docs/notes/a/ops?from=0')).status, 410);
  assert.equal((await purge('/v1/docs/notes/a')).code, 'ERR_DOC_DOES_NOT_EXIST');

  const again = await put('/v1/docs/notes/a', 'three');
  assert.deepEqual([again.status, again.headers['pilcrow-version']], [201, '4']);
  assert.equal((await get('/v1/docs/notes/a')).text, 'three');
});

test('without from the log begins with the first operation that is kept', async () => {
  await put('/v1/docs/notes/kept', 'one');
  await purge('/v1/docs/notes/kept');
  const page = async query => {
    const { status, json } = await get(`/v1/docs/notes/kept/ops?${query}`);
    return status === 200 ? [json.from, json.to, json.head, json.ops.length] : status;
  };

  assert.deepEqual(await page(''), [2, 2, 2, 0]);
  for (const text of ['two', 'three', 'four'])
    await put('/v1/docs/notes/kept', text, text === 'two' ? {} : { 'if-match': '*' });
  assert.deepEqual(await page(''), [2, 5, 5, 3]);
  assert.deepEqual(await page('wait=9'), [2, 5, 5, 3]);
  assert.deepEqual(await page('limit=2'), [2, 4, 5, 2]);
  assert.deepEqual(await page('to=3'), [2, 3, 5, 1]);
  assert.deepEqual(await page('to=2'), [2, 2, 5, 0]);
  assert.deepEqual([await page('to=1'), await page('from=0')], [410, 410]);
});

test('a deleted document can be purged, one that never was can not', async () => {
  await put('/v1/docs/notes/b', 'one');
  assert.equal((await ask('DELETE', '/v1/docs/notes/b')).status, 204);
  assert.equal((await get('/v1/docs/notes/b?version=1')).text, 'one');
  assert.equal((await purge('/v1/docs/notes/b')).headers['pilcrow-version'], '2');
  assert.equal((await get('/v1/docs/notes/b?version=1')).status, 410);
  assert.equal((await purge('/v1/docs/notes/never')).status, 404);
});

test('conditions are honoured, and what is no true or false is refused', async () => {
  await put('/v1/docs/notes/c', 'one');
  assert.equal((await ask('DELETE', '/v1/docs/notes/c?purge=true', { headers: { 'if-match': '"v9-x"' } })).status, 412);
  assert.equal((await ask('DELETE', '/v1/docs/notes/c?purge=yes')).status, 400);
  assert.equal((await get('/v1/docs/notes/c')).text, 'one');
  assert.equal((await ask('DELETE', '/v1/docs/notes/c?purge=false')).status, 204);
  assert.equal((await get('/v1/docs/notes/c?version=1')).text, 'one');
});

test('who follows hears the deletion, and what is created later', async t => {
  const client = new Client(server);
  t.after(() => client.close());
  const doc = await client.open('notes', 'd', 'hello');

  const deleted = new Promise(resolve => doc.once('del', resolve));
  assert.equal((await purge('/v1/docs/notes/d')).status, 204);
  await deleted;
  assert.deepEqual([doc.type, doc.version], [null, 2]);

  const created = new Promise(resolve => doc.once('create', resolve));
  await put('/v1/docs/notes/d', 'again');
  await created;
  assert.deepEqual([doc.data, doc.version], ['again', 3]);
  await promised(done => doc.submitOp([5, '!'], done));
  assert.equal((await get('/v1/docs/notes/d')).text, 'again!');
  assert.deepEqual(client.errors, []);
});

test('who was away with an old version is refused, and nothing of his is merged', async t => {
  const client = new Client(server, { again: () => 200 });
  t.after(() => client.close());
  const doc = await client.open('notes', 'e', 'hello');
  const away = new Promise(resolve => client.connection.once('disconnected', resolve));

  client.cut();
  await away;
  const refused = promised(done => doc.submitOp([5, ' from long ago'], done));
  const outcome = refused.then(() => null, error => error);
  assert.equal((await purge('/v1/docs/notes/e')).status, 204);
  await put('/v1/docs/notes/e', 'another document');
  assert.equal((await outcome).code, 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND');
  assert.equal((await get('/v1/docs/notes/e')).text, 'another document');
});

test('after a purge and a compaction no byte of it is in any file', async t => {
  const client = new Client(server);
  t.after(() => client.close());
  const large = Array.from({ length: 40_000 }, (_, i) => `marked-${(i * 2654435761) % 4294967296}`).join(' ');
  const doc = await client.open('marked-collection', 'marked-id', 'marked-content');

  await promised(done => doc.submitOp([large], done)); // kept apart from its record, and due for a snapshot
  await promised(done => doc.submitOp(['marked-word '], done));
  await ask('PUT', '/v1/docs/marked-collection/other', { body: 'marked-other', headers: { 'content-type': 'text/plain', 'pilcrow-author': 'marked-author' } });
  await settled([doc]);
  for (const id of ['marked-id', 'other'])
    assert.equal((await purge(`/v1/docs/marked-collection/${id}`)).status, 204);
  assert.equal((await sizes()).n_batches, 0);

  const answer = await compact();
  assert.equal(answer.status, 200, answer.text);
  assert.equal(isAnywhere(server.data, 'marked'), false);
  assert.equal(isAnywhere(server.data, client.connection.id), false);
  assert.equal((await get('/v1/docs')).json.collections.some(({ collection }) => collection === 'marked-collection'), false);
  assert.equal(doc.type, null);
  assert.equal((await put('/v1/docs/marked-collection/marked-id', 'new')).headers['pilcrow-version'], String(doc.version + 1));
});

test('sizes and compaction: before, after, and the file itself', async () => {
  for (let i = 0; i < 8; i++)
    await put(`/v1/docs/space/${i}`, String(i).repeat(200_000) + Math.random());
  for (let i = 0; i < 8; i++)
    await purge(`/v1/docs/space/${i}`);

  const { status, json } = await compact();
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(json), ['before', 'after']);
  assert.deepEqual(Object.keys(json.after), Object.keys(await sizes()));
  assert.ok(json.after.file_bytes < json.before.file_bytes);
  assert.equal(json.after.n_documents, json.before.n_documents);
  assert.equal(readFileSync(join(server.data, 'data.mdb')).length, json.after.file_bytes);
  assert.match((await get('/metrics')).text, new RegExp(`^pilcrow_store_bytes ${(await sizes()).file_bytes}$`, 'm'));

  await server.kill();
  await server.restart();
  assert.equal((await sizes()).n_documents, json.after.n_documents);
});

test('writers wait while the store is compacted, and nobody loses anything', async t => {
  const client = new Client(server);
  t.after(() => client.close());
  const doc = await client.open('notes', 'busy', '');
  let compacting = true;
  let count = 0;

  const answers = Promise.all([compact(), compact()]).finally(() => (compacting = false));
  while (compacting) {
    await promised(done => doc.submitOp(text.normalize([doc.data.length, 'x']), done));
    count++;
  }
  const [one, other] = await answers;
  assert.deepEqual([one.status, other.status].sort(), [200, 409]);
  assert.equal((one.status === 409 ? one : other).code, 'ERR_COMPACTING');
  assert.equal((await get('/v1/docs/notes/busy')).text, 'x'.repeat(count));
  assert.deepEqual(client.errors, []);
});

test('all of it wants the right admin', async t => {
  const tokens = tokenFile({ after }, principal('ink', 'write', 'ink'), principal('ruler', 'admin', 'ruler'));
  const guarded = await startServer(t, { args: tokens.args });
  const send = (method, path, who) => fetch(guarded.url + path, { method, body: method === 'POST' ? '' : undefined, headers: bearer(who) });

  await fetch(`${guarded.url}/v1/docs/notes/a`, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain', ...bearer('ink') } });
  for (const [method, path] of [['DELETE', '/v1/docs/notes/a?purge=true'], ['GET', '/v1/store'], ['POST', '/v1/compact']]) {
    const refused = await send(method, path, 'ink');
    assert.deepEqual([refused.status, (await refused.json()).code], [403, 'ERR_NOT_ALLOWED'], path);
    assert.match(refused.headers.get('www-authenticate'), /scope="admin"/);
  }
  assert.equal((await send('GET', '/v1/docs/notes/a', 'ink')).status, 200);
  for (const [method, path, status] of [['GET', '/v1/store', 200], ['DELETE', '/v1/docs/notes/a?purge=true', 204], ['POST', '/v1/compact', 200]])
    assert.equal((await send(method, path, 'ruler')).status, status, path);
});
