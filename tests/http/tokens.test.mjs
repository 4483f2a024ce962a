// Who may: tokens and rights over HTTP, and the file that says so.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrowd, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { check } from './contract.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';

const INK = 'the secret of ink';
const PAPER = 'the secret of paper';
const RULER = 'the secret of ruler';
const tokens = tokenFile({ after }, principal('ink', 'write', INK), principal('paper', 'read', PAPER), principal('ruler', 'admin', RULER));
const server = await startServer({ after }, { args: [...tokens.args, '--log-level', 'debug'] });

const OP = 'application/vnd.pilcrow.op+json';
const READING = [['GET', '/v1/me'], ['GET', '/v1/docs'], ['GET', '/v1/docs/notes'], ['GET', '/v1/docs/notes/a'], ['HEAD', '/v1/docs/notes/a'],
  ['GET', '/v1/docs/notes/a?version=1'], ['GET', '/v1/docs/notes/a/ops'], ['GET', '/metrics']];
const WRITING = [['POST', '/v1/docs/notes', 'x'], ['PUT', '/v1/docs/notes/a', 'x'], ['PATCH', '/v1/docs/notes/a', '{"v":1,"op":["y"]}', OP],
  ['POST', '/v1/docs/notes/a/ops', '{"v":1,"op":["y"]}', 'application/json'], ['DELETE', '/v1/docs/notes/a']];
const ELSEWHERE = [['GET', '/v1'], ['GET', '/v1/nothing'], ['DELETE', '/v1/docs'], ['GET', '/v1/docs/notes/__proto__'], ['PUT', '/v1/docs/notes/a/b/c/d/e', 'x']];

async function ask(method, path, { token, body, type = 'text/plain', headers = {} } = {}, at = server) {
  const response = await fetch(at.url + path, {
    method, body, headers: { ...(body === undefined ? {} : { 'content-type': type }), ...(token === undefined ? {} : bearer(token)), ...headers },
  });
  const text = await response.text();

  check(method, path, { status: response.status, headers: Object.fromEntries(response.headers), text });
  return { status: response.status, headers: response.headers, text, get json() { return JSON.parse(text); } };
}

function assertRefused(answer, status, challenge, method) {
  assert.equal(answer.status, status);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.headers.get('www-authenticate'), challenge);
  if (method !== 'HEAD')
    assert.deepEqual([answer.json.status, answer.json.code], [status, 'ERR_NOT_ALLOWED']);
}

assert.equal((await ask('PUT', '/v1/docs/notes/a', { token: INK, body: 'kept' })).status, 201);

test('without a token: 401 for everything under /v1, before anything else is looked at', async () => {
  for (const [method, path, body, type] of [...READING, ...WRITING, ...ELSEWHERE])
    assertRefused(await ask(method, path, { body, type }), 401, 'Bearer realm="pilcrow"', method);
  assertRefused(await ask('GET', '/v1/docs', { headers: { authorization: 'Basic aW5rOmluaw==' } }), 401, 'Bearer realm="pilcrow"');
});

test('with a token that is nobody\'s: 401, and it says so', async () => {
  for (const [method, path, body, type] of [...READING, ...WRITING, ...ELSEWHERE])
    for (const token of ['wrong', `${INK}x`])
      assertRefused(await ask(method, path, { token, body, type }), 401, 'Bearer realm="pilcrow", error="invalid_token"', method);
});

test('a reader reads and is refused to write: 403; nothing has changed', async () => {
  for (const [method, path] of READING)
    assert.equal((await ask(method, path, { token: PAPER })).status, 200, `${method} ${path}`);
  for (const [method, path, body, type] of WRITING)
    assertRefused(await ask(method, path, { token: PAPER, body, type }), 403, 'Bearer realm="pilcrow", error="insufficient_scope", scope="write"');
  assert.equal((await ask('GET', '/v1/docs/notes/a', { token: PAPER })).text, 'kept');
  assert.equal((await ask('GET', '/v1/docs/notes', { token: PAPER })).json.documents.length, 1);
});

// The table of routes, as the server has it: a new one is tried here without anybody's thinking of it.
const ROUTES = [...readFileSync(new URL('../../src/api/rest.c', import.meta.url), 'utf8')
  .matchAll(/^ {4}\{ "(?<method>[A-Z]+)", +"(?<path>[^"]+)", +RIGHT_(?<needs>[A-Z]+), +&\w+ \},$/gm)]
  .map(({ groups: { method, path, needs } }) => ({ method, path: path.replace('*/*', 'notes/a').replace('*', 'notes'), needs: needs.toLowerCase() }));
const ADMIN = ['/v1/store', '/v1/compact', '/v1/backup', '/v1/logs'];
const HOLDERS = { read: PAPER, write: INK };

test('every route wants the right that it should, and refuses whoever has a lesser one', async () => {
  assert.ok(ROUTES.length >= 20 && ADMIN.every(path => ROUTES.some(route => route.path === path)), 'the table is not where it was');
  for (const { method, path, needs } of ROUTES) {
    const body = method === 'GET' ? undefined : '';
    const should = ['/healthz', '/readyz', '/openapi.json'].includes(path) ? 'none'
      : ADMIN.includes(path) ? 'admin' : method === 'GET' ? 'read' : 'write';

    assert.equal(needs, should, `${method} ${path}`);
    for (const given of ['read', 'write'].slice(0, { none: 0, read: 0, write: 1, admin: 2 }[needs]))
      assertRefused(await ask(method, path, { token: HOLDERS[given], body }), 403,
        `Bearer realm="pilcrow", error="insufficient_scope", scope="${needs}"`, method);
    if (needs !== 'none')
      assertRefused(await ask(method, path, { body }), 401, 'Bearer realm="pilcrow"', method);
  }
  assertRefused(await ask('DELETE', '/v1/docs/notes/a?purge=true', { token: INK }), 403,
    'Bearer realm="pilcrow", error="insufficient_scope", scope="admin"', 'DELETE');
  assert.equal((await ask('GET', '/v1/docs/notes/a', { token: PAPER })).text, 'kept');
});

test('who may write reads and writes, whoever else may not', async () => {
  for (const token of [INK, RULER]) {
    const path = `/v1/docs/mine/${token.slice(-3)}`;

    assert.equal((await ask('PUT', path, { token, body: 'x' })).status, 201);
    assert.equal((await ask('PATCH', path, { token, body: '{"v":1,"op":["y"]}', type: OP })).status, 200);
    assert.equal((await ask('GET', path, { token })).text, 'yx');
    assert.equal((await ask('DELETE', path, { token })).status, 204);
  }
});

test('open to everybody: health, pages, OPTIONS; also with a token that is nobody\'s', async () => {
  for (const token of [undefined, 'wrong']) {
    for (const path of ['/healthz', '/readyz', '/', '/d/notes/a'])
      assert.equal((await ask('GET', path, { token })).status, 200, path);
    const options = await ask('OPTIONS', '/v1/docs/notes/a', { token });
    assert.equal(options.status, 204);
    assert.match(options.headers.get('allow'), /PATCH/);
    assert.equal((await ask('GET', '/nothing', { token })).status, 404);
  }
});

test('/v1/me says who is asking', async () => {
  assert.deepEqual((await ask('GET', '/v1/me', { token: INK })).json, { principal: 'ink', rights: ['read', 'write'] });
  assert.deepEqual((await ask('GET', '/v1/me', { token: PAPER })).json, { principal: 'paper', rights: ['read'] });
  assert.deepEqual((await ask('GET', '/v1/me', { token: RULER })).json, { principal: 'ruler', rights: ['read', 'write', 'admin'] });
  assert.equal((await ask('GET', '/v1/me', { token: INK })).headers.get('cache-control'), 'no-store');
});

test('the name of the scheme is any case; a token in the address is no token', async () => {
  assert.equal((await ask('GET', '/v1/me', { headers: { authorization: `bearer ${INK}` } })).status, 200);
  assert.equal((await ask('GET', `/v1/me?access_token=${encodeURIComponent(INK)}`)).status, 401);
});

test('the author is the principal, whatever label is sent', async () => {
  const headers = { 'pilcrow-author': 'paper' };

  await ask('PUT', '/v1/docs/notes/authors', { token: INK, body: 'x', headers });
  await ask('PATCH', '/v1/docs/notes/authors', { token: RULER, body: '{"v":1,"op":["y"]}', type: OP, headers });
  const { ops } = (await ask('GET', '/v1/docs/notes/authors/ops', { token: PAPER })).json;
  assert.deepEqual(ops.map(op => op.author), ['ink', 'ruler']);
});

test('the same src of two principals is two sources', async () => {
  const submit = token => ask('PATCH', '/v1/docs/notes/sources', { token, body: '{"v":1,"op":["y"],"src":"me","seq":1}', type: OP });

  await ask('PUT', '/v1/docs/notes/sources', { token: INK, body: '' });
  assert.deepEqual((await submit(INK)).json, { v: 1 });
  assert.deepEqual((await submit(INK)).json, { v: 1 });
  assert.deepEqual((await submit(RULER)).json, { v: 2 });
  assert.equal((await ask('GET', '/v1/docs/notes/sources', { token: INK })).text, 'yy');
});

test('what a principal has read is not kept by a cache that others use', async () => {
  const past = await ask('GET', '/v1/docs/notes/a?version=1', { token: PAPER });

  assert.match(past.headers.get('cache-control'), /^private, .*immutable/);
});

test('the body of nobody is not waited for', async () => {
  for (const [path, status] of [['/v1/docs/notes/large', 401], ['/healthz', 405]]) {
    const socket = connect(server.port, '127.0.0.1');
    let text = '';

    socket.write(`PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 50000000\r\n\r\nsome`);
    for await (const piece of socket) text += piece;
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} [^]*connection: close`));
  }
});

test('/metrics counts the tokens that were nobody\'s', async () => {
  const count = async () => Number((await ask('GET', '/metrics', { token: PAPER })).text.match(/^pilcrow_tokens_refused_total (\d+)$/m)[1]);
  const before = await count();

  await ask('GET', '/v1/me', { token: 'wrong' });
  await ask('GET', '/v1/me');
  assert.equal(await count(), before + 1);
});

test('guesses do not fill the log, and no secret is in it', async () => {
  const began = Date.now();
  const from = server.output.length;

  await Promise.all(Array.from({ length: 300 }, (_, i) => ask('GET', '/v1/docs', { token: `guess ${i}` })));
  const lines = server.output.slice(from).split('\n').filter(line => line.includes("nobody's"));
  assert(lines.length <= 1 + Math.ceil((Date.now() - began) / 1000), lines.join('\n'));
  assert.match(server.output, /warning +auth: refused tokens that are nobody's: \d+\n/);
  for (const secret of [INK, PAPER, RULER, 'guess', 'wrong'])
    assert(!server.output.includes(secret));
});

test('without --tokens everybody is anyone, tokens are not looked at, and labels count', async t => {
  const open = await startServer(t);

  assert.deepEqual((await ask('GET', '/v1/me', { token: 'whatever' }, open)).json, { principal: 'anyone', rights: ['read', 'write', 'admin'] });
  await ask('PUT', '/v1/docs/notes/a', { body: 'x', headers: { 'pilcrow-author': 'somebody' } }, open);
  assert.equal((await ask('GET', '/v1/docs/notes/a/ops', {}, open)).json.ops[0].author, 'somebody');
  assert.match((await ask('GET', '/v1/docs/notes/a?version=1', {}, open)).headers.get('cache-control'), /^public/);
});

test('with --tokens the server may be reached from elsewhere', async t => {
  const { args } = tokenFile(t, principal('ink', 'write', INK));
  const wide = await startServer(t, { args: [...args, '--listen', '0.0.0.0:0'] });

  assert.match(wide.output, /http:\/\/0\.0\.0\.0:\d+\//);
});

test('SIGHUP: each request is judged by the file as it is; a broken file changes nothing', async t => {
  const file = tokenFile(t, principal('ink', 'write', INK));
  const own = await startServer(t, { args: file.args });
  const status = token => ask('GET', '/v1/me', { token }, own).then(answer => answer.status);

  assert.deepEqual([await status(INK), await status(PAPER)], [200, 401]);
  file.write(principal('paper', 'read', PAPER));
  assert.deepEqual([await status(INK), await status(PAPER)], [200, 401]);
  await own.hangup(/the tokens have been read again/);
  assert.deepEqual([await status(INK), await status(PAPER)], [401, 200]);
  writeFileSync(file.path, '{"principals": [{"name": "ink"}]}');
  await own.hangup(/error .*the tokens stay as they are: .*tokens\.json: principal 1: rights/);
  assert.deepEqual([await status(INK), await status(PAPER)], [401, 200]);
});

test('a token file that is wrong: the server says where, and does not start', async t => {
  const folder = temporaryDirectory(t);
  const path = join(folder, 'tokens.json');

  for (const [text, mode, complaint] of [
    ['{"principals": [\n', 0o600, /line \d/],
    ['{"principals": [{"name": "anyone", "rights": ["read"], "secrets": []}]}', 0o600, /principal 1: .*anyone/],
    ['{"principals": [{"name": "ink", "rights": ["rule"], "secrets": []}]}', 0o600, /principal 1: .*'admin'/],
    ['{"principals": []}', 0o602, /everybody may write/],
  ]) {
    writeFileSync(path, text);
    chmodSync(path, mode);
    for (const more of [[], ['--check-config']]) {
      const { code, stderr } = await run(pilcrowd, ['--data', join(folder, 'data'), '--listen', '127.0.0.1:0', '--tokens', path, ...more]);
      assert.equal(code, 2);
      assert.match(stderr, /^pilcrowd: [^\n]*tokens\.json: [^\n]+\n$/);
      assert.match(stderr, complaint);
    }
  }
  assert.equal((await run(pilcrowd, ['--tokens', join(folder, 'none'), '--check-config'])).code, 2);
  assert.equal((await run(pilcrowd, ['--check-config'], { env: { PILCROW_TOKENS: join(folder, 'none') } })).code, 2);
  assert.equal((await run(pilcrowd, ['--help'], { env: { PILCROW_TOKENS: join(folder, 'none') } })).code, 0);
});

test('SIGHUP: who loses his token while he is sending a body is refused at its end', async t => {
  const file = tokenFile(t, principal('ink', 'write', INK), principal('ruler', 'admin', RULER));
  const own = await startServer(t, { args: file.args });
  const socket = connect(own.port, '127.0.0.1');
  let said = '';
  const hears = async pattern => {
    while (!pattern.test(said))
      said += await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject));
    return pattern.exec(said)[1];
  };

  socket.write(`PUT /v1/docs/notes/a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${INK}\r\n` +
    'Content-Type: text/plain\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n');
  assert.equal(await hears(/^HTTP\/1\.1 (\d+) .*\r\n\r\n/), '100');
  file.write(principal('ruler', 'admin', RULER));
  await own.hangup(/the tokens have been read again/);
  socket.write('x');
  assert.equal(await hears(/\r\n\r\nHTTP\/1\.1 (\d+) /), '401');
  socket.destroy();
  assert.equal((await ask('GET', '/v1/docs/notes/a', { token: RULER }, own)).status, 404);
});
