// /metrics as Prometheus reads it, names of requests, and lines of the log.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startServer, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';
import { ask, get, put, server } from './rest.mjs';

// ---- figures ---------------------------------------------------------------------------------------------------------

// The text format, version 0.0.4, as strictly as promtool: { name: { type, samples: [{ labels, value }] } }.
function read(text) {
  const families = new Map();
  const seen = new Set();
  let family = null;

  assert(text.endsWith('\n'));
  for (const line of text.slice(0, -1).split('\n')) {
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (head?.[1] === 'HELP') {
      assert(!families.has(head[2]), `${head[2]} comes twice`);
      assert.match(head[3], /\.$/);
      families.set(head[2], (family = { name: head[2], type: null, samples: [] }));
    } else if (head) {
      assert.equal(head[2], family.name, 'TYPE stands behind its HELP');
      assert.equal(family.type, null);
      family.type = head[3];
      assert.match(family.type, /^(counter|gauge|histogram)$/);
    } else {
      const [, name, , labels = '', value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{((?:[a-z]+="[^"\\\n]*",?)+)\})? ([0-9.e+-]+)$/.exec(line) ?? assert.fail(line);
      const suffix = family.type === 'histogram' ? /^(_bucket|_sum|_count)$/ : /^$/;

      assert(name.startsWith(family.name) && suffix.test(name.slice(family.name.length)), `${name} stands under ${family.name}`);
      assert(!seen.has(`${name}{${labels}}`), line);
      seen.add(`${name}{${labels}}`);
      family.samples.push({ name, labels: Object.fromEntries([...labels.matchAll(/([a-z]+)="([^"]*)"/g)].map(m => [m[1], m[2]])), value: Number(value) });
    }
  }
  return families;
}

const figures = async (of = server) => read(await (await fetch(`${of.url}/metrics`)).text());
const one = (families, name, labels = {}) =>
  families.get(name).samples.find(sample => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value;

test('every figure says what it is, has a name by the rules, and none comes twice', async () => {
  const families = await figures();

  for (const { name, type, samples } of families.values()) {
    assert.match(name, /^pilcrow_[a-z_]+$/);
    assert.equal(type === 'counter', name.endsWith('_total'), name);
    assert.doesNotMatch(name, /_(ms|us|kb|mb|milliseconds|minutes)(_|$)/);
    assert(samples.length && samples.every(({ value }) => Number.isFinite(value) && value >= 0), name);
  }
});

test('histograms are cumulative, end with +Inf, and have a sum and a count', async () => {
  await put('/v1/docs/metrics/histogram', 'x');
  const histograms = [...(await figures()).values()].filter(({ type }) => type === 'histogram');

  assert.equal(histograms.length, 2);
  for (const { name, samples } of histograms) {
    const buckets = samples.filter(sample => sample.name === `${name}_bucket`);
    const of = suffix => samples.filter(sample => sample.name === `${name}${suffix}`);

    assert.equal(buckets.at(-1).labels.le, '+Inf');
    buckets.slice(1).forEach((bucket, i) => assert(bucket.value >= buckets[i].value && Number(bucket.labels.le.replace('+Inf', 'Infinity')) > Number(buckets[i].labels.le)));
    assert.deepEqual([of('_sum').length, of('_count').map(({ value }) => value)], [1, [buckets.at(-1).value]]);
    assert(buckets.at(-1).value > 0 && of('_sum')[0].value > 0, name);
  }
});

test('what happens is counted', async () => {
  const before = await figures();
  await put('/v1/docs/metrics/count', 'x'.repeat(10_000));
  await get('/v1/docs/metrics/count');
  await get('/v1/docs/metrics/none');
  const wire = await Wire.open(server);
  const grown = await figures();
  const by = (name, labels) => one(grown, name, labels) - (one(before, name, labels) ?? 0);

  assert.equal(by('pilcrow_http_requests_total', { method: 'PUT', status: '2xx' }), 1);
  assert.equal(by('pilcrow_http_requests_total', { method: 'GET', status: '2xx' }), 2, 'the document, and the figures before');
  assert.equal(by('pilcrow_http_requests_total', { method: 'GET', status: '4xx' }), 1);
  assert.equal(by('pilcrow_operations_committed_total'), 1);
  assert.equal(one(grown, 'pilcrow_commit_duration_seconds', { le: '+Inf' }), one(grown, 'pilcrow_operations_committed_total'));
  assert.equal(by('pilcrow_connections', { kind: 'websocket' }), 1);
  assert(by('pilcrow_received_bytes_total', { kind: 'http' }) > 10_000);
  assert(by('pilcrow_sent_bytes_total', { kind: 'http' }) > 10_000);
  assert(by('pilcrow_sent_bytes_total', { kind: 'websocket' }) > 0);
  assert(one(grown, 'pilcrow_process_resident_memory_bytes') > 1e6 && one(grown, 'pilcrow_process_open_fds') > 3);
  assert(Math.abs(one(grown, 'pilcrow_process_start_time_seconds') + one(grown, 'pilcrow_uptime_seconds') - Date.now() / 1000) < 60);
  assert(one(grown, 'pilcrow_store_max_bytes') >= one(grown, 'pilcrow_store_bytes'));
  await wire.close();
});

// ---- names -----------------------------------------------------------------------------------------------------------

test('every answer has a name of its own, and a problem says it', async () => {
  const names = new Set();

  for (const [method, path] of [['GET', '/'], ['GET', '/healthz'], ['GET', '/v1/docs'], ['GET', '/nothing'], ['PROPFIND', '/'], ['GET', '/v1/docs/a/none'], ['HEAD', '/v1/docs/a/none']]) {
    const answer = await ask(method, path);
    const name = answer.headers['pilcrow-request-id'];

    assert.match(name, /^[0-9a-z]{7}-[0-9a-z]+$/);
    names.add(name);
    if (answer.headers['content-type'] === 'application/problem+json' && method !== 'HEAD') {
      assert.equal(answer.json.request, name);
      assert.equal(Number(answer.headers['content-length']), Buffer.byteLength(answer.text));
    }
  }
  assert.equal(names.size, 7);
});

test('a request that can\'t be read has a name, too', async () => {
  const text = await new Promise(resolve => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
    let received = '';

    socket.on('data', data => (received += data)).on('close', () => resolve(received));
  });
  assert.equal(/pilcrow-request-id: (\S+)/.exec(text)[1], JSON.parse(text.split('\r\n\r\n')[1]).request);
});

test('a proxy of this machine may name it; what is no name is not taken', async () => {
  const named = async name => (await get('/v1/docs/a/none', { 'x-request-id': name })).json.request;

  assert.equal(await named('Proxy-1.a_b'), 'Proxy-1.a_b');
  for (const wrong of ['', 'a b', 'a"b', 'é', 'x'.repeat(65)]) assert.notEqual(await named(wrong), wrong);
});

// ---- lines -----------------------------------------------------------------------------------------------------------

const quiet = await startServer({ after }, { args: ['--log-format', 'json', '--max-store', '1M'] });
const loud = await startServer({ after }, { args: ['--log-format', 'json', '--log-level', 'debug'] });
const socketPath = join(temporaryDirectory({ after }), 'socket');
const plain = await startServer({ after }, { args: ['--log-level', 'debug', '--listen', `unix:${socketPath}`] });
const said = async (of, what) => {
  while (!what.test(of.output)) await once(of.child.stderr, 'data');
};
const linesOf = of => of.output.split('\n').filter(line => line.startsWith('{')).map(JSON.parse);

test('at level debug each request is a line, with what it was answered, and nothing of what was in it', async () => {
  const answer = await fetch(`${loud.url}/v1/docs/log/a%22b?access_token=secret&x=1`, { method: 'PUT', body: 'content', headers: { 'content-type': 'text/plain', authorization: 'Bearer secret' } });
  const name = answer.headers.get('pilcrow-request-id');
  await said(loud, new RegExp(name));
  const [line] = linesOf(loud).filter(({ request }) => request === name);

  assert.deepEqual({ ...line, time: '', us: 0 }, { time: '', level: 'debug', area: 'http', message: 'answered', request: name, method: 'PUT', path: '/v1/docs/log/a%22b', status: 201, bytes: line.bytes, us: 0 });
  assert(line.us > 0 && line.us < 60e6);
  assert.doesNotMatch(loud.output, /secret|content/);
});

test('at level info only what went wrong here', async () => {
  const large = await fetch(`${quiet.url}/v1/docs/log/large`, { method: 'PUT', body: randomBytes(2 << 20).toString('hex'), headers: { 'content-type': 'text/plain' } });
  const { request: name, status } = await large.json();

  assert.deepEqual([large.status, status], [507, 507]);
  assert.equal((await fetch(`${quiet.url}/v1/docs/log/none`)).status, 404);
  await quiet.stop();
  assert.deepEqual(linesOf(quiet).filter(({ area }) => area === 'http').map(line => [line.level, line.request, line.method, line.path, line.status]),
    [['info', name, 'PUT', '/v1/docs/log/large', 507]]);
});

test('as text it is the same, by a unix socket as well', async () => {
  const status = await new Promise((resolve, reject) => {
    request({ socketPath, path: '/v1/docs/log/none?x', headers: { 'x-request-id': 'from-nginx' } }, answer => resolve(answer.resume().statusCode)).on('error', reject).end();
  });

  assert.equal(status, 404);
  await said(plain, /from-nginx/);
  assert.match(plain.output, /^\S+ debug {3}http: answered request=from-nginx method=GET path=\/v1\/docs\/log\/none status=404 bytes=\d+ us=\d+$/m);
});

