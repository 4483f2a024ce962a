// One connection does its worst, 2,000 frames of it, while twenty honest clients work: none of them notices, and the
// server's memory is back afterwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, randomTextOp, settled, warnings } from '../lib/client.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { pilcrowdSanitized, residentBytes, startServer } from '../lib/server.mjs';
import { JSON0, TEXT, WebSocket, Wire } from '../lib/wire.mjs';

const MIB = 1024 * 1024;
const N_HONEST = 20;
const N_DOCUMENTS = 4;
const N_HOSTILE = 2000;
const GROWTH_MAX = 48 * MIB; // of a sanitized server, which keeps what was freed for a while: see QUARANTINE
const QUARANTINE = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` };

// ---- the honest ------------------------------------------------------------------------------------------------------

class Honest {
  constructor(server, seed) {
    this.random = new Random(seed);
    this.clients = Array.from({ length: N_HONEST }, () => new Client(server));
    this.refused = [];
    this.nCloses = 0;
    for (const client of this.clients)
      client.connection.on('state', state => state === 'disconnected' && !client.isOver && this.nCloses++);
  }

  async open() {
    this.docs = [];
    for (const [i, client] of this.clients.entries())
      this.docs.push(await client.open('honest', `${i % N_DOCUMENTS}`, ''));
  }

  // Writes, one operation after the other, until isOver() or for n rounds.
  async work(isOver) {
    await Promise.all(this.docs.map(async doc => {
      for (let k = 0; !isOver(k); k++) {
        await new Promise(resolve => doc.submitOp(randomTextOp(this.random, doc.data), error => {
          if (error)
            this.refused.push(error);
          resolve();
        }));
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    }));
    await settled(this.docs);
  }

  // None was refused, cut, or told of an error, and everybody sees what the server has.
  async assertUndisturbed(server) {
    const wire = await Wire.open(server);

    for (const [i, doc] of this.docs.entries()) {
      const { v, data } = (await wire.fetch('honest', `${i % N_DOCUMENTS}`)).data;
      while (doc.version < v)
        await new Promise(resolve => doc.once('op', resolve));
      assert.equal(doc.data, data);
    }
    await wire.close();
    assert.deepEqual(this.refused, []);
    assert.deepEqual(this.clients.flatMap(client => client.errors), []);
    assert.deepEqual(warnings.splice(0), []);
    assert.equal(this.nCloses, 0);
  }

  close() {
    for (const client of this.clients)
      client.close();
  }
}

// ---- the hostile -----------------------------------------------------------------------------------------------------

// One of every kind that clients send. seq and v are drawn, so that some are accepted.
function validFrames(random) {
  const c = 'hostile';
  const d = `${random.between(0, 3)}`;
  const v = random.oneOf([null, 0, 1, random.between(0, 50)]);
  const seq = random.between(1, 1e6);

  return [
    { a: 'hs', id: null, protocol: 1, protocolMinor: 2 },
    { a: 'op', c, d, v, seq, create: { type: random.oneOf([TEXT, JSON0]), data: random.oneOf(['', {}, undefined]) } },
    { a: 'op', c, d, v, seq, x: {}, op: random.oneOf([['x'], [1, 'y', { d: 1 }], [{ p: ['k'], oi: [1, { k: 'v' }] }], [{ p: ['k', 0], ld: 1 }]]) },
    { a: 'op', c, d, v, seq, del: true },
    { a: 'f', c, d, v },
    { a: 's', c, d, v },
    { a: 'u', c, d },
    { a: 'bf', c, b: [d, '1', '2'] },
    { a: 'bs', c, b: { [d]: 0, 1: null } },
    { a: 'bu', c, b: [d] },
    { a: 'nf', id: seq, c, d, v },
    { a: 'nt', id: seq, c, d, ts: random.oneOf([null, 0, Date.now()]) },
    { a: 'ps', ch: `${c}.${d}`, seq },
    { a: 'pu', ch: `${c}.${d}`, seq },
    { a: 'pr', ch: `${c}.${d}`, seq },
    { a: 'p', ch: `${c}.${d}`, id: 'me', p: { index: 1 }, pv: seq, c, d, v: 1, t: TEXT },
    { a: 'pp' },
  ];
}

const VALUES = [null, true, '', 'x', -1, 0, 1.5, 1e300, 9007199254740992, [], {}, [[]], { a: 1 }, '__proto__', 'constructor', '\u0000', '\u007f', 'ä'.repeat(200), '😀'];

// A frame with one thing wrong: a field lost, doubled, of another kind; a byte changed; cut somewhere.
function mutated(random) {
  const frame = random.oneOf(validFrames(random));
  const key = random.oneOf(Object.keys(frame));

  switch (random.between(0, 6)) {
    case 0: delete frame[key]; return JSON.stringify(frame);
    case 1: frame[key] = random.oneOf(VALUES); return JSON.stringify(frame);
    case 2: frame[random.oneOf(['v', 'seq', 'src', 'op', 'create', 'del', 'id', 'b', 'c', 'd', 'p'])] = random.oneOf(VALUES); return JSON.stringify(frame);
    case 3: return JSON.stringify(frame).slice(0, random.between(0, 40));
    case 4: {
      const bytes = Buffer.from(JSON.stringify(frame));
      bytes[random.between(0, bytes.length)] = random.between(0, 256);
      return bytes;
    }
    default: return JSON.stringify(frame);
  }
}

const nasty = {
  'nested 20,000 deep': () => `{"a":"op","c":"hostile","d":"0","v":1,"seq":1,"op":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
  'nested and cut': () => '[{"a":'.repeat(10_000),
  'more than 16 MiB': () => `{"a":"op","c":"hostile","d":"0","v":1,"seq":1,"op":["${'x'.repeat(16 * MIB)}"]}`,
  'more than 16 MiB of nothing': () => ' '.repeat(16 * MIB + 1),
  'large and not what it should be': () => `{"a":"op","c":"hostile","d":"0","v":1,"seq":1,"op":{"x":["${'x'.repeat(2 * MIB)}"]}}`,
  'large and cut': () => `{"a":"op","c":"hostile","d":"0","v":1,"seq":1,"op":["${'x'.repeat(MIB)}`,
  'lone surrogates': () => '{"a":"op","c":"hostile","d":"0","v":1,"seq":1,"op":["\\ud83d","\\ude00\\ud83d"]}',
  'U+0000': () => '{"a":"op","c":"hostile","d":"\\u0000","v":1,"seq":1,"op":["\\u0000"]}',
  '__proto__ everywhere': () => '{"a":"op","__proto__":{"a":1},"c":"__proto__","d":"constructor","v":1,"seq":1,"op":[{"p":["__proto__","x"],"oi":{"__proto__":1}}]}',
  'huge numbers': () => '{"a":"op","c":"hostile","d":"0","v":1e300,"seq":1e308,"op":[1e309,{"d":99999999999999999999999999}]}',
  'many components': () => JSON.stringify({ a: 'op', c: 'hostile', d: '0', v: 1, seq: 1, op: Array.from({ length: 150_000 }, (_, i) => (i % 2 ? 1 : 'x')) }),
  '10,001 ids': () => JSON.stringify({ a: 'bs', c: 'hostile', b: Array.from({ length: 10_001 }, (_, i) => `${i}`) }),
  '10,000 ids of one document': () => JSON.stringify({ a: 'bs', c: 'hostile', b: Array(10_000).fill('0') }),
  '10,000 documents that are not there': () => JSON.stringify({ a: 'bf', c: 'hostile', b: Array.from({ length: 10_000 }, (_, i) => `n${i}`) }),
  'a presence too large': () => JSON.stringify({ a: 'p', ch: 'x', id: 'big', p: 'x'.repeat(20_000), pv: 1 }),
  'a presence of a document far away': () => JSON.stringify({ a: 'p', ch: 'x', id: 'far', p: { index: 1e15 }, pv: 1, c: 'honest', d: '0', v: 1, t: TEXT }),
  'a version far away': () => '{"a":"op","c":"honest","d":"0","v":9007199254740991,"seq":1,"op":["x"]}',
  'an operation on an honest document, past its end': () => '{"a":"op","c":"honest","d":"0","v":1,"seq":1,"op":[999999999,"x"]}',
  'the whole log of an honest document': () => '{"a":"s","c":"honest","d":"1","v":0}',
  'the past of an honest document': () => '{"a":"nf","id":1,"c":"honest","d":"1","v":3}',
  'keys without number': () => `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join(',')},"a":"f","c":"hostile","d":"0"}`,
  'invalid UTF-8': () => Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]),
  'no JSON': () => 'GET / HTTP/1.1',
  'an empty message': () => '',
  'an unknown action': () => '{"a":"shutdown"}',
  'somebody else\'s src': () => '{"a":"op","c":"hostile","d":"0","v":1,"seq":1,"src":"me","op":["x"]}',
};

// Sends and does not wait; comes back when it is cut. Whatever it is told is thrown away.
class Hostile {
  constructor(server, random) {
    Object.assign(this, { server, random, nSent: 0, nCloses: 0 });
  }

  async connect() {
    this.socket = new WebSocket(this.server.webSocketUrl, { perMessageDeflate: false });
    this.socket.on('error', () => {});
    this.socket.on('message', () => {});
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('close', () => reject(new Error('the server takes no connection'))));
    this.socket.once('close', () => this.nCloses++);
  }

  async send(message) {
    const { random } = this;

    if (!this.socket || this.socket.readyState !== WebSocket.OPEN)
      await this.connect();
    if (random.next() < 0.03) {
      const half = Math.floor(message.length / 2);
      this.socket.send(message.slice(0, half), { fin: false, binary: false });
      if (random.next() < 0.3)
        this.socket.terminate();
      else
        this.socket.send(message.slice(half), { fin: true, binary: false });
    } else {
      this.socket.send(message, { binary: random.next() < 0.01 });
    }
    this.nSent++;
    if (this.nSent % 20 === 0) // what was sent is on its way before more is
      await new Promise(resolve => setTimeout(resolve, 5));
    while (this.socket.readyState === WebSocket.OPEN && this.socket.bufferedAmount > MIB)
      await new Promise(resolve => setTimeout(resolve, 5));
  }

  // So many presences that the last are refused.
  async flood() {
    for (let i = 0; i < 1200; i++)
      this.socket.readyState === WebSocket.OPEN && this.socket.send(JSON.stringify({ a: 'p', ch: `flood${i % 7}`, id: `${i}`, p: i, pv: 1 }));
    await new Promise(resolve => setTimeout(resolve, 50));
  }

  async doItsWorst(n) {
    const messages = Object.values(nasty);

    for (let i = 0; i < n; i++) {
      const isNasty = i % 20 === 0;
      await this.send(isNasty ? messages[Math.floor(i / 20) % messages.length]() : mutated(this.random));
      if (i % 500 === 250)
        await this.flood();
    }
    this.socket.terminate();
  }
}

// ---- together --------------------------------------------------------------------------------------------------------

async function quietBytes(server) {
  let least = Infinity;

  for (let i = 0; i < 20; i++) {
    least = Math.min(least, await residentBytes(server.pid));
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return least;
}

test('2,000 hostile frames: twenty honest clients notice nothing, and memory is back', async t => {
  const seed = seedOf(t);
  const server = await startServer(t, { program: pilcrowdSanitized, env: QUARANTINE });
  const honest = new Honest(server, seed);
  const hostile = new Hostile(server, new Random(seed + 1));
  let isOver = false;

  await honest.open();
  // Once before it counts: what a server keeps for good it has then.
  await hostile.doItsWorst(Object.keys(nasty).length * 20);
  await honest.work(k => k === 20);
  const before = await quietBytes(server);

  const working = honest.work(() => isOver);
  hostile.nSent = hostile.nCloses = 0;
  await hostile.doItsWorst(N_HOSTILE);
  isOver = true;
  await working;
  assert(server.isRunning, server.output);
  await honest.assertUndisturbed(server);
  const after = await quietBytes(server);
  t.diagnostic(`${hostile.nSent} frames, cut ${hostile.nCloses} times; memory grew by ${((after - before) / MIB).toFixed(1)} MiB`);
  assert.equal(hostile.nSent, N_HOSTILE);
  assert(after - before < GROWTH_MAX, `memory grew by ${after - before} bytes`);

  honest.close();
  const end = await server.stop();
  assert.deepEqual(end, { code: 0, signal: null }, server.output);
  assert.doesNotMatch(server.output, /Sanitizer|runtime error/);
});
