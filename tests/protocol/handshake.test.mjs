// How a connection begins, and under which id it goes on.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { JSON0, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });

test('init comes first and unasked', async () => {
  const wire = await Wire.open(server);

  assert.equal(typeof wire.init.id, 'string');
  assert(wire.init.id.length > 0 && wire.init.id.length < 64);
  assert.deepEqual(wire.init, { a: 'init', protocol: 1, protocolMinor: 2, id: wire.init.id, type: JSON0 });
  await wire.close();
});

test('hs is answered every time, alike, with the id of init', async () => {
  const wire = await Wire.open(server);
  const want = { ...wire.init, a: 'hs' };

  wire.send({ a: 'hs', id: null, protocol: 1, protocolMinor: 2 });
  wire.send({ a: 'hs', id: null, protocol: 1, protocolMinor: 2 });
  assert.deepEqual(await wire.next(), want);
  assert.deepEqual(await wire.next(), want);
  assert.deepEqual(await wire.ask({ a: 'hs', id: wire.init.id, protocol: 1, protocolMinor: 2 }), want);
  await wire.close();
});

test('hs without protocol, or with nulls, is answered', async () => {
  const wire = await Wire.open(server);

  assert.equal((await wire.ask({ a: 'hs' })).id, wire.init.id);
  assert.equal((await wire.ask({ a: 'hs', id: null, protocol: null, protocolMinor: null })).id, wire.init.id);
  assert.equal((await wire.ask({ a: 'hs', id: null, protocol: '1', protocolMinor: '0' })).id, wire.init.id);
  await wire.close();
});

test('hs with a protocol of the wrong kind is refused, and the line stays', async () => {
  const wire = await Wire.open(server);

  for (const protocol of [true, {}, []]) {
    const reply = await wire.ask({ a: 'hs', id: null, protocol });
    assert.equal(reply.error.code, 'ERR_MESSAGE_BADLY_FORMED');
    assert.equal(reply.error.message, 'Invalid protocol');
  }
  assert.equal((await wire.shake()).id, wire.init.id);
  await wire.close();
});

test('who comes back with his id has it again, and his operations carry it', async () => {
  const one = await Wire.open(server);
  const { id } = await one.shake();
  await one.cut();

  const again = await Wire.open(server);
  assert.notEqual(again.init.id, id);
  assert.equal((await again.shake(id)).id, id);
  assert.equal((await again.createText('handshake', 'back', 'x')).src, id);
  await again.close();
});

test('old and new connection may overlap under one id', async () => {
  const one = await Wire.open(server);
  const { id } = await one.shake();
  const two = await Wire.open(server);

  assert.equal((await two.shake(id)).id, id);
  assert.equal((await one.createText('handshake', 'overlap')).src, id);
  assert.equal((await two.submit('handshake', 'overlap', { v: 1, seq: 2, op: ['x'] })).src, id);
  await one.close();
  await two.close();
});

test('ids outlive a restart of the server', async () => {
  const one = await Wire.open(server);
  const { id } = await one.shake();

  await server.kill();
  await server.restart();
  const again = await Wire.open(server);
  assert.equal((await again.shake(id)).id, id);
  await again.close();
});

test('an id that the server did not give is answered with a fresh one, without an error', async () => {
  const { init } = await Wire.open(server);
  const forged = init.id.slice(0, -1) + (init.id.endsWith('A') ? 'B' : 'A');

  for (const id of ['mine', '', forged, 'x'.repeat(5000), '__proto__', 7, true, {}, ['a']]) {
    const wire = await Wire.open(server);
    const reply = await wire.ask({ a: 'hs', id, protocol: 1, protocolMinor: 2 });

    assert.equal(reply.error, undefined);
    assert.equal(typeof reply.id, 'string');
    assert.notEqual(reply.id, id);
    assert.notEqual(reply.id, init.id);
    await wire.close();
  }
});

test('requests before hs are served, under the id of init', async () => {
  const wire = await Wire.open(server);

  assert.equal((await wire.createText('handshake', 'early', 'x')).src, wire.init.id);
  await wire.close();
});

test('the bare address is the same endpoint', async () => {
  const wire = await Wire.open(server, { path: '/' });

  assert.equal((await wire.shake()).id, wire.init.id);
  await wire.close();
});

test('no WebSocket is opened elsewhere', async () => {
  await assert.rejects(Wire.open(server, { path: '/v1/docs' }));
});

test('pp is answered in turn', async () => {
  const wire = await Wire.open(server);

  wire.send({ a: 'f', c: 'handshake', d: 'nobody', v: null });
  wire.send({ a: 'pp', id: 4 });
  assert.equal((await wire.next()).a, 'f');
  assert.deepEqual(await wire.next(), { a: 'pp', id: 4 });
  await wire.close();
});

test('the npm client connects, and keeps its id over a cut', async () => {
  const client = new Client(server);
  const connected = () => new Promise(resolve => client.connection.once('connected', resolve));

  await connected();
  const { id } = client.connection;
  client.cut();
  await connected();
  assert.equal(client.connection.id, id);
  assert.deepEqual(client.errors, []);
  client.close();
});
