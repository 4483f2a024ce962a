// Long-polling: a request that waits for news of a document.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';
import { ask, get, put, server } from './rest.mjs';
import { Line, get as head, waiting } from './told.mjs';

const edit = (path, text) => put(path, text, { 'if-match': '*' });
const remove = (path, purge = '') => ask('DELETE', path + purge);

// What a request answers that waits until `done` has been done.
async function whileWaiting(asked, done) {
  const answer = asked();

  await Promise.race([waiting(server, 1), answer]); // an answer that comes too early fails the test, and does not hang it
  const written = await done();
  assert(written.status < 300, written.text);
  return answer;
}

test('fifty who wait for an operation are all told of it, in the same bytes', async () => {
  await put('/v1/docs/wait/many', 'x');
  const answers = Array.from({ length: 50 }, () => get('/v1/docs/wait/many/ops?from=1&wait=100'));
  await waiting(server, 50);
  await edit('/v1/docs/wait/many', 'x and y');

  for (const answer of await Promise.all(answers)) {
    assert.deepEqual([answer.status, answer.headers['pilcrow-version'], answer.headers['cache-control']], [200, '2', 'no-cache']);
    assert.equal(answer.text, (await answers[0]).text);
  }
  const page = (await answers[0]).json;
  assert.deepEqual(page, (await get('/v1/docs/wait/many/ops?from=1')).json);
  assert.deepEqual([page.from, page.to, page.head, page.ops.length, page.ops[0].v, page.ops[0].op], [1, 2, 2, 1, 1, [1, ' and y']]);
});

test('what is worth it comes in gzip to those who take it', async () => {
  await put('/v1/docs/wait/large', 'x');
  const asked = encoding => fetch(`${server.url}/v1/docs/wait/large/ops?from=1&wait=100`, { headers: { 'accept-encoding': encoding } });
  const answers = ['gzip', 'identity', 'gzip'].map(asked);
  await waiting(server, 3);
  await edit('/v1/docs/wait/large', 'large '.repeat(500));
  const given = await Promise.all(answers);
  assert.deepEqual(given.map(answer => answer.headers.get('content-encoding')), ['gzip', null, 'gzip']);
  for (const answer of given) {
    assert.match(answer.headers.get('vary'), /Accept-Encoding/);
    assert.equal((await answer.json()).ops[0].v, 1);
  }
});

test('operations that are there are answered at once', async () => {
  await put('/v1/docs/wait/there', 'x');
  const answer = await get('/v1/docs/wait/there/ops?from=0&wait=100');
  assert.deepEqual([answer.status, answer.json.ops.length], [200, 1]);
});

test('a time that is over: 204 of the log, 304 of a document, 404 of none', async () => {
  const { etag } = (await put('/v1/docs/wait/over', 'x')).headers;
  const [log, document, none, noLog] = await Promise.all([
    get('/v1/docs/wait/over/ops?from=1&wait=1'), get('/v1/docs/wait/over?wait=1', { 'if-none-match': etag }),
    get('/v1/docs/wait/none?wait=1'), get('/v1/docs/wait/none/ops?from=0&wait=1')]);

  assert.deepEqual([log.status, log.text, log.headers['pilcrow-version'], log.headers['content-length']], [204, '', '1', undefined]);
  assert.deepEqual([document.status, document.headers.etag, document.headers['pilcrow-version']], [304, etag, '1']);
  assert.deepEqual([none.status, none.code], [404, 'ERR_DOC_DOES_NOT_EXIST']);
  assert.deepEqual([noLog.status, noLog.code], [404, 'ERR_DOC_DOES_NOT_EXIST']);
});

test('a document is waited for while the client has what there is', async () => {
  const { etag } = (await put('/v1/docs/wait/changes', 'x')).headers;
  const answer = await whileWaiting(() => get('/v1/docs/wait/changes?wait=100', { 'if-none-match': etag }), () => edit('/v1/docs/wait/changes', 'y'));
  assert.deepEqual([answer.status, answer.text, answer.headers['pilcrow-version']], [200, 'y', '2']);

  for (const headers of [{ 'if-none-match': etag }, {}, { 'if-none-match': '"v1-other"' }])
    assert.equal((await get('/v1/docs/wait/changes?wait=100', headers)).text, 'y');
  assert.equal((await get('/v1/docs/wait/changes?version=1&wait=100')).text, 'x');
});

test('one that does not exist yet is waited for', async () => {
  const answer = await whileWaiting(() => get('/v1/docs/wait/later?wait=100'), () => put('/v1/docs/wait/later', 'here'));
  assert.deepEqual([answer.status, answer.text], [200, 'here']);
  const log = await whileWaiting(() => get('/v1/docs/wait/later2/ops?wait=100'), () => put('/v1/docs/wait/later2', 'here'));
  assert.equal(log.json.ops[0].create.data, 'here');
});

test('deletion is news, and so is what comes afterwards', async () => {
  const path = '/v1/docs/wait/deleted';
  const { etag } = (await put(path, 'x')).headers;
  const gone = await whileWaiting(() => get(`${path}?wait=100`, { 'if-none-match': etag }), () => remove(path));
  assert.deepEqual([gone.status, gone.headers['pilcrow-version']], [404, '2']);
  const back = await whileWaiting(() => get(`${path}?wait=100`, { 'if-none-match': etag }), () => put(path, 'again'));
  assert.equal(back.text, 'again');
  const log = await whileWaiting(() => get(`${path}/ops?from=3&wait=100`), () => remove(path));
  assert.equal(log.json.ops[0].del, true);
});

test('a purge is a deletion to those who wait; what is created later goes on above it', async () => {
  const path = '/v1/docs/wait/purged';
  const { etag } = (await put(path, 'x')).headers;
  const gone = await whileWaiting(() => get(`${path}?wait=100`, { 'if-none-match': etag }), () => remove(path, '?purge=true'));
  assert.equal(gone.status, 404);
  const log = await whileWaiting(() => get(`${path}/ops?from=2&wait=100`), () => put(path, 'new'));
  assert.deepEqual([log.json.from, log.json.ops[0].create.data], [2, 'new']);
  assert.equal((await get(`${path}/ops?from=1&wait=100`)).status, 410);
  await remove(path, '?purge=true');
  const begun = await whileWaiting(() => get(`${path}/ops?wait=100`), () => put(path, 'newer'));
  assert.deepEqual([begun.json.from, begun.json.ops[0].create.data], [4, 'newer']);
});

test('how long: as a parameter or a preference, which is confirmed; at most 120; no number is 400', async () => {
  const path = '/v1/docs/wait/long';
  await put(path, 'x');
  const told = prefer => whileWaiting(() => get(`${path}/ops?from=1`, { prefer }), () => edit(path, `${prefer}!`));
  const version = async () => (await get(path)).headers['pilcrow-version'];

  assert.equal((await told('respond-async, Wait = 90; foo')).headers['preference-applied'], 'wait=90');
  const answer = await whileWaiting(async () => get(`${path}/ops?from=${await version()}`, { prefer: 'wait=86400' }), () => edit(path, 'z'));
  assert.equal(answer.headers['preference-applied'], 'wait=120');
  const both = await whileWaiting(async () => get(`${path}/ops?from=${await version()}&wait=100`, { prefer: 'wait=0' }), () => edit(path, 'zz'));
  assert.equal(both.headers['preference-applied'], undefined);

  const empty = await get(`${path}/ops?from=${await version()}&wait=0`);
  assert.deepEqual([empty.status, empty.json.ops], [200, []]);
  for (const wait of ['', 'x', '-1', '1.5'])
    assert.deepEqual([(await get(`${path}/ops?wait=${wait}`)).status, (await get(`${path}?wait=${wait}`)).status], [400, 400], wait);
  assert.equal((await get(path, { prefer: 'wait=soon' })).status, 400);
});

test('a client who goes is noticed at once, and nothing of him is kept', async () => {
  await put('/v1/docs/wait/gone', 'x');
  const lines = Array.from({ length: 20 }, () => new Line(server).send(head('/v1/docs/wait/gone/ops?from=1&wait=100')));
  await waiting(server, 20);
  for (const line of lines.slice(10)) line.socket.resetAndDestroy();
  for (const line of lines.slice(0, 10)) line.socket.destroy();
  await waiting(server, 0);
});

test('who closes only his sending side is answered as when the time is over', async () => {
  await put('/v1/docs/wait/half', 'x');
  const half = new Line(server).send(head('/v1/docs/wait/half/ops?from=1&wait=100'));
  await waiting(server, 1);
  half.socket.end();
  await half.closed;
  assert.match(half.text, /^HTTP\/1\.1 204 /);

  const early = new Line(server);
  early.socket.end(head('/v1/docs/wait/half/ops?from=1&wait=100') + head('/v1/docs/wait/half'));
  await early.closed;
  assert.match(early.text, /^HTTP\/1\.1 204 [^]*HTTP\/1\.1 200 [^]*\r\n\r\nx$/);

  const late = new Line(server); // those whose turn comes when he sends no more have nobody to wait for either
  const poll = head('/v1/docs/wait/half/ops?from=1&wait=100');
  late.socket.end(poll + poll + head('/v1/docs/wait/half/stream'));
  await late.closed;
  assert.match(late.text, /^HTTP\/1\.1 204 [^]*HTTP\/1\.1 204 [^]*HTTP\/1\.1 200 [^]*text\/event-stream/);

  const whole = new Line(server); // an answer that comes bit by bit, and has an end
  whole.socket.end(head('/v1/backup'));
  await whole.closed;
  assert.match(whole.text.slice(-5), /^0\r\n\r\n$/);
});

test('requests behind one that waits wait their turn', async () => {
  await put('/v1/docs/wait/turn', 'x');
  const line = new Line(server).send(head('/v1/docs/wait/turn/ops?from=1&wait=100'));
  await waiting(server, 1);
  line.send(head('/healthz') + head('/v1/docs/wait/turn/ops?from=2&wait=100') + head('/v1/docs/wait/turn'));
  await get('/healthz');
  assert.equal(line.text, '');
  await edit('/v1/docs/wait/turn', 'xy');
  await line.has(/"from":1,[^]*HTTP\/1\.1 200 OK/);
  await waiting(server, 1);
  assert.equal(line.text.match(/HTTP\/1\.1 200/g).length, 2);
  await edit('/v1/docs/wait/turn', 'xyz');
  await line.has(/"from":2,[^]*\r\n\r\nxyz$/);
  line.socket.destroy();
});

test('a server that goes away answers who waits, at once', async t => {
  const own = await startServer(t);
  const { headers } = await fetch(`${own.url}/v1/docs/drain/a`, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: 'x' });
  const paths = [['/v1/docs/drain/a/ops?from=1&wait=100'], ['/v1/docs/drain/a?wait=100', `If-None-Match: ${headers.get('etag')}`], ['/v1/docs/drain/b?wait=100']];
  const lines = paths.map(path => new Line(own).send(head(...path)));
  await waiting(own, 3);
  const began = Date.now();
  assert.deepEqual(await own.stop(), { code: 0, signal: null });
  assert(Date.now() - began < 9000, 'and does not wait for them');
  assert.deepEqual(lines.map(line => line.text.match(/^HTTP\/1\.1 (\d+)/)[1]), ['204', '304', '404']);
  for (const line of lines) assert.match(line.text, /\r\nconnection: close\r\n/);
});

test('who may not read any more does not wait any more: 401', async t => {
  const [ink, paper] = [principal('ink', 'admin', 'the secret of ink'), principal('paper', 'read', 'the secret of paper')];
  const tokens = tokenFile(t, ink, paper);
  const own = await startServer(t, { args: tokens.args });
  const lines = ['ink', 'paper'].map(name => new Line(own).send(head('/v1/docs/kept/a?wait=100', `Authorization: Bearer the secret of ${name}`)));
  await waiting(own, 2, bearer('the secret of ink'));
  tokens.write(ink);
  await own.hangup(/tokens have been read again/);
  await lines[1].has(/^HTTP\/1\.1 401 /);
  await waiting(own, 1, bearer('the secret of ink'));
  assert.equal(lines[0].text, '');
  for (const line of lines) line.socket.destroy();
});
