// As what a document can be read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get, put, server, SNAPSHOT } from './rest.mjs';
import { figure, waiting } from './told.mjs';

const DELTA = 'application/vnd.quill.delta+json';
const HTML = 'text/html; charset=utf-8';
const rich = { ops: [{ insert: 'The ' }, { insert: 'ink', attributes: { bold: true } }, { insert: '\n', attributes: { header: 1 } }] };
const make = (path, content = rich) => put(path, JSON.stringify(content), { 'content-type': DELTA, 'if-none-match': '*' });

test('rich text: a Delta by itself, and whatever else is asked for', async () => {
  assert.equal((await make('/v1/docs/forms/rich')).status, 201);
  for (const [accept, type, text] of [
    [undefined, DELTA, JSON.stringify(rich)],
    ['*/*', DELTA, JSON.stringify(rich)],
    [DELTA, DELTA, JSON.stringify(rich)],
    ['application/json', 'application/json', JSON.stringify(rich)],
    ['text/markdown', 'text/markdown; charset=utf-8', '# The **ink**\n'],
    ['text/plain', 'text/plain; charset=utf-8', 'The ink\n'],
    ['text/*;q=0.5, text/plain;q=0', HTML, null],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', HTML, null],
  ]) {
    const answer = await get('/v1/docs/forms/rich', accept && { accept });

    assert.deepEqual([answer.status, answer.headers['content-type']], [200, type], accept);
    if (text) assert.equal(answer.text, text);
    else assert.match(answer.text, /<h1>The <strong>ink<\/strong><\/h1>/);
    assert.equal(answer.headers.vary, 'Accept, Accept-Encoding');
  }
  assert.equal((await get('/v1/docs/forms/rich', { accept: SNAPSHOT })).json.data.ops.length, 3);
  const none = await get('/v1/docs/forms/rich', { accept: 'image/png' });
  assert.deepEqual([none.status, none.code], [406, 'ERR_NOT_ACCEPTABLE']);
});

test('each has an ETag of its own, and any of them will do to write', async () => {
  const path = '/v1/docs/forms/tags';
  await make(path);
  const medias = [DELTA, 'application/json', 'text/html', 'text/markdown', 'text/plain', SNAPSHOT];
  const tags = await Promise.all(medias.map(async accept => (await get(path, { accept })).headers.etag));

  assert.equal(new Set(tags).size, medias.length);
  for (const [i, accept] of medias.entries()) {
    assert.equal((await get(path, { accept, 'if-none-match': tags[i] })).status, 304, accept);
    assert.equal((await get(path, { accept, 'if-none-match': tags[(i + 1) % tags.length] })).status, 200, accept);
  }
  const { etag } = (await get(path, { accept: 'text/html' })).headers;
  const written = await put(path, JSON.stringify({ ops: [{ insert: 'Ink\n' }] }), { 'content-type': DELTA, 'if-match': etag });
  assert.equal(written.status, 200, written.text);
  assert.equal((await get(path, { accept: 'text/plain' })).text, 'Ink\n');
  assert.equal((await put(path, '{}', { 'content-type': DELTA, 'if-match': etag })).status, 412);
});

test('a page of a document can run nothing, however it was written', async () => {
  const path = '/v1/docs/forms/%3Cscript%3E';
  const evil = '</title><script>x()</script>';
  await make(path, { ops: [{ insert: evil, attributes: { link: 'javascript:x()', color: `red"><script>` } }, { insert: { image: 'javascript:x()' } }, { insert: { [evil]: 1 } }] });

  for (const headers of [{}, { 'if-none-match': (await get(path, { accept: 'text/html' })).headers.etag }]) {
    const answer = await get(path, { accept: 'text/html', ...headers });

    assert.match(answer.headers['content-security-policy'], /^default-src 'none';.*; sandbox$/);
    assert.doesNotMatch(answer.text, /<script|javascript:/);
  }
  assert.match((await get(path, { accept: 'text/html' })).text, /<title>&lt;script&gt;<\/title>/);
});

test('text and JSON stay what they are', async () => {
  await put('/v1/docs/forms/text', '# a');
  assert.equal((await get('/v1/docs/forms/text', { accept: 'text/html' })).status, 406);
  assert.equal((await get('/v1/docs/forms/text', { accept: 'text/markdown' })).status, 406);
  assert.equal((await ask('PUT', '/v1/docs/forms/json', { body: '{}', headers: { 'content-type': 'application/json', 'if-none-match': '*' } })).status, 201);
  assert.equal((await get('/v1/docs/forms/json', { accept: DELTA })).status, 406);
});

test('the past has the same forms', async () => {
  await make('/v1/docs/forms/past');
  await put('/v1/docs/forms/past', JSON.stringify({ ops: [{ insert: 'later\n' }] }), { 'content-type': DELTA, 'if-match': '*' });
  const answer = await get('/v1/docs/forms/past?version=1', { accept: 'text/markdown' });
  assert.equal(answer.text, '# The **ink**\n');
  assert.match(answer.headers['cache-control'], /immutable/);
});

test('a large one, which is written beside: whole, in every form, while others are answered', async () => {
  const path = '/v1/docs/forms/large';
  const ops = Array.from({ length: 30_000 }, (_, i) => ({ insert: `word ${i} `, ...(i % 2 && { attributes: { bold: true } }) }));
  const text = ops.map(({ insert }) => insert).join('');
  await make(path, { ops });

  const [plain, markdown, html, other] = await Promise.all([...['text/plain', 'text/markdown', 'text/html'].map(accept => get(path, { accept })), get('/healthz')]);
  assert.equal(plain.text, text);
  assert.equal(markdown.text.replace(/\*\*|&#32;/g, '').trimEnd(), text.trimEnd());
  assert.equal(html.text.match(/<strong>/g).length, 15_000);
  assert.equal(other.status, 200);
  assert.equal((await get(path, { accept: 'text/plain', 'if-none-match': plain.headers.etag })).status, 304);
});

test('many who wait for a large one are given what was written once', async () => {
  const path = '/v1/docs/forms/awaited';
  const ops = Array.from({ length: 30_000 }, (_, i) => ({ insert: `word ${i} `, ...(i % 2 && { attributes: { bold: true } }) }));
  await make(path, { ops });
  const { etag } = (await get(path, { accept: 'text/html' })).headers;
  const answers = Array.from({ length: 30 }, () => get(`${path}?wait=100`, { accept: 'text/html', 'if-none-match': etag }));
  await waiting(server, 30);
  await ask('PATCH', path, { headers: { 'content-type': 'application/vnd.pilcrow.op+json' }, body: '{"v":1,"op":[{"insert":"news "}]}' });
  const nErrands = await figure(server, 'pilcrow_helper_errands');

  const [first, ...others] = await Promise.all(answers);
  assert(nErrands <= 1, `${nErrands}`);
  assert.match(first.text, /news word 0/);
  for (const other of others) assert.deepEqual([other.text === first.text, other.headers.etag], [true, first.headers.etag]);
});
