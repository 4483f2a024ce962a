// JSON Patch and JSON Merge Patch: what others' packages and the suite of RFC 6902 make of them, and that what is
// written at the same time is kept.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fastJsonPatch from 'fast-json-patch';
import { json0, json1 } from '../lib/client.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { Wire } from '../lib/wire.mjs';
import { OP, ask, get, opsOf, put, server } from './rest.mjs';

const require = createRequire(import.meta.url);
const JSON_TYPE = { 'content-type': 'application/json' };
const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const TYPES = { json0, json1 };
const ROUNDS = process.env.PILCROW_LONG ? 2000 : 120;
let n = 0;

async function made(type, content) {
  const path = `/v1/docs/patch/${type}-${++n}`;
  assert.equal((await put(`${path}?type=${type}`, JSON.stringify(content), JSON_TYPE)).status, 201);
  return path;
}
const sendText = (path, body, media = JSON_PATCH, headers = {}) => ask('PATCH', path, { body, headers: { 'content-type': media, ...headers } });
const send = (path, patch, ...rest) => sendText(path, JSON.stringify(patch), ...rest);
const content = async path => (await get(path)).json;
const answer = ({ status, text }) => [status, JSON.parse(text).code];

// What was committed leads to the content, also by the type's package.
async function checkOperation(path, type, before) {
  const [, step] = await opsOf(path);

  if (step) assert.deepEqual(TYPES[type].apply(structuredClone(before), step.op), await content(path));
}

for (const type of ['json0', 'json1'])
  test(`${type}: the suite of RFC 6902`, async () => {
    let nDone = 0;

    for (const { doc, patch, expected, error, disabled, comment } of [...require('json-patch-test-suite/tests.json'), ...require('json-patch-test-suite/spec_tests.json')]) {
      if (disabled || !patch) continue;
      const path = await made(type, doc);
      const { status, text } = await send(path, patch);
      const what = `${comment ?? error}: ${JSON.stringify(patch)} on ${JSON.stringify(doc)}: ${text}`;

      assert.equal(status === 200, error === undefined, what);
      assert([200, 400, 409, 422].includes(status), what);
      assert.deepEqual(await content(path), error === undefined ? (expected ?? doc) : doc, what);
      await checkOperation(path, type, doc);
      nDone++;
    }
    assert(nDone > 80, `${nDone} cases`);
  });

// ---- random documents and patches ---------------------------------------------------------------------------------

const KEYS = ['a', 'b', '0', '1', '', 'a/b', 'm~n', '-', 'ü', '\ue000', '😀'];

function randomValue(random, depth = 3) {
  const kind = random.next();

  if (depth && kind < 0.3) return Array.from({ length: random.between(0, 4) }, () => randomValue(random, depth - 1));
  if (depth && kind < 0.6) return Object.fromEntries(Array.from({ length: random.between(0, 4) }, () => [random.oneOf(KEYS), randomValue(random, depth - 1)]));
  return random.oneOf([null, true, false, 0, 1, -1.5, 'text', 'a text that is longer than fourteen bytes', '']);
}

const escaped = key => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;

// A pointer to something in the value, or to where something could be.
function randomPointer(random, value, isNew = false) {
  let pointer = '';

  for (;;) {
    const isContainer = value !== null && typeof value === 'object';
    const keys = isContainer ? Object.keys(value) : [];

    if (!isContainer || random.next() < 0.2) return isNew && isContainer ? pointer + escaped(Array.isArray(value) ? random.oneOf([...keys, keys.length, '-', keys.length + 1]) : random.oneOf(KEYS)) : pointer;
    if (!keys.length) return isNew ? pointer + escaped(Array.isArray(value) ? 0 : random.oneOf(KEYS)) : pointer;
    const key = random.oneOf(keys);
    pointer += escaped(key);
    value = value[key];
  }
}

function randomStep(random, now) {
  const path = randomPointer(random, now);
  const target = randomPointer(random, now, true);

  switch (random.between(0, 7)) {
    case 0: return { op: 'remove', path };
    case 1: return { op: 'replace', path, value: randomValue(random) };
    case 2: return { op: 'move', from: path, path: target };
    case 3: return { op: 'move', from: path, path: target };
    case 4: return { op: 'copy', from: path, path: target };
    case 5: return { op: 'test', path, value: fastJsonPatch.getValueByPointer(now, path) };
    default: return { op: 'add', path: target, value: randomValue(random) };
  }
}

// A move and a copy by what they are made of: these the package checks.
function parts({ op, from, path }, now) {
  const value = structuredClone(fastJsonPatch.getValueByPointer(now, from));

  return [...(op === 'move' ? [{ op: 'remove', path: from }] : []), { op: 'add', path, value }];
}

// The package takes "" for an index of a list, a move's path may come to it: it was found before the removal.
function leadsToNoIndex({ op, from, path }, now) {
  if (op !== 'move' || !path.endsWith('/')) return false;
  const rest = fastJsonPatch.applyOperation(structuredClone(now), { op: 'remove', path: from }).newDocument;

  return Array.isArray(fastJsonPatch.getValueByPointer(rest, path.slice(0, -1)));
}

// Each step, where the package takes it. It has no documents of nothing, and takes what leads into itself; we don't.
function randomPatch(random, before) {
  let now = structuredClone(before);
  const patch = [];

  for (let i = random.between(1, 7); i > 0; i--) {
    const step = randomStep(random, now);

    if ((step.op === 'remove' || step.op === 'move') && (step.path === '' || step.from === '')) continue;
    if (step.op === 'move' && `${step.path}/`.startsWith(`${step.from}/`)) continue;
    try {
      if (leadsToNoIndex(step, now)) continue;
      now = fastJsonPatch.applyPatch(structuredClone(now), structuredClone('from' in step ? parts(step, now) : [step]), true).newDocument;
      patch.push(step);
    } catch {}
  }
  return { patch, after: now };
}

for (const type of ['json0', 'json1'])
  test(`${type}: random patches do what the package does`, async t => {
    const random = new Random(seedOf(t));
    let nSteps = 0;

    for (let i = 0; i < ROUNDS; i++) {
      const before = random.next() < 0.5 ? Object.fromEntries(KEYS.map(key => [key, randomValue(random)])) : Array.from({ length: 4 }, () => randomValue(random, 4));
      const { patch, after } = randomPatch(random, before);
      const path = await made(type, before);
      const { status, text } = await send(path, patch);
      const what = `${JSON.stringify(patch)} on ${JSON.stringify(before)}: ${text}`;

      assert.equal(status, 200, what);
      assert.deepEqual(await content(path), after, what);
      await checkOperation(path, type, before);
      nSteps += patch.length;
    }
    assert(nSteps > ROUNDS, `${nSteps} steps`);
  });

// The algorithm of RFC 7396, section 2.
function mergePatch(target, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const isObject = target !== null && typeof target === 'object' && !Array.isArray(target);
  const merged = new Map(isObject ? Object.entries(target) : []);

  for (const [key, value] of Object.entries(patch))
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  return Object.fromEntries(merged);
}

for (const type of ['json0', 'json1'])
  test(`${type}: merge patches, those of RFC 7396 and random ones`, async t => {
    const random = new Random(seedOf(t));
    const cases = [
      [{ a: 'b' }, { a: 'c' }], [{ a: 'b' }, { b: 'c' }], [{ a: 'b' }, { a: null }], [{ a: 'b', b: 'c' }, { a: null }], [{ a: ['b'] }, { a: 'c' }],
      [{ a: 'c' }, { a: ['b'] }], [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }], [{ a: [{ b: 'c' }] }, { a: [1] }], [['a', 'b'], ['c', 'd']],
      [{ a: 'b' }, ['c']], [{ a: 'foo' }, null], [{ a: 'foo' }, 'bar'], [{ e: null }, { a: 1 }], [[1, 2], { a: 'b', c: null }], [{}, { a: { bb: { ccc: null } } }]];

    for (let i = 0; i < ROUNDS; i++) cases.push([randomValue(random, 4), randomValue(random, 4)]);
    for (const [before, patch] of cases) {
      const path = await made(type, before);
      const { status, text, headers } = await send(path, patch, MERGE_PATCH);
      const what = `${JSON.stringify(patch)} on ${JSON.stringify(before)}: ${text}`;
      const after = mergePatch(before, patch);

      assert.equal(status, 200, what);
      assert.deepEqual(await content(path), after, what);
      assert.equal(headers['pilcrow-version'], isDeepStrictEqual(before, after) ? '1' : '2', what);
      await checkOperation(path, type, before);
    }
  });

// ---- what becomes of them -----------------------------------------------------------------------------------------

test('the operation touches what changes, and no more', async () => {
  const before = { l: [1, 2, 3], o: { a: { x: 1 } }, s: 's' };

  for (const [patch, ofJson0, ofJson1] of [
    [[{ op: 'add', path: '/l/1', value: 9 }], [{ p: ['l', 1], li: 9 }], ['l', 1, { i: 9 }]],
    [[{ op: 'add', path: '/l/-', value: 9 }], [{ p: ['l', 3], li: 9 }], ['l', 3, { i: 9 }]],
    [[{ op: 'move', from: '/l/0', path: '/l/2' }], [{ p: ['l', 0], lm: 2 }], ['l', [0, { p: 0 }], [2, { d: 0 }]]],
    [[{ op: 'move', from: '/o/a', path: '/b' }], [{ p: ['o', 'a'], od: { x: 1 } }, { p: ['b'], oi: { x: 1 } }], [['b', { d: 0 }], ['o', 'a', { p: 0 }]]],
    [[{ op: 'replace', path: '/s', value: 't' }], [{ p: ['s'], od: 's', oi: 't' }], ['s', { r: true, i: 't' }]],
    [[{ op: 'remove', path: '/l/1' }, { op: 'replace', path: '/s', value: 's' }], [{ p: ['l', 1], ld: 2 }], ['l', 1, { r: true }]]])
    for (const [type, op] of [['json0', ofJson0], ['json1', ofJson1]]) {
      const path = await made(type, before);

      assert.deepEqual((await send(path, patch)).json, { v: 1 });
      assert.deepEqual((await opsOf(path))[1].op, op);
    }
});

test('200 with ETag, Pilcrow-Version and {"v"}; what changes nothing is no operation', async () => {
  for (const type of ['json0', 'json1']) {
    const path = await made(type, { a: 1 });
    const first = await send(path, [{ op: 'replace', path: '/a', value: 2 }]);
    const second = await send(path, { b: 1 }, MERGE_PATCH);
    const { etag } = (await get(path)).headers;

    assert.deepEqual([first.status, first.json, first.headers['pilcrow-version']], [200, { v: 1 }, '2']);
    assert.equal(second.headers.etag, etag);
    for (const nothing of [await send(path, []), await send(path, [{ op: 'add', path: '/a', value: 2 }, { op: 'test', path: '/b', value: 1.0 }]), await send(path, { c: null }, MERGE_PATCH)])
      assert.deepEqual([nothing.status, nothing.json, nothing.headers.etag, nothing.headers['pilcrow-version']], [200, { v: 2 }, etag, '3']);
  }
});

test('refused: which operation, and nothing is changed', async () => {
  for (const type of ['json0', 'json1']) {
    const path = await made(type, { a: 1, l: [1], constructor: 1 });
    const first = { op: 'add', path: '/b', value: 1 };

    for (const [status, code, step, detail] of [
      [409, 'ERR_PATCH_TEST_FAILED', { op: 'test', path: '/a', value: 2 }, /^Operation 1 \(test\)/],
      [409, 'ERR_PATCH_TEST_FAILED', { op: 'test', path: '/nothing', value: null }, /^Operation 1 \(test\)/],
      [422, 'ERR_OT_OP_NOT_APPLIED', { op: 'remove', path: '/c' }, /^Operation 1 \(remove\)/],
      [422, 'ERR_OT_OP_NOT_APPLIED', { op: 'add', path: '/l/2', value: 1 }],
      [422, 'ERR_OT_OP_NOT_APPLIED', { op: 'add', path: '/l/01', value: 1 }],
      [422, 'ERR_OT_OP_NOT_APPLIED', { op: 'replace', path: '/l/-', value: 1 }],
      [422, 'ERR_OT_OP_NOT_APPLIED', { op: 'add', path: '/a/b', value: 1 }],
      [422, 'ERR_OT_OP_NOT_APPLIED', { op: 'remove', path: '' }],
      [422, 'ERR_OT_OP_NOT_APPLIED', { op: 'move', from: '/l', path: '/l/0' }],
      [422, 'ERR_OT_OP_NOT_APPLIED', { op: 'add', path: '/__proto__', value: 1 }],
      [400, 'ERR_MESSAGE_BADLY_FORMED', { op: 'add', path: 'b', value: 1 }, /^Operation 1 \(add\)/],
      [400, 'ERR_MESSAGE_BADLY_FORMED', { op: 'add', path: '/a~2b', value: 1 }],
      [400, 'ERR_MESSAGE_BADLY_FORMED', { op: 'add', path: '/a' }],
      [400, 'ERR_MESSAGE_BADLY_FORMED', { op: 'copy', path: '/a' }],
      [400, 'ERR_MESSAGE_BADLY_FORMED', { op: 'spam', path: '/a' }, /^Operation 1:/],
      [400, 'ERR_MESSAGE_BADLY_FORMED', 'add']]) {
      const refused = await send(path, [first, step]);

      assert.deepEqual(answer(refused), [status, code], JSON.stringify(step));
      assert.match(refused.json.detail, detail ?? /./);
    }
    if (type === 'json0') assert.deepEqual(answer(await send(path, [{ op: 'replace', path: '/constructor', value: 2 }])), [422, 'ERR_OT_OP_NOT_APPLIED']);
    else assert.equal((await send(path, [{ op: 'replace', path: '/constructor', value: 1 }])).status, 200);
    assert.deepEqual(answer(await sendText(path, '[{"op":"add","path":"/x","value":{"__proto__":1}}]')), [400, 'ERR_MESSAGE_BADLY_FORMED']);
    assert.deepEqual(answer(await sendText(path, '{"__proto__":1}', MERGE_PATCH)), [400, 'ERR_MESSAGE_BADLY_FORMED']);
    assert.deepEqual(answer(await sendText(path, '[')), [400, 'ERR_MESSAGE_BADLY_FORMED']);
    assert.deepEqual(answer(await sendText(path, '{}')), [400, 'ERR_MESSAGE_BADLY_FORMED']);
    assert.deepEqual(answer(await send('/v1/docs/patch/none', [])), [404, 'ERR_DOC_DOES_NOT_EXIST']);
    assert.equal((await get(path)).headers['pilcrow-version'], '1');
  }
});

test('more work than a patch may be: 413', async () => {
  for (const type of ['json0', 'json1']) {
    const path = await made(type, { a: ['x'.repeat(1000)] });
    const bomb = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
    const deep = Array.from({ length: 199 }, (_, i) => ({ op: 'add', path: '/d'.repeat(i + 1), value: {} }));

    assert.deepEqual(answer(await send(path, bomb)), [413, 'ERR_LIMIT_EXCEEDED']);
    assert.deepEqual(answer(await send(path, Array.from({ length: 1001 }, () => ({ op: 'test', path: '', value: 1 })))), [413, 'ERR_LIMIT_EXCEEDED']);
    assert.deepEqual(answer(await send(path, [{ op: 'add', path: '/b', value: 'x'.repeat(1 << 20) }])), [413, 'ERR_LIMIT_EXCEEDED']);
    assert.equal((await send(path, deep)).status, 200);
    assert.deepEqual(answer(await send(path, [{ op: 'add', path: '/d'.repeat(200), value: {} }])), [413, 'ERR_LIMIT_EXCEEDED']);
    assert.equal((await send(path, [{ op: 'remove', path: '/d' }, ...Array.from({ length: 999 }, (_, i) => ({ op: 'add', path: '/a/0', value: i }))])).status, 200);
    assert.equal((await content(path)).a.length, 1000);
  }
});

test('Accept-Patch: all three, or what the document takes', async () => {
  const all = [OP, JSON_PATCH, MERGE_PATCH].join(', ');
  const path = await made('json0', {});
  const unknown = await send(path, {}, 'application/json');
  const text = '/v1/docs/patch/text';

  await put(text, 'text');
  assert.deepEqual([...answer(unknown), unknown.headers['accept-patch']], [415, 'ERR_MEDIA_TYPE_NOT_SUPPORTED', all]);
  assert.equal((await ask('OPTIONS', path)).headers['accept-patch'], all);
  for (const media of [JSON_PATCH, MERGE_PATCH]) {
    const refused = await send(text, [], media);
    assert.deepEqual([...answer(refused), refused.headers['accept-patch']], [415, 'ERR_MEDIA_TYPE_NOT_SUPPORTED', OP]);
  }
});

test('If-Match: strict; a list or "*"', async () => {
  const path = await made('json1', { a: 1 });
  const { etag } = (await get(path)).headers;
  const step = value => [{ op: 'replace', path: '/a', value }];

  assert.equal((await send(path, step(2), JSON_PATCH, { 'if-match': '"other"' })).status, 412);
  assert.equal((await send(path, step(2), JSON_PATCH, { 'if-match': `"other", ${etag}` })).status, 200);
  assert.equal((await send(path, step(3), JSON_PATCH, { 'if-match': etag })).status, 412);
  assert.equal((await send(path, { a: 4 }, MERGE_PATCH, { 'if-match': '*' })).status, 200);
  assert.equal((await send('/v1/docs/patch/none', step(3), JSON_PATCH, { 'if-match': '*' })).status, 412);
  assert.deepEqual(await content(path), { a: 4 });
});

test('Idempotency-Key: the answer of the first, though the test would fail now', async () => {
  const path = await made('json0', { bid: 1 });
  const patch = [{ op: 'test', path: '/bid', value: 1 }, { op: 'replace', path: '/bid', value: 2 }];
  const key = { 'idempotency-key': 'bid-1' };
  const first = await send(path, patch, JSON_PATCH, key);
  const again = await send(path, patch, JSON_PATCH, key);

  assert.deepEqual([again.status, again.text, again.headers.etag], [200, first.text, first.headers.etag]);
  assert.equal((await send(path, [...patch].reverse(), JSON_PATCH, key)).status, 422);
  assert.equal((await send(path, patch)).status, 409);
});

test('a test and what follows are one: of fifty bids at once one is accepted at each price', async () => {
  for (const type of ['json0', 'json1']) {
    const path = await made(type, { price: 0, bids: [] });

    for (let round = 0; round < 3; round++) {
      const bids = await Promise.all(Array.from({ length: 50 }, (_, i) => send(path, [
        { op: 'test', path: '/price', value: round }, { op: 'replace', path: '/price', value: round + 1 }, { op: 'add', path: '/bids/-', value: i }])));
      const statuses = bids.map(({ status }) => status);

      assert.deepEqual([statuses.filter(status => status === 200).length, statuses.filter(status => status === 409).length], [1, 49]);
    }
    assert.deepEqual([(await content(path)).price, (await content(path)).bids.length], [3, 3]);
  }
});

test('what is written at the same time within a thing that moves goes along: json1, and lists of json0', async () => {
  for (const [type, from, to, op, found] of [
    ['json1', '/todo/0', '/done/0', ['todo', 0, 'title', { es: [3, '!'] }], { todo: [], done: [{ title: 'ink!' }] }],
    ['json0', '/todo/0', '/todo/1', [{ p: ['todo', 0, 'title', 3], si: '!' }], { todo: [{ title: 'paper' }, { title: 'ink!' }], done: [] }]]) {
    const before = type === 'json1' ? { todo: [{ title: 'ink' }], done: [] } : { todo: [{ title: 'ink' }, { title: 'paper' }], done: [] };
    const path = await made(type, before);
    const wire = await Wire.open(server);

    await send(path, [{ op: 'move', from, path: to }]);
    await wire.submit('patch', path.split('/').at(-1), { v: 1, op });
    assert.deepEqual(await content(path), found);
    wire.socket.close();
  }
});
