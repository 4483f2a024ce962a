// Thousands who wait cost memory only, and little; one write tells them all; going away gives everything back.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { cpuSeconds, residentBytes, startServer } from '../lib/server.mjs';

const N = process.env.PILCROW_LONG ? 5000 : 2000;
const MAX_BYTES = 10 * 1024; // of the server's memory, each
const address = '/v1/docs/crowd/a';

// What a browser sends, about.
const head = (server, path) => [
  `GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${server.port}`, 'Connection: keep-alive', 'sec-ch-ua-platform: "Linux"',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"', 'sec-ch-ua-mobile: ?0', 'Accept: */*', 'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty', `Referer: http://127.0.0.1:${server.port}/`, 'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-US,en;q=0.9', '', ''].join('\r\n');

const write = (server, text, condition) =>
  fetch(server.url + address, { method: 'PUT', headers: { 'content-type': 'text/plain', ...condition }, body: text });

async function figure(server, name) {
  const line = (await (await fetch(`${server.url}/metrics`)).text()).match(new RegExp(`^${name} (\\d+)$`, 'm'));
  return Number(line[1]);
}

async function until(holds) {
  while (!await holds()) await new Promise(resolve => setTimeout(resolve, 20));
}

class Waiter {
  constructor(server, path) {
    this.text = '';
    this.socket = connect(server.port, '127.0.0.1', () => this.socket.write(head(server, path)));
    this.socket.setEncoding('latin1').on('data', data => {
      this.text += data;
      this.wanted?.();
    });
  }

  async has(pattern) {
    while (!pattern.test(this.text)) await new Promise(resolve => (this.wanted = resolve));
  }
}

// path: where they wait. gauge: how many do, by the server. news: what each is told of the next write, up to its end.
async function crowd(t, path, gauge, news) {
  const server = await startServer(t);
  const waiters = [];

  await write(server, 'first');
  const quiet = await residentBytes(server.pid);
  while (waiters.length < N) {
    const some = Array.from({ length: 500 }, () => new Waiter(server, path));
    await Promise.all(some.map(waiter => once(waiter.socket, 'connect')));
    waiters.push(...some);
  }
  await until(async () => await figure(server, gauge) === N);
  const bytes = (await residentBytes(server.pid) - quiet) / N;

  const before = await cpuSeconds(server.pid);
  await write(server, 'news', { 'if-match': '*' });
  await Promise.all(waiters.map(waiter => waiter.has(news)));
  t.diagnostic(`${N} waiters, ${Math.round(bytes)} bytes each; told within ${(await cpuSeconds(server.pid) - before).toFixed(2)} s of processor`);
  const heard = new Set(waiters.map(waiter => waiter.text.slice(waiter.text.search(news))));
  assert.equal(heard.size, 1);

  for (const waiter of waiters) waiter.socket.destroy();
  await until(async () => await figure(server, 'pilcrow_documents_idle') === await figure(server, 'pilcrow_documents_open'));
  assert.equal(await figure(server, gauge), 0);
  assert(bytes <= MAX_BYTES, `${bytes} bytes each`);
}

test(`${N} streams of events`, t => crowd(t, `${address}/stream`, 'pilcrow_http_streams', /event: op\n[^]*\n\n/));

test(`${N} long-polls of the log`, t => crowd(t, `${address}/ops?from=1&wait=100`, 'pilcrow_http_waiting', /\{"from":[^]*\}\n$/));
