// Documents as they were: ?version= and ?at=, over whole histories, beside a replay from the beginning.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { kinds } from '../lib/kinds.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { Wire } from '../lib/wire.mjs';
import { ask, get, put, server, SNAPSHOT } from './rest.mjs';

const OPERATIONS = process.env.PILCROW_LONG ? 3000 : 70;
const pastOf = (path, query) => get(`${path}?${query}`, { accept: SNAPSHOT });
const after = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

// Edits, and now and then a deletion and another beginning. Returns what every version is: null, or the content.
async function live(wire, random, kind, id) {
  const versions = [null];
  let content;

  for (let v = 0; v < OPERATIONS; v++) {
    const op = content === undefined ? null : kind.randomOp(random, content);

    if (content === undefined) {
      await wire.submit('past', id, { v, create: { type: kind.type.uri, data: kind.initial } });
      content = kind.type.create(kind.initial);
    } else if (!op || random.next() < 0.02) {
      await wire.submit('past', id, { v, del: true });
      content = undefined;
    } else {
      await wire.submit('past', id, { v, op });
      content = kind.type.apply(structuredClone(content), op);
    }
    versions.push(content === undefined ? null : JSON.stringify(content));
  }
  return versions;
}

function check(answer, version, content) {
  assert.equal(answer.status, content === null ? 404 : 200, `version ${version}`);
  if (content === null) return;
  assert.equal(answer.headers['pilcrow-version'], String(version));
  assert.deepEqual(answer.json.data, JSON.parse(content));
}

for (const kind of kinds)
  test(`every version and every time of a random ${kind.type.name}, while somebody writes`, async t => {
    const random = new Random(seedOf(t));
    const wire = await Wire.open(server);
    const writer = await Wire.open(server);
    const id = kind.type.name;
    const path = `/v1/docs/past/${id}`;
    const versions = await live(wire, random, kind, id);
    const { ops } = (await get(`${path}/ops?limit=10000`)).json;
    let isOver = false;
    const writing = (async () => {
      for (let v = versions.length - 1; !isOver; v++) await writer.submit('past', id, { v, del: true });
    })();

    for (let v = 0; v < versions.length; v++) check(await pastOf(path, `version=${v}`), v, versions[v]);
    for (const [v, { time }] of ops.entries()) {
      if (ops[v + 1]?.time === time) continue;
      check(await pastOf(path, `at=${time}`), v + 1, versions[v + 1]);
      check(await pastOf(path, `at=${new Date(Date.parse(time) + 7_200_000).toISOString().replace('Z', '+02:00')}`), v + 1, versions[v + 1]);
    }
    isOver = true;
    await writing;
    wire.socket.close();
    writer.socket.close();
    await once(wire.socket, 'close');
  });

test('every version of a text that has been kept many times', async t => {
  const random = new Random(seedOf(t));
  const wire = await Wire.open(server);
  let text = '';
  const texts = [null];

  await wire.createText('past', 'kept');
  for (let v = 1; v < 100; v++) {
    const at = random.between(0, text.length + 1);
    const word = Array.from({ length: random.between(1, 5000) }, () => random.oneOf('aeinst ')).join('');
    const n = Math.min(text.length - at, random.between(0, 4000));

    texts.push(text);
    await wire.submit('past', 'kept', { v, op: [...(at ? [at] : []), word, ...(n ? [{ d: n }] : [])] });
    text = text.slice(0, at) + word + text.slice(at + n);
  }
  texts.push(text);
  await server.kill();
  await server.restart();
  for (let v = 1; v < texts.length; v++) assert.equal((await get(`/v1/docs/past/kept?version=${v}`)).text, texts[v], `version ${v}`);
});

test('what is newest at a time is immutable when something newer is there', async () => {
  const path = '/v1/docs/past/times';
  const stamp = () => new Date().toISOString();
  let answer;

  await put(path, 'one');
  await after(5);
  const first = stamp();
  answer = await get(`${path}?at=${first}`);
  assert.equal(answer.text, 'one');
  assert.equal(answer.headers['cache-control'], 'no-cache');
  await after(5);
  await put(path, 'two', { 'if-match': '*' });
  answer = await get(`${path}?at=${first}`);
  assert.equal(answer.text, 'one');
  assert.equal(answer.headers['pilcrow-version'], '1');
  assert.match(answer.headers['cache-control'], /immutable/);
  assert.equal((await get(`${path}?at=${first}`, { 'if-none-match': answer.headers.etag })).status, 304);
  assert.equal((await get(`${path}?version=1`)).headers.etag, answer.headers.etag);
  assert.equal((await get(`${path}?at=2999-01-01T00:00:00Z`)).text, 'two');
  assert.equal((await get(`${path}?at=1970-01-01T00:00:00Z`)).status, 404);
  assert.equal((await ask('HEAD', `${path}?at=${first}`)).headers['pilcrow-version'], '1');
});

test('a past envelope has the times of then', async () => {
  const path = '/v1/docs/past/envelope';

  await put(path, 'one');
  const { created, modified } = (await pastOf(path, 'version=1')).json;
  await after(5);
  await put(path, 'two', { 'if-match': '*' });
  assert.deepEqual((({ created, modified, version, data }) => ({ created, modified, version, data }))((await pastOf(path, 'version=1')).json),
    { created, modified, version: 1, data: 'one' });
  assert.notEqual((await pastOf(path, 'version=2')).json.modified, modified);
});

test('what is no version, no time, or both, is refused', async () => {
  await put('/v1/docs/past/refused', 'x');
  for (const query of ['at=', 'at=now', 'at=2026-11-01', 'at=2026-11-01T12:00:00', 'at=1793534400', 'at=2026-02-30T00:00:00Z', 'at=%zz',
    `at=2026-11-01T12:00:00.${'0'.repeat(99)}Z`, 'version=-1', 'version=', 'version=1&at=2026-11-01T12:00:00Z'])
    assert.equal((await get(`/v1/docs/past/refused?${query}`)).code, 'ERR_MESSAGE_BADLY_FORMED', query);
  assert.equal((await get('/v1/docs/past/refused?version=2')).code, 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT');
});
