// A web page from somewhere else can't reach a server on this machine.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';
import { house, put, served, visit } from './browser.mjs';

async function foreignPage(t, browser) {
  const other = createServer((request, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>elsewhere</title>'));

  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  return visit(t, browser, `http://127.0.0.1:${other.address().port}/`, { complaints: /CORS|403|Failed to load|favicon/ });
}

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
