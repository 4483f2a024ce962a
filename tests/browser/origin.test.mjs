// A web page from somewhere else can't reach a server on this machine, unless it is named by --allow-origin.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';
import { house, put, served, visit } from './browser.mjs';

// Another server with one empty page; its origin.
async function elsewhere(t) {
  const other = createServer((request, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>elsewhere</title>'));

  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  return `http://127.0.0.1:${other.address().port}`;
}

const pageAt = (t, browser, origin) => visit(t, browser, `${origin}/`, { complaints: /CORS|40[34]|412|Failed to load|favicon/ });
const foreignPage = async (t, browser) => pageAt(t, browser, await elsewhere(t));

test('it opens no WebSocket', async t => {
  const { server, browser } = await house(t);
  const page = await foreignPage(t, browser);

  for (const path of ['/v1/ws', '/'])
    assert.equal(
      await page.evaluate(
        url =>
          new Promise(done => {
            const socket = new WebSocket(url);

            socket.onopen = () => done('open');
            socket.onerror = () => done('refused');
          }),
        `ws://127.0.0.1:${server.port}${path}`,
      ),
      'refused',
    );
});

test('it writes nothing and reads nothing over HTTP', async t => {
  const { server, browser } = await house(t);

  await put(server, 'notes/private', 'private');
  const page = await foreignPage(t, browser);
  const attempt = (path, options) =>
    page.evaluate(([url, options]) => fetch(url, options).then(answer => answer.text()).catch(() => ''), [`${server.url}/v1/docs/${path}`, options]);
  const text = { body: 'intruded', headers: { 'Content-Type': 'text/plain' } };

  for (const mode of ['cors', 'no-cors']) {
    await attempt('notes', { method: 'POST', mode, ...text });
    await attempt('notes/private', { method: 'POST', mode, ...text });
    assert.equal(await attempt('notes/private', { mode }), '');
  }
  await attempt('notes/intruded', { method: 'PUT', ...text });
  await attempt('notes/private', { method: 'PUT', body: 'intruded', headers: { 'Content-Type': 'text/plain', 'If-Match': '*' } });
  await attempt('notes/private', { method: 'DELETE' });
  assert.equal(await served(server, 'notes/private'), 'private');
  const list = await (await fetch(`${server.url}/v1/docs/notes`)).json();

  assert.deepEqual(list.documents.map(one => one.id), ['private']);
});

test('no page of another site can frame it', async t => {
  const { server, browser } = await house(t);
  const page = await foreignPage(t, browser);

  page.complaints.length = 0;
  await page.evaluate(url => {
    const frame = document.createElement('iframe');

    frame.src = url;
    document.body.append(frame);
  }, `${server.url}/d/notes/framed`);
  await page.waitForTimeout(1000);
  const frame = page.frames().find(one => one !== page.mainFrame());

  assert.equal(await frame.locator('#status').count(), 0);
  page.complaints.length = 0; // the browser says that it refused
});

// fetch() within a page; null: the browser did not let it see an answer.
const fetchFrom = (page, url, options) => page.evaluate(async ([url, options]) => {
  const answer = await fetch(url, options).catch(() => null);

  return answer && { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}, [url, options]);

test('a page that is named reads and writes with every method, and sees the headers; another one nothing', async t => {
  const origin = await elsewhere(t);
  const { server, browser } = await house(t, { server: { args: ['--allow-origin', origin] } });
  const named = await pageAt(t, browser, origin);
  const stranger = await foreignPage(t, browser);
  const ask = (method, path, { page = named, ...options } = {}) => fetchFrom(page, `${server.url}/v1/docs/${path}`, { method, ...options });
  const text = { 'Content-Type': 'text/plain', 'Pilcrow-Author': 'elsewhere' };
  const op = { 'Content-Type': 'application/vnd.pilcrow.op+json' };

  const made = await ask('PUT', 'notes/a', { body: 'one', headers: { ...text, 'If-None-Match': '*' } });
  assert.deepEqual([made.status, made.headers['pilcrow-version'], made.headers.location], [201, '1', '/v1/docs/notes/a']);
  const patched = await ask('PATCH', 'notes/a', { body: '{"v":1,"op":[3," two"]}', headers: { ...op, 'If-Match': made.headers.etag } });
  assert.deepEqual([patched.status, JSON.parse(patched.text)], [200, { v: 1 }]);
  const read = await ask('GET', 'notes/a', { headers: { 'If-None-Match': '"none"' } });
  assert.deepEqual([read.status, read.text, read.headers.etag, read.headers['pilcrow-version']], [200, 'one two', patched.headers.etag, '2']);
  assert.equal((await ask('PUT', 'notes/a', { body: 'x', headers: { ...text, 'If-Match': '"stale"' } })).status, 412);
  assert.equal(JSON.parse((await ask('GET', 'notes/none')).text).code, 'ERR_DOC_DOES_NOT_EXIST');
  assert.match((await ask('POST', 'notes', { body: 'x', headers: text })).headers.location, /^\/v1\/docs\/notes\//);
  assert.match((await ask('GET', 'notes?limit=1')).headers.link, /rel="next"/);

  assert.equal(await ask('GET', 'notes/a', { page: stranger }), null);
  assert.equal(await ask('DELETE', 'notes/a', { page: stranger }), null);
  assert.equal(await ask('PATCH', 'notes/a', { page: stranger, body: '{"v":2,"op":["no "]}', headers: op }), null);
  assert.equal(await served(server, 'notes/a'), 'one two');
  assert.equal((await ask('DELETE', 'notes/a')).status, 204);
});
