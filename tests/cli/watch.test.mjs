// pilcrow watch: live operations of a document, one a line, over whatever happens to the line.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { principal, tokenFile } from '../lib/tokens.mjs';
import { Wire } from '../lib/wire.mjs';

const TIMEOUT_MS = 15_000;
const server = await startServer({ after });
const at = port => ['--server', `http://127.0.0.1:${port}`];
const here = at(server.port);

// One that runs, and what it has said.
class Watch {
  constructor(t, args, { env } = {}) {
    this.out = '';
    this.err = '';
    this.waiting = [];
    this.child = spawn(pilcrow, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }));
    for (const [stream, name] of [['stdout', 'out'], ['stderr', 'err']])
      this.child[stream].setEncoding('utf8').on('data', text => {
        this[name] += text;
        for (const check of this.waiting.splice(0))
          check();
      });
    t.after(() => this.child.kill('SIGKILL'));
  }

  get lines() {
    return this.out.split('\n').slice(0, -1);
  }

  async until(holds, what) {
    const deadline = Date.now() + TIMEOUT_MS;

    while (!holds()) {
      assert(Date.now() < deadline, `${what} did not come; out: ${this.out} err: ${this.err}`);
      await new Promise(resolve => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.waiting.push(() => { clearTimeout(timer); resolve(); });
      });
    }
  }

  says(pattern) {
    return this.until(() => pattern.test(this.err), pattern);
  }

  shows(n) {
    return this.until(() => this.lines.length >= n, `line ${n}`);
  }
}

const document = (url, name) => `${url.replace(/\/$/, '')}/v1/docs/${name}`;

async function put(name, text, url = server.url) {
  const headers = { 'content-type': 'text/plain' };
  const created = await fetch(document(url, name), { method: 'PUT', body: text, headers: { ...headers, 'if-none-match': '*' } });

  if (created.status === 201)
    return;
  const { status } = await fetch(document(url, name), { method: 'PUT', body: text, headers: { ...headers, 'if-match': '*' } });
  assert.equal(status, 200);
}

test('a document that is not there is waited for; every operation is a line, as soon as it is made', async t => {
  const watch = new Watch(t, [...here, 'watch', 'w/new', '--count', '3']);

  await watch.says(/^pilcrow: there is no w\/new yet; waiting for it\n$/);
  await put('w/new', 'a');
  await watch.shows(1);
  await put('w/new', 'ab');
  await watch.shows(2);
  await fetch(document(server.url, 'w/new'), { method: 'DELETE' });
  assert.deepEqual(await watch.ended, { code: 0, signal: null });
  assert.match(watch.lines[0], /^0\t~\w+\tcreate \{"type":"http:\/\/sharejs.org\/types\/text-unicode","data":"a"\}$/);
  assert.match(watch.lines[1], /^1\t~\w+\t\[1,"b"\]$/);
  assert.match(watch.lines[2], /^2\t~\w+\tdelete$/);
  assert.equal(watch.lines.length, 3);
});

test('--json has the fields that HTTP has; without --from it begins with what comes, with it where it says', async t => {
  await put('w/fields', 'a');
  await put('w/fields', 'ab');
  const live = new Watch(t, [...here, 'watch', 'w/fields', '--json', '--count', '1']);
  const all = new Watch(t, [...here, 'watch', 'w/fields', '--json', '--from', '0', '--count', '3']);
  const late = new Watch(t, [...here, 'watch', 'w/fields', '--json', '--from', '2', '--count', '1']);

  await live.says(/from version 2\n/);
  await put('w/fields', 'abc');
  for (const watch of [live, all, late])
    assert.equal((await watch.ended).code, 0);
  const { ops } = await (await fetch(`${document(server.url, 'w/fields')}/ops`)).json();
  const wanted = ops.map(({ a, c, d, time, author, ...op }) => op);
  assert.deepEqual(all.lines.map(line => JSON.parse(line)), wanted);
  assert.deepEqual(live.lines, late.lines);
  assert.deepEqual(JSON.parse(live.lines[0]), wanted[2]);
});

test('operations of every type, and a large document', async t => {
  const wire = await Wire.open(server);

  await wire.shake();
  for (const [type, data, op] of [['json0', { n: 1 }, [{ p: ['n'], na: 1 }]], ['json1', {}, ['k', { i: 'é😀' }]],
    ['rich-text', { ops: [] }, { ops: [{ insert: 'x' }] }], ['text-unicode', 'x'.repeat(3_000_000), [5, 'y']]]) {
    await wire.submit('types', type, { v: 0, create: { type, data } });
    const watch = new Watch(t, [...here, 'watch', `types/${type}`, '--json', '--count', '1']);
    await watch.says(/from version 1\n/);
    await wire.submit('types', type, { v: 1, op });
    assert.equal((await watch.ended).code, 0);
    assert.deepEqual(JSON.parse(watch.out).op.ops ?? JSON.parse(watch.out).op, op.ops ?? op);
  }
  await wire.close();
});

test('a server that is killed or stopped and comes back: no gap, nothing twice', async t => {
  const own = await startServer(t);
  const watch = new Watch(t, [...at(own.port), 'watch', 'w/a', '--json']);
  let text = '';

  await watch.says(/waiting for it/);
  for (const [n, end] of ['kill', 'stop', 'kill'].entries()) {
    for (let i = 0; i < 5; i++)
      await put('w/a', text += 'x', own.url);
    await own[end]();
    await own.restart();
    for (let i = 0; i < 5; i++)
      await put('w/a', text += 'y', own.url);
    await watch.until(() => watch.err.split('the line is back').length === n + 2, 'the line');
  }
  await watch.shows(30);
  assert.match(watch.err, /the line is lost \(the server is going away\)/);
  assert.match(watch.err, /^pilcrow: there is no w\/a yet; waiting for it\n(pilcrow: the line is lost \([^)]+\); trying again\npilcrow: the line is back\n){3}$/);
  watch.child.kill('SIGTERM');
  assert.deepEqual(await watch.ended, { code: 0, signal: null });
  assert.deepEqual(watch.lines.map(line => JSON.parse(line).v), Array.from({ length: 30 }, (_, i) => i));
});

test('it ends with 0 when it is told to, and when nobody reads any more', async t => {
  await put('w/end', 'a');
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const watch = new Watch(t, [...here, 'watch', 'w/end']);
    await watch.says(/from version 1\n/);
    watch.child.kill(signal);
    assert.deepEqual(await watch.ended, { code: 0, signal: null });
  }
  const { code, stdout } = await run('bash', ['-c', 'set -o pipefail; "$0" "$@" | head -n 1', pilcrow, ...here, 'watch', 'w/end', '--from', '0']);
  assert.equal(code, 0);
  assert.match(stdout, /^0\t/);
});

test('the example that shows the client to programs in C', async t => {
  const follow = join(dirname(pilcrow), 'examples/follow');

  await put('w/example', 'text');
  const watch = new Watch(t, [...here, 'watch', 'w/example', '--count', '1']);
  await watch.says(/from version 1\n/);
  const { code, stdout } = await run(follow, [here[1], 'w', 'example', 'with words: é ']);
  assert.deepEqual([code, stdout], [0, 'text']);
  await watch.ended;
  assert.match(watch.out, /^1\t[\w-]+\t\["with words: é "\]\n$/);
});

test('over a unix socket', async t => {
  const path = join(temporaryDirectory(t), 'socket');

  await startServer(t, { args: ['--listen', `unix:${path}`] }).then(own => put('w/a', 'a', own.url));
  const { code, stdout } = await run(pilcrow, ['--server', `unix:${path}`, 'watch', 'w/a', '--from', '0', '--count', '1']);
  assert.equal(code, 0);
  assert.match(stdout, /^0\t/);
  assert.equal((await run(pilcrow, ['--server', `unix:${path}-not`, 'watch', 'w/a'])).code, 6);
});

test('over TLS, by a certificate that the system trusts, and by no other', async t => {
  const folder = temporaryDirectory(t);
  const [key, cert] = ['key', 'cert'].map(name => join(folder, name));

  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' });
  const proxy = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) });
  proxy.on('upgrade', (request, socket) => {
    const behind = connect(server.port, '127.0.0.1', () => {
      behind.write(`GET ${request.url} HTTP/1.1\r\n`);
      for (let i = 0; i < request.rawHeaders.length; i += 2)
        behind.write(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r\n`);
      behind.write('\r\n');
    });
    socket.on('error', () => {});
    behind.on('error', () => {});
    behind.pipe(socket).pipe(behind);
  });
  proxy.on('tlsClientError', () => {});
  proxy.listen(0);
  t.after(() => proxy.close());
  await once(proxy, 'listening');
  await put('w/tls', 'a');
  const args = ['--server', `https://localhost:${proxy.address().port}`, 'watch', 'w/tls', '--from', '0', '--count', '1'];
  const trusted = await run(pilcrow, args, { env: { SSL_CERT_FILE: cert } });
  assert.equal(trusted.code, 0, trusted.stderr);
  assert.match(trusted.stdout, /^0\t/);
  const foreign = await run(pilcrow, args);
  assert.equal(foreign.code, 6, foreign.stderr);
});

test('who may not is told so, and does not try again', async t => {
  for (const status of [401, 403]) {
    let n = 0;
    const own = createServer().on('upgrade', (request, socket) => {
      n++;
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    }).listen(0, '127.0.0.1');

    t.after(() => own.close());
    await once(own, 'listening');
    const { code, stderr } = await run(pilcrow, [...at(own.address().port), 'watch', 'w/a']);
    assert.equal(code, 5);
    assert.match(stderr, status === 401 ? /^pilcrow: this server wants a token; [^\n]+\n$/ : /^pilcrow: \S+ does not allow this\n$/);
    assert.equal(n, 1);
  }
});

test('with the token of one who may read, also after the server was restarted; not with a wrong one', async t => {
  const tokens = tokenFile(t, principal('ink', 'read', 'secret-of-ink'));
  const own = await startServer(t, { args: tokens.args });
  const [right, wrong] = ['secret-of-ink', 'guessed'].map(secret => {
    const path = join(temporaryDirectory(t), 'token');
    writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    return ['--token-file', path];
  });
  const watch = new Watch(t, [...at(own.port), ...right, 'watch', 'w/a']);

  await watch.says(/waiting for it/);
  await own.kill();
  await own.restart();
  await watch.says(/the line is back/);
  watch.child.kill('SIGTERM');
  assert.deepEqual(await watch.ended, { code: 0, signal: null });
  assert.match((await run(pilcrow, [...at(own.port), ...wrong, 'watch', 'w/a'])).stderr, /^pilcrow: this token is not valid at \S+\n$/);
});

test('a redirection is not followed: the token is for the server that was named', async t => {
  const token = join(temporaryDirectory(t), 'token');
  let n = 0;
  const other = createServer().on('upgrade', (request, socket) => {
    n++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const own = createServer().on('upgrade', (request, socket) => {
    socket.end(`HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${other.address().port}/v1/ws\r\nContent-Length: 0\r\n\r\n`);
  }).listen(0, '127.0.0.1');
  await once(own, 'listening');
  t.after(() => [own, other].forEach(one => one.close()));

  writeFileSync(token, 'secret\n', { mode: 0o600 });
  const { code, stderr } = await run(pilcrow, [...at(own.address().port), '--token-file', token, 'watch', 'w/a']);
  assert.equal(n, 0);
  assert.equal(code, 6);
  assert.match(stderr, /^pilcrow: \S+ answers 302\n$/);
});

test('what can not be watched, in one line', async () => {
  const rows = [
    [[...here, 'watch'], 2, /usage/], [[...here, 'watch', 'noslash'], 2, /COLLECTION\/ID/],
    [[...here, 'watch', 'w/a', '--from', '-1'], 2, /usage/], [[...here, 'watch', 'w/a', '--from', '1x'], 2, /usage/],
    [[...here, 'watch', 'w/a', '--count', '0'], 2, /usage/], [['--data', server.data, 'watch', 'w/a'], 2, /needs a server/],
    [['--server', 'ftp://x', 'watch', 'w/a'], 2, /is no server/], [['--server', 'http://127.0.0.1:1', 'watch', 'w/a'], 6, /does not answer/],
    [['--server', `http://127.0.0.1:${server.port}/elsewhere`, 'watch', 'w/a'], 6, /answers 404/],
    [[...here, 'watch', 'w/a', '--from', '7'], 1, /ERR_OP_VERSION_NEWER/], [[...here, 'watch', 'w/__proto__'], 1, /ERR_MESSAGE_BADLY_FORMED/],
  ];

  for (const [args, code, stderr] of rows) {
    const result = await run(pilcrow, args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, /^pilcrow: [^\n]+\n$/);
    assert.match(result.stderr, stderr);
  }
});
