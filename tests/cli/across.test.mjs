// One store with everything that happens to a store: operations merged by age, a document that was purged and created
// again, a restored one, all types, a compaction; and each tool on it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startOnClock } from '../lib/clock.mjs';
import { pilcrow, run, temporaryDirectory } from '../lib/server.mjs';

const DAY = 86_400;
const TYPED = 'what was typed two months ago';
const root = temporaryDirectory({ after });
const server = await startOnClock({ after }, { seconds: -60 * DAY });
const online = ['--server', server.url];
const local = ['--data', server.data];
let number = 0;

const fresh = () => join(root, `d${++number}`);
const ask = (method, path, body, type = 'application/json', author = 'ink') =>
  fetch(`${server.url}/v1/docs/${path}`, { method, body, headers: { 'content-type': type, 'pilcrow-author': author } });
const status = async path => (await ask('GET', path)).status;
const text = async path => (await ask('GET', path)).text();

async function ok(method, path, ...rest) {
  const answer = await ask(method, path, ...rest);

  assert(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer;
}

const op = (path, v, edit, author) => ok('POST', `${path}/ops`, JSON.stringify({ v, op: edit, src: 'pen', seq: v }), undefined, author);

async function cli(where, args, code = 0) {
  const result = await run(pilcrow, [...where, ...args]);

  assert.equal(result.code, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
  return result.stdout;
}

// Two months ago.
await ok('PUT', 'notes/text', '', 'text/plain');
for (let i = 0; i < TYPED.length; i++)
  await op('notes/text', i + 1, [i, TYPED[i]].filter(Boolean));
await ok('PUT', 'notes/json0', '{"n":0}');
await ok('PUT', 'notes/json1?type=json1', '{"n":0}');
await ok('PUT', 'notes/rich?type=rich-text', '[{"insert":"x"}]');
for (let v = 1; v < 10; v++) {
  await op('notes/json0', v, [{ p: ['n'], na: 1 }]);
  await op('notes/json1', v, ['n', { r: v - 1, i: v }]);
  await op('notes/rich', v, [{ retain: v }, { insert: `${v}`, attributes: { b: v } }]);
}
await ok('PUT', 'notes/purged', 'not to be kept', 'text/plain');
await op('notes/purged', 1, [3, ' at all']);
await ok('DELETE', 'notes/purged?purge=true');
await ok('PUT', 'notes/purged', 'anew', 'text/plain');
for (let v = 4; v < 10; v++)
  await op('notes/purged', v, [`${v}`]);
const before = fresh();
await cli(online, ['backup', before]);
await server.stop();

// Now.
server.clock.add(0);
await server.restart();
const opened = new Date(Date.now() - DAY * 1000).toISOString();
await op('notes/text', TYPED.length + 1, [TYPED.length, '.'], 'paper');
await ok('POST', 'notes/json0/restore', '{"version":3}');
assert.equal((await fetch(`${server.url}/v1/compact?retention=notes=30`, { method: 'POST', body: '' })).status, 200);
await op('notes/text', TYPED.length + 2, ['> '], 'paper');
const HEAD = TYPED.length + 3;
const MERGED = TYPED.length + 1; // versions 1 to here are one operation

test('merged versions: 410 inside, right at the edges, whoever asks', async () => {
  assert.deepEqual(await Promise.all([1, 2, MERGED - 1, MERGED, HEAD].map(v => status(`notes/text?version=${v}`))), [200, 410, 410, 200, 200]);
  assert.equal(await text('notes/text?version=1'), '');
  assert.equal(await text(`notes/text?version=${MERGED}`), TYPED);
  assert.equal(await text('notes/text'), `> ${TYPED}.`);
  assert.equal(await text(`notes/text?at=${opened}`), TYPED);
  assert.equal(await status(`notes/text/diff?from=1&to=${MERGED}`), 200);
  assert.equal(await status(`notes/text/diff?from=5&to=${MERGED}`), 410);
  assert.equal((await ask('POST', 'notes/text/restore', '{"version":5}')).status, 410);
  for (const where of [online, local]) {
    assert.equal(await cli(where, ['cat', `notes/text@${MERGED}`]), TYPED);
    await cli(where, ['cat', 'notes/text@5'], 3);
    await cli(where, ['diff', 'notes/text', '5', `${HEAD}`], 3);
    assert.match(await cli(where, ['diff', 'notes/text', '1', `${MERGED}`]), /\+what was typed/);
    assert.match(await cli(where, ['blame', 'notes/text']), new RegExp(`paper.*> ${TYPED}`));
  }
});

test('the history shows a merged operation as what it stands for, the same over HTTP and on files', async () => {
  const http = (await cli(online, ['log', 'notes/text', '--json'])).trimEnd().split('\n').map(line => JSON.parse(line));

  assert.deepEqual(http.map(({ from, to, author }) => [from, to, author]), [[MERGED, HEAD, 'paper'], [1, MERGED, 'ink'], [0, 1, 'ink']]);
  assert.equal(http[1].inserted, TYPED.length);
  for (const id of ['text', 'json0', 'json1', 'rich', 'purged'])
    assert.equal(await cli(local, ['log', `notes/${id}`, '--json']), await cli(online, ['log', `notes/${id}`, '--json']), id);
});

test('blame of a document whose name was purged before begins with what is kept', async () => {
  for (const where of [online, local])
    assert.match(await cli(where, ['blame', 'notes/purged']), /^10\tink\t[^\t]+\t987654anew\n$/);
});

test('restoring the edge of what was merged', async () => {
  assert.equal(await cli(online, ['restore', 'notes/rich', '1', '--json']), '{"version":11}\n');
  assert.equal(await cli(online, ['restore', 'notes/rich', '10', '--json']), '{"version":12}\n');
  assert.equal(await text('notes/rich?version=12'), await text('notes/rich?version=10'));
  await cli(online, ['restore', 'notes/purged', '2'], 3);
});

test('an export is imported, and is the same again; nothing is damaged', async () => {
  const whole = await cli(online, ['export']);
  const file = fresh();
  const data = fresh();

  assert.match(whole, /"merged":/);
  assert.match(whole, /"id":"purged","type":"text-unicode","exists":true,"first":3,/);
  writeFileSync(file, whole);
  await cli(['--data', data], ['import', file]);
  assert.equal(await cli(['--data', data], ['export']), whole);
  await cli(['--data', data], ['check']);
  assert.equal(await cli(['--data', data], ['blame', 'notes/purged']), await cli(online, ['blame', 'notes/purged']));
  await cli(['--data', data], ['compact']);
  assert.equal(await cli(['--data', data], ['export']), whole);
  assert.equal(await cli(local, ['export']), whole);
  await cli(local, ['check']);
});

test('a backup from before the merge is brought up to date, over a purge and a compaction, too', async () => {
  await cli(online, ['rm', 'notes/json1', '--purge', '--yes']);
  await ok('PUT', 'notes/json1?type=json1', '[]');
  await cli(online, ['compact']);
  const first = JSON.parse(await cli(online, ['--json', 'backup', before, '--incremental']));
  assert.equal(first.different, 0, JSON.stringify(first));
  for (const id of ['text', 'json0', 'json1', 'rich', 'purged'])
    assert.equal(await cli(['--data', before], ['cat', `notes/${id}`]), await cli(online, ['cat', `notes/${id}`]), id);
  await cli(['--data', before], ['check']);
  const again = JSON.parse(await cli(online, ['--json', 'backup', before, '--incremental']));
  assert.equal(again.same, 5, JSON.stringify(again));
});
