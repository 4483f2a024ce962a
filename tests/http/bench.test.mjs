// What the figures of ./dev bench lean on: that its followers notice what is told wrongly, and that its pictures are readable.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { join } from 'node:path';
import { chart } from '../bench/chart.mjs';
import { root, run, startServer } from '../lib/server.mjs';
import { WebSocketServer } from '../lib/wire.mjs';

const followers = process.env.PILCROW_FOLLOWERS ?? join(root, 'build/tests/bench/followers');

// A server that speaks as much of the protocol as they need, and sends what tamper makes of each operation, if anything.
async function liar(t, tamper) {
  const subscribers = new Set();
  const http = createServer();
  let text = '';

  new WebSocketServer({ server: http }).on('connection', socket => {
    const say = frame => socket.send(JSON.stringify(frame));

    say({ a: 'init', protocol: 1, protocolMinor: 2, id: 'x', type: 'http://sharejs.org/types/JSONv0' });
    socket.on('message', data => {
      const { a, c, d, v, seq, create, op } = JSON.parse(data);

      if (a === 'hs') say({ a: 'hs', protocol: 1, protocolMinor: 2, id: 'x' });
      if (a === 's') subscribers.add(say), say({ a: 's', c, d, data: { v: 1, data: text } });
      if (a !== 'op') return;
      text = create?.data ?? text;
      say({ a, c, d, v: v ?? 0, src: 'x', seq });
      const frame = tamper({ a, c, d, v, src: 'x', seq, op });
      for (const subscriber of subscribers) if (frame) subscriber(frame);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => (http.close(), http.closeAllConnections()));
  return { port: http.address().port, pid: process.pid };
}

const follow = (way, { port, pid }, ...args) => run(followers, [way, 20, port, pid, '--writing', 1, '--pause', 0.1, ...args].map(String));

describe('followers', { concurrency: true }, () => {
  for (const way of ['polling', 'long-polling', 'events', 'websocket']) {
    test(`${way}: each of the followers is told every version`, async t => {
      const { stdout, stderr } = await follow(way, await startServer(t), '--interval', 0.2);
      const { writing, told, latency_ms: latency } = JSON.parse(stdout || 'null') ?? assert.fail(stderr);

      assert(writing.writes >= 6 && writing.writes <= 20, stdout);
      assert.equal(told, 20 * writing.writes);
      assert.equal(latency.n, told);
    });
  }

  for (const [what, tamper, complaint] of [
    ['lost', frame => (frame.v === 3 ? null : frame), /was told version 5 after 3: one is lost/],
    ['told twice', frame => (frame.v === 3 ? { ...frame, op: [`${frame.op[0]}${frame.op[0]}`] } : frame), /was told version 4 after 4/],
    ['changed', frame => (frame.v === 3 ? { ...frame, op: [frame.op[0].replace(/\d;/, n => `${(parseInt(n) + 1) % 10};`)] } : frame), /something else as version 4/],
    ['not told at the end', () => null, /as the newest, and not/],
  ]) {
    test(`a version that is ${what} is noticed`, async t => {
      const { code, stdout, stderr } = await follow('websocket', await liar(t, tamper), '--interval', 0, '--patience', 1);

      assert.equal(code, 1, stdout);
      assert.match(stderr, complaint);
    });
  }
});

test('a picture has a bar for what is not 0, and a label within it for everything', () => {
  const svg = chart({
    title: 'a < b',
    panels: [{
      title: 'time',
      series: ['one', 'two'],
      format: value => `${value} ms`,
      groups: [
        { name: 'none', bars: [{ value: 0 }, { value: 0.001 }] },
        { name: 'a long name for what took long', bars: [{ value: 1e6, upTo: 9e6, label: 'a label that is longer than all the others' }, { value: 10 }] },
      ],
    }],
  });
  const [, width] = svg.match(/viewBox="0 0 (\d+) /);
  const rects = [...svg.matchAll(/<rect x="[\d.]+" y="\d+" width="([\d.]+)" height="13"/g)].map(([, width]) => Number(width));
  const texts = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*text-anchor="start">([^<]*)</g)].map(([, x, y, words]) => ({ x: Number(x), y, words }));
  const ticks = [...svg.matchAll(/<text x="([\d.]+)"[^>]*class="tick"[^>]*>([^<]*)</g)].map(([, x, words]) => ({ x: Number(x), words }));

  assert.match(svg, /<title>a &lt; b<\/title>/);
  assert.equal(rects.length, 3);
  assert(rects.every(width => width > 0));
  assert(rects[1] > rects[2] && rects[2] > rects[0]);
  for (const label of ['0 ms', '0.001 ms', 'a label that is longer than all the others', '10 ms']) {
    const { x, words } = texts.find(({ words }) => words === label) ?? assert.fail(label);
    assert(x + 6.5 * words.length <= Number(width), label);
  }
  assert(ticks.length >= 2);
  for (const [i, { x, words }] of ticks.slice(1).entries()) assert(x - ticks[i].x > (6 * (words.length + ticks[i].words.length)) / 2);
});
