// A server of which everything lies below a path.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const BASE = '/tools/pilcrow';
const socket = join(temporaryDirectory({ after }), 'socket');
const server = await startServer({ after }, { args: ['--base-path', BASE, '--listen', `unix:${socket}`] });
const host = `http://127.0.0.1:${server.port}`;
const get = path => fetch(`${host}${path}`, { redirect: 'manual' });

test('it is part of the addresses that are told at the start', () => {
  assert.equal(server.url, `${host}${BASE}`);
  assert.match(server.output, new RegExp(`unix:${socket}:${BASE}\\s`));
});

test('everything is below it, and nothing beside it', async () => {
  for (const path of ['/', '/d/notes/a', '/healthz', '/readyz', '/metrics', '/v1/docs', '/favicon.svg']) {
    assert.equal((await get(BASE + path)).status, 200, path);
    assert.equal((await get(path)).status, 404, path);
    assert.equal((await get(`${BASE}s${path}`)).status, 404, path);
    assert.equal((await get(`${BASE}${BASE}${path}`)).status, 404, path);
  }
  assert.equal((await get('/tools/%70ilcrow/healthz')).status, 404);
  assert.equal((await (await get('/')).json()).code, 'ERR_NOT_FOUND');
});

test('without the slash behind it, a redirect', async () => {
  for (const query of ['', '?name=ink']) {
    const answer = await get(BASE + query);

    assert.deepEqual([answer.status, answer.headers.get('location')], [308, `${BASE}/${query}`]);
  }
});

test('Location and Link have it', async () => {
  const created = await fetch(`${server.url}/v1/docs/notes/a%20b`, { method: 'PUT', body: 'a', headers: { 'content-type': 'text/plain' } });

  assert.equal(created.headers.get('location'), `${BASE}/v1/docs/notes/a%20b`);
  await fetch(`${server.url}/v1/docs/notes/a%20b`, { method: 'PUT', body: 'ab', headers: { 'content-type': 'text/plain', 'if-match': '*' } });
  await fetch(`${server.url}/v1/docs/notes/c`, { method: 'PUT', body: 'c', headers: { 'content-type': 'text/plain' } });
  for (const path of ['/v1/docs/notes?limit=1', '/v1/logs?limit=1', '/v1/docs/notes/a%20b/history?limit=1&pause=0']) {
    const link = (await get(BASE + path)).headers.get('link').match(/^<([^>]+)>/)[1];

    assert(link.startsWith(`${BASE}/v1/`), link);
    assert.equal((await get(link)).status, 200);
  }
});

test('pages load what they consist of', async () => {
  for (const page of ['/', '/d/notes/a']) {
    const html = await (await get(BASE + page)).text();
    const addresses = [...html.matchAll(/(?:href|src)="([^"#]+)"/g)].map(match => new URL(match[1], `${host}${BASE}${page}`));

    assert(addresses.length > 4);
    for (const address of addresses) assert.equal((await fetch(address)).status, 200, address.href);
  }
});

test('WebSockets are below it', async () => {
  for (const path of ['/v1/ws', '/']) {
    const wire = await Wire.open(server, { path });

    assert.equal((await wire.ask({ a: 'hs', id: null })).a, 'hs');
    await wire.close();
  }
  await assert.rejects(Wire.open({ url: host }), { status: 404 });
});

test('the command-line tool finds it, by TCP and by a unix socket', async () => {
  for (const url of [server.url, `${server.url}/`, `unix:${socket}:${BASE}`]) {
    assert.equal((await run(pilcrow, ['--server', url, 'cat', 'notes/c'])).stdout, 'c', url);
    const watched = await run(pilcrow, ['--server', url, 'watch', 'notes/c', '--from', '0', '--count', '1']);

    assert.match(watched.stdout, /create/, url);
  }
  assert.equal((await run(pilcrow, ['--server', host, 'cat', 'notes/c'])).code, 3);
});
