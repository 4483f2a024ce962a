// Behind nginx as examples/nginx/pilcrow.conf has it: TLS and HTTP/2, below a path, to a unix socket.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { makeAuthority } from '../lib/certificates.mjs';
import { startNginx } from '../lib/nginx.mjs';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';
import { agreed, goToLine, isSaved, launch, put, shown, until, visit } from './browser.mjs';

const authority = makeAuthority({ after });
const { ca } = authority;
const socket = join(temporaryDirectory({ after }), 'socket');
const server = await startServer({ after }, { args: ['--listen', `unix:${socket}`, '--base-path', '/pilcrow'] });
const proxy = await startNginx({ after }, { ...authority.issue('proxy'), socket });
const TEXT = { 'content-type': 'text/plain' };

// One HTTP/2 connection.
async function line(t) {
  const session = connect(proxy.origin, { ca });

  t.after(() => session.destroy());
  await once(session, 'connect');
  return session;
}

// Begins a request on it; its answer is { status, headers, body, text() }, of which text() reads the body.
async function begin(session, method, path, { headers = {}, body } = {}) {
  const stream = session.request({ ':method': method, ':path': path, ...headers });

  stream.end(body);
  const [answer] = await once(stream, 'response');

  return { status: answer[':status'], headers: answer, body: stream, text: async () => Buffer.concat(await stream.toArray()).toString() };
}

async function ask(...request) {
  const answer = await begin(...request);

  return { ...answer, text: await answer.text() };
}

test('many requests at once on one HTTP/2 connection, each answered when it is ready', async t => {
  const session = await line(t);
  const large = 'large '.repeat(400_000);
  const paths = Array.from({ length: 20 }, (_, i) => `/pilcrow/v1/docs/many/${i}`);

  assert.equal(session.alpnProtocol, 'h2');
  assert.equal((await ask(session, 'PUT', '/pilcrow/v1/docs/notes/large', { headers: TEXT, body: large })).status, 201);
  const first = await begin(session, 'GET', '/pilcrow/v1/docs/notes/large'); // of which nobody reads the body yet

  await Promise.all(paths.map(path => ask(session, 'PUT', path, { headers: TEXT, body: path })));
  assert.deepEqual((await Promise.all(paths.map(path => ask(session, 'GET', path)))).map(answer => answer.text), paths);
  assert.equal(await first.text(), large);
});

test('requests that wait, and news, beside others on the same connection', async t => {
  const session = await line(t);
  const path = '/pilcrow/v1/docs/notes/told';
  const write = body => ask(session, 'PUT', path, { headers: { ...TEXT, 'if-match': '*' }, body });

  await put(server, 'notes/told', 'one');
  const stream = await begin(session, 'GET', `${path}/stream`);
  const waiting = ask(session, 'GET', `${path}/ops?from=1&wait=60`);
  let told = '';

  stream.body.setEncoding('utf8').on('data', piece => (told += piece));
  await until(() => told.includes('event: snapshot'), 'the stream has begun');
  assert.equal((await ask(session, 'GET', path)).text, 'one'); // meanwhile
  await write('one, two');
  const { status, text } = await waiting;

  assert.deepEqual([status, JSON.parse(text).ops[0].op], [200, [3, ', two']]);
  await until(() => told.includes('[3,", two"]'), 'the stream tells of it');
});

test('addresses arrive as they were sent, and those in answers lead back', async t => {
  const session = await line(t);
  const path = '/pilcrow/v1/docs/notes/a%2Fb%20c';
  const created = await ask(session, 'PUT', path, { headers: TEXT, body: 'named' });

  assert.deepEqual([created.status, created.headers.location], [201, path]);
  assert.equal((await ask(session, 'GET', path)).text, 'named');
  const bare = await ask(session, 'GET', '/pilcrow');

  assert.deepEqual([bare.status, bare.headers.location], [301, '/pilcrow/']);
  assert.equal((await ask(session, 'GET', '/pilcrow/healthz')).text, 'ok\n');
  assert.equal((await ask(session, 'GET', '/v1/docs')).status, 404);
});

test('the command-line tool, asking and following', async () => {
  const tool = (...words) => run(pilcrow, ['--server', proxy.url, '--cacert', authority.file, ...words]);

  await put(server, 'notes/tool', 'by nginx');
  assert.equal((await tool('cat', 'notes/tool')).stdout, 'by nginx');
  assert.match((await tool('watch', 'notes/tool', '--from', '0', '--count', '1')).stdout, /by nginx/);
});

test('pages of the same host may write, others not; no token is in the log', async () => {
  const open = Origin => Wire.open(proxy, { ca, path: '/v1/ws?access_token=secret', headers: { Origin } });

  await (await open(proxy.origin)).close();
  await assert.rejects(open('https://localhost'), { status: 403 });
  await assert.rejects(open('https://evil.example'), { status: 403 });
  await until(() => /"GET \/pilcrow\/v1\/ws HTTP\/1.1" 403/.test(proxy.accessLog()), 'a line in the log');
  assert.doesNotMatch(proxy.accessLog() + proxy.log(), /secret/);
});

test('two people write in a document, while nginx is reloaded under them', async t => {
  const browser = await launch();
  const open = () => visit(t, browser, `${proxy.url}/d/notes/both`, { ignoreHTTPSErrors: true });

  await put(server, 'notes/both', 'one:\n\ntwo:\n');
  const pages = [await open(), await open()];
  const [one, two] = pages;

  await Promise.all(pages.map(isSaved));
  const loaded = await one.evaluate(() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map(({ name, nextHopProtocol }) => [new URL(name).pathname, nextHopProtocol]));

  assert(loaded.length > 4);
  for (const [path, protocol] of loaded) assert.deepEqual([path.startsWith('/pilcrow/'), protocol], [true, 'h2'], path);

  await goToLine(one, 1);
  await one.keyboard.type(' before');
  await until(async () => (await shown(two)).startsWith('one: before'), 'the other page shows it');

  const words = who => Array.from({ length: 20 }, (_, i) => ` ${who}${i}`).join('');

  await goToLine(two, 3);
  await Promise.all([
    one.keyboard.type(words('a'), { delay: 15 }),
    two.keyboard.type(words('b'), { delay: 15 }),
    proxy.reload(),
  ]);
  assert.equal(await agreed(server, 'notes/both', one, two), `one: before${words('a')}\n\ntwo:${words('b')}\n`);
});
