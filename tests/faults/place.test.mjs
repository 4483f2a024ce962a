// A real disk that is too small, and one that may only be read: what is there is served, what can't be written is not
// acknowledged, and all goes on when the disk does.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountDisk, noDisk } from '../lib/mount.mjs';
import { pilcrow, pilcrowd, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const headers = { 'Content-Type': 'text/plain', 'If-None-Match': '*' };
const N_BYTES = 100_000;

// Bytes that do not pack.
const content = i => Array.from({ length: N_BYTES }, (_, k) => String.fromCharCode(33 + (((i + 1) * 2654435761 + k * k * 40503) >>> 7) % 90)).join('');
const urlOf = (server, i) => `${server.url}/v1/docs/notes/${i}`;
const create = async (server, i) => (await fetch(urlOf(server, i), { method: 'PUT', headers, body: content(i) })).status;

// Creates documents until the store takes no more. Returns how many there are, and what the last one was answered.
async function fill(server) {
  for (let i = 0; i < 1000; i++) {
    const status = await create(server, i);

    if (status !== 201)
      return { n: i, status };
  }
  assert.fail('the disk is never full');
}

async function assertThere(server, n) {
  for (let i = 0; i < n; i++)
    assert.equal(await (await fetch(urlOf(server, i))).text(), content(i));
}

test('a disk that is full: 507, reading goes on, nothing is lost; with more room all goes on', { skip: noDisk }, async t => {
  const disk = await mountDisk(t, { megabytes: 4 });
  const server = await startServer(t, { program: disk.program(pilcrowd), data: disk.path });
  const { n, status } = await fill(server);

  assert.equal(status, 507);
  assert(n >= 8, `${n} documents of 100 kB on 4 MB`);
  await assertThere(server, n);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503);

  await server.kill();
  await server.restart();
  await assertThere(server, n);
  assert.notEqual(await create(server, n + 1), 201);

  await disk.remount('size=32m');
  assert.equal(await create(server, n + 1), 201);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
  await server.stop();
  const { code, stdout, stderr } = await disk.run(pilcrow, ['--data', disk.path, 'check']);
  assert.equal(code, 0, stdout + stderr);
});

test('a disk that may only be read: a server says so and ends, the tool reads', { skip: noDisk }, async t => {
  const disk = await mountDisk(t, { megabytes: 16 });
  const server = await startServer(t, { program: disk.program(pilcrowd), data: disk.path });

  assert.equal(await create(server, 0), 201);
  await server.stop();
  await disk.remount('ro');
  const refused = await disk.run(pilcrowd, ['--data', disk.path, '--listen', '127.0.0.1:0']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /read-only/i);
  const read = await disk.run(pilcrow, ['--data', disk.path, 'cat', 'notes/0']);
  assert.equal(read.stdout, content(0), read.stderr);
  const checked = await disk.run(pilcrow, ['--data', disk.path, 'check']);
  assert.equal(checked.code, 0, checked.stderr);
  const folder = temporaryDirectory(t);
  for (const args of [['log', 'notes/0'], ['ls'], ['store'], ['export'], ['backup', join(folder, 'copy')]]) {
    const { code, stdout, stderr } = await disk.run(pilcrow, ['--data', disk.path, ...args]);
    assert.equal(code, 0, `${args[0]}: ${stderr}`);
    assert.notEqual(stdout, '', args[0]);
  }
  assert.equal((await run(pilcrow, ['--data', join(folder, 'copy'), 'cat', 'notes/0'])).stdout, content(0));
  for (const args of [['--yes', 'rm', 'notes/0'], ['compact'], ['restore', 'notes/0', '1'], ['put', 'notes/0', '/dev/null']]) {
    const { code, stdout, stderr } = await disk.run(pilcrow, ['--data', disk.path, ...args]);
    assert.notEqual(code, 0, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /read-only/i, args.join(' '));
  }

  await disk.remount('rw');
  await server.restart();
  await assertThere(server, 1);
});

test('a backup and an import for which there is no room: said so, nothing looks whole, and both go on with more room', { skip: noDisk }, async t => {
  const server = await startServer(t);
  const exported = join(temporaryDirectory(t), 'all.ndjson');
  const disk = await mountDisk(t, { megabytes: 2 });
  const copy = join(disk.path, 'copy');
  const store = join(disk.path, 'store');

  for (let i = 0; i < 30; i++)
    assert.equal(await create(server, i), 201);
  writeFileSync(exported, (await run(pilcrow, ['--server', server.url, 'export'])).stdout);
  for (const where of [['--server', server.url], ['--data', server.data]]) {
    const { code, stdout, stderr } = await disk.run(pilcrow, [...where, 'backup', copy]);
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^pilcrow: [^\n]*no space left on device[^\n]*\n$/i);
    assert.equal((await disk.run('ls', ['-A', disk.path])).stdout, '');
  }

  const refused = await disk.run(pilcrow, ['--data', store, '--json', 'import', exported]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /full|no space/i);
  const checked = await disk.run(pilcrow, ['--data', store, 'check']);
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  await disk.remount('size=32m');
  const again = await disk.run(pilcrow, ['--data', store, 'import', exported]);
  assert.equal(again.code, 0, again.stderr);
  assert.equal((await disk.run(pilcrow, ['--data', store, 'export'])).stdout, (await run(pilcrow, ['--server', server.url, 'export'])).stdout);
  assert.equal((await disk.run(pilcrow, ['--server', server.url, 'backup', copy])).code, 0);
});
