// Collections, methods, headers and connections.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ask, get, put, server } from './rest.mjs';

test('a collection in order, page by page, following Link', async () => {
  const ids = Array.from({ length: 230 }, (_, i) => `d${String(i * 7919 % 1000).padStart(4, '0')}`);
  for (let i = 0; i < ids.length; i += 23)
    await Promise.all(ids.slice(i, i + 23).map(id => put(`/v1/docs/pages/${id}`, id)));

  const seen = [];
  for (let path = '/v1/docs/pages?limit=50'; path; ) {
    const answer = await get(path);
    assert.equal(answer.json.collection, 'pages');
    assert(answer.json.documents.length <= 50);
    seen.push(...answer.json.documents);
    path = answer.headers.link?.match(/<([^>]+)>; rel="next"/)?.[1];
  }
  assert.deepEqual(seen.map(document => document.id), [...ids].sort());
  for (const document of seen) {
    assert.deepEqual(Object.keys(document), ['id', 'type', 'version', 'size', 'created', 'modified']);
    assert.deepEqual([document.type, document.version, document.size], ['text-unicode', 1, 5]);
  }
});

test('prefix, after, type, limit', async () => {
  for (const id of ['aa', 'ab', 'ac', 'b', '%C3%A9']) await put(`/v1/docs/filter/${id}`, '');
  await ask('DELETE', '/v1/docs/filter/ac');
  const list = async query => (await get(`/v1/docs/filter?${query}`)).json.documents.map(document => document.id);

  assert.deepEqual(await list(''), ['aa', 'ab', 'b', 'é']);
  assert.deepEqual(await list('prefix=a'), ['aa', 'ab']);
  assert.deepEqual(await list('after=ab'), ['b', 'é']);
  assert.deepEqual(await list('prefix=a&after=aa'), ['ab']);
  assert.deepEqual(await list('type=text-unicode&limit=1'), ['aa']);
  assert.deepEqual(await list('type=json0'), []);
  assert.equal((await get('/v1/docs/filter?limit=0')).status, 400);
  assert.equal((await get('/v1/docs/filter?limit=x')).status, 400);
  assert.deepEqual((await get('/v1/docs/nobody')).json.documents, []);
});

test('the collections and how many documents each has', async () => {
  await put('/v1/docs/counted/a', '');
  await put('/v1/docs/counted/b', '');
  await ask('DELETE', '/v1/docs/counted/a');
  const { collections } = (await get('/v1/docs')).json;

  assert.equal(collections.find(entry => entry.collection === 'counted').count, 1);
  assert.deepEqual(collections.map(entry => entry.collection), collections.map(entry => entry.collection).sort());
});

test('methods: 405 with Allow, OPTIONS, methods that nobody knows', async () => {
  await put('/v1/docs/methods/a', '');
  const options = await ask('OPTIONS', '/v1/docs/methods/a');
  assert.equal(options.status, 204);
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) assert(options.headers.allow.includes(method), method);
  assert(options.headers['accept-patch']);

  const wrong = await ask('DELETE', '/v1/docs/methods');
  assert.deepEqual([wrong.status, wrong.code], [405, 'ERR_METHOD_NOT_ALLOWED']);
  assert(wrong.headers.allow.includes('POST') && !wrong.headers.allow.includes('DELETE'));
  assert.equal((await ask('PROPFIND', '/v1/docs')).status, 405);
  assert.equal((await get('/v1/nothing')).status, 404);
  assert.equal((await get('/nothing')).status, 404);
});

test('alive, and ready', async () => {
  assert.equal((await get('/healthz')).status, 200);
  assert.equal((await get('/readyz')).status, 200);
});

test('every answer forbids guessing at its type, every refusal is a problem', async () => {
  await put('/v1/docs/headers/a', '');
  for (const path of ['/', '/v1/docs', '/v1/docs/headers/a', '/healthz', '/v1/docs/headers/none', '/nothing']) {
    const answer = await get(path);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', path);
    if (answer.status < 400) continue;
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.deepEqual([typeof answer.json.title, typeof answer.json.code, answer.json.status], ['string', 'string', answer.status]);
  }
});

// Bytes as they are, on one connection; the statuses that came back.
function speak(text) {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1');
    let received = '';

    socket.setEncoding('latin1').on('data', data => (received += data));
    socket.on('error', reject);
    socket.on('close', () => resolve([...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1]))));
    socket.write(text);
  });
}

const line = (method, path, more = '') => `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${more}\r\n`;

test('one connection, several requests, also before the answers', async () => {
  await put('/v1/docs/pipe/a', 'x');
  const one = line('GET', '/v1/docs/pipe/a');
  assert.deepEqual(await speak(one + line('GET', '/v1/docs/pipe/none') + one + line('GET', '/healthz', 'Connection: close\r\n')), [200, 404, 200, 200]);
});
