// Requests that no client library would send. Each is refused with the status named, the line is in the state named, nothing
// that is hidden behind it is carried out, and nothing has changed. tests/unit/net/test_request.c has more of the heads.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { pilcrowdSanitized, startServer } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';

const start = (...args) => startServer({ after }, { program: pilcrowdSanitized, args: ['--handshake-seconds', '1', '--max-document', '64K', ...args] });
const server = await start('--allow-origin', 'https://docs.example.org');
const HOST = `Host: 127.0.0.1:${server.port}\r\n`;
const DOC = '/v1/docs/notes/calm';

// What came back on one line: the statuses, in order, whether the server ended the line, and all of the bytes.
function speak(text, { at = server, thenEnd = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect(at.port, '127.0.0.1', () => (thenEnd ? socket.end(text, 'latin1') : socket.write(text, 'latin1')));
    let received = '';

    socket.setEncoding('latin1').on('data', data => (received += data));
    socket.on('error', reject);
    socket.on('close', () => resolve({ received, statuses: [...received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(match => Number(match[1])) }));
  });
}

// A request as it goes over the line, with its Host unless there is one.
const line = (first, ...headers) => `${first}\r\n${headers.some(header => /^host *:/i.test(header)) ? '' : HOST}${headers.map(header => `${header}\r\n`).join('')}\r\n`;
const LAST = line('GET /healthz HTTP/1.1', 'Connection: close');
const BEHIND = line(`DELETE ${DOC} HTTP/1.1`); // must not be carried out

async function state(at = server) {
  const [answer, list] = await Promise.all([fetch(`${at.url}${DOC}`), fetch(`${at.url}/v1/docs`)]);

  return [await answer.text(), answer.headers.get('etag'), await list.text()];
}

assert.equal((await fetch(`${server.url}${DOC}`, { method: 'PUT', body: 'calm', headers: { 'content-type': 'text/plain' } })).status, 201);
const CALM = await state();

// The answer ends the line: what stands behind it is not even looked at.
function closes(name, status, text, check = () => {}) {
  test(`${name}: ${status}, and the line is closed`, async () => {
    const { statuses, received } = await speak(text + BEHIND + BEHIND);

    assert.deepEqual(statuses, [status], received);
    assert.match(received, /^connection: close\r$/m);
    assert.match(received, /^content-type: application\/problem\+json\r$/m);
    assert.match(received, /"code":"ERR_[A-Z_]+"/);
    check(received);
    assert.deepEqual(await state(), CALM);
  });
}

// The answer leaves the line in order: the next request on it is answered, and that one only.
function stays(name, status, text) {
  test(`${name}: ${status}, and the line goes on`, async () => {
    assert.deepEqual((await speak(text + LAST)).statuses, [status, 200]);
    assert.deepEqual(await state(), CALM);
  });
}

const put = (...headers) => line(`PUT ${DOC} HTTP/1.1`, 'If-Match: *', 'Content-Type: text/plain', ...headers);

// ---- where a body ends
closes('chunked', 411, `${put('Transfer-Encoding: chunked')}5\r\nxxxxx\r\n0\r\n\r\n`);
closes('no length', 411, put());
closes('no length for POST', 411, line('POST /v1/docs/notes HTTP/1.1'));
closes('two lengths that differ', 400, `${put('Content-Length: 0', 'Content-Length: 5')}xxxxx`);
closes('two lengths that do not', 400, `${put('Content-Length: 5', 'Content-Length: 5')}xxxxx`);
closes('a length and chunked', 400, `${put('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`);
closes('chunked and a length', 400, `${put('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`);
for (const coding of ['xchunked', 'chunked, identity', 'identity', '\tchunked', '"chunked"', 'chunked\r\nTransfer-Encoding: identity', 'gzip, chunked', ''])
  closes(`the encoding ${JSON.stringify(coding)}`, 411, `${put(`Transfer-Encoding: ${coding}`)}0\r\n\r\n`);
for (const length of ['+5', '-1', '0x5', '5, 5', '5,5', '5 5', '5.0', '1e1', '"5"', '', '05a', '99999999999999999999999'])
  closes(`the length ${JSON.stringify(length)}`, 400, `${put(`Content-Length: ${length}`)}xxxxx`);
closes('more than this server takes', 413, put('Content-Length: 65537'));
closes('an encoding hidden by a blank before the colon', 400, `${put('Content-Length: 5', 'Transfer-Encoding : chunked')}0\r\n\r\n`);
closes('a length hidden by a blank before the colon', 400, `${put('Content-Length : 5')}xxxxx`);
closes('an encoding hidden in a folded line', 400, `${put('Content-Length: 5', 'X: y', ' Transfer-Encoding: chunked')}0\r\n\r\n`);
closes('a length hidden behind a bare return', 400, `${put('X: y\rContent-Length: 5')}xxxxx`);
closes('a length hidden behind a bare newline', 400, `${put('X: y\nContent-Length: 5')}xxxxx`);
closes('a length hidden behind a zero byte', 400, `${put('X: y\0Content-Length: 5')}xxxxx`);
closes('a GET whose chunks are another request', 411, `${line('GET /healthz HTTP/1.1', 'Transfer-Encoding: chunked')}0\r\n\r\n`);
stays('a GET with a body', 200, `${line('GET /healthz HTTP/1.1', 'Content-Length: 5')}xxxxx`);
stays('zeros before a length', 415, `${line(`PUT ${DOC} HTTP/1.1`, 'If-Match: *', 'Content-Type: image/png', 'Content-Length: 0005')}xxxxx`);
stays('blanks around a length', 415, `${line(`PUT ${DOC} HTTP/1.1`, 'If-Match: *', 'Content-Type: image/png', 'Content-Length: \t 5 \t')}xxxxx`);

test('a body larger than announced: what is too much is the next request, and none', async () => {
  const { statuses } = await speak(`${line(`PUT ${DOC} HTTP/1.1`, 'If-None-Match: *', 'Content-Type: text/plain', 'Content-Length: 3')}xxx\x00\x01${BEHIND}`);

  assert.deepEqual(statuses, [412, 400]);
  assert.deepEqual(await state(), CALM);
});

test('a body that never comes whole: 408 after a while', async () => {
  const { statuses, received } = await speak(`${put('Content-Length: 100')}half`);

  assert.deepEqual(statuses, [408], received);
  assert.deepEqual(await state(), CALM);
});

test('a body whose sender leaves: nothing', async () => {
  await speak(`${put('Content-Length: 100')}half`, { thenEnd: true });
  assert.deepEqual(await state(), CALM);
});

test('a head that never comes whole: 408 after a while; without a byte: nothing', async () => {
  const [head, old] = await Promise.all([speak(`DELETE ${DOC} HTTP/1.1\r\n${HOST}`), speak(`GET ${DOC}\r\n`)]);

  assert.deepEqual([head.statuses, old.statuses], [[408], [408]]);
  assert.deepEqual(await state(), CALM);
});

// ---- what may stand once
for (const [name, header] of [['Host', HOST.trim()], ['Content-Type', 'Content-Type: text/plain'], ['Origin', 'Origin: https://docs.example.org'],
  ['Authorization', 'Authorization: Bearer a'], ['Idempotency-Key', 'Idempotency-Key: "a"'], ['Pilcrow-Author', 'Pilcrow-Author: ink'], ['Range', 'Range: bytes=0-1']])
  closes(`${name} twice`, 400, `${line(`PUT ${DOC} HTTP/1.1`, header, 'Content-Length: 1', header)}x`);

test('lists may go on in a second line', async () => {
  const accept = line(`GET ${DOC} HTTP/1.1`, 'Accept: image/png', 'Accept: application/json', 'Connection: keep-alive', 'Connection: close');
  const { statuses, received } = await speak(accept + BEHIND);

  assert.deepEqual(statuses, [200]);
  assert.match(received, /"calm"$/);
  const [, etag] = CALM;
  assert.deepEqual((await speak(line(`GET ${DOC} HTTP/1.1`, 'If-None-Match: "other"', `If-None-Match: ${etag}`) + LAST)).statuses, [304, 200]);
});

// ---- addresses
for (const target of ['/v1/docs/notes/a%00b', '/v1/docs/notes/%ff', '/v1/docs/__proto__/a', '/v1/docs//calm', `/v1/docs/notes/${'x'.repeat(129)}`])
  stays(`the address ${target.slice(0, 40)}`, 400, line(`GET ${target} HTTP/1.1`));
for (const target of ['/v1/docs/notes/calm\0', '/v1/docs/notes/a\x7fb', '/%', '/%2', '/%zz', '/a#b', '\\', 'v1/docs', '*', '?a', 'ftp://127.0.0.1/', 'http://', 'http:///v1/docs', 'http://a@127.0.0.1/healthz', 'http://127.0.0.1 /healthz', '127.0.0.1:80', ''])
  closes(`the address ${JSON.stringify(target)}`, 400, line(`GET ${target} HTTP/1.1`));
for (const target of ['/v1/docs/notes/../calm', '//v1/docs', '/v1%2Fdocs', '/v1/docs/notes/calm/../../notes/calm', '/../etc/passwd', '/d/notes/../../etc/passwd', '/v1/docs/notes/calm/ops/more'])
  stays(`the address ${target}`, 404, line(`GET ${target} HTTP/1.1`));
stays('an address under loopback\'s other name, as a proxy writes it', 200, line('GET http://localhost/healthz HTTP/1.1'));
stays('an address without a path', 200, line('GET http://127.0.0.1 HTTP/1.1'));
stays('an address with a host has that one, whatever Host says', 200, line('GET http://127.0.0.1/healthz HTTP/1.1', 'Host: evil.example'));
closes('an address with a foreign host, whatever Host says', 403, line('GET http://evil.example/healthz HTTP/1.1'));
closes('an address longer than 8 kB', 414, line(`GET /${'a'.repeat(9000)} HTTP/1.1`));

// ---- hosts
closes('no Host', 400, `GET /healthz HTTP/1.1\r\n\r\n`);
closes('a Host that is none', 400, line('GET /healthz HTTP/1.1', 'Host: a b'));
closes('a Host with a user', 400, line('GET /healthz HTTP/1.1', 'Host: localhost@evil.example'));
closes('a Host with a path', 400, line('GET /healthz HTTP/1.1', 'Host: localhost/x'));
for (const host of ['evil.example', '127.0.0.1.evil.example', '', '0.0.0.0', 'localhost:80x'])
  closes(`a foreign Host on loopback: ${host}`, 403, line('GET /healthz HTTP/1.1', `Host: ${host}`));
stays('the Host of an allowed origin', 200, line('GET /healthz HTTP/1.1', 'Host: docs.example.org'));

// ---- lines and headers
closes('a header of 20 kB', 431, line('GET /healthz HTTP/1.1', `X: ${'y'.repeat(20_000)}`));
closes('two thousand headers', 431, line('GET /healthz HTTP/1.1', ...Array(2000).fill('X: y')));
closes('more than a hundred headers', 431, line('GET /healthz HTTP/1.1', ...Array(101).fill('X: y')));
closes('lines that end in a bare newline', 400, `GET /healthz HTTP/1.1\n${HOST.trim()}\n\n\r\n\r\n`);
closes('a blank before the first header', 400, `GET /healthz HTTP/1.1\r\n X: y\r\n${HOST}\r\n`);
closes('an empty line before the request', 400, `\r\n${line('GET /healthz HTTP/1.1')}`);
closes('a zero byte in a name', 400, line('GET /healthz HTTP/1.1', 'X\0Y: z'));
closes('a header without a name', 400, line('GET /healthz HTTP/1.1', ': z'));
closes('a header without a colon', 400, line('GET /healthz HTTP/1.1', 'xyz'));

// ---- methods and versions
for (const method of ['get', 'TRACE', 'PROPFIND', 'FOO'])
  closes(`the method ${method}`, 405, line(`${method} ${DOC} HTTP/1.1`), received => assert.match(received, /^allow: GET, HEAD, PUT, PATCH, POST, DELETE, OPTIONS\r$/m));
closes('CONNECT', 405, line('CONNECT 127.0.0.1:80 HTTP/1.1'));
closes('a method of odd characters', 400, line('G(T / HTTP/1.1'));
closes('two blanks in the first line', 400, line('GET  /healthz HTTP/1.1'));
closes('a tab in the first line', 400, line('GET\t/healthz HTTP/1.1'));
closes('a blank at its end', 400, line('GET /healthz HTTP/1.1 '));
closes('HTTP/0.9', 400, 'GET /healthz\r\n\r\n');
closes('HTTP/1.2', 505, line('GET /healthz HTTP/1.2'));
closes('HTTP/2 with prior knowledge', 505, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
closes('http/1.1', 400, line('GET /healthz http/1.1'));
closes('a greeting of TLS', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');

test('HTTP/1.0: answered, and closed, whatever it asks for', async () => {
  const { statuses, received } = await speak(`GET ${DOC} HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n${BEHIND}`);

  assert.deepEqual(statuses, [200]);
  assert.match(received, /^connection: close\r$/m);
  assert.deepEqual(await state(), CALM);
});

test('OPTIONS *: 204 and all the methods', async () => {
  const { statuses, received } = await speak(line('OPTIONS * HTTP/1.1'));

  assert.deepEqual(statuses, [204]);
  assert.match(received, /^allow: GET, HEAD, PUT, PATCH, POST, DELETE, OPTIONS\r$/m);
});

// ---- expectations
closes('an expectation that nobody has', 417, `${put('Content-Length: 5', 'Expect: a-miracle')}xxxxx`);
closes('100-continue, and a body that is refused', 413, put('Content-Length: 65537', 'Expect: 100-continue'));

test('100-continue: asked for, then answered', async () => {
  const { statuses } = await speak(`${line(`PUT ${DOC} HTTP/1.1`, 'If-None-Match: *', 'Content-Type: text/plain', 'Content-Length: 5', 'Expect: 100-continue')}`, { at: { port: await delayed('xxxxx') } });

  assert.deepEqual(statuses, [100, 412]);
  assert.deepEqual(await state(), CALM);
});

// A line to the server that sends `more` when something has come, and closes behind the next answer; its port.
async function delayed(more) {
  const { createServer } = await import('node:net');
  const between = createServer(client => {
    const line = connect(server.port, '127.0.0.1');

    client.on('data', data => line.write(data));
    line.on('data', data => (client.write(data), more ? line.write(more) : line.end(), more = ''));
    line.on('close', () => (client.end(), between.close()));
  }).listen(0, '127.0.0.1');

  await new Promise(resolve => between.once('listening', resolve));
  return between.address().port;
}

// ---- upgrades
const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
const upgrade = (change, ...more) => line('GET /v1/ws HTTP/1.1', ...UPGRADE.map(change).filter(Boolean), ...more);
const without = name => header => (header.startsWith(name) ? '' : header);

closes('an old WebSocket', 426, upgrade(header => header.replace('13', '8')), received => {
  assert.match(received, /^sec-websocket-version: 13\r$/m);
  assert.match(received, /^upgrade: websocket\r$/m);
});
closes('a WebSocket of no version', 426, upgrade(without('Sec-WebSocket-Version')));
closes('a WebSocket without a key', 400, upgrade(without('Sec-WebSocket-Key')));
closes('a WebSocket with two keys', 400, upgrade(header => header, UPGRADE[3]));
closes('a WebSocket with a short key', 400, upgrade(header => header.replace('AAAA', 'A')));
closes('a WebSocket by POST', 400, upgrade(header => header, 'Content-Length: 0').replace('GET', 'POST'));
closes('a WebSocket with a body', 400, `${upgrade(header => header, 'Content-Length: 5')}xxxxx`);
closes('a WebSocket with a chunked body', 400, `${upgrade(header => header, 'Transfer-Encoding: chunked')}0\r\n\r\n`);
closes('a WebSocket elsewhere', 404, upgrade(header => header).replace('/v1/ws', DOC));
closes('a WebSocket from a foreign page', 403, upgrade(header => header, 'Origin: https://evil.example'));
closes('the WebSocket\'s address without an upgrade', 426, line('GET /v1/ws HTTP/1.1'));
closes('an upgrade that Connection does not name', 426, upgrade(without('Connection')));
stays('an upgrade to something else is passed over', 200, line('GET /healthz HTTP/1.1', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__', 'Connection: Upgrade, HTTP2-Settings'));

// ---- what goes over a good line and is refused
stays('an unknown media type', 415, `${line(`PUT ${DOC} HTTP/1.1`, 'If-Match: *', 'Content-Type: image/png', 'Content-Length: 5')}xxxxx`);
stays('a media type that is none', 415, `${line(`PUT ${DOC} HTTP/1.1`, 'If-Match: *', 'Content-Type: ;;;', 'Content-Length: 5')}xxxxx`);
stays('a document that says nothing of itself', 428, `${line(`PUT ${DOC} HTTP/1.1`, 'Content-Type: text/plain', 'Content-Length: 5')}xxxxx`);
stays('text that is no UTF-8', 400, `${line(`PUT ${DOC} HTTP/1.1`, 'If-Match: *', 'Content-Type: text/plain', 'Content-Length: 2')}\xff\xfe`);
closes('a page of another site writes', 403, `${put('Content-Length: 5', 'Origin: https://evil.example')}xxxxx`);

test('a body that nobody may send is not read: 401, and what hides behind it stays hidden', async t => {
  const guarded = await start(...tokenFile(t, principal('ink', 'write', 'the secret of ink')).args);
  const token = { headers: { ...bearer('the secret of ink'), 'content-type': 'text/plain' } };

  assert.equal((await fetch(`${guarded.url}${DOC}`, { method: 'PUT', body: 'calm', ...token })).status, 201);
  const hidden = line(`DELETE ${DOC} HTTP/1.1`, 'Authorization: Bearer the secret of ink');
  assert.deepEqual((await speak(put(`Content-Length: ${hidden.length}`) + hidden, { at: guarded })).statuses, [401]);
  assert.equal(await (await fetch(`${guarded.url}${DOC}`, token)).text(), 'calm');
});

test('it still runs, and the sanitizers have nothing to say', async () => {
  assert.deepEqual(await state(), CALM);
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.output);
  assert.doesNotMatch(server.output, /Sanitizer|runtime error/);
});
