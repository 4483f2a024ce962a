// A disk that is full or broken for a while, and work on the whole store meanwhile: what was acknowledged stays, each work
// is answered with what is wrong, and is done when it is asked for again.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startOnDisk } from '../lib/disk.mjs';
import { pilcrow, run, temporaryDirectory } from '../lib/server.mjs';

const TYPE = 'http://sharejs.org/types/text-unicode';
const TYPED = 'what was typed two months ago';
const troubles = {
  'a full disk': { begin: disk => disk.failWrites('ENOSPC'), status: 507 },
  'a disk that cannot be written': { begin: disk => disk.failWrites('EIO'), status: 503 },
  'a disk that does not sync': { begin: disk => disk.failSyncs('EIO'), status: 503 },
};

// A store in which notes/old was typed long ago: an import has the times that it is told.
async function oldStore(t) {
  const folder = temporaryDirectory(t);
  const data = join(folder, 'data');
  const lines = [...TYPED].map((letter, i) => ({ v: i + 1, src: 'pen', seq: i + 1, time: '2026-01-01T12:00:01.000Z', author: 'ink', op: i ? [i, letter] : [letter] }));

  lines.unshift({ v: 0, src: 'ink', seq: 1, time: '2026-01-01T12:00:00.000Z', author: 'ink', create: { type: TYPE, data: '' } });
  writeFileSync(join(folder, 'old.ndjson'), [
    { pilcrow: 'export', format: 1, history: true },
    { collection: 'notes', id: 'old', type: 'text-unicode', exists: true, first: 0, version: lines.length },
    ...lines,
    { pilcrow: 'end', logs: 1, records: lines.length, documents: 0 },
  ].map(line => `${JSON.stringify(line)}\n`).join(''));
  const { code, stderr } = await run(pilcrow, ['--data', data, 'import', join(folder, 'old.ndjson')]);
  assert.equal(code, 0, stderr);
  return data;
}

const isAnywhere = (data, mark) => readdirSync(data).some(name => readFileSync(join(data, name)).includes(mark));

for (const [name, { begin, status }] of Object.entries(troubles)) {
  async function start(t) {
    const server = await startOnDisk(t, { data: await oldStore(t) });

    return Object.assign(server, {
      doc: (id, method, options = {}) => fetch(`${server.url}/v1/docs/notes/${id}`, { method, headers: { 'content-type': 'text/plain' }, ...options }),
      compact: query => fetch(`${server.url}/v1/compact${query}`, { method: 'POST', body: '' }),
      ops: async from => (await fetch(`${server.url}/v1/docs/notes/old/ops?from=${from}`)).status,
      async until(call, wanted) { // the store's files may have to be opened again first
        for (let i = 0; i < 100; i++) {
          const answer = await call();

          if (answer.status === wanted)
            return answer;
          await new Promise(resolve => setTimeout(resolve, 50));
        }
        assert.fail(`${wanted} never came`);
      },
    });
  }

  test(`${name}: a merge leaves the single operations, a compaction no file`, async t => {
    const server = await start(t);

    begin(server.disk);
    const refused = await server.compact('?retention=notes=30');
    assert.deepEqual([refused.status, (await refused.json()).code], [status, status === 507 ? 'ERR_STORE_FULL' : 'ERR_STORE_FAILED']);
    assert(!existsSync(join(server.data, 'compact.mdb')));
    assert.equal(await server.ops(5), 200);
    assert.equal((await server.compact('')).status, status);
    assert(!existsSync(join(server.data, 'compact.mdb')));
    assert.equal(await (await fetch(`${server.url}/v1/docs/notes/old?version=5`)).text(), TYPED.slice(0, 4));
    server.disk.heal();

    await server.until(() => server.compact('?retention=notes=30'), 200);
    assert.equal(await server.ops(5), 410);
    assert.equal(await (await server.doc('old', 'GET')).text(), TYPED);
  });

  test(`${name}: a purge is repeated, and complete then`, async t => {
    const server = await start(t);
    const mark = 'never-to-be-seen-again';

    await server.doc('secret', 'PUT', { body: mark });
    assert(isAnywhere(server.data, mark)); // before it is packed, and perhaps compressed
    await server.until(() => server.compact(''), 200);
    begin(server.disk);
    assert.equal((await server.doc('secret?purge=true', 'DELETE')).status, status);
    server.disk.heal();
    await server.until(() => server.doc('secret?purge=true', 'DELETE'), 204);
    assert.equal((await server.doc('secret', 'GET')).status, 404);
    await server.until(() => server.compact(''), 200);
    await server.stop();
    assert(!isAnywhere(server.data, mark));
    const { code, stdout } = await run(pilcrow, ['--data', server.data, 'check']);
    assert.equal(code, 0, stdout);
  });

  test(`${name}: packing and a backup meanwhile; everything that was acknowledged is there`, async t => {
    const server = await start(t);
    const copy = join(temporaryDirectory(t), 'copy');
    const body = i => `${i} `.repeat(400_000);

    for (let i = 0; i < 7; i++) // 4 MB are packed in the background
      assert.equal((await server.doc(`large${i}`, 'PUT', { body: body(i) })).status, 201);
    begin(server.disk);
    assert.equal((await server.doc('refused', 'PUT', { body: 'x' })).status, status);
    const { code, stderr } = await run(pilcrow, ['--server', server.url, 'backup', copy]);
    assert.equal(code, 0, stderr);
    server.disk.heal();
    await server.until(() => server.doc('after', 'PUT', { body: 'x' }), 201);
    await server.kill();
    await server.restart();
    for (let i = 0; i < 7; i++)
      assert.equal(await (await server.doc(`large${i}`, 'GET')).text(), body(i));
    assert.equal((await server.doc('after', 'GET')).status, 200);
    assert.equal((await run(pilcrow, ['--data', copy, 'check'])).code, 0);
    assert.equal((await run(pilcrow, ['--data', copy, 'cat', 'notes/large6'])).stdout, body(6));
  });
}
