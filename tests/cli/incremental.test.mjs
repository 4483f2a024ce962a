// An older backup is brought up to date, log by log. What was purged is shown by sources that are imported without it: a
// store in which a log is not, or begins above the version at which it was forgotten.
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const root = temporaryDirectory({ after });
const TYPE = 'http://sharejs.org/types/text-unicode';
let number = 0;

const fresh = () => join(root, `d${++number}`);
const cli = (...args) => run(pilcrow, args);

async function ok(...args) {
  const { code, stdout, stderr } = await cli(...args);

  assert.equal(code, 0, stderr);
  return stdout;
}

const exported = data => ok('--data', data, 'export');

async function incremental(source, dest, code = 0, ...args) {
  const result = await cli(...source, '--json', 'backup', dest, '--incremental', ...args);

  assert.equal(result.code, code, result.stderr);
  return { ...result, counts: result.stdout ? JSON.parse(result.stdout) : {} };
}

const none = { operations: 0, new: 0, continued: 0, replaced: 0, removed: 0, same: 0, different: 0 };

// Logs as { name: [first, record, ...] }; a record is a text that is inserted in front, or an object.
async function storeOf(logs) {
  const lines = ['{"pilcrow":"export","format":1,"history":true}'];
  const data = fresh();
  let records = 0;

  for (const [id, [first, ...given]] of Object.entries(logs).sort()) {
    let v = first;
    const body = given.map((record, i) => {
      const what = typeof record !== 'string' ? record : i ? { op: [record] } : { create: { type: TYPE, data: record } };
      const line = { v, src: id, seq: i + 1, time: new Date(Date.UTC(2026, 0, 1) + v).toISOString(), author: 'ink', ...what };

      v += 1 + (line.merged ?? 0);
      return JSON.stringify(line);
    });

    lines.push(JSON.stringify({ collection: 'c', id, type: 'text-unicode', exists: true, first, version: v }), ...body);
    records += body.length;
  }
  lines.push(JSON.stringify({ pilcrow: 'end', logs: Object.keys(logs).length, records, documents: 0 }));
  const path = fresh();
  writeFileSync(path, `${lines.join('\n')}\n`);
  await ok('--data', data, 'import', path);
  return data;
}

test('what was written since is appended; the same bytes come out of both', { timeout: 60_000 }, async t => {
  const server = await startServer(t);
  const dest = fresh();
  const put = (path, body) => fetch(`${server.url}/v1/docs/${path}`, { method: 'PUT', body, headers: { 'content-type': 'text/plain' } });
  const edit = (path, v, op) => fetch(`${server.url}/v1/docs/${path}/ops`, { method: 'POST', body: JSON.stringify({ v, op }), headers: { 'content-type': 'application/json' } });

  for (const id of ['a', 'b', 'c'])
    await put(`notes/${id}`, id);
  await ok('--server', server.url, 'backup', dest);
  for (let v = 1; v < 200; v++)
    await edit('notes/a', v, [`${v} `]);
  await fetch(`${server.url}/v1/docs/notes/b`, { method: 'DELETE' });
  await put('notes/b', 'again');
  await put('notes/new', 'new');
  await put('other/large', 'x'.repeat(1_000_000));
  const source = ['--server', server.url];
  const dry = await incremental(source, dest, 0, '--dry-run');
  assert.deepEqual(dry.counts, { ...none, operations: 203, new: 2, continued: 2, same: 1 });
  assert.deepEqual((await incremental(source, dest)).counts, dry.counts);
  assert.equal(await exported(dest), await ok(...source, 'export'));
  assert.deepEqual((await incremental(source, dest)).counts, { ...none, same: 5 });
  assert.equal((await cli('--data', dest, 'check')).code, 0);
  assert.deepEqual(JSON.parse(await ok('--data', dest, '--json', 'stat', 'notes/b')), JSON.parse(await ok(...source, '--json', 'stat', 'notes/b')));
});

test('what was purged is forgotten, what was begun anew replaced', async () => {
  const dest = await storeOf({ kept: [0, 'kept', 'more'], anew: [0, 'secret', 'more'], purged: [0, 'secret'], later: [0, 'secret', 'x'] });
  const source = await storeOf({ kept: [0, 'kept', 'more', 'most'], anew: [2, 'other'], later: [7, 'other', 'more'] });

  assert.deepEqual((await incremental(['--data', source], dest)).counts, { ...none, operations: 4, continued: 1, replaced: 2, removed: 1 });
  assert.equal(await exported(dest), await exported(source));
  assert.ok(!(await exported(dest)).includes('secret'));
  assert.deepEqual((await incremental(['--data', source], dest)).counts, { ...none, same: 3 });
});

test('it never goes back: what is ahead of the source, or another history, is left and named', async () => {
  const logs = { ahead: [0, 'a', 'b', 'c'], other: [0, 'a', 'b'], purged: [9, 'a'], fine: [0, 'a'] };
  const dest = await storeOf(logs);
  const before = await exported(dest);
  const source = await storeOf({ ahead: [0, 'a', 'b'], other: [0, 'a', 'else', 'c'], purged: [0, 'a', 'b'], fine: [0, 'a'] });
  const { counts, stderr } = await incremental(['--data', source], dest, 4);

  assert.deepEqual(counts, { ...none, same: 1, different: 3 });
  assert.match(stderr, /c\/ahead is left as it is: it is ahead of the source/);
  assert.match(stderr, /c\/other is left as it is: the source has another history/);
  assert.match(stderr, /c\/purged is left as it is: it is ahead of the source/);
  assert.equal(await exported(dest), before);
});

test('a store that has nothing in common with the source is not touched', async () => {
  const dest = await storeOf({ mine: [0, 'a'] });
  const before = await exported(dest);

  assert.match((await incremental(['--data', await storeOf({ yours: [0, 'a'] })], dest, 4)).stderr, /it is no backup of it/);
  assert.match((await incremental(['--data', await storeOf({})], dest, 4)).stderr, /it is no backup of it/);
  assert.equal(await exported(dest), before);
});

test('a run that was cut off is completed by the next', async () => {
  const dest = await storeOf({ a: [0, 'a'], b: [0, 'b'], c: [0, 'c'], gone: [0, 'x'] });
  const part = fresh();
  const logs = { a: [0, 'a', 'more'], b: [0, 'b', 'more', 'most'], c: [0, 'c', 'more'], new: [0, 'n'] };

  cpSync(dest, part, { recursive: true });
  await incremental(['--data', await storeOf({ ...logs, b: [0, 'b', 'more'], c: [0, 'c'], gone: [0, 'x'] })], part);
  const source = await storeOf(logs);
  assert.deepEqual((await incremental(['--data', source], part)).counts, { ...none, operations: 2, continued: 2, removed: 1, same: 2 });
  assert.equal(await exported(part), await exported(source));
});

test('there must be a backup, and it must not be the store itself, or in use', async t => {
  const server = await startServer(t);
  const source = await storeOf({ a: [0, 'a'] });

  await incremental(['--data', source], fresh(), 3);
  await incremental(['--data', source], source, 2);
  await incremental(['--data', source], server.data, 6);
  assert.equal((await cli('--data', source, 'backup', fresh(), '--dry-run')).code, 2);
});
