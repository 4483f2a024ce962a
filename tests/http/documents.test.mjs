// One document over HTTP: creating, reading, replacing, deleting, and what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OP, SNAPSHOT, ask, get, opsOf, put, server } from './rest.mjs';
import { Wire } from '../lib/wire.mjs';

let n = 0;
const fresh = () => `/v1/docs/notes/doc${++n}`;
const made = async (text = 'hello') => {
  const path = fresh();
  assert.equal((await put(path, text)).status, 201);
  return path;
};

test('PUT creates: 201, ETag, Pilcrow-Version', async () => {
  const path = fresh();
  const answer = await put(path, 'hello', { 'if-none-match': '*' });

  assert.equal(answer.status, 201);
  assert.match(answer.headers.etag, /^"[^"]+"$/);
  assert.equal(answer.headers['pilcrow-version'], '1');
  assert.equal((await get(path)).text, 'hello');
  assert.equal((await get(path)).headers['content-type'], 'text/plain; charset=utf-8');
});

test('PUT on what exists: 412 with If-None-Match: *, 428 without a precondition', async () => {
  const path = await made();

  assert.equal((await put(path, 'x', { 'if-none-match': '*' })).status, 412);
  const answer = await put(path, 'x');
  assert.deepEqual([answer.status, answer.headers['content-type']], [428, 'application/problem+json']);
  assert.equal((await get(path)).text, 'hello');
});

test('If-Match replaces what was read, and nothing newer', async () => {
  const path = await made();
  const { etag } = (await get(path)).headers;
  const answer = await put(path, 'hello there', { 'if-match': etag });

  assert.deepEqual([answer.status, answer.headers['pilcrow-version']], [200, '2']);
  assert.equal((await put(path, 'too late', { 'if-match': etag })).status, 412);
  assert.equal((await put(fresh(), 'nothing there', { 'if-match': etag })).status, 412);
  assert.equal((await get(path)).text, 'hello there');
});

test('an empty If-Match names nothing: 412, whatever the method', async () => {
  const path = await made();
  const empty = { 'if-match': '' };
  const send = (method, suffix, body, type) => ask(method, `${path}${suffix}`, { body, headers: { 'content-type': type, ...empty } });

  for (const answer of [
    await put(path, 'x', empty), await put(`${path}?base=1`, 'x', empty), await put(fresh(), 'x', empty),
    await send('PATCH', '', '{"v":1,"op":["x"]}', OP), await send('POST', '/ops', '{"v":1,"op":["x"]}', OP),
    await send('PATCH', '', '[]', 'application/json-patch+json'), await send('POST', '/restore', '{"version":1}', 'application/json'),
    await ask('DELETE', path, { headers: empty }), await ask('DELETE', `${path}?purge=true`, { headers: empty })])
    assert.deepEqual([answer.status, answer.code], [412, 'ERR_PRECONDITION_FAILED']);
  const { text, headers } = await get(path);
  assert.deepEqual([text, headers['pilcrow-version']], ['hello', '1']);
});

test('If-Match: * overwrites, by the smallest operation', async () => {
  const path = await made('one two three');

  assert.equal((await put(path, 'one 2 three', { 'if-match': '*' })).status, 200);
  const [, step] = await opsOf(path);
  assert.equal(step.op[0], 4);
  assert(JSON.stringify(step.op).length < 20, JSON.stringify(step.op));
  assert.equal((await get(path)).text, 'one 2 three');
});

test('JSON and rich text are replaced by the smallest operation, too', async () => {
  for (const [type, media, before, after] of [
    ['json0', 'application/json', { a: [1, 2], b: { c: 'text' } }, { a: [1, 2, 3], b: { c: 'text' } }],
    ['json1', 'application/json', { a: [1, 2], b: { c: 'text' } }, { a: [1, 2, 3], b: { c: 'text' } }],
    ['rich-text', 'application/vnd.quill.delta+json', { ops: [{ insert: 'one two\n' }] }, { ops: [{ insert: 'one two three\n' }] }]]) {
    const path = fresh();
    const headers = { 'content-type': media };

    assert.equal((await put(`${path}?type=${type}`, JSON.stringify(before), headers)).status, 201);
    const { etag } = (await get(path)).headers;
    assert.deepEqual([(await put(path, JSON.stringify(after), headers)).status], [428]);
    const answer = await put(path, JSON.stringify(after), { ...headers, 'if-match': etag });
    assert.deepEqual([type, answer.status, answer.headers['pilcrow-version']], [type, 200, '2']);
    assert.deepEqual(JSON.parse((await get(path)).text), after);
    assert(JSON.stringify((await opsOf(path))[1].op).length < 60, type);
    assert.equal((await put(path, JSON.stringify(before), { ...headers, 'if-match': etag })).status, 412);
    assert.equal((await put(path, JSON.stringify(after), { ...headers, 'if-match': '*' })).headers['pilcrow-version'], '2');
    assert.equal((await put(path, '{', { ...headers, 'if-match': '*' })).status, 400);
    assert.equal((await put(path, type === 'rich-text' ? '[{"retain":1}]' : '{"__proto__":1}', { ...headers, 'if-match': '*' })).status, 400);
  }
});

test('JSON with a name that its type has no operation for: 422, and why', async () => {
  const path = fresh();

  await put(path, '{}', { 'content-type': 'application/json' });
  const answer = await put(path, '{"toString":1}', { 'content-type': 'application/json', 'if-match': '*' });
  assert.deepEqual([answer.status, answer.code, answer.json.detail], [422, 'ERR_OT_OP_NOT_APPLIED', 'Invalid path segment']);
});

test('replacing 😀 by 😁 cuts no character', async () => {
  const path = await made('a😀b');

  assert.equal((await put(path, 'a😁b', { 'if-match': '*' })).status, 200);
  assert.equal((await get(path)).text, 'a😁b');
});

test('an empty body is an empty document, a missing length is none', async () => {
  const path = fresh();

  assert.equal((await put(path, '')).status, 201);
  assert.deepEqual([(await get(path)).status, (await get(path)).text], [200, '']);
  const chunked = await ask('PUT', fresh(), { headers: { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' } });
  assert.equal(chunked.status, 411);
});

test('the type follows the body or ?type=; what is not known is 415', async () => {
  const path = fresh();

  assert.equal((await put(`${path}?type=text-unicode`, '"x"', { 'content-type': 'application/json' })).status, 201);
  assert.equal((await get(path)).text, 'x');
  assert.equal((await put(`${fresh()}?type=text-unicode`, 'x', { 'content-type': 'application/octet-stream' })).status, 415);
  assert.equal((await put(fresh(), 'x', { 'content-type': 'image/png' })).status, 415);
  assert.equal((await put(`${fresh()}?type=nonsense`, 'x')).status, 415);
});

test('text that is no UTF-8 is refused', async () => {
  const answer = await put(fresh(), Buffer.from([0x66, 0xfc, 0x72]));
  assert.equal(answer.status, 400);
});

test('POST to a collection: 201 and a Location that leads there', async () => {
  const answer = await ask('POST', '/v1/docs/notes', { body: 'found', headers: { 'content-type': 'text/plain' } });

  assert.equal(answer.status, 201);
  assert.match(answer.headers.location, /^\/v1\/docs\/notes\/[0-9A-Za-z]{20,}$/);
  assert.equal(answer.headers['pilcrow-version'], '1');
  assert.equal((await get(answer.headers.location)).text, 'found');
});

test('representations: text, JSON, envelope; each with its ETag; 406', async () => {
  const path = await made('say "hi"');
  const text = await get(path);
  const json = await get(path, { accept: 'application/json' });
  const whole = await get(path, { accept: SNAPSHOT });

  assert.equal(json.json, 'say "hi"');
  assert.deepEqual(Object.keys(whole.json), ['collection', 'id', 'type', 'version', 'data', 'created', 'modified']);
  assert.equal(whole.json.data, 'say "hi"');
  assert.equal(new Set([text, json, whole].map(answer => answer.headers.etag)).size, 3);
  assert.match(text.headers.vary, /Accept/);
  assert.equal((await get(path, { accept: 'image/png' })).status, 406);
  assert.equal((await get(path, { accept: 'image/png, */*;q=0.1' })).status, 200);
});

test('304 for who has it, until it changes', async () => {
  const path = await made();
  const { etag } = (await get(path)).headers;
  const unchanged = await get(path, { 'if-none-match': `"other", ${etag}` });

  assert.deepEqual([unchanged.status, unchanged.text, unchanged.headers.etag], [304, '', etag]);
  assert.equal((await get(path, { accept: 'application/json', 'if-none-match': etag })).status, 200);
  await put(path, 'changed', { 'if-match': '*' });
  assert.equal((await get(path, { 'if-none-match': etag })).status, 200);
});

test('HEAD is GET without the body', async () => {
  const path = await made();
  const head = await ask('HEAD', path);
  const whole = await get(path);

  assert.deepEqual([head.status, head.text], [200, '']);
  for (const name of ['etag', 'content-length', 'content-type', 'pilcrow-version'])
    assert.equal(head.headers[name], whole.headers[name]);
});

test('?version=N reads the past, which never changes', async () => {
  const path = await made('1');
  await put(path, '12', { 'if-match': '*' });
  await put(path, '123', { 'if-match': '*' });

  for (const [version, text] of [[1, '1'], [2, '12'], [3, '123']])
    assert.equal((await get(`${path}?version=${version}`)).text, text);
  assert.match((await get(`${path}?version=1`)).headers['cache-control'], /immutable/);
  assert.equal((await get(path)).headers['cache-control'], 'no-cache');
  assert.equal((await get(`${path}?version=0`)).status, 404);
  assert.equal((await get(`${path}?version=4`)).status, 404);
  assert.equal((await get(`${path}?version=x`)).status, 400);
});

test('DELETE: 204, then 404; the version goes on, the ETag is another', async () => {
  const path = await made('first');
  const { etag } = (await get(path)).headers;

  assert.equal((await ask('DELETE', path, { headers: { 'if-match': '"other"' } })).status, 412);
  assert.equal((await ask('DELETE', path, { headers: { 'if-match': etag } })).status, 204);
  const gone = await get(path);
  assert.deepEqual([gone.status, gone.code, gone.headers['pilcrow-version']], [404, 'ERR_DOC_DOES_NOT_EXIST', '2']);
  assert.equal((await ask('DELETE', path)).status, 404);
  const again = await put(path, 'first');
  assert.deepEqual([again.status, again.headers['pilcrow-version']], [201, '3']);
  assert.notEqual((await get(path)).headers.etag, etag);
});

test('operations: submitted, repeated, refused', async () => {
  const path = await made('abc');
  const submit = (body, method = 'PATCH', where = path) => ask(method, where, { body: JSON.stringify(body), headers: { 'content-type': OP } });

  const first = await submit({ v: 1, op: [3, 'd'], src: 'me', seq: 1 });
  assert.deepEqual([first.status, first.json.v, first.headers['pilcrow-version']], [200, 1, '2']);
  const again = await submit({ v: 2, op: [3, 'd'], src: 'me', seq: 1 }, 'POST', `${path}/ops`);
  assert.deepEqual([again.status, again.json.v], [200, 1]);
  assert.equal((await get(path)).text, 'abcd');
  assert.equal((await submit({ v: 1, op: ['0'], src: 'me', seq: 2 })).json.v, 2);

  assert.deepEqual([(await submit({ v: 3, op: [99, 'x'] })).status, (await submit({ v: 3, op: [99, 'x'] })).code], [422, 'ERR_OT_OP_NOT_APPLIED']);
  assert.equal((await submit({ v: 3, op: [-1] })).status, 400);
  assert.equal((await submit({ v: 99, op: [] })).status, 409);
  assert.equal((await submit({ v: 3 })).status, 400);
  assert.equal((await submit([])).status, 400);
  const media = await ask('PATCH', path, { body: '{}', headers: { 'content-type': 'text/plain' } });
  assert.deepEqual([media.status, media.headers['accept-patch'].includes(OP)], [415, true]);
});

test('a body that is compressed, or a part of one, is not taken for the whole', async () => {
  const path = await made('whole');
  const replace = headers => put(path, 'part', { 'if-match': '*', ...headers });
  const coded = await replace({ 'content-encoding': 'gzip' });
  const part = await replace({ 'content-range': 'bytes 0-3/9' });

  assert.deepEqual([coded.status, coded.code], [415, 'ERR_MEDIA_TYPE_NOT_SUPPORTED']);
  assert.deepEqual([part.status, part.code], [400, 'ERR_MESSAGE_BADLY_FORMED']);
  assert.equal((await ask('PATCH', path, { body: '{}', headers: { 'content-type': OP, 'content-encoding': 'deflate' } })).status, 415);
  assert.equal((await get(path)).text, 'whole');
  assert.equal((await replace({ 'content-encoding': 'identity' })).status, 200);
});

test('pages of the log are half-open, with time and author', async () => {
  const path = fresh();
  await put(path, '', { 'pilcrow-author': 'first floor' });
  for (let i = 0; i < 9; i++) await put(path, 'x'.repeat(i + 1), { 'if-match': '*', 'pilcrow-author': 'first floor' });

  const page = (await get(`${path}/ops?from=2&to=5`)).json;
  assert.deepEqual([page.from, page.to, page.head], [2, 5, 10]);
  assert.deepEqual(page.ops.map(op => op.v), [2, 3, 4]);
  assert(page.ops.every(op => op.author === 'first floor' && !Number.isNaN(Date.parse(op.time)) && op.c === 'notes' && op.src.startsWith('~')));
  assert.deepEqual((await get(`${path}/ops?from=8&limit=1`)).json.ops.map(op => op.v), [8]);
  assert.deepEqual((await get(`${path}/ops?from=10`)).json.ops, []);
  assert.equal((await get(`${path}/ops?from=5&to=2`)).status, 400);
});

test('names: every id that the WebSocket accepts', async () => {
  for (const id of ['a/b', 'a%2Fb', '..', 'a+b c', '😀', '?&=#', 'ünï']) {
    const path = `/v1/docs/names/${encodeURIComponent(id)}`;
    assert.equal((await put(path, id)).status, 201, id);
    assert.equal((await get(path)).text, id);
    assert.equal((await get(`/v1/docs/names?id=${encodeURIComponent(id)}`)).text, id);
    assert.equal((await get(path, { accept: SNAPSHOT })).json.id, id);
  }
  for (const id of ['__proto__', 'constructor', 'toString', 'a%00b', 'x'.repeat(129), '%ff'])
    assert.equal((await put(`/v1/docs/names/${id}`, 'x')).status, 400, id);
});

test('an address that is handed out leads to its document, also where clients take a name for a step up', async () => {
  for (const path of ['/v1/docs/steps/..', '/v1/docs/steps/.', '/v1/docs/../a', '/v1/docs/../..']) {
    const at = new URL((await put(path, path)).headers.location, 'http://127.0.0.1');
    await put(path, `${path}!`, { 'if-match': '*' });
    const older = await get(`${path}/history?limit=1&pause=1&to=2`);

    assert.equal((await get(`${at.pathname}${at.search}`)).text, `${path}!`);
    const link = new URL(/<(.+)>; rel="next"/.exec(older.headers.link)[1], 'http://127.0.0.1');

    assert.equal((await get(`${link.pathname}${link.search}`)).json.history[0].kind, 'create');
  }
  const page = await get('/v1/docs/..?limit=1');
  const link = new URL(/<(.+)>; rel="next"/.exec(page.headers.link)[1], 'http://127.0.0.1');

  assert.deepEqual((await get(`${link.pathname}${link.search}`)).json.documents.map(({ id }) => id), ['a']);
});

test('what is written here is streamed there, and the other way round', async () => {
  const path = await made('one');
  const wire = await Wire.open(server);
  const id = path.split('/').pop();

  await wire.ask({ a: 's', c: 'notes', d: id, v: 1 });
  await put(path, 'one two', { 'if-match': '*' });
  const streamed = await wire.next();
  assert.deepEqual([streamed.a, streamed.v, streamed.op], ['op', 1, [3, ' two']]);
  await wire.submit('notes', id, { v: 2, op: [7, ' three'] });
  assert.equal((await get(path)).text, 'one two three');
  await wire.close();
});
