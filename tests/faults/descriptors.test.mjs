// No file descriptors are left: who is there goes on and is served, nothing is lost, and the next ones come in when there
// is room again.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { makeAuthority } from '../lib/certificates.mjs';
import { pilcrowd, startServer, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const N_DESCRIPTORS = 64;

function limited(t) {
  const script = join(temporaryDirectory(t), 'pilcrowd');

  writeFileSync(script, `#!/bin/sh\nulimit -n ${N_DESCRIPTORS}\nexec '${pilcrowd}' "$@"\n`, { mode: 0o755 });
  return script;
}

async function isServedInACrowd(t, { args = [], ca, knock }) {
  const server = await startServer(t, { program: limited(t), args });
  const wire = await Wire.open(server, { ca });
  const sockets = [];

  t.after(() => sockets.forEach(socket => socket.destroy()));
  await wire.createText('notes', 'crowd', '');
  for (let i = 0; i < N_DESCRIPTORS + 20; i++) {
    const socket = knock(server).on('error', () => {});

    sockets.push(socket);
    await once(socket, 'connect');
  }
  for (let i = 0; i < 50; i++)
    assert.equal((await wire.submit('notes', 'crowd', { v: 1 + i, op: ['x'] })).v, 1 + i);
  assert(server.isRunning, server.output);

  sockets.forEach(socket => socket.destroy());
  const late = await Wire.open(server, { ca });
  assert.equal((await late.fetch('notes', 'crowd')).data.data, 'x'.repeat(50));
  return server;
}

test('more connections than descriptors', async t => {
  const server = await isServedInACrowd(t, { knock: ({ port }) => connect(port, '127.0.0.1') });

  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
});

test('the same over TLS, where each takes three', async t => {
  const authority = makeAuthority(t);
  const { cert, key } = authority.issue('crowd');
  const { ca } = authority;

  await isServedInACrowd(t, { args: ['--tls-cert', cert, '--tls-key', key], ca, knock: ({ port }) => connectTls({ port, host: '127.0.0.1', ca }) });
});
