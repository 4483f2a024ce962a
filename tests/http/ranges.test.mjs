// Parts of a document (RFC 9110, 14).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get, put } from './rest.mjs';

const path = '/v1/docs/ranges/text';
const content = '0123456789'.repeat(300);
await put(path, content);

test('a part, by its ends, from somewhere on, or the last of it', async () => {
  const { etag } = (await get(path)).headers;

  for (const [range, from, to] of [['bytes=0-0', 0, 1], ['bytes=5-14', 5, 15], ['bytes=2995-', 2995, 3000], ['bytes=-4', 2996, 3000],
    ['bytes=2990-99999', 2990, 3000], ['bytes=-99999', 0, 3000], ['bytes=0-', 0, 3000]]) {
    const answer = await get(path, { range });

    assert.deepEqual([answer.status, answer.text, answer.headers['content-range']], [206, content.slice(from, to), `bytes ${from}-${to - 1}/3000`], range);
    assert.deepEqual([answer.headers['content-length'], answer.headers.etag], [String(to - from), etag]);
  }
});

test('what lies behind the end is 416, and says how long it is', async () => {
  for (const range of ['bytes=3000-', 'bytes=99999-100000', 'bytes=-0']) {
    const answer = await get(path, { range });

    assert.deepEqual([answer.status, answer.code, answer.headers['content-range']], [416, 'ERR_RANGE_NOT_SATISFIABLE', 'bytes */3000'], range);
  }
  await put('/v1/docs/ranges/empty', '');
  assert.equal((await get('/v1/docs/ranges/empty', { range: 'bytes=0-' })).headers['content-range'], 'bytes */0');
});

test('several, other units, and what is none: the whole', async () => {
  for (const range of ['bytes=0-1,4-5', 'lines=0-1', 'bytes=5-4', 'bytes=-', 'bytes=a-b', 'bytes=1', '0-1', 'bytes=0-1x', 'bytes=99999999999999999999-']) {
    const answer = await get(path, { range });

    assert.deepEqual([answer.status, answer.text.length, answer.headers['accept-ranges']], [200, 3000, 'bytes'], range);
  }
});

test('If-Range: the part of what he has, else the whole', async () => {
  const { etag } = (await get(path)).headers;
  const status = async ifRange => (await get(path, { range: 'bytes=0-9', 'if-range': ifRange })).status;

  assert.equal(await status(etag), 206);
  for (const other of ['"v1-x"', `W/${etag}`, etag.slice(1, -1), 'Sat, 28 Nov 2026 12:00:00 GMT', '*']) assert.equal(await status(other), 200, other);
});

test('of HEAD and of a refusal there are no parts; 304 goes first', async () => {
  const head = await ask('HEAD', path, { headers: { range: 'bytes=0-9' } });

  assert.deepEqual([head.status, head.headers['content-length']], [200, '3000']);
  assert.equal((await get('/v1/docs/ranges/none', { range: 'bytes=0-1' })).status, 404);
  assert.equal((await get(path, { range: 'bytes=0-1', 'if-none-match': '*' })).status, 304);
});

test('it is a part of the text, whatever coding is taken; and of every form, now and then', async () => {
  const part = await get(path, { range: 'bytes=10-12', 'accept-encoding': 'gzip' });
  assert.deepEqual([part.status, part.text, part.headers['content-encoding']], [206, '012', undefined]);
  assert.equal((await get(path, { range: 'bytes=0-1', accept: 'application/json' })).text, '"0');
  assert.equal((await get(`${path}?version=1`, { range: 'bytes=1-2' })).text, '12');
});
