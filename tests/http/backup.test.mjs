// GET /v1/backup, and with it answers that come bit by bit: how they are framed, and how each side ends them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { pilcrow, residentBytes, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';

const MIB = 1024 * 1024;
const N_DOCUMENTS = 10; // of 3 MB that do not pack: more than the buffers of two kernels hold

// A server with something to copy, and what is in it.
async function startFilled(t, options) {
  const server = await startServer(t, options);
  const texts = [];

  for (let i = 0; i < N_DOCUMENTS; i++) {
    texts.push(randomBytes(9 * MIB / 4).toString('base64'));
    const answer = await fetch(`${server.url}/v1/docs/notes/d${i}`, {
      method: 'PUT', headers: { 'content-type': 'text/plain', 'if-none-match': '*', ...options?.headers }, body: texts[i],
    });
    assert.equal(answer.status, 201);
  }
  return { server, texts };
}

// A client by hand, which reads when it is told to.
async function ask(server, head = 'GET /v1/backup HTTP/1.1\r\nHost: localhost\r\n\r\n') {
  const socket = connect(server.port, '127.0.0.1');

  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(head);
  return socket;
}

async function readAll(socket) {
  const pieces = [];

  for await (const piece of socket)
    pieces.push(piece);
  return Buffer.concat(pieces);
}

test('the copy is a store that holds what the server holds, and who reads slowly gets all of it', async t => {
  const { server, texts } = await startFilled(t);
  const answer = await fetch(`${server.url}/v1/backup`);

  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
  assert.equal(answer.headers.get('content-length'), null);
  const data = join(temporaryDirectory(t), 'copy');
  const pieces = [];
  mkdirSync(data);
  for await (const piece of answer.body)
    if (pieces.push(piece) % 8 === 0)
      await new Promise(resolve => setTimeout(resolve, 1));
  writeFileSync(join(data, 'data.mdb'), Buffer.concat(pieces));
  for (let i = 0; i < N_DOCUMENTS; i++)
    assert.equal((await run(pilcrow, ['--data', data, 'cat', `notes/d${i}`])).stdout, texts[i]);
});

test('chunks end with an empty one, and the line goes on', async t => {
  const server = await startServer(t);
  const answer = (await readAll(await ask(server, 'GET /v1/backup HTTP/1.1\r\nHost: localhost\r\n\r\n'
    + 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'))).toString('latin1');
  let at = answer.indexOf('\r\n\r\n') + 4;
  let nBytes = 0;

  assert.match(answer.slice(0, at), /^HTTP\/1.1 200 OK\r\n[^]*\r\ntransfer-encoding: chunked\r\n/);
  for (let size = -1; size !== 0;) {
    const end = answer.indexOf('\r\n', at);
    assert.match(answer.slice(at, end), /^[0-9a-f]{1,5}$/);
    size = parseInt(answer.slice(at, end), 16);
    at = end + 2 + size;
    assert.equal(answer.slice(at, at + 2), '\r\n');
    at += 2;
    nBytes += size;
  }
  assert.equal(nBytes % 4096, 0);
  assert.match(answer.slice(at), /^HTTP\/1.1 200 OK\r\n[^]*ok\n$/);
});

test('HEAD copies nothing; HTTP/1.0, which knows no chunks, is refused', async t => {
  const server = await startServer(t);
  const head = (await readAll(await ask(server, 'HEAD /v1/backup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'))).toString();
  const old = (await readAll(await ask(server, 'GET /v1/backup HTTP/1.0\r\nHost: localhost\r\n\r\n'))).toString();

  assert.match(head, /^HTTP\/1.1 200 OK\r\n[^]*application\/octet-stream[^]*\r\n\r\n$/);
  assert.doesNotMatch(head, /content-length/);
  assert.match(old, /^HTTP\/1.1 505 /);
});

test('it wants the right admin', async t => {
  const tokens = tokenFile(t, principal('ink', 'write', 'secret of ink'), principal('paper', 'admin', 'secret of paper'));
  const server = await startServer(t, { args: tokens.args });
  const status = async headers => {
    const answer = await fetch(`${server.url}/v1/backup`, { headers });
    await answer.arrayBuffer();
    return answer.status;
  };

  assert.equal(await status({}), 401);
  assert.equal(await status(bearer('secret of ink')), 403);
  assert.equal(await status(bearer('secret of paper')), 200);
});

test('a client that does not read holds up nobody, and costs little; one that goes away ends the copy', async t => {
  const { server } = await startFilled(t);
  const before = await residentBytes(server.pid);
  const slow = await ask(server);

  await once(slow, 'readable');
  const second = await fetch(`${server.url}/v1/backup`);
  assert.equal(second.status, 503);
  assert.equal((await second.json()).code, 'ERR_BUSY');
  for (let i = 0; i < 20; i++) {
    const answer = await fetch(`${server.url}/v1/docs/notes/beside${i}`, {
      method: 'PUT', headers: { 'content-type': 'text/plain', 'if-none-match': '*' }, body: 'x',
    });
    assert.equal(answer.status, 201);
  }
  assert(await residentBytes(server.pid) - before < 16 * MIB);
  slow.destroy();

  let status = 503;
  while (status === 503) { // until the server has noticed
    const answer = await fetch(`${server.url}/v1/backup`);
    status = answer.status;
    await answer.arrayBuffer();
  }
  assert.equal(status, 200);
});

test('a server that ends lets a copy end that is being read', async t => {
  const { server } = await startFilled(t);
  const answer = await fetch(`${server.url}/v1/backup`);
  const stopped = server.stop();
  const copy = await answer.arrayBuffer();

  assert(copy.byteLength > N_DOCUMENTS * 2 * MIB);
  assert.deepEqual(await stopped, { code: 0, signal: null }, server.output);
});

// Deadlines go by.
if (process.env.PILCROW_LONG) {
  test('a server that ends cuts what is not read, and the client sees that it is not whole', async t => {
    const { server } = await startFilled(t);
    const socket = await ask(server);

    await once(socket, 'readable');
    const stopped = server.stop();
    await new Promise(resolve => setTimeout(resolve, 100));
    assert.equal(server.isRunning, true); // it waits for a client who may go on to read
    assert.deepEqual(await stopped, { code: 0, signal: null }, server.output);
    const answer = await readAll(socket);
    assert.notEqual(answer.subarray(-5).toString('latin1'), '0\r\n\r\n');
  });

  test('who reads nothing at all for long is cut', async t => {
    const { server } = await startFilled(t);
    const socket = await ask(server);
    const began = Date.now();

    await once(socket, 'readable');
    for (let status = 503; status === 503;) {
      const answer = await fetch(`${server.url}/v1/backup`);
      status = answer.status;
      await answer.arrayBuffer();
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    assert(Date.now() - began > 20_000);
    assert.notEqual((await readAll(socket)).subarray(-5).toString('latin1'), '0\r\n\r\n');
  });
}
