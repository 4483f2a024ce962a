// CONTRACT, Origin: a page from elsewhere neither opens the WebSocket nor writes over HTTP on a server on loopback.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const server = await startServer({ after });
const listening = `127.0.0.1:${server.port}`;

// Headers exactly as given; fetch() would not let us choose Host and Origin.
function http(method, path, headers, body, port = server.port) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) } }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', part => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const FOREIGN = ['https://evil.example', 'http://evil.example', 'null', '', 'http://127.0.0.1', 'http://127.0.0.1:1', `http://127.0.0.1:${server.port}0`,
  `http://127.0.0.1.evil.example:${server.port}`, `http://${listening}.evil.example`, `http://evil.example#http://${listening}`,
  `http://${listening}@evil.example`, `http://localhost:${server.port}`, 'file://', listening];

for (const origin of FOREIGN)
  test(`Origin "${origin.replace(String(server.port), 'PORT')}": no WebSocket, no write`, async () => {
    for (const path of ['/v1/ws', '/'])
      await assert.rejects(Wire.open(server, { path, headers: { Origin: origin } }), { status: 403 });

    const headers = { host: listening, origin, 'content-type': 'text/plain' };
    for (const [method, path] of [['PUT', '/v1/docs/notes/evil'], ['POST', '/v1/docs/notes'], ['DELETE', '/v1/docs/notes/evil']]) {
      const response = await http(method, path, headers, method === 'DELETE' ? undefined : 'x');
      assert.equal(response.status, 403, method);
      assert.match(response.headers['content-type'], /^application\/problem\+json/);
    }
    assert.equal((await http('GET', '/v1/docs/notes/evil', { host: listening })).status, 404);
  });

test('the server\'s own page opens the WebSocket and writes', async () => {
  for (const host of [listening, `localhost:${server.port}`]) {
    const headers = { host, origin: `http://${host}`, 'content-type': 'text/plain' };

    await (await Wire.open(server, { headers: { Host: host, Origin: `http://${host}` } })).close();
    assert.equal((await http('PUT', `/v1/docs/notes/own-${encodeURIComponent(host)}`, headers, 'x')).status, 201);
  }
});

test('a program sends no Origin, and is served', async () => {
  await (await Wire.open(server)).close();
  assert.equal((await http('PUT', '/v1/docs/notes/program', { host: listening, 'content-type': 'text/plain' }, 'x')).status, 201);
});

test('a foreign Host on loopback (a name that was pointed here): 403, also for reading', async () => {
  for (const host of ['evil.example', `evil.example:${server.port}`, `127.0.0.1.evil.example:${server.port}`, `localhost.evil.example:${server.port}`]) {
    await assert.rejects(Wire.open(server, { headers: { Host: host } }), { status: 403 });
    await assert.rejects(Wire.open(server, { headers: { Host: host, Origin: `http://${host}` } }), { status: 403 });
    assert.equal((await http('GET', '/v1/docs', { host })).status, 403);
    assert.equal((await http('PUT', '/v1/docs/notes/evil', { host, origin: `http://${host}`, 'content-type': 'text/plain' }, 'x')).status, 403);
  }
});

test('--allow-origin lets one page in, and no other', async t => {
  const open = await startServer(t, { args: ['--allow-origin', 'https://app.example'] });
  const host = `127.0.0.1:${open.port}`;
  const put = (id, origin) => http('PUT', `/v1/docs/notes/${id}`, { host, origin, 'content-type': 'text/plain' }, 'x', open.port);

  await (await Wire.open(open, { headers: { Origin: 'https://app.example' } })).close();
  await assert.rejects(Wire.open(open, { headers: { Origin: 'https://app.example.evil' } }), { status: 403 });
  await assert.rejects(Wire.open(open, { headers: { Origin: 'http://app.example' } }), { status: 403 });
  assert.equal((await put('a', 'https://app.example')).status, 201);
  assert.equal((await put('b', 'https://other.example')).status, 403);
});
