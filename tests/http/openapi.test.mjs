// The contract: well-formed, the same as the table of routes, and kept, operation by operation and status by status.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { root, startServer } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';
import { METHODS, check, contract, operationOf, resolve, seen } from './contract.mjs';
import { OP, SNAPSHOT, TEXT, ask, askAt, get, put, server } from './rest.mjs';

const READER = 'the secret of paper';
const guarded = await startServer({ after }, { args: tokenFile({ after }, principal('paper', 'read', READER)).args });
const paths = Object.entries(contract.paths);
const operations = paths.flatMap(([path, item]) => METHODS.filter(method => item[method]).map(method => ({ path, method, ...item[method] })));
const example = path => path.replace('{collection}', 'contract').replace('{id}', 'text');
const methodsOf = item => METHODS.filter(method => item[method]).map(method => method.toUpperCase()).sort();

test('it is a document of OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(contract));

  assert(result.valid, JSON.stringify(result.errors, null, 1)?.slice(0, 2000));
  assert.match(contract.openapi, /^3\.1\./);
});

test('every reference leads somewhere, every component is used, every operation has a name of its own', () => {
  const used = new Set([...JSON.stringify(contract).matchAll(/"\$ref":"(#[^"]+)"/g)].map(match => match[1]));

  for (const reference of used) assert(resolve({ $ref: reference }), reference);
  for (const kind of ['parameters', 'headers', 'responses', 'schemas'])
    for (const name of Object.keys(contract.components[kind])) assert(used.has(`#/components/${kind}/${name}`), `${kind}/${name}`);
  assert.equal(new Set(operations.map(operation => operation.operationId)).size, operations.length);
});

test('the server hands it out as it is, and says when it is known', async () => {
  const answer = await get('/openapi.json');

  assert.equal(answer.text, readFileSync(join(root, 'src/api/openapi.json'), 'utf8'));
  const known = await get('/openapi.json', { 'if-none-match': answer.headers.etag });
  assert.deepEqual([known.status, known.text, known.headers.etag], [304, '', answer.headers.etag]);
  assert.equal((await askAt(guarded, 'GET', '/openapi.json')).status, 200);
});

test('in gzip it has an ETag of its own', async () => {
  const plain = await ask('HEAD', '/openapi.json');
  const gzip = await ask('HEAD', '/openapi.json', { headers: { 'accept-encoding': 'gzip' } });
  const again = headers => ask('GET', '/openapi.json', { headers }).then(({ status }) => status);

  assert.deepEqual([plain.headers['content-encoding'], gzip.headers['content-encoding']], [undefined, 'gzip']);
  assert.deepEqual([plain.headers.vary, gzip.headers.vary], ['Accept-Encoding', 'Accept-Encoding']);
  assert(gzip.headers['content-length'] < plain.headers['content-length'] / 4);
  assert.equal(gzip.headers.etag, plain.headers.etag.replace(/"$/, '-gzip"'));
  assert.equal(await again({ 'accept-encoding': 'gzip', 'if-none-match': gzip.headers.etag }), 304);
  assert.equal(await again({ 'if-none-match': gzip.headers.etag }), 200);
  assert.deepEqual(await (await fetch(`${server.url}/openapi.json`)).json(), contract);
});

test('below a path it says so', async t => {
  const below = await startServer(t, { args: ['--base-path', '/p'] });
  const answer = await fetch(`http://127.0.0.1:${below.port}/p/openapi.json`);

  assert.deepEqual(await answer.json(), { ...contract, servers: [{ url: '/p' }] });
});

test('it has the routes of the server, and no others', async () => {
  const routes = [...readFileSync(join(root, 'src/api/rest.c'), 'utf8').matchAll(/^ {4}\{ "([A-Z]+)", +"([^"]+)", +RIGHT_/gm)]
    .map(([, method, path]) => `${method} ${path}`);
  const described = operations.filter(({ path, method }) => !['head', 'options'].includes(method) && path !== '/v1/ws')
    .map(({ path, method }) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '*')}`);

  assert(routes.length >= 20);
  assert.deepEqual(described.sort(), routes.sort());
});

for (const [path, item] of paths.filter(([path]) => path !== '/v1/ws'))
  test(`OPTIONS ${path} names the methods of the contract`, async () => {
    const answer = await ask('OPTIONS', example(path));

    assert.equal(answer.status, 204);
    assert.deepEqual(answer.headers.allow.split(', ').sort(), methodsOf(item));
    if (item.patch) assert.deepEqual(answer.headers['accept-patch'].split(', ').sort(), Object.keys(item.patch.requestBody.content).filter(media => media !== 'application/json').sort());
    assert.equal((await ask('PATCH', example(path), { body: '' })).status === 405, !item.patch);
  });

test('pages of other origins may send and read the headers of the contract', async t => {
  const open = await startServer(t, { args: ['--allow-origin', 'https://docs.example.org'] });
  const headers = { origin: 'https://docs.example.org', 'access-control-request-method': 'PUT' };
  const list = value => value.toLowerCase().split(', ');
  const readable = list((await askAt(open, 'GET', '/healthz', { headers })).headers['access-control-expose-headers']);
  const sendable = list((await askAt(open, 'OPTIONS', '/v1/docs/a/b', { headers })).headers['access-control-allow-headers']);
  const ofProxies = ['upgrade', 'sec-websocket-version', 'sec-websocket-accept', 'x-accel-buffering', 'accept-ranges'];

  for (const name of Object.keys(contract.components.headers).map(name => name.toLowerCase()).filter(name => !ofProxies.includes(name))) assert(readable.includes(name), name);
  for (const { in: where, name } of Object.values(contract.components.parameters))
    if (where === 'header' && name !== 'Accept-Encoding') assert(sendable.includes(name.toLowerCase()), name);
});

for (const { path, method, operationId, security } of operations.filter(({ path }) => path !== '/v1/ws'))
  test(`${operationId} wants ${security ? 'no token' : 'a token'}`, async () => {
    const body = ['put', 'post', 'patch'].includes(method) ? '' : undefined;
    const nobody = await askAt(guarded, method.toUpperCase(), example(path), { body });

    assert.equal(nobody.status === 401, !security, String(nobody.status));
    if (body === '') assert.equal((await askAt(guarded, method.toUpperCase(), example(path), { body, headers: bearer(READER) })).status, 403);
  });

// ---- each status of each operation
const TEXT_DOC = '/v1/docs/contract/text';
const JSON_DOC = '/v1/docs/contract/json';
const RICH = '/v1/docs/contract/rich';
const PURGED = '/v1/docs/contract/purged';
const json = { 'content-type': 'application/json' };
const delta = { 'content-type': 'application/vnd.quill.delta+json' };
const op = (path, body, headers) => ask('PATCH', path, { body: JSON.stringify(body), headers: { 'content-type': OP, ...headers } });
const submit = (path, body, headers) => ask('POST', `${path}/ops`, { body: JSON.stringify(body), headers: { ...json, ...headers } });
const restore = (path, body, headers) => ask('POST', `${path}/restore`, { body: JSON.stringify(body), headers: { ...json, ...headers } });
const post = (path, body, headers) => ask('POST', path, { body, headers });
const remove = (path, headers) => ask('DELETE', path, { headers });
const key = name => ({ 'idempotency-key': `"${name}"` });
const stale = { 'if-match': '"stale"' };

// Reads until something has come, and leaves.
function peek(path) {
  return new Promise((done, fail) => {
    const call = request({ port: server.port, host: '127.0.0.1', path }, answer => answer.setEncoding('utf8').once('data', text => {
      call.destroy();
      try {
        check('GET', path, { status: answer.statusCode, headers: answer.headers, text });
        done(answer.statusCode);
      } catch (error) {
        fail(error);
      }
    }));

    call.on('error', () => {});
    call.end();
  });
}

const upgrade = version => new Promise(done => {
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': version, 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' };
  const call = request({ port: server.port, host: '127.0.0.1', path: '/v1/ws', headers });
  const checked = (answer, text) => done((check('GET', '/v1/ws', { status: answer.statusCode, headers: answer.headers, text }), answer.statusCode));

  call.on('upgrade', (answer, socket) => (socket.destroy(), checked(answer, '')));
  call.on('response', answer => answer.setEncoding('utf8').once('data', text => checked(answer, text)));
  call.end();
});

// Two at once, until the one has come while the other is at work.
async function whileCompacting() {
  for (;;) {
    const refused = (await Promise.all([post('/v1/compact', ''), post('/v1/compact', '')])).find(({ status }) => status === 409);

    if (refused) return refused;
  }
}

// What is asked, one after the other, and the status that comes: of `who` the contract must have no other.
const conversations = {
  'documents are created': [
    [201, () => put(TEXT_DOC, 'one')], [201, () => put(`${JSON_DOC}?type=json0`, '{"a":1}', json)], [201, () => put(RICH, '{"ops":[{"insert":"one\\n"}]}', delta)],
    [201, () => post('/v1/docs/contract', 'x', { ...TEXT, ...key('post') })], [422, () => post('/v1/docs/contract', 'y', { ...TEXT, ...key('post') })],
    [415, () => post('/v1/docs/contract', 'x', { 'content-type': 'image/png' })], [400, () => post('/v1/docs/contract', '{', json)], [415, () => put('/v1/docs/contract/odd', 'x', { 'content-type': 'image/png' })],
  ],
  'documents are replaced': [
    [200, () => put(TEXT_DOC, 'one two', { 'if-match': '*' })], [412, () => put(TEXT_DOC, 'x', stale)], [428, () => put(TEXT_DOC, 'x')], [200, () => put(`${TEXT_DOC}?base=1`, 'one three')],
    [404, () => put(`${TEXT_DOC}?base=99`, 'x')], [409, () => put(`${TEXT_DOC}?base=0`, 'x')],
    [200, () => put(TEXT_DOC, 'one three', { 'if-match': '*', ...key('put') })], [200, () => put(TEXT_DOC, 'one four', { 'if-match': '*', ...key('put again') })],
    [422, () => put(TEXT_DOC, 'one five', { 'if-match': '*', ...key('put again') })], [400, () => put(`${TEXT_DOC}?base=x`, 'x')],
  ],
  'documents are read': [
    [200, () => get(TEXT_DOC)], [200, () => get(TEXT_DOC, { accept: 'application/json' })], [200, () => get(TEXT_DOC, { accept: SNAPSHOT })], [200, () => get(RICH)], [200, () => get(JSON_DOC)],
    [304, async () => get(TEXT_DOC, { 'if-none-match': (await get(TEXT_DOC)).headers.etag })], [404, () => get('/v1/docs/contract/none')], [406, () => get(TEXT_DOC, { accept: 'image/png' })],
    [206, () => get(TEXT_DOC, { range: 'bytes=0-1' })], [206, () => get(RICH, { range: 'bytes=0-1' })], [416, () => get(TEXT_DOC, { range: 'bytes=999-' })], [200, () => get(`${TEXT_DOC}?version=1`)], [404, () => get(`${TEXT_DOC}?version=99`)], [400, () => get(`${TEXT_DOC}?at=x`)],
    [304, async () => get(`${TEXT_DOC}?wait=1`, { 'if-none-match': (await get(TEXT_DOC)).headers.etag })],
    [200, () => ask('HEAD', TEXT_DOC)], [304, async () => ask('HEAD', TEXT_DOC, { headers: { 'if-none-match': (await get(TEXT_DOC)).headers.etag } })],
    [404, () => ask('HEAD', '/v1/docs/contract/none')], [406, () => ask('HEAD', TEXT_DOC, { headers: { accept: 'image/png' } })],
  ],
  'operations are submitted': [op, submit].flatMap(send => [
    [200, () => send(TEXT_DOC, { v: 2, op: ['!'] })], [404, () => send('/v1/docs/contract/none', { v: 0, op: ['!'] })], [409, () => send(TEXT_DOC, { v: 999, op: ['!'] })],
    [422, () => send(TEXT_DOC, { v: 2, op: [99, '!'] })], [412, () => send(TEXT_DOC, { v: 2, op: ['!'] }, stale)], [400, () => send(TEXT_DOC, [])],
  ]),
  'JSON is patched': [
    [200, () => ask('PATCH', JSON_DOC, { body: '[{"op":"test","path":"/a","value":1},{"op":"replace","path":"/a","value":2}]', headers: { 'content-type': 'application/json-patch+json' } })],
    [409, () => ask('PATCH', JSON_DOC, { body: '[{"op":"test","path":"/a","value":1}]', headers: { 'content-type': 'application/json-patch+json' } })],
    [200, () => ask('PATCH', JSON_DOC, { body: '{"b":3}', headers: { 'content-type': 'application/merge-patch+json' } })],
    [415, () => ask('PATCH', JSON_DOC, { body: '{}', headers: { 'content-type': 'image/png' } })],
  ],
  'the log and the history are read': [
    [200, () => get(`${TEXT_DOC}/ops`)], [200, () => ask('HEAD', `${TEXT_DOC}/ops`)], [404, () => get(`${TEXT_DOC}/ops?from=99`)],
    ...['GET', 'HEAD'].map(method => [204, async () => ask(method, `${TEXT_DOC}/ops?from=${(await get(TEXT_DOC)).headers['pilcrow-version']}`, { headers: { prefer: 'wait=1' } })]),
    [404, () => ask('HEAD', `${TEXT_DOC}/ops?from=99`)],
    [200, () => get(`${TEXT_DOC}/history?limit=1`)], [200, () => ask('HEAD', `${TEXT_DOC}/history`)], [404, () => get('/v1/docs/contract/none/history')], [404, () => ask('HEAD', '/v1/docs/contract/none/history')],
    [200, () => get(`${TEXT_DOC}/diff?from=1`)], [200, () => get(`${JSON_DOC}/diff?from=1&to=1`)], [200, () => ask('HEAD', `${TEXT_DOC}/diff?from=1`)], [404, () => get('/v1/docs/contract/none/diff?from=1')],
    [404, () => ask('HEAD', '/v1/docs/contract/none/diff?from=1')], [409, () => get(`${JSON_DOC}/diff?from=0`)], [409, () => ask('HEAD', `${JSON_DOC}/diff?from=0`)], [400, () => get(`${TEXT_DOC}/diff?from=x`)],
    [200, () => peek(`${TEXT_DOC}/stream`)], [200, () => peek(`${TEXT_DOC}/stream?after=0`)], [200, () => ask('HEAD', `${TEXT_DOC}/stream`)], [400, () => get(`${TEXT_DOC}/stream?after=x`)],
  ],
  'old contents come back': [
    [200, () => restore(TEXT_DOC, { version: 1 })], [404, () => restore(TEXT_DOC, { version: 99 })], [412, () => restore(TEXT_DOC, { version: 1 }, stale)], [422, () => restore(TEXT_DOC, { version: 0 })],
    [400, () => restore(TEXT_DOC, {})], [204, () => remove(JSON_DOC)], [201, () => put(JSON_DOC, 'a text now')], [409, () => restore(JSON_DOC, { version: 1 })], [409, () => put(`${JSON_DOC}?base=1`, 'x')],
  ],
  'what was forgotten is gone': [
    [201, () => put(PURGED, '1')], [200, () => put(PURGED, '12', { 'if-match': '*' })], [200, () => put(PURGED, '123', { 'if-match': '*' })], [204, () => remove(`${PURGED}?purge=true`)], [201, () => put(PURGED, 'anew')],
    [410, () => get(`${PURGED}?version=2`)], [410, () => ask('HEAD', `${PURGED}?version=2`)], [410, () => get(`${PURGED}/ops?from=0`)], [410, () => ask('HEAD', `${PURGED}/ops?from=0`)], [410, () => get(`${PURGED}/diff?from=2`)], [410, () => ask('HEAD', `${PURGED}/diff?from=2`)],
    [410, () => restore(PURGED, { version: 2 })], [410, () => put(`${PURGED}?base=2`, 'x')], [410, () => op(PURGED, { v: 2, op: ['!'] })], [410, () => submit(PURGED, { v: 2, op: ['!'] })],
  ],
  'documents are deleted': [
    [412, () => remove(TEXT_DOC, stale)], [204, () => remove(TEXT_DOC, key('delete'))], [422, () => remove(`${TEXT_DOC}?x`, key('delete'))], [404, () => remove(TEXT_DOC)], [204, () => ask('DELETE', `${TEXT_DOC}?purge=true`)],
  ],
  'the collections, the store and the server': [
    ...['/v1/docs', '/v1/docs/contract?limit=1', '/v1/me', '/v1/store', '/v1/logs?limit=1', '/healthz', '/readyz', '/metrics', '/openapi.json', '/v1/backup'].flatMap(path => [[200, () => get(path)], [200, () => ask('HEAD', path)]]),
    [304, async () => ask('HEAD', '/openapi.json', { headers: { 'if-none-match': (await get('/openapi.json')).headers.etag } })],
    [200, () => post('/v1/compact', '')], [409, () => whileCompacting()],
    [101, () => upgrade('13')], [426, () => upgrade('8')],
  ],
};

for (const [name, steps] of Object.entries(conversations))
  test(name, async () => {
    for (const [i, [status, step]] of steps.entries()) {
      const answer = await step();

      assert.equal(answer?.status ?? answer, status, `${i}: ${step} ${answer?.text}`);
    }
  });

test('every status that is described has been seen', () => {
  const missing = operations.flatMap(({ operationId, responses }) => Object.keys(responses).filter(status => status !== 'default').map(status => `${operationId} ${status}`)).filter(one => !seen.has(one));

  assert.deepEqual(missing, []);
});
