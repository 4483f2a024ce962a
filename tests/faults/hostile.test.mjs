// Bytes that no WebSocket library would send. The server cuts that line, and serves the next one.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { pilcrowdSanitized, residentBytes, startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const server = await startServer({ after }, { program: pilcrowdSanitized });
const bystander = await Wire.open(server);
await bystander.createText('notes', 'calm', 'x');
await bystander.ask({ a: 's', c: 'notes', d: 'calm', v: null });

const HEADERS = `Host: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n`;
const UPGRADE = `GET /v1/ws HTTP/1.1\r\n${HEADERS}\r\n`;

// A masked frame as a client sends it. opcode with FIN and reserved bits; length as it is claimed.
function frame(first, payload, claimed = payload.length) {
  const mask = Buffer.from([1, 2, 3, 4]);
  const head = claimed < 126 ? Buffer.from([first, 0x80 | claimed])
    : claimed < 65536 ? Buffer.from([first, 0x80 | 126, claimed >> 8, claimed & 255])
      : Buffer.concat([Buffer.from([first, 0x80 | 127]), (b => (b.writeBigUInt64BE(BigInt(claimed)), b))(Buffer.alloc(8))]);

  return Buffer.concat([head, mask, Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]))]);
}

const text = message => frame(0x81, Buffer.from(message));

// Sends the parts one after the other, and waits until the server ends the line, or for a while. Returns what it sent.
async function speak(parts, { waitMs = 400, halfClose = false } = {}) {
  const socket = connect(server.port, '127.0.0.1');
  const received = [];
  const closed = new Promise(resolve => socket.once('close', () => resolve(true)));

  socket.on('data', data => received.push(data));
  socket.on('error', () => {});
  await new Promise(resolve => socket.once('connect', resolve));
  for (const part of parts) {
    if (socket.writable)
      socket.write(part);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  if (halfClose)
    socket.end();
  const ended = await Promise.race([closed, new Promise(resolve => setTimeout(() => resolve(false), waitMs))]);
  socket.destroy();
  return { ended, received: Buffer.concat(received) };
}

async function assertCalm() {
  assert(server.isRunning, `the server died:\n${server.output}`);
  await bystander.nothingMore();
  assert.deepEqual((await bystander.fetch('notes', 'calm')).data.v, 1);
  const wire = await Wire.open(server);
  assert.equal((await wire.fetch('notes', 'calm')).data.data, 'x');
  await wire.close();
}

// After a good handshake: the line must be ended by the server.
const fatal = {
  'reserved bits': [frame(0xf1, Buffer.from('{"a":"pp"}'))],
  'a reserved opcode': [frame(0x83, Buffer.from('{"a":"pp"}'))],
  'a reserved control opcode': [frame(0x8b, Buffer.from('x'))],
  'a ping of 126 bytes': [frame(0x89, Buffer.alloc(126))],
  'a fragmented ping': [frame(0x09, Buffer.from('x'))],
  'a continuation of nothing': [frame(0x80, Buffer.from('{"a":"pp"}'))],
  'a new message within a message': [frame(0x01, Buffer.from('{"a":')), frame(0x81, Buffer.from('{"a":"pp"}'))],
  'a length with the highest bit set': [Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5])],
  'a close frame of one byte': [frame(0x88, Buffer.from([3]))],
  'a close frame with a forbidden code': [frame(0x88, Buffer.from([0x03, 0xed]))],
  'a compressed frame, not negotiated': [frame(0xc1, Buffer.from([0xaa, 0x56, 0x4a]))],
  'a close in the middle of a message': [frame(0x01, Buffer.from('{"a":')), frame(0x88, Buffer.from([0x03, 0xe8]))],
};

for (const [name, parts] of Object.entries(fatal))
  test(`${name}: the line is ended`, async () => {
    const { ended, received } = await speak([UPGRADE, ...parts], { waitMs: 5000 });
    assert.match(received.toString('latin1'), /^HTTP\/1\.1 101 /);
    assert(ended);
    await assertCalm();
  });

test('an unmasked frame: refused or taken like a masked one, no more', async () => {
  const { received } = await speak([UPGRADE, Buffer.from([0x81, 0x02, 0x7b, 0x7d])]);

  assert.match(received.toString('latin1'), /^HTTP\/1\.1 101 /);
  await assertCalm();
});

test('a message cut into bytes, with pings between them, is one message', async () => {
  const message = Buffer.from('{"a":"pp","id":"ä😀"}');
  const parts = [...message].map((byte, i) => frame((i === 0 ? 0x01 : 0x00) | (i === message.length - 1 ? 0x80 : 0), Buffer.from([byte])));
  const { received } = await speak([UPGRADE, ...parts.flatMap(part => [part, frame(0x89, Buffer.from('?'))])]);

  assert(received.includes('"id":"ä😀"'), received.toString());
  await assertCalm();
});

test('upgrades that are none', async () => {
  const without = header => UPGRADE.replace(new RegExp(`${header}: [^\r]*\r\n`), '');
  const upgrades = [
    without('Upgrade'), without('Connection'), without('Sec-WebSocket-Key'), without('Sec-WebSocket-Version'), without('Host'),
    UPGRADE.replace('websocket', ''), UPGRADE.replace('websocket', 'h2c'), UPGRADE.replace('websocket', 'websocket, websocket'),
    UPGRADE.replace('Version: 13', 'Version: 8'), UPGRADE.replace('GET', 'POST'), UPGRADE.replace('GET', 'CONNECT'), UPGRADE.replace('GET', '\u0000\u0001'),
    UPGRADE.replace('HTTP/1.1', 'HTTP/1.0'), UPGRADE.replace('HTTP/1.1', 'HTTP/9.9'), UPGRADE.replace('/v1/ws', '/v1/ws/../../etc'),
    UPGRADE.replace(/Key: \S+/, `Key: ${'A'.repeat(5000)}`),
  ];

  for (const upgrade of upgrades)
    await speak([upgrade], { waitMs: 100 });
  await assertCalm();
});

test('requests that are none', async () => {
  const requests = ['\r\n\r\n', 'GET\r\n\r\n', 'GET /\r\n', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\u0000'.repeat(4096),
    `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, `GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(5000)}\r\n`, `GET / HTTP/1.1\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
    'PUT /v1/docs/notes/calm HTTP/1.1\r\nContent-Length: -1\r\n\r\n', 'PUT /v1/docs/notes/calm HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n',
    'PUT /v1/docs/notes/calm HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'GET /v1/docs/%zz/%00 HTTP/1.1\r\nHost: x\r\n\r\n'];

  for (const request of requests)
    await speak([request], { waitMs: 100 });
  await assertCalm();
});

test('lines that end in the middle of anything', async () => {
  const whole = Buffer.concat([Buffer.from(UPGRADE), text('{"a":"op","c":"notes","d":"cut","v":null,"seq":1,"create":{"type":"text-unicode"}}').subarray(0, -1)]);
  const cuts = Array.from({ length: 40 }, (_, i) => Math.floor((i + 1) * whole.length / 41));

  await Promise.all(cuts.flatMap(n => [speak([whole.subarray(0, n)], { waitMs: 20 }), speak([whole.subarray(0, n)], { waitMs: 50, halfClose: true })]));
  await assertCalm();
  assert.equal((await bystander.fetch('notes', 'cut')).data.v, 0);
});

test('a flood of pings, of empty frames and of fragments without an end costs little', async () => {
  const before = await residentBytes(server.pid);
  const floods = [frame(0x89, Buffer.from('ping')), frame(0x00, Buffer.alloc(0)), frame(0x00, Buffer.from('x'))];

  for (const flood of floods)
    await speak([UPGRADE, ...(flood[0] & 8 ? [] : [frame(0x01, Buffer.from('x'))]), Buffer.concat(Array(20_000).fill(flood))], { waitMs: 1500 });
  assert((await residentBytes(server.pid)) - before < 100 * 1024 * 1024);
  await assertCalm();
});

test('a message that is claimed to be huge, and never comes, costs little', async () => {
  const before = await residentBytes(server.pid);

  await Promise.all(Array.from({ length: 50 }, () => speak([UPGRADE, frame(0x81, Buffer.from('{"a":'), 15 * 1024 * 1024)], { waitMs: 300 })));
  assert((await residentBytes(server.pid)) - before < 200 * 1024 * 1024);
  await assertCalm();
});

test('two hundred connections opened and dropped', async () => {
  await Promise.all(Array.from({ length: 200 }, (_, i) => speak(i % 2 ? [UPGRADE] : [], { waitMs: 10 })));
  await assertCalm();
});

test('the server says nothing about memory when it ends', async () => {
  await bystander.close();
  const end = await server.stop();

  assert.deepEqual(end, { code: 0, signal: null }, server.output);
  assert.doesNotMatch(server.output, /Sanitizer|runtime error/);
});
