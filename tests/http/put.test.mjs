// PUT by base: what differs from the version that was read is merged with all that has come since. And conditions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { kinds } from '../lib/kinds.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { Wire } from '../lib/wire.mjs';
import { OP, SNAPSHOT, ask, get, opsOf, put, server } from './rest.mjs';

const JSON_TYPE = { 'content-type': 'application/json' };
const DELTA = { 'content-type': 'application/vnd.quill.delta+json' };
let n = 0;
const fresh = () => `/v1/docs/put/doc${++n}`;

async function made(body, headers, type = 'text-unicode') {
  const path = fresh();
  assert.equal((await put(`${path}?type=${type}`, body, headers)).status, 201);
  return path;
}
const shape = ({ status, headers }) => [status, headers['pilcrow-version'], 'etag' in headers];
const refused = answer => [answer.status, answer.code];

test('two who have read the same version: both changes are there, one operation each', async () => {
  const path = await made('one\ntwo\nthree\n');
  const first = await put(`${path}?base=1`, 'ONE\ntwo\nthree\n');
  const second = await put(`${path}?base=1`, 'one\ntwo\nthree\nfour\n');

  assert.deepEqual(shape(first), [200, '2', true]);
  assert.deepEqual(shape(second), [200, '3', false], 'no ETag: the content is not what was sent');
  const read = await get(path);
  assert.equal(read.text, 'ONE\ntwo\nthree\nfour\n');
  assert.equal((await get(path, { 'if-none-match': read.headers.etag })).status, 304);
  assert.deepEqual((await opsOf(path)).slice(1).map(({ op }) => op), [['ONE', { d: 3 }], [14, 'four\n']]);
});

test('the ETag of an answer is the one that reading gives', async () => {
  const path = await made('a b c');
  const { headers } = await put(`${path}?base=1`, 'a B c');

  assert.equal(headers.etag, (await get(path)).headers.etag);
});

test('each type merges', async () => {
  for (const [type, headers, before, mine, theirs, both] of [
    ['json0', JSON_TYPE, { a: 1, b: [1, 2], c: 'x' }, { a: 2, b: [1, 2], c: 'x' }, { a: 1, b: [1, 2, 3] }, { a: 2, b: [1, 2, 3] }],
    ['json1', JSON_TYPE, { a: 1, b: [1, 2], c: 'x' }, { a: 2, b: [1, 2], c: 'x' }, { a: 1, b: [1, 2, 3] }, { a: 2, b: [1, 2, 3] }],
    ['rich-text', DELTA, { ops: [{ insert: 'one two\n' }] }, { ops: [{ insert: 'one ' }, { insert: 'two', attributes: { bold: true } }, { insert: '\n' }] },
      { ops: [{ insert: 'one and two\n' }] }, { ops: [{ insert: 'one and ' }, { insert: 'two', attributes: { bold: true } }, { insert: '\n' }] }]]) {
    const path = await made(JSON.stringify(before), headers, type);

    assert.deepEqual(shape(await put(`${path}?base=1`, JSON.stringify(theirs), headers)), [200, '2', true], type);
    assert.deepEqual(shape(await put(`${path}?base=1`, JSON.stringify(mine), headers)), [200, '3', false], type);
    assert.deepEqual(JSON.parse((await get(path)).text), both, type);
  }
});

test('what was not changed is no operation, and the answer names the present version', async () => {
  const path = await made('one');

  assert.deepEqual(shape(await put(`${path}?base=1`, 'one')), [200, '1', true]);
  await put(`${path}?base=1`, 'one two');
  assert.deepEqual(shape(await put(`${path}?base=1`, 'one')), [200, '2', false]);
  assert.equal((await get(path)).text, 'one two');
});

test('If-Match makes it strict: nothing may have come since the base', async () => {
  const path = await made('one');
  const { etag } = (await get(path)).headers;

  assert.deepEqual(shape(await put(`${path}?base=1`, 'one two', { 'if-match': etag })), [200, '2', true]);
  assert.equal((await put(`${path}?base=1`, 'one three', { 'if-match': etag })).status, 412);
  const now = (await get(path)).headers.etag;
  assert.equal((await put(`${path}?base=1`, 'one three', { 'if-match': now })).status, 412, 'the base is older than that');
  assert.deepEqual(shape(await put(`${path}?base=1`, 'three one', { 'if-match': '*' })), [200, '3', false]);
  assert.equal((await put(`${path}?base=1`, 'x', { 'if-none-match': '*' })).status, 412);
  assert.equal((await get(path)).text, 'three one two');
});

test('a base that is none', async () => {
  const path = await made('text');

  assert.deepEqual(refused(await put(`${path}?base=0`, 'x')), [409, 'ERR_DOC_ALREADY_CREATED']);
  assert.deepEqual(refused(await put(`${path}?base=9`, 'x')), [404, 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT']);
  for (const base of ['', 'x', '-1', '1.5', '18446744073709551615'])
    assert.deepEqual(refused(await put(`${path}?base=${base}`, 'x')), [400, 'ERR_MESSAGE_BADLY_FORMED'], base);
  assert.deepEqual(refused(await put(`${fresh()}?base=1`, 'x')), [404, 'ERR_DOC_DOES_NOT_EXIST']);
  assert.deepEqual(refused(await put(`${path}?base=1`, '{"a":1}', { 'content-type': 'image/png' })), [415, 'ERR_MEDIA_TYPE_NOT_SUPPORTED']);
  assert.equal((await get(path)).headers['pilcrow-version'], '1');
});

test('the version of what is not there: a create, unless somebody was faster', async () => {
  const path = fresh();
  const answers = await Promise.all(['a', 'b', 'c'].map(text => put(`${path}?base=0`, text)));

  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
  assert(answers.every(answer => answer.status === 201 || answer.code === 'ERR_DOC_ALREADY_CREATED'));
  await ask('DELETE', path);
  const deleted = (await get(path)).headers['pilcrow-version'];
  assert.deepEqual(shape(await put(`${path}?base=${deleted}`, 'again')), [201, '3', true]);
});

test('a base of a life that is over, of the same type or of another', async () => {
  const path = await made('text');

  await ask('DELETE', path);
  assert.deepEqual(refused(await put(`${path}?base=1`, 'x')), [409, 'ERR_DOC_WAS_DELETED']);
  await put(path, 'text');
  assert.deepEqual(refused(await put(`${path}?base=1`, 'x')), [409, 'ERR_DOC_WAS_DELETED']);
  assert.deepEqual(refused(await put(`${path}?base=2`, 'x')), [409, 'ERR_DOC_ALREADY_CREATED']);
  await ask('DELETE', path);
  await put(path, '{}', JSON_TYPE);
  assert.deepEqual(refused(await put(`${path}?base=3`, '{}', JSON_TYPE)), [409, 'ERR_DOC_WAS_DELETED']);
  await ask('DELETE', `${path}?purge=true`);
  await put(path, 'text');
  assert.deepEqual(refused(await put(`${path}?base=3`, 'x')), [410, 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND']);
});

test('json1: what can not be merged is a conflict', async () => {
  const path = await made('{}', JSON_TYPE, 'json1');

  await put(`${path}?base=1`, '{"a":1}', JSON_TYPE);
  assert.deepEqual(refused(await put(`${path}?base=1`, '{"a":2}', JSON_TYPE)), [409, 'ERR_OT_TRANSFORM_CONFLICT']);
  assert.deepEqual(shape(await put(`${path}?base=1`, '{"a":1}', JSON_TYPE)), [200, '3', false], 'the same is none');
});

for (const kind of kinds)
  test(`a random ${kind.type.name}: merged as an operation for that version would be`, async t => {
    const random = new Random(seedOf(t));
    const wire = await Wire.open(server);
    const media = { ...(kind.type.name === 'text-unicode' ? JSON_TYPE : kind.type.name === 'rich-text' ? DELTA : JSON_TYPE) };
    const id = `random-${kind.type.name}`;
    const path = `/v1/docs/put/${id}`;
    let content = kind.type.create(kind.initial);
    let nMerged = 0;

    await wire.submit('put', id, { v: 0, create: { type: kind.type.uri, data: kind.initial } });
    const contents = [null, content];
    for (let round = 0; round < 40; round++) {
      const v = contents.length - 1;
      const base = Math.max(1, v - random.between(0, 4));
      const mine = kind.randomOp(random, contents[base]);
      const wanted = kind.type.apply(structuredClone(contents[base]), mine);
      const answer = await put(`${path}?base=${base}`, JSON.stringify(wanted), media);

      assert([200, 409].includes(answer.status), answer.text);
      if (answer.status === 409) continue;
      const [step] = (await get(`${path}/ops?from=${v}`)).json.ops;
      if (!step) continue;
      nMerged += base < v;
      content = kind.type.apply(structuredClone(contents[v]), step.op);
      assert.deepEqual((await get(path, { accept: SNAPSHOT })).json.data, JSON.parse(JSON.stringify(content)));
      if (base === v) assert.deepEqual(JSON.parse(JSON.stringify(content)), JSON.parse(JSON.stringify(wanted)));
      contents.push(content);
    }
    assert(nMerged > 5, `${nMerged} of other versions`);
    wire.socket.close();
    await once(wire.socket, 'close');
  });

test('If-Match: lists, any representation, "*"; a weak tag never matches', async () => {
  const path = await made('one');
  const { etag } = (await get(path)).headers;
  const json = (await get(path, { accept: 'application/json' })).headers.etag;
  const matches = async value => (await ask('DELETE', `${path}?purge=false`, { headers: { 'if-match': value, 'if-none-match': '*' } })).status;

  for (const value of [`W/${etag}`, `"other", W/${etag}`, etag.replaceAll('"', ''), '"*"'])
    assert.equal((await put(path, 'two', { 'if-match': value })).status, 412, value);
  assert.equal(await matches(etag), 412, 'If-None-Match does not hold');
  assert.equal((await put(path, 'two', { 'if-match': `"other" , ${etag}` })).status, 200);
  assert.equal((await put(path, 'three', { 'if-match': json })).status, 412, 'of the version before');
});

test('an operation under If-Match: nothing is transformed', async () => {
  const path = await made('one');
  const { etag } = (await get(path)).headers;
  const patch = (body, headers, method = 'PATCH', where = path) => ask(method, where, { body: JSON.stringify(body), headers: { 'content-type': OP, ...headers } });

  assert.equal((await patch({ v: 1, op: ['0'] }, { 'if-match': '"other"' })).status, 412);
  assert.equal((await patch({ v: 1, op: ['0'] }, { 'if-match': etag })).json.v, 1);
  assert.equal((await patch({ v: 1, op: ['0'] }, { 'if-match': etag })).status, 412);
  const now = (await get(path)).headers.etag;
  assert.equal((await patch({ v: 1, op: ['0'] }, { 'if-match': now })).status, 412, 'made for an older version');
  assert.equal((await patch({ op: ['00'] }, { 'if-match': now }, 'POST', `${path}/ops`)).json.v, 2);
  assert.equal((await patch({ v: 1, op: [3, '!'] }, { 'if-match': '*' })).json.v, 3);
  assert.equal((await patch({ create: { type: 'json0', data: 1 } }, { 'if-none-match': '*' })).status, 412);
  assert.equal((await get(path)).text, '000one!');
});
