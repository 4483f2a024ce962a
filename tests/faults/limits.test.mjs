// Every limit is a setting, and is seen in /metrics and in the log when it is hit.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const server = await startServer({ after }, { args: [
  '--max-message', '4096', '--max-unanswered', '8', '--max-unanswered-bytes', '20K', '--max-subscriptions', '4', '--max-bulk', '3',
  '--max-presences', '2', '--max-presence', '100', '--max-components', '5', '--max-transform', '16K', '--max-queue', '1M',
  '--handshake-seconds', '1', '--idle-seconds', '2', '--ping-seconds', '1'] });

async function hits() {
  const response = await fetch(`${server.url}/metrics`);

  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return Object.fromEntries([...(await response.text()).matchAll(/^pilcrow_limit_hits_total\{limit="(\w+)"\} (\d+)$/gm)].map(([, name, n]) => [name, Number(n)]));
}

// What work makes of the counters. Others are left alone, but for connections that are idle meanwhile.
async function counts(work, expected) {
  const before = await hits();
  await work();
  const now = await hits();
  const grown = Object.keys(now).filter(name => now[name] > before[name] && name !== 'idle');

  assert.deepEqual(grown, expected);
}

async function refused(wire, message) {
  assert.equal((await wire.ask(message)).error?.code, 'ERR_LIMIT_EXCEEDED');
}

test('what is refused', async () => {
  const wire = await Wire.open(server);
  const a = { c: 'limits', d: 'a' };

  await wire.createText(a.c, a.d, '');
  await counts(() => refused(wire, { a: 'op', ...a, v: 1, seq: 90, op: ['x'.repeat(5000)] }), ['message']);
  await counts(() => refused(wire, { a: 'op', ...a, v: 1, seq: 91, op: [1, 'a', 1, 'b', 1, 'c', 1, 'd'] }), ['operation']);
  await counts(() => refused(wire, { a: 'bf', c: 'limits', b: ['1', '2', '3', '4'] }), ['bulk']);
  for (let i = 0; i < 4; i++)
    assert.equal((await wire.ask({ a: 's', c: 'limits', d: `s${i}`, v: null })).error, undefined);
  await counts(() => refused(wire, { a: 's', c: 'limits', d: 's4', v: null }), ['subscriptions']);
  await counts(() => refused(wire, { a: 'p', ch: 'x', id: 'big', p: 'x'.repeat(101), pv: 1 }), ['presence']);
  for (let i = 0; i < 2; i++)
    assert.equal((await wire.ask({ a: 'p', ch: 'x', id: `${i}`, p: i, pv: 1 })).error, undefined);
  await counts(() => refused(wire, { a: 'p', ch: 'x', id: '2', p: 2, pv: 1 }), ['presences']);
  await wire.nothingMore();
  await wire.close();
});

test('too much work for one operation is refused, and changes nothing', async () => {
  const wire = await Wire.open(server);
  const b = { c: 'limits', d: 'b' };

  await wire.createText(b.c, b.d, '');
  for (let v = 1; v < 400; v++)
    await wire.submit(b.c, b.d, { v, op: ['x'] });
  const late = await Wire.open(server);
  await counts(async () => {
    const reply = await late.ask({ a: 'op', ...b, v: 1, seq: 1, op: ['late'] });
    assert.equal(reply.error.code, 'ERR_LIMIT_EXCEEDED');
    assert.match(reply.error.message, /version 1/);
  }, ['operation']);
  assert.equal((await wire.fetch(b.c, b.d)).data.v, 400);
  await late.close();
  await wire.close();
});

test('who asks faster than he is answered is not read, and gets every answer', async () => {
  const wire = await Wire.open(server);

  await wire.createText('limits', 'c', '');
  await counts(async () => {
    for (let i = 0; i < 100; i++)
      wire.send({ a: 'op', c: 'limits', d: 'c', v: 1 + i, seq: 10 + i, op: ['x'.repeat(1000)] });
    for (let i = 0; i < 100; i++)
      assert.equal((await wire.next()).v, 1 + i);
  }, ['unanswered']);
  await wire.close();
});

test('the ceiling in bytes alone does the same', async t => {
  const few = await startServer(t, { args: ['--max-unanswered-bytes', '2K'] });
  const wire = await Wire.open(few);

  await wire.createText('limits', 'c', '');
  for (let i = 0; i < 50; i++)
    wire.send({ a: 'op', c: 'limits', d: 'c', v: 1 + i, seq: 10 + i, op: ['x'.repeat(500)] });
  for (let i = 0; i < 50; i++)
    assert.equal((await wire.next()).v, 1 + i);
  assert.doesNotMatch(await (await fetch(`${few.url}/metrics`)).text(), /limit="unanswered"\} 0\n/);
  await wire.close();
});

// A connection that says so much; until the server ends it.
function ended(text) {
  const socket = connect(server.port, '127.0.0.1', () => socket.write(text));

  socket.on('error', () => {});
  socket.resume();
  return new Promise(resolve => socket.once('close', resolve));
}

test('half a handshake, and none at all, are cut', async () => {
  await counts(() => ended('GET /v1/ws HTTP/1.1\r\nHost: x\r\n'), ['handshake']);
  const before = await hits();
  await ended('');
  assert((await hits()).idle > before.idle);
});

test('a line that is silent without answering pings is cut; one that answers stays', async () => {
  const silent = await Wire.open(server);
  const deaf = await Wire.open(server, { autoPong: false });

  await counts(() => deaf.closed, ['ping']);
  await silent.nothingMore();
  await silent.close();
});

test('the log tells, without content', () => {
  for (const name of ['message', 'operation', 'subscriptions', 'bulk', 'presences', 'presence', 'unanswered', 'handshake', 'ping'])
    assert.match(server.output, new RegExp(`warning.*limit.*${name}: hit \\d+ times`, 'i'), name);
  assert.doesNotMatch(server.output, /xxxx/);
});
