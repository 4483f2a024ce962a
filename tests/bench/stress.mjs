// What others notice while somebody asks for a great deal: their `pp` round trips, and how long an operation of theirs
// takes until its follower sees it. The others live in a thread of their own, so that only the server's stalls count.
//
//   node tests/bench/stress.mjs [OPERATIONS]      how long the long document is (1,000,000)
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../lib/server.mjs';
import { JSON0, TEXT, WebSocket } from '../lib/wire.mjs';

const MIB = 1024 * 1024;
const N_OTHERS = 8; // pairs on documents of their own
const N_TOGETHER = 2; // pairs on the document that is being asked for
const EVERY_MS = 10; // by the clock: what is held up by the one before has waited, too

// ---- one line, without ceremony --------------------------------------------------------------------------------------

class Line {
  static async open(port) {
    const line = new Line();

    line.socket = new WebSocket(`ws://127.0.0.1:${port}/v1/ws`, { perMessageDeflate: false });
    line.onMessage = () => {};
    line.socket.on('message', data => line.onMessage(data));
    line.socket.on('close', (code, reason) => line.onClose?.(code, reason.toString()));
    await new Promise(resolve => (line.onMessage = resolve));
    line.send({ a: 'hs', id: null, protocol: 1, protocolMinor: 2 });
    line.id = JSON.parse(await line.next()).id;
    return line;
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  next() {
    return new Promise((resolve, reject) => {
      this.onMessage = resolve;
      this.onClose = (code, reason) => reject(new Error(`closed with ${code} ${reason}`));
    });
  }

  // The reply to message, whatever comes before it.
  async ask(message, isReply = frame => frame.a === message.a) {
    this.send(message);
    for (;;) {
      const frame = JSON.parse(await this.next());
      if (frame.error)
        throw new Error(JSON.stringify(frame.error));
      if (isReply(frame))
        return frame;
    }
  }
}

// ---- the others ------------------------------------------------------------------------------------------------------

class Pair {
  constructor(place, measured) {
    Object.assign(this, { place, measured, version: 0, seq: 1, sent: new Map() });
  }

  async open(port) {
    const { c, d } = this.place;

    this.writer = await Line.open(port);
    this.follower = await Line.open(port);
    await this.writer.ask({ a: 'op', c, d, v: null, seq: this.seq++, create: { type: TEXT, data: '' } }).catch(() => {});
    this.version = (await this.writer.ask({ a: 's', c, d, v: null })).data.v;
    await this.follower.ask({ a: 's', c, d, v: null });
  }

  // Writes and asks until `isOver`, one operation and one ping on their way at a time; times count from when each was due.
  run(isOver) {
    const { c, d } = this.place;
    const due = { write: performance.now(), ping: performance.now() };
    const next = (what, act) => setTimeout(act, Math.max(0, (due[what] += EVERY_MS) - performance.now()));
    const write = () => {
      this.sent.set(this.seq, due.write);
      this.writer.send({ a: 'op', c, d, v: this.version, seq: this.seq++, op: ['x'] });
    };
    const ping = () => this.follower.send({ a: 'pp' });

    this.writer.onMessage = data => {
      const frame = JSON.parse(data);
      if (frame.error)
        throw new Error(JSON.stringify(frame.error));
      this.version = frame.v + 1;
      if (!frame.op && !isOver())
        next('write', write);
    };
    this.follower.onMessage = data => {
      const now = performance.now();
      const isPong = data.length < 20;
      const frame = isPong ? null : JSON.parse(data.length < 1000 ? data : data.subarray(0, 200).toString().replace(/,"op".*/, '}'));

      if (isPong) {
        this.measured.ping.push(now - due.ping);
        if (!isOver())
          next('ping', ping);
      } else if (frame.src === this.writer.id && this.sent.has(frame.seq)) {
        this.measured.stream.push(now - this.sent.get(frame.seq));
        this.sent.delete(frame.seq);
      }
    };
    write();
    ping();
  }
}

async function others({ port, together }) {
  const measured = { others: { ping: [], stream: [] }, together: { ping: [], stream: [] } };
  const pairs = [
    ...Array.from({ length: N_OTHERS }, (_, i) => new Pair({ c: 'others', d: `${i}` }, measured.others)),
    ...Array.from({ length: together ? N_TOGETHER : 0 }, () => new Pair(together, measured.together)),
  ];
  let isOver = false;

  await Promise.all(pairs.map(pair => pair.open(port)));
  for (const pair of pairs)
    pair.run(() => isOver);
  parentPort.postMessage('ready');
  await new Promise(resolve => parentPort.once('message', resolve));
  isOver = true;
  await sleep(500);
  parentPort.postMessage(measured);
  for (const pair of pairs) {
    pair.writer.socket.terminate();
    pair.follower.socket.terminate();
  }
}

// ---- what is asked for -----------------------------------------------------------------------------------------------

function summary(times) {
  times.sort((a, b) => a - b);
  const at = share => (times[Math.floor(share * (times.length - 1))] ?? NaN).toFixed(1).padStart(7);
  return `${at(0.5)} ${at(0.99)} ${at(1)}`;
}

async function measure(server, name, together, work) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port: server.port, together } });
  const failed = new Promise((_, reject) => worker.once('error', reject));
  const said = () => Promise.race([failed, new Promise(resolve => worker.once('message', resolve))]);

  await said();
  const began = performance.now();
  await work();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  worker.postMessage('over');
  const { others: apart, together: beside } = await said();
  await worker.terminate();
  console.log(`${name} (${seconds} s)`);
  console.log(`    others, pp      ${summary(apart.ping)} ms   streamed ${summary(apart.stream)} ms`);
  if (together)
    console.log(`    same document   ${summary(beside.ping)} ms            ${summary(beside.stream)} ms`);
}

// A text with so many operations.
async function build(server, place, n) {
  const line = await Line.open(server.port);
  const began = performance.now();
  let sent = 0;

  await line.ask({ a: 'op', ...place, v: null, seq: 1, create: { type: TEXT, data: '' } });
  await new Promise((resolve, reject) => {
    let answered = 0;
    const send = () => {
      line.socket._socket.cork();
      for (; sent < n && sent - answered < 900; sent++)
        line.socket.send(`{"a":"op","c":"${place.c}","d":"${place.d}","v":${sent + 1},"seq":${sent + 2},"op":["word "]}`);
      process.nextTick(() => line.socket._socket.uncork());
    };
    line.onMessage = data => {
      if (++answered === n)
        resolve();
      else if (sent - answered < 450)
        send();
      if (answered % 10_000 === 0 && JSON.parse(data).error)
        reject(new Error(data.toString()));
    };
    send();
  });
  console.log(`${n} operations in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  line.socket.terminate();
}

// Everything since version `from`, up to a reply that this resolves with.
async function everything(server, message) {
  const line = await Line.open(server.port);
  let n = 0;

  line.send(message);
  const reply = await new Promise((resolve, reject) => {
    line.onClose = (code, reason) => reject(new Error(`closed with ${code} ${reason}`));
    line.onMessage = data => {
      n++;
      const start = data.subarray(0, 300).toString();
      if (start.startsWith(`{"a":"${message.a}"`) && !start.includes(',"op":['))
        resolve(start);
    };
  });
  line.socket.terminate();
  console.log(`    ${n} frames, then ${reply.slice(0, 150)}`);
}

// One operation of `op`, with a follower; until both have been told.
async function single(server, place, type, data, op) {
  const writer = await Line.open(server.port);
  const follower = await Line.open(server.port);

  await writer.ask({ a: 'op', ...place, v: null, seq: 1, create: { type, data } });
  await follower.ask({ a: 's', ...place, v: null });
  const seen = follower.next();
  await writer.ask({ a: 'op', ...place, v: 1, seq: 2, op });
  await seen;
  writer.socket.terminate();
  follower.socket.terminate();
}

function tree(nBytes) {
  const list = [];

  for (let n = 0; n < nBytes; n += 74)
    list.push({ kind: 'paragraph', text: 'some words of a large tree', n: list.length, on: true });
  return list;
}

async function askForMuch(server) {
  const nOps = Number(process.argv[2] ?? 1_000_000);
  const long = { c: 'stress', d: 'long' };
  const nAway = Math.min(50_000, nOps);

  console.log(`${' '.repeat(24)}p50     p99     max`);
  await build(server, long, nOps);
  await sleep(3000);
  await measure(server, 'nothing', long, () => sleep(3000));
  await measure(server, `catching up ${nAway} operations`, long, () =>
    everything(server, { a: 's', ...long, v: nOps + 1 - nAway }));
  await measure(server, `a submission ${nOps} versions behind`, long, () =>
    everything(server, { a: 'op', ...long, v: 1, seq: 77, op: ['first'] }));
  await measure(server, 'a snapshot of the past', long, () =>
    everything(server, { a: 'nf', id: 5, ...long, v: nOps - 10 }));
  const text = 'ten million characters '.repeat(10 * MIB / 23);
  const large = { c: 'stress', d: 'text' };
  await measure(server, 'a text of 10 MB inserted', null, () => single(server, large, TEXT, '', [text]));
  const big = tree(10 * MIB);
  await measure(server, `a tree of ${(JSON.stringify(big).length / MIB).toFixed(0)} MB inserted`, null, () =>
    single(server, { c: 'stress', d: 'tree' }, JSON0, {}, [{ p: ['tree'], oi: big }]));
}

async function main() {
  const ends = [];

  try {
    await askForMuch(await startServer({ after: end => ends.unshift(end) }));
  } finally {
    for (const end of ends)
      await end();
  }
}

await (isMainThread ? main() : others(workerData));
