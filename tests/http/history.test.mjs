// Who changed what, what differs, and going back: /history, /diff, /restore, on documents of every type.
import assert from 'node:assert/strict';
import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SNAPSHOT, TEXT, ask, get, opsOf, put, server } from './rest.mjs';
import { Client } from '../lib/client.mjs';
import { kinds } from '../lib/kinds.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { run, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const folder = temporaryDirectory({ after });
let n = 0;
const fresh = () => `/v1/docs/history/doc${++n}`;
const as = author => ({ 'pilcrow-author': author });
const write = async (path, text, author) => assert.equal((await put(path, text, { 'if-match': '*', ...as(author) })).status, 200);
const restore = (path, version, headers = {}, more = {}) => ask('POST', `${path}/restore`, { body: JSON.stringify({ version, ...more }), headers });
const plain = value => JSON.parse(JSON.stringify(value));
const historyOf = async (path, query = '') => (await get(`${path}/history${query}`)).json.history;
const briefly = groups => groups.map(({ from, to, author, kind, inserted, deleted }) => [from, to, author, kind, inserted, deleted]);

// ink begins, paper and ink write, it is deleted, and another type comes in its place.
async function eventful() {
  const path = fresh();

  await put(path, 'one\n', as('ink'));
  await write(path, 'one\ntwo\n', 'ink');
  await write(path, 'one\ntwo\nthree\n', 'paper');
  await write(path, 'one\nthree\n', 'paper');
  await write(path, '1\nthree\n', 'ink');
  assert.equal((await ask('DELETE', path, { headers: as('paper') })).status, 204);
  assert.equal((await put(path, '{"a":1}', { 'content-type': 'application/json', ...as('ink') })).status, 201);
  return path;
}

test('history: groups by author, the newest first; create and delete stand alone', async () => {
  const path = await eventful();
  const answer = await get(`${path}/history`);

  assert.equal(answer.status, 200);
  assert.deepEqual([answer.json.from, answer.json.to, answer.json.head], [0, 7, 7]);
  assert.deepEqual(briefly(answer.json.history), [
    [6, 7, 'ink', 'create', 1, 0],
    [5, 6, 'paper', 'delete', 0, 0],
    [4, 5, 'ink', 'edit', 1, 3],
    [2, 4, 'paper', 'edit', 6, 4],
    [1, 2, 'ink', 'edit', 4, 0],
    [0, 1, 'ink', 'create', 4, 0],
  ]);
  const [{ first, last, operations }] = answer.json.history.slice(3);
  assert.equal(operations, 2);
  assert(Date.parse(first) <= Date.parse(last) && /Z$/.test(first), `${first} ${last}`);
});

test('history: pages lead on by Link, and together are the whole', async () => {
  const path = await eventful();
  const all = await historyOf(path);
  const seen = [];
  let next = `${path}/history?limit=2`;

  for (let pages = 0; next; pages++) {
    const answer = await get(next);
    assert(pages < 3 && answer.json.history.length === 2, answer.text);
    seen.push(...answer.json.history);
    next = answer.headers.link?.match(/^<([^>]+)>; rel="next"$/)[1];
  }
  assert.deepEqual(seen, all);
});

test('history: from, to, since, until and pause', async () => {
  const path = fresh();

  await put(path, 'a', as('ink'));
  await write(path, 'ab', 'ink');
  await new Promise(resolve => setTimeout(resolve, 5)); // so that there is a time between
  const between = new Date().toISOString();
  await new Promise(resolve => setTimeout(resolve, 5));
  await write(path, 'abc', 'ink');
  await write(path, 'abcd', 'ink');
  const ranges = async query => (await historyOf(path, query)).map(({ from, to }) => `${from}-${to}`).join(' ');

  assert.equal(await ranges(''), '1-4 0-1');
  assert.equal(await ranges('?from=2'), '2-4');
  assert.equal(await ranges('?to=3'), '1-3 0-1');
  assert.equal(await ranges('?from=1&to=1'), '');
  assert.equal(await ranges(`?since=${between}`), '2-4');
  assert.equal(await ranges(`?until=${between}`), '1-2 0-1');
  assert.equal(await ranges(`?until=${between}&since=${between}`), '');
  assert.equal(await ranges('?pause=0&to=2'), '1-2 0-1');
  for (const query of ['?from=x', '?from=3&to=2', '?since=yesterday', '?until=2026-11-01', '?pause=-1', '?limit=0'])
    assert.equal((await get(`${path}/history${query}`)).status, 400, query);
  assert.equal((await get(`${path}/history?to=9`)).status, 404);
  assert.equal((await get(`${fresh()}/history`)).status, 404);
});

test('history: a session of thousands is one group, however it lies in the windows', async () => {
  const path = fresh();
  const wire = await Wire.open(server);
  const id = path.split('/').at(-1);

  await wire.shake();
  await wire.createText('history', id, '.');
  for (let i = 0; i < 4999; i++) wire.send({ a: 'op', c: 'history', d: id, v: 1 + i, seq: wire.seq++, x: {}, op: [1 + i, 'x'] });
  await wire.submit('history', id, { v: 5000, op: [5000, 'x'] });
  await wire.close();
  const [group, create] = await historyOf(path);
  assert.deepEqual([group.from, group.to, group.operations, group.inserted, group.deleted], [1, 5001, 5000, 5000, 0]);
  assert.equal(create.kind, 'create');
});

test('history: operations of megabytes among small ones are counted, the first and the last of a window too', async () => {
  const path = fresh();
  const sizes = [400_000, 1, 500_000, 2, 3, 300_000];
  let text = 'x'.repeat(sizes[0]);

  assert.equal((await put(path, text, as(`author of ${sizes[0]}`))).status, 201);
  for (const size of sizes.slice(1))
    await write(path, text = 'x'.repeat(size) + text, `author of ${size}`);
  const groups = (await historyOf(path)).reverse();
  assert.deepEqual(groups.map(({ author, inserted }) => [author, inserted]), sizes.map(size => [`author of ${size}`, size]));
  assert.deepEqual((await historyOf(path, '?from=2&to=3')).map(({ inserted }) => inserted), [500_000]);
  assert.deepEqual(await historyOf(path, `?since=${encodeURIComponent(groups[2].first)}`), groups.slice(2).reverse());
});

test('diff: lines, with three of context; patch leads from one to the other, both ways', async t => {
  const path = fresh();
  const random = new Random(seedOf(t));
  const line = () => random.oneOf(['ink', 'paper', 'words and words', '', 'é 😀', '-- dash', '\\ slash', 'x'.repeat(300)]);
  let lines = Array.from({ length: 60 }, line);

  await put(path, lines.join('\n'), TEXT);
  for (let i = 0; i < 12; i++) {
    for (let k = random.between(1, 5); k; k--) lines.splice(random.between(0, lines.length), random.between(0, 4), ...Array.from({ length: random.between(0, 4) }, line));
    await write(path, lines.join('\n') + (random.next() < 0.5 ? '\n' : ''), 'ink');
  }
  const { head } = (await get(`${path}/history?limit=1`)).json;
  const texts = await Promise.all(Array.from({ length: head + 1 }, async (_, version) => version ? (await get(`${path}?version=${version}`)).text : ''));
  for (let i = 0; i < 12; i++) {
    const [from, to] = [random.between(0, head + 1), random.between(1, head + 1)];
    const { status, headers, text } = await get(`${path}/diff?from=${from}&to=${to}`);

    assert.deepEqual([status, headers['content-type']], [200, 'text/x-diff; charset=utf-8']);
    assert.equal(text === '', texts[from] === texts[to]);
    if (text) assert.match(text, new RegExp(`^--- history/doc\\d+@${from}\n\\+\\+\\+ history/doc\\d+@${to}\n@@ `));
    if (!text) continue;
    writeFileSync(join(folder, 'text'), texts[from]);
    writeFileSync(join(folder, 'diff'), text);
    const { code, stdout } = await run('patch', ['--posix', '--fuzz=0', join(folder, 'text'), join(folder, 'diff')]);
    assert.equal(code, 0, stdout);
    assert.equal(readFileSync(join(folder, 'text'), 'utf8'), texts[to]);
    assert.doesNotMatch(stdout, /offset|fuzz/);
  }
});

test('diff: of two large texts with nothing in common it is an answer, and others are served meanwhile', async () => {
  const path = fresh();
  const text = mark => Array.from({ length: 150_000 }, (_, i) => `${mark} ${i}\n`).join('');

  await put(path, text('ink'), TEXT);
  await write(path, text('paper'), 'ink');
  const diff = get(`${path}/diff?from=1`);
  assert.equal((await get('/healthz')).status, 200);
  const { status, text: answer } = await diff;
  assert.equal(status, 200);
  assert.equal(answer.match(/^@@ .*$/mg).join(), '@@ -1,150000 +1,150000 @@');
});

test('diff: what there is not', async () => {
  const path = await eventful();

  assert.equal((await get(`${path}/diff`)).status, 400);
  assert.equal((await get(`${path}/diff?from=1&to=9`)).code, 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT');
  assert.deepEqual([(await get(`${path}/diff?from=5`)).status, (await get(`${path}/diff?from=5`)).code], [409, 'ERR_TYPE_CHANGED']);
  assert.equal((await get(`${path}/diff?from=6&to=7`)).code, 'ERR_TYPE_CHANGED'); // an operation of nothing
  assert.match((await get(`${path}/diff?from=5&to=6`)).text, /^-1\n-three\n$/m);
  assert.equal((await get(`${path}/diff?from=6&to=0`)).status, 404);
  assert.equal((await get(`${fresh()}/diff?from=0`)).status, 404);
});

for (const { type, initial, randomOp } of kinds) {
  test(`${type.name}: 50 restores each give just that content, and a diff is the operation that leads there`, async t => {
    const random = new Random(seedOf(t));
    const path = fresh();
    const client = new Client(server);
    const doc = await client.open('history', path.split('/').at(-1), initial, type);
    const contents = [undefined, structuredClone(doc.data)];
    const written = async () => {
      const op = randomOp(random, doc.data);
      if (op === null) return;
      await new Promise((resolve, reject) => doc.submitOp(op, error => (error ? reject(error) : resolve())));
    };

    for (let i = 0; i < 60; i++) await written();
    for (let v = 2; v <= doc.version; v++) contents[v] = (await get(`${path}?version=${v}`, { accept: SNAPSHOT })).json.data;
    for (let i = 0; i < 50; i++) {
      const version = random.between(1, contents.length);
      const before = contents.length - 1;
      const diff = await get(`${path}/diff?from=${before}&to=${version}`);
      const answer = await restore(path, version, as('paper'));

      assert.equal(answer.status, 200, answer.text);
      const { version: head, data } = (await get(path, { accept: SNAPSHOT })).json;
      assert.deepEqual(data, contents[version]);
      assert.deepEqual([answer.json.v, answer.headers['pilcrow-version']], [head - 1, String(head)]);
      if (type.name !== 'text-unicode')
        assert.deepEqual(plain(type.apply(type.create(structuredClone(contents[before])), diff.json.op)), contents[version]);
      if (head > before) contents[head] = data;
    }
    client.close();
  });
}

test('restore: the smallest operation; who writes keeps his place', async () => {
  const path = fresh();

  await put(path, 'one two three', TEXT);
  await write(path, 'one 2 three', 'ink');
  assert.equal((await restore(path, 1)).status, 200);
  assert.deepEqual((await opsOf(path)).at(-1).op, [4, 'two', { d: 1 }]);

  const rich = fresh();
  const ops = { 'content-type': 'application/vnd.quill.delta+json' };
  await put(rich, '{"ops":[{"insert":"one two three"}]}', ops);
  await ask('POST', `${rich}/ops`, { body: '{"v":1,"op":{"ops":[{"retain":4},{"retain":3,"attributes":{"bold":true}}]}}' });
  await restore(rich, 1);
  assert.deepEqual((await opsOf(rich)).at(-1).op.ops ?? (await opsOf(rich)).at(-1).op, [{ retain: 4 }, { retain: 3, attributes: { bold: null } }]);
});

test('restore: shows as such in the history; what is so already makes no version', async () => {
  const path = fresh();

  await put(path, 'one', as('ink'));
  await write(path, 'two', 'ink');
  const answer = await restore(path, 1, as('paper'));
  assert.deepEqual([answer.status, answer.json, answer.headers.etag], [200, { v: 2 }, (await get(path)).headers.etag]);
  const again = await restore(path, 1, as('paper'));
  assert.deepEqual([again.status, again.json, again.headers['pilcrow-version']], [200, { v: 2 }, '3']);
  const [group, ...rest] = await historyOf(path);
  assert.deepEqual([group.author, group.kind, group.restored, group.from], ['paper', 'restore', 1, 2]);
  assert.deepEqual(rest.map(({ kind }) => kind), ['edit', 'create']);
});

test('restore: a deleted document comes back, of another type only after it was deleted', async () => {
  const path = await eventful();
  const refused = await restore(path, 3);

  assert.deepEqual([refused.status, refused.code], [409, 'ERR_TYPE_CHANGED']);
  await ask('DELETE', path);
  const answer = await restore(path, 3, as('ink'));
  assert.deepEqual([answer.status, answer.headers['pilcrow-version']], [200, '9']);
  assert.deepEqual([(await get(path)).text, (await get(path)).headers.etag], ['one\ntwo\nthree\n', answer.headers.etag]);
  assert.deepEqual((await historyOf(path, '?from=7')).map(({ kind }) => kind), ['restore', 'delete']);
});

test('restore: a deleted document of megabytes comes back', async () => {
  const path = fresh();
  const text = 'é"\\ '.repeat(300_000);

  assert.equal((await put(path, text)).status, 201);
  assert.equal((await ask('DELETE', path)).status, 204);
  const answers = await Promise.all([restore(path, 1), restore(path, 1)]);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  assert.equal((await get(path)).text, text);
  assert.deepEqual(briefly(await historyOf(path)).map(([from, , , kind]) => [from, kind]), [[2, 'restore'], [1, 'delete'], [0, 'create']]);
});

test('restore: If-Match is honoured, src and seq are recognised', async () => {
  const path = fresh();

  await put(path, 'one', TEXT);
  const { etag } = (await get(path)).headers;
  await write(path, 'two', 'ink');
  assert.equal((await restore(path, 1, { 'if-match': etag })).status, 412);
  const first = await restore(path, 1, { 'if-match': (await get(path)).headers.etag }, { src: 'me', seq: 1 });
  assert.deepEqual([first.status, first.json], [200, { v: 2 }]);
  await write(path, 'three', 'ink');
  assert.deepEqual((await restore(path, 1, {}, { src: 'me', seq: 1 })).json, { v: 2 });
  assert.equal((await get(path)).text, 'three');
});

test('restore: what is refused', async () => {
  const path = fresh();

  await put(path, 'one', TEXT);
  assert.deepEqual([(await restore(path, 9)).status, (await restore(path, 9)).code], [404, 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT']);
  assert.deepEqual([(await restore(path, 0)).status, (await restore(path, 0)).code], [422, 'ERR_NOTHING_TO_RESTORE']);
  assert.equal((await restore(fresh(), 1)).status, 404);
  for (const body of ['', '[]', '{', '{"version":"1"}', '{"version":-1}', '{"version":1,"src":1}', '{"version":1,"src":"me"}'])
    assert.equal((await ask('POST', `${path}/restore`, { body })).status, 400, body);
  assert.equal((await get(`${path}/restore`)).status, 405);
  assert.equal((await opsOf(path)).length, 1);
});

test('restore: two at once, and somebody who writes: each is one version', async () => {
  const path = fresh();

  await put(path, 'one', TEXT);
  await write(path, 'one two', 'ink');
  const answers = await Promise.all([restore(path, 1), restore(path, 2), restore(path, 1), put(path, 'three', { 'if-match': '*' })]);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200]);
  const ops = await opsOf(path);
  assert.equal(ops.length, (await get(`${path}/history?limit=1`)).json.head);
});
