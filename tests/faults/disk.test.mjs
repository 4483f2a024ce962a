// A disk that is full or broken for a while: nobody is told of anything that is not there, reading goes on, lines are
// closed so that clients keep their operations, and all goes on when the disk does.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startOnDisk } from '../lib/disk.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { Wire } from '../lib/wire.mjs';
import { Witness } from '../lib/witness.mjs';

const N_ROUNDS = 5;
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

// Waits for something that must come true.
async function until(holds, what) {
  for (let i = 0; i < 500; i++) {
    if (await holds())
      return;
    await pause(20);
  }
  assert.fail(`not within 10 s: ${what}`);
}

const status = async (server, path) => (await fetch(server.url + path)).status;

const troubles = {
  'a full disk': disk => disk.failWrites('ENOSPC'),
  'a disk that cannot be written': disk => disk.failWrites('EIO'),
  'a disk that does not sync': disk => disk.failSyncs('EIO'),
};

for (const [name, begin] of Object.entries(troubles)) {
  test(`${name}: ${N_ROUNDS} times under load, nothing acknowledged is lost, nothing shown is missing`, async t => {
    const random = new Random(seedOf(t));
    const server = await startOnDisk(t);
    const witness = new Witness(server, random, ['red', 'green', 'blue']);
    t.after(() => witness.abandon());

    await witness.start();
    for (let round = 0; round < N_ROUNDS; round++) {
      const before = witness.nAcknowledged;
      await until(() => witness.nAcknowledged >= before + 20, 'writing goes on');
      begin(server.disk);
      await pause(random.between(50, 200));
      server.disk.heal();
      assert(server.isRunning, `the server died:\n${server.output}`);
    }
    const before = witness.nAcknowledged;
    await until(() => witness.nAcknowledged >= before + 20, 'writing goes on');
    await witness.rest();
    await witness.check();

    // What is shown is also what is there after the server's memory is gone.
    await server.kill();
    await server.restart();
    await witness.check();
    t.diagnostic(`${witness.nAcknowledged} acknowledged; close codes ${JSON.stringify([...witness.closeCodes])}`);
  });

  test(`${name}: the line is closed with 1013, reading goes on, /readyz tells`, async t => {
    const server = await startOnDisk(t);
    const wire = await Wire.open(server);
    const reader = await Wire.open(server);

    await wire.createText('notes', 'disk', 'kept');
    await reader.ask({ a: 's', c: 'notes', d: 'disk', v: 1 });
    assert.equal(await status(server, '/readyz'), 200);
    begin(server.disk);
    wire.send({ a: 'op', c: 'notes', d: 'disk', v: 1, seq: wire.seq, op: ['lost '] });
    assert.equal((await wire.closed).code, 1013);
    assert.deepEqual(wire.frames, [], 'neither acknowledged nor refused');

    await reader.nothingMore();
    assert.equal((await reader.fetch('notes', 'disk')).data.data, 'kept');
    assert.equal(await status(server, '/v1/docs/notes/disk'), 200);
    assert.equal(await status(server, '/healthz'), 200);
    await until(async () => (await status(server, '/readyz')) === 503, '/readyz says 503');

    server.disk.heal();
    const again = await Wire.open(server);
    again.seq = wire.seq;
    await until(async () => {
      try {
        return (await again.submit('notes', 'disk', { v: 1, op: ['back '] })).v === 1;
      } catch {
        return false;
      }
    }, 'writing works again');
    await until(async () => (await status(server, '/readyz')) === 200, '/readyz says 200 again');
    assert.equal((await reader.next()).v, 1);
  });
}

// When LMDB has given up, which it does when its last write of a commit fails, its files have to be opened again. A backup
// must not put that off for as long as its client likes.
test('a client who takes a backup and does not read it keeps nobody from writing when the disk works again', async t => {
  const random = new Random(seedOf(t));
  const server = await startOnDisk(t, { syncUs: 20_000 });
  const put = (id, body, condition = 'if-match') => fetch(`${server.url}/v1/docs/notes/${id}`, {
    method: 'PUT', headers: { 'content-type': 'text/plain', [condition]: '*' }, body,
  });

  for (let i = 0; i < 8; i++) // more than the buffers of two kernels hold
    assert.equal((await put(`large${i}`, randomBytes(9 << 18).toString('base64'), 'if-none-match')).status, 201);
  const idle = connect(server.port, '127.0.0.1');
  idle.write('GET /v1/backup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  for (let n = 0; n < 65536; n += idle.read()?.length ?? 0) // the copy has begun
    await once(idle, 'readable');

  const began = Date.now();
  await until(async () => {
    const answer = put('large0', `${random.next()}`);
    await pause(random.between(0, 30));
    server.disk.failWrites('EIO');
    await answer;
    server.disk.heal();
    return /opened again after a failed commit/.test(server.output);
  }, 'LMDB gives up');
  await until(async () => (await put('large0', 'back')).status === 200, 'writing works again');
  assert(Date.now() - began < 20_000, 'it waited for the client');
  let last = Buffer.alloc(0);
  for await (const piece of idle)
    last = piece;
  assert.notEqual(last.subarray(-5).toString('latin1'), '0\r\n\r\n');
});

test('a full disk: a compaction changes nothing, and succeeds when there is room', async t => {
  const server = await startOnDisk(t);
  const path = `${server.url}/v1/docs/notes/a`;
  const compact = async () => {
    const answer = await fetch(`${server.url}/v1/compact`, { method: 'POST', body: '' });

    return [answer.status, (await answer.json()).code];
  };

  await fetch(path, { method: 'PUT', body: 'kept', headers: { 'content-type': 'text/plain' } });
  assert.deepEqual(await compact(), [200, undefined]); // so that nothing is left to pack, and the copy is what fails
  server.disk.failWrites('ENOSPC');
  assert.deepEqual(await compact(), [507, 'ERR_STORE_FULL']);
  server.disk.heal();
  assert.equal(await (await fetch(path)).text(), 'kept');
  server.disk.failSyncs('EIO');
  assert.equal((await compact())[0], 503);
  server.disk.heal();
  assert.deepEqual(await compact(), [200, undefined]);
  assert.equal(await (await fetch(path)).text(), 'kept');
  await server.kill();
  await server.restart();
  assert.equal(await (await fetch(path)).text(), 'kept');
});
