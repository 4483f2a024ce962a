// Two months in the life of a store: a server of then, a server of now that merges what is old, and those who come back.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startOnClock } from '../lib/clock.mjs';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { TEXT, Wire } from '../lib/wire.mjs';

const DAY = 86_400;
const OP = { 'content-type': 'application/vnd.pilcrow.op+json' };
const TYPED = 'what was typed two months ago';

const patch = (server, path, op, headers = {}) => fetch(`${server.url}/v1/docs/${path}`,
  { method: 'PATCH', headers: { ...OP, ...headers }, body: JSON.stringify(op) });

// A create, one operation a character by ink, then one by paper.
async function write(server, path) {
  const put = await fetch(`${server.url}/v1/docs/${path}`,
    { method: 'PUT', headers: { 'content-type': 'text/plain', 'pilcrow-author': 'ink' }, body: '' });

  assert.equal(put.status, 201);
  for (let i = 0; i < TYPED.length; i++)
    assert.equal((await patch(server, path, { v: i + 1, op: [i, TYPED[i]].filter(Boolean), src: 'pen', seq: i + 1 }, { 'pilcrow-author': 'ink' })).status, 200);
  assert.equal((await patch(server, path, { v: TYPED.length + 1, op: [TYPED.length, '.'] }, { 'pilcrow-author': 'paper' })).status, 200);
}

const opsOf = async (server, path, from) => {
  const answer = await fetch(`${server.url}/v1/docs/${path}/ops?from=${from}`);

  return { status: answer.status, ...await answer.json() };
};

async function merged(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text();

  return Number(text.match(/^pilcrow_merged_operations_total (\d+)$/m)[1]);
}

async function untilMerged(server, n) {
  while (await merged(server) < n)
    await new Promise(resolve => setTimeout(resolve, 50));
}

async function everybodyIsTold(server) {
  const head = TYPED.length + 2;

  assert.equal((await opsOf(server, 'notes/a', 1)).status, 410);
  assert.equal((await opsOf(server, 'notes/a', 5)).status, 410);
  assert.equal((await opsOf(server, 'notes/a', head - 1)).ops[0].author, 'paper');
  assert.equal(await (await fetch(`${server.url}/v1/docs/notes/a`)).text(), `${TYPED}.`);

  const late = await patch(server, 'notes/a', { v: 5, op: ['x'] });
  assert.equal(late.status, 410);
  assert.equal((await late.json()).code, 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND');

  // Sent again after all that time: known, as on the first day.
  const again = await patch(server, 'notes/a', { v: TYPED.length, op: [TYPED.length - 1, 'o'], src: 'pen', seq: TYPED.length }, { 'pilcrow-author': 'ink' });
  assert.deepEqual([again.status, await again.json()], [200, { v: TYPED.length }]);

  const wire = await Wire.open(server);
  const { id } = await wire.ask({ a: 'hs', id: null, protocol: 1, protocolMinor: 2 });
  const refused = await wire.ask({ a: 'op', c: 'notes', d: 'a', v: 5, src: id, seq: 1, op: ['x'] });
  assert.equal(refused.error.code, 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND');
  const resumed = await wire.ask({ a: 's', c: 'notes', d: 'a', v: 5 });
  assert.equal(resumed.error.code, 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND');
  const fresh = await wire.ask({ a: 's', c: 'notes', d: 'a', v: null });
  assert.deepEqual(fresh.data, { v: head, type: TEXT, data: `${TYPED}.` });
  const taken = await wire.ask({ a: 'op', c: 'notes', d: 'a', v: head, src: id, seq: 2, op: ['> '] });
  assert.equal(taken.error, undefined);
  wire.close();
}

// Many short documents of years ago, each a create and two operations of one author.
function archive(collection, n) {
  const time = '2020-01-01T00:00:00.000Z';
  const records = [{ create: { type: TEXT, data: '' } }, { op: ['a'] }, { op: [1, 'b'] }];
  const documents = Array.from({ length: n }, (_, i) => [
    { collection, id: `old${i}`, type: 'text-unicode', exists: true, first: 0, version: records.length },
    ...records.map((record, v) => ({ v, src: 'ink', seq: v + 1, time, author: 'ink', ...record }))]);

  return [{ pilcrow: 'export', format: 1, history: true }, ...documents.flat(), { pilcrow: 'end', logs: n, records: n * records.length, documents: 0 }]
    .map(line => `${JSON.stringify(line)}\n`).join('');
}

// At once: a server begins to merge seconds after its start.
describe('retention', { concurrency: true }, () => {
  test('old operations are merged, versions stay, and whoever was away too long is told so', async t => {
    const server = await startOnClock(t, { seconds: -60 * DAY });

    for (const path of ['notes/a', 'drafts/a'])
      await write(server, path);
    await server.stop();
    server.clock.add(0);
    server.args = ['--retention', 'notes=30'];
    await server.restart();
    await untilMerged(server, TYPED.length - 1);
    await everybodyIsTold(server);
    assert.equal((await opsOf(server, 'drafts/a', 1)).status, 200, 'without a rule nothing is merged');

    server.args = [];
    await server.stop();
    const where = ['--data', server.data];
    assert.equal((await run(pilcrow, [...where, 'compact', '--retention', 'drafts=29'])).code, 2);
    for (const [days, documents] of [[30, 1], [61, 0]]) {
      const { stdout } = await run(pilcrow, [...where, 'compact', '--retention', `drafts=${days}`, '--dry-run', '--json']);
      assert.deepEqual(JSON.parse(stdout), { documents, operations: documents * (TYPED.length + 2) });
    }
    assert.equal((await run(pilcrow, [...where, 'cat', 'drafts/a@5'])).code, 0);
    assert.equal((await run(pilcrow, [...where, 'compact', '--retention', 'drafts=30'])).code, 0);
    assert.equal((await run(pilcrow, [...where, 'cat', 'drafts/a'])).stdout, `${TYPED}.`);
    const gone = await run(pilcrow, [...where, 'cat', 'drafts/a@5']);
    assert.equal(gone.code, 3);
    assert.match(gone.stderr, /^pilcrow: drafts\/a: that version is not kept any more, [^\n]+; pilcrow log drafts\/a says [^\n]+\n$/);
    await server.restart();
    assert.equal((await opsOf(server, 'drafts/a', 5)).status, 410);
  });

  test('a rule that is taken back ends the run that obeys it; one that is put in its place begins one', async t => {
    const directory = temporaryDirectory(t);
    const [input, settings] = ['archive', 'settings'].map(name => join(directory, name));
    const N = 400; // a moment each

    writeFileSync(settings, '{"retention":["notes=30"]}');
    const server = await startServer(t, { args: ['--config', settings] });
    await server.stop();
    for (const part of [archive('notes', N), archive('drafts', 1)]) {
      writeFileSync(input, part);
      assert.equal((await run(pilcrow, ['--data', server.data, 'import', input])).code, 0);
    }
    await server.restart();
    await untilMerged(server, 1);

    writeFileSync(settings, '{"retention":["drafts=30"]}');
    await server.hangup(/old operations were merged/);
    const n = await merged(server);
    assert.ok(n < N, `${n} of ${N}`);
    await untilMerged(server, n + 1);
    assert.equal((await opsOf(server, 'drafts/old0', 1)).status, 410);
    assert.equal(await merged(server), n + 1);
  });
});
