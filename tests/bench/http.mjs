// How many snapshots a CPU-second of the server answers, beside nginx with a file of the same bytes: in the same run, in
// turns, each with one process on loopback, with the same wrk.
//
//   node tests/bench/http.mjs [SECONDS] [ROUNDS]      of each row and server: 1, 5
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { cpuSeconds, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const seconds = Number(process.argv[2] ?? 1);
const nRounds = Number(process.argv[3] ?? 5);
const BYTES = 10_000;
const CONNECTIONS = 64;
const PATH = '/v1/docs/bench/text';

const ends = [];
const t = { after: end => ends.unshift(end) };

// ---- the two servers -------------------------------------------------------------------------------------------------

const prose = Array.from({ length: 4000 }, (_, i) => ['a', 'line', 'of', 'ordinary', 'words', `${i * 7919 % 1000}`][i % 6]).join(' ');
const text = prose.slice(0, BYTES);
assert.equal(Buffer.byteLength(text), BYTES);

async function startPilcrow() {
  const server = await startServer(t);
  const answer = await fetch(server.url + PATH, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: text });

  assert.equal(answer.status, 201);
  return { name: 'pilcrowd', port: server.port, pid: server.pid };
}

async function freePort() {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  await new Promise(resolve => taken.close(resolve));
  return port;
}

// As it is fastest here: it remembers open files; so small a file is read and written faster than sent with sendfile.
const nginxConfiguration = (folder, port) => `
  daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr;
  events { worker_connections 1024; }
  http {
    access_log off; sendfile off; keepalive_requests 1000000000; keepalive_timeout 3600;
    open_file_cache max=100 inactive=3600s; default_type text/plain; gzip_static on; gzip_vary on;
    client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
    uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
    server { listen 127.0.0.1:${port}; root ${folder}/root; }
  }`;

async function startNginx() {
  const folder = temporaryDirectory(t);
  const file = join(folder, 'root', PATH);
  const port = await freePort();

  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  writeFileSync(`${file}.gz`, gzipSync(text, { level: 1 })); // as much as we do for a text that changes
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration(folder, port));
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] });

  t.after(() => child.kill());
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}${PATH}`).catch(() => null);
    if (answer?.status === 200)
      return { name: 'nginx', port, pid: child.pid };
    assert.equal(child.exitCode, null);
    await sleep(20);
  }
}

// ---- that both say the same ------------------------------------------------------------------------------------------

async function get(server, headers) {
  const call = request({ host: '127.0.0.1', port: server.port, path: PATH, headers });

  call.end();
  const [answer] = await once(call, 'response');
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(await answer.toArray()) };
}

const rows = [
  {
    name: 'GET',
    headers: async () => ({}),
    check: answer => assert.deepEqual([answer.status, answer.body.toString()], [200, text]),
  },
  {
    name: 'GET, 304',
    headers: async server => ({ 'if-none-match': (await get(server, {})).headers.etag }),
    check: answer => assert.deepEqual([answer.status, answer.body.length], [304, 0]),
  },
  {
    name: 'GET, gzip',
    headers: async () => ({ 'accept-encoding': 'gzip' }),
    check(answer) {
      assert.deepEqual([answer.status, answer.headers['content-encoding']], [200, 'gzip']);
      assert.equal(gunzipSync(answer.body).toString(), text);
    },
  },
];

// ---- measuring -------------------------------------------------------------------------------------------------------

async function measure(server, row) {
  const headers = await row.headers(server);
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);

  row.check(await get(server, headers));
  const before = await cpuSeconds(server.pid);
  const { code, stdout } = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, ...lines, `http://127.0.0.1:${server.port}${PATH}`],
    { timeoutMs: (seconds + 20) * 1000 });
  const cpu = await cpuSeconds(server.pid) - before;
  row.check(await get(server, headers));

  assert(code === 0 && !/Non-2xx|Socket errors/.test(stdout), stdout);
  return Number(stdout.match(/(\d+) requests in/)[1]) / cpu;
}

const median = numbers => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const thousands = number => `${(number / 1000).toFixed(1)} k`.padStart(9);

async function measureAll() {
  try {
    const servers = [await startPilcrow(), await startNginx()];
    const rates = new Map(rows.map(row => [row, servers.map(() => [])]));

    for (let round = 0; round < nRounds; round++)
      for (const row of rows)
        for (const [i, server] of servers.entries())
          rates.get(row)[i].push(await measure(server, row));
    return rates;
  } finally {
    for (const end of ends)
      await end();
  }
}

const rates = await measureAll();

console.log(`${BYTES} bytes, ${CONNECTIONS} connections, ${nRounds} rounds of ${seconds} s; answers for a CPU-second of the server (medians)\n`);
console.log('             pilcrowd     nginx    ratio (of each round)');
for (const [row, [ours, theirs]] of rates) {
  const ratios = ours.map((rate, i) => rate / theirs[i]);
  console.log(`${row.name.padEnd(11)}${thousands(median(ours))} ${thousands(median(theirs))}  ${(100 * median(ratios)).toFixed(0).padStart(4)} %  ` +
    `(${(100 * Math.min(...ratios)).toFixed(0)} to ${(100 * Math.max(...ratios)).toFixed(0)})`);
}
