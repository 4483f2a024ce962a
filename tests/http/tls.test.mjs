// TLS on the server's own port: what works in the clear works over it, and what is no TLS harms nobody.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectPlain, createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { makeAuthority } from '../lib/certificates.mjs';
import { pilcrow, pilcrowd, pilcrowdSanitized, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const authority = makeAuthority({ after });
const { ca } = authority;
const { cert, key } = authority.issue('first');
const flags = ['--tls-cert', cert, '--tls-key', key];
const server = await startServer({ after }, { args: flags });
const guarded = await startServer({ after }, { args: [...flags, '--handshake-seconds', '2'], program: pilcrowdSanitized });
const TEXT = { 'content-type': 'text/plain' };

// The answer, with its body as bytes.
function ask(method, path, { headers = {}, body, at = server, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const call = request(`${at.url}${path}`, { method, ca, headers: { ...length, ...headers }, ...options }, answer => {
      const pieces = [];

      answer.on('data', piece => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces), socket: answer.socket }));
    });

    call.on('error', reject);
    call.end(body);
  });
}

const isAlive = async at => assert.equal((await ask('GET', '/healthz', { at })).status, 200);
const hash = bytes => createHash('sha256').update(bytes).digest('hex');
const line = (options = {}, at = server) => connect({ port: at.port, host: '127.0.0.1', ca, ...options });

// What came until the line was closed, or broke.
function untilEnd(socket) {
  const pieces = [];

  socket.on('data', piece => pieces.push(piece)).on('error', () => {});
  return new Promise(resolve => socket.on('close', () => resolve(Buffer.concat(pieces))));
}

function saysAndIsCut(bytes) {
  const socket = connectPlain(guarded.port, '127.0.0.1');

  socket.write(bytes);
  return untilEnd(socket);
}

// The name in the certificate that a new connection is met with.
async function metWith(at, authorities = ca) {
  const socket = line({ ca: authorities }, at);

  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;

  socket.destroy();
  return CN;
}

test('HTTP/1.1, by TLS 1.3 and 1.2, and by nothing older', async () => {
  assert.match(server.url, /^https:/);
  for (const version of ['TLSv1.3', 'TLSv1.2']) {
    const socket = line({ minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });

    await once(socket, 'secureConnect');
    assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], [version, 'http/1.1']);
    socket.destroy();
  }
  for (const options of [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { ALPNProtocols: ['h2'] },
  ])
    await assert.rejects(once(line(options), 'secureConnect'), /alert|protocol/i);
});

test('curl and the command-line tool trust whom they are told to, and nobody else', async () => {
  await ask('PUT', '/v1/docs/notes/tool', { body: 'over TLS', headers: TEXT });
  assert.equal(execFileSync('curl', ['-sS', '--cacert', authority.file, `${server.url}/v1/docs/notes/tool`], { encoding: 'utf8' }), 'over TLS');

  const trusting = [['--cacert', authority.file], { PILCROW_CACERT: authority.file }];
  const stranger = makeAuthority({ after }).file;
  const byName = `https://localhost:${server.port}`;
  const cases = [
    ...trusting.map(trust => [server.url, trust, 0]),
    [byName, trusting[0], 0],
    [server.url, [], 6],
    [server.url, ['--cacert', stranger], 6],
    [`https://127.0.0.2:${server.port}`, trusting[0], 6],
  ];

  for (const [url, trust, code] of cases)
    for (const command of [['cat', 'notes/tool'], ['watch', 'notes/tool', '--from', '0', '--count', '1']]) {
      const [args, env] = Array.isArray(trust) ? [trust, {}] : [[], trust];
      const ended = await run(pilcrow, ['--server', url, ...args, ...command], { env });

      assert.equal(ended.code, code, `${url} ${args} ${command}: ${ended.stderr}`);
      if (code === 0) assert.match(ended.stdout, /over TLS/);
    }
});

test('WebSockets, with frames of all sizes both ways', async () => {
  const [one, two] = await Promise.all([Wire.open(server, { ca }), Wire.open(server, { ca })]);
  const text = 'wide '.repeat(200_000);

  await one.shake();
  await two.shake();
  await one.createText('notes', 'socket', '');
  await two.ask({ a: 's', c: 'notes', d: 'socket', v: 1 });
  await one.submit('notes', 'socket', { v: 1, op: ['small'] });
  await one.submit('notes', 'socket', { v: 2, op: [text] });
  assert.deepEqual((await two.next()).op, ['small']);
  assert.deepEqual((await two.next()).op, [text]);
  await one.close();
  await two.close();
});

test('8 MB each way, byte for byte, also to a reader who pauses', async () => {
  const body = randomBytes(4 << 20).toString('hex');

  assert.equal((await ask('PUT', '/v1/docs/notes/large', { body, headers: TEXT })).status, 201);
  assert.equal(hash((await ask('GET', '/v1/docs/notes/large')).body), hash(body));

  const socket = line();

  socket.write('GET /v1/docs/notes/large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await once(socket, 'readable');
  await isAlive(server); // the other one waits, and holds up nobody
  const answer = await untilEnd(socket);

  assert.equal(hash(answer.subarray(answer.indexOf('\r\n\r\n') + 4)), hash(body));
});

test('answers that come bit by bit', async t => {
  const folder = join(temporaryDirectory(t), 'copy');

  assert.equal((await run(pilcrow, ['--server', server.url, '--cacert', authority.file, 'backup', folder])).code, 0);
  assert.equal((await run(pilcrow, ['--data', folder, 'cat', 'notes/tool'])).stdout, 'over TLS');
});

test('who waits is told, and who goes away is not waited for', async () => {
  const path = '/v1/docs/notes/told';
  const figure = async name => Number((await ask('GET', '/metrics')).body.toString().match(new RegExp(`^${name} (\\d+)$`, 'm'))[1]);
  const until = async (name, n) => {
    while ((await figure(name)) !== n) await new Promise(done => setTimeout(done, 10));
  };

  await ask('PUT', path, { body: 'one', headers: TEXT });
  const waiting = ask('GET', `${path}/ops?from=1&wait=60`);
  const [gone, stream] = [line(), line()];
  let told = '';

  gone.write(`GET ${path}/ops?from=1&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  stream.write(`GET ${path}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  stream.setEncoding('utf8').on('data', piece => (told += piece));
  await until('pilcrow_http_waiting', 2);
  await until('pilcrow_http_streams', 1);
  gone.destroy();
  await until('pilcrow_http_waiting', 1);

  await ask('PUT', path, { body: 'one, two', headers: { ...TEXT, 'If-Match': '*' } });
  assert.deepEqual(JSON.parse((await waiting).body).ops[0].op, [3, ', two']);
  while (!told.includes('[3,", two"]')) await once(stream, 'data');
  stream.destroy();
  await until('pilcrow_http_streams', 0);
});

test('200 connections at once, each with several requests', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 200, ca });
  const paths = Array.from({ length: 400 }, (_, i) => `/v1/docs/many/${i}`);

  await Promise.all(paths.map(async path => assert.equal((await ask('PUT', path, { body: path, headers: TEXT, agent })).status, 201)));
  await Promise.all(paths.map(async path => assert.equal((await ask('GET', path, { agent })).body.toString(), path)));
  agent.destroy();
});

test('who ends his side after the request gets the answer', async () => {
  const socket = line({ allowHalfOpen: true });

  await once(socket, 'secureConnect');
  socket.end('GET /v1/docs/notes/tool HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.match((await untilEnd(socket)).toString(), /^HTTP\/1.1 200 [^]*over TLS$/);
});

test('a page in the clear is another origin', async () => {
  const write = Origin => ask('PUT', '/v1/docs/notes/origin', { body: '', headers: { ...TEXT, Origin, 'If-Match': '*' } });
  const own = `127.0.0.1:${server.port}`;

  assert.equal((await ask('PUT', '/v1/docs/notes/origin', { body: '', headers: TEXT })).status, 201);
  assert.equal((await write(`http://${own}`)).status, 403);
  assert((await write(`https://${own}`)).status < 300);
  await assert.rejects(Wire.open(server, { ca, headers: { Origin: `http://${own}` } }), { status: 403 });
  await (await Wire.open(server, { ca, headers: { Origin: `https://${own}` } })).close();
});

test('HTTP in the clear is told so', async () => {
  const socket = connectPlain(guarded.port, '127.0.0.1');

  socket.write(`POST /v1/docs/notes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n${'x'.repeat(9999)}`);
  socket.end();
  const [head, body] = (await untilEnd(socket)).toString().split('\r\n\r\n');

  assert.match(head, /^HTTP\/1.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/);
  assert.match(JSON.parse(body).detail, /https:\/\/$/);
  assert.match((await run(pilcrow, ['--server', `http://localhost:${guarded.port}`, 'ls'])).stderr, /TLS is spoken here/);
});

test('what is no TLS is cut, and so is who does not finish the handshake', async () => {
  const hello = Buffer.from('16030100fa010000f60303', 'hex'); // the beginning of one
  const record = Buffer.from('1603010200', 'hex'); // of a handshake
  const noise = ['\r\n\r\n', 'PROPFIND / HTTP/1.1\r\n\r\n', randomBytes(100_000), Buffer.alloc(5), Buffer.concat([record, randomBytes(600)])];

  await Promise.all(['', hello, ...noise].map(saysAndIsCut));
  await isAlive(guarded);
});

test('lines that break anywhere', async t => {
  let left = 0;
  const between = createServer(client => {
    const upstream = connectPlain(guarded.port, '127.0.0.1');
    const broken = () => (client.destroy(), upstream.destroy());

    for (const one of [client, upstream]) one.on('error', broken).on('close', broken);
    upstream.pipe(client);
    client.on('data', bytes => {
      upstream.write(bytes.subarray(0, left), () => left <= 0 && broken());
      left -= bytes.length;
    });
  });

  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  t.after(() => between.close());
  for (let n = 1; n < 1000; n += 37) {
    const socket = connect({ port: between.address().port, host: '127.0.0.1', ca });

    left = n;
    socket.write('PUT /v1/docs/notes/torn HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nhalf');
    socket.once('secureConnect', () => socket.write('a'.repeat(400)));
    await untilEnd(socket);
  }
  assert.equal((await ask('GET', '/v1/docs/notes/torn', { at: guarded })).status, 404);
});

test('SIGHUP: new connections are met with the new certificate, old ones go on', async t => {
  const folder = temporaryDirectory(t);
  const [own, ownKey] = ['cert.pem', 'key.pem'].map(name => join(folder, name));
  const install = one => (copyFileSync(one.cert, own), copyFileSync(one.key, ownKey));

  install({ cert, key });
  const renewed = await startServer(t, { args: ['--tls-cert', own, '--tls-key', ownKey] });
  const wire = await Wire.open(renewed, { ca });

  assert.equal(await metWith(renewed), 'first');
  install(authority.issue('second'));
  await renewed.hangup(/certificate has been read again/);
  assert.equal(await metWith(renewed), 'second');

  writeFileSync(own, 'broken');
  await renewed.hangup(/certificate stays as it is: [^\n]*cert\.pem/);
  assert.equal(await metWith(renewed), 'second');
  copyFileSync(cert, own); // of which this is not the key
  await renewed.hangup(/certificate stays as it is: [^\n]*key\.pem[^\n]*mismatch/);
  assert.equal(await metWith(renewed), 'second');

  await wire.shake(); // since before all this
  await wire.close();
});

test('SIGTERM: what was asked is answered, and connections end', async t => {
  const own = await startServer(t, { args: flags });
  const body = 'x'.repeat(4 << 20);

  await ask('PUT', '/v1/docs/notes/a', { body, headers: TEXT, at: own });
  const wire = await Wire.open(own, { ca });
  const [idle, busy] = [line({}, own), line({}, own)];

  await Promise.all([once(idle, 'secureConnect'), once(busy, 'secureConnect')]);
  busy.write('GET /v1/docs/notes/a HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(busy, 'readable');
  const ended = own.stop();
  const [answer] = await Promise.all([untilEnd(busy), untilEnd(idle)]);

  assert.equal(answer.length - answer.indexOf('\r\n\r\n') - 4, body.length);
  assert.equal((await wire.closed).code, 1001);
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test('--check-config says what is wrong with the files', async t => {
  const folder = temporaryDirectory(t);
  const locked = join(folder, 'locked.key');
  const check = (...args) => run(pilcrowd, ['--check-config', ...args]);

  execFileSync('openssl', ['pkey', '-in', key, '-aes256', '-passout', 'pass:secret', '-out', locked]);
  assert.equal((await check('--tls-cert', cert, '--tls-key', key)).code, 0);
  for (const [args, said] of [
    [['--tls-cert', cert], /belong together/],
    [['--tls-key', key], /belong together/],
    [['--tls-cert', cert, '--tls-key', authority.issue('other').key], /other\.key: [^\n]*mismatch/],
    [['--tls-cert', key, '--tls-key', key], /first\.key: no certificate/],
    [['--tls-cert', join(folder, 'none'), '--tls-key', key], /none: [^\n]*No such file/],
    [['--tls-cert', cert, '--tls-key', locked], /locked\.key: the key is encrypted/],
  ]) {
    const { code, stderr } = await check(...args);

    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, said);
  }
});

test('a public address still wants to know who may', async t => {
  const { code, stderr } = await run(pilcrowd, ['--data', temporaryDirectory(t), '--listen', '0.0.0.0:0', '--tls-cert', cert, '--tls-key', key]);

  assert.notEqual(code, 0);
  assert.match(stderr, /refusing to listen/);
});

test('a unix socket stays plain', async t => {
  const path = join(temporaryDirectory(t), 'socket');
  const own = await startServer(t, { args: [...flags, '--listen', `unix:${path}`] });

  assert.match(own.output, new RegExp(`https://\\S+ unix:${path}\\s`));
  assert.equal((await run(pilcrow, ['--server', `unix:${path}`, 'ls'])).code, 0);
});
