// Server-Sent Events of a document.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, seedOf } from '../lib/random.mjs';
import { startServer } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';
import { ask, get, opsOf, put, server, SNAPSHOT } from './rest.mjs';
import { figure, follow, get as head, Line, streaming } from './told.mjs';

const edit = (path, text) => put(path, text, { 'if-match': '*' });
const remove = (path, purge = '') => ask('DELETE', path + purge);
const submit = (path, body) => ask('POST', `${path}/ops`, { headers: { 'content-type': 'application/json' }, body });

test('a snapshot first, then operations as the log has them, with the version that each leads to', async () => {
  const path = '/v1/docs/told/a';
  await put(path, 'x');
  const stream = await follow(server, `${path}/stream`);
  assert.deepEqual([stream.status, stream.headers['content-type'], stream.headers['cache-control'], stream.headers['x-accel-buffering']],
    [200, 'text/event-stream', 'no-store', 'no']);
  assert.deepEqual(await stream.next(), { event: 'snapshot', id: 1, data: (await get(path, { accept: SNAPSHOT })).json });
  await edit(path, 'x y');
  await edit(path, 'x y z');
  const ops = await opsOf(path);
  assert.deepEqual(await stream.next(), { event: 'op', id: 2, data: ops[1] });
  assert.deepEqual(await stream.next(), { event: 'op', id: 3, data: ops[2] });
  stream.close();
  await streaming(server, 0);
});

test('from a version on: by a parameter, or by the header of a client who comes back, which goes first', async () => {
  const path = '/v1/docs/told/after';
  await put(path, '0');
  for (const text of ['1', '2', '3']) await edit(path, text);
  const first = async (query, headers) => {
    const stream = await follow(server, `${path}/stream${query}`, headers);
    const event = await stream.next();
    stream.close();
    return [event.event, event.id];
  };

  assert.deepEqual(await first('?after=0'), ['op', 1]);
  assert.deepEqual(await first('?after=2'), ['op', 3]);
  assert.deepEqual(await first('?after=0', { 'last-event-id': '3' }), ['op', 4]);
  for (const [query, headers] of [['?after=x', {}], ['?after=', {}], ['', { 'last-event-id': 'x' }], ['?snapshots=yes', {}]])
    assert.equal((await get(`${path}/stream${query}`, headers)).status, 400, query);
});

test('no line ends within the data, whatever the document holds and however an operation is written', async () => {
  const path = '/v1/docs/told/lines';
  await put(path, 'one\r\ntwo\n\n');
  const stream = await follow(server, `${path}/stream`);
  assert.equal((await stream.next()).data.data, 'one\r\ntwo\n\n');
  assert.equal((await submit(path, '{"v":\n1,\r\n"op"\r:[ 3,\n"\\n\\n\\u2028" ]\n}\n')).status, 200);
  assert.deepEqual((await stream.next()).data.op, [3, '\n\n\u2028']);
  stream.close();
});

test('a document that is not there yet, is deleted and comes back', async () => {
  const path = '/v1/docs/told/later';
  const stream = await follow(server, `${path}/stream`);
  assert.deepEqual(await stream.next(), { event: 'snapshot', id: 0,
    data: { collection: 'told', id: 'later', type: null, version: 0, data: null, created: null, modified: null } });
  await put(path, 'here');
  await remove(path);
  await put(path, 'again');
  await remove(path, '?purge=true');
  await put(path, 'new');
  const events = [];
  while (events.length < 5) events.push(await stream.next());
  assert.deepEqual(events.map(({ id, data }) => [id, data.create?.data ?? data.del]), [[1, 'here'], [2, true], [3, 'again'], [4, true], [5, 'new']]);
  stream.close();
});

test('what is not kept, or not come to yet: a reset and a snapshot, then on as ever', async () => {
  const path = '/v1/docs/told/reset';
  await put(path, 'x');
  await remove(path, '?purge=true');
  await put(path, 'y');
  for (const after of [1, 77]) {
    const stream = await follow(server, `${path}/stream`, { 'last-event-id': `${after}` });
    assert.deepEqual(await stream.next(), { event: 'reset', id: undefined, data: { after } });
    const { event, id, data } = await stream.next();
    await edit(path, `${data.data}!`);
    assert.deepEqual([event, (await stream.next()).id], ['snapshot', id + 1]);
    stream.close();
  }
});

test('?snapshots=true: the content after every change, or after several', async () => {
  const path = '/v1/docs/told/snapshots';
  await put(path, '0');
  const stream = await follow(server, `${path}/stream?snapshots=true`);
  const seen = [];
  const writing = (async () => {
    for (let i = 1; i <= 200; i++) assert.equal((await edit(path, `${i}`)).status, 200);
  })();

  for (let event; event?.data.data !== '200'; seen.push(event)) {
    event = await stream.next();
    assert.deepEqual([event.event, event.id, event.data.version, event.data.data], ['snapshot', event.id, event.id, `${event.id - 1}`]);
  }
  await writing;
  assert.deepEqual(seen.map(event => event.id), [...new Set(seen.map(event => event.id))].sort((a, b) => a - b));
  assert(seen.length < 200, `${seen.length} for 200 changes`);
  await remove(path);
  assert.deepEqual((await stream.next()).data, { collection: 'told', id: 'snapshots', type: null, version: 202, data: null, created: null, modified: null });
  stream.close();

  const back = await follow(server, `${path}/stream?snapshots=true`, { 'last-event-id': '202' });
  await put(path, 'new');
  assert.equal((await back.next()).data.data, 'new'); // and nothing that he has
  back.close();
});

test('HEAD: the header fields of a stream; HTTP/1.0: no chunks, and the end is the end of the line', async () => {
  const answer = await ask('HEAD', '/v1/docs/told/head/stream');
  assert.deepEqual([answer.status, answer.headers['content-type'], answer.text], [200, 'text/event-stream', '']);

  const line = new Line(server).send(head('/v1/docs/told/old/stream').replace('HTTP/1.1', 'HTTP/1.0'));
  await line.has(/\r\nconnection: close\r\n\r\nevent: snapshot\nid: 0\ndata: .*\n\n$/);
  assert.doesNotMatch(line.text, /chunked|content-length/);
  await put('/v1/docs/told/old', 'x');
  await line.has(/\n\nevent: op\nid: 1\ndata: .*\n\n$/);
  line.socket.end();
  await line.closed;
  await streaming(server, 0);
});

test('cut again and again while four are writing, he has every operation once and in order', async t => {
  const random = new Random(seedOf(t));
  const path = '/v1/docs/told/resume';
  const n = 200;
  await put(path, '');
  const writers = [0, 1, 2, 3].map(async writer => {
    for (let i = 0; i < n / 4; i++)
      assert.equal((await submit(path, JSON.stringify({ v: 1, op: [`${writer}`], src: `w${writer}`, seq: i + 1 }))).status, 200);
  });

  const seen = [];
  let id = 1;
  while (id < n + 1) {
    const stream = await follow(server, `${path}/stream`, { 'last-event-id': `${id}` });
    for (let left = random.between(1, 20); left && id < n + 1; left--) {
      const event = await stream.next();
      seen.push(event.data);
      id = event.id;
    }
    stream.close();
  }
  await Promise.all(writers);
  assert.deepEqual(seen, (await opsOf(path)).slice(1));
});

test('who was away for long reads at his own pace, and loses nothing', async () => {
  const path = '/v1/docs/told/long';
  await put(path, '');
  for (let i = 0; i < 40; i++)
    await Promise.all(Array.from({ length: 10 }, () => submit(path, JSON.stringify({ v: 1, op: ['x'.repeat(8000)] }))));
  const stream = await follow(server, `${path}/stream?after=0`);
  for (let id = 1; id <= 401; id++) {
    const event = await stream.next();
    assert.equal(event.id, id);
    if (id === 200) await edit(path, 'and short again');
  }
  assert.equal((await stream.next()).id, 402);
  stream.close();
});

test('a client who does not read is cut, and goes on where he was when he comes back', async t => {
  const own = await startServer(t, { args: ['--max-queue', '64K'] });
  const path = '/v1/docs/told/slow';
  const write = text => fetch(own.url + path, { method: 'PUT', headers: { 'content-type': 'text/plain', 'if-match': '*' }, body: text });
  await fetch(own.url + path, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: '' });
  const line = new Line(own);
  line.send(head(`${path}/stream`));
  await line.has(/event: snapshot/);
  line.socket.pause();
  let version = 1;
  while (await figure(own, 'pilcrow_http_streams')) {
    await write(`${version}`.repeat(200_000));
    version++;
  }
  assert.equal(await figure(own, 'pilcrow_limit_hits_total{limit="queue"}'), 1);
  line.socket.resume();
  await line.closed;
  const ids = [...line.text.matchAll(/^id: (\d+)\ndata: .*$/gm)].map(match => Number(match[1]));
  const stream = await follow(own, `${path}/stream`, { 'last-event-id': `${Math.max(...ids) - 1}` });
  for (let id = Math.max(...ids); id <= version; id++) assert.equal((await stream.next()).id, id);
  stream.close();
});

test('a server that goes away says so, and is not held up', async t => {
  const own = await startServer(t);
  const streams = await Promise.all(['?after=0', '', '?snapshots=true'].map(query => follow(own, `/v1/docs/told/drain/stream${query}`)));
  for (const stream of streams.slice(1)) assert.equal((await stream.next()).event, 'snapshot');
  const began = Date.now();
  assert.deepEqual(await own.stop(), { code: 0, signal: null });
  assert(Date.now() - began < 9000);
  for (const stream of streams) {
    assert.deepEqual(await stream.next(), { event: 'goaway', id: undefined, data: {} });
    assert.deepEqual(await stream.next(), { ended: 'end' });
  }
});

test('who may not read any more is told nothing any more', async t => {
  const [ink, paper] = [principal('ink', 'admin', 'the secret of ink'), principal('paper', 'read', 'the secret of paper')];
  const tokens = tokenFile(t, ink, paper);
  const own = await startServer(t, { args: tokens.args });
  const [mine, his] = await Promise.all(['ink', 'paper'].map(name => follow(own, '/v1/docs/told/a/stream', bearer(`the secret of ${name}`))));
  assert.equal((await follow(own, '/v1/docs/told/a/stream')).status, 401);
  for (const stream of [mine, his]) assert.equal((await stream.next()).event, 'snapshot');
  tokens.write(ink);
  await own.hangup(/tokens have been read again/);
  assert.deepEqual(await his.next(), { ended: 'cut' });
  await streaming(own, 1, bearer('the secret of ink'));
  mine.close();
});
