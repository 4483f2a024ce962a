// Several requests on their way on one connection: answered in order, whatever they are, in few pieces, and nobody else
// waits for them.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { residentBytes } from '../lib/server.mjs';
import { get, put, server } from './rest.mjs';

const MIB = 1024 * 1024;

const asked = (method, path, { headers = '', body } = {}) => `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${headers}` +
  `${body === undefined ? '' : `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body ?? ''}`;

// Answers as they come: read() is the next one.
class Line {
  constructor() {
    this.received = Buffer.alloc(0);
    this.nPieces = 0;
    this.wake = () => {};
    this.socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', data => {
      this.received = Buffer.concat([this.received, data]);
      this.nPieces++;
      this.wake();
    });
    this.socket.on('close', () => (this.isClosed = true, this.wake()));
    this.socket.on('error', () => {});
  }

  async until(isThere) {
    while (!isThere()) {
      assert(!this.isClosed, 'closed');
      await new Promise(resolve => (this.wake = resolve));
    }
  }

  async read({ isHead = false } = {}) {
    let end;
    await this.until(() => (end = this.received.indexOf('\r\n\r\n')) >= 0);
    const head = this.received.subarray(0, end).toString();
    const status = Number(head.slice(9, 12));
    const length = isHead || status === 304 ? 0 : Number(head.match(/^content-length: (\d+)$/m)?.[1] ?? 0);
    await this.until(() => this.received.length >= end + 4 + length);
    const body = this.received.subarray(end + 4, end + 4 + length).toString();
    this.received = this.received.subarray(end + 4 + length);
    return { status, head, body };
  }
}

test('a hundred requests in one piece: answers in order, and in few pieces', async () => {
  for (let i = 0; i < 10; i++) await put(`/v1/docs/pipe/d${i}`, `document ${i}`);
  for (let i = 0; i < 10; i++) await get(`/v1/docs/pipe/d${i}`);
  const line = new Line();
  await put('/v1/docs/pipe/d0', 'document 0', { 'if-match': '*' }); // the line is up by now

  line.socket.write(Array.from({ length: 100 }, (_, i) => asked(i % 7 === 3 ? 'HEAD' : 'GET', `/v1/docs/pipe/${i % 11 === 5 ? 'none' : `d${i % 10}`}`)).join(''));
  for (let i = 0; i < 100; i++) {
    const isHead = i % 7 === 3;
    const { status, body } = await line.read({ isHead });
    assert.equal(status, i % 11 === 5 ? 404 : 200);
    if (status === 200) assert.equal(body, isHead ? '' : `document ${i % 10}`);
  }
  assert(line.nPieces < 40, `${line.nPieces} pieces`);
  line.socket.destroy();
});

test('reads among writes see those before them', async () => {
  const line = new Line();
  const path = '/v1/docs/pipe/mixed';
  const requests = [];

  for (let i = 0; i < 30; i++)
    requests.push(asked('PUT', path, { body: `text ${i}`, headers: i ? 'If-Match: *\r\n' : '' }), asked('GET', path), asked('GET', path), asked('HEAD', path));
  line.socket.write(requests.join(''));
  for (let i = 0; i < 30; i++) {
    assert.equal((await line.read()).status, i ? 200 : 201);
    assert.equal((await line.read()).body, `text ${i}`);
    assert.equal((await line.read()).body, `text ${i}`);
    assert.match((await line.read({ isHead: true })).head, new RegExp(`content-length: ${`text ${i}`.length}\\b`));
  }
  line.socket.destroy();
});

test('cut anywhere, the same answers', async () => {
  await put('/v1/docs/pipe/cut', 'cut');
  const bytes = asked('GET', '/v1/docs/pipe/cut') + asked('PUT', '/v1/docs/pipe/cut', { body: 'cut', headers: 'If-Match: *\r\n' }) +
    asked('GET', '/v1/docs/pipe/none') + asked('GET', '/v1/docs/pipe/cut');

  for (let at = 1; at < bytes.length; at += 13) {
    const line = new Line();
    line.socket.write(bytes.slice(0, at));
    setImmediate(() => setTimeout(() => line.socket.write(bytes.slice(at)), 2));
    const answers = [await line.read(), await line.read(), await line.read(), await line.read()];
    assert.deepEqual(answers.map(answer => answer.status), [200, 200, 404, 200], `cut at ${at}`);
    line.socket.destroy();
  }
});

test('what stands behind a large body waits for that, also when no more will come', async () => {
  const path = '/v1/docs/pipe/behind';
  const text = 'z'.repeat(MIB);
  const replaced = body => asked('PUT', path, { body, headers: 'If-Match: *\r\n' });
  const line = new Line();

  line.socket.end(asked('PUT', path, { body: text }) + asked('GET', path) + replaced(`${text}!`) + asked('HEAD', path) + replaced('small') +
    asked('GET', path) + replaced(`?${text}`) + asked('GET', path));
  assert.equal((await line.read()).status, 201);
  assert.equal((await line.read()).body, text);
  assert.equal((await line.read()).status, 200);
  assert.match((await line.read({ isHead: true })).head, new RegExp(`content-length: ${MIB + 1}\\b`));
  assert.equal((await line.read()).status, 200);
  assert.equal((await line.read()).body, 'small');
  assert.equal((await line.read()).status, 200);
  assert.equal((await line.read()).body, `?${text}`);
  await assert.rejects(line.read(), /closed/);
});

test('"100 Continue" and a closing answer come behind the answers before them', async () => {
  const line = new Line();
  await put('/v1/docs/pipe/order', 'x'.repeat(5000));

  line.socket.write(asked('GET', '/v1/docs/pipe/order').repeat(3) + asked('PUT', '/v1/docs/pipe/order', { headers: 'Expect: 100-continue\r\nIf-Match: *\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n' }));
  for (let i = 0; i < 3; i++) assert.equal((await line.read()).body.length, 5000);
  assert.equal((await line.read()).status, 100);
  line.socket.write('hi' + asked('GET', '/v1/docs/pipe/order').repeat(2) + 'nonsense\r\n\r\n');
  for (const status of [200, 200, 200, 400]) assert.equal((await line.read()).status, status);
  await assert.rejects(line.read(), /closed/);
});

test('an upgrade comes behind the answers before it', async () => {
  const line = new Line();
  const key = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

  await put('/v1/docs/pipe/upgrade', 'u'.repeat(20000));
  line.socket.write(asked('GET', '/v1/docs/pipe/upgrade').repeat(20) + asked('GET', '/v1/ws', { headers: key }));
  for (let i = 0; i < 20; i++) assert.equal((await line.read()).body.length, 20000);
  assert.equal((await line.read()).status, 101);
  await line.until(() => line.received.includes('"init"'));
  line.socket.destroy();
});

test('who says that he will ask no more has all the answers', async () => {
  const line = new Line();

  line.socket.end(asked('GET', '/v1/docs/pipe/d4').repeat(300));
  for (let i = 0; i < 300; i++) assert.equal((await line.read()).body, 'document 4');
  await assert.rejects(line.read(), /closed/);
});

test('who asks for much and reads nothing holds little, and holds up nobody', async t => {
  const text = 'y'.repeat(4 * MIB);
  await put('/v1/docs/pipe/large', text);
  await get('/v1/docs/pipe/large');
  const before = await residentBytes(server.pid);
  const lines = Array.from({ length: 20 }, () => new Line());

  for (const line of lines) {
    line.socket.pause();
    line.socket.write(asked('GET', '/v1/docs/pipe/large').repeat(100));
  }
  for (let i = 0; i < 20; i++) assert.equal((await get('/v1/docs/pipe/d1')).text, 'document 1');
  const grown = await residentBytes(server.pid) - before;
  t.diagnostic(`20 lines with 100 answers of 4 MiB each due: ${(grown / MIB).toFixed(1)} MiB more`);
  assert(grown < 20 * MIB);

  lines[0].socket.resume();
  for (let i = 0; i < 5; i++) assert.equal((await lines[0].read()).body.length, text.length);
  for (const line of lines) line.socket.destroy();
});

test('a crowd of requests on one line, and another client in between', async () => {
  const line = new Line();
  const n = 5000;
  let nAnswered = 0;

  line.socket.write(asked('GET', '/v1/docs/pipe/d2').repeat(n));
  const reading = (async () => {
    for (; nAnswered < n; nAnswered++) assert.equal((await line.read()).body, 'document 2');
  })();
  assert.equal((await get('/v1/docs/pipe/d3')).text, 'document 3');
  await reading;
  assert.equal(nAnswered, n);
  line.socket.destroy();
});
