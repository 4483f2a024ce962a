// A request that is repeated gives the answer of the first and no second operation: by Idempotency-Key, or by src and seq.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { startOnClock } from '../lib/clock.mjs';
import { startServer } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';
import { OP, TEXT, ask, askAt, get, opsOf, put, server } from './rest.mjs';

const DAY = 86_400;
let n = 0;
const fresh = () => `/v1/docs/again/doc${++n}`;
const withKey = (headers, key = randomUUID()) => ({ ...TEXT, ...headers, 'idempotency-key': key });
const told = ({ status, headers, text }) => ({ status, etag: headers.etag, version: headers['pilcrow-version'], location: headers.location, text });
const head = async path => Number((await get(path)).headers['pilcrow-version']);

// Sent once, then others write, then sent again.
async function twice(send, meanwhile) {
  const first = await send();

  await meanwhile?.();
  assert.deepEqual(told(await send()), told(first));
  return first;
}
const others = path => () => put(path, `theirs ${randomUUID()}`, { 'if-match': '*' });

test('PUT that creates: 201 again, not 412', async () => {
  const path = fresh();
  const headers = withKey({ 'if-none-match': '*' });
  const first = await twice(() => put(path, 'mine', headers), others(path));

  assert.deepEqual([first.status, first.headers['pilcrow-version'], first.headers.location], [201, '1', path]);
  assert.equal(await head(path), 2);
  await ask('DELETE', path);
  assert.deepEqual(told(await put(path, 'mine', headers)), told(first), 'also when it is gone: it had been done');
});

test('PUT that replaces: with an ETag, "*", by base', async () => {
  for (const [condition, query] of [[etag => ({ 'if-match': etag }), ''], [() => ({ 'if-match': '*' }), ''], [() => ({}), '?base=1']]) {
    const path = fresh();
    const { etag } = (await put(path, 'text')).headers;
    const headers = withKey(condition(etag));
    const first = await twice(() => put(`${path}${query}`, 'my text', headers), others(path));

    assert.deepEqual([first.status, first.headers['pilcrow-version']], [200, '2']);
    assert(first.headers.etag);
    assert.equal(await head(path), 3);
  }
});

test('PUT by base that was merged: again without an ETag', async () => {
  const path = fresh();

  await put(path, 'one two');
  await put(path, 'one two three', { 'if-match': '*' });
  const headers = withKey();
  const first = await twice(() => put(`${path}?base=1`, 'ONE two', headers), others(path));
  assert.deepEqual([first.headers['pilcrow-version'], first.headers.etag], ['3', undefined]);
});

test('DELETE: 204 again, not 404, and what was created since stays', async () => {
  const path = fresh();
  const { etag } = (await put(path, 'x')).headers;
  const headers = withKey({ 'if-match': etag });

  await twice(() => ask('DELETE', path, { headers }), () => put(path, 'another'));
  assert.equal((await get(path)).text, 'another');
});

test('POST to a collection: one document, 201 and its Location again', async () => {
  const headers = withKey();
  const first = await twice(() => ask('POST', '/v1/docs/again', { body: 'made once', headers }));

  assert.equal(first.status, 201);
  assert.match(first.headers.location, /^\/v1\/docs\/again\/[0-9a-z]{26}$/);
  await others(first.headers.location)();
  assert.deepEqual(told(await ask('POST', '/v1/docs/again', { body: 'made once', headers })), told(first));
  const other = await ask('POST', '/v1/docs/again', { body: 'made once', headers: withKey() });
  assert.notEqual(other.headers.location, first.headers.location);
  const reused = await ask('POST', '/v1/docs/again', { body: 'made twice', headers });
  assert.deepEqual([reused.status, reused.code], [422, 'ERR_IDEMPOTENCY_KEY_REUSED']);
});

test('operations: PATCH and POST on ops', async () => {
  const path = fresh();

  await put(path, 'abc');
  for (const [method, where] of [['PATCH', path], ['POST', `${path}/ops`]]) {
    const headers = { 'content-type': OP, 'idempotency-key': randomUUID() };
    const before = await head(path);
    await twice(() => ask(method, where, { body: JSON.stringify({ v: 1, op: ['x'] }), headers }), others(path));
    assert.equal(await head(path), before + 2);
  }
});

test('restore: with a key, or with src and seq, under a condition too', async () => {
  const path = fresh();

  await put(path, 'one');
  await put(path, 'two', { 'if-match': '*' });
  const { etag } = (await get(path)).headers;
  const body = JSON.stringify({ version: 1 });
  const headers = { 'content-type': 'application/json' };
  const first = await twice(() => ask('POST', `${path}/restore`, { body, headers: { ...headers, 'idempotency-key': 'back', 'if-match': etag } }), others(path));

  assert.deepEqual([first.status, first.json.v], [200, 2]);
  const now = (await get(path)).headers.etag;
  const named = JSON.stringify({ version: 1, src: 'me', seq: 7 });
  await twice(() => ask('POST', `${path}/restore`, { body: named, headers: { ...headers, 'if-match': now } }), others(path));
  assert.equal(await head(path), 6);
});

test('restore: the answer of the first although the version was merged since', async t => {
  const own = await startOnClock(t, { seconds: -60 * DAY });
  const path = '/v1/docs/again/merged';
  const send = (method, suffix, body, headers) => askAt(own, method, `${path}${suffix}`, { body, headers });
  const edit = v => send('POST', '/ops', JSON.stringify({ v, op: [`${v}`], src: 'pen', seq: v }), { 'content-type': OP });

  await send('PUT', '', '', TEXT);
  for (let v = 1; v < 5; v++) assert.equal((await edit(v)).status, 200);
  own.clock.add(0);
  const restores = [];
  for (const [version, named, key] of [[2, {}, { 'idempotency-key': 'back' }], [3, { src: 'me', seq: 1 }, {}]]) {
    const headers = { 'content-type': 'application/json', 'if-match': (await send('GET', '')).headers.etag, ...key };
    const restore = () => send('POST', '/restore', JSON.stringify({ version, ...named }), headers);

    restores.push([restore, told(await restore())]);
    assert.equal(restores.at(-1)[1].status, 200);
  }
  assert.equal((await askAt(own, 'POST', '/v1/compact?retention=again=30', { body: '' })).status, 200);
  for (const version of [2, 3]) assert.equal((await send('POST', '/restore', `{"version":${version}}`)).status, 410);
  for (const [restore, first] of restores) assert.deepEqual(told(await restore()), first);
});

test('src and seq: under If-Match the same answer, too', async () => {
  const path = fresh();
  const { etag } = (await put(path, 'abc')).headers;
  const body = JSON.stringify({ v: 1, op: ['x'], src: 'me', seq: 1 });

  await twice(() => ask('PATCH', path, { body, headers: { 'content-type': OP, 'if-match': etag } }), others(path));
  assert.equal((await opsOf(path)).length, 3);
});

test('the same key with another request: 422, whatever differs', async () => {
  const path = fresh();
  const key = { 'idempotency-key': 'once' };
  const op = { 'content-type': OP, ...key };

  await put(path, 'text', key);
  for (const answer of [
    await put(path, 'text2', key), await put(`${path}?type=text-unicode`, 'text', key), await put(path, '"text"', { ...key, 'content-type': 'application/json' }),
    await ask('DELETE', path, { headers: key }), await ask('PATCH', path, { body: '{"v":1,"op":["x"]}', headers: op }),
    await ask('POST', `${path}/ops`, { body: '{"v":1,"op":["x"]}', headers: op })])
    assert.deepEqual([answer.status, answer.code], [422, 'ERR_IDEMPOTENCY_KEY_REUSED']);
  assert.equal(await head(path), 1);
  assert.equal((await put(fresh(), 'text', key)).status, 201, 'a key belongs to a document');
});

test('what was refused, or changed nothing, leaves nothing: the key may be used', async () => {
  const path = fresh();

  await put(path, 'text');
  assert.equal((await put(path, 'x', { 'if-match': '"other"', 'idempotency-key': 'k' })).status, 412);
  assert.equal((await put(path, 'text', { 'if-match': '*', 'idempotency-key': 'k' })).headers['pilcrow-version'], '1');
  assert.equal((await put(path, 'text 2', { 'if-match': '*', 'idempotency-key': 'k' })).headers['pilcrow-version'], '2');
});

test('many at once: one operation, one answer', async () => {
  for (const send of [
    (path, headers) => put(path, 'mine', { 'if-none-match': '*', ...headers }),
    (path, headers) => put(path, 'mine', headers),
    (path, headers) => ask('PATCH', path, { body: '{"create":{"type":"json0","data":1}}', headers: { ...headers, 'content-type': OP } }),
  ]) {
    const path = fresh();
    const key = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(path, key)));

    for (const answer of answers) assert.deepEqual(told(answer), told(answers[0]));
    assert([200, 201].includes(answers[0].status), answers[0].text);
    assert.equal(await head(path), 1);
  }
  const path = fresh();

  await put(path, 'text');
  const key = { 'idempotency-key': randomUUID(), 'if-match': '*' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => put(path, 'mine', key)));

  for (const answer of answers) assert.deepEqual(told(answer), told(answers[0]));
  assert.equal(await head(path), 2);
  const mixed = await Promise.all(['a', 'b', 'c', 'd'].map(body => put(path, body, { ...key, 'idempotency-key': 'mixed' })));
  assert.deepEqual(mixed.map(({ status }) => status).sort(), [200, 422, 422, 422]);
});

test('how a key is written', async () => {
  const path = fresh();
  const status = async key => (await put(path, 'text', { 'if-none-match': '*', 'idempotency-key': key })).status;

  assert.equal(await status('say "hi" \\'), 201);
  assert.equal(await status('"say \\"hi\\" \\\\"'), 201, 'the quoted form of the same');
  assert.equal(await status('k'.repeat(255)), 412, 'another');
  for (const key of ['', '""', 'k'.repeat(256), 'caf\u00e9', '"', '"a', '"a"b"', '"a\\b"', '"a\\"', ['a', 'b']])
    assert.equal(await status(key), 400, `${key}`);
  const both = await ask('PATCH', path, { body: '{"v":1,"op":["x"],"src":"me","seq":1}', headers: { 'content-type': OP, 'idempotency-key': 'k' } });
  assert.deepEqual([both.status, both.code], [400, 'ERR_MESSAGE_BADLY_FORMED']);
});

test('a purge forgets keys, too', async () => {
  const path = fresh();
  const headers = withKey();

  await put(path, 'text', headers);
  await ask('DELETE', `${path}?purge=true`);
  const again = await put(path, 'text', headers);
  assert.equal(again.status, 201);
  assert.notEqual(again.headers['pilcrow-version'], '1');
});

test('kill -9 and a restart: what was answered is answered again', async t => {
  const own = await startServer(t);
  const send = (method, path, body, headers) =>
    fetch(`${own.url}${path}`, { method, body, headers: { ...TEXT, ...headers } }).then(async answer => ({
      status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() }));
  const requests = [
    ['PUT', '/v1/docs/c/one', 'made', { 'if-none-match': '*', 'idempotency-key': 'a' }],
    ['PUT', '/v1/docs/c/one?base=1', 'made and changed', { 'idempotency-key': 'b' }],
    ['POST', '/v1/docs/c', 'posted', { 'idempotency-key': 'c' }],
    ['PATCH', '/v1/docs/c/one', '{"v":2,"op":["x"]}', { 'content-type': OP, 'idempotency-key': 'd' }],
    ['DELETE', '/v1/docs/c/one', undefined, { 'idempotency-key': 'e' }],
  ];
  const answers = [];

  for (const request of requests) answers.push(told(await send(...request)));
  assert.deepEqual(answers.map(({ status }) => status), [201, 200, 201, 200, 204]);
  for (let i = 0; i < 2; i++) {
    await own.kill();
    await own.restart();
    for (const [i, request] of requests.entries()) assert.deepEqual(told(await send(...request)), answers[i]);
  }
});

test('keys are the principal\'s own', async t => {
  const own = await startServer(t, { args: tokenFile(t, principal('ink', 'write', 'i'), principal('paper', 'write', 'p')).args });
  const post = secret => fetch(`${own.url}/v1/docs/c`, { method: 'POST', body: 'x', headers: { ...TEXT, ...bearer(secret), 'idempotency-key': 'k' } });
  const [ink, again, paper] = [await post('i'), await post('i'), await post('p')].map(({ headers }) => headers.get('location'));

  assert.equal(again, ink);
  assert.notEqual(paper, ink);
});
