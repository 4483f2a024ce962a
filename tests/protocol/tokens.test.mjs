// Who may: tokens and rights on the WebSocket.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { Client, promised } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';
import { Wire } from '../lib/wire.mjs';

const INK = 'the secret of ink';
const PAPER = 'the secret of paper';
const PEN = 'the secret of pen';
const PRINCIPALS = [principal('ink', 'read write', INK), principal('pen', 'write', PEN), principal('paper', 'read', PAPER)];
const server = await startServer({ after }, { args: tokenFile({ after }, ...PRINCIPALS).args });

const open = (token, at = server) => Wire.open(at, { headers: bearer(token) });
const withToken = (at, token) => ({ webSocketUrl: `${at.webSocketUrl}?access_token=${encodeURIComponent(token)}` });
const authors = async (path, at = server) =>
  (await (await fetch(`${at.url}/v1/docs/${path}/ops`, { headers: bearer(INK) })).json()).ops.map(op => op.author);

// A handshake is answered 401, with this challenge.
async function assertRefused(options, challenge) {
  await assert.rejects(Wire.open(server, options), error => error.status === 401 && error.headers['www-authenticate'] === challenge);
}

test('no WebSocket without a token, or with one that is nobody\'s: 401', async () => {
  const missing = 'Bearer realm="pilcrow"';
  const invalid = 'Bearer realm="pilcrow", error="invalid_token"';

  for (const path of ['/v1/ws', '/']) {
    for (const headers of [{}, { authorization: `Basic ${INK}` }, { authorization: 'Bearer' }])
      await assertRefused({ path, headers }, missing);
    for (const headers of [bearer('wrong'), bearer(`${INK}x`), bearer(INK.slice(0, -1))])
      await assertRefused({ path, headers }, invalid);
    for (const query of ['access_token=', `token=${INK.replaceAll(' ', '+')}`, `access_token=${'x'.repeat(5000)}`])
      await assertRefused({ path: `${path}?${query}` }, missing);
    await assertRefused({ path: `${path}?access_token=wrong` }, invalid);
  }
});

test('the token comes in the header, or as a parameter from a page', async () => {
  for (const options of [{ headers: bearer(INK) }, { path: `/v1/ws?access_token=${encodeURIComponent(INK)}` },
    { path: `/?name=label&access_token=${INK.replaceAll(' ', '+')}` }]) {
    const wire = await Wire.open(server, options);

    assert.equal((await wire.fetch('tokens', 'nobody')).data.v, 0);
    await wire.close();
  }
});

test('a reader follows and shows himself; his operations are refused, his line stays', async () => {
  const ink = await open(INK);
  const paper = await open(PAPER);

  await ink.createText('tokens', 'read', 'x');
  assert.equal((await paper.ask({ a: 's', c: 'tokens', d: 'read', v: null })).data.data, 'x');
  for (const fields of [{ v: 1, op: ['y'] }, { v: 1, del: true }]) {
    const { error } = await paper.submit('tokens', 'read', fields);
    assert.equal(error.code, 'ERR_NOT_ALLOWED');
  }
  assert.equal((await paper.submit('tokens', 'new', { v: null, create: { type: 'text-unicode' } })).error.code, 'ERR_NOT_ALLOWED');
  await ink.submit('tokens', 'read', { v: 1, op: ['z'] });
  assert.deepEqual((await paper.take(frame => frame.a === 'op', 'the operation')).op, ['z']);
  assert.equal((await paper.ask({ a: 'p', ch: 'room', id: 'p1', p: { at: 1 }, pv: 0 })).error, undefined);
  await paper.nothingMore();
  assert.equal((await ink.log('tokens', 'read')).length, 2);
  assert.equal((await ink.fetch('tokens', 'new')).data.type, null);
});

test('the npm client of a reader takes back what was refused, and goes on', async t => {
  const ink = new Client(withToken(server, INK));
  const paper = new Client(withToken(server, PAPER));
  t.after(() => [ink, paper].forEach(client => client.close()));
  const written = await ink.open('tokens', 'client', 'x');
  const read = await paper.open('tokens', 'client');

  paper.errors.length = 0;
  await assert.rejects(promised(done => read.submitOp(['y'], done)), { code: 'ERR_NOT_ALLOWED' });
  assert.equal(read.data, 'x');
  const arrives = new Promise(resolve => read.once('op', resolve));
  await promised(done => written.submitOp(['z'], done));
  await arrives;
  assert.equal(read.data, 'zx');
  assert.equal(paper.nCuts, 0);
});

test('an id is its principal\'s: nobody else comes back as it, or submits under it', async () => {
  const ink = await open(INK);
  const { id } = await ink.shake();
  await ink.createText('tokens', 'ids', '');
  await ink.cut();

  const pen = await open(PEN);
  assert.notEqual((await pen.shake(id)).id, id);
  assert.equal((await pen.submit('tokens', 'ids', { v: 1, op: ['x'], src: id })).error.code, 'ERR_OP_SRC_NOT_OWNED');

  const again = await open(INK);
  assert.equal((await again.shake(id)).id, id);
  assert.equal((await again.submit('tokens', 'ids', { v: 1, op: ['x'], src: id })).src, id);
});

test('the author is the principal; the label of the address is for servers without tokens', async t => {
  const labelled = await Wire.open(server, { path: '/v1/ws?name=paper', headers: bearer(INK) });
  await labelled.createText('tokens', 'author', '');
  const pen = await open(PEN);
  await pen.submit('tokens', 'author', { v: 1, op: ['x'] });
  assert.deepEqual(await authors('tokens/author'), ['ink', 'pen']);

  const free = await startServer(t);
  await (await Wire.open(free, { path: '/v1/ws?name=some%20one' })).createText('tokens', 'author', '');
  await (await Wire.open(free, { path: '/v1/ws' })).submit('tokens', 'author', { v: 1, op: ['x'] });
  assert.deepEqual(await authors('tokens/author', free), ['some one', 'anyone']);
});

test('SIGHUP: who has lost his token or a right is closed with 1008, who has not goes on', async t => {
  const file = tokenFile(t, ...PRINCIPALS);
  const own = await startServer(t, { args: file.args });
  const [ink, pen, paper] = await Promise.all([INK, PEN, PAPER].map(token => open(token, own)));

  file.write(principal('ink', 'write', INK), principal('pen', 'read', PEN));
  await own.hangup(/the tokens have been read again/);
  assert.equal((await pen.closed).code, 1008);
  assert.equal((await paper.closed).code, 1008);
  await ink.createText('tokens', 'stays', 'x');
  await ink.nothingMore();

  await assert.rejects(open(PAPER, own), { status: 401 });
  const again = await open(PEN, own);
  assert.equal((await again.fetch('tokens', 'stays')).data.data, 'x');
  assert.equal((await again.submit('tokens', 'stays', { v: 1, op: ['y'] })).error.code, 'ERR_NOT_ALLOWED');
});

test('SIGHUP: what a line that is closed had shown is taken back', async t => {
  const file = tokenFile(t, ...PRINCIPALS);
  const own = await startServer(t, { args: file.args });
  const [ink, paper] = await Promise.all([INK, PAPER].map(token => open(token, own)));

  await ink.ask({ a: 'ps', ch: 'room', seq: 1 });
  await paper.ask({ a: 'p', ch: 'room', id: 'p1', p: { at: 1 }, pv: 0 });
  assert.deepEqual((await ink.next()).p, { at: 1 });
  file.write(principal('ink', 'read write', INK));
  await own.hangup(/the tokens have been read again/);
  assert.equal((await ink.next()).p, null);
});

test('SIGHUP: a secret is changed while its principal works; his ids stay his', async t => {
  const NEW = 'the new secret of ink';
  const file = tokenFile(t, ...PRINCIPALS);
  const own = await startServer(t, { args: file.args });
  const before = await open(INK, own);
  const { id } = await before.shake();

  file.write(principal('ink', 'read write', INK, NEW));
  await own.hangup(/the tokens have been read again/);
  await before.createText('tokens', 'rotated', '');
  file.write(principal('ink', 'read write', NEW));
  await own.hangup(/the tokens have been read again/);
  assert.equal((await before.closed).code, 1008);
  await assert.rejects(open(INK, own), { status: 401 });
  const again = await open(NEW, own);
  assert.equal((await again.shake(id)).id, id);
  assert.equal((await again.submit('tokens', 'rotated', { v: 1, op: ['x'], src: id })).src, id);
});

test('SIGHUP: a broken file changes nothing', async t => {
  const file = tokenFile(t, ...PRINCIPALS);
  const own = await startServer(t, { args: file.args });
  const ink = await open(INK, own);

  writeFileSync(file.path, '{"principals": [');
  await own.hangup(/error .*the tokens stay as they are: .*tokens\.json: line 1/);
  await ink.createText('tokens', 'stays', '');
  await (await open(PAPER, own)).close();
});
