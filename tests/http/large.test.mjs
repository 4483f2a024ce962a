// Bodies of 256 kB and more are read beside the loop. Their answers are those of small ones, whoever writes meanwhile.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { test } from 'node:test';
import { OP, TEXT, ask, get, put, server } from './rest.mjs';

const JSON_TYPE = { 'content-type': 'application/json' };
const DELTA = { 'content-type': 'application/vnd.quill.delta+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' };
const OPERATION = { 'content-type': OP };
const PNG = { 'content-type': 'image/png' };
const LATIN = { 'content-type': 'text/plain; charset=iso-8859-1' };
const [few, many] = [3, 15_000].map(n => Array.from({ length: n }, (_, i) => `wörds "${i}" 漢字 \\`));
const long = many.join(' ');
let n = 0;
const fresh = () => `/v1/docs/large/doc${++n}`;

// What an answer says, but for what no two have in common.
function told({ status, headers, text }) {
  const isProblem = headers['content-type'] === 'application/problem+json';
  const { code, detail } = isProblem ? JSON.parse(text) : {};
  const said = name => headers[name];

  return { status, code, detail, version: said('pilcrow-version'), type: said('content-type'), patch: said('accept-patch'), hasEtag: 'etag' in headers, hasLocation: 'location' in headers };
}

// content(words, k): about k; grown(content, words): what the operation makes of it.
const types = [
  { name: 'text-unicode', headers: TEXT, content: (words, k) => `${k} ${words.join(' ')} end ${k}`,
    op: words => [words.join(' ')], grown: (content, words) => words.join(' ') + content },
  ...['json0', 'json1'].map(name => ({ name, headers: JSON_TYPE, content: (words, k) => ({ k, list: words, last: [k] }),
    op: words => name === 'json0' ? [{ p: ['more'], oi: words }] : ['more', { i: words }], grown: (content, words) => ({ ...content, more: words }) })),
  { name: 'rich-text', headers: DELTA, content: (words, k) => ({ ops: [{ insert: `${k} ${words.join(' ')}` }, { insert: `${k}`, attributes: { bold: true } }, { insert: '\n' }] }),
    op: words => ({ ops: [{ insert: words.join(' ') }] }),
    grown: ({ ops: [{ insert }, ...rest] }, words) => ({ ops: [{ insert: words.join(' ') + insert }, ...rest] }) },
];

// Everything that may happen to a document, with what was answered.
async function live({ name, headers, content, op, grown }, words) {
  const path = fresh();
  const where = `${path}?type=${name}`;
  const text = k => name === 'text-unicode' ? content(words, k) : JSON.stringify(content(words, k));
  const send = (suffix, k, more) => ask('PUT', `${path}${suffix}`, { body: text(k), headers: { ...headers, ...more } });
  const submit = (method, suffix, message, more) => ask(method, `${path}${suffix}`, { body: JSON.stringify(message), headers: { ...OPERATION, ...more } });
  const read = async () => (answer => name === 'text-unicode' ? answer.text : JSON.parse(answer.text))(await get(path));
  const answers = [];
  const keep = answer => (answers.push(told(answer)), answer);

  const { etag } = keep(await ask('PUT', where, { body: text(1), headers: { ...headers, 'if-none-match': '*' } })).headers;
  assert.deepEqual(await read(), content(words, 1));
  keep(await send('', 2, { 'if-none-match': '*' }));
  keep(await send('', 2));
  keep(await send('', 2, { 'if-match': etag }));
  assert.deepEqual(await read(), content(words, 2));
  keep(await send('', 3, { 'if-match': etag }));
  keep(await send('?base=2', 3));
  keep(await send('?base=3', 3));
  keep(await send('', 3, { 'if-match': '*' }));
  keep(await send('?base=9', 3));
  keep(await send('', 4, { ...PNG, 'if-match': '*' }));
  keep(await send('', 4, { 'content-type': `${headers['content-type']}; charset=iso-8859-1`, 'if-match': '*' }));
  assert.deepEqual(await read(), content(words, 3));
  keep(await submit('POST', '/ops', { v: 9, op: op(words) }));
  keep(await submit('POST', '/ops', { v: 3, op: op(words) }, { 'if-match': etag }));
  keep(await submit('PATCH', '', { v: 3, op: op(words), src: 'me', seq: 1 }));
  keep(await submit('PATCH', '', { v: 3, op: op(words), src: 'me', seq: 1 }));
  assert.deepEqual(await read(), grown(content(words, 3), words));
  keep(await submit('POST', '/ops', { create: { type: name, data: content(words, 5) } }));
  keep(await ask('DELETE', path));
  keep(await submit('POST', '/ops', { v: 3, op: op(words) }));
  keep(await submit('POST', '/ops', { create: { type: name, data: content(words, 5) } }));
  assert.deepEqual(await read(), content(words, 5));
  keep(await ask('POST', `${path}/restore`, { body: JSON.stringify({ version: 2, words }), headers: JSON_TYPE }));
  assert.deepEqual(await read(), content(words, 2));
  const posted = keep(await ask('POST', `/v1/docs/large?type=${name}`, { body: text(6), headers }));
  assert.equal((await get(posted.headers.location)).headers['pilcrow-version'], '1');
  return answers;
}

for (const type of types)
  test(`a document of ${type.name}: the same answers from beginning to end`, async () => {
    const [small, large] = [await live(type, few), await live(type, many)];

    assert.deepEqual(small.map(({ status }) => status), [201, 412, 428, 200, 412, 200, 200, 200, 404, 415, 415, 409, 412, 200, 200, 409, 204, 409, 200, 200, 201]);
    assert.deepEqual(large, small);
  });

test('what is refused is refused in the same words', async () => {
  const deep = '['.repeat(300) + ']'.repeat(300);
  const cases = [
    // what no parser takes
    ['PUT', '/new', x => Buffer.concat([Buffer.from(x), Buffer.from([0xff])]), TEXT, 400],
    ['PUT', '/text', x => Buffer.concat([Buffer.from(x), Buffer.from([0xff])]), TEXT, 400],
    ['PUT', '/new', x => `{"a":tru,"b":"${x}"}`, JSON_TYPE, 400],
    ['PUT', '/tree', x => `{"a":tru,"b":"${x}"}`, JSON_TYPE, 400],
    ['PUT', '/tree?base=1', x => `{"a":tru,"b":"${x}"}`, JSON_TYPE, 400],
    ['PUT', '/new', x => `{"a":tru,"b":"${x}"}`, DELTA, 400],
    ['POST', '', x => `{"a":tru,"b":"${x}"}`, JSON_TYPE, 400],
    ['POST', '/tree/ops', x => `{"v":tru,"b":"${x}"}`, OPERATION, 400],
    ['PATCH', '/tree', x => `{"v":tru,"b":"${x}"}`, OPERATION, 400],
    ['PATCH', '/tree', x => `[tru,"${x}"]`, JSON_PATCH, 400],
    ['PATCH', '/tree', x => `{"v":tru,"b":"${x}"}`, MERGE_PATCH, 400],
    ['POST', '/tree/restore', x => `{"version":tru,"b":"${x}"}`, JSON_TYPE, 400],
    // what no document may hold
    ['PUT', '/new', x => `{"d":${deep},"b":"${x}"}`, JSON_TYPE, 413],
    ['PUT', '/tree', x => `{"d":${deep},"b":"${x}"}`, JSON_TYPE, 400],
    ['PUT', '/new', x => `{"__proto__":1,"b":"${x}"}`, JSON_TYPE, 422],
    ['PUT', '/tree', x => `{"b":"\\ud800${x}"}`, JSON_TYPE, 400],
    ['POST', '', x => `{"b":1e999,"c":"${x}"}`, JSON_TYPE, 422],
    ['POST', '/tree/ops', x => `{"v":1,"op":[{"p":["d"],"oi":${deep}},{"p":["e"],"oi":"${x}"}]}`, OPERATION, 413],
    ['PATCH', '/tree', x => `{"__proto__":1,"b":"${x}"}`, MERGE_PATCH, 400],
    // what the type does not take
    ['PUT', '/new?type=text-unicode', x => `{"b":"${x}"}`, JSON_TYPE, 400],
    ['PUT', '/text', x => `{"b":"${x}"}`, JSON_TYPE, 400],
    ['PUT', '/new?type=rich-text', x => `{"ops":"${x}"}`, JSON_TYPE, 400],
    ['PUT', '/new?type=nothing', x => x, TEXT, 415],
    ['PUT', '/new?type=json0', x => x, TEXT, 415],
    ['PUT', '/new', x => x, PNG, 415],
    ['PUT', '/new', x => x, LATIN, 415],
    ['POST', '?type=nothing', x => x, TEXT, 415],
    // no operation, or none that fits
    ['POST', '/tree/ops', x => `["${x}"]`, OPERATION, 400],
    ['POST', '/tree/ops', x => `{"v":1,"x":"${x}"}`, OPERATION, 400],
    ['POST', '/tree/ops', x => `{"op":[],"del":true,"x":"${x}"}`, OPERATION, 400],
    ['POST', '/tree/ops', x => `{"v":"1","op":[],"x":"${x}"}`, OPERATION, 400],
    ['POST', '/tree/ops', x => `{"v":1,"op":[],"src":"a","x":"${x}"}`, OPERATION, 400],
    ['POST', '/tree/ops', x => `{"v":1,"op":[],"src":"a","seq":9007199254740991,"x":"${x}"}`, OPERATION, 400],
    ['PATCH', '/none', x => `{"create":{"type":"nothing","data":"${x}"}}`, OPERATION, 415],
    ['PATCH', '/tree', x => `{"create":{"type":"json1","data":"${x}"}}`, OPERATION, 409],
    ['POST', '/none/ops', x => `{"v":0,"op":[{"p":["a"],"oi":"${x}"}]}`, OPERATION, 404],
    ['POST', '/tree/ops', x => `{"v":1,"op":["${x}"]}`, OPERATION, 400],
    ['POST', '/tree/ops', x => `{"v":1,"op":[{"p":["no","where"],"oi":"${x}"}]}`, OPERATION, 422],
    ['PATCH', '/tree', x => `{"v":1,"op":[{"p":["no","where"],"oi":"${x}"}]}`, OPERATION, 422],
    // no patch, or none that fits
    ['PATCH', '/tree', x => `{"no":"${x}"}`, JSON_PATCH, 400],
    ['PATCH', '/tree', x => `[{"op":"test","path":"/a","value":"${x}"}]`, JSON_PATCH, 409],
    ['PATCH', '/tree', x => `[{"op":"add","path":"/no/where","value":"${x}"}]`, JSON_PATCH, 422],
    ['PATCH', '/text', x => `[{"op":"add","path":"/no","value":"${x}"}]`, JSON_PATCH, 415],
    ['PATCH', '/none', x => `{"a":"${x}"}`, MERGE_PATCH, 404],
    ['PATCH', '/tree', x => x, PNG, 415],
    ['POST', '/tree/restore', x => `{"x":"${x}"}`, JSON_TYPE, 400],
    ['POST', '/tree/restore', x => `{"version":7,"x":"${x}"}`, JSON_TYPE, 404],
  ];

  for (const collection of ['small', 'big']) {
    await put(`/v1/docs/refused-${collection}/text`, 'text');
    await put(`/v1/docs/refused-${collection}/tree`, '{"a":1}', JSON_TYPE);
  }
  for (const [method, suffix, body, headers, status] of cases) {
    const condition = method === 'PUT' && !/base|new/.test(suffix) ? { 'if-match': '*' } : {};
    const send = (collection, text) => ask(method, `/v1/docs/refused-${collection}${suffix}`, { body: body(text), headers: { ...headers, ...condition } });
    const [small, large] = [await send('small', 'x'), await send('big', 'x'.repeat(300_000))];

    assert.equal(small.status, status, `${method} ${suffix} ${body('x')}: ${small.text}`);
    assert.deepEqual(told(large), told(small), `${method} ${suffix} ${body('x')}`);
  }
  for (const id of ['text', 'tree'])
    assert.equal((await get(`/v1/docs/refused-big/${id}`)).headers['pilcrow-version'], '1');
});

test('patches: done where they are small enough, whatever the document is', async () => {
  const path = fresh();
  const text = 'x'.repeat(300_000);
  const patch = (body, headers) => ask('PATCH', path, { body: JSON.stringify(body), headers });

  const list = [...many, ...many];

  await put(path, JSON.stringify({ list }), JSON_TYPE);
  assert.equal((await patch([{ op: 'add', path: '/list/0', value: text }], JSON_PATCH)).json.v, 1);
  assert.equal((await patch({ a: text, list: null }, MERGE_PATCH)).status, 413, 'what is taken away counts');
  assert.equal((await patch({ a: text }, MERGE_PATCH)).json.v, 2);
  assert.deepEqual(told(await patch({ a: text }, MERGE_PATCH)).version, '3', 'nothing is to be done');
  assert.deepEqual(JSON.parse((await get(path)).text), { list: [text, ...list], a: text });
  assert.equal((await patch({ a: text.repeat(4) }, MERGE_PATCH)).code, 'ERR_LIMIT_EXCEEDED');
  assert.equal((await patch({ a: 1 }, { ...MERGE_PATCH, 'if-match': '"other"' })).status, 412);
});

test('a PUT by base is merged with all that came while it was read', async () => {
  const path = fresh();
  const wanted = { list: many, here: true };
  const add = i => ask('POST', `${path}/ops`, { body: JSON.stringify({ v: 1, op: [{ p: [`k${i}`], oi: i }] }), headers: OPERATION });

  await put(path, JSON.stringify({ list: many }), JSON_TYPE);
  const answers = await Promise.all([put(`${path}?base=1`, JSON.stringify(wanted), JSON_TYPE), ...Array.from({ length: 30 }, (_, i) => add(i))]);
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(JSON.parse((await get(path)).text), { ...wanted, ...Object.fromEntries(answers.slice(1).map((_, i) => [`k${i}`, i])) });
});

test('If-Match while others write: either nothing of theirs came between, or 412', async () => {
  const path = fresh();
  let { etag } = (await put(path, long)).headers;

  for (let round = 0; round < 10; round++) {
    const [strict, any] = await Promise.all([put(path, `${long}${round}`, { 'if-match': etag }), put(path, `${round}`, { 'if-match': '*' })]);
    const read = await get(path);

    assert.equal(any.status, 200);
    assert([200, 412].includes(strict.status), strict.text);
    if (strict.status === 200) assert.equal(read.text, `${round}`, 'the other came second');
    ({ etag } = read.headers);
  }
});

test('one key: one document, one operation, one answer', async () => {
  const path = fresh();
  const again = ({ status, headers, text }) => [status, headers.etag, headers.location, headers['pilcrow-version'], text];

  for (const [method, where, body, headers] of [
    ['PUT', path, JSON.stringify({ list: many }), { ...JSON_TYPE, 'if-none-match': '*' }],
    ['PUT', path, JSON.stringify({ list: many, k: 1 }), { ...JSON_TYPE, 'if-match': '*' }],
    ['PUT', `${path}?base=1`, JSON.stringify({ list: many, j: 1 }), JSON_TYPE],
    ['POST', '/v1/docs/large', long, TEXT],
    ['PATCH', path, JSON.stringify({ op: [{ p: ['l'], oi: long }] }), OPERATION],
    ['PATCH', path, JSON.stringify({ m: long }), MERGE_PATCH]]) {
    const key = randomUUID();
    const send = (text = body) => ask(method, where, { body: text, headers: { ...headers, 'idempotency-key': key } });
    const answers = await Promise.all([send(), send(), send()]);

    assert([200, 201].includes(answers[0].status), answers[0].text);
    answers.push(await send());
    for (const answer of answers) assert.deepEqual(again(answer), again(answers[0]), `${method} ${where}`);
    if (where !== '/v1/docs/large') assert.equal((await send(`${body} `)).code, 'ERR_IDEMPOTENCY_KEY_REUSED');
  }
  assert.equal((await get(path)).headers['pilcrow-version'], '5');
  assert.deepEqual(JSON.parse((await get(path)).text), { list: many, k: 1, j: 1, l: long, m: long });
});

test('who is gone before the answer leaves an operation, or nothing', async () => {
  const path = fresh();
  const body = JSON.stringify({ op: [long] });
  const head = `POST ${path}/ops HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Type: ${OP}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;

  await put(path, '');
  for (let i = 0; i < 8; i++)
    await new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(head + body, () => (i % 2 ? socket.destroy() : socket.end())));
      socket.on('error', reject).on('close', resolve).resume();
    });
  const { text, headers } = await get(path);
  assert.equal(text, long.repeat(Number(headers['pilcrow-version']) - 1));
  assert(server.isRunning);
});
