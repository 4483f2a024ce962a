// SIGTERM: no operation is lost or done twice, lines are closed with 1001, the exit status is 0.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Random, seedOf } from '../lib/random.mjs';
import { startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';
import { Witness } from '../lib/witness.mjs';

const N_ROUNDS = 6;
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

test(`${N_ROUNDS} times SIGTERM under load loses nothing`, async t => {
  const random = new Random(seedOf(t));
  const server = await startServer(t);
  const witness = new Witness(server, random, ['red', 'green']);
  t.after(() => witness.abandon());

  await witness.start();
  for (let round = 0; round < N_ROUNDS; round++) {
    const before = witness.nAcknowledged;
    while (witness.nAcknowledged < before + 10)
      await pause(1);
    await pause(random.between(20, 200));
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.output);
    await server.restart();
    await witness.check();
  }
  await witness.rest();
  await witness.check();
  t.diagnostic(`${witness.nAcknowledged} acknowledged; close codes ${JSON.stringify([...witness.closeCodes])}`);
});

test('an idle line is told 1001, and the server ends at once', async t => {
  const server = await startServer(t);
  const wire = await Wire.open(server);
  const began = Date.now();

  await wire.createText('notes', 'idle', 'x');
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.output);
  assert.equal((await wire.closed).code, 1001);
  assert(Date.now() - began < 5000);
});

test('operations that are on their way when SIGTERM comes are acknowledged, or not there', async t => {
  const server = await startServer(t);
  const wire = await Wire.open(server);
  const N = 500;
  const acknowledged = [];

  await wire.createText('notes', 'way', '');
  wire.onFrame = frame => frame.a === 'op' && !frame.error && acknowledged.push(frame.v) > 0;
  for (let i = 0; i < N; i++)
    wire.send({ a: 'op', c: 'notes', d: 'way', v: 1 + i, seq: wire.seq++, op: ['x'] });
  while (acknowledged.length < 20)
    await pause(1);
  const end = await server.stop();
  await wire.closed;
  assert.deepEqual(end, { code: 0, signal: null }, server.output);

  await server.restart();
  const reader = await Wire.open(server);
  const { v } = (await reader.fetch('notes', 'way')).data;
  assert.deepEqual(acknowledged, acknowledged.map((_, i) => 1 + i));
  assert(v >= 1 + acknowledged.length, `${acknowledged.length} acknowledged, version ${v}`);
  await reader.close();
});

test('what is being read for somebody who has gone is carried out before the end', async t => {
  const server = await startServer(t);
  const body = JSON.stringify({ tree: Array.from({ length: 400_000 }, (_, n) => ({ n, text: 'some words' })) });
  const socket = connect(server.port, '127.0.0.1');
  const read = async path => (await fetch(`${server.url}${path}`)).text();
  const names = async () => JSON.parse(await read('/v1/docs/notes')).documents.length;

  socket.write(`POST /v1/docs/notes HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  while (/^pilcrow_helper_errands 0$/m.test(await read('/metrics')) && !await names())
    await pause(1);
  socket.resetAndDestroy();
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.output);
  assert.doesNotMatch(server.output, /in use/);
  await server.restart();
  assert.equal(await names(), 1);
});

test('a second SIGTERM ends it at once', async t => {
  const server = await startServer(t);
  const wires = await Promise.all(Array.from({ length: 20 }, () => Wire.open(server)));

  wires.forEach(wire => wire.socket.pause()); // nobody answers the closing handshake
  server.child.kill('SIGTERM');
  await pause(50);
  server.child.kill('SIGTERM');
  const began = Date.now();
  await server.exited;
  assert(Date.now() - began < 2000);
  wires.forEach(wire => wire.socket.terminate());
});
