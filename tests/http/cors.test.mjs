// What pages of other origins are let do: exactly those that --allow-origin names. tests/browser/origin.test.mjs asks a real browser.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';
import { askAt } from './rest.mjs';

const PAGE = 'https://docs.example.org';
const allowed = ['--allow-origin', PAGE, '--allow-origin', 'http://lan.example:8000'];
const server = await startServer({ after }, { args: allowed });
const guarded = await startServer({ after }, { args: [...allowed, ...tokenFile({ after }, principal('ink', 'write', 'the secret of ink')).args] });
const closed = await startServer({ after });

const ask = (method, path, options, at = server) => askAt(at, method, path, options);
const preflight = (path, origin, method = 'PATCH', at = server) => ask('OPTIONS', path,
  { headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'content-type,if-match' } }, at);
const corsOf = answer => Object.keys(answer.headers).filter(name => name.startsWith('access-control-')).sort();
const vary = answer => (answer.headers.vary ?? '').toLowerCase().split(/, */);

assert.equal((await ask('PUT', '/v1/docs/notes/a', { body: 'x', headers: { origin: PAGE, 'content-type': 'text/plain' } })).status, 201);

test('a page that is named reads the answer, its headers, and refusals', async () => {
  for (const [origin, path, status] of [[PAGE, '/v1/docs/notes/a', 200], ['http://lan.example:8000', '/v1/docs', 200],
    [PAGE, '/v1/docs/notes/none', 404], [PAGE, '/v1/docs/notes/__proto__', 400], [PAGE, '/nothing', 404], [PAGE, '/healthz', 200]]) {
    const answer = await ask('GET', path, { headers: { origin } });

    assert.equal(answer.status, status, path);
    assert.equal(answer.headers['access-control-allow-origin'], origin);
    for (const name of ['ETag', 'Pilcrow-Version', 'Location', 'Link', 'Retry-After', 'Preference-Applied', 'Accept-Patch', 'Pilcrow-Request-Id'])
      assert(answer.headers['access-control-expose-headers'].split(', ').includes(name), name);
    assert.deepEqual(corsOf(answer), ['access-control-allow-origin', 'access-control-expose-headers']);
  }
  assert.equal((await ask('PROPFIND', '/v1/docs', { headers: { origin: PAGE } })).headers['access-control-allow-origin'], PAGE);
  assert.equal((await ask('GET', '/v1/docs', { headers: { origin: PAGE } }, guarded)).headers['access-control-allow-origin'], PAGE);
});

test('whatever could differ by origin says so, with and without one', async () => {
  for (const headers of [{}, { origin: PAGE }, { origin: 'https://evil.example' }])
    for (const path of ['/v1/docs/notes/a', '/v1/docs/notes/none', '/', '/healthz'])
      assert(vary(await ask('GET', path, { headers })).includes('origin'), path);
  assert(vary(await ask('GET', '/v1/docs/notes/a')).includes('accept'));
});

test('nobody else is named, whatever he sends', async () => {
  for (const origin of ['https://evil.example', 'null', '*', 'https://docs.example.org.evil.example', 'https://evil.example/https://docs.example.org',
    'http://docs.example.org', 'https://docs.example.org:8443', `https://${'a'.repeat(400)}`, '']) {
    const answer = await ask('GET', '/v1/docs/notes/a', { headers: { origin } });

    assert.deepEqual([answer.status, corsOf(answer)], [200, []], origin);
    assert.deepEqual(corsOf(await preflight('/v1/docs/notes/a', origin)), []);
    const writing = await ask('PUT', '/v1/docs/notes/a', { body: 'y', headers: { origin, 'if-match': '*', 'content-type': 'text/plain' } });
    assert.deepEqual([writing.status, corsOf(writing)], [403, []], origin);
  }
  assert.equal((await ask('GET', '/v1/docs/notes/a')).text, 'x');
});

test('a preflight: 204, the methods of that resource, what may be sent, for a while', async () => {
  const answer = await preflight('/v1/docs/notes/a', PAGE);
  const { allow } = (await ask('OPTIONS', '/v1/docs/notes/a')).headers;

  assert.deepEqual([answer.status, answer.headers['access-control-allow-origin'], answer.headers['access-control-allow-methods']], [204, PAGE, allow]);
  for (const name of ['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match', 'last-event-id', 'pilcrow-author', 'prefer', 'range'])
    assert(answer.headers['access-control-allow-headers'].toLowerCase().split(', ').includes(name), name);
  assert.match(answer.headers['access-control-max-age'], /^\d+$/);
  assert.equal((await preflight('/v1/docs/notes', PAGE, 'POST')).headers['access-control-allow-methods'], 'OPTIONS, GET, HEAD, POST');
  assert.equal((await preflight('/healthz', PAGE, 'GET')).headers['access-control-allow-methods'], 'OPTIONS, GET, HEAD');
});

test('a preflight needs no token, what follows it does', async () => {
  const answer = await preflight('/v1/docs/notes/a', PAGE, 'PUT', guarded);

  assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [204, PAGE]);
  const nobody = await ask('PUT', '/v1/docs/notes/a', { body: 'x', headers: { origin: PAGE } }, guarded);
  assert.deepEqual([nobody.status, nobody.headers['access-control-allow-origin']], [401, PAGE]);
  const ink = await ask('PUT', '/v1/docs/notes/a', { body: 'x', headers: { origin: PAGE, 'content-type': 'text/plain', ...bearer('the secret of ink') } }, guarded);
  assert.deepEqual([ink.status, ink.headers['access-control-allow-origin']], [201, PAGE]);
});

test('the name is not kept for the next request on a line', async () => {
  await ask('GET', '/healthz', { headers: { origin: PAGE } });
  assert.deepEqual(corsOf(await ask('GET', '/healthz')), []);
});

test('where nobody is named, nothing is said of origins', async () => {
  const answer = await ask('GET', '/v1/docs', { headers: { origin: PAGE } }, closed);

  assert.deepEqual([answer.status, corsOf(answer), vary(answer).includes('origin')], [200, [], false]);
  assert.deepEqual(corsOf(await preflight('/v1/docs', PAGE, 'GET', closed)), []);
});
