// Types that a server's settings switch off: no new documents of them; those that are there stay in use.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { JSON0, TEXT, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });

test('a type that is switched off can not be created, but goes on being edited', async () => {
  const before = await Wire.open(server);

  await before.submit('notes', 'old', { v: null, create: { type: JSON0, data: { n: 1 } } });
  await server.stop();
  server.args = ['--disable-type', 'json0,json1'];
  await server.restart();
  const wire = await Wire.open(server);

  for (const type of [JSON0, 'json0', 'json1']) {
    const reply = await wire.submit('notes', 'new', { v: null, create: { type } });

    assert.equal(reply.error.code, 'ERR_DOC_TYPE_NOT_RECOGNIZED');
  }
  assert.deepEqual((await wire.fetch('notes', 'new')).data, { v: 0, type: null });
  assert.equal((await wire.submit('notes', 'new', { v: null, create: { type: TEXT, data: 'x' } })).error, undefined);
  assert.equal((await wire.submit('notes', 'old', { v: 1, op: [{ p: ['n'], na: 1 }] })).error, undefined);
  assert.deepEqual((await wire.fetch('notes', 'old')).data, { v: 2, data: { n: 2 } });
});

test('over HTTP, too', async () => {
  const response = await fetch(`${server.url}/v1/docs/notes/http`,
    { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' });

  assert.equal(response.status >= 400 && response.status < 500, true);
  assert.equal((await response.json()).code, 'ERR_DOC_TYPE_NOT_RECOGNIZED');
});
