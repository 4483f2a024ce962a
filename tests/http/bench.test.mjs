// What the figures of ./dev bench lean on: that its clients notice what is told wrongly, and that its pictures are readable.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { join } from 'node:path';
import { chart } from '../bench/chart.mjs';
import { root, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { WebSocketServer } from '../lib/wire.mjs';

const followers = process.env.PILCROW_FOLLOWERS ?? join(root, 'build/tests/bench/followers');
const echo = process.env.PILCROW_ECHO ?? join(root, 'build/tests/bench/echo');
const protocolLoad = process.env.PILCROW_PROTOCOL_LOAD ?? join(root, 'build/tests/bench/protocol_load');

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

// A server for protocol_load that keeps the order of all operations, and says of it what tamper makes of each word: `streamed`
// and `acknowledged` get a frame and answer the frames to send instead, `fetched` gets the text and answers another.
async function keeper(t, tamper) {
  const says = new Set();
  const http = createServer();
  const pieces = [];
  const { streamed = frame => [frame], acknowledged = frame => [frame], fetched = text => text } = tamper;

  new WebSocketServer({ server: http }).on('connection', socket => {
    const say = frame => socket.send(JSON.stringify(frame));

    say({ a: 'init', protocol: 1, protocolMinor: 2, id: 'x', type: 'http://sharejs.org/types/JSONv0' });
    socket.on('message', data => {
      const { a, c, d, seq, op } = JSON.parse(data);
      const snapshot = () => ({ v: 1 + pieces.length, data: fetched([...pieces].reverse().join('')) });

      if (a === 'hs') say({ a: 'hs', protocol: 1, protocolMinor: 2, id: 'x' });
      if (a === 's') says.add(say), say({ a, c, d, data: { v: 1, data: '' } });
      if (a === 'f') say({ a, c, d, data: snapshot() });
      if (a !== 'op') return;
      const v = op ? pieces.push(op[0]) : 0;
      for (const other of says) if (other !== say) for (const frame of streamed({ a, c, d, v, src: 'x', seq, op })) other(frame);
      for (const frame of acknowledged({ a, c, d, v, src: 'x', seq })) say(frame);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => (http.close(), http.closeAllConnections()));
  return { port: http.address().port, pid: process.pid };
}

async function bareServer(t) {
  const server = spawn(echo, [], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(server.stdout.setEncoding('utf8'), 'data');

  t.after(() => server.kill());
  return { port: new URL(line.trim()).port, pid: server.pid };
}

const load = (mode, n, { port, pid }, ...args) =>
  run(protocolLoad, [mode, n, port, pid, ...args].map(String));

describe('protocol_load', { concurrency: true }, () => {
  for (const [mode, n, counts, ...args] of [
    ['submit', 8, { acknowledged: 160 }, '--operations', 20, '--outstanding', 8, '--foretell'],
    ['submit', 8, { acknowledged: 40 }, '--operations', 5, '--text', 200000],
    ['contend', 8, { acknowledged: 160, told: 7 * 160 }, '--operations', 20],
    ['contend', 8, { acknowledged: 160, told: 7 * 160 }, '--operations', 20, '--outstanding', 4, '--text', 100, '--lenient'],
    ['fan-out', 50, { acknowledged: 40, told: 50 * 40 }, '--operations', 40, '--outstanding', 8, '--foretell'],
    ['fan-out', 50, { acknowledged: 20, told: 50 * 20 }, '--operations', 20, '--rate', 100, '--foretell'],
    ['open', 4, {}, '--history', 300, '--foretell', '--warm', 0, '--seconds', 0.2],
    ['catch-up', 2, {}, '--history', 300, '--foretell', '--warm', 0, '--seconds', 0.2],
    ['idle', 20, {}, '--documents', 3, '--warm', 0, '--seconds', 0],
  ]) {
    test(`${mode} ${n} ${args.join(' ')}: a server that keeps its word is not complained of`, async t => {
      const { stdout, stderr } = await load(mode, n, await startServer(t), ...args);
      const measured = JSON.parse(stdout || 'null') ?? assert.fail(stderr);

      assert.equal(measured.mode, mode);
      for (const [counted, times] of Object.entries(counts)) assert.equal(measured[counted], times, counted);
    });
  }

  for (const [mode, acknowledged, ...args] of [['submit', 40, '--foretell'], ['contend', 40], ['fan-out', 10, '--foretell']]) {
    test(`${mode}: the bare server is a partner, too`, async t => {
      const { stdout, stderr } = await load(mode, 4, await bareServer(t), '--operations', 10, '--bare', ...args);

      assert.equal((JSON.parse(stdout || 'null') ?? assert.fail(stderr)).acknowledged, acknowledged);
    });
  }

  test('a session is written in its order, and must end as it should', async t => {
    const [server, folder] = [await startServer(t), temporaryDirectory(t)];
    const files = { ops: join(folder, 'ops'), text: join(folder, 'text'), other: join(folder, 'other') };
    const session = async text => load('submit', 1, server, '--foretell', '--outstanding', 4, '--session', files.ops, '--expect', text);

    writeFileSync(files.ops, '["a\\n\\u00fc\\ud83d\\ude00"]\n[3,"\\"z"]\n[{"d":1}]\n');
    writeFileSync(files.text, JSON.stringify('\nü"z😀'));
    writeFileSync(files.other, JSON.stringify('\nü"z'));
    const { stdout, stderr } = await session(files.text);
    assert.equal((JSON.parse(stdout || 'null') ?? assert.fail(stderr)).acknowledged, 3);
    assert.match((await session(files.other)).stderr, /in another text than it should/);
  });

  const piece = n => frame => [{ ...frame, op: [frame.op[0].replace(/.(?=_)/, digit => ((parseInt(digit, 16) + n) % 16).toString(16))] }];
  const once4 = tampered => frame => (frame.v === 4 ? tampered(frame) : [frame]);

  for (const [what, tamper, complaint, ...args] of [
    ['nothing', {}, null],
    ['a version that is lost', { streamed: once4(() => []) }, /was told version 5 after 3: one is lost/],
    ['a version that is told twice', { streamed: once4(frame => [frame, frame]) }, /was told version 4 again, after 4/],
    ['a version that is changed', { streamed: once4(piece(1)) }, /was told something else as operation/],
    ['an operation at another place', { streamed: once4(frame => [{ ...frame, op: [1, ...frame.op] }]) }, /which is not what was sent/],
    ['an operation with something behind its text', { streamed: once4(frame => [{ ...frame, op: [`${frame.op[0]}x`] }]) }, /which is not what was sent/],
    ['an operation that also deletes', { streamed: once4(frame => [{ ...frame, op: [...frame.op, { d: 1 }] }]) }, /which is not what was sent/],
    ['a version that is another to some', { streamed: once4(frame => [{ ...piece(1)(frame)[0], seq: (frame.seq + 1) % 16 }]) }, /version 4 is operation|did not send it/],
    ['nobody told at the end', { streamed: frame => (frame.v > 4 ? [] : [frame]), acknowledged: frame => (frame.v > 5 ? [] : [frame]) }, /is not through with its operations, and nothing comes/, '--patience', 3],
    ['an acknowledgement that comes twice', { acknowledged: once4(frame => [frame, frame]) }, /has no operation \d+ that waits/],
    ['an acknowledgement of another version', { acknowledged: once4(frame => [{ ...frame, v: 3 }]) }, /version 3 is operation|told version 3 again/],
    ['an operation that is acknowledged and lost', { fetched: text => text.slice(12) }, /holds something else than was acknowledged/],
    ['an operation that is there twice', { fetched: text => text.slice(0, 12) + text }, /holds something else than was acknowledged/],
    ['two operations in the wrong order', { fetched: text => text.slice(12, 24) + text.slice(0, 12) + text.slice(24) }, /holds something else/],
  ]) {
    test(`${what} is noticed`, async t => {
      const { code, stdout, stderr } = await load('contend', 2, await keeper(t, tamper), '--operations', 20, ...args);

      assert.equal(code, complaint ? 1 : 0, stderr);
      assert.match(stderr, complaint ?? /^$/, stdout);
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
