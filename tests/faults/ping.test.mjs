// Dead lines are found by pings: who answers them stays, however silent; who does not is cut, and takes nobody along.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'node:net';
import { startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const HANDSHAKE = port => `GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;

test('a silent client that answers pings stays; one that does not is cut', async t => {
  const server = await startServer(t, { args: ['--ping-seconds', '1'] });
  const silent = await Wire.open(server);
  const dead = connect(server.port, '127.0.0.1');
  const pings = [];

  dead.on('error', () => {});
  dead.on('data', data => data.includes(Buffer.from([0x89])) && pings.push(Date.now()));
  dead.write(HANDSHAKE(server.port));
  await new Promise(resolve => dead.once('close', resolve)); // by pings alone; the test's own limit is the ceiling
  assert(pings.length >= 1, 'it was asked');

  let n = 0;
  await new Promise(resolve => silent.socket.on('ping', () => ++n === 3 && resolve())); // as often again for who answers
  await silent.createText('notes', 'alive', 'still here');
  assert.equal((await silent.fetch('notes', 'alive')).data.data, 'still here');
});
